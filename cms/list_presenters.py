"""What the list's pages, public and at the desk, say about its state. No queries unless said."""

from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.clocks import deadline_for
from accounts.rules import rule
from listings import demand_permissions, list_states
from listings.actions.demand_notice import notice_after_correction
from listings.models import DemandLine, DemandList

State = DemandList.State


def timeline(demand_list: DemandList) -> list[dict]:
    """The steps of the list's life for _components/timeline.html, done, current and to come."""
    state = demand_list.state
    order = [State.DRAFT, State.SUBMITTED, State.NOTICE, State.IN_FORCE, State.CLOSED]
    reached = order.index(state)
    was_cut = state == State.CLOSED and not demand_list.in_force_at
    moments = {
        State.DRAFT: demand_list.created_at,
        State.SUBMITTED: demand_list.submitted_at,
        State.NOTICE: demand_list.published_at,
        State.IN_FORCE: demand_list.in_force_at or (None if was_cut else demand_list.notice_ends_at),
        State.CLOSED: demand_list.closed_at,
    }
    items = []
    for position, step in enumerate(order):
        if step == State.IN_FORCE and was_cut:
            continue
        note = ""
        if step == State.NOTICE and demand_list.is_notice_over:
            note = _("over since %(when)s; objections are being decided") % {"when": day(demand_list.notice_ends_at)}
        elif step == State.NOTICE and state == State.NOTICE:
            note = _("objections until %(when)s") % {"when": day(demand_list.notice_ends_at)}
        items.append(
            {
                "label": State(step).label,
                "at": moments[step],
                "state": "done" if position < reached else "current" if position == reached else "todo",
                "note": note,
            }
        )
    return items


def public_timeline(demand_list: DemandList) -> list[dict]:
    """As timeline(), without the steps inside the bureau."""
    inside = {State.DRAFT.label, State.SUBMITTED.label}
    return [item for item in timeline(demand_list) if item["label"] not in inside]


def day(moment) -> str:
    """The local day as 2026-12-14; a dash for None."""
    return timezone.localtime(moment).strftime("%Y-%m-%d") if moment else "–"


LABELS = {
    "submit": gettext_lazy("Submit for review"),
    "publish": gettext_lazy("Publish"),
    "send_back": gettext_lazy("Send back"),
    "close": gettext_lazy("Close"),
}


@dataclass(frozen=True)
class Button:
    """One step at the desk: open to this person now, or the sentence why not."""

    verb: str
    label: str
    why_not: str = ""


def buttons(demand_list: DemandList, membership) -> list[Button]:
    """The steps out of the list's state, asked of the same function as the actions."""
    made = []
    for verb in list_states.LIST_MOVES[demand_list.state]:
        if verb not in LABELS:
            continue  # the clock's
        refusal = demand_permissions.move_refusal(verb, demand_list, membership)
        made.append(Button(verb, LABELS[verb], str(refusal.message) if refusal else ""))
    return made


def consequence(verb: str, demand_list: DemandList, line_count: int) -> str:
    """What the step leads to, for its confirmation page. Queries for the region's rule where a clock starts."""
    if verb == "publish":
        clock = rule("clock.objection", demand_list.region)
        return _open_comments(demand_list) + _(
            "The list's %(count)d lines become public at once, with their places. Objections can be made for "
            "%(days)d working days, until %(until)s; then the list is in force. Lines can no longer be changed, "
            "only withdrawn. Source of the period: %(source)s"
        ) % {
            "count": line_count,
            "days": clock.whole,
            "until": day(deadline_for("clock.objection", demand_list.region)),
            "source": clock.source,
        }
    return {
        "submit": _(
            "A second person of your bureau with the role of publisher reviews the list. "
            "Until it is published or sent back, nothing on it can be changed."
        ),
        "send_back": _("The list becomes a draft again, and who submitted it reads your reason."),
        "close": _("The list ends for good: no more requests or matching on its lines. It stays readable."),
    }[verb]


def _open_comments(demand_list: DemandList) -> str:
    """A sentence where comments are open yet; "" where none is. Queries once."""
    count = demand_list.comments.filter(settled_at=None).count()
    if not count:
        return ""
    said = ngettext(
        "%(n)d comment on this list is not settled yet.", "%(n)d comments on this list are not settled yet.", count
    )
    return said % {"n": count} + " "


def correction_consequence(demand_list: DemandList) -> str:
    """What letting a correction in does to the clock on the page. Queries for the rules."""
    _days, ends_at, is_anew = notice_after_correction(demand_list, timezone.now())
    source = rule("notice.correction_days", demand_list.region).source
    if is_anew:
        said = _("The line reads so at once, and the notice begins anew: objections until %(until)s.")
    elif demand_list.notice_ends_at and ends_at <= demand_list.notice_ends_at:
        ends_at = demand_list.notice_ends_at
        said = _("The line reads so at once; the notice ends on %(until)s as before.")
    else:
        said = _("The line reads so at once, and the notice runs longer: objections until %(until)s.")
    return said % {"until": day(ends_at)} + " " + _("Source of the rule: %(source)s") % {"source": source}


def place_text(line: DemandLine) -> str:
    """The place as 113.33000, 23.13000: the middle of a route or area."""
    middle = line.place.centroid
    return f"{middle.x:.5f}, {middle.y:.5f}"


def place_geojson(line: DemandLine) -> dict:
    """The line's place as the one feature of a map."""
    feature = {
        "type": "Feature",
        "geometry": {"type": line.place.geom_type, "coordinates": line.place.coords},
        "properties": {"label": str(line), "url": "", "kind": line.kind, "tone": "demand", "is_blurred": False},
    }
    return {"type": "FeatureCollection", "features": [feature]}
