"""How far people have got, and what an organisation shows of its own presence."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation

from .threads import Thread


class ReadMark(models.Model):
    """How far a thread has reached a person's browser (delivered), and how far the person has read it."""

    thread = models.ForeignKey(Thread, models.CASCADE, related_name="read_marks")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="read_marks")
    last_number = models.PositiveIntegerField(default=0)
    delivered_number = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("read mark")
        verbose_name_plural = _("read marks")
        constraints = [
            models.UniqueConstraint(fields=["thread", "user"], name="read_mark_once"),
            models.CheckConstraint(condition=Q(delivered_number__gte=F("last_number")), name="read_was_delivered"),
        ]

    def __str__(self):
        return f"{self.user} {self.thread_id}#{self.last_number}"


class PresenceChoice(models.Model):
    """Whether others see that somebody of the organisation has the conversation open. No row: they do."""

    organisation = models.OneToOneField(Organisation, models.CASCADE, related_name="presence_choice")
    is_shown = models.BooleanField(_("show when we are there"), default=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("choice about presence")
        verbose_name_plural = _("choices about presence")

    def __str__(self):
        return f"{self.organisation}: {self.is_shown}"
