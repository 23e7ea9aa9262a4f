"""The bureau's demand lists in the Wagtail admin: index, add, edit, the list's own page, its moves, its download."""

import django_filters
from django.db.models import Count, Q
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import View
from wagtail.admin import messages
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, TitleColumn
from wagtail.admin.views import generic
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from accounts.clocks import workdays_left
from accounts.models import Event
from accounts.models.organisations import Role
from listings import demand_permissions, list_states
from listings.actions import demand
from listings.demand_exports import lines_csv
from listings.models import DemandLine, DemandList, LineCorrection

from . import list_presenters
from .comment_steps import ListCommentView, comments_of
from .forms import DemandListForm, ReasonForm
from .links import optional_url
from .list_steps import CallView, ChangesView, CloseCallView, CopyView, CoSignView, DiscardView, DuplicatesView
from .urls import list_url
from .viewsets import BureauViewMixin, BureauViewSet, SavingMixin

LATEST_EVENTS = 30


class ListFilterSet(WagtailFilterSet):
    state = django_filters.ChoiceFilter(label=gettext_lazy("State"), choices=DemandList.State.choices)
    batch = django_filters.CharFilter(label=gettext_lazy("Batch"), lookup_expr="iexact")

    class Meta:
        model = DemandList
        fields = ["state", "batch"]


class ListIndexView(BureauViewMixin, generic.IndexView):
    page_title = gettext_lazy("Demand lists")
    filterset_class = ListFilterSet
    search_fields = ["title_zh", "title_en", "reference"]
    default_ordering = "-pk"

    def get_base_queryset(self):
        return self.scoped().select_related("region", "bureau").defer("region__polygon").with_counts()

    @property
    def columns(self):
        return [
            TitleColumn("title", label=_("Title"), get_url=lambda row: reverse("bureau_lists:inspect", args=[row.pk])),
            Column("reference", label=_("Reference"), sort_key="reference"),
            Column("region", label=_("Region")),
            Column("bureau", label=_("Bureau")),
            Column("batch", label=_("Batch"), sort_key="batch"),
            Column("state", label=_("State"), accessor="get_state_display", sort_key="state"),
            Column("line_count", label=_("Lines")),
            Column("open_count", label=_("Open")),
            Column(
                "notice_ends_at",
                label=_("Objections until"),
                accessor=lambda row: list_presenters.day(row.notice_ends_at),
                sort_key="notice_ends_at",
            ),
        ]

    def get_list_buttons(self, instance):
        return []

    def get_add_url(self):
        return super().get_add_url() if self.membership and self.membership.has_role(Role.CURATOR) else None


class ListAddView(SavingMixin, BureauViewMixin, generic.CreateView):
    form_class = DemandListForm

    def refusal(self):
        return demand_permissions.create_refusal(self.membership, self.membership.organisation.region)

    def save_instance(self):
        return demand.create_list(membership=self.membership, **self.form.cleaned_data)

    def get_success_url(self):
        return reverse("bureau_lists:inspect", args=[self.object.pk])

    def get_success_buttons(self):
        return []


class ListEditView(SavingMixin, BureauViewMixin, generic.EditView):
    form_class = DemandListForm

    def refusal(self):
        return demand_permissions.edit_refusal(self.membership, self.get_object())

    def get_refused_url(self):
        return reverse("bureau_lists:inspect", args=[self.kwargs["pk"]])

    get_success_url = get_refused_url

    def save_instance(self):
        return demand.edit_list(demand_list=self.get_object(), membership=self.membership, **self.form.cleaned_data)

    def get_last_updated_info(self):
        return None

    @property
    def header_more_buttons(self):
        return []

    def get_success_buttons(self):
        return []


class ListPageView(BureauViewMixin, generic.InspectView):
    """The list at the desk: state, steps open to this person, figures, what was done."""

    template_name = "cms/bureau/list.html"
    page_title = gettext_lazy("Demand list")

    def get_fields(self):
        return []

    def scoped(self):
        return (
            super()
            .scoped()
            .select_related("region", "bureau", "submitted_by", "published_by", "previous")
            .defer("region__polygon")
            .with_counts()
        )

    def get_edit_url(self):
        return None

    def get_delete_url(self):
        return None

    def get_context_data(self, **kwargs):
        demand_list = self.object
        edit_refusal = demand_permissions.edit_refusal(self.membership, demand_list)
        co_signers = list(demand_list.co_signers.select_related("bureau", "signed_by"))
        lines_url = reverse("bureau_lines:index") + f"?demand_list={demand_list.pk}"
        runs_url = optional_url("run_start", demand_list.pk)
        may_match = demand_list.state in (DemandList.State.NOTICE, DemandList.State.IN_FORCE)
        return super().get_context_data(**kwargs) | {
            "demand_list": demand_list,
            "timeline": list_presenters.timeline(demand_list),
            "days_left": workdays_left(demand_list.notice_ends_at, demand_list.region)
            if demand_list.state == DemandList.State.NOTICE
            else None,
            "is_own": demand_permissions.works_for(self.membership, demand_list),
            "co_signers": co_signers,
            "may_co_sign": any(mark.bureau_id == self.membership.organisation_id for mark in co_signers)
            and demand_permissions.co_sign_refusal(demand_list, self.membership) is None,
            "corrections": _corrections(demand_list, self.membership),
            **demand_list.lines.aggregate(
                handed_in_count=Count("pk", filter=Q(handed_in_by__isnull=False)),
                duplicate_count=Count("pk", filter=Q(duplicate_of__isnull=False)),
            ),
            **demand_list.objections.aggregate(
                objection_count=Count("pk"), undecided_count=Count("pk", filter=Q(outcome=""))
            ),
            "moves": list_presenters.buttons(demand_list, self.membership),
            "may_edit": edit_refusal is None,
            "why_not_edit": str(edit_refusal.message) if edit_refusal else "",
            "lines_url": lines_url,
            "import_url": optional_url("import_new", query=f"list={demand_list.pk}"),
            "run_url": runs_url if may_match else "",
            "latest_run_url": _latest_run_url(demand_list),
            "public_url": list_url(demand_list) if demand_list.is_public else "",
            "objections": demand_list.objections.select_related("organisation", "line").order_by("-created_at", "pk")[
                :20
            ],
            **comments_of(demand_list, self.membership),
            "events": Event.objects.about(demand_list).select_related("actor", "organisation")[:LATEST_EVENTS],
        }


def _corrections(demand_list: DemandList, membership) -> list[LineCorrection]:
    """Those that await their second person; may_answer: whether that is this one. Queries once."""
    rows = LineCorrection.objects.filter(line__demand_list=demand_list, state="proposed")
    found = list(rows.select_related("line", "proposed_by").order_by("pk"))
    for row in found:
        row.line.demand_list = demand_list
        row.may_answer = demand_permissions.answer_correction_refusal(row, membership) is None
    return found


def _latest_run_url(demand_list: DemandList) -> str:
    run = demand_list.runs.order_by("-number").first()
    return optional_url("run_detail", run.pk) if run else ""


class ListMoveView(BureauViewMixin, WagtailAdminTemplateMixin, View):
    """GET: a page that names the consequence of a step and asks for the reason where one is due. POST: the step."""

    model = DemandList
    template_name = "cms/bureau/list_move.html"

    def refusal(self):
        if self.kwargs["verb"] not in list_presenters.LABELS:
            raise Http404("no such step")
        return demand_permissions.move_refusal(self.kwargs["verb"], self.get_object(), self.membership)

    def get_refused_url(self):
        return reverse("bureau_lists:inspect", args=[self.kwargs["pk"]])

    def _page(self, form, status=200):
        demand_list, verb = self.get_object(), self.kwargs["verb"]
        line_count = demand_list.lines.count()
        context = self.get_context_data(
            demand_list=demand_list,
            verb=verb,
            label=list_presenters.LABELS[verb],
            consequence=list_presenters.consequence(verb, demand_list, line_count),
            form=form,
            back_url=self.get_refused_url(),
        )
        return render(self.request, self.template_name, context, status=status)

    def get_page_title(self):
        return list_presenters.LABELS[self.kwargs["verb"]]

    def get_breadcrumbs_items(self):
        return [
            {"url": reverse("bureau_desk"), "label": _("Bureau's desk")},
            {"url": reverse("bureau_lists:index"), "label": _("Demand lists")},
            {"url": self.get_refused_url(), "label": str(self.get_object())},
            {"url": "", "label": self.get_page_title()},
        ]

    def _form(self, data=None):
        move = list_states.move(self.get_object().state, self.kwargs["verb"])
        return ReasonForm(data) if move and move.needs_reason else None

    def get(self, request, *args, **kwargs):
        return self._page(self._form())

    def post(self, request, *args, **kwargs):
        form = self._form(request.POST)
        if form is not None and not form.is_valid():
            return self._page(form, status=422)
        verb = self.kwargs["verb"]
        getattr(demand, verb)(
            demand_list=self.get_object(), membership=self.membership, **(form.cleaned_data if form else {})
        )
        messages.success(request, _("Done: %(step)s.") % {"step": list_presenters.LABELS[verb]})
        return redirect(self.get_refused_url())


class ListDownloadView(BureauViewMixin, View):
    """All lines of the list as CSV, drafts included: the bureau's own copy."""

    model = DemandList

    def get(self, request, *args, **kwargs):
        demand_list = self.get_object()
        lines = DemandLine.objects.filter(demand_list=demand_list).order_by("number")
        return lines_csv(lines, f"{demand_list.reference}.csv")


class DemandListViewSet(BureauViewSet):
    model = DemandList
    name = "bureau_lists"
    url_prefix = "demand-lists"
    icon = "list-ul"
    form_fields = DemandListForm.Meta.fields
    index_view_class = ListIndexView
    add_view_class = ListAddView
    edit_view_class = ListEditView
    inspect_view_class = ListPageView
    filterset_class = ListFilterSet
    ordering = "-pk"
    search_fields = ["title_zh", "title_en", "reference"]

    def get_form_class(self, for_update=False):
        return DemandListForm

    def get_urlpatterns(self):
        return [
            path("", self.index_view, name="index"),
            path("results/", self.index_results_view, name="index_results"),
            path("new/", self.add_view, name="add"),
            path("edit/<int:pk>/", self.edit_view, name="edit"),
            path("inspect/<int:pk>/", self.inspect_view, name="inspect"),
            path("move/<int:pk>/<slug:verb>/", self.construct_view(ListMoveView), name="move"),
            path("download/<int:pk>/", self.construct_view(ListDownloadView), name="download"),
            path("changes/<int:pk>/", self.construct_view(ChangesView), name="changes"),
            path("sign-off/<int:pk>/", self.construct_view(CoSignView), name="co_sign"),
            path("call/<int:pk>/", self.construct_view(CallView), name="call"),
            path("close-call/<int:pk>/", self.construct_view(CloseCallView), name="close_call"),
            path("discard/<int:pk>/", self.construct_view(DiscardView), name="discard"),
            path("duplicates/<int:pk>/", self.construct_view(DuplicatesView), name="duplicates"),
            path("comment/<int:pk>/", self.construct_view(ListCommentView), name="comment"),
            path("copy/<int:pk>/", self.construct_view(CopyView), name="copy"),
        ]

    def get_common_view_kwargs(self, **kwargs):
        return super().get_common_view_kwargs(**kwargs) | {"delete_url_name": None}
