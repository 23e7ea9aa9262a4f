"""The place control: what it takes as text, what it gives back, what it never does."""

import json

import pytest
from django.contrib.gis import forms as gis_forms
from django.contrib.gis.geos import Point
from django.forms import Form
from django.utils import translation

from listings.widgets import MapWidget, parse_place

from .pages import inline_code


class PlaceForm(Form):
    place = gis_forms.GeometryField(srid=4326, widget=MapWidget(geometry="Geometry"))


@pytest.mark.parametrize(
    "text",
    [
        "113.33, 23.13",
        "113.33,23.13",
        "113.33，23.13",
        "  113.33   23.13 ",
        "POINT (113.33 23.13)",
        '{"type": "Point", "coordinates": [113.33, 23.13]}',
        '{"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [113.33, 23.13]}}',
    ],
)
def test_a_point_in_each_notation(text):
    place = parse_place(text)
    assert (place.geom_type, place.srid, place.coords) == ("Point", 4326, (113.33, 23.13))


@pytest.mark.parametrize("text", ["113.3, 23.1\n113.4, 23.2", "113.3, 23.1; 113.4, 23.2", "113.3 23.1；113.4 23.2"])
def test_several_pairs_make_a_line(text):
    assert parse_place(text).geom_type == "LineString"


@pytest.mark.parametrize(
    "text",
    [
        "POINT (NaN NaN)", "LINESTRING (NaN 1, 113 23)", '{"type": "Point", "coordinates": [Infinity, 23]}',
        "CIRCULARSTRING (0 0, 1 1, 2 0)",
        "", "  ", "somewhere", "113.33", "1,2,3", "POINT EMPTY", "POINT (a b)", "{", "[]", "{}", "null",
        '{"type": "Feature", "geometry": null}', '{"type": "Point", "coordinates": []}', "1" * 3_000_000,
    ],
)  # fmt: skip
def test_what_is_no_place_is_none_and_raises_nothing(text):
    assert parse_place(text) is None


@pytest.mark.parametrize("text", ["POINT Z (113 23 5)", '{"type": "Point", "coordinates": [113, 23, 5]}'])
def test_heights_are_left_out_because_places_are_kept_flat(text):
    assert parse_place(text).coords == (113.0, 23.0)


def test_a_crs_named_in_geojson_is_not_followed():
    text = json.dumps({
        "type": "Point", "coordinates": [113.33, 23.13],
        "crs": {"type": "name", "properties": {"name": "http://127.0.0.1:9/crs"}},
    })  # fmt: skip
    assert parse_place(text).srid == 4326


def test_the_form_takes_text_and_refuses_what_is_none():
    good, bad = PlaceForm({"place": "113.33, 23.13"}), PlaceForm({"place": "behind the station"})
    assert good.is_valid()
    assert good.cleaned_data["place"].coords == (113.33, 23.13)
    assert not bad.is_valid()
    assert "place" in bad.errors


def test_text_that_was_refused_comes_back_as_typed():
    html = str(PlaceForm({"place": "behind the <station>"})["place"])
    assert "behind the &lt;station&gt;" in html


def test_a_stored_place_comes_back_as_geojson_in_degrees():
    place = Point(12614_000, 2646_000, srid=3857)
    shown = json.loads(MapWidget().format_value(place))
    assert shown["type"] == "Point"
    assert 113 < shown["coordinates"][0] < 114


def test_a_place_left_alone_has_not_changed():
    place = Point(113.33, 23.13, srid=4326)
    form = PlaceForm({"place": MapWidget().format_value(place)}, initial={"place": place})
    assert not form.has_changed()


def test_it_carries_nothing_inline_and_all_its_addresses():
    html = str(PlaceForm()["place"])
    assert inline_code(html) == []
    for address in ("dist/js/maplibre-worker.js", "dist/basemap/world.json", "/tiles/regions/{z}/{x}/{y}.pbf"):
        assert address in html


def test_without_scripts_only_the_text_shows():
    html = str(PlaceForm()["place"])
    assert "data-geo-drawing hidden" in html
    assert "data-geo-point hidden" in html
    assert "<textarea" in html


def test_a_line_only_widget_offers_no_point():
    html = MapWidget(geometry="LineString").render("place", None)
    assert 'data-mode="linestring"' in html
    assert 'data-mode="point"' not in html
    assert "data-lon" not in html


def test_it_speaks_the_language_of_the_page():
    with translation.override("en"):
        assert "Draw a line" in str(PlaceForm()["place"])


def test_an_unknown_geometry_is_a_programming_error():
    with pytest.raises(ValueError, match="geometry must be one of"):
        MapWidget(geometry="Circle")


def test_an_empty_map_opens_on_the_region_it_is_about():
    widget = MapWidget(geometry="Point")
    assert "data-around" not in widget.render("place", None)
    widget.around = (113.0, 22.5, 114.0, 23.9)
    assert 'data-around="[113.0, 22.5, 114.0, 23.9]"' in widget.render("place", None)


def test_forms_of_new_things_open_on_the_region_of_who_asks(client_as, world):
    around = f'data-around="{json.dumps(world.power.region.polygon.extent)}"'.replace("(", "[").replace(")", "]")
    for name, address in [("alice", "/resources/new/tower/"), ("dave", "/build-check/")]:
        assert around in client_as(name).get(address).content.decode(), address
