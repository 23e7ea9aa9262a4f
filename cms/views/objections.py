"""Objections at the bureau's desk: all of them, the decision on one, and the second person's answer to a correction."""

from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cms.forms import DecisionForm, ReasonForm
from cms.list_presenters import correction_consequence
from cms.steps import StepView
from listings import demand_changes, demand_permissions
from listings.actions import demand
from listings.demand_shots import as_json
from listings.models import DemandList, LineCorrection, Objection

from .desk import not_at_a_desk, objections_of

PER_PAGE = 50


def objections(request):
    """All objections to the lists on this desk: those to be decided first, by their clock."""
    if answer := not_at_a_desk(request):
        return answer
    rows = objections_of(request.membership).order_by("decided_at", "decide_by", "-pk")
    if request.GET.get("open"):
        rows = rows.undecided()
    page = Paginator(rows.order_by("outcome", "decide_by", "-pk"), PER_PAGE).get_page(request.GET.get("p"))
    for objection in page:
        objection.may_decide = demand_permissions.decide_refusal(objection, request.membership) is None
    context = {
        "page_obj": page,
        "header_title": _("Objections"),
        "breadcrumbs_items": [{"url": "", "label": _("Objections")}],
        "header_icon": "comment",
    }
    return render(request, "cms/bureau/objections.html", context)


class DecideView(StepView):
    """The bureau decides an objection with a reason; the objector is answered."""

    model = Objection
    page_title = gettext_lazy("Decide the objection")
    consequence = gettext_lazy(
        "The objector is answered at once. Where the notice has ended, the last decision brings the list into force."
    )

    def scoped(self):
        lists = DemandList.objects.overseen_by(self.membership)
        return Objection.objects.filter(demand_list__in=lists).select_related(
            "demand_list__region", "demand_list__bureau", "line", "organisation"
        )

    def subject(self):
        return self.get_object().demand_list

    def refusal(self):
        return demand_permissions.decide_refusal(self.get_object(), self.membership)

    def get_extra(self):
        row = self.get_object()
        return {"quote": row.text, "subject": f"{row.organisation} · {row.line or row.demand_list}"}

    def make_form(self, data=None):
        row = self.get_object()
        if row.line is not None:
            row.line.demand_list = row.demand_list  # fetched with it
        may_withdraw = row.line is not None and demand_permissions.withdraw_refusal(row.line, self.membership) is None
        return DecisionForm(data, may_withdraw=may_withdraw)

    def step(self, cleaned):
        demand.decide_objection(objection=self.get_object(), membership=self.membership, **cleaned)
        return _("Decided; the objector has been answered.")


class AnswerCorrectionView(StepView):
    """A second person lets a correction in, or refuses it."""

    model = LineCorrection

    def scoped(self):
        lists = DemandList.objects.overseen_by(self.membership)
        return LineCorrection.objects.filter(line__demand_list__in=lists).select_related(
            "line__demand_list__region", "line__demand_list__bureau", "line__applicant", "proposed_by"
        )

    @property
    def is_apply(self):
        if self.kwargs["verb"] not in ("apply", "refuse"):
            raise Http404("no such step")
        return self.kwargs["verb"] == "apply"

    @property
    def page_title(self):
        return _("Let the correction in") if self.is_apply else _("Refuse the correction")

    def get_page_title(self):
        return self.page_title

    def subject(self):
        return self.get_object().line.demand_list

    def refusal(self):
        return demand_permissions.answer_correction_refusal(self.get_object(), self.membership)

    def get_consequence(self):
        if not self.is_apply:
            return _("The line stays as it is; who proposed reads your reason.")
        return correction_consequence(self.subject())

    def get_extra(self):
        correction = self.get_object()
        return {
            "quote": f"{correction.proposed_by}: {correction.reason}",
            "rows": demand_changes.differences(as_json(correction.line, correction.fields), correction.fields),
            "before_label": _("Now"),
            "after_label": _("Corrected"),
        }

    def make_form(self, data=None):
        return None if self.is_apply else ReasonForm(data)

    def step(self, cleaned):
        given = {"correction": self.get_object(), "membership": self.membership}
        if self.is_apply:
            demand.apply_correction(**given)
            return _("The line is corrected.")
        demand.refuse_correction(**given, **cleaned)
        return _("The correction was refused.")

    def get_success_url(self):
        return reverse("bureau_lists:inspect", args=[self.subject().pk])
