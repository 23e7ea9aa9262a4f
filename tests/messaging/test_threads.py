"""Parties come and go, bureaus join when asked, objections have their conversation, threads become PDFs."""

from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts.errors import NotPermitted, Refused
from listings.actions import demand
from messaging import actions, export, presenters
from messaging.models import Message, Notification, OutboxEntry, ReadMark, Thread, ThreadExport, ThreadParty
from messaging.relay import forget_done, relay_once
from messaging.sweeps import take_up_lost_exports
from tests.messaging.test_send import case  # noqa: F401 - a fixture
from tests.world import make_list


def say(world, thread, name="dave", body="Is there room?"):
    return actions.post(thread=thread, by=world.user(name), membership=world.as_[name], body=body, client_uuid=uuid4())


def reads(world, name, thread):
    return Thread.objects.readable_by(world.as_[name]).filter(pk=thread.pk).exists()


def test_roles_of_a_party_decide_who_takes_part(world, thread):
    actions.join(thread=thread, organisation=world.bureau, by=None, roles=["publisher", "mediator"])
    assert reads(world, "chen", thread)
    assert not reads(world, "carol", thread)  # curator and administrator


def test_party_that_left_reads_nothing_and_may_come_back(world, thread):
    actions.leave(thread=thread, organisation=world.power, by=world.alice)
    assert not reads(world, "alice", thread)
    assert Message.objects.get(thread=thread).event_code == "thread.leave"
    actions.join(thread=thread, organisation=world.power, by=None)
    assert reads(world, "alice", thread)
    assert ThreadParty.objects.filter(thread=thread, organisation=world.power).count() == 2


def test_leaving_and_joining_twice_is_once(world, thread):
    for _ in range(2):
        actions.leave(thread=thread, organisation=world.power, by=None)
    for _ in range(2):
        actions.join(thread=thread, organisation=world.power, by=None)
    assert Message.objects.filter(thread=thread).count() == 2


def test_bureau_joins_when_asked(world, case, client_as):  # noqa: F811
    _, thread = case
    assert not reads(world, "chen", thread)
    client_as("dave").post(reverse("thread_bureau", args=[thread.pk]), {"reason": "No answer for weeks"})
    assert reads(world, "chen", thread)
    assert not reads(world, "zhao", thread)  # another province
    codes = list(Message.objects.filter(thread=thread).order_by("number").values_list("event_code", flat=True))
    assert codes[-2:] == ["thread.asked_bureau", "thread.join"]
    assert Notification.objects.filter(user=world.chen, code="thread.ask_bureau").exists()
    say(world, thread, "chen", "We have read it.")
    with pytest.raises(Refused) as refusal:
        actions.ask_bureau(thread=thread, by=world.dave, membership=world.as_["dave"], reason="again")
    assert refusal.value.code == "no_bureau"


def test_bureau_is_not_asked_without_a_reason_or_the_role(world, case):  # noqa: F811
    _, thread = case
    with pytest.raises(Refused) as refusal:
        actions.ask_bureau(thread=thread, by=world.dave, membership=world.as_["dave"], reason=" ")
    assert refusal.value.code == "no_reason"
    with pytest.raises(NotPermitted):
        actions.ask_bureau(thread=thread, by=world.vera, membership=world.as_["vera"], reason="x")


def test_objection_has_a_conversation_with_the_bureau(world, client_as):
    demand_list = make_list(world.bureau, state="notice", submitted_by=world.carol, published_by=world.chen)
    objection = demand.make_objection(demand_list=demand_list, membership=world.as_["dave"], text="Line 1 is ours")
    thread = actions.thread_about(objection)
    assert reads(world, "carol", thread)
    assert reads(world, "dave", thread)
    assert not reads(world, "alice", thread)
    page = client_as("carol").get(reverse("thread_detail", args=[thread.pk])).content.decode()
    assert "Line 1 is ours" in page
    say(world, thread, "carol", "We look into it.")


# --- Receipts -----------------------------------------------------------------------------------


def test_receipts_are_by_organisation_and_the_furthest_counts(world, thread):
    for _ in range(3):
        say(world, thread)
    actions.mark(thread=thread, by=world.vera, delivered=3)
    actions.mark(thread=thread, by=world.bob, read=2)
    assert presenters.receipts(thread) == {world.power.pk: [3, 2], world.operator.pk: [3, 3]}


def test_marks_do_not_go_back_nor_past_the_end(world, thread):
    say(world, thread)
    assert actions.mark(thread=thread, by=world.alice, read=99)
    assert not actions.mark(thread=thread, by=world.alice, read=0, delivered=1)
    mark = ReadMark.objects.get(user=world.alice)
    assert (mark.last_number, mark.delivered_number) == (1, 1)


def test_database_refuses_what_was_read_before_it_arrived(world, thread):
    with pytest.raises(IntegrityError, match="read_was_delivered"), transaction.atomic():
        ReadMark.objects.create(thread=thread, user=world.alice, last_number=2, delivered_number=1)


# --- Relay --------------------------------------------------------------------------------------


def test_relay_works_off_once_and_forgets_later(world, thread):
    say(world, thread)
    assert (relay_once(), relay_once()) == (1, 0)
    assert OutboxEntry.objects.get().done_at
    assert forget_done() == 0
    OutboxEntry.objects.update(done_at="2026-01-01T00:00:00Z")
    assert forget_done() == 1


def test_who_has_read_it_already_is_not_told(world, thread):
    said = say(world, thread)
    actions.mark(thread=thread, by=world.alice, read=said.number)
    relay_once()
    assert not Notification.objects.filter(user=world.alice).exists()


def test_relay_asks_a_fixed_number_of_queries(world, thread, django_assert_max_num_queries):
    for i in range(20):
        say(world, thread, body=f"@Vera {i}")
    with django_assert_max_num_queries(14):
        assert relay_once() == 20


def test_database_refuses_an_entry_that_owes_nothing(world):
    with pytest.raises(IntegrityError, match="outbox_names_what"), transaction.atomic():
        OutboxEntry.objects.create(kind="rights")


# --- PDF ----------------------------------------------------------------------------------------


def test_thread_becomes_a_pdf_with_its_history(world, thread, client_as):
    from io import BytesIO

    from pypdf import PdfReader

    said = say(world, thread, body="需要两个管孔")
    actions.correct(message=said, by=world.dave, membership=world.as_["dave"], body="Three bores", client_uuid=uuid4())
    dave = client_as("dave")
    dave.post(reverse("thread_export", args=[thread.pk]))
    made = ThreadExport.objects.get()
    assert (made.state, made.language, made.up_to_number) == ("waiting", "en", 2)
    assert export.write(made)
    made.refresh_from_db()
    url = reverse("thread_export_file", args=[thread.pk, made.pk])
    content = b"".join(dave.get(url).streaming_content)
    text = "\n".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages)
    assert "需要两个管孔" in text
    assert "Three bores" in text
    assert world.operator.uscc in text
    assert client_as("alice").get(url).status_code == 404  # asked for by the other side
    assert not export.write(made)  # twice is once


def test_same_messages_are_written_once(world, thread):
    say(world, thread)
    first = actions.ask_export(thread=thread, by=world.dave, membership=world.as_["dave"])
    assert actions.ask_export(thread=thread, by=world.dave, membership=world.as_["dave"]) == first
    ThreadExport.objects.update(created_at="2026-01-01T00:00:00Z")
    assert take_up_lost_exports() == 1


def test_empty_thread_and_stranger_get_no_pdf(world, thread):
    with pytest.raises(Refused):
        actions.ask_export(thread=thread, by=world.dave, membership=world.as_["dave"])
    say(world, thread)
    with pytest.raises(NotPermitted):
        actions.ask_export(thread=thread, by=world.eve, membership=world.as_["eve"])


# --- Search -------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["孔", "管孔", "两个管", "BORE", "re", "x", "%", "_"])
def test_search_finds_one_two_and_more_characters(world, thread, client_as, query):
    say(world, thread, body="需要两个管孔 bore x 100%_")
    page = client_as("alice").get(reverse("inbox"), {"q": query})
    assert "?at=1#m1" in page.content.decode()


@pytest.mark.parametrize("query", ["孔管", "个孔", "bores", "y", "'", '"', "\\"])
def test_search_finds_nothing_else(world, thread, client_as, query):
    say(world, thread, body="需要两个管孔 bore x")
    assert "?at=1" not in client_as("alice").get(reverse("inbox"), {"q": query}).content.decode()


def test_search_stays_within_what_one_may_read(world, thread, client_as):
    say(world, thread, body="需要两个管孔")
    for name in ("eve", "carol"):
        assert "管孔" not in client_as(name).get(reverse("inbox"), {"q": "两个"}).content.decode().replace('"两个"', "")


def test_grams_of_python_are_those_of_the_database(db):
    from django.db import connection

    from messaging.search import grams

    for text in ("需要 Two 管孔", "ÄÖ ß", "a", "管", "𠮷野家"):
        with connection.cursor() as cursor:
            cursor.execute("SELECT message_grams(%s)", [text])
            assert set(grams(text)) <= set(cursor.fetchone()[0])


def test_inbox_filters_by_state_and_kind(world, thread, case, client_as):  # noqa: F811
    _, other = case
    dave = client_as("dave")
    actions.close(thread=thread)
    closed = dave.get(reverse("inbox"), {"state": "closed"}).content.decode()
    assert ("Tower T-1" in closed, other.title in closed) == (True, False)
    requests = dave.get(reverse("inbox"), {"kind": "agreements.sharerequest"}).content.decode()
    assert ("Tower T-1" in requests, other.title in requests) == (False, True)
    assert dave.get(reverse("inbox"), {"kind": "nonsense", "show": "x", "state": "y"}).status_code == 200


# --- Mediation, and building together -----------------------------------------------------------


@pytest.fixture
def mediator(world):
    membership = world.as_["carol"]
    membership.roles = [*membership.roles, "mediator"]
    membership.save(update_fields=["roles"])
    return membership


def take(world, request, verb, who, note="because", **data):
    from agreements.actions import take_step

    return take_step(
        request=request, verb=verb, by=world.user(who), membership=world.as_[who], note=note, data=data, key=uuid4()
    )


def test_case_before_the_bureau_has_a_conversation_of_its_own(world, case, mediator, client_as):  # noqa: F811
    from agreements.mediation import mediation_thread

    request, between_the_sides = case
    assert mediation_thread(request) is None
    actions.post(
        thread=between_the_sides, by=world.dave, membership=world.as_["dave"], body="Between us", client_uuid=uuid4()
    )
    refused = refuse(world, request)
    contested = take(world, refused, "contest", "dave", "they have room")
    talk = mediation_thread(contested)
    parties = {party.organisation_id for party in talk.parties.present()}
    assert parties == {world.power.pk, world.operator.pk, world.bureau.pk}
    assert client_as("carol").get(reverse("thread_detail", args=[talk.pk])).status_code == 200
    assert client_as("carol").get(reverse("thread_detail", args=[between_the_sides.pk])).status_code == 404
    assert client_as("eve").get(reverse("thread_detail", args=[talk.pk])).status_code == 404
    for name in ("dave", "carol"):
        assert (
            reverse("thread_detail", args=[talk.pk])
            in client_as(name).get(contested.get_absolute_url()).content.decode()
        )
    assert "Mediation" in client_as("dave").get("/en" + neutral_inbox()).content.decode()

    take(world, contested, "decide_against", "carol", "no room indeed")
    talk.refresh_from_db()
    assert talk.closed_at
    assert [message.event_code for message in talk.messages.order_by("number")] == [
        "request.contest", "request.decide_against",
    ]  # fmt: skip


def neutral_inbox():
    from messaging.mailing import neutral

    return neutral("inbox")


def refuse(world, request):
    from agreements.actions import refuse

    return refuse(request=request, by=world.alice, membership=world.as_["alice"], code="no_space", note="full")
