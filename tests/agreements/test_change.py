"""Amending and renewing an agreement in operation: capacity follows, the chain is told, nothing is sold twice."""

import datetime as dt
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.errors import NotPermitted, Refused
from accounts.work import items_for
from agreements import actions
from agreements.actions.changes import Terms
from agreements.chain import chain
from agreements.documents import document
from agreements.models import Agreement, CaseClock, ShareRequest
from agreements.sheets.clauses import Answer
from agreements.sheets.draft import Draft
from listings.models import Reservation

from .story import accept, agree, ask, en, offer, sign


@pytest.fixture
def running(world, tower) -> Agreement:
    """Two of the tower's three positions, in operation (the works are taken as done)."""
    agreement = agree(world, tower, quantity=2)
    sign(world, agreement, "alice")
    sign(world, agreement, "dora")
    ends = timezone.now() + dt.timedelta(days=700)
    CaseClock.objects.filter(request=agreement.request, outcome="running").update(rule="term", due_at=ends)
    ShareRequest.objects.filter(pk=agreement.request_id).update(state="operating", due_at=ends)
    return Agreement.objects.get(pk=agreement.pk)


def propose(world, agreement, who="dave", change="amendment", quantity=2, price_fen=900_000, months=24, **more):
    pool = agreement.request.resource.pools.get()
    return actions.propose_change(
        agreement=agreement, change=change, by=world.user(who), membership=world.as_[who],
        terms=Terms({pool.pk: Decimal(quantity)}, price_fen, months), key=more.pop("key", uuid4()), **more,
    )  # fmt: skip


def conclude(world, case, who="alice") -> Agreement:
    """The proposed version accepted by the other side, and signed by both."""
    agreement = accept(world, case.offers.get(), who=who)
    sign(world, agreement, "alice")
    sign(world, agreement, "dora")
    return Agreement.objects.get(pk=agreement.pk)


def free(tower):
    return tower.pools.get().free


def test_more_units_are_held_first_and_one_reservation_follows_the_signature(world, tower, running):
    case = propose(world, running, quantity=3)
    assert (case.state, free(tower)) == ("negotiating", 0)
    amended = conclude(world, case)
    running.refresh_from_db()
    case.refresh_from_db()
    first = max(timezone.localdate(), running.offer.starts_on)
    assert (case.state, amended.price_from, amended.ends_on) == ("operating", first, running.ends_on)
    assert (running.request.state, running.ended_on) == ("finished", timezone.localdate())
    active = Reservation.objects.active().filter(pool=tower.pools.get())
    assert [(row.state, row.quantity) for row in active] == [("confirmed", 3)]
    assert free(tower) == 0
    assert case.clocks.get(outcome="running").rule == "term"


def test_fewer_units_are_free_only_with_the_last_signature(world, tower, running):
    case = propose(world, running, who="alice", quantity=1)
    agreement = accept(world, case.offers.get(), who="dave")
    sign(world, agreement, "alice")
    assert free(tower) == 1
    sign(world, agreement, "dora")
    assert free(tower) == 2


def test_refused_change_leaves_the_agreement_as_it_was(world, tower, running):
    case = propose(world, running, quantity=3)
    actions.refuse(request=case, by=world.alice, membership=world.as_["alice"], code="safety")
    running.request.refresh_from_db()
    assert (running.request.state, free(tower)) == ("operating", 1)
    assert propose(world, running).pk != case.pk  # and another may be proposed


def test_counter_offers_stay_within_what_is_kept_and_held_and_keep_the_period(world, tower, running):
    case = propose(world, running, quantity=3)
    pool = tower.pools.get().pk
    with pytest.raises(Refused) as refusal:
        offer(world, case, quantities={pool: Decimal(4)})
    assert refusal.value.code == "over_hold"
    with pytest.raises(Refused) as refusal:
        offer(world, case, months=36)
    assert refusal.value.code == "change_period"
    second = offer(world, case, price_fen=950_000, quantities={pool: Decimal(2)})
    agreement = accept(world, second)
    assert free(tower) == 1  # the third position is let go with the terms
    sign(world, agreement, "alice")
    sign(world, agreement, "dora")
    assert free(tower) == 1


def test_clauses_start_from_the_words_that_were_signed(world, running):
    draft = Draft(scheme="agreed", answers={"payment": Answer("按季度支付。", "Paid by the quarter.")})
    case = propose(world, running, sheet=draft)
    stands = {clause["code"]: clause["stand"] for clause in case.offers.get().sheet.clauses}
    assert stands.pop("payment") == "countered"
    assert set(stands.values()) == {"agreed"}


def test_renewal_is_a_further_period_beside_the_running_one(world, tower, running):
    case = propose(world, running, change="renewal", quantity=2, months=12)
    renewed = conclude(world, case)
    running.request.refresh_from_db()
    case.refresh_from_db()
    assert (case.state, running.request.state) == ("operating", "operating")
    assert renewed.offer.starts_on == running.ends_on + dt.timedelta(days=1)
    assert renewed.price_from == renewed.offer.starts_on
    assert free(tower) == 1  # the two periods follow one another
    with pytest.raises(Refused) as refusal:
        propose(world, running, change="renewal")
    assert refusal.value.code == "renewed"


def test_a_period_is_renewed_once_however_often_it_was_amended(world, running):
    renewed = conclude(world, propose(world, running, change="renewal", quantity=1, months=12))
    amended = conclude(world, propose(world, running))
    with pytest.raises(Refused) as refusal:
        propose(world, amended, change="renewal", quantity=1)
    assert refusal.value.code == "renewed"
    again = conclude(world, propose(world, renewed, quantity=1, price_fen=800_000, months=12))  # the renewal amended
    with pytest.raises(Refused) as refusal:
        propose(world, amended, change="renewal", quantity=1)
    assert refusal.value.code == "renewed"
    assert propose(world, again, change="renewal", quantity=1).change == "renewal"  # the next period is another


def test_of_two_renewals_of_an_amended_agreement_one_comes_into_force(world, running):
    first = propose(world, running, change="renewal", quantity=1, months=12)
    actions.refuse(request=first, by=world.alice, membership=world.as_["alice"], code="safety")
    amended = conclude(world, propose(world, running))
    conclude(world, propose(world, amended, change="renewal", quantity=1, months=12))
    actions.take_step(request=first, verb="contest", by=world.dave, membership=world.as_["dave"], note="It is safe")
    first.refresh_from_db()
    with pytest.raises(Refused, match="renewed already"):
        offer(world, first)
    with pytest.raises(IntegrityError, match="renewed_once"), transaction.atomic():
        connection.cursor().execute(
            "UPDATE agreements_sharerequest SET state = 'operating', closed_at = now() WHERE id = %s", [first.pk]
        )


def test_papers_name_what_they_amend_and_the_chain_is_told(world, running, client_as):
    amended = conclude(world, propose(world, running))
    assert amended.terms["amends"]["reference"] == running.reference
    rows = [row.value for section in document(amended.terms, "en").sections for row in section.rows]
    assert any(running.reference in value for value in rows)
    assert not any("× 24 / 12" in value for value in rows)
    assert [(link.agreement.pk, link.change) for link in chain(running)] == [
        (running.pk, ""),
        (amended.pk, "amendment"),
    ]
    page = client_as("alice")
    assert amended.reference in page.get(en("agreement_detail", running.pk)).content.decode()
    assert running.reference in page.get(en("agreement_list")).content.decode()
    public = page.get(en("agreement_verify") + f"?code={running.verification_code}").content.decode()
    assert amended.reference in public


def test_sent_twice_is_once_and_only_one_change_is_open(world, running):
    key = uuid4()
    assert propose(world, running, key=key) == propose(world, running, key=key)
    with pytest.raises(Refused) as refusal:
        propose(world, running)
    assert refusal.value.code == "open_change"


def test_who_and_when(world, tower, running):
    for who in ("bob", "dora", "eve", "carol"):
        with pytest.raises(NotPermitted):
            propose(world, running, who=who)
    with pytest.raises(Refused) as refusal:
        propose(world, running, price_fen=running.offer.price_fen_per_year)
    assert refusal.value.code == "same_terms"
    with pytest.raises(Refused) as refusal:
        propose(world, running, quantity=4)
    assert refusal.value.code == "no_space"
    case = propose(world, running)
    ShareRequest.objects.filter(pk=running.request_id).update(state="leaving")
    with pytest.raises(Refused) as refusal:
        accept(world, case.offers.get(), who="alice")
    assert refusal.value.code == "base_gone"
    with pytest.raises(Refused) as refusal:
        propose(world, Agreement.objects.get(pk=running.pk))
    assert refusal.value.code == "not_operating"


def test_database_holds_what_a_change_is(world, running):
    propose(world, running)
    copy = (
        "INSERT INTO agreements_sharerequest SELECT (jsonb_populate_record(r, jsonb_build_object('id', r.id + 90000, %s"
        "'idempotency_key', gen_random_uuid()))).* FROM agreements_sharerequest r WHERE change <> ''"
    )
    other = "'requester_id', (SELECT id FROM accounts_organisation WHERE name_en = 'Evil Corp'), "
    for sql, message in (
        ("UPDATE agreements_sharerequest SET amends_id = NULL, change = '' WHERE change <> ''", "change_fits"),
        ("UPDATE agreements_sharerequest SET change = 'renewal' WHERE change <> ''", "change_fits"),
        (copy % "", "request_one_open_change"),
        (copy % other, "change_fits"),
    ):
        with pytest.raises(IntegrityError, match=message), transaction.atomic():
            connection.cursor().execute(sql)


def test_by_hand_from_the_agreement_to_its_change(world, tower, running, client_as):
    page = client_as("dave")
    agreement_page = page.get(en("agreement_detail", running.pk))
    url = en("change_new", running.pk, "amendment")
    assert url in agreement_page.content.decode()
    form = page.get(url).context["form"]
    data = {bound.name: bound.value() for bound in form if bound.value() is not None and bound.value() is not False}
    assert page.post(url, data).status_code == 422  # nothing would change
    data[f"q_{tower.pools.get().pk}"] = 3
    worked = page.post(url, data | {"work_out": "1"})
    assert worked.status_code == 200, worked.context["form"].errors
    response = page.post(url, data | {"price_yuan": "15000"})
    case = ShareRequest.objects.get(amends=running)
    assert response.url == en("request_detail", case.pk)
    assert (case.offers.get().price_fen_per_year, free(tower)) == (1_500_000, 0)
    assert page.get(response.url).status_code == 200
    assert page.get(en("sheet_detail", case.pk)).status_code == 200
    assert case.code in page.get(en("agreement_detail", running.pk)).content.decode()
    assert page.get(en("change_new", running.pk, "renewal")).status_code == 302
    assert client_as("bob").get(url).status_code == 403
    assert client_as("eve").get(url).status_code == 404
    assert page.get(en("change_new", running.pk, "other")).status_code == 404


def test_what_ends_soon_and_nobody_renews_stands_in_my_work(world, running):
    def ending(who):
        return [str(item.title) for item in items_for(world.as_[who]) if "ends soon" in str(item.title)]

    assert not ending("alice")
    Agreement.objects.filter(pk=running.pk).update(ends_on=timezone.localdate() + dt.timedelta(days=50))
    assert ending("alice")
    assert ending("dave")
    assert not ending("eve")
    propose(world, Agreement.objects.get(pk=running.pk), change="renewal", quantity=1)
    assert not ending("alice")


def test_a_request_of_its_own_is_as_before(world, tower):
    assert ask(world, tower).change == ""


def test_a_clause_without_english_reads_chinese_in_both_places(world, running):
    draft = Draft(scheme="agreed", answers={"payment": Answer("按季度支付。", "")})
    amended = accept(world, propose(world, running, sheet=draft).offers.get(), who="alice")
    assert "按季度支付。" in {section.text for section in document(amended.terms, "en").sections}
