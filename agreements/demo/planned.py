"""Works built together: a trench whose terms await the signatures of three parties, a subway that waits for the
bureau, a bridge whose space is signed off, a trench that was accepted."""

import datetime as dt
import io
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from django.contrib.gis.geos import LineString
from django.utils import timezone

from agreements.models import Project
from agreements.projects import actions

from .cast import PASSWORD, Cast
from .papers import DRAWING, picture

DAY = dt.timedelta(days=1)


def load(cast: Cast, say) -> None:
    """Both by the people's own actions; only the days joining took are moved into the past."""
    trench = _announced(
        cast, "alice", title="体育西路通信管道同沟建设（示例）", kind="pipe", method="open_cut", unit="bores",
        joinable="同沟敷设通信管孔，每家不超过 6 孔；可合建人孔。", lead_units=Decimal(4), common_fen=186_000_000,
        lead_own_fen=9_600_000, place=LineString((113.3216, 23.1262), (113.3222, 23.1321), (113.3228, 23.1376), srid=4326),
    )  # fmt: skip
    _joined(cast, trench, "dave", Decimal(6), 14_200_000, "两端各接入一处人孔。")
    _joined(cast, trench, "min", Decimal(2), 5_000_000, "供沿线专网使用。")
    _over(trench)
    alice = cast.members["alice"]
    actions.close(project=trench, by=alice.user, membership=alice)
    actions.agree(project=trench, by=alice.user, membership=alice)

    subway = _announced(
        cast, "min", title="地铁十号线东延段区间隧道（示例）", kind="subway", method="bored", unit="positions",
        joinable="区间漏缆支架、站厅机房和天线位置；公网通信与主体结构同步预留。", lead_units=Decimal(2),
        common_fen=420_000_000, place=LineString((113.3310, 23.1150), (113.3480, 23.1172), (113.3655, 23.1215), srid=4326),
    )  # fmt: skip
    _joined(cast, subway, "dave", Decimal(12), 0, "三家运营商合用漏缆。", power_kva=Decimal(60))
    min_ = cast.members["min"]
    reserved = {
        "reserved_bores": 8, "reserved_room_m2": Decimal(45), "reserved_positions": 24, "reserved_kva": Decimal(80)
    }  # fmt: skip
    actions.reserve(project=subway, by=min_.user, membership=min_, data=reserved)

    bridge = _announced(
        cast, "min", title="员村二横路跨涌桥改造（示例）", kind="bridge", method="structure", unit="bores",
        joinable="桥梁人行道下通信管孔，与桥梁主体同步施工。", lead_units=Decimal(2), common_fen=96_000_000,
        place=LineString((113.3602, 23.1168), (113.3606, 23.1195), (113.3611, 23.1222), srid=4326),
    )  # fmt: skip
    _joined(cast, bridge, "dave", Decimal(2), 1_200_000, "预留两端手孔。", power_kva=Decimal(5))
    given = {"reserved_bores": 12, "reserved_kva": Decimal(20)}
    actions.reserve(project=bridge, by=min_.user, membership=min_, data=given)
    carol = cast.members["carol"]
    actions.answer_reservation(project=bridge, by=carol.user, membership=carol, is_signed_off=True)
    built = _built(cast)
    say(f"  {trench}, {subway}, {bridge}, {built}")


def _built(cast: Cast) -> Project:
    """Signed by three, built, inspected twice and accepted, one share still owed; called for where no checklist is."""
    project = _announced(
        cast, "alice", title="天河北路人行道管道（示例）", kind="pipe", method="open_cut", unit="bores",
        joinable="人行道下同沟管孔。", lead_units=Decimal(3), common_fen=64_000_000,
        place=LineString((113.3302, 23.1403), (113.3340, 23.1409), (113.3378, 23.1412), srid=4326),
    )  # fmt: skip
    _joined(cast, project, "dave", Decimal(4), 2_600_000, "")
    _joined(cast, project, "min", Decimal(1), 0, "")
    _over(project)
    alice = cast.members["alice"]
    actions.close(project=project, by=alice.user, membership=alice)
    project = actions.agree(project=project, by=alice.user, membership=alice)
    for name in ("alice", "dora", "min"):
        member = cast.members[name]
        actions.sign(
            project=project, by=member.user, membership=member, password=PASSWORD, terms_sha256=project.terms_sha256
        )  # fmt: skip
    soon = timezone.localdate() + 5 * DAY
    dug = actions.plan_milestone(
        project=project, by=alice.user, membership=alice, title="管道敷设完成", planned_for=soon
    )  # fmt: skip
    actions.reach_milestone(milestone=dug, by=alice.user, membership=alice)
    for sort, name, data in (("drawing", "竣工图.pdf", DRAWING), ("photo", "现场.png", picture())):
        actions.add_document(
            project=project, by=alice.user, membership=alice, sort=sort, file=io.BytesIO(data), name=name,
            size_bytes=len(data),
        )  # fmt: skip
    actions.advance(project=project, by=alice.user, membership=alice, verb="call")
    if not _inspected(cast, project, "dave", "第二处手孔未试通。"):
        return project
    actions.advance(project=project, by=alice.user, membership=alice, verb="call")
    for name in ("dave", "min"):
        _inspected(cast, project, name)
    owing = project.parties.select_related("organisation").get(organisation=cast.members["min"].organisation)
    actions.record_payment(party=owing, by=alice.user, membership=alice)
    return project


def _inspected(cast: Cast, project: Project, name: str, note: str = "") -> bool:
    """Every point passes; with a note the first that must pass fails. False where the library has no checklist."""
    member, checklist = cast.members[name], actions.checklist_for(project)
    if checklist is None:
        return False
    results = {item.number: ("pass", "") for item in checklist.items.all()}
    if note:
        results[next(item.number for item in checklist.items.all() if item.is_required)] = ("fail", "")
    actions.inspect(
        project=project, by=member.user, membership=member, checklist=checklist, results=results, note=note,
        key=uuid5(NAMESPACE_URL, f"{project.title}{name}{note}"),
    )  # fmt: skip
    return True


def _announced(cast: Cast, name: str, **data: Any) -> Project:
    today, lead = timezone.localdate(), cast.members[name]
    dates = {"join_until": today + 45 * DAY, "starts_on": today + 90 * DAY, "ends_on": today + 270 * DAY}
    given = {"disclosure": "members", "split": "shapley"} | dates | data
    project = actions.save(project=None, by=lead.user, membership=lead, data=given)
    return actions.publish(project=project, by=lead.user, membership=lead)


def _joined(cast: Cast, project: Project, name: str, units: Decimal, own_fen: int, note: str, **more: Any) -> None:
    member = cast.members[name]
    party = actions.join(
        project=project, by=member.user, membership=member, units=units, own_fen=own_fen, note=note, **more
    )  # fmt: skip
    lead = next(one for one in cast.members.values() if one.organisation == project.lead and one.has_role("negotiator"))
    actions.answer(party=party, by=lead.user, membership=lead, is_taken=True)


def _over(project: Project) -> None:
    """As if published fifty days ago."""
    began = timezone.now() - 50 * DAY
    Project.objects.filter(pk=project.pk).update(published_at=began, join_until=timezone.localdate() - DAY)
