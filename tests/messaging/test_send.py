"""What goes with a message: files, places, its kind and what it speaks of, people called by name, the cap."""

import io
import json
import zipfile
from uuid import uuid4

import pytest
from django.contrib.gis.geos import LineString, Point
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DataError, transaction
from django.urls import reverse
from PIL import Image

from accounts.errors import Refused
from messaging import actions, subjects, uploads
from messaging.actions.talk import NeedsConfirmation
from messaging.limits import TooMany
from messaging.models import Attachment, Mention, Message, Notification, OutboxEntry
from messaging.relay import relay_once
from tests import papers
from tests.world import make_resource

LIVE = {"accept": "application/json"}


def say(world, thread, name="dave", body="", **more):
    return actions.post(
        thread=thread, by=world.user(name), membership=world.as_[name], body=body, client_uuid=uuid4(), **more
    )


def picture(size=(40, 30), exif=True):
    data = io.BytesIO()
    image = Image.new("RGB", size, "teal")
    values = image.getexif()
    if exif:
        values[0x010F] = "SecretCamera"
    image.save(data, "JPEG", exif=values)
    return data.getvalue()


def office(*names):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as package:
        for name in names:
            package.writestr(name, "x")
    return data.getvalue()


def check(name, content):
    return uploads.checked(io.BytesIO(content), name, len(content))


# --- Files --------------------------------------------------------------------------------------


def test_picture_is_written_anew_and_looked_at(world, thread, client_as):
    files = [SimpleUploadedFile("site.jpg", picture()), SimpleUploadedFile("平面图.pdf", papers.pdf(secret=True))]
    answer = client_as("dave").post(
        reverse("message_send", args=[thread.pk]), {"body": "", "files": files}, headers=LIVE
    )
    assert answer.status_code == 201
    shown, plan = Attachment.objects.order_by("pk")
    got = client_as("alice").get(reverse("attachment_file", args=[shown.pk]))
    assert got["Content-Type"] == "image/jpeg"
    assert b"SecretCamera" not in b"".join(got.streaming_content)
    got = client_as("alice").get(reverse("attachment_file", args=[plan.pk]))
    assert got["Content-Disposition"].startswith("attachment")
    assert papers.SECRET.encode() not in papers.everything(b"".join(got.streaming_content))
    assert got["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in got["Content-Security-Policy"]
    assert client_as("eve").get(reverse("attachment_file", args=[plan.pk])).status_code == 404


def test_files_of_a_message_taken_back_are_gone_from_sight(world, thread, client_as):
    said = say(world, thread, uploads=[check("a.txt", b"hello")])
    actions.retract(message=said, by=world.dave, membership=world.as_["dave"], client_uuid=uuid4())
    assert client_as("alice").get(reverse("attachment_file", args=[said.attachments.get().pk])).status_code == 404


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pdf", papers.pdf()),
        ("a.docx", office("[Content_Types].xml", "word/document.xml")),
        ("a.xlsx", office("[Content_Types].xml", "xl/workbook.xml")),
        ("说明.txt", "管孔".encode("gb18030")),
        ("a.csv", b"a,b\n"),
        ("a.dwg", b"AC1032\x00\x00"),
        ("a.png", picture()),
    ],
)
def test_safe_types_are_taken(name, content):
    assert check(name, content).content


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.html", b"<script>"),
        ("a.svg", b"<svg onload=x>"),
        ("a.exe", b"MZ"),
        ("a.pdf", b"MZ not a pdf"),
        ("a.pdf", b"%PDF-1.7 without a page"),
        ("a.pdf.exe", b"%PDF-"),
        ("a.docx", office("word/document.xml")),
        ("a.docx", office("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin")),
        ("a.docm", office("[Content_Types].xml", "word/document.xml")),
        ("a.xlsx", b"PK\x03\x04 cut off"),
        ("a.txt", b"a\x00b"),
        ("a.jpg", b"<html>"),
        ("noending", b"x"),
    ],
)
def test_others_are_refused(name, content):
    with pytest.raises(Refused):
        check(name, content)


def test_large_document_is_refused_with_its_size(settings):
    settings.ATTACHMENT_MAX_BYTES = 10
    with pytest.raises(Refused) as refusal:
        check("a.txt", b"x" * 11)
    assert refusal.value.code == "too_large"


def test_names_lose_folders_and_tricks():
    assert check("../../etc/\u202epasswd.txt", b"x").name == "passwd.txt"


def test_too_many_files_are_refused(world, thread):
    with pytest.raises(Refused) as refusal:
        say(world, thread, uploads=[check("a.txt", b"x")] * 6)
    assert refusal.value.code == "too_many"
    assert not Message.objects.exists()


# --- Places -------------------------------------------------------------------------------------


def test_place_is_sent_alone_and_shown_on_the_map(world, thread, client_as):
    shape = json.dumps({"type": "LineString", "coordinates": [[113.3, 23.1], [113.3, 23.11]]})
    answer = client_as("dave").post(reverse("message_send", args=[thread.pk]), {"shape": shape}, headers=LIVE)
    assert answer.status_code == 201
    places = client_as("alice").get(reverse("thread_places", args=[thread.pk])).json()["features"]
    assert places[0]["geometry"]["coordinates"] == [[113.3, 23.1], [113.3, 23.11]]
    assert "1112 m" in client_as("alice").get(reverse("thread_map", args=[thread.pk])).content.decode()


@pytest.mark.parametrize(
    "shape",
    [
        "x", "[]", '{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}', '{"type":"Point","coordinates":[]}',
        '{"type":"Point","coordinates":[200,95]}', '{"type":"LineString","coordinates":[[0,0]]}', "{" * 50,
        '{"type":"Point","coordinates":["a","b"]}', '{"type":"Point","coordinates":[1,2,3]}',
    ],
)  # fmt: skip
def test_what_is_no_point_or_line_is_refused(world, thread, client_as, shape):
    answer = client_as("dave").post(
        reverse("message_send", args=[thread.pk]), {"shape": shape, "body": "here"}, headers=LIVE
    )
    assert answer.status_code == 422
    assert not Message.objects.exists()


def test_endless_line_is_refused(world, thread):
    with pytest.raises(Refused) as refusal:
        say(world, thread, shape=LineString([(113 + i / 10_000, 23) for i in range(501)], srid=4326))
    assert refusal.value.code == "shape"


@pytest.fixture
def case(world):
    """A request about a blurred tower, with its conversation."""
    import datetime as dt
    from decimal import Decimal

    from django.utils import timezone

    from agreements import actions as agreements

    tower = make_resource(world.power, disclosure="blurred")
    request = agreements.request_space(
        by=world.dave, membership=world.as_["dave"], resource=tower, quantities={tower.pools.get().pk: Decimal(1)},
        starts_on=timezone.localdate() + dt.timedelta(days=30), months=12, purpose="coverage", key=uuid4(),
    )  # fmt: skip
    return request, actions.thread_about(request)


AT_THE_TOWER, ELSEWHERE = Point(113.3301, 23.1301, srid=4326), Point(113.36, 23.16, srid=4326)


def test_owner_is_asked_before_the_exact_place_goes_out(world, case):
    _, thread = case
    with pytest.raises(NeedsConfirmation) as question:
        say(world, thread, "alice", shape=AT_THE_TOWER)
    assert "200" in str(question.value.message)
    assert say(world, thread, "alice", shape=AT_THE_TOWER, is_place_confirmed=True).shape
    assert say(world, thread, "alice", shape=ELSEWHERE).shape


def test_who_sees_it_blurred_is_told_nothing_by_the_question(world, case):
    _, thread = case
    assert say(world, thread, "dave", shape=AT_THE_TOWER).shape


def test_page_without_scripts_asks_too(world, case, client_as):
    _, thread = case
    alice = client_as("alice")
    form = {"body": "here", "shape": AT_THE_TOWER.json}
    answer = alice.post(reverse("message_send", args=[thread.pk]), form)
    assert (answer.status_code, b"Send it all the same" in answer.content) == (409, True)
    assert alice.post(reverse("message_send", args=[thread.pk]), {**form, "confirmed": "1"}).status_code == 302
    assert alice.post(reverse("message_send", args=[thread.pk]), form, headers=LIVE).status_code == 409


# --- Kinds, things, names -----------------------------------------------------------------------


def test_message_speaks_of_a_thing_of_the_case_alone(world, case, client_as):
    request, thread = case
    dave = client_as("dave")
    url = reverse("message_send", args=[thread.pk])
    form = {"body": "Which platform?", "topic": "question", "about": f"resource:{request.resource_id}"}
    dave.post(url, form)
    said = Message.objects.get(thread=thread, kind="text")
    assert (said.topic, said.about, said.about_label) == ("question", request.resource, request.resource.name)
    dave.post(url, {"body": "b", "about": "resource:999999"})
    assert Message.objects.filter(thread=thread).latest("pk").about is None
    assert dave.post(url, {"body": "c", "topic": "nonsense"}, headers=LIVE).status_code == 422


def test_clause_can_be_spoken_of_and_what_is_spoken_of_is_a_link(world, case, client_as):
    from agreements import actions as agreements

    request, thread = case
    agreements.make_offer(
        request=request, by=world.alice, membership=world.as_["alice"], answers=0,
        quantities={item.pool_id: item.quantity for item in request.items.all()}, starts_on=request.starts_on,
        months=12, price_fen_per_year=100,
    )  # fmt: skip
    alice = client_as("alice")
    things = {thing.key: thing for thing in subjects.of(thread).things(request, world.as_["alice"])}
    key = next(key for key in things if key.startswith("clause:"))
    offer = next(key for key in things if key.startswith("offer:"))
    for about in (key, offer, f"resource:{request.resource_id}"):
        alice.post(reverse("message_send", args=[thread.pk]), {"body": "See", "topic": "clause", "about": about})
    assert Message.objects.filter(thread=thread, about_label=things[key].label).count() == 1
    sheet, resource = reverse("sheet_detail", args=[request.pk]), reverse("resource_detail", args=[request.resource_id])
    page = client_as("dave").get(reverse("thread_detail", args=[thread.pk])).content.decode()
    assert page.count(f'<a href="{sheet}">') == 2
    assert page.count(f'<a href="{resource}">{request.resource.name}</a>') == 1
    assert client_as("dave").get(sheet).status_code == 200


def test_called_by_name_is_told_and_found(world, thread, client_as):
    say(world, thread, body="@Vera and @eve: look")  # Eve takes no part
    assert list(Mention.objects.values_list("user__name", flat=True)) == ["Vera"]
    relay_once()
    assert Notification.objects.get(user=world.vera).code == "message.mention"
    assert "Tower T-1" in client_as("vera").get(reverse("inbox"), {"show": "mentions"}).content.decode()
    assert "Tower T-1" not in client_as("alice").get(reverse("inbox"), {"show": "mentions"}).content.decode()


def test_people_to_call_are_those_who_take_part(world, thread, client_as):
    people = client_as("dave").get(reverse("thread_people", args=[thread.pk])).json()["people"]
    assert {person["name"] for person in people} == {"Alice", "Bob", "Vera", "Dora"}


# --- The cap, other people, one transaction -----------------------------------------------------


def test_cap_gives_a_sentence_and_stores_nothing(world, thread, settings, client_as):
    settings.MESSAGES_PER_MINUTE = 2
    say(world, thread, body="a")
    say(world, thread, body="b")
    with pytest.raises(TooMany):
        say(world, thread, body="c")
    answer = client_as("dave").post(reverse("message_send", args=[thread.pk]), {"body": "c"}, headers=LIVE)
    assert (answer.status_code, answer["Retry-After"], Message.objects.count()) == (429, "15", 2)
    assert "limit" in answer.json()["error"] or "上限" in answer.json()["error"]
    say(world, thread, "alice", body="others go on")


def test_what_one_person_typed_does_not_go_out_under_another(world, thread, client_as):
    form = {"body": "a", "author": world.alice.pk}
    answer = client_as("dave").post(reverse("message_send", args=[thread.pk]), form, headers=LIVE)
    assert (answer.status_code, answer.json()["code"]) == (422, "other_person")
    assert not Message.objects.exists()


def test_message_event_and_outbox_stand_or_fall_together(world, thread, monkeypatch):
    from accounts.models import Event
    from messaging import storing

    told = "jsonb_build_object('number', number)"
    before = Event.objects.count()
    for name, body in (("SAY", "a"), ("STORE", "@nobody")):
        assert told in getattr(storing, name)
        careless = getattr(storing, name).replace(told, "to_jsonb(1 / (number - number))")
        monkeypatch.setattr(storing, name, careless)
        with pytest.raises(DataError, match="division by zero"), transaction.atomic():
            say(world, thread, body=body)
    assert (Message.objects.count(), OutboxEntry.objects.count(), Event.objects.count()) == (0, 0, before)


def test_saying_something_costs_the_same_however_many_read_it(world, thread, django_assert_max_num_queries):
    say(world, thread, body="warm")
    with django_assert_max_num_queries(3):  # two of them a savepoint
        say(world, thread, body="counted")


def test_statement_names_every_column_of_a_message():
    """Written by hand: what is added to the model must be added there."""
    from messaging import storing

    begin = storing.STORE.index("INSERT INTO messaging_message (") + len("INSERT INTO messaging_message (")
    named = {name.strip() for name in storing.STORE[begin : storing.STORE.index(")", begin)].split(",")}
    assert named == {field.column for field in Message._meta.concrete_fields} - {"id"}


def test_statement_names_every_column_of_an_event():
    from accounts.models import Event
    from messaging import storing

    begin = storing.STORE.index("INSERT INTO accounts_event (") + len("INSERT INTO accounts_event (")
    named = {name.strip() for name in storing.STORE[begin : storing.STORE.index(")", begin)].split(",")}
    assert named == {field.column for field in Event._meta.concrete_fields} - {"id"}


def test_its_event_says_what_any_event_says(world, thread):
    """The row written by hand, beside one that events.record writes."""
    from accounts.events import record
    from accounts.models import Event

    message = say(world, thread, body="a")
    with transaction.atomic():
        record(
            "message.post", message, by=world.dave, organisation=message.organisation, after={"number": message.number}
        )
    by_hand, recorded = Event.objects.filter(verb="message.post").order_by("pk")
    for field in Event._meta.concrete_fields:
        if field.name not in ("id", "at"):
            assert getattr(by_hand, field.attname) == getattr(recorded, field.attname), field.name
