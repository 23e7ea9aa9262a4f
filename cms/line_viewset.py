"""The lines of the bureau's lists in the Wagtail admin: a listing of their own, because a list holds thousands."""

import django_filters
from django.db.models import Exists, OuterRef
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import BulkActionsCheckboxColumn, Column
from wagtail.admin.views import generic

from accounts.errors import Refused
from accounts.models import Event
from accounts.numbers import row_id
from listings import demand_changes, demand_permissions
from listings.actions import demand
from listings.demand_exports import asked_text
from listings.demand_rules import FIELDS
from listings.demand_shots import as_json
from listings.models import DemandLine, DemandList, DeskComment, Kind

from . import list_presenters
from .comment_steps import LineCommentView, comments_of
from .forms import DemandLineForm
from .line_steps import LineCorrectView, LineDeleteView, LineSplitView, LineVersionsView, LineWithdrawView
from .viewsets import BureauViewMixin, BureauViewSet, SavingMixin

LATEST_EVENTS = 20


def _own_lists(request):
    return DemandList.objects.overseen_by(request.membership or None).order_by("-pk")


class LineFilterSet(WagtailFilterSet):
    demand_list = django_filters.ModelChoiceFilter(label=gettext_lazy("List"), queryset=_own_lists)
    kind = django_filters.ChoiceFilter(label=gettext_lazy("Kind"), choices=Kind.choices)
    state = django_filters.ChoiceFilter(label=gettext_lazy("State"), choices=DemandLine.State.choices)
    priority = django_filters.ChoiceFilter(label=gettext_lazy("Priority"), choices=DemandLine.Priority.choices)
    duplicates = django_filters.BooleanFilter(
        label=gettext_lazy("Marked as duplicate"), field_name="duplicate_of", lookup_expr="isnull", exclude=True
    )
    handed_in = django_filters.BooleanFilter(
        label=gettext_lazy("Handed in by operators"), field_name="handed_in_by", lookup_expr="isnull", exclude=True
    )
    commented = django_filters.BooleanFilter(label=gettext_lazy("With open comments"), method="with_open_comments")

    class Meta:
        model = DemandLine
        fields = ["demand_list", "kind", "state", "priority"]

    def with_open_comments(self, rows, name, value):
        open_ones = Exists(DeskComment.objects.filter(line=OuterRef("pk"), settled_at=None))
        return rows if value is None else rows.filter(open_ones if value else ~open_ones)


def narrowed(rows, request):
    """The lines as the listing with this query shows them, on all its pages."""
    rows = LineFilterSet(request.GET, queryset=rows, request=request).qs
    text = request.GET.get("q", "").strip()
    return rows.search(text=text) if text else rows


def _state_with_marks(line) -> str:
    marks = [_("duplicate")] if line.duplicate_of_id else []
    marks += [_("handed in")] if line.handed_in_by_id else []
    return " · ".join([line.get_state_display(), *marks])


class PlainColumn(Column):
    """A cell of text, written without a template of its own: half of the time of a page of 50 rows went into those."""

    def render_cell_html(self, instance, parent_context):
        return format_html('<td class="{}">{}</td>', self.classname or "", self.get_value(instance))


class ShortColumn(PlainColumn):
    """Dates, amounts and words of a vocabulary: never broken over two lines."""

    def __init__(self, name, **options):
        super().__init__(name, classname="gj-short", **options)


class PlainCheckboxColumn(BulkActionsCheckboxColumn):
    """Wagtail's checkbox for many rows at once, read out with the title of its row."""

    def render_cell_html(self, instance, parent_context):
        return format_html(
            '<td class="bulk-action-checkbox-cell"><input type="checkbox" data-object-id="{}" data-bulk-action-checkbox'
            ' class="bulk-action-checkbox" aria-label="{}" aria-describedby="{}"></td>',
            str(instance.pk), self.select, self.get_aria_describedby(instance),
        )  # fmt: skip

    @cached_property
    def select(self):
        return _("Select")


class PlainTitleColumn(Column):
    """The title with its link, under the name that the row's checkbox speaks of."""

    def __init__(self, name, *, obj_type, get_url, **options):
        super().__init__(name, **options)
        self.obj_type, self.get_url = obj_type, get_url

    def render_cell_html(self, instance, parent_context):
        return format_html(
            '<td class="title"><div class="title-wrapper"><a href="{}" id="{}_{}_title">{}</a></div></td>',
            self.get_url(instance), self.obj_type, str(instance.pk), self.get_value(instance),
        )  # fmt: skip


class LineIndexView(BureauViewMixin, generic.IndexView):
    page_title = gettext_lazy("Demand lines")
    filterset_class = LineFilterSet

    def get_base_queryset(self):
        return self.scoped().select_related("applicant", "demand_list").defer("place")

    def search_queryset(self, queryset):
        return queryset.search(text=self.search_query) if self.is_searching else queryset

    @property
    def columns(self):
        columns = [
            PlainCheckboxColumn("bulk_actions", obj_type="demandline"),
            PlainColumn("number", label=_("No."), sort_key="number", width="5%"),
            PlainTitleColumn(
                "title",
                label=_("Title"),
                obj_type="demandline",
                get_url=lambda row: reverse("bureau_lines:inspect", args=[row.pk]),
            ),
            ShortColumn("kind", label=_("Kind"), accessor="get_kind_display", sort_key="kind"),
            ShortColumn(
                "quantity",
                label=_("Asked"),
                accessor=lambda row: asked_text(row.kind, row.quantity, row.power_kw, row.room_u),
            ),
            PlainColumn("who", label=_("Applicant")),
            ShortColumn("priority", label=_("Priority"), accessor="get_priority_display", sort_key="priority"),
            ShortColumn(
                "needed_by", label=_("Needed by"), accessor=lambda row: row.needed_by or "–", sort_key="needed_by"
            ),
            ShortColumn("state", label=_("State"), accessor=_state_with_marks, sort_key="state"),
        ]
        return columns if self.chosen_list else [*columns, PlainColumn("demand_list", label=_("List"))]

    def get_list_buttons(self, instance):
        return []

    @cached_property
    def chosen_list(self):
        """The list the listing is narrowed to, if it is one of ours."""
        pk = self.request.GET.get("demand_list", "")
        return _own_lists(self.request).filter(pk=row_id(pk)).first()

    def get_page_subtitle(self):
        return str(self.chosen_list) if self.chosen_list else ""

    def get_breadcrumbs_items(self):
        items = [
            {"url": reverse("bureau_desk"), "label": _("Bureau's desk")},
            {"url": reverse("bureau_lists:index"), "label": _("Demand lists")},
        ]
        if self.chosen_list:
            url = reverse("bureau_lists:inspect", args=[self.chosen_list.pk])
            items.append({"url": url, "label": str(self.chosen_list)})
        return [*items, {"url": "", "label": self.get_page_title()}]

    def get_add_url(self):
        """Adding happens on one list, and only while that one is a draft."""
        chosen = self.chosen_list
        if chosen is None or demand_permissions.edit_refusal(self.membership, chosen):
            return None
        return f"{reverse('bureau_lines:add')}?demand_list={chosen.pk}"


class _LineFormMixin(SavingMixin):
    """Add and edit know their list, return to it, and can go straight on with the next line."""

    template_name = "cms/bureau/line_form.html"
    form_class = DemandLineForm

    def refusal(self):
        return demand_permissions.edit_refusal(self.membership, self.demand_list)

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"demand_list": self.demand_list}

    def get_success_url(self):
        return f"{reverse('bureau_lines:index')}?demand_list={self.demand_list.pk}"

    def get_refused_url(self):
        return reverse("bureau_lists:inspect", args=[self.demand_list.pk])

    def get_success_buttons(self):
        return []

    def get_breadcrumbs_items(self):
        return [
            {"url": reverse("bureau_desk"), "label": _("Bureau's desk")},
            {"url": self.get_refused_url(), "label": str(self.demand_list)},
            {"url": self.get_success_url(), "label": _("Demand lines")},
            {"url": "", "label": str(self.get_page_title())},
        ]


class LineAddView(_LineFormMixin, BureauViewMixin, generic.CreateView):
    page_title = gettext_lazy("New demand line")

    @cached_property
    def demand_list(self):
        pk = self.request.GET.get("demand_list", "")
        return get_object_or_404(_own_lists(self.request), pk=row_id(pk))

    def get_object(self, queryset=None):
        return None

    def get_add_url(self):
        return f"{reverse('bureau_lines:add')}?demand_list={self.demand_list.pk}"

    def save_instance(self):
        return demand.add_line(demand_list=self.demand_list, membership=self.membership, **self.form.line_fields())

    def get_success_url(self):
        return self.get_add_url() if "add-another" in self.request.POST else super().get_success_url()


class LineEditView(_LineFormMixin, BureauViewMixin, generic.EditView):
    page_title = gettext_lazy("Demand line")
    handled_codes = ("stale",)

    def scoped(self):
        return super().scoped().select_related("demand_list__region", "demand_list__bureau", "applicant")

    @cached_property
    def demand_list(self):
        return self.get_object().demand_list

    def get_last_updated_info(self):
        return None

    @property
    def header_more_buttons(self):
        return []

    def form_valid(self, form):
        """Where somebody else saved in between: both versions side by side, and the next save overwrites knowingly."""
        try:
            return super().form_valid(form)
        except Refused as error:
            if error.code != "stale":
                raise
            self.theirs = DemandLine.objects.select_related("applicant").get(pk=self.kwargs["pk"])
            form.data = form.data.copy()
            form.data["seen_at"] = self.theirs.updated_at.isoformat()
            form.add_error(None, str(error.message))
            self.produced_error_message = self.get_error_message()
            return self.form_invalid(form)

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        if theirs := getattr(self, "theirs", None):
            mine = DemandLine(**{name: getattr(theirs, name) for name in FIELDS} | self.form.line_fields())
            last = Event.objects.about(theirs).select_related("actor").first()
            context |= {
                "rows": demand_changes.differences(as_json(theirs), as_json(mine)),
                "theirs": theirs, "their_name": last.actor if last and last.actor else "",
            }  # fmt: skip
        return context

    def save_instance(self):
        return demand.edit_line(
            line=self.get_object(), membership=self.membership, seen_at=self.form.seen(), **self.form.line_fields()
        )


class LinePageView(BureauViewMixin, generic.InspectView):
    """The line at the desk: all facts, the map, what was done, and what can be done with it now."""

    template_name = "cms/bureau/line.html"
    page_title = gettext_lazy("Demand line")

    def get_fields(self):
        return []

    def scoped(self):
        return super().scoped().select_related("demand_list__region", "demand_list__bureau", "applicant")

    def get_edit_url(self):
        return None

    def get_delete_url(self):
        return None

    def get_breadcrumbs_items(self):
        demand_list = self.object.demand_list
        return [
            {"url": reverse("bureau_desk"), "label": _("Bureau's desk")},
            {"url": reverse("bureau_lists:inspect", args=[demand_list.pk]), "label": str(demand_list)},
            {"url": f"{reverse('bureau_lines:index')}?demand_list={demand_list.pk}", "label": _("Demand lines")},
            {"url": "", "label": str(self.object)},
        ]

    def get_context_data(self, **kwargs):
        line = self.object
        edit_refusal = demand_permissions.edit_refusal(self.membership, line.demand_list)
        withdraw_refusal = demand_permissions.withdraw_refusal(line, self.membership)
        return super().get_context_data(**kwargs) | {
            "line": line,
            "demand_list": line.demand_list,
            "asked": asked_text(line.kind, line.quantity, line.power_kw, line.room_u),
            "may_edit": edit_refusal is None,
            "may_correct": demand_permissions.correct_refusal(line, self.membership) is None,
            "correction": line.corrections.filter(state="proposed").select_related("proposed_by").first(),
            "may_withdraw": withdraw_refusal is None,
            "why_not": "" if edit_refusal is None or withdraw_refusal is None else str(withdraw_refusal.message),
            "place_text": list_presenters.place_text(line),
            "place_geojson": list_presenters.place_geojson(line),
            **comments_of(line.demand_list, self.membership, line),
            "events": Event.objects.about(line).select_related("actor", "organisation")[:LATEST_EVENTS],
        }


class DemandLineViewSet(BureauViewSet):
    model = DemandLine
    name = "bureau_lines"
    url_prefix = "demand-lines"
    icon = "list-ol"
    form_fields = DemandLineForm.Meta.fields
    index_view_class = LineIndexView
    add_view_class = LineAddView
    edit_view_class = LineEditView
    inspect_view_class = LinePageView
    filterset_class = LineFilterSet
    ordering = ["demand_list", "number"]
    search_fields = ["title"]  # switches the search box on; LineIndexView.search_queryset does the searching

    def get_form_class(self, for_update=False):
        return DemandLineForm

    def get_index_view_kwargs(self, **kwargs):
        return super().get_index_view_kwargs(**kwargs) | {"template_name": "cms/bureau/lines.html"}

    def get_add_view_kwargs(self, **kwargs):
        return super().get_add_view_kwargs(**kwargs) | {"template_name": LineAddView.template_name}

    def get_edit_view_kwargs(self, **kwargs):
        return super().get_edit_view_kwargs(**kwargs) | {"template_name": LineEditView.template_name}

    def get_urlpatterns(self):
        return [
            path("", self.index_view, name="index"),
            path("results/", self.index_results_view, name="index_results"),
            path("new/", self.add_view, name="add"),
            path("edit/<int:pk>/", self.edit_view, name="edit"),
            path("inspect/<int:pk>/", self.inspect_view, name="inspect"),
            path("correct/<int:pk>/", self.construct_view(LineCorrectView), name="correct"),
            path("split/<int:pk>/", self.construct_view(LineSplitView), name="split"),
            path("versions/<int:pk>/", self.construct_view(LineVersionsView), name="versions"),
            path("comment/<int:pk>/", self.construct_view(LineCommentView), name="comment"),
            path("delete/<int:pk>/", self.construct_view(LineDeleteView), name="delete"),
            path("withdraw/<int:pk>/", self.construct_view(LineWithdrawView), name="withdraw"),
        ]
