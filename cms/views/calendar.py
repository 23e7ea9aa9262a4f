"""The working-day calendar at the bureau's desk: days that differ, set by decree; open clocks are counted anew."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts import workdays
from accounts.actions import calendar as actions
from accounts.errors import NotPermitted, Refused
from accounts.models import CalendarDay
from cms.forms import CalendarDayForm
from cms.middleware import refused
from cms.steps import StepView

from .desk import not_at_a_desk


def told(count: int) -> str:
    """How many clocks moved, as a sentence."""
    if not count:
        return _("No open clock is touched by it.")
    return ngettext("%(n)d open clock was counted anew.", "%(n)d open clocks were counted anew.", count) % {"n": count}


def _set_day(request, form) -> bool:
    try:
        _day, count = actions.set_day(membership=request.membership, **form.cleaned_data)
    except NotPermitted:
        raise
    except Refused as refusal:
        form.add_error(None, str(refusal.message))
        return False
    except ValidationError as error:
        form.add_error(None, error.messages)
        return False
    messages.success(request, _("The day is set.") + " " + told(count))
    return True


def calendar(request):
    """GET: the days set for this jurisdiction and above; POST: one more."""
    if answer := not_at_a_desk(request):
        return answer
    region = request.membership.organisation.region
    form = CalendarDayForm(request.POST if request.method == "POST" else None, membership=request.membership)
    try:
        if request.method == "POST" and form.is_valid() and _set_day(request, form):
            return redirect("bureau_calendar")
    except NotPermitted as refusal:
        return refused(request, str(refusal.message))
    days = CalendarDay.objects.holding_in(region) | CalendarDay.objects.filter(region__code__startswith=region.prefix)
    today = timezone.localdate()
    rows = list(days.select_related("region", "set_by").defer("region__polygon").order_by("-day", "region")[:200])
    for row in rows:
        row.may_take_out = row.day >= today and actions.refusal(request.membership, row.region) is None
    refusal = actions.refusal(request.membership, region)
    context = {
        "days": rows,
        "form": form,
        "may_set": refusal is None,
        "why_not": str(refusal.message) if refusal else "",
        "unknown_year": next((y for y in (today.year, today.year + 1) if not workdays.is_known_year(y)), None),
        "header_title": _("Working days"),
        "breadcrumbs_items": [{"url": "", "label": _("Working days")}],
        "header_icon": "date",
    }
    return render(request, "cms/bureau/calendar.html", context, status=422 if form.errors else 200)


class TakeOutDayView(StepView):
    """The day is again as the carried calendar has it."""

    model = CalendarDay
    page_title = gettext_lazy("Take the day out")
    consequence = gettext_lazy("The day is again as the national calendar has it, and open clocks are counted anew.")

    def scoped(self):
        prefix = self.membership.organisation.region.prefix
        return CalendarDay.objects.filter(region__code__startswith=prefix).select_related("region")

    def refusal(self):
        return actions.refusal(self.membership, self.get_object().region)

    def get_refused_url(self):
        return reverse("bureau_calendar")

    def step(self, cleaned):
        count = actions.take_out_day(calendar_day=self.get_object(), membership=self.membership)
        return _("The day is taken out.") + " " + told(count)
