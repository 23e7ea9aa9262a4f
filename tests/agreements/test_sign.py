"""Signing: after the password, by signatories, each side once; the last signature makes it an agreement."""

import json
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django_tasks_db.models import DBTaskResult

from accounts.errors import NotPermitted, Refused
from accounts.models import Event
from agreements import actions
from agreements.codes import ALPHABET, new_verification_code, tidy_code
from agreements.models import Agreement, Signature
from agreements.terms import digest
from listings.models import DemandLine, Kind
from messaging.actions import thread_about
from messaging.models import Notification
from tests.world import PASSWORD, make_line, make_list, make_resource

from .story import accept, agree, ask, offer, sign, signed


def test_last_signature_confirms_the_hold_and_asks_for_the_pdf(world, tower):
    agreement = agree(world, tower, quantity=2)
    sign(world, agreement, "dora")
    agreement.refresh_from_db()
    assert agreement.state == "signing"
    sign(world, agreement, "alice")
    agreement.refresh_from_db()
    case = agreement.request
    case.refresh_from_db()
    assert (agreement.state, case.state, case.due_at is None) == ("signed", "signed", False)
    assert case.items.get().reservation.state == "confirmed"
    assert tower.pools.get().free == 1
    assert {s.signer_name for s in agreement.signatures.all()} == {"Alice", "Dora"}
    assert DBTaskResult.objects.filter(task_path="agreements.tasks.write_pdf").count() == 1
    assert Event.objects.about(agreement).filter(verb="agreement.conclude").exists()
    assert Notification.objects.filter(code="notice.agreement.conclude").count() == 3  # Alice, Dave, Dora


def test_confirmed_capacity_is_not_let_go_by_the_clock(world, tower):
    signed(world, tower)
    assert actions.expire_due() == 0
    assert tower.pools.get().free == 2


def test_signing_fulfils_the_demand_line(world, tower):
    demand_list = make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)
    line = make_line(demand_list, world.operator)
    signed(world, tower, line=line)
    line.refresh_from_db()
    assert line.state == "fulfilled"


def test_an_agreement_for_less_leaves_the_line_requested(world, tower):
    demand_list = make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)
    line = make_line(demand_list, world.operator, quantity=2)
    case = ask(world, tower, 2, line=line)
    agreement = accept(world, offer(world, case, quantities={tower.pools.get().pk: Decimal(1)}))
    sign(world, agreement, "alice")
    sign(world, agreement, "dora")
    line.refresh_from_db()
    assert line.state == "requested"
    event = Event.objects.get(verb="line.fall_short")
    assert agreement.reference in event.reason
    assert thread_about(case).messages.filter(event_code="agreement.fall_short").exists()


def test_line_withdrawn_meanwhile_does_not_stop_the_signature(world, tower):
    demand_list = make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)
    line = make_line(demand_list, world.operator)
    agreement = agree(world, tower, line=line)
    DemandLine.objects.filter(pk=line.pk).update(state="withdrawn")
    sign(world, agreement, "alice")
    sign(world, agreement, "dora")
    agreement.refresh_from_db()
    assert agreement.state == "signed"


def test_wrong_password_signs_nothing(world, tower):
    agreement = agree(world, tower)
    with pytest.raises(Refused, match="password") as refusal:
        sign(world, agreement, "alice", password="wrong")
    assert refusal.value.code == "password"
    assert not Signature.objects.exists()


@pytest.mark.parametrize("who", ["dave", "bob", "eve", "carol", "vera"])
def test_only_signatories_of_the_parties_sign(world, tower, who):
    with pytest.raises(NotPermitted):
        sign(world, agree(world, tower), who)


def test_signing_twice_is_once(world, tower):
    agreement = agree(world, tower)
    assert sign(world, agreement, "alice") == sign(world, agreement, "alice")
    assert Signature.objects.count() == 1


def test_other_words_than_those_read_are_not_signed(world, tower):
    agreement = agree(world, tower)
    with pytest.raises(Refused) as refusal:
        actions.sign(
            agreement=agreement, by=world.alice, membership=world.as_["alice"], password=PASSWORD, terms_sha256="0" * 64
        )
    assert refusal.value.code == "other_terms"


def test_terms_say_who_what_how_much_and_for_how_long_in_both_languages(world, tower):
    agreement = agree(world, tower, quantity=2)
    terms = agreement.terms
    assert [(p["side"], p["uscc"]) for p in terms["parties"]] == [
        ("owner", world.power.uscc), ("requester", world.operator.uscc),
    ]  # fmt: skip
    assert terms["object"]["code"] == tower.code
    assert terms["object"]["region"]["code"] == "440106"
    assert terms["items"][0]["text"] == {"zh": "2 个天线位", "en": "2 antenna positions"}
    assert terms["price"]["sum"] == "¥12,000.00 × 24 / 12 = ¥24,000.00"
    assert terms["price"]["published"][0]["en"] == "P1: 2 antenna positions × ¥12,000.00 = ¥24,000.00 a year"
    assert {"tower_load", "use", "disputes"} <= {clause["code"] for clause in terms["clauses"]}
    assert all(clause["text"]["zh"] and clause["text"]["en"] for clause in terms["clauses"])
    assert agreement.terms_sha256 == digest(json.loads(json.dumps(terms)))


def test_terms_carry_no_exact_place(world, tower):
    text = json.dumps(agree(world, tower).terms)
    assert "113.33" not in text
    assert "23.13" not in text


@pytest.mark.parametrize(
    ("kind", "clause"), [(Kind.DUCT, "duct_bores"), (Kind.CABLE, "cable_cores"), (Kind.ROOM, "room_power")]
)
def test_each_kind_brings_its_clauses(world, kind, clause):
    terms = agree(world, make_resource(world.power, kind)).terms
    assert clause in {c["code"] for c in terms["clauses"]}


def test_reference_and_codes_read_well(world, tower):
    agreement = agree(world, tower)
    year = agreement.created_at.year
    assert agreement.reference == f"GJ-{year}-{agreement.pk:06d}"
    code = new_verification_code()
    assert len({new_verification_code() for _ in range(200)}) == 200
    assert set(code) <= set(ALPHABET + "-")
    assert tidy_code(f" {code.lower().replace('-', ' ')} ") == code
    assert tidy_code("short") == ""


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("UPDATE agreements_signature SET signer_name = 'X'", "append-only"),
        ("DELETE FROM agreements_signature", "append-only"),
        ("UPDATE agreements_agreement SET terms = '{}'", "append-only"),
        ("UPDATE agreements_agreement SET terms_sha256 = repeat('0', 64)", "append-only"),
        ("UPDATE agreements_agreement SET verification_code = 'X'", "append-only"),
        ("UPDATE agreements_agreement SET state = 'signing'", "append-only"),
        ("DELETE FROM agreements_agreement", "append-only"),
        ("UPDATE agreements_agreement SET signed_at = NULL", "agreement_signed_has_time"),
    ],
)
def test_database_keeps_what_was_signed(world, tower, sql, message):
    signed(world, tower)
    with pytest.raises(IntegrityError, match=message), transaction.atomic():
        connection.cursor().execute(sql)


def test_database_takes_signatures_of_the_parties_and_the_very_terms_alone(world, tower):
    agreement = agree(world, tower)
    fields = {"agreement": agreement, "user": world.eve, "signer_name": "X", "terms_sha256": agreement.terms_sha256}
    for wrong in (
        {"organisation": world.evil},
        {"organisation": world.power, "terms_sha256": "0" * 64},
    ):
        with pytest.raises(IntegrityError, match="a signature is a party's"), transaction.atomic():
            Signature.objects.create(**{**fields, **wrong})


def test_database_allows_one_signature_per_party(world, tower):
    agreement = agree(world, tower)
    made = sign(world, agreement, "alice")
    made.pk = None
    with pytest.raises(IntegrityError, match="signature_once_per_party"), transaction.atomic():
        made.save(force_insert=True)


def test_agreement_is_one_per_request(world, tower):
    case = ask(world, tower)
    agreement = accept(world, offer(world, case))
    assert Agreement.objects.filter(request=case).get() == agreement
