"""What this room itself adds to My work: invitations, requests to join, verification."""

import datetime as dt

from allauth.account.models import EmailAddress
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from .models import Event, Invitation, JoinRequest, Membership, Organisation, User
from .models.organisations import Role
from .permissions import is_bureau_staff
from .wording import verb_text
from .work import MINE, NEWS, OTHERS, WorkItem, register

NEWS_VERBS = ["organisation.verify", "organisation.send_back", "invitation.accept", "membership.end"]
NEWS_DAYS = 14
QUEUE_SHOWN = 10


def items_of_person(user: User) -> list[WorkItem]:
    """Invitations to the person and their own requests to join, with or without an organisation. Queries thrice."""
    addresses = list(EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True))
    invitations = Invitation.objects.open().filter(email__in=addresses).select_related("organisation")
    items = [
        WorkItem(
            title=_("%(name)s invites you") % {"name": invitation.organisation},
            url=reverse("invitation_accept", args=[invitation.token]),
            due_at=invitation.expires_at,
            kind=_("Invitation"),
        )
        for invitation in invitations
    ]
    asked = JoinRequest.objects.filter(user=user, state=JoinRequest.State.PENDING).select_related("organisation")
    return items + [
        WorkItem(
            title=_("You asked to join %(name)s") % {"name": request.organisation},
            url=reverse("organisation_detail", args=[request.organisation_id]),
            group=OTHERS,
            kind=_("Request to join"),
            note=_("An administrator there answers."),
            at=request.created_at,
        )
        for request in asked
    ]


@register
def own_items(membership: Membership) -> list[WorkItem]:
    """For administrators: who asks, how verification stands; for bureaus: who waits. Queries up to five times."""
    items: list[WorkItem] = []
    if membership.has_role(Role.ADMIN):
        items += _of_admin(membership)
    if is_bureau_staff(membership, Role.ADMIN, Role.PUBLISHER):
        items += _of_bureau(membership)
    return items + _news(membership)


def _of_admin(membership: Membership) -> list[WorkItem]:
    organisation = membership.organisation
    members_url = reverse("organisation_members")
    requests = JoinRequest.objects.filter(organisation=organisation, state=JoinRequest.State.PENDING)
    items = [
        WorkItem(
            title=_("%(person)s asks to join %(name)s") % {"person": request.user, "name": organisation},
            url=members_url,
            kind=_("Request to join"),
            note=request.message,
            at=request.created_at,
        )
        for request in requests.select_related("user")
    ]
    items += [
        WorkItem(
            title=_("%(email)s has not answered the invitation") % {"email": invitation.email},
            url=members_url,
            due_at=invitation.expires_at,
            group=OTHERS,
            kind=_("Invitation"),
        )
        for invitation in Invitation.objects.open().filter(organisation=organisation)
    ]
    return items + _verification(organisation)


def _verification(organisation: Organisation) -> list[WorkItem]:
    url = reverse("organisation_detail", args=[organisation.pk])
    kind = _("Verification")
    if organisation.is_bureau or organisation.is_verified:
        return []
    if organisation.verification == Organisation.Verification.SUBMITTED:
        return [
            WorkItem(
                title=_("The bureau is verifying %(name)s") % {"name": organisation},
                url=url, due_at=organisation.verification_due_at, group=OTHERS, kind=kind,
            )
        ]  # fmt: skip
    if organisation.verification == Organisation.Verification.REJECTED:
        title = _("Mend the facts of %(name)s and hand them in again") % {"name": organisation}
        return [WorkItem(title=title, url=url, kind=kind, note=organisation.verification_note)]
    return [WorkItem(title=_("Hand %(name)s in for verification") % {"name": organisation}, url=url, kind=kind)]


def _of_bureau(membership: Membership) -> list[WorkItem]:
    waiting = Organisation.objects.awaiting_verification().within(membership.organisation.region)
    return [
        WorkItem(
            title=_("Verify %(name)s") % {"name": organisation},
            url=f"{reverse('verification_queue')}#organisation-{organisation.pk}",
            due_at=organisation.verification_due_at,
            group=MINE,
            kind=_("Verification"),
        )
        for organisation in waiting.order_by("verification_due_at", "pk")[:QUEUE_SHOWN]
    ]


def _news(membership: Membership) -> list[WorkItem]:
    organisation = membership.organisation
    about_it = Q(subject_type=ContentType.objects.get_for_model(Organisation), subject_id=str(organisation.pk))
    since = timezone.now() - dt.timedelta(days=NEWS_DAYS)
    events = (
        Event.objects.filter(Q(organisation=organisation) | about_it, verb__in=NEWS_VERBS, at__gte=since)
        .exclude(actor=membership.user)
        .select_related("actor", "organisation")[:10]
    )
    return [
        WorkItem(
            title=_("%(who)s %(did)s: %(what)s")
            % {"who": event.actor or _("The system"), "did": verb_text(event.verb), "what": event.subject_label},
            url=reverse("organisation_members") if event.verb.startswith(("invitation", "membership"))
            else reverse("organisation_detail", args=[organisation.pk]),
            group=NEWS,
            kind=_("Organisation"),
            at=event.at,
        )
        for event in events
    ]  # fmt: skip
