"""From the first spade to the finished works: the lead's calls and the parties' acceptance."""

from django.db import transaction
from django.utils import timezone

from accounts.models import Membership, User
from agreements.models import Project
from agreements.projects import states

from .records import begin, taking_part, write
from .reserved import open_planned


@transaction.atomic
def advance(*, project: Project, by: User, membership: Membership, verb: str) -> Project:
    """The lead calls for acceptance ("call") or finishes accepted works ("finish"). KeyError for another verb."""
    if verb not in ("call", "finish"):
        raise KeyError(verb)
    fresh = begin(project, membership, verb)
    before, fresh.state = fresh.state, states.TRANSITIONS[fresh.state][verb].to
    fresh.save(update_fields=["state"])
    if verb == "call":
        fresh.parties.update(passed_at=None)
    write(fresh, verb, by=by, membership=membership, before=before)
    return fresh


@transaction.atomic
def judge(*, project: Project, by: User, membership: Membership, is_passed: bool, reason: str = "") -> Project:
    """A party accepts the works, or asks for rectification with a reason; when all have, the works are accepted."""
    verb = "pass" if is_passed else "rectify"
    fresh = begin(project, membership, verb, reason=reason)
    before = fresh.state
    if is_passed:
        party = fresh.parties.get(organisation=membership.organisation_id)
        party.passed_at = party.passed_at or timezone.now()
        party.save(update_fields=["passed_at"])
        write(fresh, verb, by=by, membership=membership, before=before)
        if all(one.passed_at for one in taking_part(fresh)):
            fresh.state = Project.State.ACCEPTED
            fresh.save(update_fields=["state"])
            open_planned(fresh, by=by)
            write(fresh, "all_passed", by=None, membership=None, before=before)
        return fresh
    fresh.state, fresh.reason = Project.State.BUILDING, reason.strip()[:500]
    fresh.save(update_fields=["state", "reason"])
    write(fresh, verb, by=by, membership=membership, before=before, reason=reason)
    return fresh
