"""The life of a demand list: who moves it, when, and what the database refuses whoever asks."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts import workdays
from accounts.errors import NotPermitted, Refused
from accounts.models import Event, RegionRule
from accounts.models.organisations import Role
from listings import demand_permissions, list_states, list_sweeps
from listings.actions import demand
from listings.models import DemandLine, DemandList, Objection
from messaging.models import Notification
from tests.world import make_line, make_list

pytestmark = pytest.mark.django_db
State = DemandList.State


@pytest.fixture
def draft(world):
    """Carol's draft for Guangzhou with one line of Dave's operator."""
    made = demand.create_list(
        membership=world.as_["carol"],
        region=world.regions["440100"],
        title_zh="广州需求",
        title_en="Guangzhou",
        batch="2026H2",
    )
    make_line(made, world.operator)
    return made


@pytest.fixture
def submitted(draft, world):
    return demand.submit(demand_list=draft, membership=world.as_["carol"])


@pytest.fixture
def noticed(submitted, world):
    return demand.publish(demand_list=submitted, membership=world.as_["chen"])


def verbs_about(subject) -> list[str]:
    return list(Event.objects.about(subject).order_by("pk").values_list("verb", flat=True))


def test_states_are_total_and_every_move_leads_somewhere():
    assert set(list_states.LIST_MOVES) == set(list_states.LIST_OWNERS) == set(State.values)
    assert set(list_states.LINE_MOVES) == set(list_states.LINE_OWNERS) == set(DemandLine.State.values)
    for moves, known in ((list_states.LIST_MOVES, State.values), (list_states.LINE_MOVES, DemandLine.State.values)):
        for state, ways in moves.items():
            for verb, move in ways.items():
                assert move.to in known
                assert move.to != state
                assert hasattr(demand, verb) or hasattr(demand, f"{verb}_line")
                assert set(move.roles) <= set(Role.values)


def test_every_state_with_an_owner_has_a_way_out_and_every_state_is_reached():
    for state, owner in list_states.LIST_OWNERS.items():
        assert bool(owner) == bool(list_states.LIST_MOVES[state])
    reached, frontier = {State.DRAFT}, [State.DRAFT]
    while frontier:
        for move in list_states.LIST_MOVES[frontier.pop()].values():
            if move.to not in reached:
                reached.add(move.to)
                frontier.append(move.to)
    assert reached == set(State.values)


def test_create_numbers_references_within_region_and_batch(world):
    carol = world.as_["carol"]
    lists = [
        demand.create_list(membership=carol, region=world.regions[code], title_zh="清单", batch=batch)
        for code, batch in [("440100", "2026H2"), ("440100", "2026H2"), ("440300", "2026H2"), ("440100", "2027H1")]
    ]
    assert [row.reference for row in lists] == [
        "440100-2026h2-1", "440100-2026h2-2", "440300-2026h2-1", "440100-2027h1-1",
    ]  # fmt: skip
    assert verbs_about(lists[0]) == ["list.create"]
    assert lists[0].bureau == world.bureau


def test_create_outside_the_jurisdiction_is_refused(world):
    with pytest.raises(Refused) as refusal:
        demand.create_list(
            membership=world.as_["carol"], region=world.regions["330100"], title_zh="清单", batch="2026H2"
        )
    assert refusal.value.code == "outside_jurisdiction"
    assert not DemandList.objects.exists()


@pytest.mark.parametrize("name", ["chen", "dave", "eve", "zhao"])
def test_create_takes_a_curator_of_the_regions_bureau(world, name):
    with pytest.raises(Refused):
        demand.create_list(membership=world.as_[name], region=world.regions["440100"], title_zh="清单", batch="2026H2")


def test_create_with_a_wrong_batch_says_so(world):
    with pytest.raises(ValidationError, match="half-year|半年"):
        demand.create_list(membership=world.as_["carol"], region=world.regions["440100"], title_zh="清单", batch="2026")


def test_edit_changes_the_head_and_records_before_and_after(draft, world):
    demand.edit_list(demand_list=draft, membership=world.as_["carol"], title_zh="新题目")
    event = Event.objects.about(draft).first()
    assert event.verb == "list.edit"
    assert (event.before["title_zh"], event.after["title_zh"]) == ("广州需求", "新题目")


def test_edit_to_a_region_that_leaves_lines_outside_is_refused(draft, world):
    with pytest.raises(Refused, match="1"):
        demand.edit_list(demand_list=draft, membership=world.as_["carol"], region=world.regions["440300"])
    draft.refresh_from_db()
    assert draft.region_id == "440100"


def test_edit_after_submission_is_refused(submitted, world):
    with pytest.raises(Refused) as refusal:
        demand.edit_list(demand_list=submitted, membership=world.as_["carol"], title_zh="x")
    assert refusal.value.code == "wrong_state"


def test_a_draft_made_by_mistake_is_discarded_with_its_lines_and_stays_on_record(draft, world):
    key, lines = draft.pk, draft.lines.count()
    demand.discard(demand_list=draft, membership=world.as_["carol"])
    assert not DemandList.objects.filter(pk=key).exists()
    event = Event.objects.get(verb="list.discard")
    assert (event.before["reference"], event.before["lines"]) == (draft.reference, lines)
    assert lines


def test_what_is_submitted_or_holds_lines_of_operators_is_not_discarded(draft, submitted, world):
    carol = world.as_["carol"]
    with pytest.raises(Refused, match="no longer a draft"):
        demand.discard(demand_list=submitted, membership=carol)
    with pytest.raises(NotPermitted):
        demand.discard(demand_list=draft, membership=world.as_["zhao"])
    row = demand.create_list(membership=carol, region=world.regions["440100"], title_zh="二", batch="2026H2")
    make_line(row, world.operator, handed_in_by=world.operator)
    with pytest.raises(Refused) as refusal:
        demand.discard(demand_list=row, membership=carol)
    assert refusal.value.code == "handed_in"


def test_another_bureau_can_do_nothing_with_the_list(draft, world):
    zhao = world.as_["zhao"]
    for verb in ("submit", "publish"):
        with pytest.raises(NotPermitted):
            getattr(demand, verb)(demand_list=draft, membership=zhao)
    for verb in ("send_back", "close"):
        with pytest.raises(NotPermitted):
            getattr(demand, verb)(demand_list=draft, membership=zhao, reason="x")
    with pytest.raises(NotPermitted):
        demand.edit_list(demand_list=draft, membership=zhao, title_zh="x")
    with pytest.raises(NotPermitted):
        demand.add_line(demand_list=draft, membership=zhao, title="x")


def test_submit_needs_lines(world):
    empty = demand.create_list(
        membership=world.as_["carol"], region=world.regions["440100"], title_zh="空", batch="2026H2"
    )
    with pytest.raises(Refused) as refusal:
        demand.submit(demand_list=empty, membership=world.as_["carol"])
    assert refusal.value.code == "no_lines"


def test_submit_tells_the_publishers_and_not_the_submitter(submitted, world):
    assert submitted.state == State.SUBMITTED
    told = Notification.objects.filter(code="list.submit").values_list("user__name", flat=True)
    assert set(told) == {"Chen"}


def test_publish_by_a_second_person_starts_the_notice(noticed, world):
    assert noticed.state == State.NOTICE
    assert noticed.published_by == world.chen
    last_day = timezone.localdate(noticed.notice_ends_at)
    filed = workdays.filing_day(noticed.published_at, 16 * 60 + 30)
    assert workdays.workdays_between(filed, last_day) == 15
    assert timezone.localtime(noticed.notice_ends_at).time() == dt.time(23, 59, 59)
    assert verbs_about(noticed) == ["list.create", "list.submit", "list.publish"]
    told = set(Notification.objects.filter(code="list.publish").values_list("user__name", flat=True))
    assert told == {"Carol", "Chen", "Dave"}  # the bureau, and the applicant of the line


def test_publish_takes_the_regions_own_period(submitted, world):
    RegionRule.objects.create(
        region=world.regions["440000"],
        key="clock.objection",
        value=5,
        source="粤通〔2026〕1号",
        valid_from=dt.date(2020, 1, 1),
    )
    row = demand.publish(demand_list=submitted, membership=world.as_["chen"])
    filed = workdays.filing_day(row.published_at, 16 * 60 + 30)
    assert workdays.workdays_between(filed, timezone.localdate(row.notice_ends_at)) == 5


def test_who_submitted_cannot_publish_even_with_the_role(submitted, world):
    carol = world.as_["carol"]
    carol.roles = [*carol.roles, Role.PUBLISHER]
    carol.save()
    with pytest.raises(NotPermitted) as refusal:
        demand.publish(demand_list=submitted, membership=carol)
    assert refusal.value.code == "same_person"


def test_a_publisher_of_another_province_cannot_publish(submitted, world):
    with pytest.raises(NotPermitted):
        demand.publish(demand_list=submitted, membership=world.as_["zhao"])


def test_the_database_refuses_one_person_as_both(submitted, world):
    with pytest.raises(IntegrityError, match="list_published_by_second_person"), transaction.atomic():
        connection.cursor().execute(
            "UPDATE listings_demandlist SET published_by_id = submitted_by_id WHERE id = %s", [submitted.pk]
        )


def test_the_database_refuses_a_public_list_without_notice(draft):
    with pytest.raises(IntegrityError, match="list_public_has_notice"), transaction.atomic():
        connection.cursor().execute("UPDATE listings_demandlist SET state = 'in_force' WHERE id = %s", [draft.pk])


def test_a_publish_that_fails_leaves_the_list_as_it_was(submitted, world, monkeypatch):
    from listings import demand_notices

    def fail(*args):
        raise RuntimeError("mid-way")

    monkeypatch.setattr(demand_notices, "tell_moved", fail)
    with pytest.raises(RuntimeError):
        demand.publish(demand_list=submitted, membership=world.as_["chen"])
    submitted.refresh_from_db()
    assert (submitted.state, submitted.published_by, submitted.notice_ends_at) == (State.SUBMITTED, None, None)
    assert "list.publish" not in verbs_about(submitted)


def test_send_back_returns_a_draft_with_the_note(submitted, world):
    row = demand.send_back(demand_list=submitted, membership=world.as_["chen"], reason="第 1 行位置不清")
    assert (row.state, row.submitted_by) == (State.DRAFT, None)
    assert Event.objects.about(row).first().reason == "第 1 行位置不清"
    told = Notification.objects.get(code="list.send_back")
    assert (told.user, told.payload["reason"]) == (world.carol, "第 1 行位置不清")
    demand.submit(demand_list=row, membership=world.as_["carol"])  # and it goes round again


def test_send_back_needs_words(submitted, world):
    with pytest.raises(Refused) as refusal:
        demand.send_back(demand_list=submitted, membership=world.as_["chen"], reason="  ")
    assert refusal.value.code == "no_reason"


def test_the_submitter_may_take_the_list_back(submitted, world):
    row = demand.send_back(demand_list=submitted, membership=world.as_["carol"], reason="漏了一行")
    assert row.state == State.DRAFT
    assert not Notification.objects.filter(code="list.send_back").exists()


def test_close_ends_a_list_with_a_reason(noticed, world):
    row = demand.close(demand_list=noticed, membership=world.as_["carol"], reason="重复发布")
    assert row.state == State.CLOSED
    assert row.closed_at
    with pytest.raises(Refused) as refusal:
        demand.close(demand_list=row, membership=world.as_["carol"], reason="again")
    assert refusal.value.code == "wrong_state"


def test_close_of_a_draft_is_refused(draft, world):
    with pytest.raises(Refused):
        demand.close(demand_list=draft, membership=world.as_["carol"], reason="x")


def test_buttons_and_actions_agree_in_every_state(world):
    for state in State.values:
        for name in ("carol", "chen", "zhao", "dave"):
            row = make_list(world.bureau, state=state, submitted_by=world.carol, published_by=world.chen)
            make_line(row)
            for verb in ("submit", "publish", "send_back", "close"):
                membership = world.as_[name]
                why_not = demand_permissions.move_refusal(verb, row, membership)
                reason = {"reason": "因为"} if verb in ("send_back", "close") else {}
                before = row.state
                try:
                    with transaction.atomic():
                        getattr(demand, verb)(demand_list=row, membership=membership, **reason)
                        happened = True
                        transaction.set_rollback(True)
                except Refused:
                    happened = False
                assert happened == (why_not is None), (state, name, verb)
                row.refresh_from_db()
                assert row.state == before


# --- The clock --------------------------------------------------------------------------------


def test_sweep_brings_into_force_from_the_end_of_the_notice_however_late(noticed):
    ended = timezone.now() - dt.timedelta(days=9)
    DemandList.objects.filter(pk=noticed.pk).update(notice_ends_at=ended)
    assert list_sweeps.end_notices() == 1
    noticed.refresh_from_db()
    assert noticed.state == State.IN_FORCE
    assert noticed.in_force_at == ended
    event = Event.objects.about(noticed).first()
    assert (event.verb, event.actor, event.organisation) == ("list.bring_into_force", None, noticed.bureau)


def test_sweep_is_idempotent(noticed):
    DemandList.objects.filter(pk=noticed.pk).update(notice_ends_at=timezone.now() - dt.timedelta(minutes=1))
    assert [list_sweeps.end_notices(), list_sweeps.end_notices()] == [1, 0]
    assert verbs_about(noticed).count("list.bring_into_force") == 1
    assert Notification.objects.filter(code="list.bring_into_force", user__name="Dave").count() == 1


def test_sweep_leaves_running_notices_and_closed_lists_alone(noticed, world):
    assert list_sweeps.end_notices() == 0
    closed = make_list(world.bureau, state="closed", submitted_by=world.carol, published_by=world.chen)
    DemandList.objects.filter(pk=closed.pk).update(notice_ends_at=timezone.now() - dt.timedelta(days=1))
    assert list_sweeps.end_notices() == 0


def test_sweep_is_registered_with_the_worker():
    from accounts.jobs import SWEEPS

    assert "listings.list_sweeps.end_notices" in SWEEPS


# --- Objections -------------------------------------------------------------------------------


def test_a_verified_organisation_objects_to_a_line(noticed, world):
    line = noticed.lines.get()
    objection = demand.make_objection(
        demand_list=noticed, membership=world.as_["eve"], line=line, text=" 此处已有铁塔 "
    )
    assert (objection.organisation, objection.line, objection.text) == (world.evil, line, "此处已有铁塔")
    assert set(Notification.objects.filter(code="objection.make").values_list("user__name", flat=True)) == {
        "Carol", "Chen",
    }  # fmt: skip
    assert verbs_about(objection) == ["objection.make"]


@pytest.mark.parametrize("name", ["uma", "vera", "carol"])
def test_objecting_is_not_for_the_unverified_the_viewer_or_the_bureau(noticed, world, name):
    with pytest.raises(NotPermitted):
        demand.make_objection(demand_list=noticed, membership=world.as_[name], text="不同意")
    assert not Objection.objects.exists()


def test_objections_end_with_the_notice(noticed, world):
    DemandList.objects.filter(pk=noticed.pk).update(notice_ends_at=timezone.now() - dt.timedelta(minutes=1))
    with pytest.raises(Refused) as refusal:  # also before the sweep has run
        demand.make_objection(demand_list=noticed, membership=world.as_["eve"], text="不同意")
    assert refusal.value.code == "wrong_state"


def test_an_objection_needs_words_and_a_line_of_this_list(noticed, world):
    with pytest.raises(Refused):
        demand.make_objection(demand_list=noticed, membership=world.as_["eve"], text=" ")
    other = make_line(make_list(world.bureau, submitted_by=world.carol, published_by=world.chen))
    with pytest.raises(Refused) as refusal:
        demand.make_objection(demand_list=noticed, membership=world.as_["eve"], line=other, text="不同意")
    assert refusal.value.code == "other_list"
