"""Open threads, say things in them, tell people. PostgreSQL is the truth; the socket is rung on commit."""

from collections.abc import Iterable
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import NotPermitted, Refused
from accounts.events import record
from accounts.models import Membership, Organisation, User
from accounts.models.organisations import Role
from accounts.numbers import without_nul

from .bell import ring_thread, ring_user
from .models import Message, Notification, ReadMark, Thread, ThreadParty
from .permissions import may_post

MESSAGE_MAX_CHARS = 4_000


@transaction.atomic
def open_thread(*, subject: models.Model, title: str, organisations: Iterable[Organisation]) -> Thread:
    """The thread about the subject, opened if there is none; the organisations become parties. Idempotent."""
    thread, created = Thread.objects.get_or_create(
        subject_type=ContentType.objects.get_for_model(subject), subject_id=subject.pk, defaults={"title": title[:200]}
    )
    for organisation in organisations:
        ThreadParty.objects.get_or_create(thread=thread, organisation=organisation, left_at=None)
    if created:
        record("thread.open", thread, by=None, after={"title": thread.title})
    return thread


def thread_about(subject: models.Model) -> Thread | None:
    """The thread about an object, if one was opened. Queries once."""
    return Thread.objects.filter(subject_type=ContentType.objects.get_for_model(subject), subject_id=subject.pk).first()


def _append(thread: Thread, **fields: Any) -> Message:
    """Gives the next dense number under the thread's row lock and stores the message; rings on commit."""
    locked = Thread.objects.select_for_update(no_key=True).get(pk=thread.pk)
    made = Message.objects.filter(thread=locked, author=fields.get("author"), client_uuid=fields["client_uuid"]).first()
    if made:
        return made
    locked.last_number += 1
    locked.last_message_at = timezone.now()
    locked.save(update_fields=["last_number", "last_message_at"])
    message = Message(thread=locked, number=locked.last_number, **fields)
    message.full_clean(validate_unique=False, validate_constraints=False)
    message.save(force_insert=True)
    transaction.on_commit(lambda: ring_thread(locked, message.number))
    return message


@transaction.atomic
def post(*, thread: Thread, by: User, membership: Membership, body: str, client_uuid: UUID) -> Message:
    """Says something in a thread. The same client_uuid again gives the message stored the first time.

    Raises NotPermitted when the person's organisation is not a party or the role only reads, Refused when
    the thread is closed, the text empty or longer than MESSAGE_MAX_CHARS. Locks the thread's row.
    """
    if not may_post(membership, thread):
        raise NotPermitted(_("Your role in this organisation reads this conversation but does not write in it."))
    if thread.closed_at:
        raise Refused(_("This conversation is closed."), code="closed")
    body = without_nul(body).strip()
    if not body:
        raise Refused(_("The message is empty."), code="empty")
    if len(body) > MESSAGE_MAX_CHARS:
        raise Refused(
            _("The message has %(count)d characters; at most %(max)d can be sent at once.")
            % {"count": len(body), "max": MESSAGE_MAX_CHARS},
            code="too_long",
        )
    message = _append(
        thread,
        kind=Message.Kind.TEXT,
        author=by,
        organisation=membership.organisation,
        body=body,
        client_uuid=client_uuid,
    )
    record("message.post", message, by=by, organisation=membership.organisation, after={"number": message.number})
    mark_read(thread=thread, by=by, number=message.number)
    _notify_other_parties(message)
    return message


@transaction.atomic
def tell(
    *, thread: Thread, code: str, by: User | None, organisation: Organisation | None, payload: dict[str, Any]
) -> Message:
    """Writes a state change into the thread as an event; payload fills the code's wording."""
    return _append(
        thread,
        kind=Message.Kind.EVENT,
        author=by,
        organisation=organisation,
        event_code=code,
        payload=payload,
        client_uuid=uuid4(),
    )


@transaction.atomic
def close(*, thread: Thread) -> None:
    """Nothing more can be said in the thread; it stays readable."""
    thread.closed_at = timezone.now()
    thread.save(update_fields=["closed_at"])
    record("thread.close", thread, by=None)


@transaction.atomic
def reopen(*, thread: Thread) -> None:
    """What was closed can be written in again. Idempotent."""
    if thread.closed_at:
        thread.closed_at = None
        thread.save(update_fields=["closed_at"])
        record("thread.reopen", thread, by=None)


def mark_read(*, thread: Thread, by: User, number: int) -> None:
    """Moves the person's read mark forward, never back, and never past the last message."""
    number = min(number, Thread.objects.values_list("last_number", flat=True).get(pk=thread.pk))
    mark, created = ReadMark.objects.get_or_create(thread=thread, user=by, defaults={"last_number": number})
    if not created:
        ReadMark.objects.filter(pk=mark.pk, last_number__lt=number).update(
            last_number=number, updated_at=timezone.now()
        )
    if number:
        Notification.objects.filter(user=by, key__startswith=f"thread:{thread.pk}:", read_at=None).update(
            read_at=timezone.now()
        )


def people_of(organisation: Organisation, roles: Iterable[str] | None = None) -> list[User]:
    """The active members of an organisation, holding one of the roles where roles are named."""
    memberships = Membership.objects.active().filter(organisation=organisation).select_related("user")
    if roles is not None:
        memberships = memberships.with_role(*roles)
    return [membership.user for membership in memberships.order_by("pk")]


@transaction.atomic
def notify(
    *,
    code: str,
    payload: dict[str, Any],
    url: str,
    key: str,
    users: Iterable[User] | None = None,
    organisation: Organisation | None = None,
    roles: Iterable[str] | None = None,
) -> int:
    """Tells people something, once per key and person; gives how many were newly told.

    Either users, or an organisation (its members, with one of the roles if named). The payload must carry
    no place and no price: who reads it may not be entitled to them.
    """
    told = list(users) if users is not None else people_of(organisation, roles) if organisation else []
    rows = [
        Notification(user=user, organisation=organisation, code=code, payload=payload, url=url, key=key)
        for user in told
    ]
    before = Notification.objects.filter(key=key, user__in=told).count()
    Notification.objects.bulk_create(rows, ignore_conflicts=True)
    for user in told:
        transaction.on_commit(partial(ring_user, user))
    return len(rows) - before


def _notify_other_parties(message: Message) -> None:
    """One unread notification per thread and person, however many messages come."""
    thread = message.thread
    others = ThreadParty.objects.filter(thread=thread, left_at=None).exclude(organisation=message.organisation)
    for party in others.select_related("organisation").order_by("pk"):
        for user in people_of(party.organisation, [Role.ADMIN, Role.NEGOTIATOR, Role.MEDIATOR]):
            unread = Notification.objects.filter(user=user, key__startswith=f"thread:{thread.pk}:", read_at=None)
            if not unread.exists():
                notify(
                    users=[user],
                    code="message.post",
                    payload={"organisation": str(message.organisation), "thread": thread.title},
                    url=f"/messages/{thread.pk}/",
                    key=f"thread:{thread.pk}:{message.number}",
                )
