"""Tags and filters every page uses: navigation, addresses, clocks, form controls, what a state looks like."""

import datetime as dt
import json
from decimal import Decimal
from urllib.parse import urlencode

from django import forms, template
from django.http import QueryDict
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from accounts import clocks, wording
from accounts.memory import remembered
from accounts.models import Region
from accounts.tile_addresses import tile_template

register = template.Library()

# --- Where am I -------------------------------------------------------------------------------


def _path(context) -> str:
    request = getattr(context, "request", None)
    return request.path if request else ""


@register.simple_tag(takes_context=True)
def nav_active(context, *prefixes: str) -> str:
    """'active' where the page's address (without language) starts with one of the prefixes."""
    path = _path(context).removeprefix("/en")
    return "active" if any(path.startswith(prefix) for prefix in prefixes) else ""


@register.simple_tag(takes_context=True)
def page_in(context, language: str) -> str:
    """The address of this very page in the other language, the query included.

    Done on the address itself, so that it works on every page, error pages included.
    """
    request = getattr(context, "request", None)
    if request is None:
        return "/"
    path = request.get_full_path()
    bare = path[3:] or "/" if path == "/en" or path.startswith(("/en/", "/en?")) else path
    bare = "/" + bare.lstrip("/")  # two slashes would name another host
    return f"/en{bare}" if language == "en" else bare


@register.simple_tag(takes_context=True)
def query_with(context, **changes) -> str:
    """'?…': the current query with the changes; None or '' takes a name away."""
    request = getattr(context, "request", None)
    return _query(request.GET.copy() if request else QueryDict(mutable=True), changes)


@register.simple_tag
def page_href(querystring: str, number: int) -> str:
    """'?…': the query string given, with another page number."""
    return _query(QueryDict(querystring or "", mutable=True), {"page": number})


def _query(query: QueryDict, changes: dict) -> str:
    for name, value in changes.items():
        query.pop(name, None)
        if isinstance(value, (list, tuple)):
            query.setlist(name, [str(item) for item in value])
        elif value not in (None, ""):
            query[name] = str(value)
    return "?" + query.urlencode()


@register.simple_tag
def page_numbers(page) -> list:
    """The page numbers to offer, with an ellipsis where some are left out."""
    return list(page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1))


# --- Clocks -----------------------------------------------------------------------------------

AMBER_WORKING_DAYS = 3  # look: "amber before breach"


@register.filter
def workdays_left(due_at: dt.datetime | dt.date | None, region: Region | str | None = None) -> int | None:
    """Working days from today up to the due day by the region's calendar; negative once it lies behind."""
    return clocks.workdays_left(due_at, region) if due_at else None


@register.simple_tag
def clock(due_at: dt.datetime | dt.date | None, region: Region | str | None = None) -> dict[str, str]:
    """{text, tone, icon} of a clock chip, by the working days of the clock's own region (None: the nation's)."""
    left = workdays_left(due_at, region) or 0
    is_over = due_at < timezone.now() if isinstance(due_at, dt.datetime) else due_at < timezone.localdate()
    if is_over:
        text = ngettext("%(n)s working day over", "%(n)s working days over", -left) % {"n": -left}
        return {"text": text if left else _("time is over"), "tone": "bad", "icon": "alert-triangle"}
    if left == 0:
        return {"text": _("due today"), "tone": "warn", "icon": "clock-exclamation"}
    text = ngettext("%(n)s working day left", "%(n)s working days left", left) % {"n": left}
    is_near = left <= AMBER_WORKING_DAYS
    return {"text": text, "tone": "warn" if is_near else "plain", "icon": "clock-exclamation" if is_near else "clock"}


# --- States: colour by word, icon and word always ---------------------------------------------

_GOOD, _WAIT, _WARN, _BAD, _PLAIN, _DONE = "good", "wait", "warn", "bad", "plain", "done"
_LOOKS: dict[str, tuple[str, str]] = {
    **dict.fromkeys(["draft", "planned", "unverified", "theoretical"], (_PLAIN, "pencil")),
    **dict.fromkeys(["published", "in_force", "in_service", "active", "open", "live"], (_GOOD, "circle-check")),
    **dict.fromkeys(["verified", "accepted", "confirmed", "granted", "met", "served", "valid"], (_GOOD, "check")),
    **dict.fromkeys(["agreed", "signed", "fulfilled", "in_operation"], (_GOOD, "signature")),
    **dict.fromkeys(["operating", "passed", "assessed"], (_GOOD, "circle-check")),
    **dict.fromkeys(["surveying", "inspecting"], (_WAIT, "search")),
    **dict.fromkeys(["make_ready", "building"], (_WAIT, "progress")),
    **dict.fromkeys(["incomplete", "rectifying", "rectify", "leaving"], (_WARN, "alert-circle")),
    **dict.fromkeys(["escalated", "mediated"], (_WARN, "building-bank")),
    **dict.fromkeys(["decided"], (_BAD, "ban")),
    **dict.fromkeys(["submitted", "pending", "asked", "queued", "waiting", "to_sign"], (_WAIT, "hourglass")),
    **dict.fromkeys(["running", "reading", "checking", "writing", "in_progress"], (_WAIT, "loader")),
    **dict.fromkeys(["offered", "countered", "counter_offered", "negotiating", "mapped"], (_WAIT, "messages")),
    **dict.fromkeys(["notice", "under_construction", "review", "blurred"], (_WARN, "speakerphone")),
    **dict.fromkeys(["held", "on_hold", "partly", "cancelling"], (_WARN, "clock-pause")),
    **dict.fromkeys(["suspended", "stale", "warning"], (_WARN, "player-pause")),
    **dict.fromkeys(["refused", "rejected", "declined", "unmet", "unsuitable"], (_BAD, "x")),
    **dict.fromkeys(["failed", "error", "overdue", "full", "barred"], (_BAD, "alert-triangle")),
    **dict.fromkeys(["retired", "closed", "ended", "archived", "superseded"], (_DONE, "archive")),
    **dict.fromkeys(["withdrawn", "cancelled", "released", "undone", "lapsed"], (_DONE, "arrow-back-up")),
    **dict.fromkeys(["expired"], (_DONE, "clock-off")),
    **dict.fromkeys(["done", "finished", "completed", "stored"], (_GOOD, "check")),
}


@register.simple_tag
def state_look(state: str) -> dict[str, str]:
    """{tone, icon} for a machine state; unknown words look plain."""
    tone, icon = _LOOKS.get(str(state), (_PLAIN, "point"))
    return {"tone": tone, "icon": icon}


@register.filter
def number(value, decimals: int = 2) -> str:
    """1234.50 → "1,234.5": grouped, trailing zeros dropped; nothing for None."""
    if value in (None, ""):
        return ""
    rounded = round(Decimal(str(value)), int(decimals)).normalize()
    places = max(0, -int(rounded.as_tuple().exponent))
    return number_format(rounded, decimal_pos=places, use_l10n=True, force_grouping=True)


@register.filter
def event_verb(event) -> str:
    """What an audit event says was done."""
    return wording.verb_text(event.verb)


@register.filter
def event_changes(event) -> list[tuple[str, str, str]]:
    """(field, before, after) of an audit event."""
    return wording.changes(event)


# --- Forms ------------------------------------------------------------------------------------

_NO_CLASS = (forms.CheckboxSelectMultiple, forms.RadioSelect, forms.HiddenInput)


def _control_class(widget: forms.Widget) -> str:
    if isinstance(widget, _NO_CLASS) or getattr(widget, "is_map", False):
        return ""
    if isinstance(widget, forms.CheckboxInput):
        return "form-check-input"
    return "form-select" if isinstance(widget, forms.Select) else "form-control"


@register.simple_tag
def control_kind(field) -> str:
    """hidden | check | choices | map | file | plain: how a field's control is laid out."""
    widget = field.field.widget
    if widget.is_hidden:
        return "hidden"
    if isinstance(widget, forms.CheckboxInput):
        return "check"
    if isinstance(widget, (forms.CheckboxSelectMultiple, forms.RadioSelect)):
        return "choices"
    return "map" if getattr(widget, "is_map", False) else "plain"


def _described_by(field) -> str:
    parts = [f"{field.id_for_label}_help"] if field.help_text else []
    return " ".join([*parts, *([f"{field.id_for_label}_error"] if field.errors else [])])


@register.simple_tag
def control(field):
    """The field's control with our classes, its hint and error tied to it for screen readers."""
    widget = field.field.widget
    if type(widget) is forms.DateInput:  # the browser's own calendar; it only speaks ISO
        widget.input_type, widget.format = "date", "%Y-%m-%d"
    if str(widget.attrs.get("placeholder", "")).lower().startswith(str(field.label).lower()):
        del widget.attrs["placeholder"]  # it would only say the label again
    own = widget.attrs.get("class", "")
    attrs = {"class": " ".join(filter(None, [own, _control_class(widget), "is-invalid" if field.errors else ""]))}
    if described_by := _described_by(field):
        attrs["aria-describedby"] = described_by
    if field.errors:
        attrs["aria-invalid"] = "true"
    return field.as_widget(attrs={name: value for name, value in attrs.items() if value})


@register.simple_tag
def choices(field) -> list[dict[str, str]]:
    """The boxes or radio buttons of a multiple choice: [{id, label, tag}]."""
    found = []
    for option in field.subwidgets:
        option.data["attrs"]["class"] = "form-check-input"
        found.append({"id": option.id_for_label, "label": option.choice_label, "tag": option.tag()})
    return found


# --- Where scripts find what they load --------------------------------------------------------


@register.simple_tag
def map_config() -> dict[str, str]:
    """Addresses a map needs (assets/js/lib/basemap.js reads them from the element's data-map-…)."""
    return {
        "worker": static("dist/js/maplibre-worker.js"),
        "css": static("dist/css/maplibre-gl.css"),
        "world": static("dist/basemap/world.json"),
        "regions": tile_template("tile_regions"),
        "language": "en" if (get_language() or "").startswith("en") else "zh",
        "words": json.dumps(_map_words(), ensure_ascii=False),
    }


def _map_words() -> dict[str, str]:
    """What the map itself says, under MapLibre's names and ours."""
    return {
        "NavigationControl.ZoomIn": _("Zoom in"),
        "NavigationControl.ZoomOut": _("Zoom out"),
        "NavigationControl.ResetBearing": _("North up"),
        "AttributionControl.ToggleAttribution": _("Sources of the map"),
        "Map.Title": _("Arrow keys move the map, plus and minus zoom"),
        "Popup.Close": _("Close"),
        "ScaleControl.Meters": "m",
        "ScaleControl.Kilometers": "km",
        "CooperativeGesturesHandler.WindowsHelpText": _("Hold Ctrl and scroll to zoom the map"),
        "CooperativeGesturesHandler.MacHelpText": _("Hold ⌘ and scroll to zoom the map"),
        "CooperativeGesturesHandler.MobileHelpText": _("Move the map with two fingers"),
        "attribution": _("Map approval no. GS(2024)0650 · Tianditu; Natural Earth"),
        "noWebgl": _("This browser cannot draw the map (WebGL is missing). What it would show is listed on this page."),
        "loadFailed": _("The places could not be loaded. Reload the page to try again."),
        "blurred": _("place blurred to a cell of at least 1 km"),
    }


@register.simple_tag
def wagtail_page_href(slug: str) -> str:
    """The address of the live page of the CMS with this slug in the reader's language, "" without one.

    Queries once per process and half a minute.
    """
    from wagtail.models import Page

    language = "en" if (get_language() or "").startswith("en") else "zh-hans"

    def find() -> str:
        page = Page.objects.live().filter(slug=slug, locale__language_code=language).order_by("pk").first()
        return (page.get_url() or "") if page else ""

    return remembered(("wagtail_page", slug, language), find)


@register.simple_tag
def wagtail_path(path: str) -> str:
    """The address of a page of the CMS by its path, with the active language's prefix. No queries."""
    return reverse("wagtail_serve", args=[f"{path}/" if path else ""])


@register.simple_tag(takes_context=True)
def here(context) -> str:
    """The address of this page with its query, to come back to."""
    request = getattr(context, "request", None)
    return request.get_full_path() if request else "/"


@register.simple_tag
def login_href(path: str) -> str:
    """The sign-in page, coming back to the path."""
    return f"{reverse('account_login')}?{urlencode({'next': path})}"
