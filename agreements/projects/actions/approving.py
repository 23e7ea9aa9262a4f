"""The answer of a person named in an organisation's rules to the agreed terms of works."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.errors import NotPermitted, Refused
from accounts.events import record
from accounts.models import Membership, Organisation, User
from agreements.approvals.models import Verdict
from agreements.approvals.steps import Step
from agreements.models import Project, ProjectApproval
from agreements.notices import neutral_path
from agreements.projects import states
from agreements.projects.approvals import steps_of
from messaging import actions as messaging

from .records import TOLD, taking_part

NOTE_MAX_CHARS = 500


@transaction.atomic
def answer_approval(
    *, project: Project, by: User, membership: Membership, verdict: str, terms_sha256: str, note: str = ""
) -> ProjectApproval:
    """The person's answer for the step whose turn it is. Giving the same again is once.

    terms_sha256: of the terms the person read. Raises NotPermitted to who is not named in the rule, Refused when
    nothing is to be signed, when it is not a step's turn, after the own signature, and for a rejection without a note.
    """
    rows = Project.objects.select_related("lead").select_for_update(no_key=True, of=("self",))
    fresh: Project = rows.get(pk=project.pk)
    found = [] if membership.ended_at else steps_of(fresh, membership.organisation_id)
    mine = [step for step in found if step.is_of(by.pk)]
    if not mine:
        raise NotPermitted(_("Your organisation's rules name others to approve this."))
    if fresh.state != Project.State.AGREED or terms_sha256 != fresh.terms_sha256:
        raise Refused(
            _("There is nothing to approve now: %(state)s.") % {"state": fresh.get_state_display()}, code="wrong_state"
        )
    done = next((s.answer for s in mine if s.answer and s.answer.by_id == by.pk and s.answer.verdict == verdict), None)
    current = next((step for step in mine if step.is_open), None)
    if done and (current is None or verdict == Verdict.REJECTED):
        return done  # type: ignore[return-value]  # steps of works have answers to works
    if current is None:
        raise Refused(_("Another step of approval comes first."), code="not_your_turn")
    if fresh.signatures.filter(organisation=membership.organisation_id).exists():
        raise Refused(_("Your side has signed already."), code="signed")
    note = note.strip()[:NOTE_MAX_CHARS]
    if verdict == Verdict.REJECTED and not note:
        raise Refused(_("Say why it is not approved: your negotiators read it."), code="no_reason")
    return _write(fresh, current, by, membership.organisation, verdict, note)


def _write(
    project: Project, step: Step, by: User, organisation: Organisation, verdict: str, note: str
) -> ProjectApproval:
    approval = ProjectApproval(
        rule=step.rule, project=project, terms_sha256=project.terms_sha256, verdict=verdict, note=note, by=by
    )
    approval.full_clean()
    approval.save(force_insert=True)
    verb = "approval.approve" if verdict == Verdict.APPROVED else "approval.reject"
    after = {"project": project.reference, "step": step.rule.name, "terms_sha256": project.terms_sha256}
    record(verb, approval, by=by, organisation=organisation, reason=note, after=after)
    following = next((one for one in steps_of(project, organisation.pk) if one.is_open), None)
    if verdict == Verdict.REJECTED:
        _tell(project, "reject", organisation, messaging.people_of(organisation, TOLD), approval.pk)
    elif following:
        _ask(project, following, organisation)
    else:
        _tell(project, "complete", organisation, messaging.people_of(organisation, states.SIGNING), approval.pk)
    return approval


def _tell(project: Project, code: str, organisation: Organisation, users: list[User], number: int) -> None:
    messaging.notify(
        users=users, organisation=organisation, code=f"notice.approval.works_{code}",
        payload={"project": project.title}, url=neutral_path("project_approval", project.pk),
        key=f"project:{project.pk}:approval:{code}:{number}",
    )  # fmt: skip


def _ask(project: Project, step: Step, organisation: Organisation) -> None:
    people = [person for person in (step.rule.approver, step.rule.deputy) if person]
    _tell(project, "ask", organisation, people, step.rule.pk)


def ask_approvals(project: Project) -> None:
    """Terms are agreed: the first to approve in each organisation are told. In the caller's transaction."""
    for organisation in (project.lead, *(party.organisation for party in taking_part(project))):
        step = next((one for one in steps_of(project, organisation.pk) if one.is_open), None)
        if step:
            _ask(project, step, organisation)
