"""Resources side by side, and one of them on paper."""

from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.http import require_POST, require_safe

from accounts.numbers import row_id, without_nul
from accounts.views.base import attempt, member_required
from listings import comparison
from listings.actions import exports
from listings.models import Resource
from listings.sheets import sheet_of
from listings.views.resources import visible_resource

OFFERED = 8


def _address(ids: list[int], *, only: bool = False) -> str:
    query = "&".join([f"r={pk}" for pk in ids] + (["only=differences"] if only else []))
    return f"{reverse('resource_compare')}?{query}" if query else reverse("resource_compare")


@require_safe
def resource_compare(request):
    """GET ?r=…&r=…: up to four side by side; ?add=text offers what could join; ?only=differences hides the rest."""
    asked = [pk for text in request.GET.getlist("r") if (pk := row_id(text))]
    resources = comparison.readable(request.membership or None, asked)
    ids = [resource.pk for resource in resources]
    only = request.GET.get("only") == "differences"
    groups = comparison.compare(resources) if resources else []
    if only:
        for group in groups:
            group.rows = [row for row in group.rows if row.differs]
        groups = [group for group in groups if group.rows]
    text = without_nul(request.GET.get("add", "")).strip()[:80]
    offered = []
    if text and len(ids) < comparison.MOST:
        visible = Resource.objects.visible_to(request.membership or None).published()
        found = visible.search(q=text).select_related("owner").exclude(pk__in=ids)
        offered = [(row, _address([*ids, row.pk], only=only)) for row in found[:OFFERED]]
    context = {
        "columns": [(r, _address([pk for pk in ids if pk != r.pk], only=only)) for r in resources],
        "ids": ids,
        "groups": groups,
        "only": only,
        "all_url": _address(ids),
        "only_url": _address(ids, only=True),
        "text": text,
        "offered": offered,
        "is_full": len(ids) >= comparison.MOST,
        "most": comparison.MOST,
        "left_out": len(set(asked)) - len(ids),
    }
    response = render(request, "listings/resource_compare.html", context)
    response["Cache-Control"] = "private, no-store"
    return response


@require_safe
def resource_sheet(request, pk):
    """One resource laid out for paper; the browser prints it."""
    resource = visible_resource(request, pk)
    response = render(request, "listings/resource_sheet.html", sheet_of(resource, request.membership or None))
    response["Cache-Control"] = "private, no-store"
    return response


@require_POST
@member_required()
def resource_sheet_pdf(request, pk):
    """The same as a PDF, written by the worker and kept among the person's files."""
    resource = visible_resource(request, pk)
    job = attempt(
        request, exports.start, membership=request.membership, format_="sheet", crs="EPSG:4326", scope="one",
        query=f"pk={resource.pk}", language=get_language(),
    )  # fmt: skip
    if not job:
        return redirect("resource_sheet", pk)
    exports.write_if_small(job)
    return redirect("export_detail", job.pk)
