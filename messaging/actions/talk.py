"""Saying something, correcting it, taking it back; and events told into a thread.

A message, its event row and its outbox row are one transaction; numbers are dense, given under the thread's row lock.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from django.contrib.contenttypes.models import ContentType
from django.contrib.gis.geos import GEOSGeometry
from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from accounts.errors import NotPermitted, Refused
from accounts.models import Membership, Organisation, User
from accounts.numbers import without_nul
from messaging import limits, storing, subjects
from messaging.bell import ring_thread
from messaging.models import Attachment, Mention, Message, Thread
from messaging.permissions import WRITING_ROLES
from messaging.uploads import Upload

from .mentions import mentioned_in

MESSAGE_MAX_CHARS = 4_000
ATTACHMENTS_MAX = 5
SHAPE_POINTS_MAX = 500


class NeedsConfirmation(Refused):
    """The message can be sent, once the author has read the sentence and says so."""


def _locked(thread: Thread, by: User, membership: Membership, key: UUID) -> storing.Facts:
    """The thread's row under its lock, and what must be known of it and of the author. Queries once."""
    return storing.lock(
        thread.pk, author_id=by.pk, organisation_id=membership.organisation_id, roles=membership.roles, key=key,
        window=limits.WINDOW,
    )  # fmt: skip


def _check_may_write(facts: storing.Facts, membership: Membership) -> None:
    if not (facts.is_party and _may_speak(membership)):
        raise NotPermitted(_("Your role in this organisation reads this conversation but does not write in it."))
    if facts.closed_at:
        raise Refused(_("This conversation is closed."), code="closed")
    limits.check(facts.sent_lately)


def _may_speak(membership: Membership) -> bool:
    return membership.ended_at is None and membership.has_role(*WRITING_ROLES)


def _append(thread: Thread, **fields: Any) -> Message:
    """Stores the message with the next number and what it owes; rings on commit. The thread's row is locked."""
    message = storing.store(thread, **fields)
    transaction.on_commit(partial(ring_thread, thread, message.number, message.author_id or 0), robust=True)
    return message


def checked_body(body: str) -> str:
    """The text without what cannot be stored. Raises Refused where it is longer than MESSAGE_MAX_CHARS."""
    body = without_nul(body).replace("\r\n", "\n").strip()
    if len(body) > MESSAGE_MAX_CHARS:
        raise Refused(
            _("The message has %(count)d characters; at most %(max)d can be sent at once.")
            % {"count": len(body), "max": MESSAGE_MAX_CHARS},
            code="too_long",
        )
    return body


def post(
    *,
    thread: Thread,
    by: User,
    membership: Membership,
    body: str,
    client_uuid: UUID,
    topic: str = "",
    about: subjects.Thing | None = None,
    shape: GEOSGeometry | None = None,
    uploads: Sequence[Upload] = (),
    is_place_confirmed: bool = False,
) -> Message:
    """Says something in a thread. The same client_uuid again gives the message stored the first time.

    Raises NotPermitted when the person's organisation is not a party or the role only reads; Refused when the thread
    is closed, the text is too long or there is nothing at all, or too many were sent within a minute (TooMany);
    NeedsConfirmation where the shape shows the exact place of a resource that others see blurred. Locks the thread.
    """
    body = checked_body(body)
    if not body and shape is None and not uploads:
        raise Refused(_("The message is empty."), code="empty")
    if len(uploads) > ATTACHMENTS_MAX:
        raise Refused(_("At most %(max)d files go with one message.") % {"max": ATTACHMENTS_MAX}, code="too_many")
    _check_topic(topic)
    if shape is not None:
        _check_shape(thread, membership, shape, is_confirmed=is_place_confirmed)
    fields: dict[str, Any] = {"kind": Message.Kind.TEXT, "body": body, "topic": topic, "shape": shape}
    if about is not None:
        fields |= {
            "about_type": ContentType.objects.get_for_model(about.thing),
            "about_id": about.thing.pk,
            "about_label": about.label[:200],
        }
    return _say(thread, by, membership, client_uuid, fields, uploads, verb="message.post")


def correct(*, message: Message, by: User, membership: Membership, body: str, client_uuid: UUID) -> Message:
    """Says a message of one's own anew; what it said before stays in its history.

    Raises NotPermitted for somebody else's, Refused for what was taken back, or is empty.
    """
    body = checked_body(body)
    if not body:
        raise Refused(_("The message is empty: take it back instead."), code="empty")
    _check_own(message, by, membership)
    fields = {"kind": Message.Kind.EDIT, "body": body, "corrects": message}
    return _say(message.thread, by, membership, client_uuid, fields, verb="message.correct")


def retract(*, message: Message, by: User, membership: Membership, client_uuid: UUID) -> Message:
    """Takes a message of one's own back; it stays in the history. Raises as correct()."""
    _check_own(message, by, membership)
    fields = {"kind": Message.Kind.RETRACT, "corrects": message}
    return _say(message.thread, by, membership, client_uuid, fields, verb="message.retract")


def _say(
    thread: Thread,
    by: User,
    membership: Membership,
    key: UUID,
    fields: dict[str, Any],
    uploads: Sequence[Upload] = (),
    *,
    verb: str,
) -> Message:
    """One transaction. Two of the same key at the same moment: the database lets one in, the other gives that one."""
    fields = {**fields, "verb": verb}
    try:
        if not uploads and "corrects" not in fields and "@" not in fields["body"]:
            # A statement is a transaction; within one of the caller's a refusal must not spoil it.
            with transaction.atomic() if connection.in_atomic_block else nullcontext():
                if message := _store_plain(thread, by, membership, key, fields):
                    return message
        with transaction.atomic():
            return _store(thread, by, membership, key, fields, uploads)
    except IntegrityError as error:
        if "message_sent_once" not in str(error):
            raise
        return Message.objects.get(thread=thread, author=by, client_uuid=key)


def _store_plain(thread: Thread, by: User, membership: Membership, key: UUID, fields: dict[str, Any]) -> Message | None:
    """An ordinary message by one statement; None: not stored, the longer way finds out why (or stores it)."""
    if not _may_speak(membership):
        return None
    _facts, message = storing.say(
        thread, author=by, organisation=membership.organisation, client_uuid=key, roles=membership.roles,
        window=limits.WINDOW, cap=limits.cap(), **fields,
    )  # fmt: skip
    if message:
        transaction.on_commit(partial(ring_thread, thread, message.number, message.author_id or 0), robust=True)
    return message


def _store(
    thread: Thread,
    by: User,
    membership: Membership,
    key: UUID,
    fields: dict[str, Any],
    uploads: Sequence[Upload],
) -> Message:
    facts = _locked(thread, by, membership, key)
    if facts.made:
        return Message.objects.get(pk=facts.made)
    _check_may_write(facts, membership)
    if (corrected := fields.get("corrects")) and corrected.corrections.filter(kind=Message.Kind.RETRACT).exists():
        raise Refused(_("This message was taken back."), code="retracted")
    message = _append(
        thread,
        author=by,
        organisation=membership.organisation,
        client_uuid=key,
        attachment_count=len(uploads),
        **fields,
    )
    for upload in uploads:
        _attach(message, upload)
    if "@" in message.body:
        Mention.objects.bulk_create(
            [Mention(message=message, user_id=pk) for pk in mentioned_in(message)], ignore_conflicts=True
        )
    return message


def _attach(message: Message, upload: Upload) -> None:
    attachment = Attachment(
        message=message, name=upload.name, content_type=upload.content_type, size_bytes=len(upload.content),
        sha256=upload.sha256, is_picture=upload.is_picture,
    )  # fmt: skip
    attachment.file.save(upload.stored_name, upload.as_file(), save=False)
    storage, stored = attachment.file.storage, str(attachment.file.name)
    try:
        attachment.full_clean()
        attachment.save(force_insert=True)
    except BaseException:
        storage.delete(stored)  # the row is rolled back; the file must not stay behind
        raise


def _check_topic(topic: str) -> None:
    if topic not in Message.Topic.values:
        raise Refused(_("There is no such kind of message."), code="topic")


def _check_shape(thread: Thread, membership: Membership, shape: GEOSGeometry, *, is_confirmed: bool) -> None:
    if shape.geom_type not in ("Point", "LineString") or shape.empty or not shape.valid:
        raise Refused(_("Only a point or a line can be sent."), code="shape")
    west, south, east, north = shape.extent
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise Refused(_("The place lies outside the world: give longitude, then latitude, in degrees."), code="shape")
    if shape.num_coords > SHAPE_POINTS_MAX:
        raise Refused(
            _("The line has %(count)d corners; at most %(max)d can be sent.")
            % {"count": shape.num_coords, "max": SHAPE_POINTS_MAX},
            code="shape",
        )
    if not is_confirmed and (warning := subjects.of(thread).place_warning(thread.subject, membership, shape)):
        raise NeedsConfirmation(warning, code="exact_place")


def _check_own(message: Message, by: User, membership: Membership) -> None:
    if message.kind != Message.Kind.TEXT:
        raise Refused(_("Only messages can be changed, not what was recorded."), code="kind")
    if message.author_id != by.pk or message.organisation_id != membership.organisation_id:
        raise NotPermitted(_("Only its author changes a message or takes it back."))


@transaction.atomic
def tell(
    *, thread: Thread, code: str, by: User | None, organisation: Organisation | None, payload: dict[str, Any]
) -> Message:
    """Writes a state change into the thread as an event; payload fills the code's wording."""
    return _append(  # the statement itself locks the row
        thread,
        kind=Message.Kind.EVENT,
        author=by,
        organisation=organisation,
        event_code=code,
        payload=payload,
        client_uuid=uuid4(),
    )
