"""Comments at the desk: written on a list or one of its lines, settled once seen to; what the pages show of them."""

from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from listings import demand_permissions
from listings.actions import demand
from listings.models import DemandLine, DemandList, DeskComment

from .steps import StepView

SHOWN = 50
CONSEQUENCE = gettext_lazy("Read by the bureaus that keep, co-sign or oversee this list; it never becomes public.")


class CommentForm(forms.Form):
    """A remark."""

    text = forms.CharField(
        label=gettext_lazy("Comment"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3}), help_text=CONSEQUENCE
    )


def comments_of(demand_list: DemandList, membership, line: DemandLine | None = None) -> dict[str, Any]:
    """For cms/bureau/_comments.html: the line's comments, or all of the list; open ones first. Up to two queries."""
    rows = line.comments.all() if line else demand_list.comments.all()
    rows = rows.select_related("line", "organisation", "written_by", "settled_by")
    may = demand_permissions.comment_refusal(demand_list, membership) is None
    return {
        "comments": list(rows.order_by("-settled_at", "-pk")[:SHOWN]),  # NULLs, the open ones, come first
        "comment_form": CommentForm(auto_id="comment-%s") if may else None,
        "comment_url": reverse("bureau_lines:comment", args=[line.pk])
        if line
        else reverse("bureau_lists:comment", args=[demand_list.pk]),
    }


class _CommentStep(StepView):
    page_title = gettext_lazy("Write a comment")
    consequence = CONSEQUENCE
    line: DemandLine | None = None

    def refusal(self):
        return demand_permissions.comment_refusal(self.subject(), self.membership)

    def make_form(self, data=None):
        return CommentForm(data)

    def step(self, cleaned):
        demand.comment(demand_list=self.subject(), line=self.line, membership=self.membership, **cleaned)
        return _("Commented.")

    def get_success_url(self):
        return f"{self.get_refused_url()}#comments"


class ListCommentView(_CommentStep):
    model = DemandList

    def scoped(self):
        return super().scoped().select_related("region", "bureau__region").defer("region__polygon")


class LineCommentView(_CommentStep):
    model = DemandLine

    def scoped(self):
        return super().scoped().select_related("demand_list__region", "demand_list__bureau")

    @property
    def line(self):
        return self.get_object()

    def subject(self):
        return self.get_object().demand_list

    def get_refused_url(self):
        return reverse("bureau_lines:inspect", args=[self.kwargs["pk"]])


class SettleCommentView(StepView):
    """One press on the page of the list or line; GET asks, for who came by a link."""

    model = DeskComment
    page_title = gettext_lazy("Settle the comment")
    consequence = gettext_lazy("What it asks for has been seen to. It stays readable, with your name.")

    def scoped(self):
        lists = DemandList.objects.overseen_by(self.membership)
        return DeskComment.objects.filter(demand_list__in=lists).select_related(
            "demand_list__region", "demand_list__bureau", "line"
        )

    def subject(self):
        return self.get_object().demand_list

    def refusal(self):
        return demand_permissions.comment_refusal(self.subject(), self.membership)

    def get_extra(self):
        row = self.get_object()
        return {"quote": row.text, "subject": row.line or row.demand_list}

    def step(self, cleaned):
        demand.settle_comment(comment=self.get_object(), membership=self.membership)
        return _("Comment settled.")

    def get_success_url(self):
        row = self.get_object()
        if "line" in self.request.GET and row.line_id:
            return reverse("bureau_lines:inspect", args=[row.line_id]) + "#comments"
        return f"{self.get_refused_url()}#comments"
