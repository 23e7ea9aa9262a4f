"""The blocks answer as the plain conditions do: for every reader, whatever is folded, marked or waiting."""

import datetime as dt
import random
from decimal import Decimal

import pytest
from django.contrib.gis.geos import LineString, Point, Polygon
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import Region
from listings import search_keys
from listings.found import Found
from listings.models import CapacityPool, DisclosureGrant, Resource, SearchBits, SearchBlock, SearchDirty, Tally
from listings.routes import Route
from listings.search_index import bits, fold, kept
from tests.listings.supply import hold
from tests.world import make_resource

CENTRES = [(113.30, 23.10), (113.40, 23.20), (113.95, 22.55), (120.1, 30.2)]


def box(west, south, east, north):
    shape = Polygon.from_bbox((west, south, east, north))
    shape.srid = 4326
    return shape


def scatter(world, rng, count, centre):
    owners = [world.power, world.operator, world.evil]
    for _ in range(count):
        lon, lat = centre[0] + rng.gauss(0, 0.03), centre[1] + rng.gauss(0, 0.03)
        kind = rng.choice(["tower", "tower", "duct", "cable", "room"])
        place = Point(lon, lat, srid=4326)
        if kind in ("duct", "cable"):
            reach = rng.choice([0.005, 0.05, 0.5])
            place = LineString((lon, lat), (lon + rng.uniform(-reach, reach), lat + reach), srid=4326)
        pools = None
        if kind == "tower":
            total = rng.choice([1, 3, 5, 30])
            pools = [
                {
                    "unit": "position",
                    "label": "P",
                    "height_m": rng.choice([5, 12, 19]),
                    "total": total,
                    "in_use": rng.choice([0, 1, total]),
                    "price_fen_per_unit_year": rng.choice([None, 0, 90_000, 2_000_000]),
                }
            ]
        resource = make_resource(
            rng.choice(owners), kind, place=place, pools=pools, region=rng.choice(["440106", "440300", "330100"]),
            disclosure=rng.choice(["exact", "blurred", "existence"]), state=rng.choice(["published"] * 4 + ["draft"]),
            sharing_modes=rng.choice([[], ["same_site"], ["same_site", "core_swap"]]),
            available_from=rng.choice([None, None, dt.date(2027, 3, 1)]),
            facts={"height_m": rng.choice([None, Decimal(20), Decimal(60)])} if kind == "tower" else {},
        )  # fmt: skip
        Resource.objects.filter(pk=resource.pk).update(
            facts_on=rng.choice([None, timezone.localdate(), dt.date(2019, 5, 5)])
        )


@pytest.fixture
def supply(world, monkeypatch):
    """Four folded batches, so that several blocks lie beside and across each other; a fifth waits."""
    monkeypatch.setattr(fold, "PLACE_FROM", 5)
    rng = random.Random(7)
    for centre in CENTRES:
        scatter(world, rng, 24, centre)
        fold.fold()
    scatter(world, rng, 12, CENTRES[1])
    hidden = Resource.objects.filter(disclosure="blurred", state="published").exclude(owner=world.operator).first()
    DisclosureGrant.objects.create(
        resource=hidden, organisation=world.operator, purpose="x", state="granted", asked_by=world.dave,
        expires_at=timezone.now() + dt.timedelta(days=3),
    )  # fmt: skip
    pool = CapacityPool.objects.filter(resource__state="published", resource__kind="tower", free__gte=3).first()
    hold(pool, world.operator, 2, starts_on=timezone.localdate() + dt.timedelta(days=30))
    return world


def triangle(west, south):
    corner = (west - 0.05, south - 0.02)
    return Polygon((corner, (west + 0.06, south), (west, south + 0.07), corner), srid=4326)


def criteria(rng) -> dict:
    """A random search."""
    made: dict = {}
    west, south = rng.choice(CENTRES)
    places = {
        "bbox": box(west - rng.random() / 8, south - 0.04, west + 0.03, south + rng.random() / 8),
        "area": triangle(west, south),
        "near": Point(west, south, srid=4326),
        "route": Route(LineString((west - 0.1, south - 0.1), (west + 0.1, south + 0.05), srid=4326), 2_500),
    }  # fmt: skip
    if rng.random() < 0.8:
        name = rng.choice(sorted(places))
        made[name] = places[name]
        if name == "near":
            made["radius_m"] = rng.choice([900, 4_000, 30_000])
    choices = {
        "kind": [["tower"], ["duct", "cable"]], "sector": [["power"], ["telecom", "transport"]], "free": [1, 3, 4],
        "modes": [["same_site"], ["core_swap", "core_lease"]],
        "height": [["15-25"], ["50-"]], "price": [["0"], ["ask", "500-2000"]],
        "disclosure": [["exact"], ["blurred"]], "year": [["older"], [str(timezone.localdate().year), "undated"]],
        "power": [["5-20"]], "bore": [["100-"]], "available_on": [dt.date(2026, 12, 1), dt.date(2027, 6, 1)],
        "region": [Region.objects.get(pk="440000"), Region.objects.get(pk="440106")],
    }  # fmt: skip
    for name in rng.sample(sorted(choices), rng.choice([0, 1, 2, 3])):
        made[name] = rng.choice(choices[name])
    made["sort"] = rng.choice(["newest", "price", "free", "distance"])
    return made


def plain(reader, asked) -> list[int]:
    return list(Resource.objects.visible_to(reader).published().search(**asked).values_list("pk", flat=True))


def compare(readers, *, seed, tries):
    rng = random.Random(seed)
    found_some = 0
    for _ in range(tries):
        asked = criteria(rng)
        for reader in readers:
            found, expected = Found(reader, asked), plain(reader, asked)
            assert found.total == len(expected), (reader, asked)
            assert found.ids(0, 7) == expected[:7], (reader, asked)
            assert found.ids(5, 7) == expected[5:12], (reader, asked)
            found_some += bool(expected)
    assert found_some > tries


def test_every_reader_gets_the_plain_answer(supply):
    readers = [None, *(supply.as_[name] for name in ("alice", "dave", "eve", "uma"))]
    compare(readers, seed=1, tries=20)


def test_changes_count_before_and_after_they_are_folded(supply):
    readers = [None, supply.as_["alice"], supply.as_["dave"]]
    published = Resource.objects.filter(state="published").order_by("pk")
    first, second, third, fourth = published[:4]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE listings_resource SET place = ST_Translate(place, 0.1, 0.1) WHERE id = %s", [first.pk])
        cursor.execute("UPDATE listings_resource SET state = 'suspended' WHERE id = %s", [second.pk])
        cursor.execute("UPDATE listings_capacitypool SET in_use = total WHERE resource_id = %s", [third.pk])
        cursor.execute("UPDATE listings_resource SET disclosure = 'existence' WHERE id = %s", [fourth.pk])
    Resource.objects.filter(pk=published[5].pk).delete()
    assert SearchDirty.objects.exists()
    compare(readers, seed=2, tries=8)
    assert fold.fold() > 0
    assert not SearchDirty.objects.exists()
    compare(readers, seed=2, tries=8)
    assert fold.fold() == 0


def test_a_block_is_read_once_until_it_is_packed_anew(supply, monkeypatch):
    whole_country = {"bbox": box(73, 18, 135, 54), "free": 3}  # an odd number: row by row, of every block
    read, reading = [], kept._read
    monkeypatch.setattr(kept, "_read", lambda letter, numbers: read.extend(numbers) or reading(letter, numbers))
    fold.fold()  # the waiting batch too
    kept.forget()
    before = Found(None, whole_country).total
    assert read == list(SearchBlock.objects.order_by("number").values_list("number", flat=True))
    read.clear()
    assert Found(None, whole_country).total == before
    assert read == []

    one = Tally.objects.filter(slot__isnull=False, resource__in=plain(None, whole_country)).order_by("slot").first()
    Resource.objects.filter(pk=one.resource_id).update(state="suspended")
    fold.fold()
    assert Found(None, whole_country).total == before - 1
    assert read == [one.slot // fold.FINE]


def test_no_two_rows_share_a_slot(supply):
    one, two = Tally.objects.filter(slot__isnull=False).order_by("slot")[:2]
    with pytest.raises(IntegrityError, match="tally_slot_once"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE listings_tally SET slot = %s WHERE resource_id = %s", [one.slot, two.resource_id])


def test_a_rebuild_changes_no_answer(supply):
    before = SearchBits.objects.count()
    assert fold.rebuild() == SearchBlock.objects.count()
    assert Tally.objects.filter(facets__gt=0, slot=None).count() == 0
    assert before
    compare([None, supply.as_["alice"]], seed=3, tries=8)


def test_every_facet_counts_what_choosing_it_brings(supply):
    words = {
        "kind": search_keys.KINDS, "sector": search_keys.SECTORS, "modes": search_keys.MODES,
        "price": search_keys.PRICES, "height": tuple(search_keys.HEIGHT_BANDS), "bore": tuple(search_keys.BORE_BANDS),
        "power": tuple(search_keys.POWER_BANDS),
        "disclosure": ("exact", "blurred"), "year": (str(timezone.localdate().year), "older", "undated"),
    }  # fmt: skip
    for asked in ({}, {"kind": ["tower"], "free": 1}, {"bbox": box(113.2, 23.0, 113.5, 23.3), "sector": ["power"]}):
        for reader in (None, supply.as_["alice"]):
            counts = Found(reader, asked).counts
            for name, values in words.items():
                for value in values:
                    expected = len(plain(reader, {**asked, name: [value]}))
                    assert getattr(counts, name).get(value, 0) == expected, (asked, name, value)
            for step, count in counts.steps.items():
                assert count == len(plain(reader, {**asked, "free": step})), (asked, step)


def test_the_order_is_the_plain_order(supply):
    """From kept keys, with many equal ones, with keys too large to be told apart, before and after a fold."""
    towers = list(Resource.objects.filter(state="published", kind="tower").order_by("pk")[:30])
    CapacityPool.objects.filter(resource__in=towers[:20]).update(price_fen_per_unit_year=77_700)
    CapacityPool.objects.filter(resource__in=towers[20:]).update(price_fen_per_unit_year=2**40)
    CapacityPool.objects.filter(resource=towers[25]).update(price_fen_per_unit_year=2**39)
    Resource.objects.filter(pk__in=[r.pk for r in towers[10:]]).update(published_at=timezone.now())
    for _ in range(2):
        for sort in ("newest", "price", "free", "distance"):
            asked = {"sort": sort, "bbox": box(70, 0, 140, 60)}
            everything = plain(None, asked)
            for offset, limit in ((0, 2), (3, 20), (40, 200)):
                assert Found(None, asked).ids(offset, limit) == everything[offset : offset + limit], (sort, offset)
        fold.fold()


def test_bits_are_read_once_until_a_block_is_packed_anew(supply, monkeypatch):
    read, reading = [], bits._read
    monkeypatch.setattr(bits, "_read", lambda numbers: read.append(sorted(numbers)) or reading(numbers))
    fold.fold()
    bits.forget()
    asked = {"bbox": box(73, 18, 135, 54), "kind": ["tower"], "sort": "price"}
    assert Found(None, asked).ids(0, 10)
    assert read == [list(SearchBlock.objects.order_by("number").values_list("number", flat=True))]
    assert Found(None, asked).ids(0, 10) == plain(None, asked)[:10]
    assert len(read) == 1

    one = Tally.objects.filter(slot__isnull=False, resource__in=plain(None, asked)).order_by("slot").first()
    CapacityPool.objects.filter(resource=one.resource_id).update(price_fen_per_unit_year=1)
    fold.fold()
    assert Found(None, asked).ids(0, 10) == plain(None, asked)[:10]
    assert read[1:] == [[one.slot // fold.FINE]]
    for resource in Resource.objects.filter(tally__slot__gte=one.slot // fold.FINE * fold.FINE):
        if resource.tally.slot < (one.slot // fold.FINE + 1) * fold.FINE:
            Resource.objects.filter(pk=resource.pk).update(state="suspended")  # until the block is gone
    fold.fold()
    assert Found(None, asked).ids(0, 10) == plain(None, asked)[:10]
    assert read[2:] == [[]]


def test_the_packed_facets_say_what_the_layout_says(supply):
    """SQL function tally_now and search_keys.LAYOUT are one."""
    rows = Resource.objects.filter(state="published").select_related("tally")
    for row in rows:
        facets = row.tally.facets
        of = {name: bits.of(facets) for name, bits in search_keys.LAYOUT.items()}
        assert search_keys.STANDINGS[of["standing"]] == row.disclosure
        assert search_keys.KINDS[of["kind"]] == row.kind
        assert search_keys.SECTORS[of["sector"]] == row.sector
        assert f"{search_keys.region_of(facets, 6):06d}" == row.region_id
        assert {m for n, m in enumerate(search_keys.MODES) if of["modes"] >> n & 1} == set(row.sharing_modes)
        assert of["year"] == (row.facts_on.year - 2000 if row.facts_on else 0)
        if row.tally.tone != "full":
            assert of["free"] == search_keys.free_code(int(row.tally.free_units))
        else:
            assert of["free"] == 0
    assert Tally.objects.filter(resource__state="draft", facets=0).exists()


def test_a_writer_never_waits_for_a_mark(supply):
    """Marks are plain rows without a unique key: two writers of one block do not meet there."""
    slot = Tally.objects.exclude(slot=None).first().slot
    SearchDirty.objects.create(block=slot // fold.FINE)
    SearchDirty.objects.create(block=slot // fold.FINE)
    assert fold.fold() >= 1


def test_existence_only_is_counted_from_bits_too(supply):
    fold.rebuild()
    regions = list(Region.objects.filter(pk__in=["440000", "330000"]))
    for reader in (None, supply.as_["alice"], supply.as_["dave"]):
        total, parts = Found(reader, {"kind": ["tower", "duct"]}).undisclosed(regions)
        from listings import disclosure

        rows = Resource.objects.filter(disclosure.counted_for(reader), kind__in=["tower", "duct"])
        assert total == rows.count()
        assert {p.region.code: p.count for p in parts} == {
            region.code: n for region in regions if (n := rows.filter(region__code__startswith=region.prefix).count())
        }
