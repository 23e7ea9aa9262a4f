"""May this person do this to a resource? Asked by actions, views and templates alike. No queries unless said."""

from dataclasses import dataclass

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from accounts.errors import NotPermitted
from accounts.models import Membership, Organisation
from accounts.models.organisations import Role
from accounts.permissions import has_role, is_member
from listings.models import Resource
from listings.states import DELETABLE, EDITABLE, TRANSITIONS, why_not_from

EDITORS = (Role.ADMIN, Role.EDITOR)
ASKERS = (Role.ADMIN, Role.NEGOTIATOR)


def may_edit(membership: Membership | None, owner: Organisation) -> bool:
    """Whether the person may write the owner's resources."""
    return has_role(membership, owner, *EDITORS) and not owner.is_bureau


def may_keep(membership: Membership | None, resource: Resource) -> bool:
    """Whether the person may keep the record: an editor of the owner or of the manager (docs/adr/0012)."""
    if may_edit(membership, resource.owner):
        return True
    return resource.manager is not None and may_edit(membership, resource.manager)


def require_keeper(membership: Membership | None, resource: Resource) -> None:
    """Raises NotPermitted unless the person may keep the record."""
    if not may_keep(membership, resource):
        raise NotPermitted(_("The record is kept by editors and administrators of its owner and of its manager."))


def require_editor(membership: Membership | None, owner: Organisation) -> None:
    """Raises NotPermitted unless the person is an editor or administrator of the owner."""
    if owner.is_bureau:
        raise NotPermitted(_("A bureau supervises; it holds no resources of its own."))
    if not may_edit(membership, owner):
        raise NotPermitted(_("Your role reads resources; an editor or administrator of the owner changes them."))


def why_no_act(verb: str, resource: Resource, membership: Membership | None) -> str:
    """The sentence why the person cannot do the act now; "" when they can. Role first, then state, then the rest."""
    if not may_edit(membership, resource.owner):
        return _("An editor or administrator of the owner does this.")
    reason = why_not_from(verb, resource.state)
    if not reason and TRANSITIONS[verb].target == Resource.State.PUBLISHED and not resource.owner.is_verified:
        reason = _("Your organisation is not verified yet: until then you can prepare drafts, not publish them.")
    return reason


def why_no_edit(resource: Resource, membership: Membership | None) -> str:
    if not may_keep(membership, resource):
        return _("The record is kept by editors and administrators of its owner and of its manager.")
    if resource.state not in EDITABLE:
        return _("A retired resource is not changed any more.")
    return ""


def why_no_delete(resource: Resource, membership: Membership | None) -> str:
    if not may_edit(membership, resource.owner):
        return _("An editor or administrator of the owner does this.")
    if resource.state not in DELETABLE:
        return _("Only a draft can be deleted; what was published is retired, so that its history stays.")
    return ""


def why_no_request(resource: Resource, membership: Membership | None, *, free: bool = True) -> str:
    """The sentence why this reader cannot request space in it; "" when they can."""
    if membership is None or not membership:
        return _("Sign in for an organisation to request space.")
    if is_member(membership, resource.owner):
        return _("It is your own organisation's.")
    if membership.organisation.is_bureau:
        return _("A bureau supervises; organisations request space.")
    if not membership.has_role(*ASKERS):
        return _("A negotiator or administrator of your organisation requests space.")
    if not membership.organisation.is_verified:
        return _("Your organisation is not verified yet: until then it can look, not request.")
    if resource.state != Resource.State.PUBLISHED:
        return _("It is not published at the moment.")
    if why := why_closed(resource):
        return why
    if not free:
        return _("Nothing is free at the moment.")
    return ""


def why_closed(resource: Resource) -> str:
    """The sentence why it takes no requests any more, whoever asks; "" when it does."""
    if resource.join_until and resource.join_until < timezone.localdate():
        day = date_format(resource.join_until, "DATE_FORMAT")
        return _("Others could join these works until %(day)s.") % {"day": day}
    return ""


def why_no_grant_ask(resource: Resource, membership: Membership | None) -> str:
    """The sentence why this reader cannot ask for the exact place; "" when they can."""
    if membership is None or not membership:
        return _("Sign in for an organisation to ask for the exact place.")
    if is_member(membership, resource.owner):
        return _("It is your own organisation's.")
    if not membership.has_role(*ASKERS):
        return _("A negotiator or administrator of your organisation asks for exact places.")
    if not membership.organisation.is_verified:
        return _("Your organisation is not verified yet: until then it can look, not ask for exact places.")
    return ""


@dataclass(frozen=True)
class Act:
    """A button: what it does, what it is called, and why it cannot be pressed now ("" when it can)."""

    verb: str
    label: str | Promise
    confirm: str | Promise
    why_not: str


def acts_on(resource: Resource, membership: Membership | None) -> list[Act]:
    """The acts its state allows, each with the reason why this person cannot, if so."""
    return [
        Act(t.verb, t.label, t.confirm, why_no_act(t.verb, resource, membership))
        for t in TRANSITIONS.values()
        if not why_not_from(t.verb, resource.state)
    ]
