"""The public pages of demand lists. Whoever may read a list reads its lines with their places: a need is
published by the bureau on purpose, and is no critical facility (docs/adr: places of demand lines)."""

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Paginator
from django.http import HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from accounts.clocks import workdays_left
from accounts.errors import Refused
from accounts.models import Region
from accounts.rules import rule
from accounts.tile_addresses import tile_template
from cms.forms import LineFilterForm, ListFilterForm, ObjectionForm
from cms.links import optional_url
from cms.list_presenters import place_geojson, public_timeline
from cms.urls import list_url
from listings import demand_changes, demand_permissions, demand_tiles
from listings.actions import demand
from listings.demand_exports import asked_text, lines_csv, lines_geojson
from listings.models import DemandLine, DemandList, LineCorrection

LISTS_PER_PAGE = 20
LINES_PER_PAGE = 50
DECISIONS_SHOWN = 20


def public_list(reference: str) -> DemandList:
    """The list behind a public address: under notice, in force or closed, else 404. Queries once."""
    return get_object_or_404(
        DemandList.objects.public()
        .select_related("bureau", "region", "previous")
        .defer("region__polygon")
        .with_counts(),
        reference=reference,
    )


def lines_of(demand_list: DemandList, form: LineFilterForm):
    """The list's lines as filtered and sorted by the form, without their places."""
    lines = DemandLine.objects.filter(demand_list=demand_list).search(**form.cleaned_filters())
    return lines.select_related("applicant").defer("place").order_by(*form.order())


def index(request, page):
    """All public lists, filtered."""
    public = DemandList.objects.public()
    regions = Region.objects.filter(pk__in=public.order_by().values("region")).defer("polygon").order_by("code")
    batches = public.order_by("-batch").values_list("batch", flat=True).distinct()
    form = ListFilterForm(request.GET, regions=regions, batches=batches)
    lists = (
        public.search(**form.cleaned_filters())
        .select_related("bureau", "region")
        .defer("region__polygon")
        .with_counts()
    )
    rows = Paginator(lists.order_by("-published_at", "-pk"), LISTS_PER_PAGE).get_page(request.GET.get("page"))
    for row in rows:
        row.url = list_url(row)
    context = page.get_context(request) | {"form": form, "rows": rows, "querystring": _query(request)}
    return TemplateResponse(request, "cms/demand_lists_page.html", context)


def detail(request, page, reference, objection_form=None, status=200):
    """One list: its state, its lines in table and map, downloads, and the objection form during the notice."""
    demand_list = public_list(reference)
    membership = request.membership or None
    form = LineFilterForm(request.GET)
    rows = Paginator(lines_of(demand_list, form), LINES_PER_PAGE).get_page(request.GET.get("page"))
    for row in rows:
        row.asked = asked_text(row.kind, row.quantity, row.power_kw, row.room_u)
        row.url = list_url(demand_list, f"{row.number}/")
    refusal = demand_permissions.objection_refusal(demand_list, membership)
    query = _query(request)
    objections = list(demand_list.objections.select_related("line").order_by("-decided_at", "-pk")[:200])
    is_corrected = LineCorrection.objects.filter(line__demand_list=demand_list, state="applied").exists()
    context = page.get_context(request) | {
        "demand_list": demand_list,
        "timeline": public_timeline(demand_list),
        "form": form,
        "rows": rows,
        "querystring": query,
        "is_filtered": any(form.cleaned_filters().values()),
        "list_url": list_url(demand_list),
        "geojson_url": list_url(demand_list, "geojson/") + (f"?{query}" if query else ""),
        "csv_url": list_url(demand_list, "csv/") + (f"?{query}" if query else ""),
        "objection_url": list_url(demand_list, "objections/"),
        "objection_form": objection_form or ObjectionForm(initial={"line": request.GET.get("line")}),
        "may_object": refusal is None,
        "why_not_object": str(refusal.message) if refusal else "",
        "is_notice": demand_list.state == DemandList.State.NOTICE,
        "days_left": workdays_left(demand_list.notice_ends_at, demand_list.region)
        if demand_list.state == DemandList.State.NOTICE
        else None,
        "undecided_count": sum(not row.outcome for row in objections),
        "decisions": [row for row in objections if row.outcome][:DECISIONS_SHOWN],
        "own_objections": [
            row for row in objections if membership and row.organisation_id == membership.organisation_id
        ],
        "has_changes": demand_list.previous_id is not None or is_corrected,
        "changes_url": list_url(demand_list, "changes/"),
        "clock_url": list_url(demand_list, "clock/"),
        **_map_of(demand_list, query),
        "objection_rule": rule("clock.objection", demand_list.region),
        "desk_url": reverse("bureau_lists:inspect", args=[demand_list.pk])
        if demand_permissions.works_for(membership, demand_list)
        else "",
    }
    return TemplateResponse(request, "cms/demand_list_detail.html", context, status=status)


def _map_of(demand_list: DemandList, query: str) -> dict[str, str]:
    """What the page's map loads: one file for a short list, tiles for a long one."""
    if demand_list.line_count < demand_tiles.TILES_FROM_LINES:
        return {"tiles_url": "", "bounds": ""}
    address = tile_template("tile_lines", demand_list.reference)
    return {"tiles_url": f"{address}?{query}" if query else address, "bounds": demand_tiles.bounds(demand_list)}


def changes(request, page, reference):
    """What changed: since the batch before, and by corrections during the notice. Readable by anyone."""
    demand_list = public_list(reference)
    previous = demand_list.previous if demand_list.previous and demand_list.previous.is_public else None
    corrections = list(
        LineCorrection.objects.filter(line__demand_list=demand_list, state="applied")
        .select_related("line")
        .order_by("-answered_at", "-pk")[:200]
    )
    names = demand_changes.names_of([shot for row in corrections for shot in (row.before, row.fields)])
    for row in corrections:
        row.differences = demand_changes.differences(row.before, row.fields, names)
    context = page.get_context(request) | {
        "demand_list": demand_list,
        "previous": previous,
        "previous_url": list_url(previous) if previous else "",
        "changes": demand_changes.between(previous, demand_list) if previous else None,
        "corrections": corrections,
        "list_url": list_url(demand_list),
    }
    return TemplateResponse(request, "cms/demand_list_changes.html", context)


def line(request, page, reference, number):
    """One line of a list: all its facts, its place, and where an owner can offer something that fits."""
    demand_list = public_list(reference)
    row = get_object_or_404(
        DemandLine.objects.filter(demand_list=demand_list).select_related("applicant"), number=number
    )
    membership = request.membership or None
    row.asked = asked_text(row.kind, row.quantity, row.power_kw, row.room_u)
    middle = row.place.centroid
    is_applicant = membership is not None and row.applicant_id == membership.organisation_id
    sees_matches = is_applicant or demand_permissions.works_for(membership, demand_list)
    context = page.get_context(request) | {
        "demand_list": demand_list,
        "line": row,
        "list_url": list_url(demand_list),
        "place_geojson": place_geojson(row),
        "longitude": f"{middle.x:.5f}",
        "latitude": f"{middle.y:.5f}",
        "search_radius": None if row.tolerance_m is not None else rule("match.radius_m", demand_list.region),
        "sectors": [label for value, label in _choices("sectors") if value in row.sectors],
        "sharing_modes": [label for value, label in _choices("sharing_modes") if value in row.sharing_modes],
        "matches_url": optional_url("line_matches", row.pk) if sees_matches else "",
        "supply_url": optional_url(
            "resource_map", query=urlencode({"kind": row.kind, "lon": f"{middle.x:.5f}", "lat": f"{middle.y:.5f}"})
        ),
        "is_notice": demand_list.state == DemandList.State.NOTICE,
    }
    return TemplateResponse(request, "cms/demand_line_detail.html", context)


def _choices(field: str):
    return DemandLine._meta.get_field(field).base_field.choices


def csv(request, reference):
    """The lines as filtered, as a spreadsheet reads them."""
    demand_list = public_list(reference)
    return lines_csv(lines_of(demand_list, LineFilterForm(request.GET)), f"{demand_list.reference}.csv")


def geojson(request, reference):
    """The lines as filtered, for the page's map and for download (?download=1)."""
    demand_list = public_list(reference)
    lines = DemandLine.objects.filter(demand_list=demand_list)
    lines = lines.search(**LineFilterForm(request.GET).cleaned_filters()).order_by("number")
    return lines_geojson(lines, demand_list.reference, as_download="download" in request.GET)


def object_to(request, page, reference):
    """POST: an organisation's objection. Anything wrong is said in the form on the list's page."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    demand_list = public_list(reference)
    if not request.user.is_authenticated:
        return redirect_to_login(list_url(demand_list), reverse("account_login"))
    form = ObjectionForm(request.POST)
    if form.is_valid():
        number = form.cleaned_data["line"]
        row = demand_list.lines.filter(number=number).first() if number else None
        if number and row is None:
            form.add_error("line", _("The list has no line %(number)d.") % {"number": number})
        else:
            try:
                demand.make_objection(
                    demand_list=demand_list,
                    membership=request.membership or None,
                    line=row,
                    text=form.cleaned_data["text"],
                )
            except Refused as refusal:
                form.add_error(None, str(refusal.message))
            else:
                messages.success(request, _("Your objection has reached the bureau."))
                return redirect(list_url(demand_list))
    return detail(request, page, reference, objection_form=form, status=422)


def _query(request) -> str:
    """The filters in the address, without the page number."""
    kept = request.GET.copy()
    for name in ("page", "line"):
        kept.pop(name, None)
    return kept.urlencode()
