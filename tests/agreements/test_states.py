"""The dict of transitions is total, its diagram current, and buttons say what actions do."""

import pytest
from django.conf import settings
from django.db import transaction

from accounts.errors import Refused
from accounts.rules import DEFAULTS
from agreements import actions, states
from agreements.management.commands.states_diagram import diagrams
from agreements.models import ENDED_STATES, IN_FORCE_STATES, OPEN_STATES, PAUSABLE_STATES, ShareRequest
from agreements.step_wording import STEPS
from agreements.story import TIME_OUT

from .story import accept, agree, ask, offer, sign

State = ShareRequest.State


def test_every_state_has_its_row_and_owner():
    assert set(states.TRANSITIONS) == set(State.values) == set(states.OWNERS)


def test_every_transition_leads_to_a_state_by_somebody_or_something():
    for moves in states.TRANSITIONS.values():
        for move in moves.values():
            assert move.to in State.values
            assert bool(move.sides) != bool(move.cause)
            assert move.starts_clock in (None, states.TERM) or move.starts_clock in DEFAULTS


RUNNING = (*ShareRequest.OPEN, *ShareRequest.IN_FORCE)


def test_every_running_state_has_one_way_out_by_its_clock_and_every_clock_says_what_follows():
    for state, moves in states.TRANSITIONS.items():
        by_clock = [verb for verb, move in moves.items() if move.cause == states.Cause.CLOCK]
        assert len(by_clock) == (state in RUNNING), state
        assert all(verb in TIME_OUT for verb in by_clock)
    assert set(ShareRequest.OPEN) == set(OPEN_STATES)
    assert set(ShareRequest.ENDED) == set(ENDED_STATES)
    assert set(ShareRequest.IN_FORCE) == set(IN_FORCE_STATES)
    assert sorted([*OPEN_STATES, *IN_FORCE_STATES, *ENDED_STATES]) == sorted(State.values)  # total and disjoint
    assert {state for state, moves in states.TRANSITIONS.items() if "hold_up" in moves} == set(PAUSABLE_STATES)


def test_what_ended_leads_nowhere_but_a_refusal_can_be_contested():
    for state in ShareRequest.ENDED:
        assert set(states.TRANSITIONS[state]) == ({"contest"} if state == State.REFUSED else set())


def test_every_step_keeps_or_starts_a_clock_while_the_case_runs():
    for state, moves in states.TRANSITIONS.items():
        for verb, move in moves.items():
            if move.to in RUNNING:
                has_clock = bool(move.starts_clock) + move.keeps_clock + move.goes_back
                assert has_clock == 1, (state, verb)


def test_every_step_has_words_wherever_it_is_told():
    verbs = {verb for moves in states.TRANSITIONS.values() for verb in moves} - set(states.OWN_ACTIONS)
    assert verbs - {"expire", "conclude"} | {"pass_works", "ask_rectify"} == {verb for verb, *_words in STEPS}


def test_every_state_is_reached():
    reached = {states.INITIAL[1].to} | {move.to for moves in states.TRANSITIONS.values() for move in moves.values()}
    assert reached == set(State.values)


def test_every_verb_of_a_person_has_a_label_and_an_action():
    verbs = {verb for moves in states.TRANSITIONS.values() for verb, move in moves.items() if not move.cause}
    assert verbs == set(states.LABELS)
    assert set(actions.__all__) >= {"make_offer", "accept_offer", "sign", "refuse", "withdraw", "record_acceptance"}


def test_diagram_in_docs_is_current():
    path = settings.BASE_DIR / "docs" / "states.md"
    assert path.read_text(encoding="utf-8") == diagrams(), "run manage.py states_diagram"


def moves_of(world, case, who):
    return {m.verb: m for m in states.allowed(ShareRequest.objects.get(pk=case.pk), world.as_[who])}


def test_what_is_open_says_so_and_what_is_not_says_why(world, tower):
    case = ask(world, tower)
    owner, applicant = moves_of(world, case, "alice"), moves_of(world, case, "dave")
    assert (owner["offer"].is_open, owner["refuse"].is_open) == (True, True)
    assert "withdraw" not in owner
    assert "refuse" not in applicant
    assert applicant["withdraw"].is_open
    assert "owner makes the first offer" in applicant["offer"].reason
    assert "no offer yet" in applicant["accept"].reason
    assert all(not m.is_open and "role" in m.reason for m in moves_of(world, case, "bob").values() if m.verb == "offer")
    assert all("two parties" in m.reason for m in moves_of(world, case, "carol").values())


def test_turns(world, tower):
    case = ask(world, tower)
    assert states.waiting_for(case) == {states.Side.OWNER}
    made = offer(world, case)
    case = ShareRequest.objects.get(pk=case.pk)
    assert states.waiting_for(case) == {states.Side.REQUESTER}
    agreement = accept(world, made)
    case = ShareRequest.objects.get(pk=case.pk)
    assert states.waiting_for(case) == set(states.BOTH)
    sign(world, agreement, "alice")
    assert states.waiting_for(ShareRequest.objects.get(pk=case.pk)) == {states.Side.REQUESTER}
    sign(world, agreement, "dora")
    assert states.waiting_for(ShareRequest.objects.get(pk=case.pk)) == {states.Side.OWNER}  # to make ready
    assert [m.verb for m in states.allowed(ShareRequest.objects.get(pk=case.pk), world.as_["alice"]) if m.is_open] == [
        "begin_make_ready", "begin_works",
    ]  # fmt: skip


@pytest.mark.parametrize("who", ["alice", "dave", "dora", "bob", "vera", "eve", "carol"])
def test_buttons_and_actions_agree(world, tower, who):
    """For every state and person: what the page offers works, what it does not offer is refused."""
    case = ask(world, tower)
    made = offer(world, case)
    attempts = {
        "offer": lambda: offer(world, case, who=who, price_fen=7),
        "accept": lambda: accept(world, made, who=who),
        "refuse": lambda: actions.refuse(request=case, by=world.user(who), membership=world.as_[who], code="no_space"),
        "withdraw": lambda: actions.withdraw(request=case, by=world.user(who), membership=world.as_[who]),
    }
    for verb, act in attempts.items():
        refusal = states.refusal(ShareRequest.objects.get(pk=case.pk), world.as_[who], verb)
        said = tried(act)
        assert said == (str(refusal.message) if refusal else None), verb


def tried(act):
    """What the act was refused with, or None where it worked; undone either way."""
    try:
        with transaction.atomic():
            act()
            transaction.set_rollback(True)
    except Refused as refusal:
        return str(refusal.message)
    return None


def test_unverified_organisation_makes_no_offer(world, tower):
    case = ask(world, tower)
    world.power.verification = "rejected"
    world.power.save(update_fields=["verification"])
    membership = world.as_["alice"]
    membership.organisation.refresh_from_db()
    with pytest.raises(Refused, match="not verified"):
        offer(world, case)


def test_agreed_terms_are_not_changed(world, tower):
    agreement = agree(world, tower)
    with pytest.raises(Refused, match="not changed"):
        offer(world, agreement.request, price_fen=1)
