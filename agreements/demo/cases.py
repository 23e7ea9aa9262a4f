"""Requests in every state, with their conversations, and one agreement signed by both sides."""

import datetime as dt
import io
import random
from decimal import Decimal
from uuid import UUID

from django.utils import timezone

from agreements import actions
from agreements.actions.acceptance import checklist_for
from agreements.models import ShareRequest
from agreements.sheets.clauses import Answer
from agreements.sheets.draft import Draft
from listings.models import CapacityPool, DemandList
from matching.models import MatchResult
from messaging.actions import post, thread_about

from .cast import PASSWORD, Cast
from .papers import DRAWING, picture

OWNERS = {"gd_power": "alice", "towers": "tang", "gz_city": "hua", "metro": "min"}


def load(cast: Cast, main: DemandList, rng: random.Random, say) -> None:
    """Plays each case as far as its state, by the people's own actions."""
    plays = [
        _submitted, _incomplete, _surveyed, _assessed, _on_hold, _escalated, _mediated, _decided, _submitted, _offered,
        _countered, _agreed, _half_signed, _refused, _withdrawn, _expired, _building,
        _operating, _signed,
    ]  # fmt: skip
    found = _wanted(cast, main, len(plays))
    for play, (given, owner) in zip(plays, found, strict=False):
        request = _ask(cast, rng, given)
        play(cast, request, owner, rng)
    _together(cast, rng)
    say(
        "  " + ", ".join(f"{state}: {ShareRequest.objects.filter(state=state).count()}" for state in ShareRequest.State)
    )


def _wanted(cast: Cast, main: DemandList, count: int) -> list:
    """Matches of the newest run on the operator's own lines whose owners play in the story."""
    by_organisation = {cast.organisations[key].pk: name for key, name in OWNERS.items()}
    results = (
        MatchResult.objects.filter(
            run=main.runs.filter(state="done").first(), verdict="met", line__applicant=cast.organisations["south"],
            resource__owner__in=by_organisation,
        )
        .select_related("line__demand_list", "resource__owner", "resource__region")
        .order_by("-resource__owner__name_zh", "line__number")
    )  # fmt: skip
    picked, owners_turn = [], {}
    for result in results:  # the signed case last, every owner's name about equally often
        owners_turn.setdefault(result.resource.owner_id, []).append(result)
    while owners_turn and len(picked) < count:
        for owner_id in list(owners_turn):
            result = owners_turn[owner_id].pop(0)
            picked.append((result, cast.members[by_organisation[owner_id]]))
            if not owners_turn[owner_id]:
                del owners_turn[owner_id]
    return picked[:count]


def _ask(cast: Cast, rng: random.Random, given: MatchResult) -> ShareRequest:
    """Asks for what the run gave the line."""
    resource, line = given.resource, given.line
    dave = cast.members["dave"]
    quantities = {row.pool_id: row.quantity for row in given.allocations.order_by("pool_id")}
    for pool in resource.pools.filter(unit="kw"):
        quantities.setdefault(pool.pk, Decimal(str(line.power_kw or 1)))
    today = timezone.localdate()
    starts_on = max(today, min(today + dt.timedelta(days=30), line.needed_by or dt.date.max))
    request = actions.request_space(
        by=dave.user, membership=dave, resource=resource, quantities=quantities,
        starts_on=starts_on, months=line.months,
        purpose=f"{line.title}：5G 覆盖", line=line, key=UUID(int=rng.getrandbits(128), version=4), is_demo=True,
    )  # fmt: skip
    _say(cast.members["dave"], request, "您好，我们希望共享该资源，能否安排现场勘察？", rng)
    return request


def _say(member, request: ShareRequest, body: str, rng: random.Random) -> None:
    post(
        thread=thread_about(request), by=member.user, membership=member, body=body,
        client_uuid=UUID(int=rng.getrandbits(128), version=4),
    )  # fmt: skip


def _offer(
    request: ShareRequest, member, price_fen: int, answers: int = 0, note: str = "", sheet: Draft | None = None
) -> None:
    quantities = {item.pool_id: item.quantity for item in request.items.order_by("pk")}
    actions.make_offer(
        request=request, by=member.user, membership=member, answers=answers, quantities=quantities,
        price_fen_per_year=price_fen, starts_on=request.starts_on, months=request.months, note=note, sheet=sheet,
    )  # fmt: skip


def _submitted(cast: Cast, request: ShareRequest, owner, rng: random.Random) -> None:
    """Waits for the owner's first offer."""


def _step(member, request: ShareRequest, verb: str, note: str = "", **data: str) -> None:
    actions.take_step(request=request, verb=verb, by=member.user, membership=member, note=note, data=data)


def _incomplete(cast: Cast, request: ShareRequest, owner, rng: random.Random) -> None:
    _step(owner, request, "ask_supplement", "缺少天线清单与荷载校核书。")


def _surveyed(cast: Cast, request: ShareRequest, owner, rng: random.Random) -> None:
    _step(owner, request, "accept_filing")
    day = timezone.localtime().replace(hour=9, minute=30, second=0, microsecond=0)  # reported on the day it is made
    _step(owner, request, "appoint_survey", "请携带登高证。", at=day.isoformat(), meet="变电站南门")
    _step(
        cast.members["dave"],
        request,
        "report_findings",
        "二层平台可用，爬梯护圈有一处锈蚀。",
        differences="实测挂高 33.6 m",
    )


def _assessed(cast: Cast, request: ShareRequest, owner, rng: random.Random) -> None:
    _step(owner, request, "assess", "校核通过。", verdict="adaptation", adaptation="增设一副抱杆，由申请单位承担。")


def _on_hold(cast: Cast, request: ShareRequest, owner, rng: random.Random) -> None:
    _step(owner, request, "accept_filing")
    _step(cast.members["dave"], request, "hold_up", "等待下半年投资计划批复。")


def _escalated(cast: Cast, request: ShareRequest, owner, rng: random.Random) -> None:
    _offered(cast, request, owner, rng)
    _step(cast.members["dave"], request, "escalate", "报价为公布价的两倍，协商未果。")
    _step(owner, request, "state_case", "该处需加固，成本高于一般站点。")


def _mediated(cast: Cast, request: ShareRequest, owner, rng: random.Random) -> None:
    _escalated(cast, request, owner, rng)
    _step(cast.members["carol"], request, "propose", "建议按公布价上浮 10%，加固费用由双方各半。")
    _step(owner, request, "accept_proposal")


def _decided(cast: Cast, request: ShareRequest, owner, rng: random.Random) -> None:
    _refused(cast, request, owner, rng)
    _step(cast.members["dave"], request, "contest", "二层平台长期空置。")
    _step(cast.members["carol"], request, "decide_against", "经核，主材应力比已达 0.95，不具备共享条件。")


def _offered(cast: Cast, request: ShareRequest, owner, rng: random.Random) -> None:
    _say(owner, request, "可以，下周三上午可安排登塔勘察，请携带登高证。", rng)
    _offer(request, owner, 1_200_000, note="含税，按年预付。维护由产权单位负责。")


def _countered(cast: Cast, request: ShareRequest, owner, rng: random.Random) -> None:
    _offered(cast, request, owner, rng)
    _say(cast.members["dave"], request, "价格高于清单预算上限，能否按共享折扣计？", rng)
    words = Answer(
        "年费按季度支付，每季度开始后15日内付清。",
        "The yearly price is paid by the quarter, within 15 days after it begins.",
    )
    sheet = Draft(inputs={"index": "cpi", "index_cap_pct": "3"}, answers={"payment": words})
    _offer(request, cast.members["dave"], 900_000, answers=1, note="按两家共享 30% 折扣。", sheet=sheet)


def _agreed(cast: Cast, request: ShareRequest, owner, rng: random.Random) -> None:
    _countered(cast, request, owner, rng)
    actions.accept_offer(offer=request.offers.get(number=2), by=owner.user, membership=owner)


def _sign(request: ShareRequest, member) -> None:
    agreement = type(request).objects.get(pk=request.pk).agreement
    actions.sign(
        agreement=agreement, by=member.user, membership=member, password=PASSWORD, terms_sha256=agreement.terms_sha256
    )


def _half_signed(cast: Cast, request: ShareRequest, owner, rng: random.Random) -> None:
    _agreed(cast, request, owner, rng)
    _sign(request, owner)


def _signed(cast: Cast, request: ShareRequest, owner, rng: random.Random) -> None:
    _half_signed(cast, request, owner, rng)
    _sign(request, cast.members["dora"])
    _say(cast.members["dave"], request, "协议已签署，感谢配合，施工前三日另行报备。", rng)


def _building(cast: Cast, request: ShareRequest, owner, rng: random.Random) -> None:
    """Make-ready is over, one milestone is reached, the other is ahead."""
    _signed(cast, request, owner, rng)
    today = timezone.localdate()
    _step(owner, request, "begin_make_ready")
    _step(owner, request, "plan_milestone", title="现场具备进场条件", on=today.isoformat())
    first = request.steps.get(verb="plan_milestone").number
    _step(owner, request, "reach_milestone", milestone=str(first))
    dave = cast.members["dave"]
    _step(dave, request, "plan_milestone", title="设备安装完成", on=(today + dt.timedelta(days=20)).isoformat())
    _step(dave, request, "begin_works")
    _step(dave, request, "report_progress", "设备已到场，抱杆安装完成。", percent="40")


def _operating(cast: Cast, request: ShareRequest, owner, rng: random.Random) -> None:
    """Inspected twice: one point was rectified; then in operation, with drawing and photo. Where the library has no
    checklist yet, it stays called for acceptance."""
    _signed(cast, request, owner, rng)
    dave = cast.members["dave"]
    _step(dave, request, "begin_works")
    _step(dave, request, "call_acceptance")
    checklist = checklist_for(request)
    if checklist is None:
        return
    numbers = [item.number for item in checklist.items.all()]
    _inspect(
        owner,
        request,
        checklist,
        {n: "fail" if n == numbers[-1] else "pass" for n in numbers},
        "标识未齐，请补挂。",
        rng,
    )
    _step(dave, request, "call_acceptance", "已补齐。")
    request.refresh_from_db()  # the steps lock and move a row of their own
    for sort, name, data in (("drawing", "竣工图.pdf", DRAWING), ("photo", "现场.png", picture())):
        actions.add_case_document(
            request=request, by=dave.user, membership=dave, sort=sort, file=io.BytesIO(data), name=name,
            size_bytes=len(data),
        )  # fmt: skip
    _inspect(owner, request, checklist, dict.fromkeys(numbers, "pass"), "", rng)


def _inspect(owner, request: ShareRequest, checklist, results, note: str, rng: random.Random) -> None:
    actions.record_acceptance(
        request=request, by=owner.user, membership=owner, checklist=checklist, note=note, as_built={},
        results={number: (result, "") for number, result in results.items()},
        key=UUID(int=rng.getrandbits(128), version=4),
    )  # fmt: skip


def _refused(cast: Cast, request: ShareRequest, owner, rng: random.Random) -> None:
    actions.refuse(
        request=request, by=owner.user, membership=owner, code="own_need", note="2027 年扩容自用，详见规划附件。",
        needed_from=request.starts_on + dt.timedelta(days=180),
    )  # fmt: skip


def _withdrawn(cast: Cast, request: ShareRequest, owner, rng: random.Random) -> None:
    dave = cast.members["dave"]
    actions.withdraw(request=request, by=dave.user, membership=dave, note="站址方案调整。")


def _expired(cast: Cast, request: ShareRequest, owner, rng: random.Random) -> None:
    """The demonstration's clock: the hold ran out yesterday, and the sweep finds it."""
    yesterday = timezone.now() - dt.timedelta(days=1)
    ShareRequest.objects.filter(pk=request.pk).update(due_at=yesterday)
    for item in request.items.select_related("reservation").order_by("pk"):
        type(item.reservation).objects.filter(pk=item.reservation_id).update(expires_at=yesterday)
    actions.expire_due()


def _together(cast: Cast, rng: random.Random) -> None:
    """Towers of three owners asked for together, all or nothing: terms agreed with one, refused by another."""
    dave = cast.members["dave"]
    towers = {name: _free_tower(cast.organisations[key]) for key, name in OWNERS.items() if name != "min"}
    chosen = {name: pool for name, pool in towers.items() if pool is not None}
    made = actions.request_together(
        by=dave.user, membership=dave, resources=[pool.resource for pool in chosen.values()], mode="whole",
        quantities={pool.pk: Decimal(1) for pool in chosen.values()}, months=60, is_demo=True,
        starts_on=timezone.localdate() + dt.timedelta(days=20), purpose="三站成环的 5G 覆盖，缺一不可",
        key=UUID(int=rng.getrandbits(128), version=4),
    )  # fmt: skip
    legs = {leg.owner_id: leg for leg in made}
    asked = {name: legs[pool.resource.owner_id] for name, pool in chosen.items()}
    first, *_others, last = asked
    _offer(asked[first], cast.members[first], 3_600_000)
    actions.accept_offer(offer=asked[first].offers.get(), by=dave.user, membership=dave)
    keeper = cast.members[last]
    actions.refuse(
        request=asked[last], by=keeper.user, membership=keeper, code="safety", note="塔身正在加固，今年不再加挂。"
    )


def _free_tower(owner) -> CapacityPool | None:
    pools = CapacityPool.objects.filter(
        resource__owner=owner, resource__kind="tower", resource__state="published", unit="position"
    ).select_related("resource__owner", "resource__region")
    return next((pool for pool in pools.order_by("resource__name", "pk") if pool.free >= 1), None)
