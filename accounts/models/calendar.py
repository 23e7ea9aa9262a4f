import datetime as dt

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from .regions import NATION_CODE, Region


class CalendarDayQuerySet(models.QuerySet):
    def holding_in(self, region: Region | str | None):
        """Days set for the region, for one above it or for the nation; the nation's alone where no region is named."""
        code = region.code if isinstance(region, Region) else region
        above = {NATION_CODE} | ({code[:2] + "0000", code[:4] + "00", code} if code else set())
        return self.filter(region_id__in=above)

    def as_calendar(self) -> dict[dt.date, bool]:
        """{day: is it a working day}; where several regions set a day, the nearest wins. Queries once."""
        rows = self.order_by("region__level", "day").values_list("day", "is_workday")
        return dict(rows)


class CalendarDay(models.Model):
    """A day that differs from the calendar the package chinesecalendar carries: a decree of later, a local holiday.

    Set by the bureau of the region (the nation's by a bureau of the nation or the portal's editors) through
    accounts.actions.calendar, which recounts every open clock the day touches.
    """

    region = models.ForeignKey(Region, models.PROTECT, related_name="calendar_days", verbose_name=_("region"))
    day = models.DateField(_("day"))
    is_workday = models.BooleanField(_("is a working day"))
    name = models.CharField(_("what day it is"), max_length=80)
    source = models.CharField(_("source"), max_length=300, help_text=_("The decree that sets the day."))
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    set_at = models.DateTimeField(auto_now_add=True)

    objects = CalendarDayQuerySet.as_manager()

    class Meta:
        verbose_name = _("calendar day")
        verbose_name_plural = _("calendar days")
        ordering = ["-day", "region"]
        constraints = [
            models.UniqueConstraint(
                fields=["region", "day"], name="calendar_day_once",
                violation_error_message=_("This day is set for the region already: take it out first."),
            )
        ]  # fmt: skip

    def __str__(self):
        return f"{self.day:%Y-%m-%d} · {self.name}"
