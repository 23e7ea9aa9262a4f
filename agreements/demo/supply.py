"""About 5,000 resources of all kinds and sectors, drawn from a seed and stored through the import's own action."""

import datetime as dt
import random
from collections.abc import Iterator
from decimal import Decimal

from django.contrib.gis.geos import LineString, Point
from django.utils import timezone

from listings.actions import lifecycle, resources
from listings.kinds.pools import PoolData
from listings.models import Resource
from listings.rows import CleanRow

from . import needs, places
from .cast import Cast

SOURCE = "示范数据：真实地点，属性由种子生成"

TOWER_TYPES = {  # by owner: type, name, lowest and highest height in m
    "towers": ("telecom_tower", "通信塔", 25, 50),
    "power": ("power_pylon", "输电塔", 28, 60),
    "city": ("smart_pole", "智慧杆", 8, 14),
    "police": ("surveillance", "监控杆", 6, 9),
    "highway": ("gantry", "门架", 7, 9),
}
# owner key, owner word, province prefix, towers, ducts, cables, rooms
PLAN = [
    ("towers", "towers", "44", 620, 0, 0, 120),
    ("towers", "towers", "33", 420, 0, 0, 60),
    ("towers", "towers", "42", 360, 0, 0, 60),
    ("gd_power", "power", "44", 420, 60, 80, 40),
    ("zj_power", "power", "33", 260, 40, 60, 30),
    ("hb_power", "power", "42", 260, 30, 60, 30),
    ("gz_city", "city", "4401", 260, 220, 0, 0),
    ("hz_city", "city", "3301", 180, 200, 0, 0),
    ("police", "police", "44", 160, 0, 20, 0),
    ("metro", "metro", "4401", 0, 90, 40, 40),
    ("highway", "highway", "42", 90, 60, 60, 20),
    ("south", "operator", "44", 0, 180, 160, 90),
    ("east", "operator", "33", 0, 120, 120, 60),
]
DISCLOSURE = {  # owner word → weights of exact, blurred, existence
    "towers": (80, 20, 0), "power": (40, 55, 5), "city": (95, 5, 0), "police": (0, 65, 35), "metro": (50, 50, 0),
    "highway": (70, 30, 0), "operator": (70, 30, 0),
}  # fmt: skip


def load(cast: Cast, rng: random.Random, say) -> int:
    """Stores the whole supply and publishes most of it; gives how many resources there are."""
    serial = 0
    for key, word, prefix, *counts in PLAN:
        member = cast.editor_of(key) if key not in ("south", "east") else _borrowed_editor(cast, key)
        rows = list(_rows(key, word, prefix, counts, rng, serial))
        serial += len(rows)
        resources.store_resources(by=member.user, membership=member, rows=rows, job=None)
        say(f"  {cast.organisations[key].name_zh} {prefix}: {len(rows)}")
    member = _borrowed_editor(cast, "south")
    backbone = list(_backbone(rng))
    resources.store_resources(by=member.user, membership=member, rows=backbone, job=None)
    for number, (key, start, end) in enumerate(needs.RING_CABLES, start=1):
        member = cast.editor_of(key) if key != "south" else _borrowed_editor(cast, key)
        row = _ring_cable(number, start, end)
        resources.store_resources(by=member.user, membership=member, rows=[row], job=None)
    _publish(cast, rng)
    return Resource.objects.filter(is_demo=True).count()


def _borrowed_editor(cast: Cast, key: str):
    """The operators' people hold no editor role in the story; for loading their first member is given it in memory."""
    member = next(m for m in cast.members.values() if m.organisation == cast.organisations[key])
    return type(member)(
        pk=member.pk, user=member.user, organisation=member.organisation, roles=[*member.roles, "editor"]
    )


def _publish(cast: Cast, rng: random.Random) -> None:
    for key in dict.fromkeys(plan[0] for plan in PLAN):
        member = cast.editor_of(key) if key not in ("south", "east") else _borrowed_editor(cast, key)
        ids = list(
            Resource.objects.filter(owner=member.organisation, state="draft")
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        ring = set(Resource.objects.filter(pk__in=ids, owner_code__startswith="RING").values_list("pk", flat=True))
        kept_back = set(rng.sample([pk for pk in ids if pk not in ring], k=min(len(ids), max(3, len(ids) // 60))))
        lifecycle.publish_many(resources=[pk for pk in ids if pk not in kept_back], by=member.user, membership=member)
        published = [pk for pk in ids if pk not in kept_back]
        for pk in rng.sample([pk for pk in published if pk not in ring], k=2):
            resource = Resource.objects.get(pk=pk)
            lifecycle.suspend(resource=resource, by=member.user, membership=member, reason="检修")


def _rows(key: str, word: str, prefix: str, counts: list[int], rng: random.Random, serial: int) -> Iterator[CleanRow]:
    towns = places.towns(prefix)
    makers = (_tower, _duct, _cable, _room)
    for kind_number, (count, make) in enumerate(zip(counts, makers, strict=True)):
        for i in range(count):
            town = towns[min(len(towns) - 1, int(abs(rng.gauss(0, 0.45)) * len(towns)) % len(towns))]
            yield make(f"{key.upper()}-{prefix}-{'TDCR'[kind_number]}{i + 1:04d}", word, town, rng, towns)


def _common(word: str, town: places.Town, name: str, rng: random.Random) -> dict:
    level = rng.choices(("exact", "blurred", "existence"), DISCLOSURE[word])[0]
    grade = {"exact": "general", "blurred": rng.choice(("general", "important")), "existence": "core"}[level]
    accuracy = rng.choice(("0.3", "0.5", "1", "worse"))
    return {
        "name": name,
        "address": f"{town.name}{rng.choice('东南西北中')}{rng.choice(('环', '湖', '江', '山', '园'))}路{rng.randint(1, 480)}号",
        "disclosure": level,
        "grade": grade,
        "condition": rng.choices(("good", "fair", "poor"), (70, 25, 5))[0],
        "accuracy": accuracy,
        "survey_method": {"1": "gnss", "worse": "drawing"}.get(accuracy, "gnss_rtk"),
        "quality": rng.choice(("valid", "valid", "theoretical")),
        "source": SOURCE,
        "facts_on": timezone.localdate() - dt.timedelta(days=int(rng.triangular(5, 800, 90))),
        "access_note": rng.choice(("工作日 9:00–17:00，提前一日报备", "需持登高证，双人作业", "全天可进，钥匙在门卫")),
        "is_demo": True,
    }


def _used(rng: random.Random, total: int) -> int:
    """Owner's own use: mostly part, sometimes all, sometimes none."""
    return min(total, max(0, round(rng.triangular(-0.2 * total, 1.25 * total, 0.5 * total))))


def _tower(code: str, word: str, town: places.Town, rng: random.Random, towns: list) -> CleanRow:
    tower_type, label, low, high = TOWER_TYPES[word]
    height = Decimal(rng.randint(low, high))
    lon, lat = town.around(rng)
    platforms = 1 if height < 15 else rng.randint(1, 3)
    per_platform = 2 if height < 15 else 3
    price = (
        None
        if rng.random() < 0.1
        else rng.choice((0, 120_000, 240_000) if word == "city" else (600_000, 900_000, 1_200_000, 1_800_000))
    )
    pools = [
        PoolData("position", Decimal(per_platform), Decimal(_used(rng, per_platform)), f"P{i + 1}",
                 height_m=height - 1 - 4 * i, price_fen_per_unit_year=price)
        for i in range(platforms) if height - 1 - 4 * i > 2
    ]  # fmt: skip
    facts = {
        "tower_type": tower_type,
        "structure": "monopole" if height < 15 else rng.choice(("angle_steel", "monopole", "three_tube")),
        "height_m": height,
        "load_used_pct": Decimal(rng.randint(20, 95)),
        "spare_kva": Decimal(rng.choice((0, 5, 10, 20, 30))),
        "has_backup": rng.random() < 0.5,
        "has_fibre": rng.random() < 0.7,
        "is_papers_complete": rng.random() < 0.85,
        "reinforcement": rng.choices(("none", "possible", "not_allowed"), (75, 20, 5))[0],
    }
    if word == "power":
        facts |= {
            "line_kv": rng.choice((110, 220, 500)),
            "line_name": f"{town.name[:2]}线",
            "line_tower_no": f"#{rng.randint(1, 240)}",
        }
    data = _common(word, town, f"{town.name}{code[-4:]}号{label}", rng) | {"sharing_modes": ["same_site"]}
    return CleanRow("tower", code, data, facts, pools, Point(lon, lat, srid=4326))


def _duct(code: str, word: str, town: places.Town, rng: random.Random, towns: list) -> CleanRow:
    start = town.around(rng, 4_000)
    end = places.shifted(*start, rng.uniform(250, 1_900), rng.uniform(0, 6.28))
    line = places.wandering(rng, start, end, rng.randint(1, 3))
    total = rng.choice((2, 4, 6, 9, 12))
    inner = rng.choice((50, 75, 90, 100))
    network = {
        "power": "power",
        "city": "utility_tunnel" if rng.random() < 0.3 else "road",
        "metro": "road",
        "highway": "road",
    }.get(word, "telecom")
    pool = PoolData("bore", Decimal(total), Decimal(_used(rng, total)), "", bore_mm=Decimal(inner),
                    price_fen_per_unit_year=0 if word == "city" and rng.random() < 0.4 else rng.choice((200_000, 300_000, 420_000)))  # fmt: skip
    facts = {
        "network": network, "material": rng.choice(("pvc", "hdpe", "steel")), "inner_mm": Decimal(inner), "laying": "tunnel" if network == "utility_tunnel" else "trench",
        "outer_mm": Decimal(inner + 10), "cover_depth_m": Decimal(rng.randint(5, 14)) / 10, "cable_max_mm": Decimal(inner // 2),
    }  # fmt: skip
    data = _common(word, town, f"{town.name}{code[-4:]}段管道", rng) | {"sharing_modes": ["same_trench"]}
    return CleanRow("duct", code, data, facts, [pool], line)


def _cable(code: str, word: str, town: places.Town, rng: random.Random, towns: list) -> CleanRow:
    other = towns[(towns.index(town) + rng.randint(1, 3)) % len(towns)]
    line = places.wandering(rng, town.around(rng, 3_000), other.around(rng, 3_000), 4)
    total = rng.choice((24, 48, 96, 144))
    pool = PoolData(
        "core",
        Decimal(total),
        Decimal(_used(rng, total) // 2 * 2),
        price_fen_per_unit_year=rng.choice((15_000, 20_000, 26_000)),
    )
    facts = {
        "cable_level": "metro", "fibre": rng.choice(("g652d", "g657a")), "carrier": "opgw" if word == "power" else rng.choice(("duct", "buried", "pole")),
        "attenuation_db_per_km": Decimal(rng.choice(("0.19", "0.21", "0.24"))), "end_a": f"{town.name}局", "end_b": f"{other.name}局",
    }  # fmt: skip
    data = _common(word, town, f"{town.name}—{other.name}光缆{code[-4:]}", rng) | {
        "sharing_modes": ["core_lease", "same_cable"]
    }
    return CleanRow("cable", code, data, facts, [pool], line)


def _room(code: str, word: str, town: places.Town, rng: random.Random, towns: list) -> CleanRow:
    lon, lat = town.around(rng, 5_000)
    racks = rng.randint(3, 30)
    units, power = racks * 42, racks * rng.choice((3, 4, 5))
    pools = [
        PoolData(
            "rack_u",
            Decimal(units),
            Decimal(_used(rng, units)),
            price_fen_per_unit_year=rng.choice((18_000, 24_000, 36_000)),
        ),
        PoolData(
            "kw", Decimal(power), Decimal(_used(rng, power)), price_fen_per_unit_year=rng.choice((80_000, 120_000))
        ),
    ]
    facts = {
        "area_m2": Decimal(racks * 4), "clear_height_m": Decimal("3.2"), "rack_count": racks, "rack_height_u": 42, "floor_load_kn_per_m2": Decimal(rng.choice((6, 8, 10))),
        "mains_spare_kva": Decimal(rng.randint(10, 200)), "has_dc48": True, "has_ups": rng.random() < 0.5, "battery_h": Decimal(rng.choice((2, 4, 8))),
        "cooling_kw": Decimal(racks * 4), "odf_port_count": rng.choice((144, 288, 576)),
    }  # fmt: skip
    data = _common(word, town, f"{town.name}{code[-4:]}机房", rng) | {"sharing_modes": ["co_location"]}
    return CleanRow("room", code, data, facts, pools, Point(lon, lat, srid=4326))


def _ring_cable(number: int, start: str, end: str) -> CleanRow:
    """One owner's stretch of the metro ring: shown exactly, so that it joins the next owner's at their chamber."""
    rng = random.Random(number)
    a, b = needs.ring_place(start), needs.ring_place(end)
    middle = places.shifted((a[0] + b[0]) / 2, (a[1] + b[1]) / 2, 90, 1.5)
    town = places.Town("", "广州城域环", *a, None)
    data = _common("operator", town, f"广州城域环 {start}—{end} 段", rng) | {
        "disclosure": "exact", "grade": "general", "condition": "good", "sharing_modes": ["core_lease", "same_cable"],
        "address": "",
    }  # fmt: skip
    facts = {"cable_level": "metro", "fibre": "g652d", "carrier": "duct", "end_a": f"{start} 井", "end_b": f"{end} 井"}
    pool = PoolData("core", Decimal(96), Decimal(40), price_fen_per_unit_year=18_000)
    return CleanRow("cable", f"RING-{number}", data, facts, [pool], LineString([a, middle, b], srid=4326))


def _backbone(rng: random.Random) -> Iterator[CleanRow]:
    """The Chinanet backbone as fibre between its cities, and a room at every airport: national reach on the map."""
    for i, (a, b) in enumerate(places.backbone()):
        line = places.wandering(rng, tuple(a["pos"]), tuple(b["pos"]), 5)
        total = rng.choice((96, 144, 288))
        start, end = (places.division_at(*node["pos"], node["name"], level=3) for node in (a, b))
        data = _common("operator", places.Town("", start, *a["pos"], None), f"干线 {start}—{end}", rng)
        data |= {
            "disclosure": "blurred",
            "grade": "general",
            "sharing_modes": ["core_lease", "core_swap"],
            "address": "",
        }
        facts = {
            "cable_level": "backbone",
            "fibre": "g654e",
            "carrier": "buried",
            "end_a": start,
            "end_b": end,
        }
        pool = PoolData("core", Decimal(total), Decimal(total // 3), price_fen_per_unit_year=30_000)
        yield CleanRow("cable", f"BACKBONE-{i + 1:03d}", data, facts, [pool], line)
    for airport in places.airports():
        name = places.division_at(airport["lon"], airport["lat"], airport["name"], level=3)
        town = places.Town("", name, airport["lon"], airport["lat"], None)
        data = _common("operator", town, f"{name}机场（{airport['icao']}）机房", rng) | {
            "sharing_modes": ["co_location"],
            "address": "",
        }
        units = rng.randint(2, 12) * 42
        pools = [
            PoolData("rack_u", Decimal(units), Decimal(_used(rng, units)), price_fen_per_unit_year=24_000),
            PoolData("kw", Decimal(units // 10), Decimal(_used(rng, units // 10)), price_fen_per_unit_year=100_000),
        ]
        place = Point(airport["lon"], airport["lat"], srid=4326)
        yield CleanRow(
            "room", f"AIRPORT-{airport['icao']}", data, {"area_m2": Decimal(60), "has_dc48": True}, pools, place
        )
