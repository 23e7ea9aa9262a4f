"""One step on one of the bureau's objects: GET names the consequence and asks what is needed, POST calls an action."""

from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import View
from wagtail.admin import messages
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from accounts.errors import NotPermitted, Refused

from .viewsets import BureauViewMixin


class StepView(BureauViewMixin, WagtailAdminTemplateMixin, View):
    """Subclasses name model, page_title, consequence and step(); a form where something is asked."""

    template_name = "cms/bureau/step.html"
    consequence = ""
    is_serious = False

    def make_form(self, data=None):
        """The form of what is asked, or None."""
        return

    def step(self, cleaned: dict) -> str:
        """Calls the action; gives the sentence that says what was done."""
        raise NotImplementedError

    def get_consequence(self):
        return self.consequence

    def get_extra(self) -> dict:
        """More for the template: old and new values of a correction, the text of an objection."""
        return {}

    def subject(self):
        """The list the step belongs to, for the way back."""
        return self.get_object()

    def get_refused_url(self):
        return reverse("bureau_lists:inspect", args=[self.subject().pk])

    def get_breadcrumbs_items(self):
        return [
            {"url": reverse("bureau_desk"), "label": _("Bureau's desk")},
            {"url": self.get_refused_url(), "label": str(self.subject())},
            {"url": "", "label": str(self.page_title)},
        ]

    def _page(self, form=None, status=200):
        context = self.get_context_data(
            form=form, label=self.page_title, subject=self.get_object(), consequence=self.get_consequence(),
            back_url=self.get_refused_url(), is_serious=self.is_serious, rows=[], quote="",
        )  # fmt: skip
        return render(self.request, self.template_name, context | self.get_extra(), status=status)

    def get(self, request, *args, **kwargs):
        return self._page(self.make_form())

    def post(self, request, *args, **kwargs):
        form = self.make_form(request.POST)
        if form is not None and not form.is_valid():
            return self._page(form, status=422)
        try:
            done = self.step(form.cleaned_data if form else {})
        except NotPermitted:
            raise
        except Refused as refusal:
            if form is None:
                raise
            form.add_error(None, str(refusal.message))
            return self._page(form, status=422)
        messages.success(request, done)
        return redirect(self.get_success_url())

    def get_success_url(self):
        return self.get_refused_url()
