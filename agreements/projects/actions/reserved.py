"""What the bureau signed off becomes planned resources of the lead, follows the works, and ends with them (ADR 99)."""

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import Refused
from accounts.models import User
from agreements.models import Project, ProjectResource
from agreements.projects import planned
from agreements.projects.planned import Reserved
from listings.actions.as_built import take_over_as_built
from listings.actions.lifecycle import move_for_works
from listings.actions.resources import save_for_owner
from listings.models import Resource
from listings.rows import CleanRow

from .records import taking_part

State, Lifecycle = Resource.State, Resource.Lifecycle


def _links(project: Project) -> dict[str, ProjectResource]:
    rows = project.kept.exclude(sort=ProjectResource.Sort.SHARE).select_related("resource__owner").order_by("pk")
    return {link.sort: link for link in rows.defer("resource__owner__region__polygon")}


def check_space(project: Project) -> None:
    """Raises Refused where fewer bores or positions are reserved than those taking part take."""
    for reserved in planned.stated(project, taking_part(project)):
        for unit, total in reserved.totals.items():
            taken = reserved.counted.get(unit, 0)
            if unit != "kw" and taken > total:  # power has its own sentence
                raise Refused(
                    _("The parties take %(taken)s %(unit)s together; %(total)s are reserved.")
                    % {"taken": f"{taken.normalize():f}", "unit": project.get_unit_display(), "total": f"{total:f}"},
                    code="too_little",
                )


def keep_planned(project: Project, *, by: User | None) -> None:
    """The planned resources as the works are now: made, changed, or taken back where nothing of a sort is reserved.

    By what was signed off; while a changed reservation lies with the bureau, only what the parties take is counted
    anew. Raises Refused where others hold more than would be left.
    """
    if not project.is_gated:
        return
    links = _links(project)
    wanted = {one.sort: one for one in planned.stated(project, taking_part(project))}
    if project.gate != Project.Gate.SIGNED_OFF:
        for sort, link in links.items():
            if link.resource.state != State.RETIRED:
                _recount(link, wanted.get(sort), by)
        return
    for sort, reserved in wanted.items():
        _keep(project, reserved, links.get(sort), by)
    for sort, link in links.items():
        if sort not in wanted:
            _withdraw(link, by=by, reason=_("No longer reserved."))


def _keep(project: Project, reserved: Reserved, link: ProjectResource | None, by: User | None) -> None:
    old = link if link and link.resource.state != State.RETIRED else None
    code = old.resource.owner_code if old else _new_code(project, reserved.sort)
    resource = save_for_owner(owner=project.lead, row=planned.row(project, reserved, code, old), by=by)
    if resource.state != State.PUBLISHED:
        verb = "resume" if resource.state == State.SUSPENDED else "publish"
        resource = move_for_works(resource=resource, verb=verb, by=by, reason=project.title)
    link = link or ProjectResource(project=project, sort=reserved.sort, organisation=project.lead)
    link.resource, link.counted = resource, {unit: str(units) for unit, units in reserved.counted.items()}
    link.full_clean()
    link.save()


def _new_code(project: Project, sort: str) -> str:
    """The first code the owner has not used: what was retired keeps its own."""
    stem = f"GJ-P{project.pk:06d}-{planned.LETTERS[planned.Sort(sort)]}"
    used = set(project.lead.resources.filter(owner_code__startswith=stem).values_list("owner_code", flat=True))
    return next(code for number in range(len(used) + 1) if (code := f"{stem}{number + 1}") not in used)


def _recount(link: ProjectResource, reserved: Reserved | None, by: User | None) -> None:
    """What the parties take now, in pools whose totals stay as signed off."""
    if reserved is None:
        return
    totals = dict(link.resource.pools.values_list("unit", "total"))
    known = Reserved(link.sort, {unit: totals[unit] for unit in reserved.totals if unit in totals}, reserved.counted)
    owner, code = link.resource.owner, link.resource.owner_code
    pools = planned.pools_of(known, link)
    save_for_owner(owner=owner, row=CleanRow(link.resource.kind, code, {}, {}, pools, None), by=by)
    link.counted = {unit: str(units) for unit, units in reserved.counted.items()}
    link.save(update_fields=["counted"])


def _withdraw(link: ProjectResource, *, by: User | None, reason: str) -> None:
    if link.resource.state == State.RETIRED:
        return
    try:
        move_for_works(resource=link.resource, verb="retire", by=by, reason=reason)
    except Refused as refusal:
        sentence = _("%(resource)s stays: %(why)s") % {"resource": link.resource.name, "why": refusal.message}
        raise Refused(sentence, code="in_use") from refusal


def withdraw_planned(project: Project, *, by: User | None, reason: str) -> None:
    """Retires what the works kept, all or none. Raises Refused while somebody holds capacity in it."""
    for link in _links(project).values():
        _withdraw(link, by=by, reason=reason)


def build_planned(project: Project, *, by: User | None) -> None:
    """Construction has begun on what was planned."""
    for link in _links(project).values():
        row = link.resource
        if row.lifecycle == Lifecycle.PLANNED and row.state != State.RETIRED:
            data = {"lifecycle": Lifecycle.UNDER_CONSTRUCTION}
            save_for_owner(owner=row.owner, row=CleanRow(row.kind, row.owner_code, data, {}, None, None), by=by)


def open_planned(project: Project, *, by: User | None) -> None:
    """Accepted works: what was planned is in service from today."""
    today = timezone.localdate()
    for link in _links(project).values():
        row = link.resource
        if row.state == State.RETIRED:
            continue
        if row.available_from and row.available_from > today:
            now = CleanRow(row.kind, row.owner_code, {"available_from": today}, {}, None, None)
            row = save_for_owner(owner=row.owner, by=by, row=now)
        take_over_as_built(resource=row, facts={}, on=today, source=f"验收 acceptance {project.reference}", by=by)
