"""Ask for a resource's exact place, for a purpose; the owner answers. A grant ends by its clock."""

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.clocks import deadline_for
from accounts.errors import NotPermitted, Refused
from accounts.events import record
from accounts.models import Membership, User
from accounts.models.organisations import Role
from listings.disclosure import exact_for
from listings.models import DisclosureGrant, Resource
from listings.permissions import may_edit, why_no_grant_ask
from messaging.actions import notify


@transaction.atomic
def ask_grant(*, resource: Resource, by: User, membership: Membership, purpose: str) -> DisclosureGrant:
    """Asks the owner for the exact place. Raises NotPermitted, or Refused when it was asked or is open already."""
    if why := why_no_grant_ask(resource, membership):
        raise NotPermitted(why)
    purpose = purpose.strip()
    if len(purpose) < 10:
        raise Refused(_("Say in a sentence what you need the exact place for."), code="purpose")
    if Resource.objects.filter(exact_for(membership), pk=resource.pk).exists():
        raise Refused(_("You see the exact place already."), code="open")
    grant = DisclosureGrant(resource=resource, organisation=membership.organisation, purpose=purpose, asked_by=by)
    grant.full_clean(exclude=["answered_by", "answered_at", "expires_at"], validate_constraints=False)
    try:
        with transaction.atomic():
            grant.save(force_insert=True)
    except IntegrityError as failure:
        if "grant_asked_once" not in str(failure):
            raise
        raise Refused(
            _("Your organisation has asked already; the owner has not answered yet."), code="asked"
        ) from failure
    record(
        "grant.ask", grant, by=by, organisation=membership.organisation, after={"resource": resource.pk}, reason=purpose
    )
    notify(
        code="grant.ask",
        payload={
            "organisation": membership.organisation.name_zh,
            "organisation_en": membership.organisation.name_en,
            "resource": resource.name,
        },  # fmt: skip
        url=_page(resource),
        key=f"grant:{grant.pk}:asked",
        organisation=resource.owner,
        roles=[Role.ADMIN, Role.EDITOR],
    )
    return grant


def _page(resource: Resource) -> str:
    return reverse("resource_detail", args=[resource.pk]) + "#grants"


@transaction.atomic
def answer_grant(
    *, grant: DisclosureGrant, by: User, membership: Membership, is_granted: bool, reason: str = ""
) -> DisclosureGrant:
    """Grants (for clock.grant working days of the resource's region) or refuses; only the owner's editors may."""
    row = (
        DisclosureGrant.objects.select_for_update(of=("self",), no_key=True)
        .select_related("resource__owner", "organisation")
        .get(pk=grant.pk)
    )
    if not may_edit(membership, row.resource.owner):
        raise NotPermitted(_("An editor or administrator of the owner answers this."))
    if row.state != DisclosureGrant.State.ASKED:
        raise Refused(_("This was answered already."), code="answered")
    if not is_granted and not reason.strip():
        raise Refused(_("Say why you refuse: the other side reads it."), code="reason")
    row.state = DisclosureGrant.State.GRANTED if is_granted else DisclosureGrant.State.REFUSED
    row.answered_by, row.answered_at = by, timezone.now()
    row.expires_at = deadline_for("clock.grant", row.resource.region_id) if is_granted else None
    row.save(update_fields=["state", "answered_by", "answered_at", "expires_at"])
    verb = "grant.give" if is_granted else "grant.refuse"
    record(
        verb,
        row,
        by=by,
        organisation=row.resource.owner,
        before={"state": DisclosureGrant.State.ASKED},
        after={"state": row.state, "expires_at": row.expires_at.isoformat() if row.expires_at else None},
        reason=reason.strip(),
    )
    notify(
        code=verb,
        payload={
            "resource": row.resource.name,
            "owner": row.resource.owner.name_zh,
            "owner_en": row.resource.owner.name_en,
            "reason": reason.strip(),
        },  # fmt: skip
        url=_page(row.resource),
        key=f"grant:{row.pk}:answered",
        users=[row.asked_by],
    )
    return row


@transaction.atomic
def end_grant(*, grant: DisclosureGrant, by: User, membership: Membership) -> DisclosureGrant:
    """The owner takes a grant back: it ends now."""
    row = (
        DisclosureGrant.objects.select_for_update(of=("self",), no_key=True)
        .select_related("resource__owner")
        .get(pk=grant.pk)
    )
    if not may_edit(membership, row.resource.owner):
        raise NotPermitted(_("An editor or administrator of the owner answers this."))
    now = timezone.now()
    if row.state != DisclosureGrant.State.GRANTED or row.expires_at is None or row.expires_at <= now:
        raise Refused(_("This grant has ended already."), code="ended")
    before = {"expires_at": row.expires_at.isoformat()}
    row.expires_at = now
    row.save(update_fields=["expires_at"])
    record(
        "grant.end", row, by=by, organisation=row.resource.owner, before=before, after={"expires_at": now.isoformat()}
    )
    return row
