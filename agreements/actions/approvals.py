"""Rules of approval inside an organisation, and the answers of those who approve."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import NotPermitted, Refused
from accounts.events import record
from accounts.models import Membership, Organisation, User
from accounts.models.organisations import Role
from agreements import notices, states
from agreements.approvals.steps import OPEN_IN, Step, open_step, steps, version_digest
from agreements.models import Approval, ApprovalRule, Offer, ShareRequest
from messaging import actions as messaging

from .holds import lock_request

RULES_MAX = 12  # per organisation
Verdict = Approval.Verdict


def rules_refusal(membership: Membership | None) -> Refused | None:
    """Why the person may not set the rules of their organisation; None: they may."""
    if not membership or membership.ended_at or not membership.has_role(Role.ADMIN):
        return NotPermitted(_("Rules of approval are set by your organisation's administrators."))
    if membership.organisation.is_bureau:
        return NotPermitted(_("A bureau signs no agreements: it needs no rules of approval."))
    return None


@transaction.atomic
def set_approval_rule(
    *, by: User, membership: Membership, name: str, basis: str, from_fen: int, approver: User, deputy: User | None
) -> ApprovalRule:
    """One more step, for every agreement of the organisation not signed yet. Raises NotPermitted to others than
    administrators, Refused for people who are no members and for more than RULES_MAX rules."""
    if problem := rules_refusal(membership):
        raise problem
    organisation = Organisation.objects.select_for_update(no_key=True).get(pk=membership.organisation_id)
    if organisation.approval_rules.live().count() >= RULES_MAX:
        raise Refused(_("%(max)d rules are as many as there can be.") % {"max": RULES_MAX}, code="many")
    named = {person.pk for person in (approver, deputy) if person}
    members = Membership.objects.active().filter(organisation=organisation, user__in=named)
    if set(members.values_list("user", flat=True)) != named:
        raise Refused(_("Who approves is an active member of your organisation."), code="no_member")
    rule = ApprovalRule(
        organisation=organisation, name=name.strip(), basis=basis, from_fen=from_fen, approver=approver, deputy=deputy,
        made_by=by,
    )  # fmt: skip
    rule.full_clean()
    rule.save(force_insert=True)
    after = {"name": rule.name, "basis": basis, "from_fen": from_fen, "approver": approver.pk}
    record("approval_rule.set", rule, by=by, organisation=organisation, after=after)
    return rule


@transaction.atomic
def end_approval_rule(*, rule: ApprovalRule, by: User, membership: Membership) -> ApprovalRule:
    """The step is asked for no more; what was approved stays on record. Twice is once. Raises NotPermitted."""
    if problem := rules_refusal(membership):
        raise problem
    fresh = ApprovalRule.objects.select_for_update(of=("self",), no_key=True).get(pk=rule.pk)
    if fresh.organisation_id != membership.organisation_id:
        raise NotPermitted(_("Rules of approval are set by your organisation's administrators."))
    if fresh.ended_at is None:
        fresh.ended_at, fresh.ended_by = timezone.now(), by
        fresh.save(update_fields=["ended_at", "ended_by"])
        record("approval_rule.end", fresh, by=by, organisation=membership.organisation, before={"name": fresh.name})
    return fresh


@transaction.atomic
def answer_approval(
    *, offer: Offer, by: User, membership: Membership, verdict: str, version_sha256: str, note: str = ""
) -> Approval:
    """The person's answer to a version of the terms, for the step whose turn it is. Giving the same again is once.

    version_sha256: of the version the person read. Raises NotPermitted to who is not named in the rule, Refused when
    the version is not the latest, when it is not a step's turn, and for a rejection without a note.
    """
    request = lock_request(offer.request)
    side = states.side_of(request, membership)
    if side is None:
        raise NotPermitted(_("Only the two parties act here; you read this case."))
    fresh = request.offers.select_related("sheet").order_by("-number").first()
    if fresh is None or fresh.pk != offer.pk or version_sha256 != version_digest(fresh):
        raise Refused(_("Another offer has come in the meantime: read it, then answer it."), code="stale")
    if request.state not in OPEN_IN:
        raise Refused(_("There is nothing to approve now: %(state)s.") % {"state": request.get_state_display()},
                      code="wrong_state")  # fmt: skip
    found = steps(fresh, membership.organisation_id)
    mine = [step for step in found if step.is_of(by.pk)]
    if not mine:
        raise NotPermitted(_("Your organisation's rules name others to approve this."))
    done = next((s.answer for s in mine if s.answer and s.answer.by_id == by.pk and s.answer.verdict == verdict), None)
    current = next((step for step in mine if step.is_open), None)
    if current is None and done:
        return done  # type: ignore[return-value]  # steps of an offer have answers to offers
    if current is None:
        raise Refused(_("Another step of approval comes first."), code="not_your_turn")
    if side in states.signed_sides(request):
        raise Refused(_("Your side has signed already."), code="signed")
    note = note.strip()[:500]
    if verdict == Verdict.REJECTED and not note:
        raise Refused(_("Say why it is not approved: your negotiators read it."), code="no_reason")
    approval = Approval(
        rule=current.rule, offer=fresh, version_sha256=version_sha256, verdict=verdict, note=note, by=by
    )
    approval.full_clean()
    approval.save(force_insert=True)
    verb = "approval.approve" if verdict == Verdict.APPROVED else "approval.reject"
    record(verb, approval, by=by, organisation=membership.organisation, reason=note,
           after={"request": request.code, "version": fresh.number, "step": current.rule.name,
                  "version_sha256": version_sha256})  # fmt: skip
    _tell_answered(request, fresh, membership.organisation, approval)
    return approval


def _path(request: ShareRequest) -> str:
    return notices.neutral_path("approval", request.pk)


def _tell(request: ShareRequest, code: str, key: str, organisation: Organisation, users: list[User]) -> None:
    messaging.notify(
        users=users, organisation=organisation, code=f"notice.approval.{code}", payload={"request": request.code},
        url=_path(request), key=f"request:{request.pk}:{key}",
    )  # fmt: skip


def _ask(request: ShareRequest, step: Step, organisation: Organisation, offer: Offer) -> None:
    people = [person for person in (step.rule.approver, step.rule.deputy) if person]
    _tell(request, "ask", f"approval:{step.rule.pk}:{offer.number}", organisation, people)


def ask_approvals(request: ShareRequest, offer: Offer) -> None:
    """Terms are agreed: the first to approve on each side are told. In the caller's transaction."""
    for organisation in (request.requester, request.owner):
        if step := open_step(offer, organisation.pk):
            _ask(request, step, organisation, offer)


def _tell_answered(request: ShareRequest, offer: Offer, organisation: Organisation, approval: Approval) -> None:
    key = f"approved:{approval.pk}"
    following = open_step(offer, organisation.pk)
    if approval.verdict == Verdict.REJECTED:
        _tell(request, "reject", key, organisation, messaging.people_of(organisation, notices.NEGOTIATORS))
    elif following:
        _ask(request, following, organisation, offer)
    else:
        _tell(request, "complete", key, organisation, messaging.people_of(organisation, notices.SIGNATORIES))
