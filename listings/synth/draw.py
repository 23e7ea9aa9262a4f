"""Attributes drawn from a seed, written as COPY text for each table. Pure but for the words' road names."""

import datetime as dt
from dataclasses import dataclass, field

import numpy as np
import shapely

from listings.synth.places import County, paths, positions
from listings.synth.words import ROADS, ROADS_EN, SOURCE, TYPE_NAMES

NULL = "\\N"
KINDS = ("tower", "duct", "cable", "room")
KIND_SHARES = (0.55, 0.22, 0.11, 0.12)
SECTORS = ("telecom", "power", "transport", "municipal", "public_security")
SECTOR_SHARES = {
    "tower": (0.45, 0.25, 0.08, 0.17, 0.05), "duct": (0.35, 0.20, 0.10, 0.33, 0.02),
    "cable": (0.60, 0.20, 0.15, 0.03, 0.02), "room": (0.60, 0.18, 0.12, 0.08, 0.02),
}  # fmt: skip
TOWER_TYPES = {
    "telecom": ("telecom_tower", "roof_pole", "mast"), "power": ("power_pylon", "power_pole"),
    "transport": ("gantry", "telecom_tower"), "municipal": ("lamp_pole", "smart_pole"),
    "public_security": ("surveillance", "traffic_signal"),
}  # fmt: skip
HEIGHTS_M = {
    "telecom_tower": (25, 55), "roof_pole": (8, 30), "mast": (12, 30), "power_pylon": (18, 60), "power_pole": (8, 15),
    "gantry": (6, 10), "lamp_pole": (8, 14), "smart_pole": (10, 25), "surveillance": (4, 12), "traffic_signal": (5, 8),
}  # fmt: skip
MODES = {
    "tower": ("{same_site}", "{same_site,same_pole_line}"), "duct": ("{same_trench}", "{same_trench,same_site}"),
    "cable": ("{core_lease}", "{core_lease,core_swap}", "{same_cable,core_lease}"), "room": ("{co_location}",),
}  # fmt: skip
CORES = (12, 24, 48, 96, 144, 288)
DISCLOSURES = ("exact", "blurred", "existence")
BORES_MM = (28, 33, 50, 75, 93, 100, 110)


@dataclass
class Tables:
    """COPY lines by table; columns in COLUMNS."""

    lines: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in COLUMNS})


COLUMNS = {
    "listings_resource": (
        "id", "kind", "owner_id", "owner_code", "name", "sector", "region_id", "place", "address", "state",
        "disclosure", "grade", "sharing_modes", "facts_on", "published_at", "created_at", "updated_at", "source",
        "condition", "accuracy", "quality",
    ),
    "listings_tower": ("resource_id", "tower_type", "structure", "height_m", "load_used_pct", "spare_kva", "has_fibre"),
    "listings_duct": ("resource_id", "network", "material", "cover_depth_m", "inner_mm", "outer_mm"),
    "listings_cable": ("resource_id", "cable_level", "fibre", "carrier", "attenuation_db_per_km"),
    "listings_room": ("resource_id", "area_m2", "rack_count", "cooling_kw", "has_dc48", "mains_spare_kva"),
    "listings_capacitypool": (
        "id", "resource_id", "unit", "label", "height_m", "bore_mm", "total", "in_use", "taken",
        "price_fen_per_unit_year",
    ),
}  # fmt: skip


@dataclass
class Numbers:
    """The next free keys; counted on while drawing."""

    resource: int
    pool: int


def draw_county(
    tables: Tables, county: County, count: int, *, rng: np.random.Generator, owners: dict[tuple[str, str], int],
    numbers: Numbers, day: dt.date,
) -> None:  # fmt: skip
    """Adds `count` resources of the county to the tables."""
    kinds = rng.choice(4, count, p=KIND_SHARES)
    kinds.sort()
    places = positions(county, count, rng)
    for number, kind in enumerate(KINDS):
        spots = places[kinds == number]
        if len(spots):
            _draw_kind(tables, county, kind, spots, rng, owners, numbers, day)


def _draw_kind(tables, county, kind, spots, rng, owners, numbers, day) -> None:  # type: ignore[no-untyped-def]
    count = len(spots)
    first = numbers.resource
    numbers.resource += count
    sectors = [SECTORS[n] for n in rng.choice(5, count, p=SECTOR_SHARES[kind])]
    level = rng.choice(3, count, p=(0.35, 0.6, 0.05)).tolist()
    grade = np.where(rng.random(count) < 0.06, 1, 0).tolist()
    facts_days, published_days = rng.integers(0, 1500, count).tolist(), rng.integers(0, 900, count).tolist()
    roads, house = rng.integers(0, len(ROADS), count).tolist(), rng.integers(1, 400, count).tolist()
    modes = rng.integers(0, len(MODES[kind]), count).tolist()
    is_draft = (rng.random(count) < 0.02).tolist()
    has_facts_date = (rng.random(count) > 0.05).tolist()
    is_english = (rng.random(count) < 0.03).tolist()
    geometry = shapely.points(spots)
    if kind in ("duct", "cable"):
        low, high = (150, 2_500) if kind == "duct" else (2_000, 30_000)
        length = np.exp(rng.uniform(np.log(low), np.log(high), count))
        if kind == "cable":
            length = np.where(rng.random(count) < 0.01, length * 15, length)
        geometry = paths(spots, length, rng)
    shapes = shapely.to_wkb(shapely.set_srid(geometry, 4326), hex=True, include_srid=True, byte_order=1).tolist()
    types = [
        TOWER_TYPES[s][h % len(TOWER_TYPES[s])] if kind == "tower" else kind
        for s, h in zip(sectors, house, strict=True)
    ]
    out = tables.lines["listings_resource"]
    for n in range(count):
        number, sector = first + n, sectors[n]
        disclosure = DISCLOSURES[max(level[n], grade[n])]
        name = f"{county.name}{ROADS[roads[n]]}{house[n]}号{TYPE_NAMES[types[n]]}"
        if is_english[n]:
            name = f"{county.name_en} {ROADS_EN[roads[n] % len(ROADS_EN)]} {kind} {house[n]}"
        time = f"{house[n] % 24:02d}:{number % 60:02d}:{number // 60 % 60:02d}+08"
        when = f"{day - dt.timedelta(days=published_days[n])} {time}"
        facts_on = str(day - dt.timedelta(days=facts_days[n])) if has_facts_date[n] else NULL
        address = f"{county.city}{county.name}{ROADS[roads[n]]}{house[n]}号"
        is_published = not is_draft[n]
        out.append(
            f"{number}\t{kind}\t{owners[county.code[:2], sector]}\tSYN-{number:09d}\t{name}\t{sector}\t{county.code}\t"
            f"{shapes[n]}\t{address}\t{'published' if is_published else 'draft'}\t{disclosure}\t"
            f"{'important' if grade[n] else 'general'}\t{MODES[kind][modes[n]]}\t{facts_on}\t"
            f"{when if is_published else NULL}\t{when}\t{when}\t{SOURCE}\tgood\tunknown\tvalid\n"
        )
    globals()[f"_draw_{kind}s"](tables, first, types, rng, numbers)


def _pool(
    tables: Tables,
    numbers: Numbers,
    resource: int,
    unit: str,
    label: str,
    total,
    in_use,
    price,
    height="\\N",
    bore="\\N",
) -> None:  # type: ignore[no-untyped-def]
    numbers.pool += 1
    tables.lines["listings_capacitypool"].append(
        f"{numbers.pool}\t{resource}\t{unit}\t{label}\t{height}\t{bore}\t{total}\t{in_use}\t0\t{price}\n"
    )


def _prices(rng: np.random.Generator, count: int, low_yuan: float, high_yuan: float) -> list[str]:
    """Fen per unit and year: log-uniform, one in ten free of charge, one in seven to be negotiated."""
    fen = np.round(np.exp(rng.uniform(np.log(low_yuan), np.log(high_yuan), count)), -1) * 100
    fate = rng.random(count)
    return [
        "0" if f < 0.1 else "\\N" if f < 0.24 else str(int(p)) for f, p in zip(fate.tolist(), fen.tolist(), strict=True)
    ]


def _used(rng: np.random.Generator, total: np.ndarray) -> list[int]:
    """In use: nothing, part or all of it."""
    share = rng.choice([0.0, 0.35, 0.7, 1.0], len(total), p=[0.3, 0.3, 0.22, 0.18])
    return np.floor(total * share).astype(int).tolist()


def _draw_towers(tables, first, types, rng, numbers) -> None:  # type: ignore[no-untyped-def]
    count = len(types)
    low = np.array([HEIGHTS_M[t][0] for t in types])
    high = np.array([HEIGHTS_M[t][1] for t in types])
    heights = np.round(rng.uniform(low, high), 1).tolist()
    platforms = rng.integers(1, 4, count).tolist()
    total = rng.integers(1, 7, count)
    used = [_used(rng, total) for _ in range(3)]
    prices, load = _prices(rng, count, 300, 30_000), rng.integers(10, 100, count).tolist()
    kva = rng.integers(0, 40, count).tolist()
    for n in range(count):
        tables.lines["listings_tower"].append(
            f"{first + n}\t{types[n]}\tsteel\t{heights[n]}\t{load[n]}\t"
            f"{kva[n] if kva[n] < 30 else NULL}\t{'t' if kva[n] % 2 else 'f'}\n"
        )
        for p in range(platforms[n] if heights[n] > 20 else 1):
            height = round(max(2.0, heights[n] - 1 - 4.5 * p), 1)
            _pool(
                tables, numbers, first + n, "position", f"P{p + 1}", int(total[n]), used[p][n], prices[n], height=height
            )


def _draw_ducts(tables, first, types, rng, numbers) -> None:  # type: ignore[no-untyped-def]
    count = len(types)
    bore = rng.choice(BORES_MM, count).tolist()
    total = rng.integers(1, 25, count)
    used, prices = _used(rng, total), _prices(rng, count, 500, 12_000)
    depth = np.round(rng.uniform(0.5, 2.5, count), 2).tolist()
    for n in range(count):
        tables.lines["listings_duct"].append(f"{first + n}\ttelecom\thdpe\t{depth[n]}\t{bore[n]}\t{bore[n] + 10}\n")
        _pool(tables, numbers, first + n, "bore", "", int(total[n]), used[n], prices[n], bore=bore[n])


def _draw_cables(tables, first, types, rng, numbers) -> None:  # type: ignore[no-untyped-def]
    count = len(types)
    total = rng.choice(CORES, count)
    used, prices = _used(rng, total), _prices(rng, count, 80, 2_000)
    carrier = rng.choice(["duct", "opgw", "adss", "pole"], count).tolist()
    for n in range(count):
        tables.lines["listings_cable"].append(f"{first + n}\tmetro\tg652d\t{carrier[n]}\t0.22\n")
        _pool(tables, numbers, first + n, "core", "", int(total[n]), used[n], prices[n])


def _draw_rooms(tables, first, types, rng, numbers) -> None:  # type: ignore[no-untyped-def]
    count = len(types)
    racks = rng.integers(1, 30, count)
    units, power = racks * 42, racks * rng.integers(2, 8, count)
    used_u, used_kw = _used(rng, units), _used(rng, power)
    prices = _prices(rng, count, 200, 900)
    for n in range(count):
        tables.lines["listings_room"].append(
            f"{first + n}\t{int(racks[n]) * 3 + 10}\t{int(racks[n])}\t{int(power[n])}\tt\t{int(power[n]) + 5}\n"
        )
        _pool(tables, numbers, first + n, "rack_u", "", int(units[n]), used_u[n], prices[n])
        _pool(tables, numbers, first + n, "kw", "", int(power[n]), used_kw[n], "\\N")
