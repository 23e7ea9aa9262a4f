"""May this person do that to this demand list? One answer for actions, buttons, the CMS and tests.

No queries, but where the docstring says so.
"""

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import NotPermitted, Refused
from accounts.models import Membership, Region
from accounts.models.organisations import Role
from accounts.permissions import is_bureau_staff
from listings import list_states
from listings.models import DemandLine, DemandList, LineCorrection, Objection

State = DemandList.State


def works_for(membership: Membership | None, demand_list: DemandList) -> bool:
    """Whether the person acts for the very bureau whose list this is (any role)."""
    return bool(membership) and is_bureau_staff(membership) and membership.organisation_id == demand_list.bureau_id  # type: ignore[union-attr]


def other_bureau() -> NotPermitted:
    """The refusal for who acts for another bureau than the list's."""
    return NotPermitted(_("This list belongs to another bureau."))


def _in_bureau(membership: Membership | None, demand_list: DemandList) -> Refused | None:
    if not works_for(membership, demand_list):
        return other_bureau()
    if not membership.organisation.region.covers(demand_list.region_id):  # type: ignore[union-attr]
        return NotPermitted(_("The list's region lies outside your bureau's jurisdiction."))
    return None


def create_refusal(membership: Membership | None, region: Region | str) -> Refused | None:
    """Why a list for the region may not be made by this person; None: it may."""
    if not membership or not is_bureau_staff(membership):
        return NotPermitted(_("Only a bureau makes demand lists."))
    if not membership.has_role(Role.CURATOR):
        return NotPermitted(_("Making lists takes the role of curator."))
    if not membership.organisation.region.covers(region):
        return Refused(_("The region lies outside your bureau's jurisdiction."), code="outside_jurisdiction")
    return None


def edit_refusal(membership: Membership | None, demand_list: DemandList) -> Refused | None:
    """Why the list's head or lines may not be written by this person now; None: they may."""
    if refusal := _in_bureau(membership, demand_list):
        return refusal
    if not membership.has_role(Role.CURATOR):  # type: ignore[union-attr]
        return NotPermitted(_("Editing lists takes the role of curator."))
    if demand_list.state not in list_states.LINES_WRITABLE_IN:
        return Refused(
            _("This list is no longer a draft (%(state)s): its content cannot be changed.")
            % {"state": demand_list.get_state_display()},
            code="wrong_state",
        )
    return None


def move_refusal(verb: str, demand_list: DemandList, membership: Membership | None) -> Refused | None:
    """Why this person may not submit / publish / send back / close the list now; None: one may."""
    if refusal := _in_bureau(membership, demand_list):
        return refusal
    move = list_states.move(demand_list.state, verb)
    if move is None:
        return Refused(
            _("The list is “%(state)s”: that step is not open.") % {"state": demand_list.get_state_display()},
            code="wrong_state",
        )
    if verb == "submit" and demand_list.is_call_open:
        return Refused(
            _("Operators can still hand lines in (until %(until)s): close the call first, or wait.")
            % {"until": f"{timezone.localtime(demand_list.call_closes_at):%Y-%m-%d %H:%M}"},
            code="call_open",
        )
    is_own_submission = demand_list.submitted_by_id == membership.user_id  # type: ignore[union-attr]
    if verb == "send_back" and is_own_submission:
        return None  # who submitted may take it back
    if not membership.has_role(*move.roles):  # type: ignore[union-attr]
        names = " / ".join(str(Role(role).label) for role in move.roles)
        return NotPermitted(_("This step takes the role: %(roles)s.") % {"roles": names})
    if verb == "publish":
        return _publish_refusal(demand_list, is_own_submission)
    return None


def _publish_refusal(demand_list: DemandList, is_own_submission: bool) -> Refused | None:
    """Queries for the co-signing bureaus."""
    if is_own_submission:
        return NotPermitted(_("You submitted this list yourself: a second person must publish it."), code="same_person")
    missing = [str(row.bureau) for row in demand_list.co_signers.filter(signed_at=None).select_related("bureau")]
    if missing:
        return Refused(
            _("These bureaus have still to sign off: %(bureaus)s.") % {"bureaus": ", ".join(missing)}, code="unsigned"
        )
    return None


def co_sign_refusal(demand_list: DemandList, membership: Membership | None) -> Refused | None:
    """Why this person may not sign the list off for a co-signing bureau now; None: one may. Queries once."""
    if not is_bureau_staff(membership):
        return NotPermitted(_("Only a co-signing bureau signs a list off."))
    row = demand_list.co_signers.filter(bureau_id=membership.organisation_id).first()  # type: ignore[union-attr]
    if row is None:
        return NotPermitted(_("Your bureau is not among those that co-sign this list."))
    if not membership.has_role(Role.PUBLISHER):  # type: ignore[union-attr]
        return NotPermitted(_("Signing a list off takes the role of publisher."))
    if demand_list.state != State.SUBMITTED:
        return Refused(_("A list is signed off once it has been submitted, before its notice."), code="wrong_state")
    if row.signed_at:
        return Refused(_("Your bureau has signed this list off already."), code="signed")
    return None


def sees(membership: Membership | None, demand_list: DemandList) -> bool:
    """Whether the list is on the person's desk: their bureau's own, below its region, or co-signed. May query once."""
    if not is_bureau_staff(membership):
        return False
    return (
        demand_list.bureau_id == membership.organisation_id  # type: ignore[union-attr]
        or membership.organisation.region.covers(demand_list.region_id)  # type: ignore[union-attr]
        or demand_list.co_signers.filter(bureau_id=membership.organisation_id).exists()  # type: ignore[union-attr]
    )


def comment_refusal(demand_list: DemandList, membership: Membership | None) -> Refused | None:
    """Why this person may not comment at the desk now, or settle a comment; None: one may. May query once."""
    if not sees(membership, demand_list):
        return other_bureau()
    if not membership.has_role(Role.CURATOR, Role.PUBLISHER, Role.MEDIATOR):  # type: ignore[union-attr]
        return NotPermitted(_("Your role in this organisation reads only."))
    if demand_list.state == State.CLOSED:
        return Refused(_("The list is closed: comments have come to an end."), code="wrong_state")
    return None


def withdraw_refusal(line: DemandLine, membership: Membership | None) -> Refused | None:
    """Why this person may not withdraw the line now; None: one may. Reads line.demand_list."""
    demand_list = line.demand_list
    if refusal := _in_bureau(membership, demand_list):
        return refusal
    if not membership.has_role(Role.CURATOR):  # type: ignore[union-attr]
        return NotPermitted(_("Editing lists takes the role of curator."))
    if demand_list.state not in list_states.LINES_WITHDRAWABLE_IN:
        return Refused(
            _("A line is withdrawn during notice or in force; in a draft it is deleted."), code="wrong_state"
        )
    if list_states.line_move(line.state, "withdraw") is None:
        return Refused(_("The line is already “%(state)s”.") % {"state": line.get_state_display()}, code="wrong_state")
    return None


def correct_refusal(line: DemandLine, membership: Membership | None) -> Refused | None:
    """Why this person may not propose a correction of the line now; None: one may. Reads line.demand_list."""
    demand_list = line.demand_list
    if refusal := _in_bureau(membership, demand_list):
        return refusal
    if not membership.has_role(Role.CURATOR):  # type: ignore[union-attr]
        return NotPermitted(_("Editing lists takes the role of curator."))
    if demand_list.state != State.NOTICE:
        return Refused(_("A line is corrected during the public notice; in a draft it is edited."), code="wrong_state")
    if line.state != DemandLine.State.OPEN:
        return Refused(_("The line is already “%(state)s”.") % {"state": line.get_state_display()}, code="wrong_state")
    return None


def answer_correction_refusal(correction: LineCorrection, membership: Membership | None) -> Refused | None:
    """Why this person may not answer the correction now; None: one may. Reads correction.line.demand_list."""
    if refusal := _in_bureau(membership, correction.line.demand_list):
        return refusal
    if not membership.has_role(Role.PUBLISHER):  # type: ignore[union-attr]
        return NotPermitted(_("Letting a correction in takes the role of publisher."))
    if correction.proposed_by_id == membership.user_id:  # type: ignore[union-attr]
        return NotPermitted(
            _("You proposed this correction yourself: a second person must answer."), code="same_person"
        )
    if correction.state != LineCorrection.State.PROPOSED:
        return Refused(_("This correction has been answered."), code="answered")
    if correction.line.demand_list.state != State.NOTICE:
        return Refused(_("The list is no longer under notice."), code="wrong_state")
    return None


def decide_refusal(objection: Objection, membership: Membership | None) -> Refused | None:
    """Why this person may not decide the objection now; None: one may. Reads objection.demand_list."""
    if refusal := _in_bureau(membership, objection.demand_list):
        return refusal
    if not membership.has_role(Role.CURATOR, Role.PUBLISHER, Role.MEDIATOR):  # type: ignore[union-attr]
        return NotPermitted(_("Deciding objections takes the role: %(roles)s.") % {
            "roles": " / ".join(str(role.label) for role in (Role.CURATOR, Role.PUBLISHER, Role.MEDIATOR))
        })  # fmt: skip
    if objection.outcome:
        return Refused(_("This objection has been decided."), code="decided")
    return None


HAND_IN_ROLES = (Role.ADMIN, Role.EDITOR, Role.NEGOTIATOR)


def hand_in_refusal(demand_list: DemandList, membership: Membership | None) -> Refused | None:
    """Why this person may not hand a line in to the list's call now; None: one may."""
    if not membership or membership.ended_at or membership.organisation.is_bureau:
        return NotPermitted(_("Lines are handed in by organisations that ask for space: act for yours."))
    if not membership.organisation.is_verified:
        return NotPermitted(_("Only a verified organisation hands lines in: ask your bureau to verify yours first."))
    if not membership.has_role(*HAND_IN_ROLES):
        return NotPermitted(_("Your role in this organisation reads only."))
    if not demand_list.is_call_open:
        return Refused(_("This call is closed: lines can no longer be handed in or changed."), code="call_closed")
    return None


def objection_refusal(demand_list: DemandList, membership: Membership | None) -> Refused | None:
    """Why this person may not object to the list now; None: one may."""
    if (
        demand_list.state != State.NOTICE
        or demand_list.notice_ends_at is None
        or demand_list.notice_ends_at < timezone.now()
    ):
        return Refused(_("Objections are taken during the public notice only."), code="wrong_state")
    if not membership or membership.ended_at:
        return NotPermitted(_("Sign in as a member of an organisation to object."))
    if not membership.organisation.is_verified:
        return NotPermitted(_("Only a verified organisation can object: ask your bureau to verify yours first."))
    if membership.organisation_id == demand_list.bureau_id:
        return NotPermitted(_("A bureau cannot object to its own list."))
    if not membership.has_role(Role.ADMIN, Role.EDITOR, Role.NEGOTIATOR, Role.SIGNATORY, Role.MEDIATOR):
        return NotPermitted(_("Your role in this organisation reads only."))
    return None
