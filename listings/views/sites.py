"""Sites: the own list, the form, the page with all members this reader may read."""

from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.numbers import row_id
from accounts.views.base import attempt, member_required
from listings.actions.sites import dissolve_site, save_site
from listings.forms.sites import SiteForm
from listings.models import Resource, Site
from listings.permissions import may_edit
from listings.resource_page import feature_collection_of
from listings.site_page import members_for, page_of
from listings.views.resources import require_or_403


def readable_site(request, pk: int) -> tuple[Site, list[Resource]]:
    """The site and its members as this reader may see them; 404 where there is not one."""
    site = get_object_or_404(Site.objects.select_related("owner"), pk=pk)
    members = Resource.objects.visible_to(request.membership).filter(site=site).select_related("region", "owner")
    rows = members_for(list(members.prefetch_related("pools").order_by("kind", "pk")), request.membership)
    if not rows:
        raise Http404
    return site, rows


def own_site(request, pk: int) -> Site:
    """One of the own organisation's sites; another's is 404."""
    if not request.membership:
        raise Http404
    return get_object_or_404(Site.objects.select_related("owner"), pk=pk, owner=request.membership.organisation)


@member_required()
@require_GET
def site_list(request):
    """The own organisation's sites."""
    owner = request.membership.organisation
    sites = Site.objects.filter(owner=owner).prefetch_related("resources").order_by("name", "pk")
    return render(request, "listings/site_list.html", {"sites": sites, "may_edit": may_edit(request.membership, owner)})


@member_required()
@require_http_methods(["GET", "POST"])
def site_new(request):
    """Makes a site of the resources named in the address (?pk=…&pk=…) or ticked."""
    require_or_403(request.membership)
    if request.POST.get("act") == "site":  # from the own list: the resources ticked there
        ids = [row_id(pk) for pk in request.POST.getlist("pk")]
        return redirect(f"{reverse('site_new')}?{urlencode({'pk': ids}, doseq=True)}")
    return _site_form(request, None)


@login_required
@require_http_methods(["GET", "POST"])
def site_edit(request, pk: int):
    """The same form for a site of one's own."""
    site = own_site(request, pk)
    require_or_403(request.membership)
    return _site_form(request, site)


def _site_form(request, site: Site | None):
    values = request.POST if request.method == "POST" else request.GET
    ids = [row_id(pk) for name in ("pk", "members") for pk in values.getlist(name)]
    data = request.POST if request.method == "POST" else None
    form = SiteForm(data, instance=site, owner=request.membership.organisation, ids=ids)
    if data is not None and form.is_valid():
        saved = attempt(
            request,
            save_site,
            form=form,
            by=request.user,
            membership=request.membership,
            site=Site.objects.select_related("owner").get(pk=site.pk) if site else None,
            data=form.values(),
            members=[row.pk for row in form.cleaned_data["members"]],
        )
        if saved:
            messages.success(request, _("Saved."))
            return redirect("site_detail", pk=saved.pk)
    context = {"form": form, "site": site}
    return render(request, "listings/site_form.html", context, status=422 if form.errors else 200)


@require_GET
def site_detail(request, pk: int):
    """What stands at one place, as far as this reader may read it."""
    site, members = readable_site(request, pk)
    context = page_of(site, members, request.membership) | {"geojson": feature_collection_of(members)}
    return render(request, "listings/site_detail.html", context)


@require_POST
@login_required
def site_dissolve(request, pk: int):
    """Takes the site away; its resources stay."""
    site = own_site(request, pk)
    if attempt(request, dissolve_site, site=site, by=request.user, membership=request.membership):
        messages.success(request, _("The site is dissolved; its resources stay."))
    return redirect("site_list")
