"""Approval inside an organisation: by amount, per version, before the signature; the database holds it too."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from accounts.errors import NotPermitted, Refused
from accounts.models import Event
from accounts.work import items_for
from agreements import actions, states
from agreements.approvals.steps import steps, version_digest
from agreements.models import Approval, ApprovalRule, Signature
from messaging.models import Notification
from tests.world import make_user

from .story import accept, agree, ask, en, offer, sign


@pytest.fixture
def finance(world):
    """Fay and Frank, finance of Alice's company."""
    return make_user("Fay", world.power, "viewer"), make_user("Frank", world.power, "viewer")


def rule(world, approver, *, who="alice", from_fen=1_000_000, basis="year", deputy=None, name="Finance"):
    return actions.set_approval_rule(
        by=world.user(who), membership=world.as_[who], name=name, basis=basis, from_fen=from_fen, approver=approver,
        deputy=deputy,
    )  # fmt: skip


def answer(made, person, verdict="approved", note=""):
    return actions.answer_approval(
        offer=made, by=person, membership=person.memberships.get(), verdict=verdict, note=note,
        version_sha256=version_digest(made),
    )  # fmt: skip


def test_signed_only_after_the_steps_the_amount_reaches_in_their_order(world, tower, finance):
    fay, frank = finance
    board = rule(world, frank, from_fen=2_400_000, basis="total", name="Board")  # 24 months at 12,000 a year: reached
    rule(world, fay)
    rule(world, frank, from_fen=1_200_001, name="Not reached")
    agreement = agree(world, tower)
    made = agreement.offer
    assert [(step.rule.name, step.stand) for step in steps(made, world.power.pk)] == [
        ("Finance", "next"), ("Board", "later"),
    ]  # fmt: skip
    with pytest.raises(Refused) as refusal:
        sign(world, agreement, "alice")
    assert refusal.value.code == "not_approved"
    with pytest.raises(Refused, match="comes first"):
        answer(made, frank)
    answer(made, fay)
    with pytest.raises(Refused):
        sign(world, agreement, "alice")
    answer(made, frank)
    assert answer(made, frank).rule == board  # twice is once
    assert Approval.objects.count() == 2
    sign(world, agreement, "alice")
    sign(world, agreement, "dora")  # the other side has no rules
    assert Event.objects.filter(verb="approval.approve").count() == 2


def test_a_new_version_is_approved_anew(world, tower, finance):
    fay, _frank = finance
    rule(world, fay, from_fen=0)
    case = ask(world, tower)
    first = offer(world, case)
    answer(first, fay)
    counter = offer(world, case, who="dave", price_fen=1_100_000)
    agreement = accept(world, counter, who="alice")
    with pytest.raises(Refused, match="version 2"):
        sign(world, agreement, "alice")
    with pytest.raises(Refused) as refusal:
        answer(first, fay)
    assert refusal.value.code == "stale"


def test_rejected_with_a_note_blocks_until_it_is_approved(world, tower, finance):
    fay, frank = finance
    rule(world, fay, deputy=frank)
    agreement = agree(world, tower)
    with pytest.raises(Refused, match="Say why"):
        answer(agreement.offer, fay, "rejected")
    answer(agreement.offer, fay, "rejected", "Too dear")
    with pytest.raises(Refused, match="Too dear"):
        sign(world, agreement, "alice")
    answer(agreement.offer, frank)
    sign(world, agreement, "alice")
    assert Notification.objects.filter(code="notice.approval.reject").exists()


def test_who_approved_does_not_sign_as_well(world, tower):
    rule(world, world.alice)
    agreement = agree(world, tower)
    answer(agreement.offer, world.alice)
    with pytest.raises(Refused) as refusal:
        sign(world, agreement, "alice")
    assert refusal.value.code == "own_approval"


def test_only_those_named_answer_and_only_administrators_set_rules(world, tower, finance):
    fay, frank = finance
    rule(world, fay)
    agreement = agree(world, tower)
    for person in (frank, world.bob, world.dave):
        with pytest.raises(NotPermitted):
            answer(agreement.offer, person)
    with pytest.raises(NotPermitted):
        rule(world, fay, who="bob")
    with pytest.raises(Refused, match="member"):
        rule(world, world.dave)
    with pytest.raises(NotPermitted):
        actions.end_approval_rule(rule=ApprovalRule.objects.get(), by=world.dave, membership=world.as_["dave"])


def test_ended_rule_asks_no_more(world, tower, finance):
    made = rule(world, finance[0])
    agreement = agree(world, tower)
    actions.end_approval_rule(rule=made, by=world.alice, membership=world.as_["alice"])
    sign(world, agreement, "alice")


def test_database_keeps_rules_and_answers(world, tower, finance):
    rule(world, finance[0])
    answer(agree(world, tower).offer, finance[0])
    for sql in (
        "UPDATE agreements_approval SET verdict = 'rejected'",
        "DELETE FROM agreements_approval",
        "UPDATE agreements_approvalrule SET from_fen = 9",
        "DELETE FROM agreements_approvalrule",
    ):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            connection.cursor().execute(sql)


def test_database_takes_no_signature_without_the_approvals(world, tower, finance):
    rule(world, finance[0])
    agreement = agree(world, tower)
    fields = {"agreement": agreement, "organisation": world.power, "user": world.alice, "signer_name": "Alice"}
    with pytest.raises(IntegrityError, match="signature_is_approved"), transaction.atomic():
        Signature.objects.create(terms_sha256=agreement.terms_sha256, **fields)
    answer(agreement.offer, finance[0])
    Signature.objects.create(terms_sha256=agreement.terms_sha256, **fields)


def test_pages_show_what_waits_to_one_side_only(world, tower, finance, client_as):
    fay, _frank = finance
    rule(world, fay)
    agreement = agree(world, tower)
    case = agreement.request
    own = client_as("alice")
    assert own.get(en("approval", case.pk)).context["steps"][0].rule.name == "Finance"
    assert "Finance" in own.get(en("agreement_detail", agreement.pk)).content.decode()
    assert "Finance" in own.get(en("request_detail", case.pk)).content.decode()
    assert "Finance" not in client_as("dave").get(en("agreement_detail", agreement.pk)).content.decode()
    assert client_as("carol").get(en("approval", case.pk)).status_code == 404
    assert not states.refusal(case, world.as_["dora"], "sign")
    titles = [str(item.title) for item in items_for(fay.memberships.select_related("organisation__region").get())]
    assert any("Finance" in title for title in titles)


def test_by_hand_an_administrator_sets_a_rule_and_a_named_person_answers(world, tower, finance, client_as):
    fay, _frank = finance
    admin = client_as("alice")
    given = {"name": "Finance", "basis": "year", "from_yuan": "5000", "approver": fay.pk}
    assert admin.post(en("approval_rules"), given).status_code == 302
    assert ApprovalRule.objects.get().from_fen == 500_000
    assert "¥5,000" in admin.get(en("approval_rules")).content.decode()
    assert admin.post(en("approval_rules"), given | {"deputy": fay.pk}).status_code == 422
    agreement = agree(world, tower)
    page = Client()
    page.force_login(fay, backend="accounts.backends.PasswordBackend")
    url = en("approval", agreement.request_id)
    sha = page.get(url).context["form"].initial["version_sha256"]
    assert page.post(url, {"verdict": "rejected", "version_sha256": sha}).status_code == 422
    assert page.post(url, {"verdict": "approved", "version_sha256": sha}).status_code == 302
    assert Approval.objects.get().by == fay
    assert client_as("bob").post(url, {"verdict": "approved", "version_sha256": sha}).status_code == 403
    assert admin.post(en("approval_rule_end", ApprovalRule.objects.get().pk)).status_code == 302
