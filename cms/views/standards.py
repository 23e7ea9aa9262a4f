"""The library of standards: filtered by sort, kind and validity; one document with its versions and checklist."""

from django import forms
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from listings.models import Kind, Standard


class StandardsForm(forms.Form):
    text = forms.CharField(
        label=_("Search"), required=False, max_length=60, widget=forms.TextInput(attrs={"type": "search"})
    )
    type = forms.ChoiceField(
        label=_("Category"), required=False, choices=[("", _("All categories")), *Standard.Type.choices]
    )
    kind = forms.ChoiceField(label=_("Kind"), required=False, choices=[("", _("All kinds")), *Kind.choices])
    past = forms.BooleanField(label=_("Also what is no longer valid"), required=False)


def found(form):
    """The standards the form asks for; anything odd counts as not given."""
    form.is_valid()
    asked = form.cleaned_data
    rows = Standard.objects.all() if asked.get("past") else Standard.objects.valid_on()
    if asked.get("type"):
        rows = rows.filter(type=asked["type"])
    if asked.get("kind"):
        rows = rows.for_kind(asked["kind"])
    return rows.search(asked.get("text", "")).order_by("type", "code", "-valid_from", "pk")


def index(request, page):
    form = StandardsForm(request.GET)
    context = page.get_context(request) | {"form": form, "standards": list(found(form)[:300])}
    return TemplateResponse(request, "cms/standards_page.html", context)


def detail(request, page, pk):
    standard = get_object_or_404(Standard.objects.select_related("supersedes", "superseded_by"), pk=pk)
    context = page.get_context(request) | {
        "standard": standard,
        "items": list(standard.items.order_by("number")),
        "versions": list(Standard.objects.filter(code=standard.code).order_by("-valid_from", "-pk")),
        "kinds": [label for value, label in Kind.choices if value in standard.kinds],
    }
    return TemplateResponse(request, "cms/standard_detail.html", context)
