"""Joining works, leaving them, and the lead's answer."""

from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import Refused
from accounts.models import Membership, User
from agreements.models import Project, ProjectParty
from agreements.projects import states
from messaging import actions as messaging

from .records import begin, write
from .reserved import keep_planned


@transaction.atomic
def join(
    *, project: Project, by: User, membership: Membership, units: Decimal, own_fen: int,
    power_kva: Decimal | None = None, note: str = "",
) -> ProjectParty:  # fmt: skip
    """Asks to take part with what one needs; an invited party is taken in at once. Asking again changes the figures.

    units: in the project's unit; own_fen: what building for this party costs beyond the common cost.
    """
    fresh = begin(project, membership, "join")
    if timezone.localdate() > fresh.join_until:
        raise Refused(_("Joining ended on %(day)s.") % {"day": fresh.join_until.isoformat()}, code="join_until")
    party = states.party_of(fresh, membership) or ProjectParty(project=fresh, organisation=membership.organisation)
    was_invited = party.state == ProjectParty.State.INVITED
    party.state = ProjectParty.State.TAKEN if was_invited else ProjectParty.State.ASKED
    party.units, party.own_fen, party.power_kva, party.note, party.reason = units, own_fen, power_kva, note, ""
    party.full_clean()
    party.save()
    if was_invited:
        _open_talk(fresh, party, by)
        keep_planned(fresh, by=by)
    write(fresh, "join", by=by, membership=membership, before=fresh.state, reason=note, after={"units": str(units)})
    return party


def _open_talk(project: Project, party: ProjectParty, by: User) -> None:
    thread = messaging.thread_about(project)
    if thread is not None:
        messaging.join(thread=thread, organisation=party.organisation, by=by)


@transaction.atomic
def answer(
    *, party: ProjectParty, by: User, membership: Membership, is_taken: bool, reason: str = ""
) -> ProjectParty:  # fmt: skip
    """The lead takes in who asked to join, or declines with a reason."""
    verb = "take" if is_taken else "decline"
    fresh = begin(party.project, membership, verb, reason=reason)
    found = fresh.parties.select_related("organisation").get(pk=party.pk)
    if found.state != ProjectParty.State.ASKED:
        raise Refused(_("This organisation does not ask to join any more."), code="answered")
    found.state = ProjectParty.State.TAKEN if is_taken else ProjectParty.State.DECLINED
    found.reason = "" if is_taken else reason.strip()[:500]
    found.save(update_fields=["state", "reason"])
    if is_taken:
        _open_talk(fresh, found, by)
        keep_planned(fresh, by=by)
    write(
        fresh, verb, by=by, membership=membership, before=fresh.state, reason=reason,
        after={"party": found.organisation_id}, also=found.organisation,
    )  # fmt: skip
    return found


@transaction.atomic
def leave(*, project: Project, by: User, membership: Membership, reason: str) -> ProjectParty:
    """A party goes before terms are agreed, with a reason."""
    fresh = begin(project, membership, "leave", reason=reason)
    party = fresh.parties.select_related("organisation").get(organisation=membership.organisation_id)
    party.state, party.reason = ProjectParty.State.LEFT, reason.strip()[:500]
    party.save(update_fields=["state", "reason"])
    keep_planned(fresh, by=by)
    thread = messaging.thread_about(fresh)
    if thread is not None:
        messaging.leave(thread=thread, organisation=party.organisation, by=by)
    write(fresh, "leave", by=by, membership=membership, before=fresh.state, reason=reason)
    return party
