"""The standards and acceptance library as data: what applies when, and what is checked at acceptance."""

import datetime as dt

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey
from modelcluster.models import ClusterableModel

from .resources import Kind


def _worded(zh: str, en: str) -> str:
    return (en or zh) if (get_language() or "").startswith("en") else zh


class StandardQuerySet(models.QuerySet):
    def valid_on(self, day: dt.date | None = None):
        """In force on the day (default today)."""
        day = day or timezone.localdate()
        return self.filter(Q(valid_until=None) | Q(valid_until__gte=day), valid_from__lte=day)

    def search(self, text: str):
        """Those whose code, title or summary has the text; all for none."""
        if not text:
            return self
        found = Q(code__icontains=text) | Q(title_zh__icontains=text) | Q(title_en__icontains=text)
        return self.filter(found | Q(summary_zh__icontains=text) | Q(summary_en__icontains=text))

    def for_kind(self, kind: str):
        """Those that name the kind of resource, and those that name none: they apply to all."""
        return self.filter(Q(kinds__contains=[kind]) | Q(kinds=[]))


class Standard(ClusterableModel):
    """One version of a document: a standard, a decree, a specification, an acceptance checklist.

    Versions of one document share the code; the next names the one it supersedes.
    """

    class Type(models.TextChoices):
        POLICY = "policy", _("Policy and decrees")
        DESIGN = "design", _("Design")
        CONSTRUCTION = "construction", _("Construction")
        ACCEPTANCE = "acceptance", _("Acceptance")
        DATA = "data", _("Data and exchange")

    code = models.CharField(_("code"), max_length=60, help_text=_("As it is cited, for example YD 5191-2009."))
    version = models.CharField(_("version"), max_length=30)
    type = models.CharField(_("type"), max_length=12, choices=Type.choices)
    kinds = ArrayField(
        models.CharField(max_length=8, choices=Kind.choices), default=list, blank=True, verbose_name=_("kinds"),
        help_text=_("None chosen: all kinds."),
    )  # fmt: skip
    title_zh = models.CharField(_("Chinese title"), max_length=200)
    title_en = models.CharField(_("English title"), max_length=240, blank=True)
    summary_zh = models.TextField(_("Chinese summary"), blank=True)
    summary_en = models.TextField(_("English summary"), blank=True)
    source = models.CharField(_("source"), max_length=300, help_text=_("Who issued it, and where it can be read."))
    valid_from = models.DateField(_("valid from"))
    to_confirm = models.CharField(
        _("still to be confirmed"), max_length=200, blank=True,
        help_text=_("Which of these facts nobody has confirmed yet; the page says so. Empty: all are."),
    )  # fmt: skip
    valid_until = models.DateField(_("valid until"), null=True, blank=True)
    supersedes = models.OneToOneField(
        "self", models.SET_NULL, null=True, blank=True, related_name="superseded_by", verbose_name=_("supersedes")
    )

    objects = StandardQuerySet.as_manager()

    class Meta:
        verbose_name = _("standard")
        verbose_name_plural = _("standards")
        ordering = ["type", "code", "-valid_from", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["code", "version"], name="standard_version_once"),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gte=F("valid_from")), name="standard_validity_in_order",
                violation_error_message=_("“Valid until” is before “valid from”."),
            ),
        ]  # fmt: skip

    def __str__(self):
        return f"{self.code} {self.title}"

    @property
    def title(self) -> str:
        return _worded(self.title_zh, self.title_en)

    @property
    def summary(self) -> str:
        return _worded(self.summary_zh, self.summary_en)

    @property
    def is_valid(self) -> bool:
        """Whether it is in force today."""
        today = timezone.localdate()
        return self.valid_from <= today and (self.valid_until is None or self.valid_until >= today)


class StandardItem(models.Model):
    """One point of a checklist: what is checked at acceptance, how, and what passes."""

    standard = ParentalKey(Standard, related_name="items")  # edited with its standard
    number = models.PositiveSmallIntegerField(_("number"))
    text_zh = models.CharField(_("what is checked (Chinese)"), max_length=300)
    text_en = models.CharField(_("what is checked (English)"), max_length=400, blank=True)
    method_zh = models.CharField(_("how (Chinese)"), max_length=300, blank=True)
    method_en = models.CharField(_("how (English)"), max_length=400, blank=True)
    clause = models.CharField(_("clause"), max_length=60, blank=True)
    is_required = models.BooleanField(_("must pass"), default=True)

    class Meta:
        verbose_name = _("point of the checklist")
        verbose_name_plural = _("points of the checklist")
        ordering = ["standard", "number"]
        constraints = [models.UniqueConstraint(fields=["standard", "number"], name="standard_item_number_once")]

    def __str__(self):
        return f"{self.number}. {self.text}"

    @property
    def text(self) -> str:
        return _worded(self.text_zh, self.text_en)

    @property
    def method(self) -> str:
        return _worded(self.method_zh, self.method_en)
