"""Records at field depth, by the people's own actions: a duct bank with its face, a pole line, a site, a subway to come."""

import datetime as dt
from decimal import Decimal
from uuid import UUID

from django.contrib.gis.geos import LineString, Point
from django.utils import timezone

from listings.actions import capacity, lifecycle
from listings.actions.resources import save_resource
from listings.actions.sites import save_site
from listings.kinds.parts import BoreData, CarrierData, ChamberData, Parts
from listings.kinds.pools import PoolData
from listings.models import Resource

from .cast import Cast
from .supply import SOURCE

TIANHE = (113.3245, 23.1291)  # Tianhe Road, Guangzhou


def load(cast: Cast, say) -> None:
    """Makes them on top of the supply; each is published and belongs to who plays in the story."""
    duct = _duct_bank(cast)
    _pole_line(cast)
    _site(cast)
    _subway(cast)
    _reservations(cast, duct)
    say(
        "  "
        + ", ".join(r.name for r in Resource.objects.filter(owner_code__startswith="DEMO-").order_by("pk")[:4])
        + " …"
    )


def _save(cast: Cast, key: str, kind: str, code: str, name: str, place, *, data=None, **more) -> Resource:
    member = cast.editor_of(key)
    common = {
        "name": name, "disclosure": "exact", "source": SOURCE, "accuracy": "0.3", "survey_method": "gnss_rtk",
        "quality": "valid", "condition": "good", "facts_on": timezone.localdate() - dt.timedelta(days=40),
        "is_demo": True, "access_hours": "工作日 9:00–17:00", "access_permit": "提前一日报备", "access_contact": "值班室",
    }  # fmt: skip
    place.srid = 4326
    resource = save_resource(
        by=member.user, membership=member, resource=None, kind=kind, owner_code=f"DEMO-{code}", place=place,
        data=common | (data or {}), facts=more.get("facts", {}), pools=more.get("pools", []), parts=more.get("parts"),
    )  # fmt: skip
    lifecycle.publish(resource=resource, by=member.user, membership=member)
    return Resource.objects.get(pk=resource.pk)


def _line(*steps: tuple[float, float]) -> LineString:
    lon, lat = TIANHE
    return LineString([(lon + east, lat + north) for east, north in steps], srid=4326)


def _duct_bank(cast: Cast) -> Resource:
    """Three rows of four bores under Tianhe Road; one bore has sub-ducts, one is blocked; a second segment shares a chamber."""
    shares = {
        "a1": 100,
        "a2": 60,
        "a3": 100,
        "a4": 0,
        "b1": 35,
        "b2": 0,
        "b3": 0,
        "b4": 100,
        "c1": 0,
        "c2": 0,
        "c3": 20,
    }
    tested = timezone.localdate() - dt.timedelta(days=200)
    bores = [
        BoreData(
            label=f"{'abc'[row - 1]}{column}", row=row, column=column, material="pvc", inner_mm=Decimal(98),
            outer_mm=Decimal(110), occupancy_pct=Decimal(shares.get(f"{'abc'[row - 1]}{column}", 0)),
            cable_count=2 if shares.get(f"{'abc'[row - 1]}{column}", 0) else 0, cable_max_mm=Decimal(60),
            mandrel_tested_on=tested, blocked_at_m=Decimal(212) if (row, column) == (3, 4) else None,
        )
        for row in (1, 2, 3) for column in (1, 2, 3, 4)
    ]  # fmt: skip
    bores += [
        BoreData(label=f"b1-{number}", parent="b1", material="hdpe", inner_mm=Decimal(28), outer_mm=Decimal(32),
                 occupancy_pct=Decimal(100 if number == 1 else 0), cable_count=int(number == 1))
        for number in (1, 2, 3, 4)
    ]  # fmt: skip
    facts = {
        "network": "telecom", "material": "pvc", "surveyed_length_m": Decimal(410), "cover_depth_m": Decimal("0.9"),
        "depth_accuracy": "0.1", "surface": "footway", "laying": "trench", "face_rows": 3, "face_columns": 4,
        "inner_mm": Decimal(98), "outer_mm": Decimal(110), "cable_max_mm": Decimal(60), "mandrel_tested_on": tested,
    }  # fmt: skip
    ends = [ChamberData("GZ-THL-R017", "a", depth_m=Decimal("2.1")), ChamberData("GZ-THL-R018", "b")]
    pools = [
        PoolData("bore", Decimal(11), Decimal(4), "98 mm", bore_mm=Decimal(98), price_fen_per_unit_year=300_000),
        PoolData("bore", Decimal(4), Decimal(1), "子管 28 mm", bore_mm=Decimal(28), price_fen_per_unit_year=90_000),
    ]
    bank = _save(
        cast, "gz_city", "duct", "BANK-1", "天河路管群 R017—R018", _line((0, 0), (0.004, 0.0002)), facts=facts, pools=pools,
        parts=Parts(bores=bores, chambers=ends),
        data={"missing": {"blocked_at_m": "unknown"}, "provenance": {"cover_depth_m": {"source": "2019年竣工图", "on": "2019-06-30"}}},
    )  # fmt: skip
    onward = [ChamberData("GZ-THL-R018", "a"), ChamberData("GZ-THL-S003", "b", "handhole")]
    _save(
        cast, "gz_city", "duct", "BANK-2", "天河路管群 R018—S003", _line((0.004, 0.0002), (0.0058, 0.0003)),
        facts=facts | {"face_rows": 2, "face_columns": 2, "surveyed_length_m": Decimal(186)}, parts=Parts(
            bores=[BoreData(label, row, column, inner_mm=Decimal(98), outer_mm=Decimal(110)) for label, row, column in
                   (("a1", 1, 1), ("a2", 1, 2), ("b1", 2, 1), ("b2", 2, 2))], chambers=onward),
    )  # fmt: skip
    _save(
        cast, "gz_city", "cable", "CABLE-1", "天河路市政光缆", _line((0, 0), (0.004, 0.0002), (0.0058, 0.0003)),
        facts={"cable_level": "access", "fibre": "g652d", "carrier": "duct", "end_a": "体育中心局", "end_a_odf": "ODF-03/12",
               "end_b": "石牌局", "end_b_odf": "ODF-01/04", "attenuation_db_per_km": Decimal("0.20"), "sheath_km": Decimal("0.62"),
               "ready_on": dt.date(2020, 5, 1)},
        pools=[PoolData("core", Decimal(96), Decimal(40), price_fen_per_unit_year=20_000)],
        parts=Parts(carriers=[CarrierData("DEMO-BANK-1", "a2"), CarrierData("DEMO-BANK-2", "a1")]),
    )  # fmt: skip
    return bank


def _pole_line(cast: Cast) -> None:
    """Five poles of one line, and the cable that hangs on them."""
    lon, lat = TIANHE
    for number in range(1, 6):
        _save(
            cast, "gd_power", "tower", f"POLE-{number}", f"龙洞支线 {number}号杆",
            Point(lon + 0.03 + 0.0006 * number, lat + 0.06), pools=[
                PoolData("position", Decimal(2), Decimal(number % 2), "P1", height_m=Decimal(8), price_fen_per_unit_year=120_000)],
            facts={"tower_type": "power_pole", "structure": "concrete", "height_m": Decimal(12), "line_kv": 10,
                   "line_name": "龙洞支线", "line_tower_no": f"#{number}", "live_work_clearance_m": Decimal("0.7"),
                   "outage_window": "每月第二个周日 0:00–6:00"},
        )  # fmt: skip
    _save(
        cast, "gd_power", "cable", "CABLE-2", "龙洞支线 ADSS 光缆", _line((0.0306, 0.06), (0.033, 0.06)),
        facts={"cable_level": "access", "fibre": "g652d", "carrier": "adss", "end_a": "龙洞变", "end_b": "龙洞配电房"},
        pools=[PoolData("core", Decimal(24), Decimal(6), price_fen_per_unit_year=18_000)],
        parts=Parts(carriers=[CarrierData("line:龙洞支线")]),
    )  # fmt: skip


def _site(cast: Cast) -> None:
    """A tower and its room, with one mains connection, asked for together."""
    lon, lat = TIANHE
    tower = _save(
        cast, "towers", "tower", "SITE-T", "五山站 通信塔", Point(lon + 0.02, lat + 0.02),
        facts={"tower_type": "telecom_tower", "structure": "three_tube", "height_m": Decimal(45), "has_fibre": True,
               "load_used_pct": Decimal(55), "wind_area_m2": Decimal("3.5"), "load_kg": Decimal(420), "spare_kva": Decimal(20),
               "reinforcement": "none", "is_isolation_met": True, "is_papers_complete": True, "has_backup": True},
        pools=[PoolData("position", Decimal(3), Decimal(3), "P1", height_m=Decimal(43), price_fen_per_unit_year=1_500_000),
               PoolData("position", Decimal(3), Decimal(1), "P2", height_m=Decimal(36), height_top_m=Decimal(39), price_fen_per_unit_year=1_200_000),
               PoolData("position", Decimal(3), Decimal(0), "P3", height_m=Decimal(32), price_fen_per_unit_year=900_000)],
    )  # fmt: skip
    room = _save(
        cast, "towers", "room", "SITE-R", "五山站 机房", Point(lon + 0.0201, lat + 0.0201),
        facts={"area_m2": Decimal(28), "clear_height_m": Decimal("3.1"), "rack_count": 6, "rack_height_u": 42, "has_dc48": True,
               "floor_load_kn_per_m2": Decimal(6), "battery_h": Decimal(4), "cooling_kw": Decimal(12), "fire_system": "七氟丙烷",
               "entry_bore_count": 6, "odf_port_count": 288},
        pools=[PoolData("rack_u", Decimal(252), Decimal(126), price_fen_per_unit_year=24_000),
               PoolData("kw", Decimal(18), Decimal(8), price_fen_per_unit_year=100_000)],
    )  # fmt: skip
    member = cast.editor_of("towers")
    data = {
        "owner_code": "DEMO-WUSHAN", "name": "五山站", "mains_v": 380, "mains_kva": Decimal(50),
        "mains_spare_kva": Decimal(20), "has_backup": True,
    }  # fmt: skip
    save_site(by=member.user, membership=member, site=None, data=data, members=[tower.pk, room.pk])


def _subway(cast: Cast) -> None:
    """A line under construction that keeps bores and power for communications, open to others for a while."""
    today = timezone.localdate()
    _save(
        cast, "metro", "duct", "LINE-28", "28号线 区间弱电管道（规划）", _line((-0.03, -0.01), (-0.01, -0.004), (0.02, -0.002)),
        facts={"network": "road", "laying": "tunnel", "surface": "indoor", "face_rows": 2, "face_columns": 4},
        pools=[PoolData("bore", Decimal(8), Decimal(2), bore_mm=Decimal(100), price_fen_per_unit_year=360_000)],
        data={"lifecycle": "planned", "available_from": today + dt.timedelta(days=500), "project_type": "subway",
              "project_name": "广州地铁 28 号线（示范）", "reserved_area_m2": Decimal(60), "reserved_kva": Decimal(80),
              "join_until": today + dt.timedelta(days=90), "quality": "theoretical", "survey_method": "drawing"},
    )  # fmt: skip


def _reservations(cast: Cast, duct: Resource) -> None:
    """Space agreed for other years: what the calendar and “next free on” speak of."""
    today = timezone.localdate()
    main, sub = duct.pools.order_by("-bore_mm", "pk")
    plan = [(main, 2, 60, 60 + 365 * 2), (main, 3, 300, 300 + 365 * 3), (sub, 3, 0, 420)]
    for number, (pool, quantity, first, last) in enumerate(plan):
        made = capacity.hold(
            quantities={pool.pk: Decimal(quantity)}, organisation=cast.organisations["south"], by=None,
            starts_on=today + dt.timedelta(days=first), ends_on=today + dt.timedelta(days=last),
            expires_at=timezone.now() + dt.timedelta(days=1), key=UUID(int=20261122 + number, version=4),
        )  # fmt: skip
        capacity.confirm(reservations=made, by=None)
