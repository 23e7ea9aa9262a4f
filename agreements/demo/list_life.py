"""What a half-year of lists looks like: an open call with hand-ins, objections in every state, corrections."""

import datetime as dt
from typing import Any

from django.utils import timezone

from accounts.models import Membership
from listings.actions import demand
from listings.models import DemandLine, DemandList, LineCorrection

from .cast import Cast

CALL_DAYS = 20
OBJECTIONS = (  # who, about which line, the text, the outcome with its reason ("": still to be decided)
    ("xi", 1, "该点位 200 米内已有智慧杆可共享，建议改为共享需求。", "", ""),
    ("qian", 2, "所需挂高超过本线路杆塔的安全净距。",
     "partly", "挂高上限下调，其余维持。"),
    ("dong", 3, "该需求与我司已签协议重复。",
     "upheld", "经核对属实，撤回该条。"),
    ("tang", 4, "数量偏少，请增加。",
     "dismissed", "未提供依据，维持原数量。"),
)  # fmt: skip


def object_and_correct(cast: Cast, notice: DemandList) -> None:
    """On the list under notice: objections in each state, one correction let in and one that awaits its answer."""
    lines = list(notice.lines.order_by("number"))
    curator, publisher = cast.members["zhao"], cast.members["zheng"]
    for who, number, text, outcome, decision in OBJECTIONS:
        line = lines[number - 1]
        objection = demand.make_objection(demand_list=notice, membership=cast.members[who], line=line, text=text)
        if outcome:
            demand.decide_objection(
                objection=objection, membership=curator, outcome=outcome, decision=decision,
                withdraw=outcome == "upheld",
            )  # fmt: skip
    applied = _correction(lines[5], curator, "申请单位更正数量。")
    demand.apply_correction(correction=applied, membership=publisher)
    _correction(lines[6], curator, "按公示意见调整数量。")


def _correction(line: DemandLine, curator: Membership, reason: str) -> LineCorrection:
    return demand.propose_correction(line=line, membership=curator, reason=reason, quantity=line.quantity + 1)


def _evening_in(days: int) -> dt.datetime:
    return (timezone.localtime() + dt.timedelta(days=days)).replace(hour=23, minute=59, second=0, microsecond=0)


def call(cast: Cast, draft: DemandList, rows: list[dict[str, Any]]) -> None:
    """The draft is open to operators; two have handed lines in, one by form and one from a file."""
    demand.open_call(
        demand_list=draft, membership=cast.members["carol"], closes_at=_evening_in(CALL_DAYS),
        note="请报送 2027 年上半年的站址、管道、光缆和机房需求。",
    )  # fmt: skip
    own = [{name: value for name, value in row.items() if not name.startswith("applicant")} for row in rows]
    demand.hand_in(demand_list=draft, membership=cast.members["dong"], applicant_code="DH-01", **own[0])
    for number, row in enumerate(own[1:], start=1):
        row["applicant_code"] = f"NF-{number:02d}"
    demand.hand_in_lines(demand_list=draft, membership=cast.members["dave"], rows=own[1:])
