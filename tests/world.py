"""A small named world: Alice's power company owns, Bob works with her, Carol's bureau curates (Chen is its
second person), Dave's operator asks (Dora signs for it), Eve's company must see nothing.

Everything is plain rows, so that a test of an action meets no other action. Regions are boxes.
"""

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal

from django.contrib.gis.geos import MultiPolygon, Point, Polygon
from django.db import transaction
from django.utils import timezone

from accounts.models import Membership, Organisation, Region, User
from accounts.models.organisations import Role, Sector
from accounts.uscc import check_character
from listings.models import CapacityPool, DemandLine, DemandList, Duct, Kind, Resource, Room, Tower

PASSWORD = "correct horse battery"

# code, level, parent, names, box (west, south, east, north)
REGIONS = [
    ("100000", 0, None, "全国", "China", (73, 18, 135, 54)),
    ("440000", 1, "100000", "广东省", "Guangdong", (109.6, 20.2, 117.3, 25.5)),
    ("440100", 2, "440000", "广州市", "Guangzhou", (112.9, 22.5, 114.1, 23.9)),
    ("440106", 3, "440100", "天河区", "Tianhe", (113.28, 23.10, 113.45, 23.25)),
    ("440300", 2, "440000", "深圳市", "Shenzhen", (113.7, 22.4, 114.6, 22.9)),
    ("330000", 1, "100000", "浙江省", "Zhejiang", (118.0, 27.0, 123.0, 31.2)),
    ("330100", 2, "330000", "杭州市", "Hangzhou", (118.3, 29.2, 120.7, 30.6)),
]


def uscc(number: int) -> str:
    """A valid credit code made from a number; plainly fictional (region 999999)."""
    first = f"91999999{number:09d}"
    return first + check_character(first)


def make_regions() -> dict[str, Region]:
    regions = {}
    for code, level, parent, zh, en, (west, south, east, north) in REGIONS:
        box = MultiPolygon(Polygon.from_bbox((west, south, east, north)))
        regions[code], _ = Region.objects.get_or_create(
            code=code,
            defaults={
                "level": level, "parent_id": parent, "name_zh": zh, "name_en": en, "polygon": box,
                "label_point": Point((west + east) / 2, (south + north) / 2),
            },
        )  # fmt: skip
    return regions


_numbers = iter(range(1, 10_000_000))


def make_organisation(name_en: str, *, region: str = "440100", sector=Sector.POWER, verified=True, **fields):
    zh = fields.pop("name_zh", f"{name_en}（虚构）")
    return Organisation.objects.create(
        name_zh=zh,
        name_en=name_en,
        uscc=uscc(next(_numbers)),
        sector=sector,
        region_id=region,
        verification="verified" if verified else "unverified",
        verified_at=timezone.now() if verified else None,
        **fields,
    )


def make_user(name: str, organisation: Organisation | None = None, *roles: str) -> User:
    user = User(email=f"{name.lower()}@example.org", name=name)
    user.password = _password_hash()
    user.save()
    user.emailaddress_set.create(email=user.email, verified=True, primary=True)
    if organisation:
        Membership.objects.create(user=user, organisation=organisation, roles=list(roles))
    return user


_hash: list[str] = []


def _password_hash() -> str:
    """Hashed once per process: hashing is slow on purpose."""
    if not _hash:
        from django.contrib.auth.hashers import make_password

        _hash.append(make_password(PASSWORD))
    return _hash[0]


_codes = iter(range(1, 10_000_000))


@transaction.atomic
def make_resource(owner: Organisation, kind: str = Kind.TOWER, *, place=None, region="440106", pools=None, **fields):
    """A published resource, exact to verified organisations, with its kind's facts and pools.

    pools: [{"unit", "total", ...}]; None gives the kind's usual ones.
    """
    facts = fields.pop("facts", {})
    number = next(_codes)
    resource = Resource.objects.create(
        kind=kind,
        owner=owner,
        owner_code=fields.pop("owner_code", f"T-{number}"),
        name=fields.pop("name", f"{kind} {number}"),
        sector=fields.pop("sector", owner.sector),
        region_id=region,
        place=place or Point(113.33, 23.13, srid=4326),
        state=fields.pop("state", "published"),
        disclosure=fields.pop("disclosure", "exact"),
        published_at=timezone.now(),
        facts_on=timezone.localdate(),
        **fields,
    )
    from listings.models import Cable

    table = {"tower": Tower, "duct": Duct, "cable": Cable, "room": Room}[kind]
    default_facts = {"tower": {"height_m": Decimal(40)}, "duct": {"inner_mm": 100, "outer_mm": 110}}.get(kind, {})
    table.objects.create(resource=resource, **{**default_facts, **facts})
    usual = {
        "tower": [
            {"unit": "position", "label": "P1", "height_m": 35, "total": 3, "price_fen_per_unit_year": 1_200_000}
        ],
        "duct": [{"unit": "bore", "bore_mm": 100, "total": 4, "price_fen_per_unit_year": 300_000}],
        "cable": [{"unit": "core", "total": 48, "price_fen_per_unit_year": 20_000}],
        "room": [
            {"unit": "rack_u", "total": 84, "price_fen_per_unit_year": 30_000},
            {"unit": "kw", "total": 10, "price_fen_per_unit_year": 100_000},
        ],
    }
    for pool in pools if pools is not None else usual[kind]:
        CapacityPool.objects.create(resource=resource, **pool)
    return resource


def make_list(bureau: Organisation, *, state="in_force", submitted_by=None, published_by=None, **fields):
    now = timezone.now()
    is_public = state in ("notice", "in_force", "closed")
    return DemandList.objects.create(
        bureau=bureau,
        region=fields.pop("region", bureau.region),
        reference=fields.pop("reference", f"list-{next(_codes)}"),
        title_zh=fields.pop("title_zh", "测试需求清单"),
        title_en=fields.pop("title_en", "Test demand list"),
        batch="2026H2",
        state=state,
        submitted_by=submitted_by if is_public or state == "submitted" else None,
        submitted_at=now if is_public or state == "submitted" else None,
        published_by=published_by if is_public else None,
        published_at=now if is_public else None,
        notice_ends_at=now + dt.timedelta(days=21) if is_public else None,
        in_force_at=now if state in ("in_force", "closed") else None,
        closed_at=now if state == "closed" else None,
        **fields,
    )


def make_line(demand_list: DemandList, applicant: Organisation | None = None, **fields):
    number = fields.pop("number", demand_list.lines.count() + 1)
    return DemandLine.objects.create(
        demand_list=demand_list,
        number=number,
        applicant=applicant,
        applicant_name="" if applicant else fields.pop("applicant_name", "Some operator"),
        title=fields.pop("title", f"Need {number}"),
        kind=fields.pop("kind", Kind.TOWER),
        quantity=fields.pop("quantity", 1),
        place=fields.pop("place", Point(113.331, 23.131, srid=4326)),
        tolerance_m=fields.pop("tolerance_m", 500),
        **fields,
    )


@dataclass
class World:
    """The cast. Memberships by first name in `as_`: world.as_["alice"]."""

    regions: dict[str, Region]
    power: Organisation
    operator: Organisation
    bureau: Organisation
    other_bureau: Organisation
    evil: Organisation
    unverified: Organisation
    users: dict[str, User]
    as_: dict[str, Membership] = field(default_factory=dict)

    def user(self, name: str) -> User:
        return self.users[name]

    def __getattr__(self, name: str) -> User:
        users = self.__dict__.get("users", {})
        if name in users:
            return users[name]
        raise AttributeError(name)


def build() -> World:
    regions = make_regions()
    power = make_organisation("Pearl Power", name_zh="明珠供电（虚构）")
    operator = make_organisation("Southern Telecom", name_zh="南方通信（虚构）", sector=Sector.TELECOM)
    evil = make_organisation("Evil Corp", name_zh="旁观公司（虚构）", sector=Sector.TRANSPORT)
    unverified = make_organisation("Newcomer", name_zh="新来公司（虚构）", sector=Sector.MUNICIPAL, verified=False)
    bureau = make_organisation(
        "Guangdong Bureau", name_zh="广东管局（虚构）", region="440000", sector=Sector.TELECOM, is_bureau=True
    )
    other_bureau = make_organisation(
        "Zhejiang Bureau", name_zh="浙江管局（虚构）", region="330000", sector=Sector.TELECOM, is_bureau=True
    )
    cast = {
        "alice": (power, Role.ADMIN, Role.EDITOR, Role.NEGOTIATOR, Role.SIGNATORY),
        "bob": (power, Role.EDITOR),
        "vera": (power, Role.VIEWER),
        "dave": (operator, Role.ADMIN, Role.NEGOTIATOR),
        "dora": (operator, Role.SIGNATORY),
        "eve": (evil, Role.ADMIN, Role.EDITOR, Role.NEGOTIATOR, Role.SIGNATORY),
        "uma": (unverified, Role.ADMIN, Role.EDITOR, Role.NEGOTIATOR, Role.SIGNATORY),
        "carol": (bureau, Role.ADMIN, Role.CURATOR),
        "chen": (bureau, Role.PUBLISHER),
        "zhao": (other_bureau, Role.ADMIN, Role.CURATOR, Role.PUBLISHER),
        "nora": (None,),  # signed up, no organisation yet
    }
    users = {name: make_user(name.capitalize(), organisation, *roles) for name, (organisation, *roles) in cast.items()}
    memberships = {
        m.user.name.lower(): m for m in Membership.objects.select_related("user", "organisation__region").order_by("pk")
    }
    return World(regions, power, operator, bureau, other_bureau, evil, unverified, users, memberships)
