"""During the notice: decisions on objections, corrections by two persons, and the clock that follows them."""

import datetime as dt

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts import workdays
from accounts.actions import calendar
from accounts.clocks import deadline_after
from accounts.errors import NotPermitted, Refused
from accounts.models import CalendarDay, Event, RegionRule
from listings import list_sweeps
from listings.actions import demand
from listings.models import DemandList, LineCorrection, LineVersion, Objection
from messaging.models import Notification
from tests.world import make_line

pytestmark = pytest.mark.django_db


@pytest.fixture
def noticed(world):
    made = demand.create_list(
        membership=world.as_["carol"], region=world.regions["440100"], title_zh="广州需求", batch="2026H2"
    )
    make_line(made, world.operator)
    make_line(made, world.operator)
    demand.submit(demand_list=made, membership=world.as_["carol"])
    return demand.publish(demand_list=made, membership=world.as_["chen"])


@pytest.fixture
def objection(noticed, world):
    return demand.make_objection(
        demand_list=noticed, membership=world.as_["eve"], text="已有铁塔", line=noticed.lines.get(number=1)
    )


def set_rule(world, key, value):
    RegionRule.objects.create(
        region=world.regions["440000"], key=key, value=value, source="粤通管〔2026〕1号", valid_from="2026-01-01"
    )


def end_notice(row):
    """The notice ended an hour ago; begun with it, so that every CHECK still holds."""
    DemandList.objects.filter(pk=row.pk).update(notice_ends_at=timezone.now() - dt.timedelta(hours=1))


# --- Objections -------------------------------------------------------------------------------


def test_a_decision_answers_the_objector_and_stands_in_the_log(objection, world):
    assert objection.decide_by == deadline_after(objection.created_at, 10, "440100")
    demand.decide_objection(
        objection=objection, membership=world.as_["carol"], outcome="dismissed", decision="该塔荷载不足"
    )
    objection.refresh_from_db()
    assert (objection.outcome, objection.decided_by, objection.decision) == ("dismissed", world.carol, "该塔荷载不足")
    told = Notification.objects.filter(user=world.eve, code="objection.decide").get()
    assert told.payload["reason"] == "该塔荷载不足"
    assert Event.objects.about(objection).first().verb == "objection.decide"


def test_an_upheld_objection_can_withdraw_the_line(objection, world):
    demand.decide_objection(
        objection=objection, membership=world.as_["carol"], outcome="upheld", decision="属实", withdraw=True
    )
    objection.line.refresh_from_db()
    assert objection.line.state == "withdrawn"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"outcome": "perhaps"}, "no_outcome"),
        ({"decision": " "}, "no_reason"),
        ({"outcome": "dismissed", "withdraw": True}, "no_line"),
    ],
)
def test_a_decision_needs_an_outcome_and_a_reason(objection, world, changes, code):
    given = {"outcome": "upheld", "decision": "属实"} | changes
    with pytest.raises(Refused) as refusal:
        demand.decide_objection(objection=objection, membership=world.as_["carol"], **given)
    assert refusal.value.code == code
    objection.refresh_from_db()
    assert not objection.outcome


def test_deciding_is_the_bureaus_and_happens_once(objection, world):
    given = {"objection": objection, "outcome": "upheld", "decision": "属实"}
    for name in ("eve", "dave", "zhao"):
        with pytest.raises(NotPermitted):
            demand.decide_objection(membership=world.as_[name], **given)
    demand.decide_objection(membership=world.as_["chen"], **given)
    with pytest.raises(Refused) as refusal:
        demand.decide_objection(membership=world.as_["carol"], **given)
    assert refusal.value.code == "decided"


def test_the_database_refuses_a_decision_without_reason(objection):
    with pytest.raises(IntegrityError, match="objection_decided_with_reason"), transaction.atomic():
        Objection.objects.filter(pk=objection.pk).update(outcome="upheld", decided_at=timezone.now())


def test_an_open_objection_holds_the_list_and_the_last_decision_brings_it_into_force(noticed, objection, world):
    end_notice(noticed)
    assert list_sweeps.end_notices() == 0
    noticed.refresh_from_db()
    assert noticed.state == "notice"
    demand.decide_objection(objection=objection, membership=world.as_["carol"], outcome="dismissed", decision="不成立")
    noticed.refresh_from_db()
    objection.refresh_from_db()
    assert (noticed.state, noticed.in_force_at) == ("in_force", objection.decided_at)


def test_a_clock_that_passed_while_the_worker_was_down_is_caught_up_once_with_its_own_date(noticed, world):
    ended = timezone.now() - dt.timedelta(days=9)
    DemandList.objects.filter(pk=noticed.pk).update(notice_ends_at=ended)
    assert list_sweeps.end_notices() == 1
    assert list_sweeps.end_notices() == 0
    noticed.refresh_from_db()
    assert noticed.in_force_at == ended
    assert Event.objects.about(noticed).filter(verb="list.bring_into_force").count() == 1


# --- A line that has gone ---------------------------------------------------------------------


def test_a_withdrawn_line_takes_no_objection_and_its_correction_lapses(noticed, world):
    line = noticed.lines.get(number=1)
    correction = demand.propose_correction(line=line, membership=world.as_["carol"], reason="笔误", quantity=9)
    demand.withdraw_line(line=line, membership=world.as_["carol"], reason="已另行解决")
    with pytest.raises(Refused) as refusal:
        demand.make_objection(demand_list=noticed, membership=world.as_["eve"], text="已有铁塔", line=line)
    assert refusal.value.code == "withdrawn"
    with pytest.raises(Refused) as refusal:
        demand.apply_correction(correction=correction, membership=world.as_["chen"])
    assert refusal.value.code == "answered"
    assert noticed.lines.get(number=1).quantity == line.quantity
    end_notice(noticed)
    assert demand.bring_into_force(demand_list=noticed)  # nothing is left that could hold it


# --- Corrections ------------------------------------------------------------------------------


def propose(noticed, world, **fields):
    line = noticed.lines.get(number=1)
    given = {"quantity": 3, "reason": "数量写错"} | fields
    return demand.propose_correction(line=line, membership=world.as_["carol"], **given)


def test_a_correction_takes_a_second_person_and_leaves_both_versions(noticed, world):
    correction = propose(noticed, world)
    line = noticed.lines.get(number=1)
    assert line.quantity == 1
    with pytest.raises(NotPermitted):
        demand.apply_correction(correction=correction, membership=world.as_["carol"])
    demand.apply_correction(correction=correction, membership=world.as_["chen"])
    line.refresh_from_db()
    correction.refresh_from_db()
    assert (line.quantity, correction.before, correction.fields) == (3, {"quantity": 1}, {"quantity": 3})
    versions = LineVersion.objects.filter(line_id=line.pk).order_by("pk")
    assert [(v.op, v.data["quantity"]) for v in versions] == [("+", 1), ("~", 3)]
    assert versions[1].actor_id == world.chen.pk


def test_the_database_refuses_a_correction_let_in_by_its_own_author(noticed, world):
    correction = propose(noticed, world)
    with pytest.raises(IntegrityError, match="correction_applied_by_second_person"), transaction.atomic():
        LineCorrection.objects.filter(pk=correction.pk).update(
            state="applied", answered_by=world.carol, answered_at=timezone.now()
        )


def test_early_in_the_notice_a_correction_leaves_the_clock(noticed, world):
    ends = noticed.notice_ends_at
    demand.apply_correction(correction=propose(noticed, world), membership=world.as_["chen"])
    noticed.refresh_from_db()
    assert noticed.notice_ends_at == ends


def test_late_in_the_notice_a_correction_extends_it_by_rule(noticed, world):
    set_rule(world, "notice.correction_days", 7)
    soon = timezone.now() + dt.timedelta(hours=3)
    DemandList.objects.filter(pk=noticed.pk).update(notice_ends_at=soon)
    demand.apply_correction(correction=propose(noticed, world), membership=world.as_["chen"])
    noticed.refresh_from_db()
    assert noticed.notice_ends_at == deadline_after(noticed.notice_from, 7, "440100")
    assert noticed.notice_days == 7
    assert Event.objects.about(noticed).first().verb == "list.extend_notice"
    assert Notification.objects.filter(user=world.dave, code="list.clock_moved").exists()


def test_where_the_rule_says_so_a_correction_begins_the_notice_anew(noticed, world):
    set_rule(world, "notice.correction_restarts", 1)
    began = noticed.notice_from
    demand.apply_correction(correction=propose(noticed, world), membership=world.as_["chen"])
    noticed.refresh_from_db()
    assert noticed.notice_from > began
    assert noticed.notice_days == 15
    assert Event.objects.about(noticed).first().verb == "list.restart_notice"


def test_a_correction_is_refused_where_nothing_differs_twice_or_out_of_the_notice(noticed, world):
    with pytest.raises(Refused) as refusal:
        propose(noticed, world, quantity=1)
    assert refusal.value.code == "same"
    propose(noticed, world)
    with pytest.raises(Exception, match="second person"):
        propose(noticed, world, quantity=4)
    end_notice(noticed)
    list_sweeps.end_notices()
    assert LineCorrection.objects.get().state == "refused"  # nobody let it in before the list came into force
    with pytest.raises(Refused) as refusal:
        propose(noticed, world)
    assert refusal.value.code == "wrong_state"


def test_a_refused_correction_leaves_the_line(noticed, world):
    demand.refuse_correction(correction=propose(noticed, world), membership=world.as_["chen"], reason="原文无误")
    assert noticed.lines.get(number=1).quantity == 1


# --- The calendar -----------------------------------------------------------------------------


def next_weekend_day(after):
    day = timezone.localdate(after) + dt.timedelta(days=2)
    while workdays.is_workday(day):
        day += dt.timedelta(days=1)
    return day


def test_a_new_make_up_workday_recounts_open_clocks_and_says_so(noticed, objection, world):
    ends, day = noticed.notice_ends_at, next_weekend_day(timezone.now())
    made, moved = calendar.set_day(
        membership=world.as_["chen"], region=world.regions["440000"], day=day, is_workday=True, name="调休上班",
        source="国办发明电〔2026〕9号",
    )  # fmt: skip
    assert moved == 2  # the notice and the objection
    noticed.refresh_from_db()
    assert noticed.notice_ends_at < ends
    event = Event.objects.about(noticed).first()
    assert (event.verb, "调休上班" in event.reason) == ("list.recount_clock", True)
    assert Notification.objects.filter(user=world.dave, code="list.clock_moved").exists()
    assert calendar.take_out_day(calendar_day=made, membership=world.as_["chen"]) == 2
    noticed.refresh_from_db()
    assert noticed.notice_ends_at == ends


def test_a_day_of_another_province_touches_nothing_here(noticed, world):
    day = next_weekend_day(timezone.now())
    with pytest.raises(NotPermitted):
        calendar.set_day(
            membership=world.as_["chen"], region=world.regions["330000"], day=day, is_workday=True, name="x", source="x"
        )
    CalendarDay.objects.create(
        region=world.regions["330000"], day=day, is_workday=True, name="x", source="x", set_by=world.zhao
    )
    before = noticed.notice_ends_at
    assert deadline_after(noticed.notice_from, noticed.notice_days, "440100") == before


@pytest.mark.parametrize(("shift", "is_workday", "code"), [(-3, True, "past"), (0, None, "same_already")])
def test_a_day_gone_by_or_already_so_is_refused(world, shift, is_workday, code):
    day = timezone.localdate() + dt.timedelta(days=shift)
    given = workdays.is_workday(day) if is_workday is None else is_workday
    with pytest.raises(Refused) as refusal:
        calendar.set_day(
            membership=world.as_["chen"],
            region=world.regions["440000"],
            day=day,
            is_workday=given,
            name="x",
            source="x",
        )
    assert refusal.value.code == code


# --- Versions ---------------------------------------------------------------------------------


def test_versions_are_written_whoever_changes_a_line_and_nobody_rewrites_them(noticed):
    line = noticed.lines.get(number=2)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE listings_demandline SET quantity = 9 WHERE id = %s", [line.pk])
    assert LineVersion.objects.filter(line_id=line.pk).latest("pk").data["quantity"] == 9
    with pytest.raises(Exception, match="append-only|refuse|not"), transaction.atomic():
        LineVersion.objects.filter(line_id=line.pk).delete()


def test_a_publish_that_fails_half_way_leaves_the_list_as_it_was(world, monkeypatch):
    made = demand.create_list(
        membership=world.as_["carol"], region=world.regions["440100"], title_zh="清单", batch="2026H2"
    )
    make_line(made, world.operator)
    demand.submit(demand_list=made, membership=world.as_["carol"])
    events = Event.objects.count()

    def fail(*args, **kwargs):
        raise OSError("the connection broke")

    monkeypatch.setattr("listings.demand_notices.tell_moved", fail)
    with pytest.raises(OSError):
        demand.publish(demand_list=made, membership=world.as_["chen"])
    made.refresh_from_db()
    assert (made.state, made.published_by, made.notice_ends_at) == ("submitted", None, None)
    assert Event.objects.count() == events
