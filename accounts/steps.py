"""The next steps of somebody who has just come: for a person without an organisation, an owner, an
operator and a bureau. What is done is read from the organisation's own event log, so that this room need
not know the rooms above."""

from dataclasses import dataclass

from django.db.models import Q
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from .models import Event, Membership, Organisation, User
from .models.organisations import Role, Sector


@dataclass(frozen=True)
class Step:
    text: str
    note: str
    url: str
    is_done: bool = False


def link(name: str, *args: object) -> str:
    """The address of a page of any app, empty where the installation has no such page."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


def steps_for(user: User, membership: Membership | None) -> list[Step]:
    """The steps in order, done ones marked. Queries once at most."""
    if not membership:
        return _newcomer(user)
    done = _done_nouns(membership.organisation)
    if membership.organisation.is_bureau:
        return _bureau(membership, done)
    return [*_verification(membership), *_enterprise(membership, done)]


def _done_nouns(organisation: Organisation) -> set[str]:
    """The nouns ("resource", "request", …) this organisation has acted on."""
    verbs = Event.objects.filter(Q(organisation=organisation)).order_by().values_list("verb", flat=True).distinct()
    return {verb.split(".")[0] for verb in verbs} | set(verbs)


def _newcomer(user: User) -> list[Step]:
    return [
        Step(_("Sign up and prove your e-mail address"), "", "", is_done=True),
        Step(
            _("Join your organisation"),
            _("If a colleague has set it up already: find it and ask its administrator."),
            reverse("organisation_join"),
        ),
        Step(
            _("Or set your organisation up"),
            _("You need its unified social credit code and where it is seated."),
            reverse("organisation_new"),
        ),
        Step(
            _("Look around meanwhile"),
            _("Resources are open to everybody, with their places blurred."),
            link("resource_map"),
        ),
    ]


def _verification(membership: Membership) -> list[Step]:
    organisation = membership.organisation
    state = organisation.verification
    handed_in = state in (Organisation.Verification.SUBMITTED, Organisation.Verification.VERIFIED)
    notes = {
        "unverified": _("Check the facts, then hand them in to the bureau of your region."),
        "rejected": _("The bureau has sent the facts back: mend what it names and hand them in again."),
        "submitted": _("The bureau of your region is checking. You can prepare meanwhile."),
        "verified": "",
    }
    url = reverse("organisation_detail", args=[organisation.pk])
    return [
        Step(_("Set your organisation up"), "", url, is_done=True),
        Step(_("Have it verified by its bureau"), notes[state], url, is_done=handed_in and state == "verified"),
    ]


def _enterprise(membership: Membership, done: set[str]) -> list[Step]:
    invite = Step(
        _("Invite your colleagues"),
        _("Give each the roles they need; signing takes a signatory."),
        reverse("invitation_new") if membership.has_role(Role.ADMIN) else reverse("organisation_members"),
        is_done=bool(done & {"invitation", "join_request.accept"}),
    )
    own = [
        Step(
            _("Put in what you could share"),
            _("One by one, or a whole file: spreadsheet, GeoJSON or Shapefile."),
            link("resource_list_own"),
            is_done=bool(done & {"resource", "import"}),
        ),
        Step(
            _("Publish it"),
            _("Drafts are seen by your organisation alone until you publish them."),
            link("resource_list_own"),
            is_done="resource.publish" in done,
        ),
    ]
    ask = [
        Step(
            _("Find what you need on the map"),
            _("Towers, ducts, cables and rooms of all sectors, with what is free."),
            link("resource_map"),
        ),
        Step(
            _("Request space"),
            _("The units are held for you from the moment you ask."),
            link("request_list"),
            is_done=bool(done & {"request", "reservation"}),
        ),
    ]
    operator_first = membership.organisation.sector == Sector.TELECOM
    return [invite, *(ask + own if operator_first else own + ask)]


def _bureau(membership: Membership, done: set[str]) -> list[Step]:
    return [
        Step(
            _("Invite your second person"),
            _("A list is made by a curator and published by somebody else."),
            reverse("invitation_new") if membership.has_role(Role.ADMIN) else reverse("organisation_members"),
            is_done=bool(done & {"invitation", "join_request.accept"}),
        ),
        Step(
            _("Verify the organisations of your region"),
            _("They can publish and request once you have."),
            reverse("verification_queue"),
            is_done="organisation.verify" in done,
        ),
        Step(
            _("Make a demand list"),
            _("Line by line or from a file, in the curation desk."),
            link("wagtailadmin_home"),
            is_done=bool(done & {"demand_list", "list", "demandlist"}),
        ),
        Step(
            _("Match it with the supply"),
            _("Every line is answered with reasons, met or unmet."),
            link("demand_lists") or link("wagtailadmin_home"),
            is_done=bool(done & {"match_run", "run", "matchrun"}),
        ),
    ]
