"""The GB/T 2260 tree from the packages: small made-up files for the rules, the real ones for the whole."""

import json
from io import StringIO

import pytest
import shapely
from django.contrib.gis.geos import Point
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from accounts.actions.regions import load_regions
from accounts.models import Region
from accounts.region_names import english_name
from accounts.region_sources import polygonal, read_tree
from accounts.regions import choices_below, find, region_at


def box(west, south, east, north):
    return [[[west, south], [east, south], [east, north], [west, north], [west, south]]]


def bowtie(west, south, east, north):
    return [[[west, south], [east, north], [east, south], [west, north], [west, south]]]


def feature(name, code, *polygons):
    return {
        "type": "Feature",
        "properties": {"name": name, "gb": f"156{code}" if code else ""},
        "geometry": {"type": "MultiPolygon", "coordinates": list(polygons)},
    }


@pytest.fixture
def sources(tmp_path):
    """A province with a city and two counties, one of them invalid; a municipality without a city row."""
    layers = {
        "province": [
            feature("湖北省", "420000", box(110, 30, 114, 32)),
            feature("北京市", "110000", box(116, 39, 117, 41)),
            {"type": "Feature", "properties": {"name": "境界线", "gb": ""},
             "geometry": {"type": "MultiLineString", "coordinates": [[[0, 0], [1, 1]]]}},
        ],
        "city": [
            feature("武汉市", "420100", box(113, 30, 114, 31)),
            feature("潜江市", "429005", box(112, 30, 113, 31)),
            feature("北京市", "110000", box(116, 39, 117, 41)),
        ],
        "district": [
            feature("江岸区", "420102", bowtie(113, 30, 114, 31)),
            feature("潜江市", "429005", box(112, 30, 113, 31)),
            feature("东城区", "110101", box(116, 39, 117, 40)),
        ],
    }  # fmt: skip
    polygons, codes = tmp_path / "polygons", tmp_path / "codes"
    polygons.mkdir()
    codes.mkdir()
    for layer, features in layers.items():
        (polygons / f"{layer}.geojson").write_text(json.dumps({"features": features}), "utf-8")
    (codes / "city.json").write_text(
        json.dumps([{"code": "429000", "name": "湖北省-自治区直辖县级行政区划"}, {"code": "420100", "name": "武汉市"}])
    )
    (codes / "area.json").write_text(
        json.dumps(
            [
                {"code": "420101", "name": "市辖区"},
                {"code": "420171", "name": "某经济开发区"},
                {"code": "420199", "name": "旧城区"},
                {"code": "990101", "name": "无省区"},
            ]
        )
    )
    return {"polygons": polygons, "codes": codes}


def test_parents_follow_the_code(sources):
    tree = {row.code: row for row in read_tree(**sources)}
    assert {code: row.parent for code, row in tree.items()} == {
        "100000": None,
        "110000": "100000",
        "420000": "100000",
        "420100": "420000",
        "420102": "420100",
        "420199": "420100",
        "110101": "110000",  # a municipality has no city row
        "429005": "420000",  # administered by the province directly
    }
    assert tree["429005"].level == Region.Level.COUNTY
    assert tree["420199"].polygon is None
    assert tree["420102"].polygon.is_valid
    assert tree["100000"].polygon.area == pytest.approx(8 + 2)


def test_mending_keeps_only_polygons():
    mended = polygonal(shapely.from_wkt("POLYGON((0 0, 2 2, 2 0, 0 2, 0 0))"))
    line_left_over = polygonal(
        shapely.from_wkt("GEOMETRYCOLLECTION(POLYGON((0 0, 1 0, 1 1, 0 0)), LINESTRING(0 0, 5 5))")
    )
    assert mended.geom_type == line_left_over.geom_type == "MultiPolygon"
    assert mended.is_valid
    assert len(mended.geoms) == 2
    assert len(line_left_over.geoms) == 1


@pytest.mark.django_db
def test_loading_again_writes_nothing_and_mends_what_was_changed(sources):
    assert load_regions(**sources).written == 8
    assert load_regions(**sources).written == 0
    Region.objects.filter(code="420102").update(name_zh="别的")
    Region.objects.filter(code="110000").update(polygon=None)
    assert load_regions(**sources).written == 2
    assert Region.objects.get(code="420102").name_zh == "江岸区"


@pytest.mark.django_db
def test_a_start_loads_regions_only_where_there_are_none(world):
    before = Region.objects.count()
    call_command("load_regions", if_empty=True)
    assert Region.objects.count() == before


@pytest.mark.django_db
def test_label_points_lie_inside(sources):
    load_regions(**sources)
    for region in Region.objects.exclude(polygon=None):
        assert region.polygon.covers(region.label_point)


@pytest.mark.parametrize(
    ("code", "zh", "en"),
    [
        ("440100", "广州市", "Guangzhou"),
        ("440106", "天河区", "Tianhe District"),
        ("610100", "西安市", "Xi'an"),
        ("610000", "陕西省", "Shaanxi"),
        ("110105", "朝阳区", "Chaoyang District"),
        ("422800", "恩施土家族苗族自治州", "Enshi Tujia and Miao Autonomous Prefecture"),
        ("152500", "锡林郭勒盟", "Xilingol League"),
        ("150724", "鄂温克族自治旗", "Ewenki Autonomous Banner"),
        ("810103", "九龙城区", "Kowloon City District"),
    ],
)
def test_english_names(code, zh, en):
    assert english_name(code, zh) == en


@pytest.mark.django_db
def test_a_region_needs_a_division_code_and_a_parent():
    for code, level in [("12", 1), ("012345", 1), ("440000", 1)]:
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO accounts_region (code, name_zh, name_en, level) VALUES (%s, 'x', 'x', %s)", [code, level]
            )


@pytest.mark.django_db
def test_the_packages_load_whole_and_find_places(django_assert_num_queries):
    out = StringIO()
    call_command("load_regions", stdout=out)
    assert "3285 regions" in out.getvalue()
    counted = {level: Region.objects.filter(level=level).count() for level in range(4)}
    assert counted == {0: 1, 1: 34, 2: 336, 3: 2914}
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM accounts_region WHERE NOT ST_IsValid(polygon)")
        assert cursor.fetchone() == (0,)
    places = {
        (113.33, 23.13): "440106",  # Guangzhou
        (116.41, 39.90): "110101",  # Beijing, no city between
        (112.90, 30.40): "429005",  # Qianjiang, administered by Hubei directly
        (113.55, 22.19): "820000",  # Macao, whose parishes have no polygon
        (121.56, 25.03): "710009",
    }
    for place, code in places.items():
        assert region_at(Point(*place, srid=4326)).code == code
    assert region_at(Point(130, 20, srid=4326)) is None  # the sea
    with django_assert_num_queries(1):
        assert [region.code for region in find("天河")][:1] == ["440106"]
    assert len(choices_below("100000", Region.Level.PROVINCE)) == 34
    codes = [region.code for region in choices_below("330100", Region.Level.COUNTY)]
    assert "330106" in codes
    assert "330103" not in codes  # merged away in 2021, kept for old files only
    assert len(choices_below("820000", Region.Level.COUNTY)) == 8
