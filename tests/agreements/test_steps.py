"""The steps between request and offer, hold-ups, and the bureau's part: who, when, which clock, what stays held."""

import datetime as dt
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.clocks import deadline_for
from accounts.errors import NotPermitted, Refused
from accounts.models import Event, RegionRule
from agreements import actions, states
from agreements.models import CaseClock, CaseStep, ShareRequest
from listings.models import CapacityPool, Resource, Tower
from messaging.models import Notification

from .story import accept, agree, ask, en, offer, run_out, sign

OWNER, APPLICANT, BUREAU = "alice", "dave", "carol"


@pytest.fixture
def carol(world):
    """The bureau's curator mediates too."""
    membership = world.as_["carol"]
    membership.roles = [*membership.roles, "mediator"]
    membership.save(update_fields=["roles"])
    return membership


def step(world, case, verb, who=OWNER, note="because", **data):
    return actions.take_step(
        request=case, verb=verb, by=world.user(who), membership=world.as_[who], note=note, data=data, key=uuid4()
    )


def fresh(case):
    return ShareRequest.objects.get(pk=case.pk)


def refuse(world, case):
    return actions.refuse(
        request=case, by=world.alice, membership=world.as_["alice"], code="no_space", note="the mast is full"
    )


def held(case):
    return [str(item.reservation.state) for item in case.items.select_related("reservation").order_by("pk")]


def in_two_days():
    return timezone.now() + dt.timedelta(days=2)


def test_examination_survey_verdict_and_offer(world, tower):
    case = ask(world, tower)
    step(world, case, "accept_filing")
    step(world, case, "appoint_survey", at=in_two_days().isoformat(), meet="at the gate")
    step(world, case, "report_findings", APPLICANT, "the second platform is free", differences="height is 34 m")
    done = step(world, case, "assess", verdict="adaptation", adaptation="a new bracket")
    assert done.state == "assessed"
    assert [s.verb for s in case.steps.order_by("number")] == [
        "accept_filing", "appoint_survey", "report_findings", "assess",
    ]  # fmt: skip
    assert [s.number for s in case.steps.order_by("number")] == [1, 2, 3, 4]
    rules = [(clock.rule, clock.outcome) for clock in case.clocks.order_by("pk")]
    assert rules == [("clock.completeness", "met"), ("clock.survey", "met"), ("clock.offer", "running")]
    assert done.due_at == case.clocks.get(outcome="running").due_at == deadline_for("clock.offer", "440106")
    assert held(case) == ["held"]
    assert case.items.get().reservation.expires_at > done.due_at
    offer(world, fresh(case))
    assert fresh(case).state == "negotiating"


def test_every_step_is_in_the_audit_log_the_conversation_and_a_notice(world, tower):
    case = ask(world, tower)
    step(world, case, "ask_supplement", note="the load check is missing")
    event = Event.objects.get(verb="request.ask_supplement")
    assert (event.before["state"], event.after["state"]) == ("submitted", "incomplete")
    assert Notification.objects.filter(code="notice.request.ask_supplement", user=world.dave).count() == 1
    assert not Notification.objects.filter(code="notice.request.ask_supplement", user=world.alice).exists()
    words = Notification.objects.get(code="notice.request.ask_supplement", user=world.dave)
    assert "load check" not in str(words.payload)


def test_silence_is_completeness_and_the_next_clock_starts_when_the_first_ran_out(world, tower):
    case = ask(world, tower)
    run_out(case)
    ran_out_at = fresh(case).due_at
    assert actions.expire_due() == 1
    moved = fresh(case)
    assert (moved.state, moved.due_at) == ("accepted", deadline_for("clock.survey", "440106", at=ran_out_at))
    assert held(case) == ["held"]
    assert actions.expire_due() == 0
    assert case.steps.get().made_at == ran_out_at


def test_after_long_downtime_each_clock_is_caught_up_once_and_in_turn(world, tower):
    case = ask(world, tower)
    long_ago = timezone.now() - dt.timedelta(days=200)
    ShareRequest.objects.filter(pk=case.pk).update(due_at=long_ago)
    actions.expire_due()
    verbs = list(case.steps.order_by("number").values_list("verb", flat=True))
    assert verbs[:2] == ["deem_complete", "escalate_late"]
    assert set(verbs[2:]) == {"remind_bureau"}
    moments = list(case.steps.order_by("number").values_list("made_at", flat=True))
    assert moments == sorted(moments)
    assert moments[0] == long_ago
    assert fresh(case).due_at > timezone.now()
    assert actions.expire_due() == 0


def test_owner_who_lets_the_clock_run_out_stands_before_the_bureau_and_the_hold_stays(world, tower, carol):
    case = ask(world, tower)
    step(world, case, "accept_filing", note="")
    run_out(case)
    actions.expire_due()
    moved = fresh(case)
    assert (moved.state, moved.is_escalated, held(case)) == ("escalated", True, ["held"])
    assert Notification.objects.filter(code="notice.request.escalate_late", user=world.carol).exists()


def test_a_hold_others_took_meanwhile_ends_the_case(world, tower):
    case = ask(world, tower, 3)
    past = timezone.now() - dt.timedelta(minutes=1)
    item = case.items.get()
    type(item.reservation).objects.filter(pk=item.reservation_id).update(state="expired", expires_at=past)
    ask(world, tower, 3, who="dave")
    ShareRequest.objects.filter(pk=case.pk).update(due_at=past)
    actions.expire_due()
    assert fresh(case).state == "expired"
    pool = CapacityPool.objects.get(pk=item.pool_id)
    assert pool.free == 0


def test_what_is_missing_is_handed_in_or_the_case_ends(world, tower):
    one, other = ask(world, tower), ask(world, tower)
    for case in (one, other):
        step(world, case, "ask_supplement", note="the load check is missing")
    step(world, one, "supplement", APPLICANT, "attached")
    assert fresh(one).state == "submitted"
    run_out(other)
    actions.expire_due()
    assert fresh(other).state == "expired"
    assert held(other) == ["expired"]


def test_on_hold_the_clock_stands_still_and_goes_on_with_what_was_left(world, tower):
    case = ask(world, tower)
    step(world, case, "accept_filing")
    before = case.clocks.get(outcome="running")
    step(world, case, "hold_up", APPLICANT, "our budget is decided in two weeks")
    waiting = fresh(case)
    assert (waiting.state, waiting.resume_state, waiting.paused_by) == ("on_hold", "accepted", world.operator)
    stopped = case.clocks.get(outcome="stopped")
    assert (stopped.pk, stopped.cause) == (before.pk, "our budget is decided in two weeks")
    assert stopped.left_days == stopped.days == 45  # also after the day's cut-off
    with pytest.raises(Refused, match="put it on hold"):
        step(world, case, "resume", OWNER)
    step(world, case, "resume", APPLICANT, "")
    gone_on = fresh(case)
    assert (gone_on.state, gone_on.resume_state, gone_on.paused_by) == ("accepted", "", None)
    assert case.clocks.get(outcome="running").rule == "clock.survey"
    assert gone_on.due_at >= before.due_at
    assert held(case) == ["held"]


def test_the_longest_hold_up_ends_by_itself(world, tower):
    case = ask(world, tower)
    step(world, case, "hold_up", OWNER, "the keeper is away")
    run_out(case)
    actions.expire_due()
    assert fresh(case).state == "submitted"
    assert held(case) == ["held"]


def test_a_side_puts_a_case_on_hold_twice_at_most(world, tower):
    case = ask(world, tower)
    for _time in range(2):
        step(world, case, "hold_up", OWNER)
        step(world, case, "resume", OWNER)
    with pytest.raises(Refused, match="2 times"):
        step(world, case, "hold_up", OWNER)
    step(world, case, "hold_up", APPLICANT)


def test_contested_refusal_to_decision_for_sharing(world, tower, carol):
    case = ask(world, tower)
    refuse(world, case)
    assert held(case) == ["released"]
    step(world, case, "contest", APPLICANT, "two platforms are empty")
    opened = fresh(case)
    assert (opened.state, opened.closed_at, opened.refusal_code) == ("escalated", None, "")
    assert held(case) == ["held"]
    step(world, case, "state_case", OWNER, "we need them in 2027")
    step(world, case, "decide_for", BUREAU, "no plan was shown")
    assert fresh(case).state == "assessed"
    agreement = accept(world, offer(world, fresh(case)))
    sign(world, agreement, "alice")
    sign(world, agreement, "dora")
    assert fresh(case).state == "signed"


def test_decision_against_sharing_is_the_end(world, tower, carol):
    case = ask(world, tower)
    refuse(world, case)
    step(world, case, "contest", APPLICANT)
    step(world, case, "decide_against", BUREAU, "the structure carries no more")
    ended = fresh(case)
    assert (ended.state, ended.due_at, held(case)) == ("decided", None, ["released"])
    assert states.allowed(ended, world.as_["dave"]) == []
    with pytest.raises(Refused, match="ended"):
        step(world, case, "contest", APPLICANT)


def test_a_refusal_is_contested_in_time_and_only_while_there_is_capacity(world, tower):
    late, taken = ask(world, tower, 2), ask(world, tower, 1)
    refuse(world, late)
    refuse(world, taken)
    ask(world, tower, 3)
    with pytest.raises(Refused, match="free"):
        step(world, taken, "contest", APPLICANT)
    assert fresh(taken).state == "refused"
    ShareRequest.objects.filter(pk=late.pk).update(closed_at=timezone.now() - dt.timedelta(days=40))
    with pytest.raises(Refused, match="time to contest"):
        step(world, late, "contest", APPLICANT)


def test_proposal_both_accept_leads_to_an_offer(world, tower, carol):
    case = ask(world, tower)
    made = offer(world, case)
    step(world, case, "escalate", APPLICANT, "the price is twice the tariff")
    made.refresh_from_db()
    assert made.state == "lapsed"
    step(world, case, "propose", BUREAU, "¥8,000 a year for five years")
    assert states.waiting_for(fresh(case)) == {states.Side.OWNER, states.Side.REQUESTER}
    step(world, case, "accept_proposal", OWNER, "")
    with pytest.raises(Refused, match="answered the proposal"):
        step(world, case, "accept_proposal", OWNER, "")
    step(world, case, "accept_proposal", APPLICANT, "")
    assert fresh(case).state == "assessed"
    assert case.steps.order_by("-number").first().verb == "settle"
    assert offer(world, fresh(case), price_fen=800_000, answers=1).number == 2


def test_proposal_declined_or_unanswered_goes_back_to_the_bureau(world, tower, carol):
    one, other = ask(world, tower), ask(world, tower)
    for case in (one, other):
        offer(world, case)
        step(world, case, "escalate", APPLICANT)
        step(world, case, "propose", BUREAU)
    step(world, one, "decline_proposal", OWNER)
    run_out(other)
    actions.expire_due()
    assert (fresh(one).state, fresh(other).state) == ("escalated", "escalated")
    step(world, one, "propose", BUREAU, "another one")
    assert states.accepted_sides(fresh(one)) == set()


def test_cross_province_both_bureaus_read_what_was_escalated(world, tower):
    case = ask(world, tower)
    world.operator.region = world.as_["zhao"].organisation.region
    world.operator.save(update_fields=["region"])
    rows = ShareRequest.objects.readable_by(world.as_["zhao"])
    assert not rows.filter(pk=case.pk).exists()
    offer(world, case)
    step(world, case, "escalate", APPLICANT)
    assert rows.filter(pk=case.pk).exists()


@pytest.mark.parametrize(
    ("verb", "who"),
    [
        ("accept_filing", "dave"), ("accept_filing", "eve"), ("accept_filing", "carol"), ("accept_filing", "bob"),
        ("ask_supplement", "dave"), ("supplement", "alice"), ("hold_up", "eve"), ("hold_up", "carol"),
    ],
)  # fmt: skip
def test_steps_are_refused_to_whom_they_are_not_for(world, tower, verb, who):
    case = ask(world, tower)
    if verb == "supplement":
        step(world, case, "ask_supplement")
    with pytest.raises(NotPermitted):
        step(world, case, verb, who)


def test_only_the_bureaus_mediator_proposes_and_decides(world, tower, carol):
    case = ask(world, tower)
    offer(world, case)
    with pytest.raises(Refused):
        step(world, case, "propose", BUREAU)
    step(world, case, "escalate", OWNER)
    for who in ("alice", "dave", "chen", "zhao", "eve"):
        for verb in ("propose", "decide_for", "decide_against"):
            with pytest.raises(NotPermitted):
                step(world, case, verb, who)


def test_a_step_without_its_words_or_facts_is_refused_and_nothing_moves(world, tower):
    case = ask(world, tower)
    for verb, note, data, words in (
        ("ask_supplement", " ", {}, "few words"),
        ("assess", "", {}, "Technical verdict"),
        ("assess", "", {"verdict": "perfect"}, "choose one"),
        ("assess", "", {"verdict": "adaptation"}, "which adaptation"),
    ):
        with pytest.raises(Refused, match=words):
            step(world, case, verb, note=note, **data)
    step(world, case, "accept_filing")
    for at, words in (("2020-01-01T10:00", "to come"), ("2090-01-01T10:00", "within a year"), ("", "missing")):
        with pytest.raises(Refused, match=words):
            step(world, case, "appoint_survey", at=at)
    assert (fresh(case).state, case.steps.count()) == ("accepted", 1)


def test_sent_twice_is_one_step(world, tower):
    case, key = ask(world, tower), uuid4()
    for _time in range(2):
        actions.take_step(
            request=case, verb="accept_filing", by=world.alice, membership=world.as_["alice"], key=key, note="ok"
        )
    assert case.steps.count() == 1


def test_the_clock_is_warned_of_once(world, tower):
    case = ask(world, tower)
    assert actions.warn_due() == 0
    soon = case.due_at - dt.timedelta(hours=20)
    assert actions.warn_due(now=soon) == 1
    assert actions.warn_due(now=soon) == 0
    told = Notification.objects.filter(code="notice.request.warn")
    assert set(told.values_list("user", flat=True)) >= {world.alice.pk}
    assert not told.filter(user=world.dave).exists()


def test_the_regions_own_clock_holds(world, tower):
    RegionRule.objects.create(
        region=world.regions["440000"], key="clock.survey", value=7, source="a decree", valid_from=dt.date(2024, 1, 1)
    )
    case = ask(world, tower)
    done = step(world, case, "accept_filing")
    assert done.due_at == deadline_for("clock.survey", "440106")
    assert done.due_at < deadline_for("clock.survey", "330000")


# --- The database ------------------------------------------------------------------------------


def test_steps_and_ended_clocks_stay_as_they_are(world, tower):
    case = ask(world, tower)
    step(world, case, "accept_filing")
    with pytest.raises(IntegrityError), transaction.atomic():
        CaseStep.objects.filter(request=case).update(note="otherwise")
    with pytest.raises(IntegrityError), transaction.atomic():
        CaseClock.objects.filter(request=case, outcome="met").update(outcome="run_out")


def test_one_clock_runs_per_case(world, tower):
    case = ask(world, tower)
    with pytest.raises(IntegrityError, match="clock_one_runs"), transaction.atomic():
        CaseClock.objects.create(
            request=case,
            rule="clock.offer",
            state="submitted",
            started_at=timezone.now(),
            days=1,
            due_at=timezone.now(),
        )


def test_on_hold_without_a_way_back_cannot_be_stored(world, tower):
    case = ask(world, tower)
    with pytest.raises(IntegrityError, match="way_back"), transaction.atomic():
        ShareRequest.objects.filter(pk=case.pk).update(state="on_hold")


def test_what_was_withdrawn_cannot_be_opened_again(world, tower):
    case = ask(world, tower)
    actions.withdraw(request=case, by=world.dave, membership=world.as_["dave"])
    with pytest.raises(IntegrityError), transaction.atomic():
        ShareRequest.objects.filter(pk=case.pk).update(state="escalated", closed_at=None, due_at=timezone.now())


# --- The pages ---------------------------------------------------------------------------------


def test_the_page_offers_what_is_open_and_takes_it(client_as, world, tower):
    case = ask(world, tower)
    owner = client_as("alice")
    page = owner.get(en("request_detail", case.pk)).content.decode()
    for words in ("Accept for examination", "Ask for what is missing", "then the request counts as complete"):
        assert words in page
    assert "Accept for examination" not in client_as("dave").get(en("request_detail", case.pk)).content.decode()
    empty = owner.post(en("request_step", case.pk, "ask_supplement"), {"note": "", "key": str(uuid4())})
    assert empty.status_code == 422
    answer = owner.post(
        en("request_step", case.pk, "ask_supplement"), {"note": "the load check is missing", "key": str(uuid4())}
    )
    assert answer.status_code == 302
    page = client_as("dave").get(en("request_detail", case.pk)).content.decode()
    assert "the load check is missing" in page
    assert "Hand in what was missing" in page


def test_a_changed_calendar_moves_the_running_clock_and_its_hold(world, tower, monkeypatch):
    from accounts import workdays
    from agreements.recounts import recount_requests

    case = ask(world, tower)
    step(world, case, "accept_filing")
    step(world, case, "hold_up", APPLICANT)
    step(world, case, "resume", APPLICANT, "")
    before = fresh(case).due_at
    assert recount_requests(world.regions["440000"], "nothing new") == 0
    monkeypatch.setattr(workdays, "is_workday", lambda *_day: True)
    assert recount_requests(world.regions["440000"], "make-up days") == 1
    moved = fresh(case)
    assert moved.due_at < before
    assert case.clocks.get(outcome="running").due_at == moved.due_at


@pytest.mark.parametrize("verb", ["offer", "nonsense", "expire", "deem_complete"])
def test_there_is_no_address_for_other_verbs(client_as, world, tower, verb):
    case = ask(world, tower)
    assert client_as("alice").post(en("request_step", case.pk, verb), {"key": str(uuid4())}).status_code == 404


def test_the_survey_is_appointed_by_form_in_local_time(client_as, world, tower):
    case = ask(world, tower)
    step(world, case, "accept_filing")
    at = timezone.localtime(in_two_days()).replace(second=0, microsecond=0)
    answer = client_as("alice").post(
        en("request_step", case.pk, "appoint_survey"),
        {"at": at.strftime("%Y-%m-%dT%H:%M"), "meet": "gate", "note": "", "key": str(uuid4())},
    )
    assert answer.status_code == 302
    assert case.steps.get(verb="appoint_survey").data == {"at": at.isoformat(), "meet": "gate"}


def test_the_bureau_finds_its_cases_in_my_work(client_as, world, tower, carol):
    case = ask(world, tower)
    offer(world, case)
    step(world, case, "escalate", OWNER, "no agreement")
    page = client_as("carol").get(en("my_work")).content.decode()
    assert case.code in page
    page = client_as("carol").get(en("request_detail", case.pk)).content.decode()
    assert "Propose a settlement" in page
    assert "no agreement" in page


def test_agreed_terms_cannot_be_put_on_hold(world, tower):
    agreement = agree(world, tower)
    with pytest.raises(Refused):
        step(world, agreement.request, "hold_up")


def test_what_the_survey_found_is_taken_over_by_the_owner_with_one_click(world, tower, client_as):
    case = ask(world, tower)
    Tower.objects.filter(resource=tower).update(height_m=40)
    step(world, case, "accept_filing", "alice")
    step(world, case, "appoint_survey", "alice", at=timezone.now() + dt.timedelta(days=3))
    page = client_as("dave")
    url = en("request_step", case.pk, "report_findings")
    given = {"note": "Shorter", "found_height_m": "38.5", "found_load_kg": "", "key": uuid4()}
    assert page.post(url, given | {"found_height_m": "-3"}).status_code == 422
    assert page.post(url, given).status_code == 302
    assert "38.5" in page.get(en("request_detail", case.pk)).content.decode()  # in the story
    take = en("findings_take", case.pk)
    assert page.post(take).status_code == 403
    owner = client_as("alice")
    assert [one.name for one in owner.get(en("request_detail", case.pk)).context["differences"]] == ["height_m"]
    assert owner.post(take).status_code == 302
    fresh = Resource.objects.get(pk=tower.pk)
    assert fresh.facts.height_m == Decimal("38.5")
    assert case.code in fresh.provenance["height_m"]["source"]
    assert fresh.provenance["height_m"]["on"] == timezone.localdate().isoformat()
    assert Event.objects.filter(verb="resource.as_found").count() == 1
    assert owner.get(en("request_detail", case.pk)).context["differences"] == []
    with pytest.raises(Refused):
        actions.take_findings(request=case, by=world.alice, membership=world.as_["alice"])
