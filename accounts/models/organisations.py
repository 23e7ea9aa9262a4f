import secrets

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.uscc import validate_uscc

from .regions import Region


class Sector(models.TextChoices):
    """The five sectors the policy names (MIIT Unicom Letter [2024] No. 165)."""

    TELECOM = "telecom", _("Telecom")
    POWER = "power", _("Power")
    TRANSPORT = "transport", _("Transport")
    MUNICIPAL = "municipal", _("Municipal")
    PUBLIC_SECURITY = "public_security", _("Public security")


class Role(models.TextChoices):
    """What a member may do; an organisation's and a bureau's roles share one list."""

    ADMIN = "admin", _("Administrator")
    EDITOR = "editor", _("Editor (resources)")
    NEGOTIATOR = "negotiator", _("Negotiator (requests)")
    SIGNATORY = "signatory", _("Signatory")
    CURATOR = "curator", _("Curator (demand lists)")
    PUBLISHER = "publisher", _("Publisher (second person)")
    MEDIATOR = "mediator", _("Mediator")
    VIEWER = "viewer", _("Viewer")


ENTERPRISE_ROLES = [Role.ADMIN, Role.EDITOR, Role.NEGOTIATOR, Role.SIGNATORY, Role.VIEWER]
BUREAU_ROLES = [Role.ADMIN, Role.CURATOR, Role.PUBLISHER, Role.MEDIATOR, Role.VIEWER]


class OrganisationQuerySet(models.QuerySet):
    def enterprises(self):
        return self.filter(is_bureau=False)

    def bureaus(self):
        return self.filter(is_bureau=True)

    def verified(self):
        return self.filter(verification=Organisation.Verification.VERIFIED)

    def awaiting_verification(self):
        return self.enterprises().filter(verification=Organisation.Verification.SUBMITTED)

    def within(self, region: Region):
        """Organisations seated in the region or below it."""
        return self.filter(region__code__startswith=region.prefix)


class Organisation(models.Model):
    """A legal person that owns, asks or supervises; a bureau's jurisdiction is its region."""

    class Verification(models.TextChoices):
        UNVERIFIED = "unverified", _("Not verified")
        SUBMITTED = "submitted", _("Awaiting verification")
        VERIFIED = "verified", _("Verified")
        REJECTED = "rejected", _("Sent back")

    name_zh = models.CharField(_("Chinese name"), max_length=120)
    name_en = models.CharField(_("English name"), max_length=160, blank=True)
    uscc = models.CharField(
        _("unified social credit code"),
        max_length=18,
        unique=True,
        validators=[validate_uscc],
        help_text=_("18 characters, GB 32100-2015; the last one is a check character."),
        error_messages={"unique": _("An organisation with this code is already here: join it instead.")},
    )
    sector = models.CharField(_("sector"), max_length=20, choices=Sector.choices)
    is_bureau = models.BooleanField(_("is a bureau"), default=False)
    region = models.ForeignKey(Region, models.PROTECT, verbose_name=_("region"), related_name="organisations")
    verification = models.CharField(
        _("verification"), max_length=12, choices=Verification.choices, default=Verification.UNVERIFIED
    )
    verification_note = models.CharField(_("note on verification"), max_length=500, blank=True)
    submitted_at = models.DateTimeField(_("handed in at"), null=True, blank=True)
    verification_due_at = models.DateTimeField(_("verification due"), null=True, blank=True)
    verified_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    verified_at = models.DateTimeField(_("verified at"), null=True, blank=True)
    is_demo = models.BooleanField(_("part of the demo world"), default=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = OrganisationQuerySet.as_manager()

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")
        ordering = ["name_zh", "pk"]
        constraints = [
            # GB 32100-2015: the migration adds CHECK (uscc_is_valid(uscc)) with the check character computed.
            models.CheckConstraint(
                condition=~Q(verification="verified") | Q(is_bureau=True) | Q(verified_at__isnull=False),
                name="organisation_verified_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(verification="submitted")
                | Q(submitted_at__isnull=False, verification_due_at__isnull=False),
                name="organisation_submitted_has_clock",
            ),
        ]

    def __str__(self):
        return self.name

    @property
    def name(self) -> str:
        """The name in the reader's language."""
        is_english = (get_language() or "").startswith("en")
        return (self.name_en or self.name_zh) if is_english else self.name_zh

    @property
    def is_verified(self) -> bool:
        return self.verification == self.Verification.VERIFIED

    @property
    def roles(self) -> list[Role]:
        """The roles a member of this organisation can hold."""
        return BUREAU_ROLES if self.is_bureau else ENTERPRISE_ROLES


class MembershipQuerySet(models.QuerySet):
    def active(self):
        return self.filter(ended_at=None)

    def with_role(self, *roles: str):
        return self.filter(roles__overlap=list(roles))


class Membership(models.Model):
    """A person in an organisation, with roles; ended, never deleted."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="memberships")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="memberships")
    roles = ArrayField(models.CharField(max_length=12, choices=Role.choices), verbose_name=_("roles"))
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        ordering = ["organisation", "user"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "organisation"], condition=Q(ended_at=None), name="membership_once_while_active"
            ),
            models.CheckConstraint(
                condition=Q(roles__contained_by=[r.value for r in Role], roles__len__gt=0),
                name="membership_roles_known",
            ),
        ]

    def __str__(self):
        return f"{self.user} · {self.organisation}"

    def has_role(self, *roles: str) -> bool:
        """Whether any of the roles is held; an ended membership holds none."""
        return self.ended_at is None and not set(self.roles).isdisjoint(roles)

    @property
    def role_labels(self) -> list[str]:
        return [Role(role).label for role in self.roles]


class InvitationQuerySet(models.QuerySet):
    def open(self):
        return self.filter(accepted_at=None, withdrawn_at=None, expires_at__gt=timezone.now())


def invitation_token() -> str:
    return secrets.token_urlsafe(24)


class Invitation(models.Model):
    """An offer of membership sent to an e-mail address; good until it expires, used once."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="invitations")
    email = models.EmailField(_("e-mail address"))
    roles = ArrayField(models.CharField(max_length=12, choices=Role.choices), verbose_name=_("roles"))
    token = models.CharField(max_length=64, unique=True, default=invitation_token, editable=False)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ["-created_at", "pk"]

    def __str__(self):
        return f"{self.email} → {self.organisation}"

    @property
    def is_open(self) -> bool:
        return self.accepted_at is None and self.withdrawn_at is None and self.expires_at > timezone.now()


class JoinRequest(models.Model):
    """A person asks to join an organisation that is already here; its administrator answers."""

    class State(models.TextChoices):
        PENDING = "pending", _("Waiting for an answer")
        ACCEPTED = "accepted", _("Accepted")
        DECLINED = "declined", _("Declined")

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="join_requests")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="join_requests")
    message = models.CharField(_("message"), max_length=500, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.PENDING)
    created_at = models.DateTimeField(auto_now_add=True)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("request to join")
        verbose_name_plural = _("requests to join")
        ordering = ["-created_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "organisation"], condition=Q(state="pending"), name="join_request_once_pending"
            )
        ]

    def __str__(self):
        return f"{self.user} → {self.organisation}"
