"""What each step asks beside its note: one description for the form, the action's checks and the story's words."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.errors import Refused

from .found_words import found_words

VERDICTS: dict[str, str | Promise] = {
    "suitable": _("Suitable as it is"),
    "adaptation": _("Suitable after adaptation"),
}
TEXT_MAX = 2_000


@dataclass(frozen=True)
class Input:
    """One field of a step's form. kind: "text", "line", "moment" (date and time), "day", "percent", "choice", or
    "milestone" (one planned for the case and not reached yet)."""

    name: str
    label: str | Promise
    kind: str = "text"
    is_required: bool = False
    choices: Mapping[str, str | Promise] | None = None
    help: str | Promise = ""


INPUTS: dict[str, tuple[Input, ...]] = {
    "refuse": (Input("needed_from", _("Own need from"), "day"), Input("alternative", _("Alternative"), "line")),
    "appoint_survey": (
        Input("at", _("Date and time"), "moment", is_required=True),
        Input("meet", _("Where to meet"), help=_("As far as the other side may know the place.")),
    ),
    "report_findings": (
        Input("differences", _("As found, different from the record"), help=_("The owner corrects the resource.")),
    ),
    "assess": (
        Input("verdict", _("Technical verdict"), "choice", is_required=True, choices=VERDICTS),
        Input("adaptation", _("Adaptation needed"), help=_("What has to be done before, and who does it.")),
    ),
    "plan_milestone": (
        Input("title", _("Milestone"), "line", is_required=True, help=_("Such as: reinforcement done, cable pulled.")),
        Input("on", _("Planned for"), "day", is_required=True),
    ),
    "reach_milestone": (Input("milestone", _("Milestone"), "milestone", is_required=True),),
    "report_progress": (Input("percent", _("Done so far (%)"), "percent"),),
}
# What the note of a step is for, where "note" says too little.
NOTE_LABELS: dict[str, str | Promise] = {
    "ask_supplement": _("What is missing"),
    "supplement": _("What is handed in now"),
    "report_findings": _("What was found"),
    "hold_up": _("Why it waits"),
    "escalate": _("Why an agreement cannot be reached"),
    "contest": _("Why the refusal does not hold"),
    "state_case": _("Your statement"),
    "propose": _("The proposal"),
    "decline_proposal": _("Why it is declined"),
    "decide_for": _("Reasons of the decision"),
    "decide_against": _("Reasons of the decision"),
    "report_progress": _("What was done"),
    "give_up": _("Why it is given up"),
    "give_notice": _("Reason of the notice"),
}


def clean_inputs(verb: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, as stored: texts trimmed, moments in ISO form. Raises Refused for what is missing or wrong."""
    cleaned: dict[str, Any] = {}
    for field in INPUTS.get(verb, ()):
        value = data.get(field.name) or ""
        if field.kind == "moment" and value:
            cleaned[field.name] = _moment(value)
        elif field.kind == "day" and value:
            cleaned[field.name] = _day(value)
        elif field.kind == "percent" and value:
            cleaned[field.name] = _percent(value)
        elif field.kind == "choice" and value and value not in (field.choices or {}):
            raise Refused(gettext("%(field)s: choose one of those named.") % {"field": field.label}, code="choice")
        elif value:
            cleaned[field.name] = str(value).strip()[:TEXT_MAX]
        if field.is_required and not cleaned.get(field.name):
            raise Refused(gettext("%(field)s is missing.") % {"field": field.label}, code="missing")
    if cleaned.get("verdict") == "adaptation" and not cleaned.get("adaptation"):
        raise Refused(gettext("Say which adaptation is needed."), code="missing")
    return cleaned


def _moment(value: Any) -> str:
    moment = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(str(value))
    moment = moment if timezone.is_aware(moment) else timezone.make_aware(moment)
    if moment < timezone.now() - dt.timedelta(days=1):
        raise Refused(gettext("A survey is appointed for a day to come."), code="past")
    if moment > timezone.now() + dt.timedelta(days=400):
        raise Refused(gettext("A survey is appointed within a year."), code="far")
    return moment.isoformat()


def _day(value: Any) -> str:
    day = value if isinstance(value, dt.date) else dt.date.fromisoformat(str(value))
    if abs((day - timezone.localdate()).days) > 3_660:
        raise Refused(gettext("A milestone lies within ten years."), code="far")
    return day.isoformat()


def _percent(value: Any) -> str:
    if not str(value).isdecimal() or not 0 <= int(value) <= 100:
        raise Refused(gettext("Progress is a whole number from 0 to 100."), code="percent")
    return str(int(value))


def given_words(verb: str, data: Mapping[str, Any]) -> list[str]:
    """What was given with a step, as the story tells it: "Date and time: 3 March 2027, 9:30"."""
    words = []
    for field in INPUTS.get(verb, ()):
        value = data.get(field.name)
        if not value:
            continue
        if field.kind == "moment":
            value = date_format(timezone.localtime(dt.datetime.fromisoformat(value)), "DATETIME_FORMAT")
        elif field.kind == "day":
            value = date_format(dt.date.fromisoformat(value), "DATE_FORMAT")
        elif field.kind == "percent":
            value = f"{value} %"
        elif field.kind == "milestone":
            value = data.get("title", value)
        elif field.kind == "choice":
            value = (field.choices or {}).get(value, value)
        words.append(f"{field.label}: {value}")
    return words + found_words(data.get("found") or {})
