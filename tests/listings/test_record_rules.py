"""Rules over several rows hold in the database, whoever writes; they wait for the end of the transaction."""

import pytest
from django.db import IntegrityError, connection, transaction

from listings.constraint_words import WORDS
from listings.models import Bore, Carriage, Chamber, DuctChamber, Resource, Site
from tests import world as make
from tests.listings.supply import IN_TIANHE, LINE_IN_TIANHE

pytestmark = pytest.mark.django_db


def refused(sql: str, *values) -> str:
    """Runs the statement and asks for all rules; gives the name of the one that refused."""
    both = f"{sql}; SET CONSTRAINTS ALL IMMEDIATE"
    with pytest.raises(IntegrityError) as failure, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(both, values)
    return failure.value.__cause__.diag.constraint_name


PLATFORM = (
    "INSERT INTO listings_capacitypool (resource_id, unit, label, total, in_use, taken, height_m, height_top_m)"
    " VALUES (%s, 'position', 'X', 1, 0, 0, {low}, {high})"
)
POOL = (
    "INSERT INTO listings_capacitypool (resource_id, unit, label, total, in_use, taken)"
    " VALUES (%s, '{unit}', 'X', 1, 0, 0)"
)


@pytest.mark.parametrize(
    ("kind", "sql", "rule"),
    [
        ("tower", PLATFORM.format(low=29.9, high="NULL"), "platform_spacing"),  # the world's platform stands at 35 m
        ("tower", PLATFORM.format(low=20, high=29.9), "platform_spacing"),
        ("tower", PLATFORM.format(low=38, high=41), "platform_within_tower"),
        ("tower", PLATFORM.format(low=38, high=37), "pool_height_band_in_order"),
        ("tower", "UPDATE listings_tower SET height_m = 30 WHERE resource_id = %s", "platform_within_tower"),
        ("tower", "UPDATE listings_tower SET live_work_clearance_m = 51 WHERE resource_id = %s", "tower_in_range"),
        ("tower", POOL.format(unit="bore"), "pool_unit_fits_kind"),
        ("tower", "UPDATE listings_capacitypool SET bore_mm = 10 WHERE resource_id = %s", "pool_bore_positive"),
        ("room", "DELETE FROM listings_capacitypool WHERE resource_id = %s AND unit = 'kw'", "room_both_units"),
        ("room", "DELETE FROM listings_capacitypool WHERE resource_id = %s", "room_both_units"),
        ("room", POOL.format(unit="kw"), "pool_of_room_once"),
        ("room", "UPDATE listings_room SET rack_count = 1, rack_height_u = 42 WHERE resource_id = %s",
         "room_units_fit_racks"),
        ("room", "UPDATE listings_room SET clear_height_m = 51 WHERE resource_id = %s", "room_in_range"),
        ("duct", "UPDATE listings_duct SET cable_max_mm = 101 WHERE resource_id = %s", "duct_cable_fits"),
        ("duct", "UPDATE listings_duct SET face_rows = 21 WHERE resource_id = %s", "duct_in_range"),
        ("tower", "UPDATE listings_resource SET join_until = '2030-01-01' WHERE id = %s",
         "resource_join_until_planned"),
        ("tower", "UPDATE listings_resource SET reserved_kva = -1 WHERE id = %s", "resource_reserved_not_negative"),
        ("tower", "UPDATE listings_resource SET missing = '{{\"load_kg\": \"lost\"}}' WHERE id = %s",
         "resource_missing_has_reason"),
        ("tower", "UPDATE listings_resource SET provenance = '{{\"load_kg\": {{}}}}' WHERE id = %s",
         "resource_provenance_holds"),
        ("tower", "UPDATE listings_resource SET provenance = '{{\"load_kg\": {{\"on\": \"lately\"}}}}' WHERE id = %s",
         "resource_provenance_holds"),
    ],
)  # fmt: skip
def test_a_record_cannot_be_made_wrong(world, kind, sql, rule):
    resource = make.make_resource(world.power, kind, place=None if kind in ("tower", "room") else LINE_IN_TIANHE)
    assert refused(sql.replace("{{", "{").replace("}}", "}"), resource.pk) == rule


def test_platforms_far_apart_hold_with_a_reason(world):
    tower = make.make_resource(world.power)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE listings_tower SET spacing_reason = 'as_built' WHERE resource_id = %s", [tower.pk])
        cursor.execute(PLATFORM.format(low=20, high="NULL"), [tower.pk])
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert (
        refused("UPDATE listings_tower SET spacing_reason = '' WHERE resource_id = %s", tower.pk) == "platform_spacing"
    )


@pytest.fixture
def duct(world):
    duct = make.make_resource(world.power, "duct", place=LINE_IN_TIANHE, facts={"face_rows": 2, "face_columns": 2})
    outer = Bore.objects.create(duct=duct, label="a1", row=1, column=1, inner_mm=98, outer_mm=110)
    Bore.objects.create(duct=duct, label="a1-1", parent=outer, inner_mm=28, outer_mm=32)
    return duct


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("\"row\" = 3, \"column\" = 1, parent_id = NULL", "bore_on_face"),
        ("\"row\" = 1, \"column\" = 1, parent_id = NULL", "bore_place_once"),
        ("\"row\" = 1", "bore_row_with_column"),
        ("\"row\" = 2, parent_id = NULL", "bore_row_with_column"),
        ("outer_mm = 98", "bore_fits_parent"),
        ("inner_mm = 40", "bore_inner_below_outer"),
        ("cable_max_mm = 29", "bore_cable_fits"),
        ("occupancy_pct = 101", "bore_occupancy_is_share"),
        ("blocked_at_m = 1100", "bore_blocked_within_length"),  # the line is 1,024 m long
        ("blocked_at_m = -1", "bore_blocked_not_negative"),
        ("label = 'a1'", "bore_label_once"),
        ("parent_id = id", "bore_fits_parent"),
    ],
)  # fmt: skip
def test_a_sub_duct_cannot_be_made_wrong(duct, change, rule):
    assert refused(f"UPDATE listings_bore SET {change} WHERE duct_id = %s AND label = 'a1-1'", duct.pk) == rule


def test_sub_ducts_go_three_deep_and_stay_in_their_duct(world, duct):
    other = make.make_resource(world.power, "duct", place=LINE_IN_TIANHE)
    inner = Bore.objects.get(label="a1-1")
    with transaction.atomic():
        third = Bore.objects.create(duct=duct, label="a1-1-1", parent=inner, inner_mm=10, outer_mm=12)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    deeper = (
        "INSERT INTO listings_bore (duct_id, label, parent_id, material, cable_count) VALUES (%s, 'deep', %s, '', 0)"
    )
    assert refused(deeper, duct.pk, third.pk) == "bore_depth"
    assert refused(deeper, other.pk, inner.pk) == "bore_fits_parent"


def test_chambers_carriers_and_sites_join_what_belongs_together(world, duct):
    chamber = Chamber.objects.create(owner=world.operator, code="R1", place=IN_TIANHE)
    link = 'INSERT INTO listings_ductchamber (duct_id, chamber_id, "end", at_m) VALUES (%s, %s, %s, %s)'
    assert refused(link, duct.pk, chamber.pk, "a", None) == "chamber_of_owners_duct"
    own = Chamber.objects.create(owner=world.power, code="R1", place=IN_TIANHE)
    assert refused(link, duct.pk, own.pk, "between", 5000) == "chamber_within_length"
    assert refused(link, duct.pk, own.pk, "between", None) == "duct_chamber_between_has_metres"
    tower = make.make_resource(world.power)
    assert refused(link, tower.pk, own.pk, "a", None) == "chamber_of_owners_duct"
    DuctChamber.objects.create(duct=duct, chamber=own, end="a")

    cable = make.make_resource(world.power, "cable", place=LINE_IN_TIANHE)
    carry = "INSERT INTO listings_carriage (cable_id, carrier_id, bore_id) VALUES (%s, %s, %s)"
    assert refused(carry, tower.pk, duct.pk, None) == "carriage_kinds"
    assert refused(carry, cable.pk, cable.pk, None) == "carriage_not_itself"
    assert refused(carry, cable.pk, tower.pk, Bore.objects.first().pk) == "carriage_bore_of_carrier"
    Carriage.objects.create(cable=cable, carrier=duct, bore=Bore.objects.get(label="a1"))
    assert refused(carry, cable.pk, duct.pk, None) == "carriage_once"

    site = Site.objects.create(owner=world.operator, owner_code="S", name="S")
    assert refused("UPDATE listings_resource SET site_id = %s WHERE id = %s", site.pk, tower.pk) == "site_of_owner"
    power = "UPDATE listings_site SET mains_kva = 10, mains_spare_kva = 11 WHERE id = %s"
    assert refused(power, site.pk) == "site_spare_within_mains"
    assert Resource.objects.filter(site=None).count() == 3


def test_every_rule_of_a_trigger_has_words():
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname LIKE 'gj\\_%%check%%'")
        source = " ".join(row[0] for row in cursor.fetchall())
    named = {part.split("'")[1] for part in source.split("gj_refuse(")[1:]}
    assert named
    assert named <= set(WORDS)
