"""GCJ-02 and BD-09: against constants computed elsewhere, against real pairs, there and back."""

import json

import numpy as np
import pytest

from listings.imports import datum, systems
from listings.imports.findings import FileRefused

# Computed with another implementation (the published JavaScript of coordtransform, in IEEE doubles).
WGS, GCJ, BD = (116.404, 39.915), (116.41024449916938, 39.91640428150164), (116.41662724378733, 39.922699552216216)


def test_forward_gives_the_published_constants():
    assert np.allclose(datum.wgs84_to_gcj02(*WGS), GCJ, atol=1e-12)
    assert np.allclose(datum.gcj02_to_bd09(*GCJ), BD, atol=1e-9)


def test_back_is_the_inverse_to_a_micrometre():
    lon, lat = np.meshgrid(np.linspace(74, 134, 61), np.linspace(18, 53, 36))
    assert np.abs(np.array(datum.gcj02_to_wgs84(*datum.wgs84_to_gcj02(lon, lat))) - [lon, lat]).max() < 1e-10
    assert np.abs(np.array(datum.bd09_to_wgs84(*datum.wgs84_to_bd09(lon, lat))) - [lon, lat]).max() < 1e-10


def test_abroad_nothing_is_shifted():
    for lon, lat in ((-73.9, 40.85), (24.94, 60.17), (174.7, -41.3)):
        assert np.allclose(datum.gcj02_to_wgs84(lon, lat), (lon, lat), atol=0)


@pytest.mark.shared_data
def test_real_pairs_of_168_cities(shared_data):
    rows = json.loads((shared_data / "coords" / "gcoord_china_cities.json").read_text(encoding="utf-8"))
    named = {key: np.array([row["coords"][key] for row in rows]).T for key in ("WGS84", "GCJ02", "BD09")}
    assert len(rows) == 168
    assert np.abs(np.array(datum.gcj02_to_wgs84(*named["GCJ02"])) - named["WGS84"]).max() < 1e-5
    assert np.abs(np.array(datum.bd09_to_wgs84(*named["BD09"])) - named["WGS84"]).max() < 1e-5
    assert np.abs(np.array(datum.wgs84_to_gcj02(*datum.gcj02_to_wgs84(*named["GCJ02"]))) - named["GCJ02"]).max() < 1e-9


# --- Systems ------------------------------------------------------------------------------------

LON, LAT = np.array([113.33, 113.4, 113.9, 114.3]), np.array([23.13, 23.2, 22.9, 22.7])


def in_guangdong(lon, lat):
    return float(np.mean((lon > 109.6) & (lon < 117.3) & (lat > 20.2) & (lat < 25.5)))


def metres(code, lon=LON, lat=LAT):
    from pyproj import Transformer

    return Transformer.from_crs(4490, int(code[5:]), always_xy=True).transform(lon, lat)


def near_guangzhou(lon, lat):
    return float(np.mean((lon > 112.9) & (lon < 114.7) & (lat > 22.4) & (lat < 23.9)))


def guess(x, y, **more):
    return systems.candidates(systems.Evidence(np.asarray(x), np.asarray(y), **{"inside": in_guangdong, **more}))


@pytest.mark.parametrize("code", ["EPSG:4526", "EPSG:4497", "EPSG:4547"])
@pytest.mark.parametrize("is_swapped", [False, True])
def test_gauss_kruger_zones_are_found_with_and_without_prefix_and_either_way_round(code, is_swapped):
    east, north = metres(code)
    first = guess(*((north, east) if is_swapped else (east, north)), inside=near_guangzhou)[0]
    assert first.is_swapped is is_swapped
    lon, lat = systems.to_wgs84(first.code, east, north)
    assert np.abs(np.array([lon - LON, lat - LAT])).max() < 1e-7
    assert first.confidence >= (0.85 if code != "EPSG:4547" else 0.4)


def test_a_zone_that_two_meridians_could_be_is_not_chosen_for_the_person():
    found = guess(*metres("EPSG:4547"))  # Guangdong is wide enough for 111° and 114°
    assert {"EPSG:4546", "EPSG:4547"} <= {candidate.code for candidate in found}
    assert found[0].confidence < systems.PRESELECT
    assert guess(*metres("EPSG:4547"), words="中央经线114度")[0].code == "EPSG:4547"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("经度(GCJ-02)", "GCJ-02"),
        ("高德经度", "GCJ-02"),
        ("百度经度", "BD-09"),
        ("机房 BD09.csv", "BD-09"),
        ("坐标系：CGCS2000", "EPSG:4490"),
        ("WGS84经度", "EPSG:4326"),
    ],
)
def test_words_decide_with_confidence(words, code):
    first, *others = guess(LON, LAT, words=words)
    assert (first.code, first.confidence >= systems.PRESELECT) == (code, True)
    assert {"GCJ-02", "BD-09"} - {code} <= {other.code for other in others}  # the alternatives are always shown


def test_nothing_said_is_nothing_chosen():
    assert guess(LON, LAT)[0].confidence < systems.PRESELECT
    assert guess(LON, LAT, words="经度(GCJ-02) 百度纬度")[0].confidence < systems.PRESELECT
    assert guess(LON, LAT, file_crs="EPSG:4326", is_by_format=True)[0].confidence < systems.PRESELECT


def test_resources_stored_before_settle_it():
    shifted = np.array(datum.wgs84_to_gcj02(LON, LAT))
    known = [(i, LON[i], LAT[i]) for i in range(4)]
    first = guess(*shifted, known=known)[0]
    assert (first.code, first.reasons[0], first.confidence) == ("GCJ-02", "known_places", 0.99)


def test_exchanged_columns_are_seen():
    first = guess(LAT, LON)[0]
    assert (first.code, first.is_swapped) == ("EPSG:4326", True)


@pytest.mark.parametrize("words", ["西安80坐标", "北京54", "Xian 1980"])
def test_old_datums_are_refused_with_a_sentence(words):
    with pytest.raises(FileRefused) as refused:
        guess(LON, LAT, words=words)
    assert refused.value.code == "old_datum"


@pytest.mark.parametrize("code", ["EPSG:4610", "EPSG:4214", "EPSG:2383", "EPSG:21413"])
def test_old_datums_by_number_are_refused(code):
    with pytest.raises(FileRefused) as refused:
        systems.check(code)
    assert refused.value.code == "old_datum"


@pytest.mark.parametrize(
    ("code", "why"), [("EPSG:99999", "crs_unknown"), ("abc", "crs_unknown"), ("EPSG:4978", "crs_not_flat")]
)
def test_other_impossible_systems_are_refused(code, why):
    with pytest.raises(FileRefused) as refused:
        systems.check(code)
    assert refused.value.code == why
