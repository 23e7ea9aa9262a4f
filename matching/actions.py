"""Start a run, ask it to stop."""

from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import NotPermitted, Refused
from accounts.events import record
from accounts.models import Membership, Organisation, User
from accounts.models.organisations import Role
from accounts.rules import rule
from listings.models import DemandList
from messaging.actions import notify

from .core.problem import Weights
from .models import MatchRun, Proposal
from .permissions import may_run
from .talk import open_talk

RUNNABLE = (DemandList.State.NOTICE, DemandList.State.IN_FORCE)


def check_startable(membership: Membership | None, demand_list: DemandList) -> None:
    """Raises NotPermitted or Refused with the reason a run cannot be started now; pages ask the same."""
    if not may_run(membership, demand_list):
        raise NotPermitted(
            _("Only the list's own bureau runs the matching: its curators, publishers and administrators.")
        )
    if demand_list.state not in RUNNABLE:
        raise Refused(_("A list is matched from its public notice until it is closed."), code="state")
    if demand_list.runs.live().exists():
        raise Refused(_("A run for this list is under way. Wait for it, or cancel it."), code="live")
    if not demand_list.lines.open().filter(duplicate_of=None).exists():
        raise Refused(_("The list has no open lines to match."), code="empty")


def parameters_of(
    demand_list: DemandList,
    *,
    weights: Weights | None = None,
    radius_m: float | None = None,
    seed: int = 1,
    worth: tuple[int, int, int] = (1, 1, 1),
    fairness: float | None = None,
    surface: str = "footway",
    without: Sequence[int] = (),
) -> dict[str, Any]:
    """All that decides a matching, as it is kept with the run; as start() takes it."""
    used = weights or Weights()
    radius = radius_m if radius_m is not None else float(rule("match.radius_m", demand_list.region_id).value)
    parameters: dict[str, Any] = {
        "radius_m": radius,
        "seed": seed,
        "weights": {name: getattr(used, name) for name in Weights.__dataclass_fields__},
        "worth": list(worth),
        "surface": surface,
        "region": demand_list.region_id,
    }
    if fairness:
        parameters["fairness"] = fairness
    if without:
        parameters["without"] = sorted(int(pk) for pk in without)
    return parameters


@transaction.atomic
def start(
    *,
    demand_list: DemandList,
    by: User | None,
    membership: Membership | None,
    weights: Weights | None = None,
    radius_m: float | None = None,
    seed: int = 1,
    worth: tuple[int, int, int] = (1, 1, 1),
    fairness: float | None = None,
    surface: str = "footway",
    since: MatchRun | None = None,
) -> MatchRun:
    """Queues a run; the worker takes it up after this transaction. radius_m None: the region's rule for
    lines that name no tolerance. worth: what serving a line of high, normal and low priority counts for.
    fairness: the part of its pro-rata share every applicant is to get, 0..1. surface: what gaps in routes are dug in.
    since: a finished run of the list, to be matched again as it was asked for: only what may have changed is matched
    anew, and the other options are not read. Locks the list's row."""
    demand_list = DemandList.objects.select_for_update(no_key=True).select_related("bureau").get(pk=demand_list.pk)
    check_startable(membership, demand_list)
    parameters = parameters_of(
        demand_list,
        weights=weights,
        radius_m=radius_m,
        seed=seed,
        worth=worth,
        fairness=fairness,
        surface=surface,
    )
    if since is not None:
        if since.demand_list_id != demand_list.pk or since.state != MatchRun.State.DONE:
            raise Refused(_("Only a finished run of this list can be matched again."), code="since")
        asked = {name: value for name, value in since.parameters.items() if name != "without"}
        parameters = asked | {"since": since.pk}
    number = (demand_list.runs.aggregate(last=Max("number"))["last"] or 0) + 1
    run = MatchRun(
        demand_list=demand_list, number=number, parameters=parameters, started_by=by, heartbeat_at=timezone.now()
    )
    run.full_clean(validate_constraints=False)
    try:
        with transaction.atomic():
            run.save(force_insert=True)
    except IntegrityError as error:
        raise Refused(_("A run for this list is under way. Wait for it, or cancel it."), code="live") from error
    record("run.start", run, by=by, organisation=demand_list.bureau, after=parameters)
    from .tasks import run_matching  # tasks → runner → actions: told apart here

    run_matching.enqueue(run.pk)
    return run


@transaction.atomic
def send_proposal(*, proposal: Proposal, by: User, membership: Membership | None) -> Proposal:
    """Draft → sent: the parties on the portal are told and may read it from then on. Locks the proposal."""
    proposal = (
        Proposal.objects.select_for_update(no_key=True, of=("self",))
        .select_related("run__demand_list__bureau")
        .get(pk=proposal.pk)
    )
    demand_list = proposal.run.demand_list
    if not may_run(membership, demand_list):
        raise NotPermitted(_("Only the list's own bureau sends its proposals."))
    if proposal.state != Proposal.State.DRAFT:
        raise Refused(_("This proposal was sent already."), code="sent")
    proposal.state, proposal.sent_at, proposal.sent_by = Proposal.State.SENT, timezone.now(), by
    proposal.save(update_fields=["state", "sent_at", "sent_by"])
    parties = list(
        Organisation.objects.filter(demand_lines__in=proposal.parties.values("line")).distinct().order_by("pk")
    )
    for organisation in parties:
        notify(
            code="proposal.send", payload={"list": demand_list.reference, "number": proposal.number},
            url=f"/matching/proposals/{proposal.pk}/", key=f"proposal:{proposal.pk}:sent",
            organisation=organisation, roles=[Role.ADMIN, Role.NEGOTIATOR],
        )  # fmt: skip
    open_talk(proposal, parties, by)
    record(
        "proposal.send", proposal, by=by, organisation=demand_list.bureau,
        before={"state": Proposal.State.DRAFT}, after={"state": proposal.state, "parties": len(parties)},
    )  # fmt: skip
    return proposal


@transaction.atomic
def cancel(*, run: MatchRun, by: User, membership: Membership | None) -> MatchRun:
    """Asks a run to stop; a waiting one stops at once, a running one at its next step. Nothing of it is kept."""
    run = (
        MatchRun.objects.select_for_update(no_key=True, of=("self",))
        .select_related("demand_list__bureau")
        .get(pk=run.pk)
    )
    if not may_run(membership, run.demand_list):
        raise NotPermitted(_("Only the list's own bureau can cancel its runs."))
    if not run.is_live:
        raise Refused(_("This run has ended already."), code="ended")
    run.is_cancel_asked = True
    if run.state == MatchRun.State.QUEUED:
        run.state, run.finished_at = MatchRun.State.CANCELLED, timezone.now()
    run.save(update_fields=["is_cancel_asked", "state", "finished_at"])
    record("run.cancel", run, by=by, organisation=run.demand_list.bureau, after={"state": run.state})
    return run
