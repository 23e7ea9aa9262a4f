"""Made-up supply: the same for a seed, never among real resources unasked, and gone without a trace."""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from listings.found import Found
from listings.models import CapacityPool, Resource, SearchBlock, Tally
from listings.synth import places, store
from tests.world import make_resource


def definitions() -> list[str]:
    """Every index, constraint and trigger there is."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid::regclass::text LIKE 'listings_%'"
            " UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)"
            " FROM pg_constraint WHERE conrelid::regclass::text LIKE 'listings_%'"
            " UNION ALL SELECT tgname || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal"
        )
        # PostgreSQL reads a condition back with its casts written otherwise.
        return sorted(re.sub(r"::(character varying|text)|[()\[\]]", "", row[0]) for row in cursor.fetchall())


def made() -> list[tuple]:
    fields = ("owner_code", "kind", "name", "place", "disclosure", "facts_on", "published_at", "owner__uscc")
    rows = list(Resource.objects.order_by("owner_code").values_list(*fields))
    pools = CapacityPool.objects.order_by("resource__owner_code", "label", "unit").values_list("total", "in_use")
    return [*rows, *pools]


@pytest.mark.parametrize("bare_from", [100, 10_000])
def test_the_same_seed_makes_the_same_supply_and_leaves_nothing(world, monkeypatch, bare_from):
    monkeypatch.setattr(store, "BARE_FROM", bare_from)
    places.counties.cache_clear()
    before, owners = definitions(), world.power.__class__.objects.count()
    call_command("synth", "--resources", "150", "--seed", "4", stdout=StringIO())
    first = made()
    assert definitions() == before
    assert Resource.objects.count() == 150
    assert Tally.objects.count() == 150
    assert Found(None, {}).total == Resource.objects.visible_to(None).published().count() > 100
    assert all(world.regions["440106"].polygon.covers(r.place.centroid) for r in Resource.objects.filter(kind="tower"))
    call_command("synth", "--remove", stdout=StringIO())
    assert not Resource.objects.exists()
    assert not SearchBlock.objects.exists() or Found(None, {}).total == 0
    assert world.power.__class__.objects.count() == owners
    assert definitions() == before
    call_command("synth", "--resources", "150", "--seed", "4", stdout=StringIO())
    again = made()
    offset = int(again[0][0].removeprefix("SYN-")) - int(first[0][0].removeprefix("SYN-"))
    assert offset >= 0
    assert [row[1:] if len(row) > 2 else row for row in again] == [row[1:] if len(row) > 2 else row for row in first]


def test_it_refuses_among_real_resources_unless_told(world):
    places.counties.cache_clear()
    real = make_resource(world.power)
    with pytest.raises(CommandError, match="--beside"):
        call_command("synth", "--resources", "10")
    call_command("synth", "--resources", "10", "--beside", stdout=StringIO())
    call_command("synth", "--remove", stdout=StringIO())
    assert list(Resource.objects.all()) == [real]
