"""Own resources: the list, the forms, the acts. And the page of one resource for whoever may read it."""

import datetime as dt

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.errors import NotPermitted, Refused
from accounts.models import Event
from accounts.views.base import attempt, member_required
from listings import looks
from listings.actions import lifecycle
from listings.actions.resources import save_resource
from listings.forms.editor import Editor
from listings.forms.resources import OwnListForm
from listings.kinds.registry import SPECS
from listings.models import Kind, Resource
from listings.permissions import may_edit, require_editor, require_keeper, why_no_edit
from listings.problems import Invalid
from listings.resource_page import page_of, rows_of
from listings.states import TRANSITIONS

PAGE_SIZE = 50
ACTS = {
    "publish": lifecycle.publish,
    "suspend": lifecycle.suspend,
    "resume": lifecycle.resume,
    "retire": lifecycle.retire,
}


def visible_resource(request, pk: int) -> Resource:
    """The resource as this reader may see it (shown_place, is_exact), its facts with it; 404 otherwise."""
    readable = Resource.objects.visible_to(request.membership)
    related = ["owner", "manager", "user", "site", "region", *SPECS]
    return get_object_or_404(readable.select_related(*related).defer(*_outlines()), pk=pk)


def own_resource(request, pk: int) -> Resource:
    """One of the own organisation's resources; another's is 404."""
    if not request.membership:
        raise Http404
    own = Resource.objects.owned_by(request.membership.organisation)
    return get_object_or_404(own.select_related("owner", "manager", "region", *SPECS).defer(*_outlines()), pk=pk)


def kept_resource(request, pk: int) -> Resource:
    """A resource whose record the own organisation keeps, as owner or manager; any other is 404."""
    if not request.membership:
        raise Http404
    kept = Resource.objects.kept_by(request.membership.organisation)
    return get_object_or_404(
        kept.select_related("owner", "manager", "user", "region", *SPECS).defer(*_outlines()), pk=pk
    )


def _outlines() -> list[str]:
    """Polygons of regions weigh up to a megabyte and are not shown here."""
    return ["region__polygon", "region__label_point"]


@member_required()
def resource_list_own(request):
    """GET: the own organisation's resources, filtered, sorted, paged."""
    owner = request.membership.organisation
    form = OwnListForm(request.GET)
    found = form.apply(Resource.objects.owned_by(owner), owner)
    found = found.select_related("region").prefetch_related("pools").defer("place", "shown_cell", *_outlines())
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "filters": [form["kind"], form["state"], form["sort"]],
        "kept": [(name, request.GET[name]) for name in ("q", "kind", "state", "stale") if request.GET.get(name)],
        "page": page,
        "rows": rows_of(page.object_list),
        "may_edit": may_edit(request.membership, owner),
        "is_verified": owner.is_verified,
        "querystring": request.GET.urlencode(),
        "has_any": page.paginator.count or Resource.objects.owned_by(owner).exists(),
    }
    return render(request, "listings/resource_list_own.html", context)


@member_required()
def resource_choose(request):
    """GET: which of the four kinds is to be entered."""
    require_or_403(request.membership)
    kinds = [{"value": kind.value, "label": kind.label, "spec": SPECS[kind]} for kind in Kind]
    return render(request, "listings/resource_choose.html", {"kinds": kinds})


def require_or_403(membership) -> None:
    """Only an enterprise's editors enter resources."""
    try:
        require_editor(membership, membership.organisation)
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal)) from refusal


def keeper_or_403(request, resource: Resource) -> None:
    """Only editors of owner and manager keep a record."""
    try:
        require_keeper(request.membership, resource)
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal)) from refusal


@member_required()
def resource_new(request, kind: str):
    """The form of one kind; saved as a draft."""
    if kind not in SPECS:
        raise Http404
    require_or_403(request.membership)
    return _resource_form(request, kind, None)


@login_required
def resource_edit(request, pk: int):
    """The same form for a stored resource; another's is 404, one's own without the role 403."""
    resource = kept_resource(request, pk)
    keeper_or_403(request, resource)
    if why := why_no_edit(resource, request.membership):
        messages.error(request, why)
        return redirect("resource_detail", pk=pk)
    return _resource_form(request, resource.kind, resource)


def _resource_form(request, kind: str, resource: Resource | None) -> HttpResponse:
    data = request.POST if request.method == "POST" else None
    owner = resource.owner if resource else request.membership.organisation
    is_owners = may_edit(request.membership, owner)
    editor = Editor(data, kind=kind, resource=resource, owner=owner, is_owners=is_owners)
    seen_at = data.get("seen_at", "") if data is not None else resource.updated_at.isoformat() if resource else ""
    if data is not None and editor.is_valid():
        saved = _save(request, editor, _moment(seen_at))
        if saved:
            for problem in saved.problems:
                messages.warning(request, " ".join(filter(None, [str(problem.message), str(problem.fix)])))
            messages.success(request, _("Saved.") if resource else _("Saved as a draft. Add photos, then publish it."))
            return redirect("resource_detail", pk=saved.pk)
    context = {
        "editor": editor,
        "form": editor.form,
        "pools": editor.pools,
        "spec": editor.form.spec,
        "resource": resource,
        "kind": Kind(kind),
        "seen_at": seen_at,
        "change": None if data is None else _change_since(resource, _moment(seen_at)),
    }
    return render(request, "listings/resource_form.html", context)


def _moment(text: str) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def _change_since(resource: Resource | None, seen_at: dt.datetime | None) -> dict | None:
    """What the warning says of a change by others since the form was opened; the next save overwrites it knowingly."""
    if resource is None or seen_at is None:
        return None
    fresh = Resource.objects.only("updated_at").get(pk=resource.pk)
    if fresh.updated_at == seen_at:
        return None
    last = Event.objects.about(resource).select_related("actor").first()
    return {
        "at": fresh.updated_at,
        "by": last.actor if last and last.actor else "",
        "seen_at": fresh.updated_at.isoformat(),
    }


def _save(request, editor: Editor, seen_at: dt.datetime | None) -> Resource | None:
    """The action, its refusals shown beside the fields they speak of."""
    form = editor.form
    try:
        return save_resource(
            by=request.user, membership=request.membership, resource=editor.resource, seen_at=seen_at,
            **editor.arguments(),
        )  # fmt: skip
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    except Invalid as refusal:
        form.add_problems(refusal.problems)
    except Refused as refusal:
        form.add_error(None, str(refusal))
    return None


def resource_detail(request, pk: int):
    """GET: everything this reader may know about one resource."""
    resource = visible_resource(request, pk)
    looks.saw(resource, request.membership or None)
    return render(request, "listings/resource_detail.html", page_of(resource, request.membership))


@require_POST
@login_required
def resource_act(request, pk: int, verb: str):
    """Publish, suspend, resume or retire one of one's own."""
    resource = own_resource(request, pk)
    done = attempt(request, ACTS[verb], resource=resource, by=request.user, membership=request.membership)
    if done:
        messages.success(request, TRANSITIONS[verb].past)
    return redirect("resource_detail", pk=pk)


@require_POST
@login_required
def resource_delete(request, pk: int):
    """Deletes a draft."""
    resource = own_resource(request, pk)
    if attempt(request, lifecycle.delete_draft, resource=resource, by=request.user, membership=request.membership):
        messages.success(request, _("The draft is deleted."))
        return redirect("resource_list_own")
    return redirect("resource_detail", pk=pk)
