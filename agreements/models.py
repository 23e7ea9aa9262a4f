"""From a request to a signed agreement."""

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import F, Q, Window
from django.db.models.functions import Coalesce, RowNumber
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Organisation
from accounts.permissions import is_bureau_staff
from listings.models import CapacityPool, DemandLine, Reservation, Resource
from listings.storage import private_storage

from .periods import last_day

# As the database's rules spell them out; ShareRequest.OPEN, IN_FORCE and ENDED say the same (test_states.py).
OPEN_STATES = [
    "submitted", "incomplete", "accepted", "surveying", "assessed", "negotiating", "agreed", "on_hold", "escalated",
    "mediated",
]  # fmt: skip
IN_FORCE_STATES = ["signed", "make_ready", "building", "inspecting", "rectifying", "operating", "leaving"]
ENDED_STATES = ["refused", "withdrawn", "expired", "decided", "lapsed", "finished"]
PAUSABLE_STATES = ["submitted", "incomplete", "accepted", "surveying", "assessed", "negotiating"]


def _readable(membership: Membership | None, path: str = "") -> Q:
    """The two parties read a case; so does a verified bureau whose jurisdiction the resource lies in, and once it was
    escalated the bureau of the applicant's seat as well."""
    if not membership or membership.ended_at:
        return Q(pk__in=[])
    organisation = membership.organisation
    if organisation.is_bureau:
        prefix = organisation.region.prefix
        if not is_bureau_staff(membership):
            return Q(pk__in=[])
        return Q(**{f"{path}resource__region__code__startswith": prefix}) | Q(
            **{f"{path}requester__region__code__startswith": prefix, f"{path}is_escalated": True}
        )
    return Q(**{f"{path}requester": organisation}) | Q(**{f"{path}owner": organisation})


def _names(path: str = "") -> list[str]:
    """The columns that name a case's parties and resource."""
    names = [f"{side}__{name}" for side in ("requester", "owner") for name in ("name_zh", "name_en")]
    return [path + name for name in (*names, "resource__name", "resource__region")]


def _named(text: str, path: str = "") -> Q:
    """Cases whose resource or one of whose parties is called something like the text."""
    found = Q(**{f"{path}resource__name__icontains": text})
    for side in ("requester", "owner"):
        for field in ("name_zh", "name_en"):
            found |= Q(**{f"{path}{side}__{field}__icontains": text})
    return found


class ShareRequestQuerySet(models.QuerySet):
    def readable_by(self, membership: Membership | None):
        return self.filter(_readable(membership))

    def open(self):
        """Those not signed yet and not ended: a clock runs and capacity is held."""
        return self.filter(state__in=ShareRequest.OPEN)

    def counting(self):
        """Legs of joint requests whose place no other leg has taken."""
        return self.filter(replaced_by=None)

    def once_each(self):
        """Of each joint request one leg, that whose clock runs out first; requests by themselves as they are."""
        first = Window(
            RowNumber(),
            partition_by=Coalesce("bundle_id", -F("pk")),
            order_by=[F("due_at").asc(nulls_last=True), F("pk").asc()],
        )
        return self.annotate(place_in_bundle=first).filter(place_in_bundle=1)

    def at_work(self):
        """Open ones, and signed ones that are not in operation yet: somebody owes a step."""
        return self.filter(state__in=[*ShareRequest.OPEN, *ShareRequest.WORKS])

    def due(self, now: dt.datetime):
        """Those whose clock has run out; what has ended has none."""
        return self.filter(due_at__lte=now)

    def with_parties(self):
        """What lists and case pages name, in one query; the exact place is not fetched."""
        return self.select_related(
            "requester", "owner", "resource__region", "line__demand_list", "created_by", "amends", "bundle"
        ).defer("resource__place", "resource__shown_cell")

    def with_names(self):
        """What a list of work names: its own columns, and of the others their names alone, instead of two hundred."""
        own = [field.name for field in ShareRequest._meta.concrete_fields]
        return self.select_related("requester", "owner", "resource").only(*own, *_names())

    def search(self, *, text: str = "", state: str = "", side: str = "", organisation: Organisation | None = None):
        """Those that fit; an empty value leaves its field open. side: "made" or "received", seen from organisation.

        state: one of State, or "open" for all that have not ended.
        """
        rows = self
        if state == "open":
            rows = rows.open()
        elif state:
            rows = rows.filter(state=state)
        if side == "made":
            rows = rows.filter(requester=organisation)
        elif side == "received":
            rows = rows.filter(owner=organisation)
        if text:
            number = text.upper().lstrip("Q").lstrip("0")
            by_code = Q(pk=int(number)) if number.isdecimal() and len(number) < 10 else Q(pk__in=[])
            rows = rows.filter(_named(text) | by_code)
        return rows

    def by_clock(self):
        """What runs out first comes first; what has ended comes last, newest first."""
        return self.order_by(F("due_at").asc(nulls_last=True), F("closed_at").desc(nulls_last=True), "-pk")


class ShareRequest(models.Model):
    """An organisation asks for units of a resource; answered by offers, ended by an agreement or not.

    States and who may move them: agreements/states.py.
    """

    class State(models.TextChoices):
        SUBMITTED = "submitted", _("Submitted")
        INCOMPLETE = "incomplete", _("To be completed")
        ACCEPTED = "accepted", _("Accepted for examination")
        SURVEYING = "surveying", _("Joint survey")
        ASSESSED = "assessed", _("Found suitable")
        NEGOTIATING = "negotiating", _("Negotiating")
        AGREED = "agreed", _("Terms agreed")
        SIGNED = "signed", _("Signed")
        REFUSED = "refused", _("Refused")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        EXPIRED = "expired", _("Expired")
        ON_HOLD = "on_hold", _("On hold")
        ESCALATED = "escalated", _("Before the bureau")
        MEDIATED = "mediated", _("Bureau's proposal")
        DECIDED = "decided", _("Decided: not shared")
        MAKE_READY = "make_ready", _("Make-ready")
        BUILDING = "building", _("Works under way")
        INSPECTING = "inspecting", _("Acceptance")
        RECTIFYING = "rectifying", _("To be rectified")
        OPERATING = "operating", _("In operation")
        LEAVING = "leaving", _("Notice given")
        LAPSED = "lapsed", _("Lapsed unused")
        FINISHED = "finished", _("Finished")

    # A clock runs and capacity is held.
    OPEN = tuple(map(State, OPEN_STATES))
    # Signed: capacity is reserved, a clock runs. Until acceptance there are works; then the price runs.
    WORKS = (State.SIGNED, State.MAKE_READY, State.BUILDING, State.INSPECTING, State.RECTIFYING)
    IN_FORCE = (*WORKS, State.OPERATING, State.LEAVING)
    ENDED = tuple(map(State, ENDED_STATES))
    WITH_BUREAU = (State.ESCALATED, State.MEDIATED)

    class Refusal(models.TextChoices):
        NO_SPACE = "no_space", _("No space")
        OWN_NEED = "own_need", _("Own future need")
        SAFETY = "safety", _("Safety")
        NETWORK_INTEGRITY = "network_integrity", _("Network integrity")
        INTERFERENCE = "interference", _("Interference")
        ALTERNATIVE = "alternative", _("Viable alternative offered")
        PAPERS_MISSING = "papers_missing", _("Papers missing")
        FOUNDATION = "foundation", _("Foundation needs work")

    class Change(models.TextChoices):
        AMENDMENT = "amendment", _("Amendment")
        RENEWAL = "renewal", _("Renewal")

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
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.SUBMITTED)
    refusal_code = models.CharField(_("reason"), max_length=20, choices=Refusal.choices, blank=True)
    closing_note = models.CharField(_("note"), max_length=500, blank=True)
    due_at = models.DateTimeField(_("due"), null=True, blank=True)  # the running clock of this state; None: none runs
    resume_state = models.CharField(max_length=12, choices=State.choices, blank=True)  # where it goes on after a hold
    paused_by = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="+")
    is_escalated = models.BooleanField(_("was brought before the bureau"), default=False)
    idempotency_key = models.UUIDField(unique=True)
    group_key = models.UUIDField(null=True, blank=True, db_index=True)  # of the form that made several
    # The joint request this is a leg of, and the failed leg of it whose place this one takes; empty for one by itself.
    bundle = models.ForeignKey(
        "agreements.Bundle", models.PROTECT, null=True, blank=True, related_name="legs", verbose_name=_("joint request")
    )
    replaces = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="replaced_by", verbose_name=_("in place of")
    )
    # The agreement in operation that this case changes or renews; both empty for a request of its own.
    amends = models.ForeignKey("agreements.Agreement", models.PROTECT, null=True, blank=True, related_name="changes")
    change = models.CharField(_("change"), max_length=9, choices=Change.choices, blank=True)
    is_demo = models.BooleanField(default=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)  # signed, and later: finished

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
            models.CheckConstraint(
                condition=Q(state__in=OPEN_STATES, due_at__isnull=False, closed_at=None)
                | Q(state__in=IN_FORCE_STATES, due_at__isnull=False, closed_at__isnull=False)
                | Q(state__in=ENDED_STATES, due_at=None, closed_at__isnull=False),
                name="request_open_has_clock",
            ),
            models.CheckConstraint(
                condition=Q(state="on_hold", resume_state__in=PAUSABLE_STATES, paused_by__isnull=False)
                | (~Q(state="on_hold") & Q(resume_state="", paused_by=None)),
                name="request_on_hold_knows_the_way_back",
            ),
            models.CheckConstraint(
                condition=Q(change="", amends=None) | (~Q(change="") & Q(amends__isnull=False)),
                name="request_change_names_its_agreement",
            ),
            models.CheckConstraint(
                condition=Q(replaces=None) | Q(bundle__isnull=False), name="request_replaces_within_joint_request"
            ),
            models.UniqueConstraint(
                fields=["amends"], condition=Q(state__in=OPEN_STATES), name="request_one_open_change",
                violation_error_message=_("A change of this agreement is being negotiated already."),
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="request_due")]

    def __str__(self):
        return self.code

    def get_absolute_url(self) -> str:
        return reverse("request_detail", args=[self.pk])

    @property
    def code(self) -> str:
        """As people quote it; resources have codes of their own letter."""
        return f"Q{self.pk or 0:08d}"

    def together(self) -> "ShareRequestQuerySet":
        """The other requests made in the same form."""
        if self.group_key is None:
            return ShareRequest.objects.none()
        return ShareRequest.objects.filter(group_key=self.group_key).exclude(pk=self.pk).order_by("pk")

    @property
    def is_amendment(self) -> bool:
        return self.change == self.Change.AMENDMENT

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN

    @property
    def is_in_force(self) -> bool:
        return self.state in self.IN_FORCE

    @property
    def bureau_regions(self) -> list[str]:
        """Codes of the divisions whose bureaus may be asked: those the resource and the applicant's seat lie in."""
        codes = [self.resource.region_id, self.requester.region_id]
        return sorted({above for code in codes for above in (code[:2] + "0000", code[:4] + "00", code)})

    @property
    def ends_on(self) -> dt.date:
        """The last day of the period asked for."""
        return last_day(self.starts_on, self.months)


class RequestItem(models.Model):
    """Units of one pool asked for; the reservation is the hold that keeps them."""

    request = models.ForeignKey(ShareRequest, models.CASCADE, related_name="items")
    pool = models.ForeignKey(CapacityPool, models.PROTECT, related_name="request_items")
    quantity = models.DecimalField(_("quantity"), max_digits=12, decimal_places=2)
    reservation = models.OneToOneField(Reservation, models.PROTECT, null=True, blank=True, related_name="request_item")

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
        OPEN = "open", _("Awaiting an answer")
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

    @property
    def ends_on(self) -> dt.date:
        return last_day(self.starts_on, self.months)


class AgreementQuerySet(models.QuerySet):
    def readable_by(self, membership: Membership | None):
        return self.filter(_readable(membership, "request__"))

    def with_parties(self):
        return self.select_related(
            "request__requester",
            "request__owner",
            "request__resource__region",
            "request__line__demand_list",
            "offer",
            "request__amends",
        ).defer("request__resource__place", "request__resource__shown_cell")

    def with_names(self):
        """What a list of work names, and no more."""
        case = ("request__requester", "request__owner", "request__resource")
        own = ("reference", "signed_at", "ends_on", "request__due_at")
        return self.select_related(*case).only(*own, *_names("request__"))

    def without_pdf(self):
        """Signed by all, and the document is not there yet."""
        return self.filter(state=Agreement.State.SIGNED, pdf="")

    def ending(self, until: dt.date):
        """Those in force whose period ends by the day, soonest first."""
        rows = self.filter(state=Agreement.State.SIGNED, ended_on=None, ends_on__lte=until)
        return rows.order_by("ends_on", "pk")

    def search(self, *, text: str = "", state: str = "", ending: str = ""):
        """Those that fit, newest first; ending: within so many days, soonest first. An empty value leaves it open."""
        rows = self.order_by("-pk")
        if ending:
            rows = self.ending(timezone.localdate() + dt.timedelta(days=int(ending)))
        rows = rows.filter(state=state) if state else rows
        return rows.filter(_named(text, "request__") | Q(reference__icontains=text)) if text else rows


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
    ends_on = models.DateField(_("ends on"), null=True, blank=True)  # last day of the period; None: not signed
    price_from = models.DateField(_("price runs from"), null=True, blank=True)  # the acceptance; None: not yet
    ended_on = models.DateField(_("ended on"), null=True, blank=True)  # None: in force, or never was

    objects = AgreementQuerySet.as_manager()

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

    def get_absolute_url(self) -> str:
        return reverse("agreement_detail", args=[self.pk])


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
        constraints = [models.UniqueConstraint(fields=["agreement", "organisation"], name="signature_once_per_party")]

    def __str__(self):
        return f"{self.signer_name} · {self.agreement}"


from .approvals.models import Approval, ApprovalRule, ProjectApproval  # noqa: E402, F401  (they refer to what stands above)
from .bundle_models import Bundle  # noqa: E402, F401
from .case_models import Acceptance, CaseClock, CaseDocument, CaseStep  # noqa: E402, F401
from .projects.models import Project, ProjectParty, ProjectResource, ProjectSignature  # noqa: E402, F401
from .projects.works_models import (  # noqa: E402, F401
    ProjectDocument,
    ProjectEntry,
    ProjectInspection,
    ProjectMilestone,
)
from .queue_models import QueuePlace  # noqa: E402, F401
from .sheets.models import Scheme, SwapEntry, TermSheet  # noqa: E402, F401
