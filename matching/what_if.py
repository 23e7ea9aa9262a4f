"""What other parameters would change in a finished run; computed from today's supply and not stored."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import NotPermitted, Refused
from accounts.models import Membership
from listings.models import DemandLine, Resource

from .actions import parameters_of
from .computing import compute
from .models import MatchResult, MatchRun
from .permissions import may_run

LINES_MAX = 20_000  # about ten seconds; larger lists are worth a run
ROWS_SHOWN = 200


def what_if(
    *, run: MatchRun, membership: Membership | None, without: Sequence[int] = (), **options: Any
) -> dict[str, Any]:
    """{"figures", "counts", "rows"}: what a run with these options (as actions.start takes them) would change.

    without: resources left out, as if withdrawn. rows: at most ROWS_SHOWN, {"number", "title", "was", "now"} in words.
    Raises NotPermitted, or Refused for a list of more than LINES_MAX lines. Stores nothing.
    """
    if not may_run(membership, run.demand_list):
        raise NotPermitted(_("Only the list's own bureau runs the matching."))
    if run.results.count() > LINES_MAX:
        raise Refused(
            _("This list has more than %(most)d lines: start a run and compare.") % {"most": LINES_MAX},
            code="too_large",
        )
    parameters = parameters_of(run.demand_list, without=without, **options) | {"time_limit_s": 20.0}
    found = compute(run.demand_list_id, parameters, today=timezone.localdate(), with_reasons=False)
    now: dict[int, int | None] = {
        int(line): int(found.near.resource_ids[pair]) if pair >= 0 else None
        for line, pair in zip(found.lines.id, found.chosen, strict=True)
    }
    for line in found.by_route:
        now[int(found.lines.id[line])] = 0
    was: dict[int, int | None] = {
        line: (resource or 0) if verdict == MatchResult.Verdict.MET else None
        for line, verdict, resource in run.results.values_list("line_id", "verdict", "resource_id")
    }
    return {"figures": found.figures()} | _difference(was, now, membership)


def _difference(
    was: Mapping[int, int | None], now: Mapping[int, int | None], membership: Membership | None
) -> dict[str, Any]:
    changed = [line for line in now if line in was and was[line] != now[line]]
    counts = {
        "newly_met": sum(was[line] is None for line in changed),
        "newly_unmet": sum(now[line] is None for line in changed),
    }
    counts["moved"] = len(changed) - counts["newly_met"] - counts["newly_unmet"]
    lines = DemandLine.objects.filter(pk__in=changed).order_by("number").only("number", "title")[:ROWS_SHOWN]
    rows = list(lines)
    wanted = {pk for line in rows for pk in (was[line.pk], now[line.pk]) if pk}
    names = dict(Resource.objects.visible_to(membership).filter(pk__in=wanted).values_list("pk", "name"))

    def word(pk: int | None) -> str:
        return str(MatchResult.Verdict.UNMET.label) if pk is None else names.get(pk, str(MatchResult.Verdict.MET.label))

    shown = [
        {"number": line.number, "title": line.title, "was": word(was[line.pk]), "now": word(now[line.pk])}
        for line in rows
    ]
    return {"counts": counts, "rows": shown}
