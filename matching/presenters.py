"""Results made ready for pages: resources looked up once for the whole page, reasons worded."""

from collections.abc import Iterable
from typing import Any

from django.urls import reverse

from accounts.models import Membership
from accounts.rules import DEFAULTS
from listings.models import DemandLine, Resource

from . import wording
from .models import MatchResult, MatchRun, Proposal


def _resource_ids(result: MatchResult) -> set[int]:
    ids = {alternative["resource"] for alternative in result.alternatives}
    if result.resource_id:
        ids.add(result.resource_id)
    if result.verdict == MatchResult.Verdict.UNMET and result.reasons:
        reason = result.reasons[0]
        ids |= {step["resource"] for step in reason["relaxations"]}
        if reason["nearest"]:
            ids.add(reason["nearest"]["resource"])
    return ids


def attach(results: Iterable[MatchResult], membership: Membership | None) -> list[MatchResult]:
    """Sets result.shown on each: {"sentence", "criteria", "resource", "nearest", "steps", "alternatives"}. One query.

    A resource the reader may no longer read about (withdrawn since the run) stays unnamed.
    """
    results = list(results)
    ids: set[int] = set().union(*map(_resource_ids, results)) if results else set()
    named = Resource.objects.visible_to(membership).filter(pk__in=ids).select_related("owner")
    found = {r.pk: r for r in named.defer("place", "shown_cell")}
    for result in results:
        result.shown = _shown(result, found)  # type: ignore[attr-defined]
    return results


def _shown(result: MatchResult, found: dict[int, Resource]) -> dict[str, Any]:
    kind = result.line.kind
    shown: dict[str, Any] = {
        "resource": found.get(result.resource_id) if result.resource_id else None,
        "criteria": [], "nearest": None, "steps": [], "ask_url": "",
        "alternatives": [_alternative(item, found, kind) for item in result.alternatives],
    }  # fmt: skip
    if result.verdict == MatchResult.Verdict.MET:
        shown["criteria"] = _criteria(result.reasons, kind)
        shown["sentence"] = wording.met_text(result.reasons, kind)
        shown["ask_url"] = _ask_url(result, shown["resource"])
        return shown
    reason = result.reasons[0]
    shown["sentence"] = wording.unmet_text(reason, kind)
    if reason["nearest"]:
        shown["criteria"] = _criteria(reason["nearest"]["reasons"], kind)
        shown["nearest"] = found.get(reason["nearest"]["resource"])
    shown["steps"] = [
        {"text": wording.relaxation_text(step, kind), "resource": found.get(step["resource"])}
        for step in reason["relaxations"]
    ]
    return shown


def _ask_url(result: MatchResult, resource: Resource | None) -> str:
    """Where space in it is asked for: of a whole site in one form; "" where it is not named."""
    if resource is None:
        return ""
    line = result.line
    if line.room_u and resource.site_id:
        return f"{reverse('request_site', args=[resource.site_id])}?line={line.pk}"
    return f"{reverse('request_new', args=[resource.pk])}?line={line.pk}"


def _criteria(reasons: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [
        {"label": wording.CRITERION_LABELS[r["criterion"]], "text": wording.criterion_text(r, kind), "ok": r["ok"]}
        for r in reasons
    ]


def _alternative(item: dict[str, Any], found: dict[int, Resource], kind: str) -> dict[str, Any]:
    return {
        "resource": found.get(item["resource"]),
        "text": wording.met_text(item["reasons"], kind),
        "cost_fen_per_year": item["cost_fen_per_year"],
    }


def difference(before: MatchRun, after: MatchRun) -> dict[str, Any]:
    """What changed from one run of a list to another: lines newly met, newly unmet, moved to another resource."""
    # All rows of both runs are read, so only what is compared and shown: no reasons, no geometry.
    heavy = ("told", "line__place", "line__notes", "resource__place", "resource__shown_cell")
    old, new = (
        {r.line_id: r for r in run.results.select_related("line", "resource").defer(*heavy)} for run in (before, after)
    )
    rows = []
    for line_id in sorted(old.keys() | new.keys(), key=lambda pk: (old.get(pk) or new[pk]).line.number):
        was, now = old.get(line_id), new.get(line_id)
        if (was and was.verdict) == (now and now.verdict) and (was and was.resource_id) == (now and now.resource_id):
            continue
        change = _change(was, now)
        rows.append({"line": (now or was).line, "was": was, "now": now, "change": change})  # type: ignore[union-attr]
    names = ("newly_met", "newly_unmet", "moved", "added", "gone")
    return {"rows": rows, "counts": {name: sum(row["change"] == name for row in rows) for name in names}}


def _change(was: MatchResult | None, now: MatchResult | None) -> str:
    if was is None:
        return "added"
    if now is None:
        return "gone"
    if was.verdict == now.verdict:
        return "moved"
    return "newly_met" if now.verdict == MatchResult.Verdict.MET else "newly_unmet"


def explain(rows: list[dict[str, Any]], before: MatchRun, after: MatchRun) -> None:
    """Sets row["why"] on rows of difference(): why the line is given something else. One query.

    The fingerprints tell whether anything the line could be given has changed, or only the competition for it.
    """
    ids = {result.pk for row in rows for result in (row["was"], row["now"]) if result is not None}
    heavy = MatchResult.objects.filter(pk__in=ids).only("verdict", "binding", "told")
    told = {result.pk: (result.reasons, result.alternatives) for result in heavy}
    for row in rows:
        was, now = row["was"], row["now"]
        if was is None or now is None:
            state = DemandLine.State(row["line"].state)
            row["why"] = wording.came_or_went(
                is_new=was is None, state=state, is_duplicate=bool(row["line"].duplicate_of_id)
            )
            continue
        is_touched = was.fingerprint is None or was.fingerprint != now.fingerprint
        old, new = ({a["resource"] for a in told[r.pk][1]} | {r.resource_id} for r in (was, now))
        row["why"] = wording.why_moved(
            change=row["change"], is_touched=is_touched, is_old_still_fit=was.resource_id in new,
            was_new_fit=now.resource_id in old, kind=row["line"].kind,
            unmet=told[was.pk if was.verdict == "unmet" else now.pk][0],
            is_changed_since=bool(before.started_at and row["line"].updated_at > before.started_at),
            has_other_parameters=_asked(before) != _asked(after),
        )  # fmt: skip


def _asked(run: MatchRun) -> dict[str, Any]:
    return {name: value for name, value in run.parameters.items() if name != "since"}


def basis(proposal: Proposal) -> list[dict[str, Any]]:
    """The rules a proposal's figures come from: label, value, unit, source; examples say so. No query."""
    rows = []
    for row in proposal.basis:
        default = DEFAULTS[row["key"]]
        rows.append(
            {
                "label": default.label,
                "value": row["value"],
                "unit": default.unit,
                "source": default.source,
                "is_example": row["is_example"],
            }  # fmt: skip
        )
    return rows


def conflicts(proposal: Proposal, membership: Membership | None) -> list[dict[str, Any]]:
    """Existing towers so near a new one that the same-site rule asks to share them first. One query."""
    wanted = [row["resource"] for row in proposal.conflicts]
    found = {
        r.pk: r for r in Resource.objects.visible_to(membership).filter(pk__in=wanted).defer("place", "shown_cell")
    }
    return [row | {"shown": found[row["resource"]]} for row in proposal.conflicts if row["resource"] in found]


def routes(result: MatchResult, membership: Membership | None) -> dict[str, Any]:
    """{"ways": [{"route", "legs"}], "requests": [{"owner", "resources"}]}: the routes of a line with their legs named,
    and what one request to each owner of the chosen one would name. Three queries."""
    rows = list(result.routes.defer("path").order_by("role", "rank"))
    wanted = {leg["resource"] for row in rows for leg in row.legs if leg["kind"] == "segment"}
    named = Resource.objects.visible_to(membership).filter(pk__in=wanted).select_related("owner")
    found = {r.pk: r for r in named.defer("place", "shown_cell")}
    ways: list[dict[str, Any]] = []
    for row in sorted(rows, key=lambda row: (row.role != "chosen", row.role, row.rank)):
        legs = [leg | {"shown": found.get(leg.get("resource"))} for leg in row.legs]
        ways.append({"route": row, "legs": legs})
    requests: dict[int, dict[str, Any]] = {}
    for leg in ways[0]["legs"] if ways else ():
        resource = leg["shown"]
        if resource is not None:
            entry = requests.setdefault(resource.owner_id, {"owner": resource.owner, "resources": [], "length_m": 0.0})
            entry["resources"].append(resource)
            entry["length_m"] += leg["length_m"]
    return {"ways": ways, "requests": list(requests.values())}
