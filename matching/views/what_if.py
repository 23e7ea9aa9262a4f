from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.errors import NotPermitted, Refused
from matching import actions, exports
from matching.forms import WhatIfForm
from matching.models import MatchRun
from matching.views.runs import run_of
from matching.what_if import what_if


@login_required
@require_GET
def run_what_if(request, pk: int):
    """Other weights, another radius, resources left out: the difference from a run, and nothing stored."""
    run = run_of(request, pk)
    if run.state != MatchRun.State.DONE:
        raise Http404
    is_asked = "show" in request.GET
    initial = WhatIfForm.initial_of(run.parameters)
    form = WhatIfForm(request.GET if is_asked else None, initial=initial)
    difference, refusal, again = None, "", []
    if is_asked and form.is_valid():
        try:
            difference = what_if(run=run, membership=request.membership, without=form.without(), **form.options())
        except NotPermitted as error:
            raise PermissionDenied(error.message) from error
        except Refused as error:
            refusal = error.message
        again = [(name, request.GET[name]) for name in form.fields if name in request.GET and name != "leave_out"]
    may_start = True
    try:
        actions.check_startable(request.membership, run.demand_list)
    except Refused:
        may_start = False
    context = {
        "run": run, "form": form, "difference": difference, "refusal": refusal, "again": again,
        "may_start": may_start, "withdrawn": bool(is_asked and form.is_valid() and form.without()),
    }  # fmt: skip
    return render(request, "matching/what_if.html", context)


@login_required
@require_GET
def run_download(request, pk: int, file_format: str):
    """A finished run as a file."""
    run = run_of(request, pk)
    if run.state != MatchRun.State.DONE or file_format not in exports.FORMATS:
        raise Http404
    return exports.as_download(run, request.membership, file_format)
