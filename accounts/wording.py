"""How the audit log reads. Each app registers its verbs in apps.ready(); the text is chosen when shown."""

import datetime as dt
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .models import Event

VERBS: dict[str, str | Promise] = {
    "organisation.create": _("set the organisation up"),
    "organisation.change": _("changed the organisation's facts"),
    "organisation.submit": _("handed the organisation in for verification"),
    "organisation.verify": _("verified the organisation"),
    "organisation.send_back": _("sent the organisation's facts back"),
    "invitation.send": _("sent an invitation"),
    "invitation.withdraw": _("withdrew an invitation"),
    "invitation.accept": _("accepted an invitation"),
    "join_request.send": _("asked to join"),
    "join_request.accept": _("accepted a request to join"),
    "join_request.decline": _("declined a request to join"),
    "membership.change_roles": _("changed a member's roles"),
    "membership.end": _("ended a membership"),
    "calendar.set_day": _("set a day of the working-day calendar"),
    "calendar.take_out_day": _("took a day out of the working-day calendar"),
    "organisation.recount_clock": _("the clock was counted anew"),
    "user.change_name": _("changed the name"),
}


def register(verb: str, text: str | Promise) -> None:
    """Sets the (lazily translated) text of a verb as recorded by accounts.events.record()."""
    VERBS[verb] = text


def verb_text(verb: str) -> str:
    """The verb in the reader's language; the bare verb where none is registered."""
    return str(VERBS.get(verb, verb))


def changes(event: Event) -> list[tuple[str, str, str]]:
    """(field, before, after) for what differs, worded by the subject's model where it knows the field. Queries none."""
    before, after = event.before or {}, event.after or {}
    model = event.subject_type.model_class()
    rows = []
    for name in dict.fromkeys([*before, *after]):
        if before.get(name) == after.get(name):
            continue
        field = None
        if model is not None:
            try:
                field = model._meta.get_field(name)
            except FieldDoesNotExist:
                field = None
        label = str(getattr(field, "verbose_name", name))
        rows.append((label, _shown(field, before.get(name)), _shown(field, after.get(name))))
    return rows


def _moment(text: str) -> dt.datetime | None:
    """The time an ISO string with a zone names (a clock in an event), else None."""
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else None


def _shown(field: Any, value: Any) -> str:
    if value in (None, "", [], {}):
        return "–"
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, str) and len(value) > 18 and (at := _moment(value)):
        return date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT")
    base = getattr(field, "base_field", field)  # the elements of an array
    choices = dict(getattr(base, "flatchoices", None) or [])
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_shown(None, item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(_shown(field, item) for item in value)
    return str(choices.get(value, value))
