"""Works built together: a trench whose terms await the signatures of three parties, a subway that waits for the
bureau, a bridge whose space is signed off."""

import datetime as dt
from decimal import Decimal
from typing import Any

from django.contrib.gis.geos import LineString
from django.utils import timezone

from agreements.models import Project
from agreements.projects import actions

from .cast import Cast

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
    say(f"  {trench}, {subway}, {bridge}")


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
