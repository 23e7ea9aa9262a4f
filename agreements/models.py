"""From a request to a signed agreement."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Organisation
from listings.models import CapacityPool, DemandLine, Reservation, Resource
from listings.storage import private_storage


class ShareRequestQuerySet(models.QuerySet):
    def readable_by(self, membership: Membership | None):
        """The two parties read a request; so does a bureau whose jurisdiction the resource lies in."""
        if not membership or membership.ended_at:
            return self.none()
        organisation = membership.organisation
        if organisation.is_bureau:
            if not organisation.is_verified:
                return self.none()
            return self.exclude(state="draft").filter(
                resource__region_id__startswith=organisation.region.prefix
            )
        return self.filter(Q(requester=organisation) | Q(owner=organisation) & ~Q(state="draft"))


class ShareRequest(models.Model):
    """An organisation asks for units of a resource; answered by offers, ended by an agreement or not.

    States and who may move them: agreements/states.py.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        SUBMITTED = "submitted", _("Submitted")
        NEGOTIATING = "negotiating", _("Negotiating")
        AGREED = "agreed", _("Terms agreed")
        SIGNED = "signed", _("Signed")
        REFUSED = "refused", _("Refused")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        EXPIRED = "expired", _("Expired")

    class Refusal(models.TextChoices):
        NO_SPACE = "no_space", _("No space")
        OWN_NEED = "own_need", _("Own future need")
        SAFETY = "safety", _("Safety")
        NETWORK_INTEGRITY = "network_integrity", _("Network integrity")
        INTERFERENCE = "interference", _("Interference")
        ALTERNATIVE = "alternative", _("Viable alternative offered")
        PAPERS_MISSING = "papers_missing", _("Papers missing")
        FOUNDATION = "foundation", _("Foundation needs work")

    requester = models.ForeignKey(
        Organisation, models.PROTECT, related_name="requests_made", verbose_name=_("applicant")
    )
    owner = models.ForeignKey(Organisation, models.PROTECT, related_name="requests_received", verbose_name=_("owner"))
    resource = models.ForeignKey(Resource, models.PROTECT, related_name="requests", verbose_name=_("resource"))
    line = models.ForeignKey(
        DemandLine, models.PROTECT, null=True, blank=True, related_name="requests", verbose_name=_("demand line")
    )
    purpose = models.CharField(_("purpose"), max_length=300)
    starts_on = models.DateField(_("from"))
    months = models.PositiveSmallIntegerField(_("for (months)"))
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.DRAFT)
    refusal_code = models.CharField(_("reason"), max_length=20, choices=Refusal.choices, blank=True)
    closing_note = models.CharField(_("note"), max_length=500, blank=True)
    due_at = models.DateTimeField(_("due"), null=True, blank=True)  # the running clock of this state; None: none runs
    idempotency_key = models.UUIDField(unique=True)
    is_demo = models.BooleanField(default=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = ShareRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("request")
        verbose_name_plural = _("requests")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(requester=F("owner")), name="request_not_to_oneself",
                violation_error_message=_("This resource is your own organisation's."),
            ),
            models.CheckConstraint(
                condition=~Q(state="refused") | ~Q(refusal_code=""), name="request_refused_has_reason",
                violation_error_message=_("A refusal needs a reason."),
            ),
            models.CheckConstraint(condition=Q(months__gte=1, months__lte=600), name="request_months_in_range",
                violation_error_message=_("The period is 1 to 600 months.")),
        ]  # fmt: skip
        indexes = [models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="request_due")]

    def __str__(self):
        return self.code

    @property
    def code(self) -> str:
        return f"Q{self.pk or 0:08d}"


class RequestItem(models.Model):
    """Units of one pool asked for; the reservation is the hold that keeps them."""

    request = models.ForeignKey(ShareRequest, models.CASCADE, related_name="items")
    pool = models.ForeignKey(CapacityPool, models.PROTECT, related_name="request_items")
    quantity = models.DecimalField(_("quantity"), max_digits=12, decimal_places=2)
    reservation = models.OneToOneField(
        Reservation, models.PROTECT, null=True, blank=True, related_name="request_item"
    )

    class Meta:
        verbose_name = _("item")
        verbose_name_plural = _("items")
        ordering = ["request", "pool"]
        constraints = [
            models.UniqueConstraint(fields=["request", "pool"], name="item_once_per_pool"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="item_quantity_positive"),
        ]

    def __str__(self):
        return f"{self.quantity} × {self.pool}"


class Offer(models.Model):
    """One version of the terms: who proposes, how much, at what price, for how long."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        COUNTERED = "countered", _("Countered")
        ACCEPTED = "accepted", _("Accepted")
        LAPSED = "lapsed", _("Lapsed")

    request = models.ForeignKey(ShareRequest, models.PROTECT, related_name="offers")
    number = models.PositiveSmallIntegerField()  # v1, v2 …
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="offers")
    quantities = models.JSONField()  # {pool id: "quantity"}: at most what the hold keeps
    price_fen_per_year = models.PositiveBigIntegerField(_("price per year (fen)"))  # for all, tax included; 0: free
    starts_on = models.DateField(_("from"))
    months = models.PositiveSmallIntegerField(_("for (months)"))
    note = models.TextField(_("terms"), max_length=2000, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OPEN)
    valid_until = models.DateTimeField(_("valid until"))
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("offer")
        verbose_name_plural = _("offers")
        ordering = ["request", "number"]
        constraints = [
            models.UniqueConstraint(fields=["request", "number"], name="offer_number_once"),
            models.UniqueConstraint(fields=["request"], condition=Q(state="open"), name="offer_one_open"),
            models.UniqueConstraint(fields=["request"], condition=Q(state="accepted"), name="offer_one_accepted"),
            models.CheckConstraint(condition=Q(months__gte=1, months__lte=600), name="offer_months_in_range",
                violation_error_message=_("The period is 1 to 600 months.")),
        ]  # fmt: skip

    def __str__(self):
        return f"{self.request} v{self.number}"


class Agreement(models.Model):
    """The accepted terms as a document: frozen text, signatures, a PDF with its hash and a verification code."""

    class State(models.TextChoices):
        SIGNING = "signing", _("To be signed")
        SIGNED = "signed", _("Signed by all")
        VOID = "void", _("Void")

    request = models.OneToOneField(ShareRequest, models.PROTECT, related_name="agreement")
    offer = models.OneToOneField(Offer, models.PROTECT, related_name="agreement")
    reference = models.CharField(_("reference"), max_length=40, unique=True)
    verification_code = models.CharField(_("verification code"), max_length=24, unique=True)
    terms = models.JSONField()  # frozen: parties, object, quantities, price, period, clauses, in both languages
    terms_sha256 = models.CharField(max_length=64)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.SIGNING)
    pdf = models.FileField(upload_to="agreements/%Y/", storage=private_storage, blank=True)
    pdf_sha256 = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    signed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("agreement")
        verbose_name_plural = _("agreements")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="signed") | Q(signed_at__isnull=False), name="agreement_signed_has_time"
            )
        ]

    def __str__(self):
        return self.reference


class Signature(models.Model):
    """A signatory's act after re-authentication. Append-only (trigger)."""

    agreement = models.ForeignKey(Agreement, models.PROTECT, related_name="signatures")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="signatures")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="signatures")
    signer_name = models.CharField(max_length=80)
    terms_sha256 = models.CharField(max_length=64)  # what was signed
    signed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("signature")
        verbose_name_plural = _("signatures")
        ordering = ["agreement", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["agreement", "organisation"], name="signature_once_per_party")
        ]

    def __str__(self):
        return f"{self.signer_name} · {self.agreement}"
