"""Steps on a list beside its life: signing off, the call, duplicates, the next batch; and what changed."""

import datetime as dt

from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.generic import View
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from accounts.rules import rule
from listings import demand_changes, demand_permissions
from listings.actions import demand
from listings.models import DemandList

from .forms import CallForm, CopyForm, half_years
from .steps import StepView
from .viewsets import BureauViewMixin


class _ListStep(StepView):
    model = DemandList

    def scoped(self):
        return super().scoped().select_related("region", "bureau__region").defer("region__polygon")


class CoSignView(_ListStep):
    page_title = gettext_lazy("Sign the list off")
    consequence = gettext_lazy(
        "Your bureau agrees to the list as submitted, with the lines in its own region. The lead bureau publishes it "
        "once all have signed; if it is sent back, everybody signs again."
    )

    def refusal(self):
        return demand_permissions.co_sign_refusal(self.get_object(), self.membership)

    def step(self, cleaned):
        demand.co_sign(demand_list=self.get_object(), membership=self.membership)
        return _("Signed off for your bureau.")


class CallView(_ListStep):
    page_title = gettext_lazy("Open a call")
    consequence = gettext_lazy(
        "Verified organisations of the region are told, and hand their lines in from their own page. Until the public "
        "notice, what one hands in is seen by itself and by your bureau alone. The list is submitted after the call."
    )

    def refusal(self):
        return demand_permissions.edit_refusal(self.membership, self.get_object())

    def make_form(self, data=None):
        row = self.get_object()
        closes = row.call_closes_at or timezone.now() + dt.timedelta(days=30)
        return CallForm(data, initial={"closes_on": timezone.localdate(closes), "note": row.call_note})

    def step(self, cleaned):
        end = dt.datetime.combine(cleaned["closes_on"], dt.time(23, 59, 59))
        demand.open_call(
            demand_list=self.get_object(), membership=self.membership, closes_at=timezone.make_aware(end),
            note=cleaned["note"],
        )  # fmt: skip
        return _("The call is open until %(day)s.") % {"day": cleaned["closes_on"].isoformat()}


class CloseCallView(_ListStep):
    page_title = gettext_lazy("Close the call")
    consequence = gettext_lazy("Nobody can hand a line in or change one from now on. What was handed in stays.")

    def refusal(self):
        return demand_permissions.edit_refusal(self.membership, self.get_object())

    def step(self, cleaned):
        demand.close_call(demand_list=self.get_object(), membership=self.membership)
        return _("The call is closed.")


class DiscardView(_ListStep):
    page_title = gettext_lazy("Discard the draft")
    is_serious = True

    def refusal(self):
        return demand_permissions.edit_refusal(self.membership, self.get_object())

    def get_consequence(self):
        count = self.get_object().lines.count()
        return ngettext(
            "The list goes with its %(n)d line and cannot be brought back. The event log keeps that it was there.",
            "The list goes with its %(n)d lines and cannot be brought back. The event log keeps that it was there.",
            count,
        ) % {"n": count}

    def step(self, cleaned):
        row = self.get_object()
        demand.discard(demand_list=row, membership=self.membership)
        return _("Draft list discarded: %(list)s.") % {"list": row}

    def get_success_url(self):
        return reverse("bureau_lists:index")


class DuplicatesView(_ListStep):
    page_title = gettext_lazy("Find duplicates")

    def refusal(self):
        return demand_permissions.edit_refusal(self.membership, self.get_object())

    def get_consequence(self):
        near = rule("duplicate.line_m", self.get_object().region)
        return _(
            "Lines of the same kind and applicant within %(metres)d m of an earlier line are marked as its duplicates. "
            "A mark changes nothing else: you merge, delete or unmark them. Source of the distance: %(source)s"
        ) % {"metres": near.whole, "source": near.source}

    def step(self, cleaned):
        count = demand.find_duplicates(demand_list=self.get_object(), membership=self.membership)
        if not count:
            return _("No further duplicates were found.")
        return ngettext("%(n)d duplicate marked.", "%(n)d duplicates marked.", count) % {"n": count}

    def get_success_url(self):
        return f"{reverse('bureau_lines:index')}?demand_list={self.get_object().pk}&duplicates=true"


class CopyView(_ListStep):
    page_title = gettext_lazy("Copy to the next batch")
    consequence = gettext_lazy(
        "A new draft takes over the lines that are open or asked for. Fulfilled and withdrawn lines stay behind. "
        "What changed between the batches can be read on both."
    )
    made = None

    def refusal(self):
        row = self.get_object()
        if not demand_permissions.works_for(self.membership, row):
            return demand_permissions.other_bureau()
        return demand_permissions.create_refusal(self.membership, row.region)

    def make_form(self, data=None):
        row = self.get_object()
        later = [batch for batch in half_years() if batch > row.batch]
        initial = {"batch": later[0] if later else half_years()[-1], "title_zh": row.title_zh, "title_en": row.title_en}
        return CopyForm(data, initial=initial)

    def step(self, cleaned):
        self.made = demand.copy_list(demand_list=self.get_object(), membership=self.membership, **cleaned)
        return _("Copied: %(count)d lines.") % {"count": self.made.lines.count()}

    def get_success_url(self):
        return reverse("bureau_lists:inspect", args=[self.made.pk])


class ChangesView(BureauViewMixin, WagtailAdminTemplateMixin, View):
    """What differs from the batch before, at the desk: drafts included."""

    model = DemandList
    template_name = "cms/bureau/changes.html"
    page_title = gettext_lazy("What changed")

    def scoped(self):
        return super().scoped().select_related("region", "bureau", "previous").defer("region__polygon")

    def get_breadcrumbs_items(self):
        row = self.get_object()
        return [
            {"url": reverse("bureau_desk"), "label": _("Bureau's desk")},
            {"url": reverse("bureau_lists:inspect", args=[row.pk]), "label": str(row)},
            {"url": "", "label": str(self.page_title)},
        ]

    def get(self, request, *args, **kwargs):
        row = self.get_object()
        context = self.get_context_data(
            demand_list=row, previous=row.previous,
            changes=demand_changes.between(row.previous, row) if row.previous else None,
        )  # fmt: skip
        return render(request, self.template_name, context)
