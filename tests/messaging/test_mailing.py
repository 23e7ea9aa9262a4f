"""E-mail about notifications: as people chose, once, never a place, a price or a word of what was said."""

import datetime as dt
from uuid import uuid4

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from messaging import actions, mailing
from messaging.kinds import KINDS, kind_of
from messaging.models import Letter, MailChoice, NoticeChoice, Notification, ThreadChoice
from messaging.relay import relay_once

MORNING = timezone.make_aware(dt.datetime(2026, 11, 23, 10, 0))
NIGHT = timezone.make_aware(dt.datetime(2026, 11, 23, 23, 0))


def tell(world, code="notice.offer.make", user=None, key=None, **more):
    payload = {"organisation": "Pearl Power", "request": "Q1", "reason": "23.13 N, 9,000 yuan"}
    actions.notify(
        users=[user or world.dave], code=code, payload=payload, url="/work/", key=key or str(uuid4()), **more
    )
    Notification.objects.update(created_at=MORNING - dt.timedelta(hours=20))
    return Notification.objects.latest("pk")


def go(now=MORNING):
    mailing.decide(now=now)
    return mailing.send_due(now=now)


def choose(world, kind, how):
    actions.choose_mail(by=world.dave, kinds={kind: how})


def test_step_of_a_case_is_mailed_at_once_in_both_languages(world):
    tell(world)
    go()
    letter = mail.outbox[0]
    assert letter.to == [world.dave.email]
    assert "made an offer" in letter.body
    assert "/en/work/" in letter.body
    assert "— — —" in letter.body


def test_free_text_stays_out_of_mails(world):
    tell(world, "list.send_back")
    choose(world, "list", "now")
    go()
    assert "yuan" not in mail.outbox[0].body
    assert "23.13" not in mail.outbox[0].body


def test_no_word_of_a_message_goes_into_a_mail(world, thread):
    actions.post(
        thread=thread,
        by=world.alice,
        membership=world.as_["alice"],
        body="@Dave 9,000 yuan at 23.13",
        client_uuid=uuid4(),
    )
    relay_once()
    Notification.objects.update(created_at=MORNING - dt.timedelta(hours=1))
    go()
    assert len(mail.outbox) == 1
    assert "calls you by name" in mail.outbox[0].body
    assert "9,000" not in mail.outbox[0].body


def test_several_go_into_one_letter_and_nothing_twice(world):
    for _ in range(3):
        tell(world)
    assert go() == 1
    assert go() == 0
    assert len(mail.outbox) == 1
    assert mail.outbox[0].body.count("/en/work/") == 3


def test_what_was_read_or_only_just_told_is_not_mailed(world):
    note = tell(world)
    Notification.objects.update(read_at=MORNING)
    go()
    actions.notify(users=[world.dave], code="notice.offer.make", payload={}, url="/", key="fresh")
    go(now=timezone.now())
    assert not mail.outbox
    note.refresh_from_db()
    assert note.is_mail_decided


def test_digest_waits_for_its_hour_and_takes_all(world):
    tell(world, "list.publish")
    go(MORNING)
    tell(world, "list.close")
    go(MORNING + dt.timedelta(hours=1))
    assert not mail.outbox
    letter = Letter.objects.get()
    assert timezone.localtime(letter.due_at).strftime("%d %H:%M") == "24 08:00"
    go(MORNING + dt.timedelta(days=1))
    assert len(mail.outbox) == 1
    assert Letter.objects.get().state == "sent"


def test_choice_by_kind_and_stronger_by_case(world, thread):
    choose(world, "case", "none")
    tell(world)
    go()
    assert not mail.outbox
    actions.choose_mail(by=world.dave, thread=thread, thread_mail="now")
    tell(world, thread=thread)
    go()
    assert len(mail.outbox) == 1
    actions.choose_mail(by=world.dave, thread=thread, thread_mail="")
    assert not ThreadChoice.objects.exists()


@pytest.mark.parametrize(
    ("begins", "ends", "now", "due"),
    [
        ("22:00", "07:30", NIGHT, "24 07:30"),
        ("22:00", "07:30", MORNING, "23 10:00"),
        ("09:00", "11:00", MORNING, "23 11:00"),
        ("11:00", "12:00", MORNING, "23 10:00"),
    ],
)
def test_quiet_hours_put_the_mail_off(world, begins, ends, now, due):
    hours = MailChoice(quiet_from=dt.time.fromisoformat(begins), quiet_until=dt.time.fromisoformat(ends))
    actions.choose_mail(by=world.dave, hours=hours)
    tell(world)
    mailing.decide(now=now)
    assert timezone.localtime(Letter.objects.get().due_at).strftime("%d %H:%M") == due


def test_reader_who_may_read_it_no_longer_gets_no_mail(world, thread):
    tell(world, "message.post", organisation=None, thread=thread)
    choose(world, "message", "now")
    mailing.decide(now=MORNING)
    actions.leave(thread=thread, organisation=world.operator, by=None)
    mailing.send_due(now=MORNING)
    assert not mail.outbox
    assert Letter.objects.get().state == "dropped"


def test_member_who_left_gets_no_mail_of_the_organisation(world):
    actions.notify(organisation=world.operator, roles=["admin"], code="notice.offer.make", payload={}, url="/", key="k")
    Notification.objects.update(created_at=MORNING - dt.timedelta(hours=1))
    mailing.decide(now=MORNING)
    membership = world.as_["dave"]
    membership.ended_at = MORNING
    membership.save()
    mailing.send_due(now=MORNING)
    assert not mail.outbox


# --- A mail server that does not take it --------------------------------------------------------


@pytest.fixture
def broken_mail(monkeypatch):
    def refuse(self, *args, **kwargs):
        raise ConnectionRefusedError("no mail server")

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)


def test_refused_mail_is_tried_again_with_growing_pauses_and_then_given_up(world, broken_mail):
    tell(world)
    now, pauses = MORNING, []
    mailing.decide(now=now)
    for _ in range(len(mailing.PAUSES_MINUTES)):
        assert mailing.send_due(now=now) == 1
        letter = Letter.objects.get()
        pauses.append((letter.due_at - now).total_seconds())
        now = letter.due_at
    assert pauses == sorted(pauses)
    assert pauses[0] < 90
    mailing.send_due(now=now)
    letter.refresh_from_db()
    assert (letter.state, "no mail server" in letter.last_error) == ("dead", True)


def test_given_up_letter_is_seen_by_the_operator_and_the_reader_and_tried_again(
    world, broken_mail, client_as, monkeypatch
):
    tell(world)
    mailing.decide(now=MORNING)
    Letter.objects.update(tries=len(mailing.PAUSES_MINUTES))
    mailing.send_due(now=MORNING)
    dave = client_as("dave")
    assert "could not be delivered" in dave.get(reverse("notification_settings")).content.decode()
    assert dave.get(reverse("letter_list")).status_code == 403
    world.carol.is_superuser = True
    world.carol.save()
    operator = client_as("carol")
    assert "no mail server" in operator.get(reverse("letter_list")).content.decode()
    operator.post(reverse("letter_retry", args=[Letter.objects.get().pk]))
    assert Letter.objects.get().state == "waiting"


def test_second_attempt_carries_the_same_message_id(world):
    tell(world)
    mailing.decide(now=MORNING)
    letter = Letter.objects.get()
    rows = mailing.readable(letter)
    ids = {mailing.write(letter, rows).extra_headers["Message-ID"] for _ in range(2)}
    assert len(ids) == 1


# --- The way out --------------------------------------------------------------------------------


def test_unsubscribe_by_one_click_without_signing_in(world):
    tell(world)
    go()
    headers = mail.outbox[0].extra_headers
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = headers["List-Unsubscribe"].strip("<>")
    path = link[link.index("/notifications/") :]
    stranger = Client(enforce_csrf_checks=True)
    page = stranger.get("/en" + path)
    assert "Steps of requests and agreements" in page.content.decode()
    assert not NoticeChoice.objects.exists()  # looking changes nothing
    assert stranger.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert NoticeChoice.objects.get(user=world.dave).mail == "none"
    tell(world)
    go()
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("token", ["", "x", "x" * 3000, "eyJ1c2VyIjoxfQ:1:bad"])
def test_made_up_link_is_nothing(world, client, token):
    assert client.get(reverse("notification_unsubscribe"), {"token": token}).status_code == 404


# --- Choices ------------------------------------------------------------------------------------


def test_settings_are_kept(world, client_as):
    dave = client_as("dave")
    form = {f"kind_{kind}": "digest" for kind in KINDS} | {
        "digest_at": "07:15",
        "quiet_from": "22:00",
        "quiet_until": "06:00",
    }
    assert dave.post(reverse("notification_settings"), form).status_code == 302
    assert MailChoice.objects.get(user=world.dave).digest_at == dt.time(7, 15)
    assert NoticeChoice.objects.filter(user=world.dave, mail="digest").count() == len(KINDS)
    assert dave.post(reverse("notification_settings"), {**form, "quiet_until": ""}).status_code == 422
    assert dave.post(reverse("notification_settings"), {**form, "kind_case": "x"}).status_code == 422


def test_only_an_administrator_decides_about_presence(world, client_as):
    assert client_as("dora").post(reverse("presence_choose"), {"is_shown": "0"}).status_code == 403
    assert client_as("dave").post(reverse("presence_choose"), {"is_shown": "0"}).status_code == 302
    assert not world.operator.presence_choice.is_shown


def test_database_refuses_half_quiet_hours(world):
    with pytest.raises(IntegrityError, match="quiet_hours_both_or_none"), transaction.atomic():
        MailChoice.objects.create(user=world.dave, quiet_from=dt.time(22))


def test_every_code_has_a_kind():
    from messaging.wording import WORDINGS

    assert {kind_of(code) for code in WORDINGS} <= set(KINDS)
    assert kind_of("notice.offer.make") == "case"
    assert kind_of("never.heard") == "other"
