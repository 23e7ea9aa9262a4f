"""The printable sheet of one resource: the same content for the print page and the PDF. It obeys the reader's sight."""

import io
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import QueryDict
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import Refused
from accounts.models import Membership
from listings import selection
from listings.kinds.registry import SPECS
from listings.models import ExportJob, Resource
from listings.resource_page import page_of

COORDINATE_DECIMALS = 6


def sheet_of(resource: Resource, membership: Membership | None) -> dict[str, Any]:
    """What the sheet says: the page's own content, and when, for whom and where it was printed."""
    page = page_of(resource, membership)
    kept = ("resource", "spec", "pools", "facts", "sharing_modes", "freshness", "may_read_address", "is_own")
    return {name: page[name] for name in kept} | {
        "place": place_text(resource),
        "printed_at": timezone.localtime(),
        "printed_for": printed_for(membership),
        "page_url": f"{settings.BASE_URL}/resources/{resource.pk}/",
    }


def printed_for(membership: Membership | None) -> str:
    if not membership:
        return str(_("a visitor, without an account"))
    return f"{membership.organisation.name} · {membership.user.name or membership.user.email}"


def place_text(resource: Any) -> str:
    """Where it stands as this reader is shown it, in degrees WGS84."""
    shape = resource.shown_place
    if shape.geom_type == "Point":
        return f"{shape.x:.{COORDINATE_DECIMALS}f}, {shape.y:.{COORDINATE_DECIMALS}f}"
    west, south, east, north = shape.extent
    corners = [f"{value:.{COORDINATE_DECIMALS}f}" for value in (west, south, east, north)]
    return f"{corners[0]}, {corners[1]} – {corners[2]}, {corners[3]}"


def write_sheet(job: ExportJob, reader: Membership, path: Path) -> int:
    """The PDF of one resource as this reader sees it now; gives 1. Raises Refused where that is no more."""
    readable = Resource.objects.visible_to(reader).select_related("owner", "manager", "region", *SPECS)
    ids = selection.picked_ids(QueryDict(job.query))
    resource = readable.defer("region__polygon", "region__label_point").filter(pk__in=ids).order_by("pk").first()
    if resource is None:
        raise Refused(_("This resource is not shown to you any more."), code="gone")
    path.write_bytes(pdf_of(sheet_of(resource, reader)))
    return 1


def pdf_of(context: dict[str, Any]) -> bytes:
    """The sheet on A4 in the active language, fonts embedded. About a second and 200 MB: for the worker."""
    from weasyprint import CSS, HTML
    from weasyprint.urls import URLFetcher

    html = render_to_string("listings/resource_sheet_pdf.html", context)
    style = CSS(filename=str(settings.BASE_DIR / "assets" / "css" / "sheet-pdf.css"))
    buffer = io.BytesIO()
    fetcher = URLFetcher(allowed_protocols=["data"], fail_on_errors=True)  # nothing but what stands in the document
    HTML(string=html, url_fetcher=fetcher).write_pdf(buffer, stylesheets=[style], pdf_variant="pdf/ua-1")
    return buffer.getvalue()
