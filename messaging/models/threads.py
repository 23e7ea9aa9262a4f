"""Threads between organisations and what is said in them.

A thread knows its subject only generically, so every app above can open one. PostgreSQL is the
truth: messages carry a dense number per thread, and the socket only rings. Nothing said is changed or
deleted: an edit and a retraction are messages of their own that point at the one they correct.
"""

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.contrib.gis.db.models import GeometryField
from django.contrib.postgres.fields import ArrayField
from django.core.files.storage import storages
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Organisation
from accounts.models.organisations import Role


class ThreadQuerySet(models.QuerySet):
    def readable_by(self, membership: Membership | None):
        """Threads the member takes part in: the organisation is a party, and the role one of the party's.

        None sees nothing.
        """
        if not membership or membership.ended_at:
            return self.none()
        parties = ThreadParty.objects.present().filter(thread=OuterRef("pk"), organisation=membership.organisation_id)
        return self.filter(Exists(parties.taking(membership.roles)))


class Thread(models.Model):
    """One conversation about one subject; its parties are organisations."""

    subject_type = models.ForeignKey(ContentType, models.PROTECT, related_name="+")
    subject_id = models.PositiveBigIntegerField()
    subject = GenericForeignKey("subject_type", "subject_id")
    title = models.CharField(_("title"), max_length=200)
    last_number = models.PositiveIntegerField(default=0)  # given out under this row's lock
    last_message_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = ThreadQuerySet.as_manager()

    class Meta:
        verbose_name = _("thread")
        verbose_name_plural = _("threads")
        ordering = ["-last_message_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["subject_type", "subject_id"], name="thread_once_per_subject")]

    def __str__(self):
        return self.title


class ThreadPartyQuerySet(models.QuerySet):
    def present(self):
        return self.filter(left_at=None)

    def taking(self, roles: list[str]):
        """Parties in which a holder of one of the roles takes part."""
        return self.filter(Q(roles=[]) | Q(roles__overlap=list(roles)))


class ThreadParty(models.Model):
    """An organisation in a thread, from joining to leaving. roles: whose holders take part; none named: all members."""

    thread = models.ForeignKey(Thread, models.CASCADE, related_name="parties")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="thread_parties")
    roles = ArrayField(models.CharField(max_length=12, choices=Role.choices), default=list, blank=True)
    joined_at = models.DateTimeField(auto_now_add=True)
    left_at = models.DateTimeField(null=True, blank=True)

    objects = ThreadPartyQuerySet.as_manager()

    class Meta:
        verbose_name = _("party")
        verbose_name_plural = _("parties")
        ordering = ["thread", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["thread", "organisation"], condition=Q(left_at=None), name="party_once"),
            models.CheckConstraint(
                condition=Q(roles__contained_by=[role.value for role in Role]), name="party_roles_known"
            ),
        ]

    def __str__(self):
        return f"{self.organisation} · {self.thread}"


class Message(models.Model):
    """What was said, a state change told as an event, or a correction of an earlier message. Append-only (trigger)."""

    class Kind(models.TextChoices):
        TEXT = "text", _("Message")
        EVENT = "event", _("Event")
        EDIT = "edit", _("Edit")
        RETRACT = "retract", _("Retraction")

    class Topic(models.TextChoices):
        NONE = "", _("Message")
        QUESTION = "question", _("Question")
        FINDING = "finding", _("Site finding")
        OFFER = "offer", _("On an offer")
        CLAUSE = "clause", _("On a clause")
        DECISION = "decision", _("Decision")

    thread = models.ForeignKey(Thread, models.PROTECT, related_name="messages")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.TEXT)
    topic = models.CharField(_("kind of message"), max_length=10, choices=Topic.choices, default="", blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="+")
    body = models.TextField(_("message"), max_length=4000, blank=True)
    corrects = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="corrections")
    about_type = models.ForeignKey(ContentType, models.PROTECT, null=True, blank=True, related_name="+")
    about_id = models.PositiveBigIntegerField(null=True, blank=True)
    about = GenericForeignKey("about_type", "about_id")
    about_label = models.CharField(max_length=200, blank=True)  # as it was called when this was said
    shape = GeometryField(_("place or line"), srid=4326, null=True, blank=True, spatial_index=False)
    attachment_count = models.PositiveSmallIntegerField(default=0)
    event_code = models.CharField(max_length=60, blank=True)  # "<noun>.<verb>"; worded by messaging.wording
    payload = models.JSONField(default=dict, blank=True)
    client_uuid = models.UUIDField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["thread", "number"]
        constraints = [
            models.UniqueConstraint(fields=["thread", "number"], name="message_number_once"),
            models.UniqueConstraint(
                fields=["thread", "author", "client_uuid"], name="message_sent_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=Q(kind="text", author__isnull=False, corrects=None)
                & (~Q(body="") | Q(shape__isnull=False) | Q(attachment_count__gt=0))
                | Q(kind="event", corrects=None) & ~Q(event_code="")
                | Q(kind="edit", author__isnull=False, corrects__isnull=False) & ~Q(body="")
                | Q(kind="retract", author__isnull=False, corrects__isnull=False),
                name="message_says_something",
            ),
        ]
        indexes = [
            # How many a person sent in the last minute (messaging/limits.py).
            models.Index(fields=["author", "created_at"], condition=Q(author__isnull=False), name="message_by_author"),
        ]

    def __str__(self):
        return f"{self.thread_id}#{self.number}"


class Mention(models.Model):
    """A person called by name (@) in a message."""

    message = models.ForeignKey(Message, models.PROTECT, related_name="mentions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="mentions")

    class Meta:
        verbose_name = _("mention")
        verbose_name_plural = _("mentions")
        ordering = ["message", "user"]
        constraints = [models.UniqueConstraint(fields=["message", "user"], name="mention_once")]

    def __str__(self):
        return f"@{self.user} {self.message}"


def private_storage():
    """For FileField(storage=…): below PRIVATE_ROOT, no address; a callable, so that migrations name no folder."""
    return storages["private"]


class Attachment(models.Model):
    """A picture (written anew, without metadata) or a document of a safe type, sent with a message. Append-only."""

    message = models.ForeignKey(Message, models.PROTECT, related_name="attachments")
    file = models.FileField(upload_to="attachments/%Y/%m/", storage=private_storage, max_length=200)
    name = models.CharField(_("file name"), max_length=150)
    content_type = models.CharField(max_length=100)
    size_bytes = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    is_picture = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        ordering = ["message", "pk"]

    def __str__(self):
        return self.name


class ThreadExport(models.Model):
    """A thread written as a PDF for the file, up to a number, in the language of who asked."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Being written")
        DONE = "done", _("Ready")
        FAILED = "failed", _("Could not be written")

    thread = models.ForeignKey(Thread, models.PROTECT, related_name="exports")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    language = models.CharField(max_length=10)
    up_to_number = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    file = models.FileField(upload_to="thread-exports/%Y/%m/", storage=private_storage, max_length=200, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("export of a conversation")
        verbose_name_plural = _("exports of conversations")
        ordering = ["-created_at", "-pk"]

    def __str__(self):
        return f"{self.thread} (1–{self.up_to_number})"
