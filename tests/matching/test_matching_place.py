"""The place matching computes with is said twice, as an expression and as SQL: here each grade × level × reader holds
the two together, and both to what the reader is shown."""

import datetime as dt

import pytest
from django.contrib.gis.geos import LineString, Point
from django.utils import timezone

from listings.disclosure import DistanceMetres, matching_place
from listings.models import DisclosureGrant, Kind, Resource
from matching import candidates
from tests.world import make_line, make_list, make_resource

# What the database allows: the CHECK keeps important data off the exact level and core data below the cell.
ALLOWED = [
    ("general", "exact"),
    ("general", "blurred"),
    ("general", "existence"),
    ("important", "blurred"),
    ("important", "existence"),
    ("core", "existence"),
]
APPLICANTS = ["owner", "granted", "stranger", "nobody"]
HERE = Point(113.337123, 23.131456, srid=4326)
ASKED = Point(113.331, 23.131, srid=4326)


@pytest.fixture
def demand_list(world):
    return make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)


def supply(world, grade, disclosure, *, kind=Kind.TOWER, **fields):
    place = HERE if kind in (Kind.TOWER, Kind.ROOM) else LineString(HERE.coords, (113.345, 23.135), srid=4326)
    resource = make_resource(world.power, kind, place=place, grade=grade, disclosure=disclosure, **fields)
    DisclosureGrant.objects.create(
        resource=resource,
        organisation=world.operator,
        purpose="survey",
        state="granted",
        asked_by=world.dave,
        expires_at=timezone.now() + dt.timedelta(days=5),
    )
    return resource


def distances(demand_list, line) -> dict[int, float]:
    """By resource, in metres, as the SQL of the candidates says."""
    today = timezone.localdate()
    lines = candidates.read_lines(demand_list.pk, radius_m=500, today=today)
    found = candidates.find(lines, today=today)
    mine = found.pairs.line == list(lines.id).index(line.pk)
    pairs = zip(found.resource_ids[mine], found.pairs.distance_m[mine], strict=True)
    return {int(pk): float(distance_m) for pk, distance_m in pairs}


def by_expression(resource) -> float:
    """In metres, as listings.disclosure.matching_place() says."""
    return (
        Resource.objects.annotate(at=matching_place())
        .annotate(metres=DistanceMetres("at", ASKED))
        .values_list("metres", flat=True)
        .get(pk=resource.pk)
    )


@pytest.mark.parametrize("applicant", APPLICANTS)
@pytest.mark.parametrize(("grade", "disclosure"), ALLOWED)
def test_sql_and_expression_agree_whoever_asks(world, demand_list, grade, disclosure, applicant):
    resource = supply(world, grade, disclosure)
    who = {"owner": world.power, "granted": world.operator, "stranger": world.evil, "nobody": None}[applicant]
    line = make_line(demand_list, who, place=ASKED, tolerance_m=3_000)
    found = distances(demand_list, line)
    if disclosure == "existence":
        assert found == {}
        return
    assert found == {resource.pk: pytest.approx(by_expression(resource), abs=0.01)}
    is_exact = disclosure == "exact"
    assert (found[resource.pk] == pytest.approx(_metres(world, resource, "place"), abs=0.01)) is is_exact


def _metres(world, resource, column) -> float:
    rows = Resource.objects.annotate(metres=DistanceMetres(column, ASKED))
    return rows.values_list("metres", flat=True).get(pk=resource.pk)


@pytest.mark.parametrize("kind", [Kind.TOWER, Kind.DUCT, Kind.CABLE, Kind.ROOM])
@pytest.mark.parametrize("disclosure", ["exact", "blurred", "existence"])
def test_they_agree_for_every_kind(world, demand_list, kind, disclosure):
    resource = supply(world, "general", disclosure, kind=kind)
    line = make_line(demand_list, world.evil, kind=kind, place=ASKED, tolerance_m=3_000)
    found = distances(demand_list, line)
    assert set(found) == (set() if disclosure == "existence" else {resource.pk})
    for metres in found.values():
        assert metres == pytest.approx(by_expression(resource), abs=0.01)


@pytest.mark.parametrize("state", ["draft", "suspended", "retired"])
def test_only_what_is_published_is_matched(world, demand_list, state):
    supply(world, "general", "exact", state=state)
    line = make_line(demand_list, world.evil, place=ASKED, tolerance_m=3_000)
    assert distances(demand_list, line) == {}


@pytest.mark.parametrize("reader", ["eve", "carol", "dave", "alice"])
@pytest.mark.parametrize(("grade", "disclosure"), ALLOWED)
def test_no_verified_reader_learns_more_from_a_run_than_from_the_map(world, grade, disclosure, reader):
    """Where a run would name the resource, the place behind its distance is the one they see, or a coarser one."""
    resource = supply(world, grade, disclosure)
    shown = Resource.objects.visible_to(world.as_[reader]).filter(pk=resource.pk).first()
    if disclosure == "existence":
        return  # never in a run: test_sql_and_expression_agree_whoever_asks
    used = Resource.objects.annotate(at=matching_place()).get(pk=resource.pk).at
    assert used.equals_exact(shown.shown_place) or (shown.is_exact and used.equals_exact(resource_cell(resource)))


def resource_cell(resource):
    return Resource.objects.values_list("shown_cell", flat=True).get(pk=resource.pk)
