"""Threads between organisations, their messages and read marks, and notifications.

A thread knows its subject only generically, so every app above can open one. PostgreSQL is the
truth: messages carry a dense number per thread, and the socket only rings.
"""

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Organisation


class ThreadQuerySet(models.QuerySet):
    def readable_by(self, membership: Membership | None):
        """Threads the member's organisation is a party of. None sees nothing."""
        if not membership or membership.ended_at:
            return self.none()
        return self.filter(parties__organisation_id=membership.organisation_id, parties__left_at=None)


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

    @property
    def group_name(self) -> str:
        """The channel-layer group that is rung when the thread grows."""
        return f"thread.{self.pk}"


class ThreadParty(models.Model):
    """An organisation in a thread, from joining to leaving."""

    thread = models.ForeignKey(Thread, models.CASCADE, related_name="parties")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="thread_parties")
    joined_at = models.DateTimeField(auto_now_add=True)
    left_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("party")
        verbose_name_plural = _("parties")
        ordering = ["thread", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["thread", "organisation"], condition=Q(left_at=None), name="party_once")
        ]

    def __str__(self):
        return f"{self.organisation} · {self.thread}"


class Message(models.Model):
    """What was said, or a state change told as an event. Append-only (trigger)."""

    class Kind(models.TextChoices):
        TEXT = "text", _("Message")
        EVENT = "event", _("Event")

    thread = models.ForeignKey(Thread, models.PROTECT, related_name="messages")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.TEXT)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="+")
    body = models.TextField(_("message"), max_length=4000, blank=True)
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
                condition=Q(kind="text", author__isnull=False) & ~Q(body="") | Q(kind="event") & ~Q(event_code=""),
                name="message_says_something",
            ),
        ]

    def __str__(self):
        return f"{self.thread_id}#{self.number}"


class ReadMark(models.Model):
    """How far a person has read a thread."""

    thread = models.ForeignKey(Thread, models.CASCADE, related_name="read_marks")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="read_marks")
    last_number = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("read mark")
        verbose_name_plural = _("read marks")
        constraints = [models.UniqueConstraint(fields=["thread", "user"], name="read_mark_once")]

    def __str__(self):
        return f"{self.user} {self.thread_id}#{self.last_number}"


class Notification(models.Model):
    """Something a person should know, with a way to it; never carries a place or a price."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notifications")
    organisation = models.ForeignKey(Organisation, models.CASCADE, null=True, blank=True, related_name="+")
    code = models.CharField(max_length=60)  # "<noun>.<verb>"; worded by messaging.wording in the reader's language
    payload = models.JSONField(default=dict)
    url = models.CharField(max_length=300)  # without language prefix
    key = models.CharField(max_length=120)  # one notification per key and person, however often it is asked for
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        ordering = ["-created_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="notification_once")]
        indexes = [models.Index(fields=["user", "-created_at"], condition=Q(read_at=None), name="notification_unread")]

    def __str__(self):
        return f"{self.code} → {self.user}"
