"""The needs of the main demonstration list: most can be met, others each fail by one thing, some only by a route over
several owners' cables or by building together."""

import datetime as dt
import itertools
import math
import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.contrib.gis.geos import LineString, Point
from django.utils import timezone

from listings.models import Resource

from . import places
from .cast import Cast

WORDS = {"tower": "基站", "duct": "管道", "cable": "纤芯", "room": "机房"}
APPLICANTS = (("south", 50), ("east", 24), ("north", 18), (None, 8))
CROWDED = 7  # towers with one or two positions left, each asked for by one line more than it has room for
OBSTACLES = ("distance", "price", "height", "quantity")
# A metro ring of three owners' cables, another way round for protection, and the stretch between its two last chambers that nobody has dug yet.
RING_AT = (113.3100, 23.1200)
RING = {
    "A": (0, 0),
    "B": (1_500, 250),
    "C": (2_900, 100),
    "D": (4_300, 500),
    "E": (4_460, 540),
    "F": (5_900, 300),
    "G": (2_100, -1_000),
}
RING_CABLES = (
    ("gd_power", "A", "B"),
    ("metro", "B", "C"),
    ("south", "C", "D"),
    ("gd_power", "E", "F"),
    ("metro", "A", "G"),
    ("gd_power", "G", "D"),
)
# from, to, who asks, cores: the last three need the stretch D–E
RING_NEEDS = (("A", "C", "east", 4), ("A", "D", "east", 8), ("B", "D", None, 2), ("A", "F", "east", 6),
              ("B", "F", "north", 4), ("C", "F", "north", 12))  # fmt: skip
CLUSTERS = (
    (4, ("south", "east", "north", "south")),
    (3, ("east", "north", None)),
    (4, ("north", "south", "south", None)),
)
CABLES_MM = (Decimal("15.8"), None, Decimal("18.5"), None, Decimal(12), Decimal(95))  # of the duct lines, in turn
# Needs of a whole site: who, positions, rack units, kW. The last wants more of the room than it has left.
SITE_NEEDS = (("south", 1, 20, 3), ("east", 1, 42, 4), ("north", 1, 168, 6))
FAR_M = 1_500  # from any tower: a new one is the only help


def ring_place(name: str) -> tuple[float, float]:
    east, north = RING[name]
    return places.shifted(*RING_AT, math.hypot(east, north), math.atan2(north, east))


def lines(cast: Cast, rng: random.Random, count: int) -> list[dict[str, Any]]:
    """Rows for add_lines(), in an order that mixes them."""
    supply = list(
        Resource.objects.published().filter(region__code__startswith="44", is_demo=True, condition__in=("good", "fair"))
        .exclude(disclosure="existence").exclude(owner_code__startswith="RING")
        .select_related("tower", "owner").prefetch_related("pools").order_by("pk")
    )  # fmt: skip
    rows = [*_routes(cast), *_clusters(cast, rng, supply), *_sites(cast, supply)]
    by_kind = {kind: [r for r in supply if r.kind == kind and _pool(r)] for kind in WORDS}
    rows += itertools.islice(_crowds(cast, rng, by_kind["tower"]), CROWDED * 3)
    obstacles = itertools.cycle(OBSTACLES)
    while len(rows) < count:
        kind = rng.choices(tuple(WORDS), (62, 16, 8, 14))[0]
        resource = rng.choice(by_kind[kind])
        rows.append(_near(cast, rng, resource, next(obstacles) if rng.random() < 0.17 else ""))
    for row, cable_mm in zip((row for row in rows if row["kind"] == "duct"), itertools.cycle(CABLES_MM), strict=False):
        row["cable_mm"] = cable_mm
    rng.shuffle(rows)
    for number, row in enumerate(rows, start=1):
        row["applicant_code"] = f"D{number:04d}"
        row["title"] += f" {number:03d}"
    return rows


def _pool(resource: Resource):
    """The pool with most left, of a resource that may take more; None: none."""
    if resource.kind == "tower":
        tower = resource.tower
        if not tower.is_papers_complete or tower.reinforcement == "not_allowed" or (tower.load_used_pct or 0) >= 100:
            return None
    pools = [p for p in resource.pools.all() if p.unit != "kw" and p.total > p.in_use]
    return max(pools, key=lambda p: (p.total - p.in_use, p.pk), default=None)


def _at(resource: Resource) -> Point:
    """Where the matching sees it: the exact place, or the middle of its cell."""
    shown = resource.place if resource.disclosure == "exact" else resource.shown_cell
    return (
        shown
        if shown.geom_type == "Point"
        else Point(shown[0] if shown.geom_type == "LineString" else shown.centroid.coords)
    )


def _row(cast: Cast, rng: random.Random, who: str | None, kind: str, title: str, place, **fields) -> dict[str, Any]:
    return {
        "applicant": cast.organisations[who] if who else None,
        "applicant_name": "" if who else "示范专网（虚构）",
        "title": title, "kind": kind, "place": place,
        "needed_by": timezone.localdate() + dt.timedelta(days=rng.randint(60, 300)),
        "months": rng.choice((36, 60, 120)), "priority": rng.choices((1, 2, 3), (20, 60, 20))[0],
    } | fields  # fmt: skip


def _asker(cast: Cast, rng: random.Random, resource: Resource) -> str | None:
    who = rng.choices([a for a, _ in APPLICANTS], [weight for _, weight in APPLICANTS])[0]
    return who if not who or cast.organisations[who].pk != resource.owner_id else None


def _near(cast: Cast, rng: random.Random, resource: Resource, obstacle: str) -> dict[str, Any]:
    """A need that the resource would meet, but for the obstacle."""
    pool, at, kind = _pool(resource), _at(resource), resource.kind
    tolerance = rng.choice((200, 300, 500, 500))
    away = tolerance * (rng.uniform(1.1, 1.9) if obstacle == "distance" else rng.uniform(0.1, 0.85))
    place = Point(*places.shifted(at.x, at.y, away, rng.uniform(0, 6.28)), srid=4326)
    free = int(pool.total - pool.in_use)
    asked = {"tower": rng.choice((1, 1, 2)), "duct": rng.choice((1, 1, 2)), "cable": rng.choice((2, 4, 8)),
             "room": rng.choice((6, 10, 42))}[kind]  # fmt: skip
    asked = free + rng.randint(1, 2) if obstacle == "quantity" else min(asked, free)
    fields: dict[str, Any] = {"quantity": asked, "tolerance_m": tolerance}
    if kind == "room":
        kw = next((p for p in resource.pools.all() if p.unit == "kw"), None)
        fields["power_kw"] = min(rng.choice((2, 4)), max(1, int(kw.total - kw.in_use))) if kw else None
    if kind == "tower" and pool.height_m and (obstacle == "height" or rng.random() < 0.5):
        fields["height_min_m"] = pool.height_m + rng.randint(3, 12) if obstacle == "height" else max(
            Decimal(5), pool.height_m - rng.randint(1, 8)
        )  # fmt: skip
    price = pool.price_fen_per_unit_year
    if price and kind in ("tower", "room") and (obstacle == "price" or rng.random() < 0.5):
        power = 120_000 * (fields.get("power_kw") or 0)
        share = rng.uniform(0.5, 0.8) if obstacle == "price" else rng.uniform(1.1, 1.5)
        fields["ceiling_fen_per_year"] = round((price * asked + power) * share, -4)
    where = resource.name[:6].rstrip("0123456789")
    return _row(cast, rng, _asker(cast, rng, resource), kind, f"{where}{WORDS[kind]}需求", place, **fields)


def _crowds(cast: Cast, rng: random.Random, towers: list[Resource]) -> Iterator[dict[str, Any]]:
    """Lone towers with one or two positions left, asked for by three lines each."""
    for tower in rng.sample(towers, len(towers)):
        left = sum(int(p.total - p.in_use) for p in tower.pools.all())
        at = _at(tower)
        if left not in (1, 2) or _metres_to_next(at, towers, tower) < 500:
            continue
        for who in rng.sample(["south", "east", "north"], 3):
            place = Point(*places.shifted(at.x, at.y, rng.uniform(20, 150), rng.uniform(0, 6.28)), srid=4326)
            title = f"{tower.name[:6].rstrip('0123456789')}热点{WORDS['tower']}需求"
            yield _row(cast, rng, who, "tower", title, place, quantity=1, tolerance_m=200)


def _clusters(cast: Cast, rng: random.Random, supply: list[Resource]) -> Iterator[dict[str, Any]]:
    """Neighbours far from any tower, of several applicants: one new tower would serve them."""
    towers = [r for r in supply if r.kind == "tower"]
    towns = iter(places.towns("4401"))
    for count, who in CLUSTERS:
        for town in towns:
            spots = [
                places.shifted(town.lon, town.lat, 900 * ring, angle) for ring in range(2, 9) for angle in range(6)
            ]
            open_ = [Point(*spot, srid=4326) for spot in spots if town.area.contains(Point(*spot, srid=4326))]
            free = [spot for spot in open_ if _metres_to_next(spot, towers, None) > FAR_M]
            if free:
                break
        at = free[0]
        for number in range(count):
            place = Point(*places.shifted(at.x, at.y, 110, 1.7 * number), srid=4326)
            title = f"{town.name}新建片区{WORDS['tower']}需求"
            yield _row(cast, rng, who[number], "tower", title, place, quantity=rng.choice((1, 2)), tolerance_m=500,
                       height_min_m=rng.choice((20, 25, 30)))  # fmt: skip


def _sites(cast: Cast, supply: list[Resource]) -> Iterator[dict[str, Any]]:
    """Needs of tower, room and power at one place: at a site that has them, and at a tower that has no room."""
    towers = [r for r in supply if r.kind == "tower" and r.disclosure == "exact" and _pool(r)]
    with_room = [r for r in towers if r.site_id]
    alone = [r for r in towers if not r.site_id]
    asked = [(tower, need) for tower in with_room[:1] for need in SITE_NEEDS]
    asked += [(tower, SITE_NEEDS[0]) for tower in alone[:1]]
    for number, (tower, (who, quantity, room_u, power_kw)) in enumerate(asked):
        at = _at(tower)
        place = Point(*places.shifted(at.x, at.y, 60 + 40 * number, 1.3 * number), srid=4326)
        title = f"{tower.name.split()[0][:6].rstrip('0123456789')}整站需求"
        yield _row(cast, random.Random(number), who, "tower", title, place, quantity=quantity, room_u=room_u,
                   power_kw=power_kw, tolerance_m=300)  # fmt: skip


def _metres_to_next(at: Point, towers: list[Resource], but: Resource | None) -> float:
    """Roughly: to the nearest other tower, as the matching sees it."""
    shrink = math.cos(math.radians(at.y))
    return min(
        math.hypot((p.x - at.x) * shrink, p.y - at.y) * places.M_PER_DEGREE
        for t in towers
        if t is not but
        for p in [_at(t)]
    )


def _routes(cast: Cast) -> Iterator[dict[str, Any]]:
    for start, end, who, cores in RING_NEEDS:
        place = LineString(ring_place(start), ring_place(end), srid=4326)
        yield _row(cast, random.Random(cores), who, "cable", f"城域环 {start}–{end} 纤芯需求", place, quantity=cores,
                   tolerance_m=100)  # fmt: skip
