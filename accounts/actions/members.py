"""Who belongs to an organisation: invite, ask, answer, change roles, end."""

from collections.abc import Iterable

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import signals
from accounts.clocks import deadline_for
from accounts.errors import NotPermitted, Refused
from accounts.events import record, snapshot
from accounts.mail import send_on_commit
from accounts.models import Invitation, JoinRequest, Membership, Organisation, User
from accounts.models.organisations import Role
from accounts.permissions import may_manage_members
from accounts.rules import rule

from .organisations import addresses, lock


def _require_admin(by: Membership, organisation: Organisation) -> None:
    if not may_manage_members(by, organisation):
        raise NotPermitted(_("Only an administrator of the organisation decides about its members."))


def _roles(organisation: Organisation, roles: Iterable[str]) -> list[str]:
    """The roles in their usual order. Raises Refused for none, or for one this organisation does not have."""
    chosen = set(roles)
    if not chosen:
        raise Refused(_("Choose at least one role."), code="no_role")
    if not chosen <= set(organisation.roles):
        raise Refused(_("This organisation has no such role."), code="unknown_role")
    return [role.value for role in organisation.roles if role in chosen]


def _member(user: User, organisation: Organisation) -> Membership | None:
    found: Membership | None = Membership.objects.active().filter(user=user, organisation=organisation).first()
    return found


def _join(user: User, organisation: Organisation, roles: list[str]) -> Membership:
    membership = Membership(user=user, organisation=organisation, roles=roles)
    membership.full_clean()
    membership.save(force_insert=True)
    return membership


# --- Invitations --------------------------------------------------------------------------------


@transaction.atomic
def invite(*, organisation: Organisation, by: Membership, email: str, roles: Iterable[str]) -> Invitation:
    """Offers membership to an e-mail address, by mail with a link, until the clock runs out (working days)."""
    _require_admin(by, organisation)
    chosen = _roles(organisation, roles)
    email = email.strip().lower()
    organisation = lock(organisation)  # two administrators inviting at once are told of each other
    if Membership.objects.active().filter(organisation=organisation, user__email__iexact=email).exists():
        raise Refused(_("%(email)s is a member already.") % {"email": email}, code="member_already")
    open_ones = Invitation.objects.open().filter(organisation=organisation)
    if open_ones.filter(email__iexact=email).exists():
        raise Refused(
            _("An invitation to %(email)s is open already; withdraw it first to send a new one.") % {"email": email},
            code="invited_already",
        )
    cap = rule("cap.open_invitations", organisation.region).whole
    if open_ones.count() >= cap:
        raise Refused(
            _("%(count)d invitations are open, which is the limit; withdraw some first.") % {"count": cap}, code="cap"
        )
    invitation = Invitation(
        organisation=organisation,
        email=email,
        roles=chosen,
        invited_by=by.user,
        expires_at=deadline_for("clock.invitation", organisation.region),
    )
    invitation.full_clean()
    invitation.save(force_insert=True)
    record(
        "invitation.send", invitation, by=by.user, organisation=organisation,
        after={"email": email, "roles": chosen, "expires_at": invitation.expires_at.isoformat()},
    )  # fmt: skip
    send_on_commit("invitation", to=[email], invitation=invitation, organisation=organisation)
    return invitation


@transaction.atomic
def withdraw_invitation(*, invitation: Invitation, by: Membership) -> None:
    """Takes an open invitation back; its link says so from now on."""
    _require_admin(by, invitation.organisation)
    invitation = Invitation.objects.select_for_update(no_key=True).get(pk=invitation.pk)
    _require_open(invitation)
    invitation.withdrawn_at = timezone.now()
    invitation.save(update_fields=["withdrawn_at"])
    record("invitation.withdraw", invitation, by=by.user, organisation=by.organisation)


def _require_open(invitation: Invitation) -> None:
    if invitation.accepted_at:
        raise Refused(_("This invitation has been used already."), code="used")
    if invitation.withdrawn_at:
        raise Refused(_("This invitation was withdrawn. Ask for a new one."), code="withdrawn")
    if not invitation.is_open:
        raise Refused(_("This invitation has run out. Ask for a new one."), code="expired")


def owns_address(user: User, email: str) -> bool:
    """Whether the address is one the person has proved to own. Queries once."""
    return EmailAddress.objects.filter(user=user, email__iexact=email, verified=True).exists()


@transaction.atomic
def accept_invitation(*, invitation: Invitation, by: User) -> Membership:
    """The invited person becomes a member with the roles offered. Raises Refused for anybody else."""
    invitations = Invitation.objects.select_for_update(no_key=True, of=("self",))
    invitation = invitations.select_related("organisation").get(pk=invitation.pk)
    _require_open(invitation)
    if not owns_address(by, invitation.email):
        raise Refused(
            _("This invitation is for %(invited)s, and you are signed in as %(email)s.")
            % {"invited": invitation.email, "email": by.email},
            code="other_address",
        )
    organisation = lock(invitation.organisation)
    if _member(by, organisation):
        raise Refused(_("You are a member of %(name)s already.") % {"name": organisation}, code="member_already")
    membership = _join(by, organisation, invitation.roles)
    invitation.accepted_at = timezone.now()
    invitation.save(update_fields=["accepted_at"])
    JoinRequest.objects.filter(user=by, organisation=organisation, state=JoinRequest.State.PENDING).update(
        state=JoinRequest.State.ACCEPTED, answered_by=invitation.invited_by, answered_at=timezone.now()
    )
    record("invitation.accept", invitation, by=by, organisation=organisation, after={"roles": membership.roles})
    signals.invitation_accepted.send(Invitation, invitation=invitation, membership=membership, by=by)
    return membership


# --- Asking to join -----------------------------------------------------------------------------


@transaction.atomic
def ask_to_join(*, organisation: Organisation, by: User, message: str = "") -> JoinRequest:
    """Asks the administrators of an organisation to let the person in."""
    if _member(by, organisation):
        raise Refused(_("You are a member of %(name)s already.") % {"name": organisation}, code="member_already")
    asked_already = Refused(_("You have asked already; an administrator has not answered yet."), code="asked_already")
    pending = JoinRequest.objects.filter(user=by, organisation=organisation, state=JoinRequest.State.PENDING)
    if pending.exists():
        raise asked_already
    request = JoinRequest(organisation=organisation, user=by, message=message.strip())
    request.full_clean()
    try:
        with transaction.atomic():
            request.save(force_insert=True)
    except IntegrityError as error:  # asked twice at the same moment
        if "join_request_once_pending" not in str(error):
            raise
        raise asked_already from error
    record("join_request.send", request, by=by, organisation=organisation, after={"message": request.message})
    send_on_commit(
        "join_asked", to=addresses(organisation, Role.ADMIN), organisation=organisation, person=by, join_request=request
    )
    signals.join_requested.send(JoinRequest, join_request=request, by=by)
    return request


@transaction.atomic
def answer_join_request(
    *, join_request: JoinRequest, by: Membership, is_accepted: bool, roles: Iterable[str] = ()
) -> JoinRequest:
    """An administrator lets the person in with roles, or declines; the person is told by mail."""
    _require_admin(by, join_request.organisation)
    join_request = (
        JoinRequest.objects.select_for_update(no_key=True, of=("self",))
        .select_related("organisation", "user")
        .get(pk=join_request.pk)
    )
    organisation, person = join_request.organisation, join_request.user
    if join_request.state != JoinRequest.State.PENDING:
        raise Refused(_("This request has been answered already."), code="state")
    given: list[str] = []
    if is_accepted:
        given = _roles(organisation, roles)
        lock(organisation)
        if _member(person, organisation):
            raise Refused(_("%(email)s is a member already.") % {"email": person.email}, code="member_already")
        _join(person, organisation, given)
    join_request.state = JoinRequest.State.ACCEPTED if is_accepted else JoinRequest.State.DECLINED
    join_request.answered_by, join_request.answered_at = by.user, timezone.now()
    join_request.save(update_fields=["state", "answered_by", "answered_at"])
    record(
        "join_request.accept" if is_accepted else "join_request.decline", join_request,
        by=by.user, organisation=organisation, before={"state": "pending"},
        after={"state": join_request.state, "roles": given},
    )  # fmt: skip
    send_on_commit("join_answered", to=[person.email], organisation=organisation, is_accepted=is_accepted)
    signals.join_answered.send(JoinRequest, join_request=join_request, by=by.user)
    return join_request


# --- Memberships --------------------------------------------------------------------------------


def _locked(membership: Membership) -> Membership:
    """The membership's row read again under the organisation's lock: who is its last administrator is settled."""
    lock(membership.organisation)
    return Membership.objects.select_related("organisation__region", "user").get(pk=membership.pk)


def _require_another_admin(membership: Membership) -> None:
    others = Membership.objects.active().filter(organisation=membership.organisation, user__is_active=True)
    if not others.with_role(Role.ADMIN).exclude(pk=membership.pk).exists():
        raise Refused(
            _("%(name)s needs an administrator: give somebody else the role first.")
            % {"name": membership.organisation},
            code="last_admin",
        )


@transaction.atomic
def change_roles(*, membership: Membership, by: Membership, roles: Iterable[str]) -> Membership:
    """Gives a member other roles. Raises Refused where the last administrator would lose the role."""
    _require_admin(by, membership.organisation)
    membership = _locked(membership)
    if membership.ended_at:
        raise Refused(_("This membership has ended."), code="ended")
    chosen = _roles(membership.organisation, roles)
    if Role.ADMIN in membership.roles and Role.ADMIN not in chosen:
        _require_another_admin(membership)
    before = snapshot(membership, ["roles"])
    membership.roles = chosen
    membership.full_clean()
    membership.save(update_fields=["roles"])
    record(
        "membership.change_roles", membership, by=by.user, organisation=membership.organisation,
        before=before, after=snapshot(membership, ["roles"]),
    )  # fmt: skip
    signals.membership_changed.send(Membership, membership=membership, by=by.user)
    return membership


@transaction.atomic
def end_membership(*, membership: Membership, by: User, acting: Membership | None = None) -> Membership:
    """Ends a membership: one's own (acting None), or a colleague's as administrator. The last one cannot leave."""
    if membership.user_id != by.pk:
        if acting is None or acting.user_id != by.pk:
            raise NotPermitted(_("Only an administrator of the organisation decides about its members."))
        _require_admin(acting, membership.organisation)
    membership = _locked(membership)
    if membership.ended_at:
        raise Refused(_("This membership has ended."), code="ended")
    if Role.ADMIN in membership.roles:
        _require_another_admin(membership)
    membership.ended_at = timezone.now()
    membership.save(update_fields=["ended_at"])
    record(
        "membership.end", membership, by=by, organisation=membership.organisation,
        before={"roles": list(membership.roles)},
    )  # fmt: skip
    signals.membership_ended.send(Membership, membership=membership, by=by)
    return membership
