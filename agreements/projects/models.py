"""Planned works that several parties build together."""

from decimal import Decimal

from django.conf import settings
from django.contrib.gis.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Membership, Organisation, Region
from accounts.permissions import is_bureau_staff
from listings.models import Resource
from listings.storage import private_storage
from matching.models import Proposal

GATED_KINDS = ["subway", "tunnel", "bridge"]  # as the database's rule spells them out


class ProjectQuerySet(models.QuerySet):
    def visible_to(self, membership: Membership | None):
        """Whatever tells of planned works comes from here.

        A draft: its lead. From publication: the region's bureaus and everybody invited, asking or taking part (who
        was declined or left reads no more than others); members of verified organisations where it is disclosed to
        members; anybody where it is public.
        """
        published = ~Q(state=Project.State.DRAFT) & Q(published_at__isnull=False)
        shown = published & Q(disclosure=Project.Disclosure.PUBLIC)
        if not membership or membership.ended_at:
            return self.filter(shown)
        organisation = membership.organisation
        if is_bureau_staff(membership):
            shown |= published & Q(region__code__startswith=organisation.region.prefix)
        if organisation.is_verified:
            shown |= published & Q(disclosure=Project.Disclosure.MEMBERS)
        taking_part = ProjectParty.objects.filter(organisation=organisation, state__in=ProjectParty.PRESENT)
        return self.filter(shown | Q(lead=organisation) | (published & Q(pk__in=taking_part.values("project"))))

    def listed(self):
        return self.select_related("lead", "region").defer("place", "region__polygon").order_by("join_until", "pk")

    def search(self, *, kind: str = "", state: str = ""):
        rows = self.filter(kind=kind) if kind else self
        return rows.filter(state=state) if state else rows


class Project(models.Model):
    """A planned works notice and what becomes of it. Money in fen, tax included; places in SRID 4326.

    common_fen: what all parties need and share; each joining party's own extra cost stands in ProjectParty.own_fen.
    """

    class Kind(models.TextChoices):
        SUBWAY = "subway", _("Subway")
        TUNNEL = "tunnel", _("Tunnel")
        BRIDGE = "bridge", _("Bridge")
        ROAD = "road", _("Road")
        PIPE = "pipe", _("Pipe or duct")
        POWER_LINE = "power_line", _("Power line")
        TOWER = "tower", _("Tower or pole")

    class Method(models.TextChoices):
        OPEN_CUT = "open_cut", _("Open cut")
        TRENCHLESS = "trenchless", _("Trenchless")
        BORED = "bored", _("Bored or shield-driven")
        OVERHEAD = "overhead", _("Overhead")
        STRUCTURE = "structure", _("With the structure")

    class Disclosure(models.TextChoices):
        PUBLIC = "public", _("Everybody")
        MEMBERS = "members", _("Members of verified organisations")
        PARTIES = "parties", _("Those taking part and the bureau")

    class Unit(models.TextChoices):
        BORES = "bores", _("bores")
        CORES = "cores", _("cores")
        POSITIONS = "positions", _("positions")
        KVA = "kva", _("kVA")

    class Split(models.TextChoices):
        PRO_RATA = "pro_rata", _("Pro rata to what is taken")
        STAND_ALONE = "stand_alone", _("In proportion to the cost of building alone")
        SHAPLEY = "shapley", _("Shapley: common cost equally, own extra cost oneself")

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Open to join")
        CLOSED = "closed", _("Joining closed")
        AGREED = "agreed", _("Terms agreed, to be signed")
        BUILDING = "building", _("Building")
        INSPECTING = "inspecting", _("Under acceptance")
        ACCEPTED = "accepted", pgettext_lazy("works", "Accepted")
        FINISHED = "finished", pgettext_lazy("works", "Finished")
        CANCELLED = "cancelled", _("Cancelled")

    class Gate(models.TextChoices):
        OPEN = "open", _("Reservation not stated yet")
        WAITING = "waiting", _("With the bureau")
        ESCALATED = "escalated", _("Overdue: put before the higher bureau")
        CHANGES = "changes", _("Changes asked for")
        SIGNED_OFF = "signed_off", _("Signed off")

    title = models.CharField(_("title"), max_length=160)
    kind = models.CharField(_("kind of works"), max_length=10, choices=Kind.choices)
    method = models.CharField(_("method"), max_length=10, choices=Method.choices)
    lead = models.ForeignKey(Organisation, models.PROTECT, related_name="led_projects", verbose_name=_("lead party"))
    region = models.ForeignKey(Region, models.PROTECT, related_name="+", verbose_name=_("region"))
    place = models.GeometryField(_("place"), srid=4326)
    disclosure = models.CharField(
        _("shown to"), max_length=7, choices=Disclosure.choices, default=Disclosure.MEMBERS
    )  # fmt: skip
    joinable = models.TextField(_("what can be joined"), max_length=2000)
    starts_on = models.DateField(_("works begin"))
    ends_on = models.DateField(_("works end"))
    join_until = models.DateField(_("join until"))
    unit = models.CharField(_("counted in"), max_length=9, choices=Unit.choices, default=Unit.BORES)
    lead_units = models.DecimalField(_("what the lead itself takes"), max_digits=9, decimal_places=2)
    lead_own_fen = models.PositiveBigIntegerField(default=0)
    common_fen = models.PositiveBigIntegerField(default=0)
    split = models.CharField(_("apportionment"), max_length=11, choices=Split.choices, default=Split.SHAPLEY)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.DRAFT)
    reason = models.CharField(_("reason"), max_length=500, blank=True)  # of the cancelling, or of a rectification
    proposal = models.OneToOneField(Proposal, models.SET_NULL, null=True, blank=True, related_name="project")

    gate = models.CharField(max_length=10, choices=Gate.choices, default=Gate.OPEN)
    reserved_bores = models.PositiveIntegerField(_("bores reserved"), null=True, blank=True)
    reserved_room_m2 = models.DecimalField(
        _("rooms reserved (m²)"), max_digits=9, decimal_places=2, null=True, blank=True
    )
    reserved_positions = models.PositiveIntegerField(_("antenna positions reserved"), null=True, blank=True)
    reserved_kva = models.DecimalField(_("power reserved (kVA)"), max_digits=9, decimal_places=2, null=True, blank=True)
    gate_note = models.CharField(max_length=500, blank=True)
    gate_due_at = models.DateTimeField(null=True, blank=True)  # the bureau's answer; None: nothing asked of it

    reference = models.CharField(_("reference"), max_length=40, blank=True)
    verification_code = models.CharField(max_length=24, blank=True)
    terms = models.JSONField(null=True, blank=True)  # frozen when agreed; as documents.Paper says
    terms_sha256 = models.CharField(max_length=64, blank=True)
    signed_at = models.DateTimeField(null=True, blank=True)
    accepted_on = models.DateField(null=True, blank=True)  # from this day each party owes its share
    round = models.PositiveSmallIntegerField(default=0)  # calls for acceptance so far
    pdf = models.FileField(upload_to="projects/%Y/", storage=private_storage, blank=True)
    pdf_sha256 = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True, blank=True)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        verbose_name = _("works built together")
        verbose_name_plural = _("works built together")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")), name="project_ends_after_start",
                violation_error_message=_("Works end after they begin."),
            ),
            models.CheckConstraint(
                condition=Q(join_until__lt=F("starts_on")), name="project_join_before_start",
                violation_error_message=_("Joining ends before works begin."),
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "published", "closed", "cancelled"]) | ~Q(terms_sha256=""),
                name="project_agreed_has_terms",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=GATED_KINDS) | Q(state__in=["draft", "published", "closed", "cancelled"])
                | Q(gate="signed_off"),
                name="project_gate_before_build",
            ),
            models.CheckConstraint(
                condition=Q(gate="open") | Q(gate="changes") | (Q(reserved_kva__isnull=False)),
                name="project_gate_states_power",
            ),
            models.UniqueConstraint(
                fields=["verification_code"], condition=~Q(verification_code=""), name="project_code_once"
            ),
        ]  # fmt: skip

    def __str__(self):
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("project_detail", args=[self.pk])

    @property
    def is_gated(self) -> bool:
        """Whether space and power for communications are signed off before terms are agreed."""
        return self.kind in GATED_KINDS


class ProjectParty(models.Model):
    """An organisation beside the lead: what it needs, and what it pays. share_fen: None until terms are agreed."""

    class State(models.TextChoices):
        INVITED = "invited", _("Invited")
        ASKED = "asked", _("Asks to join")
        TAKEN = "taken", _("Takes part")
        DECLINED = "declined", _("Declined")
        LEFT = "left", _("Left")

    PRESENT = (State.INVITED, State.ASKED, State.TAKEN)

    project = models.ForeignKey(Project, models.CASCADE, related_name="parties")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="joined_projects")
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.ASKED)
    units = models.DecimalField(_("needs"), max_digits=9, decimal_places=2, default=Decimal(0))
    power_kva = models.DecimalField(_("power needed (kVA)"), max_digits=9, decimal_places=2, null=True, blank=True)
    own_fen = models.PositiveBigIntegerField(default=0)
    note = models.CharField(_("remarks"), max_length=500, blank=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    share_fen = models.PositiveBigIntegerField(null=True, blank=True)
    passed_at = models.DateTimeField(null=True, blank=True)  # when it accepted the works; None: not yet

    class Meta:
        verbose_name = _("party of works")
        verbose_name_plural = _("parties of works")
        ordering = ["project", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["project", "organisation"], name="project_party_once"),
            models.CheckConstraint(
                condition=~Q(state__in=["asked", "taken"]) | Q(units__gt=0), name="project_party_needs_something",
                violation_error_message=_("Say how much you need: more than zero."),
            ),
        ]  # fmt: skip

    def __str__(self):
        return f"{self.organisation} · {self.project}"


class ProjectResource(models.Model):
    """A resource that comes of works: planned from what the bureau signed off, or a party's share of what was built.

    counted: {unit of a pool: units of those taking part that its "in use" counts}; the rest of it is the owner's own.
    """

    class Sort(models.TextChoices):
        BORES = "bores", _("Bores")
        ROOM = "room", _("Machine room")
        POSITIONS = "positions", _("Antenna positions")
        SHARE = "share", _("Share of what was built")

    project = models.ForeignKey(Project, models.CASCADE, related_name="kept")
    resource = models.OneToOneField(Resource, models.CASCADE, related_name="of_works")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    sort = models.CharField(max_length=9, choices=Sort.choices)
    counted = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("resource of works")
        verbose_name_plural = _("resources of works")
        ordering = ["project", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["project", "sort", "organisation"], name="project_resource_once"),
        ]

    def __str__(self):
        return f"{self.resource} · {self.project}"


class ProjectSignature(models.Model):
    """A signatory's act under the terms of works. Append-only (trigger)."""

    project = models.ForeignKey(Project, models.PROTECT, related_name="signatures")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    signer_name = models.CharField(max_length=80)
    terms_sha256 = models.CharField(max_length=64)
    signed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("signature under works")
        verbose_name_plural = _("signatures under works")
        ordering = ["project", "pk"]
        constraints = [models.UniqueConstraint(fields=["project", "organisation"], name="project_signature_once")]

    def __str__(self):
        return f"{self.signer_name} · {self.project}"
