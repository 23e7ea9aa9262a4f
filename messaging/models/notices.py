"""What people are told: notifications in the portal, letters by e-mail, and each person's choices about them."""

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation

from .threads import Thread


class Mail(models.TextChoices):
    NOW = "now", _("at once")
    DIGEST = "digest", _("once a day, together")
    NONE = "none", _("not by e-mail")


class Letter(models.Model):
    """One e-mail to one person, with one or several notifications in it; tried again with growing pauses."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        SENT = "sent", _("Sent")
        DEAD = "dead", _("Given up")
        DROPPED = "dropped", _("Not needed any more")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="letters")
    is_digest = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    due_at = models.DateTimeField()  # the next attempt is not before this
    tries = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("letter")
        verbose_name_plural = _("letters")
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["due_at"], condition=Q(state="waiting"), name="letter_due")]
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(state="waiting", is_digest=True, tries=0), name="letter_one_digest_waits"
            ),
            models.CheckConstraint(
                condition=Q(state="waiting") | Q(ended_at__isnull=False), name="letter_end_has_time"
            ),
        ]

    def __str__(self):
        return f"{self.user} {self.state}"


class Notification(models.Model):
    """Something a person should know, with a way to it; never carries a place or a price."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notifications")
    organisation = models.ForeignKey(Organisation, models.CASCADE, null=True, blank=True, related_name="+")
    thread = models.ForeignKey(Thread, models.CASCADE, null=True, blank=True, related_name="notifications")
    code = models.CharField(max_length=60)  # "<noun>.<verb>"; worded by messaging.wording in the reader's language
    payload = models.JSONField(default=dict)
    url = models.CharField(max_length=300)  # without language prefix
    key = models.CharField(max_length=120)  # one notification per key and person, however often it is asked for
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True, blank=True)
    is_mail_decided = models.BooleanField(default=False)  # whether the post office has looked at it
    letter = models.ForeignKey(Letter, models.SET_NULL, null=True, blank=True, related_name="notifications")

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        ordering = ["-created_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="notification_once")]
        indexes = [
            models.Index(fields=["user", "-created_at"], condition=Q(read_at=None), name="notification_unread"),
            models.Index(fields=["id"], condition=Q(is_mail_decided=False), name="notification_to_mail"),
        ]

    def __str__(self):
        return f"{self.code} → {self.user}"


class MailChoice(models.Model):
    """A person's quiet hours and the hour of the digest, in the site's time zone. No row: the defaults."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="mail_choice")
    quiet_from = models.TimeField(_("quiet from"), null=True, blank=True)
    quiet_until = models.TimeField(_("quiet until"), null=True, blank=True)
    digest_at = models.TimeField(_("digest at"), default=dt.time(8, 0))

    class Meta:
        verbose_name = _("choice about mail")
        verbose_name_plural = _("choices about mail")
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_from=None, quiet_until=None) | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="quiet_hours_both_or_none",
                violation_error_message=_("Quiet hours need a beginning and an end."),
            )
        ]

    def __str__(self):
        return str(self.user)


class NoticeChoice(models.Model):
    """How a person wants one kind of notification mailed. No row: the kind's default (messaging/kinds.py)."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notice_choices")
    kind = models.CharField(max_length=20)
    mail = models.CharField(max_length=8, choices=Mail.choices)

    class Meta:
        verbose_name = _("choice about a kind of notification")
        verbose_name_plural = _("choices about kinds of notification")
        ordering = ["user", "kind"]
        constraints = [models.UniqueConstraint(fields=["user", "kind"], name="notice_choice_once")]

    def __str__(self):
        return f"{self.user} {self.kind}: {self.mail}"


class ThreadChoice(models.Model):
    """How a person wants the notifications of one case mailed; stronger than the choice by kind."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="thread_choices")
    thread = models.ForeignKey(Thread, models.CASCADE, related_name="choices")
    mail = models.CharField(max_length=8, choices=Mail.choices)

    class Meta:
        verbose_name = _("choice about a conversation")
        verbose_name_plural = _("choices about conversations")
        ordering = ["user", "thread"]
        constraints = [models.UniqueConstraint(fields=["user", "thread"], name="thread_choice_once")]

    def __str__(self):
        return f"{self.user} {self.thread_id}: {self.mail}"
