"""Steps on one line at the desk: delete, withdraw, split, propose a correction; its versions."""

from django.contrib.gis.geos import GEOSGeometry
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import View
from wagtail.admin.views import generic
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from accounts.models import User
from listings import demand_changes, demand_permissions
from listings.actions import demand
from listings.demand_rules import FIELDS
from listings.models import DemandLine, LineVersion

from .forms import CorrectionForm, ReasonForm, SplitForm
from .steps import StepView
from .viewsets import BureauViewMixin, SavingMixin

VERSIONS_SHOWN = 50


class LineStep(StepView):
    """A step on a line; the way back is the line's own page."""

    model = DemandLine

    def scoped(self):
        return super().scoped().select_related("demand_list__region", "demand_list__bureau", "applicant")

    def subject(self):
        return self.get_object().demand_list

    def get_refused_url(self):
        return reverse("bureau_lines:inspect", args=[self.kwargs["pk"]])

    def lines_url(self):
        return f"{reverse('bureau_lines:index')}?demand_list={self.get_object().demand_list_id}"


class LineDeleteView(LineStep):
    page_title = gettext_lazy("Delete the line")
    consequence = gettext_lazy("The line leaves the draft, and the lines behind it move up by one number.")
    is_serious = True

    def refusal(self):
        return demand_permissions.edit_refusal(self.membership, self.get_object().demand_list)

    def step(self, cleaned):
        demand.delete_draft_line(line=self.get_object(), membership=self.membership)
        return _("Line deleted: %(line)s.") % {"line": self.get_object().title}

    def get_success_url(self):
        return self.lines_url()


class LineWithdrawView(LineStep):
    page_title = gettext_lazy("Withdraw the line")
    consequence = gettext_lazy("The line stays on the public list, struck through, and takes no more part in matching.")
    is_serious = True

    def refusal(self):
        return demand_permissions.withdraw_refusal(self.get_object(), self.membership)

    def make_form(self, data=None):
        return ReasonForm(data)

    def step(self, cleaned):
        demand.withdraw_line(line=self.get_object(), membership=self.membership, **cleaned)
        return _("Line withdrawn.")


class LineSplitView(LineStep):
    page_title = gettext_lazy("Split the line")
    consequence = gettext_lazy(
        "The line keeps the first quantity; each further one becomes a line of its own at the end of the list."
    )

    def refusal(self):
        return demand_permissions.edit_refusal(self.membership, self.get_object().demand_list)

    def make_form(self, data=None):
        quantity = self.get_object().quantity
        halves = f"{quantity - quantity // 2}, {quantity // 2}" if quantity > 1 else ""
        return SplitForm(data, initial={"quantities": halves})

    def step(self, cleaned):
        parts = demand.split_line(line=self.get_object(), membership=self.membership, **cleaned)
        return _("Split into %(count)d lines.") % {"count": len(parts)}


class LineCorrectView(SavingMixin, BureauViewMixin, generic.EditView):
    """During the notice: how the line should read, and why; the second person lets it in."""

    page_title = gettext_lazy("Propose a correction")
    template_name = "cms/bureau/line_form.html"
    form_class = CorrectionForm

    def scoped(self):
        return super().scoped().select_related("demand_list__region", "demand_list__bureau", "applicant")

    @property
    def demand_list(self):
        return self.get_object().demand_list

    def refusal(self):
        return demand_permissions.correct_refusal(self.get_object(), self.membership)

    def get_form_class(self):
        return CorrectionForm

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"demand_list": self.demand_list}

    def save_instance(self):
        demand.propose_correction(
            line=self.get_object(), membership=self.membership, reason=self.form.cleaned_data["reason"],
            **self.form.line_fields(),
        )  # fmt: skip
        return self.get_object()

    def get_refused_url(self):
        return reverse("bureau_lines:inspect", args=[self.kwargs["pk"]])

    get_success_url = get_refused_url

    def get_success_message(self):
        return _("Proposed. A second person lets the correction in.")

    def get_success_buttons(self):
        return []

    def get_last_updated_info(self):
        return None

    @property
    def header_more_buttons(self):
        return []

    def get_breadcrumbs_items(self):
        return [
            {"url": reverse("bureau_desk"), "label": _("Bureau's desk")},
            {"url": reverse("bureau_lists:inspect", args=[self.demand_list.pk]), "label": str(self.demand_list)},
            {"url": self.get_refused_url(), "label": str(self.get_object())},
            {"url": "", "label": str(self.page_title)},
        ]


class LineVersionsView(BureauViewMixin, WagtailAdminTemplateMixin, View):
    """Every version the database kept of the line: when, who, field by field."""

    model = DemandLine
    template_name = "cms/bureau/versions.html"
    page_title = gettext_lazy("Versions of the line")

    def scoped(self):
        return super().scoped().select_related("demand_list")

    def get_breadcrumbs_items(self):
        line = self.get_object()
        return [
            {"url": reverse("bureau_desk"), "label": _("Bureau's desk")},
            {"url": reverse("bureau_lines:inspect", args=[line.pk]), "label": str(line)},
            {"url": "", "label": str(self.page_title)},
        ]

    def get(self, request, *args, **kwargs):
        return render(request, self.template_name, self.get_context_data(versions=versions_of(self.get_object())))


def versions_of(line: DemandLine) -> list[dict]:
    """Latest first: {version, who, differences to the one before}. Three queries."""
    rows = list(LineVersion.objects.filter(line_id=line.pk).order_by("-pk")[: VERSIONS_SHOWN + 1])
    people = User.objects.in_bulk({row.actor_id for row in rows if row.actor_id})
    shots = [_shot(row.data) for row in rows]
    names = demand_changes.names_of(shots)
    told = []
    for row, after, before in zip(rows, shots, [*shots[1:], None], strict=True):
        told.append(
            {
                "version": row,
                "who": people.get(row.actor_id),
                "differences": demand_changes.differences(before, after, names) if before and row.op == "~" else [],
                "state": _state(before, after),
            }
        )
    return told[:VERSIONS_SHOWN]


def _shot(data: dict) -> dict:
    """A version's row as listings.demand_shots writes a line."""
    shot = {name: data.get("applicant_id" if name == "applicant" else name) for name in FIELDS}
    shape = GEOSGeometry(str(data["place"]).replace("'", '"')) if data.get("place") else None
    return shot | {"place": shape.wkt if shape else None, "state": data.get("state")}


def _state(before: dict | None, after: dict) -> str:
    """The line's new state in words, where this version changed it."""
    if before is None or before["state"] == after["state"]:
        return ""
    return str(DemandLine.State(after["state"]).label)
