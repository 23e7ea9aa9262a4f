"""What is done with many lines at once, behind Wagtail's own bulk actions: ours underneath, one list at a time."""

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import redirect
from django.utils.functional import classproperty
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.admin import messages
from wagtail.admin.views.bulk_action import BulkAction

from accounts.errors import NotPermitted, Refused
from accounts.models.organisations import Sector
from accounts.permissions import is_bureau_staff
from listings import demand_permissions
from listings.actions import demand
from listings.forms.demand import FEN_PER_YUAN
from listings.models import DemandLine
from listings.models.resources import SharingMode

from .middleware import refused
from .viewsets import not_at_a_bureau

SHOWN = 20  # of the chosen lines, on the page that asks


class LineBulkAction(BulkAction):
    """Lines of one list on one's own desk; act() calls an action with their keys and gives the sentence."""

    template_name = "cms/bureau/bulk.html"
    consequence = ""

    @classproperty
    def models(cls):
        return [DemandLine]

    def dispatch(self, request, *args, **kwargs):
        self.membership = request.membership or None
        try:
            if not is_bureau_staff(self.membership):
                raise not_at_a_bureau()
            self.demand_list, self.ids = self._chosen()
            if refusal := demand_permissions.edit_refusal(self.membership, self.demand_list):
                raise refusal
            return super().dispatch(request, *args, **kwargs)
        except NotPermitted as error:
            return refused(request, str(error))
        except (Refused, ValidationError) as error:
            messages.error(request, " ".join(error.messages) if isinstance(error, ValidationError) else error.message)
            return redirect(self.next_url)

    def _chosen(self):
        """(the one list, the lines' keys). "all" means all of the listing as filtered. 404 outside one's own desk."""
        from .line_viewset import narrowed

        rows = DemandLine.objects.overseen_by(self.membership)
        ids = self.request.GET.getlist("id")
        if "all" in ids:
            rows = narrowed(rows, self.request)
        else:
            rows = rows.filter(pk__in=[int(pk) for pk in ids if pk.isdecimal() and len(pk) < 18])
        found = list(rows.order_by("number").values_list("pk", "demand_list_id"))
        if not found:
            raise Http404("no such lines")
        if len({list_id for _pk, list_id in found}) > 1:
            raise Refused(_("Choose lines of one list: filter the listing by it first."), code="lists")
        demand_list = DemandLine.objects.select_related("demand_list__region", "demand_list__bureau").get(
            pk=found[0][0]
        ).demand_list  # fmt: skip
        return demand_list, [pk for pk, _list_id in found]

    def get_actionable_objects(self):
        rows = DemandLine.objects.filter(pk__in=self.ids[:SHOWN]).defer("place").order_by("number")
        return list(rows), {"items_with_no_access": []}

    def get_context_data(self, **kwargs):
        return super().get_context_data(**kwargs) | {
            "label": self.display_name, "consequence": self.consequence, "count": len(self.ids),
            "more": max(0, len(self.ids) - SHOWN), "demand_list": self.demand_list,
        }  # fmt: skip

    def form_valid(self, form):
        try:
            done = self.act(form.cleaned_data)
        except NotPermitted:
            raise
        except Refused as refusal:
            form.add_error(None, str(refusal.message))
            return self.form_invalid(form)
        messages.success(self.request, done)
        return redirect(self.next_url)

    def act(self, cleaned) -> str:
        raise NotImplementedError

    def given(self):
        return {"demand_list": self.demand_list, "membership": self.membership, "line_ids": self.ids}


class BulkEditForm(forms.Form):
    """What is left empty stays as it is on each line."""

    priority = forms.TypedChoiceField(
        label=gettext_lazy("Priority"), required=False, coerce=int, empty_value=None,
        choices=[("", "–"), *DemandLine.Priority.choices],
    )  # fmt: skip
    needed_by = forms.DateField(
        label=gettext_lazy("Needed by"), required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )  # fmt: skip
    months = forms.IntegerField(label=gettext_lazy("For (months)"), required=False, min_value=1, max_value=600)
    tolerance_m = forms.IntegerField(label=gettext_lazy("Tolerance (m)"), required=False, min_value=0, max_value=50_000)
    ceiling_yuan = forms.DecimalField(
        label=gettext_lazy("Budget ceiling per year (¥)"), required=False, min_value=0, max_digits=14, decimal_places=2
    )
    sectors = forms.MultipleChoiceField(
        label=gettext_lazy("Sectors accepted"), required=False, choices=Sector.choices,
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    sharing_modes = forms.MultipleChoiceField(
        label=gettext_lazy("Sharing modes accepted"), required=False, choices=SharingMode.choices,
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip

    def clean(self):
        data = super().clean()
        if not self.errors and not self.fields_given():
            raise forms.ValidationError(_("Fill in at least one field: what is left empty stays as it is."))
        return data

    def fields_given(self) -> dict:
        """The line's fields to set, under the model's names."""
        given = {name: value for name, value in self.cleaned_data.items() if value not in (None, "", [])}
        if "ceiling_yuan" in given:
            given["ceiling_fen_per_year"] = int(given.pop("ceiling_yuan") * FEN_PER_YUAN)
        return given


class BulkEdit(LineBulkAction):
    display_name = gettext_lazy("Change together")
    aria_label = gettext_lazy("Change the chosen lines together")
    action_type = "change"
    action_priority = 10
    form_class = BulkEditForm
    consequence = gettext_lazy("What you fill in is set on every chosen line; what is left empty stays as it is.")

    def act(self, cleaned):
        count = demand.edit_lines_alike(**self.given(), fields=self.get_form_fields(cleaned))
        return ngettext("%(n)d line changed.", "%(n)d lines changed.", count) % {"n": count}

    def get_form_fields(self, cleaned):
        form = self.form_class()
        form.cleaned_data = cleaned
        return form.fields_given()


class MergeForm(forms.Form):
    is_sum = forms.TypedChoiceField(
        label=gettext_lazy("Quantity"), coerce=lambda value: value == "1", widget=forms.RadioSelect, initial="0",
        choices=[("0", gettext_lazy("the largest of them: they ask for the same")),
                 ("1", gettext_lazy("the sum of them: they ask for it beside each other"))],
    )  # fmt: skip


class BulkMerge(LineBulkAction):
    display_name = gettext_lazy("Merge")
    aria_label = gettext_lazy("Merge the chosen lines into the first")
    action_type = "merge"
    action_priority = 20
    form_class = MergeForm
    consequence = gettext_lazy(
        "The first of the lines takes the others in and keeps its place and applicant; the highest priority and the "
        "earliest date hold. The others leave the draft, and its notes name them."
    )

    def act(self, cleaned):
        line = demand.merge_lines(**self.given(), is_sum=cleaned["is_sum"])
        return _("Merged into line %(line)s.") % {"line": line}


class BulkMark(LineBulkAction):
    display_name = gettext_lazy("Mark as duplicates")
    aria_label = gettext_lazy("Mark the chosen lines as duplicates of the first")
    action_type = "duplicates"
    action_priority = 30
    consequence = gettext_lazy("The first of the lines stays; the others are marked as its duplicates.")
    is_duplicate = True

    def act(self, cleaned):
        count = demand.mark_duplicates(**self.given(), is_duplicate=self.is_duplicate)
        return ngettext("%(n)d line changed.", "%(n)d lines changed.", count) % {"n": count}


class BulkUnmark(BulkMark):
    display_name = gettext_lazy("No duplicates")
    aria_label = gettext_lazy("Take the mark of a duplicate off the chosen lines")
    action_type = "no-duplicates"
    action_priority = 40
    consequence = gettext_lazy("The chosen lines are needs of their own; their marks go.")
    is_duplicate = False


class BulkDelete(LineBulkAction):
    display_name = gettext_lazy("Delete")
    aria_label = gettext_lazy("Delete the chosen lines")
    action_type = "delete"
    action_priority = 50
    classes = {"serious"}
    consequence = gettext_lazy("The lines leave the draft, and those behind them move up.")

    def act(self, cleaned):
        count = demand.delete_draft_lines(**self.given())
        return ngettext("%(n)d line deleted.", "%(n)d lines deleted.", count) % {"n": count}


ACTIONS = [BulkEdit, BulkMerge, BulkMark, BulkUnmark, BulkDelete]
