"""Policy notices and news: the index."""

from django.core.paginator import Paginator

from cms.models import NoticePage

PER_PAGE = 20


def index_context(request, page) -> dict:
    """The page's live notices, latest first, of one sort where the query names it."""
    sort = request.GET.get("sort", "")
    rows = NoticePage.objects.child_of(page).live().public()
    if sort in NoticePage.Sort.values:
        rows = rows.filter(sort=sort)
    else:
        sort = ""
    pages = Paginator(rows.order_by("-on", "-pk"), PER_PAGE)
    return {
        "rows": pages.get_page(request.GET.get("page")), "sorts": NoticePage.Sort.choices, "sort": sort,
        "querystring": f"sort={sort}" if sort else "",
    }  # fmt: skip


def latest(language: str, most: int) -> list[NoticePage]:
    """The latest notices in the language. One query; their addresses cost none."""
    rows = NoticePage.objects.live().public().filter(locale__language_code=language)
    return list(rows.order_by("-on", "-pk")[:most])
