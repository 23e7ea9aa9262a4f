"""Who plays in the demonstration: plainly fictional organisations and the people one can sign in as."""

from dataclasses import dataclass

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from accounts.actions.organisations import submit_for_verification
from accounts.events import record
from accounts.models import Membership, Organisation, Region, User
from accounts.models.organisations import Role, Sector
from accounts.uscc import check_character

PASSWORD = "gongjian-demo-2026"

# key, Chinese and English name, sector, seat, is it a bureau
ORGANISATIONS = [
    ("gd_bureau", "广东示范通信管理局（虚构）", "Guangdong Model Bureau (fictional)", Sector.TELECOM, "440000", True),
    ("zj_bureau", "浙江示范通信管理局（虚构）", "Zhejiang Model Bureau (fictional)", Sector.TELECOM, "330000", True),
    ("hb_bureau", "湖北示范通信管理局（虚构）", "Hubei Model Bureau (fictional)", Sector.TELECOM, "420000", True),
    ("gd_power", "岭南明珠供电（虚构）", "Lingnan Pearl Power (fictional)", Sector.POWER, "440000", False),
    ("zj_power", "钱江潮供电（虚构）", "Qianjiang Tide Power (fictional)", Sector.POWER, "330000", False),
    ("hb_power", "荆楚大江供电（虚构）", "Jingchu River Power (fictional)", Sector.POWER, "420000", False),
    ("towers", "九州塔业（虚构）", "Jiuzhou Towers (fictional)", Sector.TELECOM, "100000", False),
    ("metro", "羊城轨道（虚构）", "Goat City Metro (fictional)", Sector.TRANSPORT, "440100", False),
    ("highway", "南北通高速（虚构）", "North-South Highways (fictional)", Sector.TRANSPORT, "420000", False),
    ("gz_city", "花城市政（虚构）", "Flower City Municipal Works (fictional)", Sector.MUNICIPAL, "440100", False),
    ("hz_city", "西子市政（虚构）", "Xizi Municipal Works (fictional)", Sector.MUNICIPAL, "330100", False),
    ("police", "粤安视频（虚构）", "Yue'an Video (fictional)", Sector.PUBLIC_SECURITY, "440000", False),
    ("south", "南方云通信（虚构）", "Southern Cloud Telecom (fictional)", Sector.TELECOM, "440000", False),
    ("east", "东海联通信（虚构）", "East Sea Telecom (fictional)", Sector.TELECOM, "330000", False),
    ("north", "北辰移动通信（虚构）", "North Star Mobile (fictional)", Sector.TELECOM, "440000", False),
    ("newcomer", "新芽网络（虚构）", "Sprout Networks (fictional)", Sector.TELECOM, "440300", False),
]
AWAITING = {"newcomer"}  # waits in the bureau's verification queue

# first name, organisation, roles; the address is <first name>@demo.gongjian.example
PEOPLE = [
    ("alice", "Alice 艾丽", "gd_power", [Role.ADMIN, Role.EDITOR, Role.NEGOTIATOR, Role.SIGNATORY]),
    ("bob", "Bob 鲍博", "gd_power", [Role.EDITOR]),
    ("carol", "Carol 柯若", "gd_bureau", [Role.ADMIN, Role.CURATOR]),
    ("chen", "Chen 陈审", "gd_bureau", [Role.PUBLISHER]),
    ("dave", "Dave 戴维", "south", [Role.ADMIN, Role.NEGOTIATOR]),
    ("dora", "Dora 朵拉", "south", [Role.SIGNATORY]),
    ("eve", "Eve 伊芙", "highway", [Role.ADMIN, Role.EDITOR, Role.NEGOTIATOR, Role.SIGNATORY]),
    ("ning", "Ning 宁新", "newcomer", [Role.ADMIN, Role.EDITOR, Role.NEGOTIATOR]),
    ("zhao", "Zhao 赵浙", "zj_bureau", [Role.ADMIN, Role.CURATOR]),
    ("zheng", "Zheng 郑复", "zj_bureau", [Role.PUBLISHER]),
    ("hu", "Hu 胡鄂", "hb_bureau", [Role.ADMIN, Role.CURATOR]),
    ("tang", "Tang 唐塔", "towers", [Role.ADMIN, Role.EDITOR, Role.NEGOTIATOR, Role.SIGNATORY]),
    ("hua", "Hua 花市", "gz_city", [Role.ADMIN, Role.EDITOR, Role.NEGOTIATOR, Role.SIGNATORY]),
    ("min", "Min 闵轨", "metro", [Role.ADMIN, Role.EDITOR, Role.NEGOTIATOR, Role.SIGNATORY]),
    ("xi", "Xi 西城", "hz_city", [Role.ADMIN, Role.EDITOR, Role.NEGOTIATOR, Role.SIGNATORY]),
    ("qian", "Qian 钱力", "zj_power", [Role.ADMIN, Role.EDITOR, Role.NEGOTIATOR, Role.SIGNATORY]),
    ("jing", "Jing 荆电", "hb_power", [Role.ADMIN, Role.EDITOR, Role.NEGOTIATOR, Role.SIGNATORY]),
    ("yue", "Yue 岳安", "police", [Role.ADMIN, Role.EDITOR, Role.NEGOTIATOR, Role.SIGNATORY]),
    ("dong", "Dong 董海", "east", [Role.ADMIN, Role.NEGOTIATOR, Role.SIGNATORY]),
    ("bei", "Bei 贝辰", "north", [Role.ADMIN, Role.NEGOTIATOR, Role.SIGNATORY]),
]
SHOWN_LOGINS = {
    "alice": "owner: power company",
    "dave": "operator: asks and negotiates",
    "dora": "operator: signs",
    "carol": "bureau: curates lists",
    "chen": "bureau: second person, publishes",
    "eve": "another company: sees nothing of these",
    "ning": "not verified yet",
}


@dataclass
class Cast:
    """Organisations by key, memberships by first name."""

    organisations: dict[str, Organisation]
    members: dict[str, Membership]

    def editor_of(self, key: str) -> Membership:
        """A member of the organisation who may edit its resources."""
        return next(
            m for m in self.members.values() if m.organisation == self.organisations[key] and m.has_role(Role.EDITOR)
        )


def address(first_name: str) -> str:
    return f"{first_name}@demo.gongjian.example"


def _uscc(number: int) -> str:
    first = f"91000000DEM{number:06d}".replace("O", "0")
    return first + check_character(first)


@transaction.atomic
def load() -> Cast:
    """Makes organisations and people; the caller has made sure that there are none yet."""
    organisations = {}
    for number, (key, zh, en, sector, region, is_bureau) in enumerate(ORGANISATIONS):
        is_verified = key not in AWAITING
        organisation = Organisation(
            name_zh=zh, name_en=en, uscc=_uscc(number), sector=sector, region=Region.objects.get(pk=region),
            is_bureau=is_bureau, is_demo=True, verification="verified" if is_verified else "unverified",
            verified_at=timezone.now() if is_verified else None,
        )  # fmt: skip
        organisation.full_clean()
        organisation.save()
        record("organisation.create", organisation, by=None, organisation=organisation, reason="demonstration world")
        organisations[key] = organisation
    members = {}
    hashed = make_password(PASSWORD)  # once: hashing is slow on purpose
    for first_name, name, key, roles in PEOPLE:
        user = User.objects.create(email=address(first_name), name=name, password=hashed)
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        members[first_name] = Membership.objects.create(user=user, organisation=organisations[key], roles=roles)
    for key in AWAITING:
        admin = next(m for m in members.values() if m.organisation == organisations[key] and m.has_role(Role.ADMIN))
        submit_for_verification(organisation=organisations[key], by=admin)
    return Cast(organisations, members)


def stored() -> Cast:
    """The cast as an earlier load left it."""
    by_name = {zh: key for key, zh, *_ in ORGANISATIONS}
    organisations = {by_name[o.name_zh]: o for o in Organisation.objects.filter(is_demo=True, name_zh__in=by_name)}
    rows = Membership.objects.filter(user__email__in=[address(p[0]) for p in PEOPLE]).select_related(
        "user", "organisation__region"
    )
    return Cast(organisations, {row.user.email.split("@")[0]: row for row in rows.order_by("pk")})
