"""Atom feeds of lists and news, and calendar files (RFC 5545) of the clocks on public lists."""

import datetime as dt

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from cms.models import NoticePage
from cms.urls import list_url
from listings.demand_links import lists_path
from listings.models import DemandList

LATEST = 50
CALENDAR_LISTS = 500


class ListsFeed(Feed):
    """Public lists by what last happened to them."""

    feed_type = Atom1Feed
    title = gettext_lazy("Demand lists")
    subtitle = gettext_lazy("New public notices, lists in force and lists that closed.")

    def link(self):
        return lists_path()

    def items(self):
        rows = DemandList.objects.public().select_related("region", "bureau").defer("region__polygon")
        latest = rows.order_by("-published_at", "-pk")[:LATEST]
        return sorted(latest, key=self.item_updateddate, reverse=True)

    def item_title(self, item):
        return f"{item.title} · {item.get_state_display()}"

    def item_description(self, item):
        until = ""
        if item.state == DemandList.State.NOTICE:
            until = _("Objections until %(day)s.") % {
                "day": f"{timezone.localtime(item.notice_ends_at):%Y-%m-%d %H:%M}"
            }
        return " ".join(filter(None, [f"{item.region} · {item.batch} · {item.bureau}.", until, item.summary]))

    def item_link(self, item):
        return list_url(item)

    def item_guid(self, item):
        return f"{settings.BASE_URL}/lists/{item.reference}/#{item.state}"

    item_guid_is_permalink = False

    def item_pubdate(self, item):
        return item.published_at

    def item_updateddate(self, item):
        return item.closed_at or item.in_force_at or item.notice_from or item.published_at


class NewsFeed(Feed):
    """Policy notices and news in the reader's language."""

    feed_type = Atom1Feed
    title = gettext_lazy("Policy notices and news")
    link = "/news/"

    def items(self):
        language = "en" if (get_language() or "").startswith("en") else "zh-hans"
        rows = NoticePage.objects.live().public().filter(locale__language_code=language)
        return list(rows.order_by("-on", "-pk")[:LATEST])

    def item_title(self, item):
        return item.title

    def item_description(self, item):
        return item.introduction

    def item_link(self, item):
        return item.get_url()

    def item_pubdate(self, item):
        return timezone.make_aware(dt.datetime.combine(item.on, dt.time.min))

    def item_updateddate(self, item):
        return item.last_published_at or self.item_pubdate(item)


# --- Calendar files ---------------------------------------------------------------------------


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


def _utc(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y%m%dT%H%M%SZ")


def _event(uid: str, at: dt.datetime, title: str, url: str, stamp: dt.datetime) -> list[str]:
    return [
        "BEGIN:VEVENT", f"UID:{uid}", f"DTSTAMP:{_utc(stamp)}", f"DTSTART:{_utc(at)}", f"SUMMARY:{_escaped(title)}",
        f"URL:{settings.BASE_URL}{url}", "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-P1D",
        f"DESCRIPTION:{_escaped(title)}", "END:VALARM", "END:VEVENT",
    ]  # fmt: skip


def _clocks_of(row: DemandList) -> list[list[str]]:
    stamp, host = row.notice_from or row.published_at, "gongjian"
    if row.state == DemandList.State.NOTICE:
        title = _("Objections to “%(list)s” end") % {"list": row.title}
        return [_event(f"{row.reference}-notice@{host}", row.notice_ends_at, title, list_url(row), stamp)]
    if row.in_force_at and row.state == DemandList.State.IN_FORCE:
        title = _("“%(list)s” is in force") % {"list": row.title}
        return [_event(f"{row.reference}-in-force@{host}", row.in_force_at, title, list_url(row), stamp)]
    return []


def _file(events: list[list[str]], name: str) -> HttpResponse:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Gongjian//Demand lists//ZH", "CALSCALE:GREGORIAN"]
    for event in events:
        lines += event
    body = "\r\n".join(_folded(line) for line in [*lines, "END:VCALENDAR"]) + "\r\n"
    headers = {"Content-Disposition": f'inline; filename="{name}.ics"'}
    return HttpResponse(body, content_type="text/calendar; charset=utf-8", headers=headers)


def list_calendar(request, reference):
    """The clock of one public list."""
    row = get_object_or_404(DemandList.objects.public(), reference=reference)
    return _file(_clocks_of(row), row.reference)


def calendar(request):
    """The clocks of all public lists that are not closed; to subscribe to."""
    rows = DemandList.objects.public().exclude(state="closed").order_by("-published_at", "-pk")[:CALENDAR_LISTS]
    return _file([event for row in rows for event in _clocks_of(row)], "gongjian")
