"""Withdraw, refuse, expire: what was held is free again, and an end is an end."""

import datetime as dt

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.errors import NotPermitted, Refused
from accounts.jobs import SWEEPS
from accounts.models import Event
from agreements import actions
from agreements.models import Agreement, ShareRequest
from messaging.actions import thread_about
from messaging.models import Notification
from messaging.wording import words
from tests.world import make_resource

from .story import agree, ask, offer, run_out, sign, signed


def withdraw(world, case, who="dave", **more):
    return actions.withdraw(request=case, by=world.user(who), membership=world.as_[who], **more)


def refuse(world, case, who="alice", code="no_space", **more):
    return actions.refuse(request=case, by=world.user(who), membership=world.as_[who], code=code, **more)


def test_withdrawn_request_frees_what_it_held_and_closes_the_conversation(world, tower):
    case = withdraw(world, ask(world, tower, 2), note="Site moved")
    assert (case.state, case.due_at, case.closing_note) == ("withdrawn", None, "Site moved")
    assert tower.pools.get().free == 3
    assert thread_about(case).closed_at
    assert Event.objects.about(case).first().verb == "request.withdraw"
    assert Notification.objects.filter(code="notice.request.withdraw", user=world.alice).exists()


def test_withdrawing_twice_is_once(world, tower):
    case = ask(world, tower)
    withdraw(world, case)
    withdraw(world, case)
    assert Event.objects.about(case).filter(verb="request.withdraw").count() == 1


@pytest.mark.parametrize(("who", "error"), [("alice", NotPermitted), ("dora", NotPermitted), ("eve", NotPermitted)])
def test_only_the_applicants_negotiator_withdraws(world, tower, who, error):
    with pytest.raises(error):
        withdraw(world, ask(world, tower), who)


def test_refused_request_names_its_reason_to_both(world, tower):
    case = refuse(world, ask(world, tower, 2), code="safety", note="Live line below")
    assert (case.state, case.refusal_code) == ("refused", "safety")
    assert tower.pools.get().free == 3
    event = thread_about(case).messages.last()
    assert words(event.event_code, event.payload) == "The owner refused the request: Safety. Live line below"


@pytest.mark.parametrize("days", [None, -1, 365 * 3])
def test_an_own_need_is_shown_with_a_day_within_the_period(world, tower, days):
    case = ask(world, tower)
    day = None if days is None else timezone.localdate() + dt.timedelta(days=days)
    with pytest.raises(Refused) as refusal:
        refuse(world, case, code="own_need", note="Extension", needed_from=day)
    assert refusal.value.code == "need_without_date"
    day = timezone.localdate() + dt.timedelta(days=200)
    assert refuse(world, case, code="own_need", note="Extension", needed_from=day).state == "refused"
    assert case.steps.get(verb="refuse").data == {"needed_from": day.isoformat()}


def test_an_alternative_is_another_open_resource_of_the_kind(world, tower):
    case = ask(world, tower)
    for wrong in (None, tower, make_resource(world.power, "room"), make_resource(world.power, state="draft")):
        with pytest.raises(Refused) as refusal:
            refuse(world, case, code="alternative", note="See there", alternative=wrong)
        assert refusal.value.code == "no_alternative"
    other = make_resource(world.power, name="Tower beside")
    refuse(world, case, code="alternative", note="See there", alternative=other)
    assert case.steps.get(verb="refuse").data == {"alternative": f"Tower beside (#{other.pk})"}


@pytest.mark.parametrize(
    ("code", "note", "expected"),
    [
        ("", "", "no_reason"),
        ("because", "", "no_reason"),
        ("own_need", " ", "note_needed"),
        ("alternative", "", "note_needed"),
    ],
)
def test_refusal_needs_a_reason_and_some_reasons_a_note(world, tower, code, note, expected):
    with pytest.raises(Refused) as refusal:
        refuse(world, ask(world, tower), code=code, note=note)
    assert refusal.value.code == expected
    assert tower.pools.get().free == 2


@pytest.mark.parametrize("who", ["dave", "vera", "bob", "carol"])
def test_only_the_owners_negotiator_refuses(world, tower, who):
    with pytest.raises(NotPermitted):
        refuse(world, ask(world, tower), who)


def test_ended_request_moves_no_more(world, tower):
    case = withdraw(world, ask(world, tower))
    for act in (lambda: refuse(world, case), lambda: offer(world, case)):
        with pytest.raises(Refused, match="ended") as refusal:
            act()
        assert refusal.value.code == "wrong_state"


def test_own_signature_binds_until_the_clock_ends(world, tower):
    agreement = agree(world, tower)
    sign(world, agreement, "alice")
    with pytest.raises(Refused, match="bound"):
        refuse(world, agreement.request)
    case = withdraw(world, agreement.request)
    agreement.refresh_from_db()
    assert (case.state, agreement.state) == ("withdrawn", "void")
    assert tower.pools.get().free == 3


def test_clock_ends_request_offer_and_agreement(world, tower):
    waiting, offered = ask(world, tower), ask(world, tower)
    offer(world, offered)
    agreement = agree(world, tower)
    cases = [waiting, offered, agreement.request]
    for case in cases:
        run_out(case)
    assert actions.expire_due() == 3
    assert actions.expire_due() == 0
    # nobody objected to the filing: it counts as complete; an offer or terms nobody answers end the case
    assert {case.pk: case.state for case in ShareRequest.objects.order_by("pk")} == {
        waiting.pk: "accepted", offered.pk: "expired", agreement.request_id: "expired",
    }  # fmt: skip
    assert offered.offers.get().state == "lapsed"
    assert Agreement.objects.get().state == "void"
    assert tower.pools.get().free == 2
    assert set(tower.pools.get().reservations.filter(state="expired").values_list("quantity", flat=True)) == {1}
    assert Event.objects.about(waiting).first().actor is None


def test_running_clocks_are_left_alone(world, tower):
    ask(world, tower)
    assert actions.expire_due() == 0


def test_nothing_moves_after_the_clock_ran_out_even_before_the_sweep(world, tower):
    case = ask(world, tower)
    run_out(case)
    with pytest.raises(Refused, match="run out") as refusal:
        offer(world, case)
    assert refusal.value.code == "expired"


def test_sweeps_are_registered():
    assert {"agreements.sweeps.end_due_requests", "agreements.sweeps.write_missing_pdfs"} <= set(SWEEPS)


@pytest.mark.parametrize("state", ["submitted", "negotiating", "withdrawn"])
def test_database_keeps_an_end_an_end(world, tower, state):
    signed(world, tower)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        connection.cursor().execute("UPDATE agreements_sharerequest SET state = %s", [state])
