"""GCJ-02 and BD-09: against constants computed elsewhere, against real pairs, there and back."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    assert first.confidence < systems.PRESELECT  # Xian 1980 and Beijing 1954 look the same: a person decides
    assert "old_look_alike" in first.reasons
    said = guess(*((north, east) if is_swapped else (east, north)), inside=near_guangzhou, words="CGCS2000")[0]
    assert (said.code == first.code, said.confidence >= systems.PRESELECT) == (True, True)


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


# --- Every system there and back -----------------------------------------------------------------

ZONES = [f"EPSG:{n}" for n in (*range(4491, 4555), 3857, 32649, 2193)]
ALL = [*systems.OFFERED, *systems.SHIFTED_M, *ZONES]
CENTIMETRE_DEG = 1e-7


def ground_of(code):
    """(west, east) within which the system is used: three degrees either side of its meridian, else all China."""
    if not code.startswith("EPSG:") or code in (systems.WGS84, systems.CGCS2000, "EPSG:3857"):
        return 74.0, 134.0
    if code == "EPSG:2193":
        return 167.0, 178.0
    area = systems.crs_of(code).area_of_use
    return area.west, area.east


@given(code=st.sampled_from(ALL), a=st.floats(0, 1), b=st.floats(0, 1))
@settings(max_examples=400, deadline=None)
def test_every_system_comes_back_to_the_same_centimetre(code, a, b):
    west, east = ground_of(code)
    lon, lat = west + a * (east - west), 18 + b * 35
    if code == "EPSG:2193":
        lat = -46 + b * 11
    there = systems.from_wgs84(code, np.array([lon]), np.array([lat]))
    back = systems.to_wgs84(code, *there)
    assert np.abs(np.array(back).ravel() - (lon, lat)).max() < CENTIMETRE_DEG


@given(a=st.floats(0, 1), b=st.floats(0, 1), truth=st.sampled_from(systems.OFFERED))
@settings(max_examples=60, deadline=None)
def test_degrees_of_which_nothing_is_said_are_never_chosen_for_the_person(a, b, truth):
    """The three systems cannot be told apart by their numbers: the right one is always offered, none is preselected."""
    lon, lat = 80 + a * 45 + np.arange(4) * 0.01, 22 + b * 25 + np.arange(4) * 0.01
    found = guess(*systems.from_wgs84(truth, lon, lat), inside=lambda x, y: 1.0)
    assert all(candidate.confidence < systems.PRESELECT for candidate in found)
    assert {"GCJ-02", "BD-09"} <= {candidate.code for candidate in found}
    wgs = {systems.WGS84, systems.CGCS2000}
    assert truth in {c.code for c in found} or (truth in wgs and wgs & {c.code for c in found})


@given(a=st.floats(0, 1), b=st.floats(0, 1), truth=st.sampled_from([*systems.SHIFTED_M, "EPSG:3857"]))
@settings(max_examples=40, deadline=None)
def test_metres_of_web_maps_are_offered_in_all_three_readings(a, b, truth):
    lon, lat = 80 + a * 45 + np.arange(4) * 0.01, 22 + b * 25 + np.arange(4) * 0.01
    found = guess(*systems.from_wgs84(truth, lon, lat), inside=lambda x, y: 1.0)
    assert truth in {candidate.code for candidate in found}
    assert all(candidate.confidence < systems.PRESELECT for candidate in found)


def test_a_shape_that_says_wgs84_is_not_believed_without_a_look():
    """Programs that know no GCJ-02 save it as WGS84: off by some 500 m and nothing in the file shows it."""
    shifted = systems.from_wgs84("GCJ-02", LON, LAT)
    found = guess(*shifted, file_crs="EPSG:4326")
    assert found[0].confidence < systems.PRESELECT
    assert "file_crs_may_err" in found[0].reasons


def test_divisions_that_rows_name_settle_the_zone_but_never_the_shift():
    where = lambda lon, lat: ["440106" if 112.9 < x < 114.7 and 22 < y < 24 else "330100" for x, y in zip(lon, lat)]  # noqa: E731, B905
    lon, lat = np.linspace(113.0, 114.6, 8), np.linspace(22.6, 23.4, 8)
    declared = [(i, "4401") for i in range(8)]
    east, north = metres("EPSG:4547", lon, lat)
    first = guess(east, north, declared=declared, where=where)[0]
    assert (first.code, first.reasons[0]) == ("EPSG:4547", "declared_regions")
    for code in systems.OFFERED:
        found = guess(*systems.from_wgs84(code, lon, lat), declared=declared, where=where)
        assert all(candidate.confidence < systems.PRESELECT for candidate in found)


@pytest.mark.shared_data
def test_baidus_and_the_webs_metres_against_real_pairs(shared_data):
    rows = json.loads((shared_data / "coords" / "gcoord_china_cities.json").read_text(encoding="utf-8"))
    named = {key: np.array([row["coords"][key] for row in rows]).T for key in rows[0]["coords"]}
    for key, code in (("BD09MC", "BD-09-M"), ("EPSG3857", "EPSG:3857")):
        assert np.abs(np.array(systems.to_wgs84(code, *named[key])) - named["WGS84"]).max() < 1e-5
        there = np.array(systems.from_wgs84(code, *systems.to_wgs84(code, *named[key])))
        assert np.abs(there - named[key]).max() < 0.02


def test_wrong_by_name_is_wrong_by_hundreds_of_metres():
    """What the place check is for: the same numbers read in the wrong system."""
    shifted = systems.from_wgs84("GCJ-02", LON, LAT)
    off = systems.metres_between(*shifted, LON, LAT)
    assert (off > 300).all()
    assert (systems.metres_between(*systems.from_wgs84("BD-09", LON, LAT), LON, LAT) > 800).all()
