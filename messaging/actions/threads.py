"""Threads: opened about something, joined and left by organisations, closed with their case."""

from collections.abc import Iterable
from functools import partial

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import NotPermitted, Refused
from accounts.events import record
from accounts.models import Membership, Organisation, User
from accounts.models.organisations import Role
from messaging import subjects
from messaging.bell import ring_rights
from messaging.models import OutboxEntry, Thread, ThreadParty
from messaging.permissions import may_post

from .notices import notify
from .talk import tell

BUREAU_ROLES = (Role.ADMIN, Role.MEDIATOR, Role.PUBLISHER)  # who takes part for a bureau that was asked to join
REASON_MAX_CHARS = 500


@transaction.atomic
def open_thread(
    *, subject: models.Model, title: str, organisations: Iterable[Organisation], roles: Iterable[str] = ()
) -> Thread:
    """The thread about the subject, opened if there is none; the organisations become parties. Idempotent.

    roles: whose holders take part (none named: every member).
    """
    thread, created = Thread.objects.get_or_create(
        subject_type=ContentType.objects.get_for_model(subject), subject_id=subject.pk, defaults={"title": title[:200]}
    )
    for organisation in organisations:
        ThreadParty.objects.get_or_create(
            thread=thread, organisation=organisation, left_at=None, defaults={"roles": list(roles)}
        )
    if created:
        record("thread.open", thread, by=None, after={"title": thread.title})
    return thread


def thread_about(subject: models.Model) -> Thread | None:
    """The thread about an object, if one was opened. Queries once."""
    return Thread.objects.filter(subject_type=ContentType.objects.get_for_model(subject), subject_id=subject.pk).first()


@transaction.atomic
def join(*, thread: Thread, organisation: Organisation, by: User | None, roles: Iterable[str] = ()) -> ThreadParty:
    """The organisation takes part from now on and reads all that was said. Twice is once."""
    party, created = ThreadParty.objects.get_or_create(
        thread=thread, organisation=organisation, left_at=None, defaults={"roles": list(roles)}
    )
    if created:
        record("thread.join", thread, by=by, organisation=organisation, after={"organisation": organisation.pk})
        tell(
            thread=thread, code="thread.join", by=by, organisation=organisation,
            payload={"organisation": organisation.name_zh, "organisation_en": organisation.name_en},
        )  # fmt: skip
    return party


@transaction.atomic
def leave(*, thread: Thread, organisation: Organisation, by: User | None) -> None:
    """The organisation takes part no longer: its people read nothing more, and their sockets on the thread close."""
    left = ThreadParty.objects.present().filter(thread=thread, organisation=organisation)
    if left.update(left_at=timezone.now()):
        record("thread.leave", thread, by=by, organisation=organisation, after={"organisation": organisation.pk})
        tell(
            thread=thread, code="thread.leave", by=by, organisation=organisation,
            payload={"organisation": organisation.name_zh, "organisation_en": organisation.name_en},
        )  # fmt: skip
        rights_changed(thread=thread)


@transaction.atomic
def ask_bureau(*, thread: Thread, by: User, membership: Membership, reason: str) -> Organisation:
    """A party asks the bureau over the subject to join; it reads the whole conversation from then on.

    Raises NotPermitted to those who only read, Refused without a reason, without a bureau, when it is there already.
    """
    if not may_post(membership, thread):
        raise NotPermitted(_("Your role in this organisation reads this conversation but does not write in it."))
    if thread.closed_at:
        raise Refused(_("This conversation is closed."), code="closed")
    reason = " ".join(reason.replace("\x00", "").split())[:REASON_MAX_CHARS]
    if not reason:
        raise Refused(_("Say in a sentence why the bureau should join."), code="no_reason")
    bureaus = subjects.of(thread).bureaus(thread.subject)
    there = set(ThreadParty.objects.present().filter(thread=thread).values_list("organisation_id", flat=True))
    absent = [bureau for bureau in bureaus if bureau.pk not in there]
    if not absent:
        raise Refused(
            _("The bureau takes part already.") if bureaus else _("No bureau is responsible for this conversation."),
            code="no_bureau",
        )
    bureau = absent[0]
    record("thread.ask_bureau", thread, by=by, organisation=membership.organisation, reason=reason)
    tell(
        thread=thread, code="thread.asked_bureau", by=by, organisation=membership.organisation,
        payload={"bureau": bureau.name_zh, "bureau_en": bureau.name_en, "reason": reason},
    )  # fmt: skip
    join(thread=thread, organisation=bureau, by=by, roles=BUREAU_ROLES)
    notify(
        organisation=bureau, roles=BUREAU_ROLES, code="thread.ask_bureau", thread=thread,
        payload={
            "organisation": membership.organisation.name_zh, "organisation_en": membership.organisation.name_en,
            "thread": thread.title,
        },  # fmt: skip
        url=f"/messages/{thread.pk}/", key=f"thread:{thread.pk}:bureau:{bureau.pk}",
    )  # fmt: skip
    return bureau


@transaction.atomic
def close(*, thread: Thread) -> None:
    """Nothing more can be said in the thread; it stays readable, and sockets on it close."""
    thread.closed_at = timezone.now()
    thread.save(update_fields=["closed_at"])
    record("thread.close", thread, by=None)
    rights_changed(thread=thread)


@transaction.atomic
def reopen(*, thread: Thread) -> None:
    """What was closed can be written in again. Idempotent."""
    if thread.closed_at:
        thread.closed_at = None
        thread.save(update_fields=["closed_at"])
        record("thread.reopen", thread, by=None)


def rights_changed(*, user_id: int | None = None, thread: Thread | None = None) -> None:
    """Has open sockets asked again whether they may stay: on commit, and by the outbox when the ring is lost."""
    OutboxEntry.objects.create(kind=OutboxEntry.Kind.RIGHTS, user_id=user_id, thread=thread)
    transaction.on_commit(partial(ring_rights, user_id=user_id or 0, thread_id=thread.pk if thread else 0), robust=True)
