"""The front page's live parts."""

from django.utils.translation import get_language

from accounts.models.organisations import Sector
from cms.urls import list_url
from listings import search
from listings.demand_links import lists_path
from listings.models import DemandList, Kind

from . import news

LATEST_LISTS = 5
LATEST_NEWS = 4
LISTS_ON_MAP = 60


def context(request) -> dict:
    """Figures by kind and sector, the latest public lists and news, a map of needs. A fixed number of queries."""
    figures = search.live_figures()
    lists = DemandList.objects.public().select_related("region", "bureau").defer("region__polygon").with_counts()
    latest = list(lists.order_by("-published_at", "-pk")[:LATEST_LISTS])
    for row in latest:
        row.url = list_url(row)
    return {
        "figures": {
            "total": figures["total"],
            "counted_only": figures["counted_only"],
            "kinds": _parts(Kind, figures["by_kind"]),
            "sectors": _parts(Sector, figures["by_sector"]),
        },
        "latest_lists": latest,
        "lists_url": lists_path(),
        "needs": _needs(),
        "news": _news(request),
    }


def _parts(choices, counts) -> list[dict]:
    return [{"value": value, "label": label, "count": counts.get(value, 0)} for value, label in choices.choices]


def _news(request) -> list[dict]:
    """The latest notices of the reader's tree with their addresses."""
    language = "en" if (get_language() or "").startswith("en") else "zh-hans"
    rows = news.latest(language, LATEST_NEWS)
    return [{"row": row, "url": row.get_url(request) or ""} for row in rows]


def _needs() -> dict:
    """Each public list that is not closed as a symbol at its region's label point. Queries once."""
    rows = (
        DemandList.objects.public().exclude(state="closed").select_related("region").defer("region__polygon")
        .filter(region__label_point__isnull=False).order_by("-published_at", "-pk")[:LISTS_ON_MAP]
    )  # fmt: skip
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [row.region.label_point.x, row.region.label_point.y]},
            "properties": {
                "label": f"{row.title} · {row.get_state_display()}", "url": list_url(row), "kind": "list",
                "tone": "demand", "is_blurred": False,
            },
        }
        for row in rows
    ]  # fmt: skip
    return {"type": "FeatureCollection", "features": features}
