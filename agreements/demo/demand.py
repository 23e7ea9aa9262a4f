"""Four demand lists: one in force and matched, one under notice, one a draft, one with an open call."""

import datetime as dt
import random
from typing import Any

from django.contrib.gis.geos import Point
from django.utils import timezone

from accounts.models import Region
from listings.actions import demand
from listings.models import DemandList, Resource
from matching import actions as matching_actions
from matching import runner

from . import list_life, needs, places
from .cast import Cast

MAIN_TITLE = "2026年下半年广东省通信基础设施共建共享需求清单（示范）"
MAIN_LINES = 150
FAIR_SHARE = 0.8  # of what each applicant is due by its lines
KIND_WORDS = {"tower": "基站", "duct": "管道", "cable": "纤芯", "room": "机房"}


def load(cast: Cast, rng: random.Random, say) -> DemandList:
    """Makes the four lists through the bureaus' own actions; gives the one in force."""
    main = _create(
        cast, "carol", "440000", MAIN_TITLE, "Guangdong demand list, second half of 2026 (demonstration)", "2026H2"
    )
    demand.add_lines(demand_list=main, membership=cast.members["carol"], rows=needs.lines(cast, rng, MAIN_LINES))
    demand.submit(demand_list=main, membership=cast.members["carol"])
    demand.publish(demand_list=main, membership=cast.members["chen"])
    _set_back(main, days=40)
    demand.bring_into_force(demand_list=main)
    notice = _create(
        cast,
        "zhao",
        "330000",
        "2026年下半年浙江省共建共享需求清单（示范）",
        "Zhejiang demand list, second half of 2026 (demonstration)",
        "2026H2",
    )
    demand.add_lines(demand_list=notice, membership=cast.members["zhao"], rows=_lines(cast, rng, "33", 70))
    demand.submit(demand_list=notice, membership=cast.members["zhao"])
    demand.publish(demand_list=notice, membership=cast.members["zheng"])
    list_life.object_and_correct(cast, notice)
    draft = _create(
        cast,
        "hu",
        "420000",
        "2027年上半年湖北省共建共享需求清单（示范·草稿）",
        "Hubei demand list, first half of 2027 (demonstration, draft)",
        "2027H1",
    )
    demand.add_lines(demand_list=draft, membership=cast.members["hu"], rows=_lines(cast, rng, "42", 25))
    called = _create(
        cast, "carol", "440000", "2027年上半年广东省共建共享需求清单（示范·征集中）",
        "Guangdong demand list, first half of 2027 (demonstration, call open)", "2027H1",
    )  # fmt: skip
    list_life.call(cast, called, _lines(cast, random.Random(0), "44", 5))
    main.refresh_from_db()
    say(f"  {main.reference}, {notice.reference}, {draft.reference}, {called.reference}")
    return main


def match(cast: Cast, main: DemandList, say) -> None:
    """Two runs, so that there is something to compare; the second with fair shares between the applicants."""
    for radius_m, fairness in ((300, None), (None, FAIR_SHARE)):
        run = matching_actions.start(
            demand_list=main, by=cast.members["carol"].user, membership=cast.members["carol"], radius_m=radius_m,
            fairness=fairness,
        )  # fmt: skip
        runner.execute(run.pk)
        run.refresh_from_db()
        say(
            f"  run #{run.number}: {run.figures.get('met')} / {run.figures.get('lines')} lines met, "
            f"{run.figures.get('met_by_route')} of them by routes; {run.figures.get('proposals')} proposals"
        )


def _create(cast: Cast, who: str, region: str, zh: str, en: str, batch: str) -> DemandList:
    return demand.create_list(
        membership=cast.members[who], region=Region.objects.get(pk=region), title_zh=zh, title_en=en, batch=batch,
        summary_zh="示范清单：地点真实，需求由种子生成。", summary_en="A demonstration: real places, needs made up from a seed.",
        is_demo=True,
    )  # fmt: skip


def _set_back(demand_list: DemandList, *, days: int) -> None:
    """The demonstration's clock: the notice began some weeks ago, so that its end has passed."""
    began = timezone.now() - dt.timedelta(days=days)
    demand_list.refresh_from_db()
    length = demand_list.notice_ends_at - demand_list.published_at
    DemandList.objects.filter(pk=demand_list.pk).update(
        submitted_at=began - dt.timedelta(days=2),
        published_at=began,
        notice_ends_at=began + length,
        created_at=began - dt.timedelta(days=9),
    )


def _lines(cast: Cast, rng: random.Random, prefix: str, count: int) -> list[dict[str, Any]]:
    towns = places.towns(prefix)
    supply = {
        kind: list(
            Resource.objects.published().filter(kind=kind, region__code__startswith=prefix, is_demo=True)
            .exclude(disclosure="existence").order_by("pk")
        )
        for kind in KIND_WORDS
    }  # fmt: skip
    return [_line(cast, rng, towns, supply, i) for i in range(count)]


def _line(
    cast: Cast, rng: random.Random, towns: list[places.Town], supply: dict[str, list[Resource]], i: int
) -> dict[str, Any]:
    kind = rng.choices(("tower", "duct", "cable", "room"), (62, 16, 10, 12))[0]
    town = towns[min(len(towns) - 1, int(abs(rng.gauss(0, 0.4)) * len(towns)) % len(towns))]
    if supply[kind] and rng.random() < 0.78:
        near = rng.choice(supply[kind])
        at = near.place.centroid if kind in ("tower", "room") else Point(near.place.coords[0])
        place = places.shifted(at.x, at.y, rng.uniform(20, 420), rng.uniform(0, 6.28))
        where = near.name[:6].rstrip("0123456789")
    else:
        place, where = town.around(rng, 9_000), town.name
    applicant = rng.choices(("south", "east", None), (70, 20, 10))[0]
    line: dict[str, Any] = {
        "applicant": cast.organisations[applicant] if applicant else None,
        "applicant_name": "" if applicant else "示范专网（虚构）",
        "applicant_code": f"D{i + 1:04d}",
        "title": f"{where}{KIND_WORDS[kind]}需求 {i + 1:03d}",
        "kind": kind,
        "quantity": {"tower": rng.choice((1, 1, 2)), "duct": rng.choice((1, 1, 2)), "cable": rng.choice((2, 4, 8)), "room": rng.choice((6, 10, 42))}[kind],
        "place": Point(*place, srid=4326),
        "tolerance_m": rng.choice((200, 300, 500, 800, None)),
        "needed_by": timezone.localdate() + dt.timedelta(days=rng.randint(60, 300)),
        "months": rng.choice((36, 60, 120)),
        "priority": rng.choices((1, 2, 3), (20, 60, 20))[0],
    }  # fmt: skip
    if kind == "tower" and rng.random() < 0.5:
        line["height_min_m"] = rng.choice((8, 20, 25, 30))
    if kind == "room":
        line["power_kw"] = rng.choice((2, 4, 10))
    if rng.random() < 0.5:
        line["ceiling_fen_per_year"] = {"tower": 1_500_000, "duct": 800_000, "cable": 2_000_000, "room": 3_000_000}[
            kind
        ]
    return line
