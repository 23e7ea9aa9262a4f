"""Choosing a region: province → city → county in three selects.

With JavaScript htmx fetches the next select; without, a button sends the form to be shown again
(the view asks `is_choosing(request)`), so that nothing typed is lost.
"""

import re

from django import forms
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from accounts.models import Region
from accounts.regions import choices_below

PARTS = ("province", "city", "county")
CHOOSE = "choose_region"
CODE = re.compile(r"[0-9]{6}")


def is_choosing(request) -> bool:
    """Whether the form was sent only to see the next select."""
    return request.method == "POST" and CHOOSE in request.POST


def deepest(province: str, city: str, county: str) -> str:
    """The code chosen furthest down that fits what is chosen above it; a stale lower choice does not count."""
    if county and county[:2] == province[:2] and (not city or county[:4] == city[:4]):
        return county
    if city and city[:2] == province[:2]:
        return city
    return province


def picker_context(name: str, code: str, *, html_id: str = "", is_invalid: bool = False) -> dict:
    """What templates/accounts/_region_picker.html needs: selects with options and what is chosen. Queries ≤ 4."""
    code = code if CODE.fullmatch(code or "") else ""  # what was typed comes back here, whatever it is
    province = code[:2] + "0000" if code and code != "100000" else ""
    provinces = choices_below("100000", Region.Level.PROVINCE)
    cities = choices_below(province, Region.Level.CITY) if province else []
    city = code[:4] + "00" if code[2:] != "0000" and any(c.code == code[:4] + "00" for c in cities) else ""
    counties = choices_below(city or province, Region.Level.COUNTY) if province else []
    selects = [
        {"part": "province", "label": _("Province"), "options": provinces, "chosen": province},
        {"part": "city", "label": _("City"), "options": cities, "chosen": city},
        {"part": "county", "label": _("County or district"), "options": counties, "chosen": code},
    ]
    return {
        "name": name,
        "html_id": html_id or f"id_{name}",
        "is_invalid": is_invalid,
        "selects": [select for select in selects if select["part"] == "province" or select["options"]],
    }


class RegionPicker(forms.Widget):
    """Three selects, one value: the deepest code chosen."""

    def value_from_datadict(self, data, files, name) -> str:
        if name in data:  # one field with the code: tests, scripts, addresses
            return str(data[name])
        return deepest(*(str(data.get(f"{name}_{part}", "")) for part in PARTS))

    def value_omitted_from_data(self, data, files, name) -> bool:
        return name not in data and f"{name}_province" not in data

    def render(self, name, value, attrs=None, renderer=None) -> SafeString:
        code = value.code if isinstance(value, Region) else str(value or "")
        attrs = attrs or {}
        context = picker_context(
            name, code, html_id=attrs.get("id", ""), is_invalid=attrs.get("aria-invalid") == "true"
        )
        return mark_safe(render_to_string("accounts/_region_picker.html", context))  # noqa: S308 - a template's own output


class RegionField(forms.Field):
    """A region of the table; cleans to the Region without its polygon."""

    widget = RegionPicker
    default_error_messages = {
        "required": _("Choose a province, and the city and county where you can."),
        "unknown": _("“%(code)s” is not a division code we know."),
    }

    def prepare_value(self, value):
        return value.code if isinstance(value, Region) else value

    def clean(self, value) -> Region | None:
        value = super().clean(value)
        if not value:
            return None
        known = CODE.fullmatch(str(value))
        region = Region.objects.defer("polygon").filter(code=value).first() if known else None
        if region is None:
            raise forms.ValidationError(self.error_messages["unknown"], code="unknown", params={"code": value})
        return region
