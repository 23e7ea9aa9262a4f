"""The clocks of an organisation's cases as a calendar file (RFC 5545), for the calendar people keep anyway."""

import datetime as dt

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Membership
from agreements.models import Agreement, ShareRequest
from agreements.states import waiting_for
from agreements.story import party_names, time_out_words

EVENTS_MAX = 1_000


def calendar_of(membership: Membership) -> str:
    """One event per running clock, due first, and one per last day of an agreement in force. Four queries."""
    cases = ShareRequest.objects.readable_by(membership).with_parties().filter(due_at__isnull=False)
    rows = cases.select_related("agreement").prefetch_related("offers", "steps", "agreement__signatures")
    stamp = timezone.now()
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Gongjian//Clocks//ZH", "CALSCALE:GREGORIAN"]
    for case in rows.by_clock()[:EVENTS_MAX]:
        lines += _clock(case, stamp)
    agreements = Agreement.objects.readable_by(membership).with_parties().filter(state="signed", ended_on=None)
    for agreement in agreements.filter(ends_on__isnull=False).order_by("ends_on", "pk")[:EVENTS_MAX]:
        lines += _term(agreement, stamp)
    return "\r\n".join(_folded(line) for line in [*lines, "END:VCALENDAR"]) + "\r\n"


def _clock(case: ShareRequest, stamp: dt.datetime) -> list[str]:
    who = party_names(case, waiting_for(case))
    title = _("%(request)s: %(state)s") % {"request": case.code, "state": case.get_state_display()}
    text = " ".join(filter(None, [_("Waiting for %(organisation)s") % {"organisation": who} if who else "",
                                  time_out_words(case)]))  # fmt: skip
    at = (case.due_at or stamp).astimezone(dt.UTC)
    return _event(f"case-{case.pk}", f"DTSTART:{at:%Y%m%dT%H%M%SZ}", title, text, case.get_absolute_url(), stamp)


def _term(agreement: Agreement, stamp: dt.datetime) -> list[str]:
    title = _("Agreement %(reference)s ends") % {"reference": agreement.reference}
    url = agreement.get_absolute_url()
    name = agreement.request.resource.name
    return _event(f"term-{agreement.pk}", f"DTSTART;VALUE=DATE:{agreement.ends_on:%Y%m%d}", title, name, url, stamp)


def _event(uid: str, start: str, title: str, text: str, url: str, stamp: dt.datetime) -> list[str]:
    return [
        "BEGIN:VEVENT", f"UID:{uid}@gongjian", f"DTSTAMP:{stamp.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}", start,
        f"SUMMARY:{_escaped(title)}", f"DESCRIPTION:{_escaped(text)}", f"URL:{settings.BASE_URL}{url}", "BEGIN:VALARM",
        "ACTION:DISPLAY", "TRIGGER:-P1D", f"DESCRIPTION:{_escaped(title)}", "END:VALARM", "END:VEVENT",
    ]  # fmt: skip


def _escaped(text: str) -> str:
    for sign, stands in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        text = text.replace(sign, stands)
    return text


def _folded(line: str) -> str:
    """Lines of at most 75 octets, never cut inside a character."""
    parts, part = [], ""
    for sign in line:
        if len((part + sign).encode()) > (75 if not parts else 74):
            parts.append(part)
            part = ""
        part += sign
    return "\r\n ".join([*parts, part])
