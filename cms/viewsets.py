"""The one base of the bureau's screens in the Wagtail admin.

Wagtail's permissions are per model, and its viewsets scope the index alone. Here every view of a viewset is
built with BureauViewMixin, which scopes each queryset and fetches each object out of that scope: another
bureau's object is 404 on every address. A viewset offers only the views it names; all others have no address.
"""

from django.core.exceptions import PermissionDenied, ValidationError
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from wagtail.admin import messages
from wagtail.admin.viewsets.model import ModelViewSet

from accounts.errors import NotPermitted, Refused
from accounts.permissions import is_bureau_staff

from .middleware import refused


def not_at_a_bureau() -> NotPermitted:
    """The refusal for who does not act for a bureau just now."""
    return NotPermitted(_("You act for an organisation that is no bureau: switch to your bureau first."))


class BureauViewMixin:
    """For every view of a BureauViewSet: the person acts for a bureau, and sees that bureau's rows only."""

    @cached_property
    def membership(self):
        return self.request.membership or None

    def scoped(self):
        """The rows on this person's desk: their bureau's own, those of its region and below, those it co-signs.

        What may be done with one of them is asked of listings.demand_permissions.
        """
        return self.model.objects.overseen_by(self.membership)

    def get_base_queryset(self):
        return self.scoped()

    def get_base_object_queryset(self):
        return self.scoped()

    def get_object(self, queryset=None):
        """The row of that number in one's own bureau, else 404; fetched once per request."""
        if getattr(self, "object", None) is None:
            self.object = get_object_or_404(self.scoped(), pk=self.kwargs["pk"])
        return self.object

    def refusal(self):
        """Why this person may not use this view now (a Refused), or None."""
        return

    def dispatch(self, request, *args, **kwargs):
        try:
            if not is_bureau_staff(self.membership):
                raise not_at_a_bureau()
            if "pk" in kwargs:
                self.get_object()  # 404 before anything else, whatever the view then does with it
            if refusal := self.refusal():
                raise refusal
            return super().dispatch(request, *args, **kwargs)
        except (NotPermitted, PermissionDenied) as error:
            return refused(request, str(error))
        except Refused as error:
            messages.error(request, error.message)
            return redirect(self.get_refused_url())

    def get_refused_url(self):
        """Where a person goes who came too late or too early."""
        return reverse("bureau_desk")


class SavingMixin:
    """For add and edit: save_instance() calls an action, and what the action refuses is said in the form."""

    handled_codes: tuple[str, ...] = ()  # of Refused that the view itself answers

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"membership": self.membership}

    def get_context_data(self, **kwargs):
        return {"rows": [], "theirs": None, "their_name": ""} | super().get_context_data(**kwargs)

    def form_valid(self, form):
        try:
            return super().form_valid(form)
        except NotPermitted:
            raise
        except Refused as error:
            if error.code in self.handled_codes:
                raise
            form.add_error(None, str(error.message))
        except ValidationError as error:
            for field, sentences in error.update_error_dict({}).items():
                form.add_error(field if field in form.fields else None, sentences)
        self.produced_error_message = self.get_error_message()
        return self.form_invalid(form)


class BureauViewSet(ModelViewSet):
    """A model that belongs to a bureau. Subclasses name their views; each is wrapped in BureauViewMixin."""

    add_to_reference_index = False
    copy_view_enabled = False
    inspect_view_enabled = True
    list_per_page = 50
    exclude_form_fields: list[str] = []

    def construct_view(self, view_class, **kwargs):
        if not issubclass(view_class, BureauViewMixin):
            view_class = type(view_class.__name__, (BureauViewMixin, view_class), {})
        return super().construct_view(view_class, **kwargs)

    def get_common_view_kwargs(self, **kwargs):
        # No Wagtail history or usage: the audit log is ours, and both would fetch by bare key.
        return super().get_common_view_kwargs(**kwargs) | {"history_url_name": None, "usage_url_name": None}

    def register_admin_url_finder(self):
        """None: reports and references would link to, and so name, other bureaus' objects."""

    def register_menu_item(self):
        """None: the bureau's menu is made in wagtail_hooks."""
