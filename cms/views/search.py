"""Search over all: pages, lists, lines, standards, organisations and resources, each as far as the reader may see it.

Chinese has no word breaks, so that everything is compared by substrings; trigram indexes carry it from three signs on.
"""

from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from wagtail.models import Page

from accounts.models import Organisation
from cms.models import ArticlePage, NoticePage, StandardsPage
from cms.urls import line_url, list_url
from listings.kinds.common import KIND_WORDS
from listings.models import DemandLine, DemandList, Kind, Resource, Standard

MOST = 8  # of each sort
TEXT_MAX = 60


def search(request):
    """One box over everything; sections in a fixed order, empty ones left out."""
    text = request.GET.get("q", "").replace("\x00", "").strip()[:TEXT_MAX]
    sections = [section for section in _sections(request, text) if section["rows"]] if text else []
    context = {"text": text, "sections": sections, "count": sum(len(section["rows"]) for section in sections)}
    return render(request, "cms/search.html", context)


def _sections(request, text) -> list[dict]:
    membership = request.membership or None
    return [
        {"label": _("Demand lists"), "rows": _lists(text), "more": f"{list_index()}?text="},
        {"label": _("Demand lines"), "rows": _lines(text), "more": ""},
        {"label": _("Resources"), "rows": _resources(text, membership), "more": f"{reverse('resource_map')}?q="},
        {"label": _("Standards"), "rows": _standards(text), "more": ""},
        {"label": _("Guides and notices"), "rows": _pages(request, text), "more": ""},
        {"label": _("Organisations"), "rows": _organisations(text), "more": ""},
    ]


def list_index() -> str:
    from listings.demand_links import lists_path

    return lists_path()


def _row(title, url, note="") -> dict:
    return {"title": str(title), "url": url, "note": str(note)}


def _lists(text):
    rows = DemandList.objects.public().search(text=text).select_related("region").defer("region__polygon")
    return [
        _row(row.title, list_url(row), f"{row.region} · {row.batch} · {row.get_state_display()}")
        for row in rows.order_by("-published_at", "-pk")[:MOST]
    ]


def _lines(text):
    rows = DemandLine.objects.filter(demand_list__state__in=DemandList.PUBLIC, title__icontains=text)
    return [
        _row(row, line_url(row), f"{row.demand_list.title} · {row.get_state_display()}")
        for row in rows.select_related("demand_list").defer("place").order_by("-pk")[:MOST]
    ]


def _resources(text, membership):
    rows = Resource.objects.visible_to(membership).published().search(q=text)
    found = [
        _row(row.name, reverse("resource_detail", args=[row.pk]), row.get_kind_display())
        for row in rows.order_by("-pk")[:MOST]
    ]
    kinds = [Kind(kind) for kind, words in KIND_WORDS.items() if text.lower() in words]  # seldom in a name
    whole = [
        _row(kind.label, f"{reverse('resource_map')}?kind={kind.value}", _("All of this kind, on the map"))
        for kind in kinds
    ]
    return [*whole, *found][:MOST]


def _standards(text):
    page = StandardsPage.objects.live().filter(locale__language_code=_language()).order_by("pk").first()
    if page is None:
        return []
    base = page.get_url() or ""
    rows = Standard.objects.all().search(text).order_by("-valid_from", "pk")[:MOST]
    return [_row(row, f"{base}{row.pk}/", row.get_type_display()) for row in rows]


def _language() -> str:
    return "en" if (get_language() or "").startswith("en") else "zh-hans"


def _pages(request, text):
    """Live pages of the reader's tree by title, introduction and text."""
    live = {"live": True, "locale__language_code": _language()}
    words = Q(title__icontains=text) | Q(introduction__icontains=text)
    articles = ArticlePage.objects.filter(words | Q(body__icontains=text), **live)
    bodies = NoticePage.objects.annotate(words=Cast("body", TextField()))
    notices = bodies.filter(words | Q(words__icontains=text) | Q(source__icontains=text), **live)
    found = [*articles.order_by("-pk")[:MOST], *notices.order_by("-on", "-pk")[:MOST]]
    public = set(Page.objects.filter(pk__in=[page.pk for page in found]).public().values_list("pk", flat=True))
    shown = [page for page in found if page.pk in public][:MOST]
    return [_row(page.title, page.get_url(request) or "", page.introduction) for page in shown]


def _organisations(text):
    rows = Organisation.objects.verified().filter(Q(name_zh__icontains=text) | Q(name_en__icontains=text))
    rows = rows.select_related("region").defer("region__polygon").order_by("name_zh", "pk")
    return [
        _row(row.name, reverse("organisation_detail", args=[row.pk]), f"{row.region} · {row.get_sector_display()}")
        for row in rows[:MOST]
    ]
