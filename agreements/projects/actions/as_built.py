"""Accepted works: each party's share becomes its resource, and what it owes begins to count."""

from django.utils import timezone

from accounts.events import record
from accounts.models import User
from agreements.models import Project, ProjectInspection, ProjectResource
from agreements.projects import built
from listings.actions.as_built import take_over_as_built
from listings.actions.resources import save_for_owner

from .records import taking_part, tell


def make_shares(project: Project, *, by: User) -> None:
    """Called once, in the transaction that accepts the works: the resources of the shares as drafts of their owners,
    with what each measured at its inspection, and the shares as due to the lead from today."""
    parties = taking_part(project)
    for party in parties:
        entry = project.entries.create(
            organisation=party.organisation, sort="due", fen=party.share_fen or 0, entered_by=by
        )  # fmt: skip
        record("project.owe", entry, by=by, organisation=party.organisation, after={"fen": entry.fen})
    if not built.makes_shares(project):
        return
    kind, today = built.kind_of(project), timezone.localdate()
    source = f"验收 acceptance {project.reference}"
    measured = _measured(project)
    shares = [(project.lead, project.lead_units), *((party.organisation, party.units) for party in parties)]
    for owner, row in built.rows(project, shares):
        resource = save_for_owner(owner=owner, row=row, by=by)
        facts = built.facts_from(kind, measured.get(owner.pk, {}))
        take_over_as_built(resource=resource, facts=facts, on=today, source=source, by=by)
        ProjectResource.objects.create(project=project, resource=resource, organisation=owner, sort="share")
        tell(project, "built", owner, key=f"project:{project.pk}:built")


def _measured(project: Project) -> dict[int, dict[str, str]]:
    """{organisation: facts} of the inspections that passed."""
    passed = project.inspections.filter(verdict=ProjectInspection.Verdict.PASSED, round=project.round)
    return dict(passed.order_by("number").values_list("organisation", "as_built"))
