"""The owner's dashboard: freshness, occupancy, who looked, what was asked, each with the way to act."""

from django.db.models import Count
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import Organisation
from accounts.views.base import member_required
from agreements.models import ShareRequest
from agreements.states import Side, waiting_for
from listings import dashboard_figures as figures

UNANSWERED_SHOWN = 10
CHART_HEIGHT = 60


def _asked(owner: Organisation) -> dict:
    """Requests received by state, and those the owner owes an answer, by clock."""
    received = ShareRequest.objects.filter(owner=owner)
    counts = dict(received.order_by().values_list("state").annotate(n=Count("pk")))
    open_ones = received.open().with_parties().select_related("agreement").prefetch_related(
        "offers", "agreement__signatures"
    )  # fmt: skip
    unanswered = [case for case in open_ones.by_clock()[:100] if Side.OWNER in waiting_for(case)]
    return {
        "asked_states": [(state, label, counts.get(state, 0)) for state, label in ShareRequest.State.choices],
        "asked_total": sum(counts.values()),
        "unanswered": unanswered[:UNANSWERED_SHOWN],
        "unanswered_count": len(unanswered),
        "places_asked": figures.places_asked(owner),
    }


def _bars(days: list[figures.Day]) -> list[dict]:
    """One bar per day in units of the chart's view box: organisations below, visitors on top of them."""
    most = max((day.total for day in days), default=0) or 1
    bars = []
    for i, day in enumerate(days):
        inside, outside = (round(CHART_HEIGHT * n / most, 2) for n in (day.organisations, day.visitors))
        bars.append({
            "x": i * 10, "inside": inside, "inside_y": CHART_HEIGHT - inside,
            "outside": outside, "outside_y": CHART_HEIGHT - inside - outside,
        })  # fmt: skip
    return bars


@require_safe
@member_required()
def dashboard(request):
    """GET: one page of figures for the organisation the person acts for."""
    owner = request.membership.organisation
    states = figures.by_state(owner)
    ages, stale_months = figures.ages(owner)
    seen = figures.looks(owner)
    context = {
        "owner": owner,
        "total": sum(states.values()),
        "published": states.get("published", 0),
        "drafts": states.get("draft", 0),
        "ages": ages,
        "stale_count": sum(age.count for age in ages if age.is_stale),
        "stale_months": stale_months,
        "occupancy": figures.occupancy(owner),
        "looks": seen,
        "bars": _bars(seen.days),
        "chart_width": len(seen.days) * 10,
        "chart_height": CHART_HEIGHT,
        "look_days": figures.LOOK_DAYS,
        **_asked(owner),
    }
    return render(request, "agreements/dashboard.html", context)
