"""A case before the bureau has a conversation of its own: both sides and the bureaus it lies with.

What the sides said between themselves stays theirs; a bureau reads it only when one of them asks it to join. One
conversation for each time the case comes before the bureau, about the step that brought it there; it ends when the
case leaves the bureau.
"""

from collections.abc import Iterable

from django.contrib.gis.geos import GEOSGeometry
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Organisation, User
from messaging.actions import close, open_thread, tell, thread_about
from messaging.models import Thread
from messaging.subjects import Subject, Thing, register

from .conversation import RequestSubject, url_within
from .models import CaseStep, ShareRequest
from .notices import MEDIATORS, bureaus_of

_ABOUT_REQUEST = RequestSubject()


class MediationSubject(Subject):
    """About the step by which the case came before the bureau; everything else is asked of its request."""

    kind = _("Mediation")

    def url(self, subject: CaseStep) -> str:
        return _ABOUT_REQUEST.url(subject.request)

    def bureaus(self, subject: CaseStep) -> list[Organisation]:
        return _ABOUT_REQUEST.bureaus(subject.request)

    def things(self, subject: CaseStep, membership: Membership) -> Iterable[Thing]:
        return _ABOUT_REQUEST.things(subject.request, membership)

    def thing_url(self, thread: Thread, model: type[models.Model] | None, pk: int) -> str:
        return url_within(thread.subject.request_id, model, pk)

    def place_warning(self, subject: CaseStep, membership: Membership, shape: GEOSGeometry) -> str:
        return _ABOUT_REQUEST.place_warning(subject.request, membership, shape)


register(CaseStep, MediationSubject())


def mediation_thread(request: ShareRequest) -> Thread | None:
    """The conversation of the last time the case was before the bureau. Queries up to twice."""
    entry, before = 0, ""
    for pk, state in CaseStep.objects.filter(request=request).order_by("number").values_list("pk", "state"):
        if state in ShareRequest.WITH_BUREAU and before not in ShareRequest.WITH_BUREAU:
            entry = pk
        before = state
    return thread_about(CaseStep(pk=entry)) if entry else None


def follow(step: CaseStep, *, before: str) -> None:
    """Opens the conversation when the case comes before the bureau, tells its steps there, closes it when it leaves.

    Inside the transaction that writes the step.
    """
    request = step.request
    was_there, is_there = before in ShareRequest.WITH_BUREAU, step.state in ShareRequest.WITH_BUREAU
    if is_there and not was_there:
        sides = [request.requester, request.owner]
        thread = open_thread(subject=step, title=f"{request.code} · {request.resource.name}", organisations=sides)
        open_thread(subject=step, title=thread.title, organisations=bureaus_of(request), roles=MEDIATORS)
        _tell(thread, step, step.by)
    elif was_there and (talk := mediation_thread(request)):
        _tell(talk, step, step.by)
        if not is_there:
            close(thread=talk)


def _tell(thread: Thread, step: CaseStep, by: User | None) -> None:
    tell(thread=thread, code=f"request.{step.verb}", by=by, organisation=step.organisation, payload={"note": step.note})
