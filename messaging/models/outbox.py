"""What a committed change still owes the world: written in its transaction, worked off by the relay."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .threads import Thread


class OutboxEntry(models.Model):
    """A ring (and, for messages, notifications) owed. Carries ids only; done twice it does no harm.

    The web process rings at once after the commit; the relay rings again, for the process may have died in between.
    """

    class Kind(models.TextChoices):
        MESSAGE = "message", _("a message")
        RIGHTS = "rights", _("rights that changed")

    kind = models.CharField(max_length=8, choices=Kind.choices)
    thread = models.ForeignKey(Thread, models.CASCADE, null=True, blank=True, related_name="+")
    number = models.PositiveIntegerField(null=True, blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("outbox entry")
        verbose_name_plural = _("outbox")
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["id"], condition=Q(done_at=None), name="outbox_open"),
            models.Index(fields=["created_at"], condition=Q(kind="rights"), name="outbox_rights"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="message", thread__isnull=False, number__isnull=False)
                | Q(kind="rights") & (Q(user__isnull=False) | Q(thread__isnull=False)),
                name="outbox_names_what",
            )
        ]

    def __str__(self):
        return f"{self.kind} {self.thread_id}#{self.number} {self.user_id}"
