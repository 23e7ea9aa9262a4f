"""Space in several resources of one site, asked for in one form: one request each, all held or none."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.shortcuts import redirect, render
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.clocks import deadline_for
from accounts.errors import NotPermitted, Refused
from accounts.rules import rule
from agreements import actions
from agreements.forms import SiteRequestForm
from agreements.models import ShareRequest
from agreements.permissions import request_refusal
from listings.views.sites import readable_site


@login_required
@require_http_methods(["GET", "POST"])
def request_site(request, pk: int):
    """The form with the capacity of every member that takes requests."""
    site, members = readable_site(request, pk)
    refusals = [request_refusal(request.membership, resource) for resource in members]
    open_ones = [resource for resource, why in zip(members, refusals, strict=True) if why is None]
    if not open_ones:
        problem = next(why for why in refusals if why is not None)
        if isinstance(problem, NotPermitted) and problem.code != "not_verified":
            raise PermissionDenied(str(problem.message))
        messages.error(request, problem.message)
        return redirect("site_detail", pk=site.pk)
    form = SiteRequestForm(request.POST if request.method == "POST" else None, resources=open_ones)
    if form.is_bound and form.is_valid() and (made := _ask(request, open_ones, form)):
        said = ngettext(
            "%(count)d request made. What you asked for is held for you.",
            "%(count)d requests made together. What you asked for is held for you.",
            len(made),
        )
        messages.success(request, said % {"count": len(made)})
        return redirect("request_detail", pk=made[0].pk)
    region = open_ones[0].region
    context = {
        "site": site,
        "form": form,
        "hold_until": deadline_for("clock.hold", region),
        "hold_rule": rule("clock.hold", region),
    }
    return render(request, "agreements/request_site.html", context, status=422 if form.errors else 200)


def _ask(request, resources, form: SiteRequestForm) -> list[ShareRequest]:
    """The one action; what it refuses becomes an error of the form."""
    values = form.cleaned_data
    try:
        return actions.request_together(
            by=request.user,
            membership=request.membership,
            resources=resources,
            quantities=form.quantities(),
            starts_on=values["starts_on"],
            months=values["months"],
            purpose=values["purpose"],
            key=values["key"],
        )
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal.message)) from refusal
    except Refused as refusal:
        form.add_error(None, str(refusal.message))
    except ValidationError as error:
        form.add_error(None, error.messages)
    return []
