import json

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.gis.db.models.functions import AsGeoJSON, Centroid
from django.core.exceptions import PermissionDenied
from django.http import Http404, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.errors import NotPermitted, Refused
from listings.models import DemandLine
from matching import actions, presenters
from matching.models import MatchResult, Proposal
from matching.permissions import may_run
from messaging.actions import thread_about
from messaging.permissions import may_read

PRIVATE = {"Cache-Control": "private, no-store"}


def proposal_of(request, pk: int) -> Proposal:
    """The proposal, for bureaus that oversee the list and for parties it was sent to; 404 otherwise."""
    rows = Proposal.objects.readable_by(request.membership).select_related("run__demand_list__bureau", "sent_by")
    return get_object_or_404(rows, pk=pk)


def _talk(proposal: Proposal, membership):
    """Its conversation, for those who take part."""
    thread = thread_about(proposal)
    return thread if thread and may_read(membership, thread) else None


@login_required
@require_GET
def proposal_detail(request, pk: int):
    """What would be built, who takes part, what each pays by each method, what it saves, and what stands against it."""
    proposal = proposal_of(request, pk)
    parties = list(proposal.parties.select_related("line__applicant").defer("line__place").order_by("line__number"))
    may_act = may_run(request.membership, proposal.run.demand_list)
    context = {
        "proposal": proposal,
        "parties": parties,
        "basis": presenters.basis(proposal),
        "conflicts": presenters.conflicts(proposal, request.membership),
        "may_send": proposal.state == Proposal.State.DRAFT and may_act,
        "may_open": proposal.state == Proposal.State.SENT and may_act,
        "thread": _talk(proposal, request.membership),
        "is_bureau": bool(request.membership and request.membership.organisation.is_bureau),
    }
    return render(request, "matching/proposal_detail.html", context)


@login_required
@require_POST
def proposal_send(request, pk: int):
    """Sends a draft to its parties."""
    proposal = proposal_of(request, pk)
    try:
        actions.send_proposal(proposal=proposal, by=request.user, membership=request.membership)
    except NotPermitted as refusal:
        raise PermissionDenied(refusal.message) from refusal
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("The proposal was sent to its parties."))
    return redirect("proposal_detail", proposal.pk)


@login_required
@require_GET
def proposal_map(request, pk: int):
    """GeoJSON: what would be built, and the lines it serves."""
    proposal = proposal_of(request, pk)
    shape = Proposal.objects.annotate(shape=AsGeoJSON("place", precision=6)).get(pk=proposal.pk).shape
    built = json.loads(shape)
    lines = DemandLine.objects.filter(pk__in=proposal.parties.values("line")).annotate(
        point=AsGeoJSON(Centroid("place"), precision=6), asked=AsGeoJSON("place", precision=6)
    )
    features = []
    for line in lines.defer("place").order_by("number"):
        at = json.loads(line.point if built["type"] == "Point" else line.asked)
        tone = "unmet" if at["type"] == "Point" else "link"  # a connection from end to end, under what is dug for it
        features.append(_feature(at, label=f"{line.number} · {line.title}", kind=line.kind, tone=tone, url=""))
        if built["type"] == "Point":
            between = {"type": "LineString", "coordinates": [at["coordinates"], built["coordinates"]]}
            features.append(_feature(between, label="", kind="link", tone="link", url=""))
    label = str(proposal.get_kind_display())
    parts = built["coordinates"] if built["type"] == "MultiLineString" else None
    shapes = [{"type": "LineString", "coordinates": part} for part in parts] if parts else [built]
    features += [_feature(one, label=label, kind="tower", tone="free", url="") for one in shapes]
    return JsonResponse({"type": "FeatureCollection", "features": features}, headers=PRIVATE)


@login_required
@require_GET
def routes_map(request, pk: int):
    """GeoJSON of the routes found for one line: the chosen one dark, the others paler, what is to be built on top."""
    readable = MatchResult.objects.readable_by(request.membership).select_related("line")
    result = get_object_or_404(readable, pk=pk)
    rows = result.routes.annotate(course=AsGeoJSON("path", precision=6)).order_by("role", "rank")
    if not rows:
        raise Http404
    tones = {"chosen": "link", "other": "partly", "protection": "full"}
    features = [
        _feature(
            json.loads(row.course), label=str(row.get_role_display()), kind="link", tone=tones[row.role],
            url=reverse("line_matches", args=[result.line_id]),
        )
        for row in sorted(rows, key=lambda row: row.role == "chosen")
    ]  # fmt: skip
    features += [
        _feature(
            {"type": "LineString", "coordinates": leg["at"]}, label=_("To be built"), kind="link", tone="unmet", url=""
        )
        for row in rows
        if row.role == "chosen"
        for leg in row.legs
        if leg.get("at")
    ]  # fmt: skip
    return JsonResponse({"type": "FeatureCollection", "features": features}, headers=PRIVATE)


def _feature(geometry: dict, **properties) -> dict:
    return {"type": "Feature", "geometry": geometry, "properties": {"is_blurred": False, **properties}}
