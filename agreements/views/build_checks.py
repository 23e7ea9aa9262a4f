"""The public duplicate-build check: put what is planned on the map, read what is near, take a dated certificate."""

from django import forms
from django.contrib import messages
from django.contrib.gis.forms import GeometryField
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts.errors import Refused
from accounts.models import Region
from agreements.actions.build_checks import certify_build_check
from agreements.build_check_documents import facts_of, place_text
from agreements.codes import tidy_code
from agreements.limits import within_limit
from listings import build_check as core
from listings.build_check_map import near_map
from listings.models import BuildCheck, Kind
from listings.widgets import MapWidget

ATTEMPTS, WINDOW_SECONDS = 20, 600  # certificates per address


class BuildCheckForm(forms.Form):
    """What is planned, and where."""

    kind = forms.ChoiceField(label=gettext_lazy("What is planned"), choices=Kind.choices)
    place = GeometryField(
        label=gettext_lazy("Where"), srid=4326, widget=MapWidget(geometry="Geometry"),
        help_text=gettext_lazy("A point for a tower or a room, a route for a duct or a cable."),
        error_messages={"required": gettext_lazy("Give the place: on the map or typed.")},
    )  # fmt: skip
    area = forms.ChoiceField(
        label=gettext_lazy("Area"), required=False,
        choices=[("settled", gettext_lazy("settled (towns)")), ("elsewhere", gettext_lazy("elsewhere"))],
    )  # fmt: skip
    name = forms.CharField(label=gettext_lazy("Name of the works"), required=False, max_length=160)

    def clean_place(self):
        place = self.cleaned_data["place"]
        if place.geom_type not in ("Point", "LineString"):
            raise forms.ValidationError(_("Put one point or draw one route."))
        if place.geom_type == "LineString" and not place.length:
            raise forms.ValidationError(_("A route leads from one place to another: both ends are the same."))
        west, south, east, north = place.extent
        if west < -180 or east > 180 or south < -90 or north > 90:
            raise forms.ValidationError(_("These are not degrees of longitude and latitude."))
        if place.length > core.LENGTH_MAX_KM / 80:  # a degree is at least 80 km here
            raise forms.ValidationError(_("A route is at most %(km)d km long.") % {"km": core.LENGTH_MAX_KM})
        return place

    def given(self) -> dict:
        data = self.cleaned_data
        return {"place": data["place"], "kind": data["kind"], "is_settled": data["area"] != "elsewhere"}


@require_http_methods(["GET", "POST"])
def build_check(request):
    """GET with a place: the findings for this reader. POST: the same, kept as a certificate."""
    reader = request.membership or None
    data = request.POST if request.method == "POST" else request.GET if "place" in request.GET else None
    form = BuildCheckForm(data)
    if reader:
        form.fields["place"].widget.around = Region.objects.box(reader.organisation.region_id)
    facts = near = None
    if form.is_bound and form.is_valid():
        if request.method == "POST":
            return _certify(request, form, reader)
        findings = core.check(reader=reader, **form.given())
        facts = facts_of(findings.as_json(), form.cleaned_data["kind"])
        near = near_map(form.cleaned_data["place"], findings, reader)
    context = {"form": form, "facts": facts, "near": near, "is_visitor": reader is None}
    return render(request, "agreements/build_check.html", context, status=422 if form.errors else 200)


def _certify(request, form, reader):
    if not within_limit(request, "build_check", attempts=ATTEMPTS, seconds=WINDOW_SECONDS):
        messages.error(request, _("Too many certificates from your address. Wait ten minutes, then try again."))
        return redirect("build_check")
    try:
        made = certify_build_check(**form.given(), membership=reader, name=form.cleaned_data["name"])
    except Refused as refusal:
        form.add_error("place", str(refusal.message))
        context = {"form": form, "facts": None, "near": None, "is_visitor": reader is None}
        return render(request, "agreements/build_check.html", context, status=422)
    return redirect("build_check_detail", code=made.verification_code)


def _by_code(code: str) -> BuildCheck:
    return get_object_or_404(
        BuildCheck.objects.select_related("region", "organisation"), verification_code=tidy_code(code)
    )


def _reads_all(request, check: BuildCheck) -> bool:
    """What an organisation was shown is read by its own members; what a visitor was shown, by anybody with the code."""
    if check.organisation_id is None:
        return True
    return bool(request.membership) and request.membership.organisation_id == check.organisation_id


@require_safe
def build_check_detail(request, code):
    """The certificate, to whoever has its code."""
    check = _by_code(code)
    context = {
        "check": check, "facts": facts_of(check.findings, check.kind), "place_text": place_text(check),
        "is_whole": _reads_all(request, check),
        "pdf_url": reverse("build_check_pdf", args=[check.verification_code])
        if check.pdf and _reads_all(request, check)
        else "",
    }  # fmt: skip
    response = render(request, "agreements/build_check_detail.html", context)
    response["Cache-Control"] = "no-store"
    return response


@require_safe
def build_check_pdf(request, code):
    """The sealed PDF; 404 while the worker is still writing it."""
    check = _by_code(code)
    if not check.pdf or not _reads_all(request, check):
        raise Http404("not written yet, or another organisation's")
    return FileResponse(check.pdf.open("rb"), content_type="application/pdf", filename=f"{check.reference}.pdf")
