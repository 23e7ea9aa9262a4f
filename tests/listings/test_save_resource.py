"""Writing one resource down: what is stored, what is refused and with which sentence."""

from decimal import Decimal

import pytest
from django.contrib.gis.geos import LineString, Point
from django.utils import timezone

from accounts.errors import NotPermitted, Refused
from accounts.models import Event, Region
from listings.kinds.pools import PoolData
from listings.models import CapacityPool, Resource
from listings.problems import Invalid
from tests.listings.supply import IN_TIANHE, LINE_IN_TIANHE, POOLS, hold, save

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


def codes(failure) -> set[str]:
    return {problem.code for problem in failure.value.problems if problem.is_error}


@pytest.mark.parametrize("kind", ["tower", "duct", "cable", "room"])
def test_each_kind_is_stored_as_draft_with_facts_pools_region_and_event(world, kind):
    resource = save(world.as_["bob"], kind)

    assert (resource.state, resource.kind, resource.owner) == ("draft", kind, world.power)
    assert resource.region_id == "440106"  # found by the place
    assert resource.sector == world.power.sector
    assert resource.facts.pk == resource.pk
    assert {(p.unit, p.total) for p in resource.pools.all()} == {(p.unit, p.total) for p in POOLS[kind]}
    event = Event.objects.get(verb="resource.create")
    assert (event.actor, event.organisation, event.subject) == (world.bob, world.power, resource)
    assert event.after["owner_code"] == "A-1"


def test_change_keeps_what_is_not_named_and_records_before_and_after(world):
    resource = save(world.as_["bob"], data={"address": "1 Tianhe Road"})
    changed = save(world.as_["bob"], resource=resource, data={"name": "Renamed"}, facts={"height_m": Decimal(42)})

    assert changed.pk == resource.pk
    assert (changed.name, changed.address, changed.tower.height_m) == ("Renamed", "1 Tianhe Road", Decimal(42))
    event = Event.objects.get(verb="resource.update")
    assert event.before == {"name": "Tower one", "height_m": "40"}
    assert event.after == {"name": "Renamed", "height_m": "42"}


def test_saving_the_same_again_writes_no_event(world):
    resource = save(world.as_["bob"])
    save(world.as_["bob"], resource=resource, data={"name": "Tower one"}, pools=[
        PoolData("position", Decimal("3.00"), label="P1", height_m=Decimal("35.0"))
    ])  # fmt: skip
    assert not Event.objects.filter(verb="resource.update").exists()


def test_moving_a_resource_finds_its_new_region(world):
    resource = save(world.as_["bob"])
    moved = save(world.as_["bob"], resource=resource, place=Point(114.3, 22.6, srid=4326))
    assert moved.region_id == "440300"
    assert Event.objects.get(verb="resource.update").after["region"] == "440300"


@pytest.mark.parametrize("name", ["vera", "dora"])
def test_only_editors_and_administrators_write(world, name):
    with pytest.raises(NotPermitted):
        save(world.as_[name])
    assert not Resource.objects.exists()


def test_another_organisations_resource_is_not_changed(world):
    resource = save(world.as_["bob"])
    with pytest.raises(NotPermitted):
        save(world.as_["eve"], resource=resource, data={"name": "Mine now"})


def test_a_bureau_holds_no_resources(world):
    with pytest.raises(NotPermitted, match="bureau"):
        save(world.as_["carol"])


def test_retired_resources_are_not_changed(world):
    resource = save(world.as_["bob"])
    Resource.objects.update(state="retired")
    with pytest.raises(Invalid) as failure:
        save(world.as_["bob"], resource=resource, data={"name": "Again"})
    assert codes(failure) == {"retired"}


def test_a_code_of_ones_own_stands_once(world):
    save(world.as_["bob"])
    with pytest.raises(Invalid) as failure:
        save(world.as_["bob"])
    assert codes(failure) == {"code_taken"}
    save(world.as_["eve"])  # another organisation may use it


@pytest.mark.parametrize(
    ("place", "code"),
    [
        (Point(0, 0, srid=4326), "zero_zero"),
        (Point(23.13, 113.33, srid=4326), "swapped"),  # latitude out of range
        (Point(40.0, 75.0, srid=4326), "swapped"),  # both in range, and in China only when exchanged
        (Point(2.35, 48.85, srid=4326), "outside_china"),
        (Point(38_400_000, 2_560_000, srid=4326), "not_degrees"),
        (LINE_IN_TIANHE, "place_type"),
        (Point(srid=4326), "place_missing"),
        (None, "place_missing"),
    ],
)
def test_wrong_places_are_named_as_such(world, place, code):
    with pytest.raises(Invalid) as failure:
        save(world.as_["bob"], place=place)
    assert codes(failure) == {code}


def test_a_line_has_length(world):
    with pytest.raises(Invalid) as failure:
        save(world.as_["bob"], "duct", place=LineString((113.33, 23.13), (113.33, 23.13), srid=4326))
    assert codes(failure) == {"line_without_length"}


@pytest.mark.parametrize("declared", ["440106", "440100", "广东省", "Guangdong"])
def test_the_declared_region_may_be_the_place_s_own_or_above(world, declared):
    assert save(world.as_["bob"], data={"region": declared}).region_id == "440106"


def test_a_place_outside_the_declared_region_is_refused_by_name(world):
    with pytest.raises(Invalid) as failure:
        save(world.as_["bob"], data={"region": "330100"})
    assert codes(failure) == {"outside_declared"}


def test_a_region_without_outline_takes_places_abroad_with_a_warning(world):
    Region.objects.create(code="900100", level=1, parent_id="100000", name_zh="境外", name_en="Abroad")
    resource = save(world.as_["bob"], place=Point(174.8, -41.3, srid=4326), data={"region": "900100"})
    assert resource.region_id == "900100"
    assert "region_unchecked" in {problem.code for problem in resource.problems}


def test_a_line_over_a_border_belongs_to_the_region_above_both(world):
    line = LineString((113.33, 23.13), (113.2, 23.0), (114.3, 22.6), srid=4326)  # Tianhe, Guangzhou, Shenzhen
    assert save(world.as_["bob"], "cable", place=line).region_id == "440000"


def test_heights_of_imported_geometry_are_dropped(world):
    resource = save(world.as_["bob"], place=Point(113.33, 23.13, 12.5, srid=4326))
    assert not resource.place.hasz


def test_a_room_has_exactly_rack_units_and_kw(world):
    with pytest.raises(Invalid) as failure:
        save(world.as_["bob"], "room", pools=[PoolData("rack_u", Decimal(84))])
    assert codes(failure) == {"pool_missing"}


def test_a_pool_in_a_foreign_unit_is_refused(world):
    with pytest.raises(Invalid) as failure:
        save(world.as_["bob"], pools=[PoolData("core", Decimal(4))])
    assert codes(failure) == {"unit_unknown"}


def test_in_use_beyond_the_total_is_refused(world):
    with pytest.raises(Invalid) as failure:
        save(world.as_["bob"], pools=[PoolData("position", Decimal(3), in_use=Decimal(4))])
    assert codes(failure) == {"pool_oversold"}


def test_platforms_more_than_five_metres_apart_need_a_reason(world):
    def platforms(*heights):
        return [PoolData("position", Decimal(3), label=f"P{h}", height_m=Decimal(h)) for h in heights]

    near = save(world.as_["bob"], pools=platforms(30, 35))
    assert not near.problems
    with pytest.raises(Invalid) as failure:
        save(world.as_["bob"], owner_code="A-2", pools=platforms(29, 35))
    assert codes(failure) == {"platform_spacing"}
    wide = save(world.as_["bob"], owner_code="A-2", pools=platforms(29, 35), facts={"spacing_reason": "as_built"})
    assert not wide.problems


def test_a_band_of_heights_counts_as_one_platform(world):
    band = PoolData("position", Decimal(3), label="A", height_m=Decimal(20), height_top_m=Decimal(30))
    top = PoolData("position", Decimal(3), label="B", height_m=Decimal(35))
    assert not save(world.as_["bob"], pools=[band, top]).problems


def test_a_platform_stands_below_the_top(world):
    with pytest.raises(Invalid) as failure:
        save(world.as_["bob"], facts={"height_m": Decimal(30)})
    assert codes(failure) == {"platform_above_top"}


@pytest.mark.parametrize(
    ("kind", "data", "facts", "field"),
    [
        ("tower", {}, {"height_m": Decimal(501)}, "height_m"),
        ("tower", {}, {"load_used_pct": Decimal(101)}, "load_used_pct"),
        ("tower", {}, {"load_kg": Decimal(-1)}, "load_kg"),
        ("tower", {}, {"structure": "gold"}, "structure"),
        ("duct", {}, {"inner_mm": Decimal(110), "outer_mm": Decimal(100)}, "inner_mm"),
        ("duct", {}, {"surveyed_length_m": Decimal(1000), "blocked_at_m": Decimal(1001)}, "blocked_at_m"),
        ("cable", {}, {"attenuation_db_per_km": Decimal(6)}, "attenuation_db_per_km"),
        ("room", {}, {"area_m2": Decimal(0)}, "area_m2"),
        ("tower", {"grade": "important", "disclosure": "exact"}, {}, "disclosure"),
        ("tower", {"grade": "core", "disclosure": "blurred"}, {}, "disclosure"),
        ("tower", {"name": "x" * 161}, {}, "name"),
        ("tower", {"sharing_modes": ["barter"]}, {}, "sharing_modes"),
    ],
)
def test_every_rule_has_its_sentence_before_the_database_refuses(world, kind, data, facts, field):
    with pytest.raises(Invalid) as failure:
        save(world.as_["bob"], kind, data=data, facts=facts)
    assert [problem.field for problem in failure.value.problems if problem.is_error] == [field]
    assert str(failure.value)


def test_availability_runs_forward(world):
    today = timezone.localdate()
    with pytest.raises(Invalid) as failure:
        save(world.as_["bob"], data={"available_from": today, "available_until": today.replace(year=today.year - 1)})
    assert codes(failure) == {"available_order"}


def test_changing_one_field_is_checked_against_what_is_stored(world):
    resource = save(world.as_["bob"], data={"disclosure": "exact"})
    with pytest.raises(Invalid) as failure:
        save(world.as_["bob"], resource=resource, data={"grade": "important"})
    assert codes(failure) == {"grade_limits_disclosure"}


def test_a_total_below_what_is_held_is_refused(world):
    resource = save(world.as_["bob"])
    hold(resource.pools.get(), world.operator, 2)
    with pytest.raises(Invalid, match="held or confirmed here"):
        save(world.as_["bob"], resource=resource, pools=[PoolData("position", Decimal(1), label="P1")])
    assert CapacityPool.objects.get().total == 3


def test_the_database_itself_has_the_last_word_with_the_same_sentence(world, monkeypatch):
    """The check before storing taken out: the CHECK refuses, and its sentence reaches the person."""
    resource = save(world.as_["bob"])
    hold(resource.pools.get(), world.operator, 2)
    monkeypatch.setattr("listings.checks._oversold", lambda *_args: None)
    monkeypatch.setattr("listings.checks.Checked.has_errors", False)
    monkeypatch.setattr("listings.checks._verdict", lambda _item: "update")
    with pytest.raises(Refused, match="There is not that much free"):
        save(world.as_["bob"], resource=resource, pools=[PoolData("position", Decimal(1), label="P1")])
    assert CapacityPool.objects.get().total == 3


def test_a_pool_once_reserved_is_not_taken_away(world):
    resource = save(world.as_["bob"])
    hold(resource.pools.get(), world.operator, 1)
    with pytest.raises(Refused, match="was reserved before"):
        save(world.as_["bob"], resource=resource, pools=[PoolData("position", Decimal(3), label="P9")])
    assert [pool.label for pool in CapacityPool.objects.order_by("pk")] == ["P1"]


def test_pools_are_changed_added_and_taken_away(world):
    resource = save(world.as_["bob"])
    first = resource.pools.get()
    saved = save(
        world.as_["bob"],
        resource=resource,
        pools=[
            PoolData("position", Decimal(5), label="Top", height_m=Decimal(38), pk=first.pk),
            PoolData("position", Decimal(2), label="Low", height_m=Decimal(34)),
        ],
    )
    assert {(pool.pk == first.pk, pool.label, pool.total) for pool in saved.pools.all()} == {
        (True, "Top", 5),
        (False, "Low", 2),
    }
    save(world.as_["bob"], resource=saved, pools=[PoolData("position", Decimal(5), label="Top")])
    assert [pool.label for pool in saved.pools.order_by("pk")] == ["Top"]


def test_place_and_region_stay_when_only_words_change(world):
    resource = save(world.as_["bob"])
    save(world.as_["bob"], resource=resource, data={"name": "Other"})
    resource.refresh_from_db()
    assert resource.place.equals_exact(IN_TIANHE)
    assert resource.region_id == "440106"
