"""Who is told when a case moves: the thread, and the people who owe the next step. No place and no price in notices."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import override

from accounts.models import Organisation, User
from accounts.models.organisations import Role
from messaging import actions as messaging

from . import states
from .models import Bundle, ShareRequest


def neutral_path(name: str, pk: int) -> str:
    """A page's address without language prefix, as notifications keep it."""
    with override(settings.LANGUAGE_CODE):
        return reverse(name, args=[pk])


def neutral_list(name: str) -> str:
    """The address of a page of its own, likewise."""
    with override(settings.LANGUAGE_CODE):
        return reverse(name)


def tell_thread(
    request: ShareRequest, code: str, /, *, by: User | None, organisation: Organisation | None, **payload: Any
) -> None:
    """Writes the step into the case's conversation; the payload fills the code's wording (agreements/wording.py)."""
    thread = messaging.thread_about(request)
    if thread is not None:
        messaging.tell(thread=thread, code=code, by=by, organisation=organisation, payload=payload)


def notify(
    request: ShareRequest,
    code: str,
    *,
    organisation: Organisation,
    roles: Iterable[str],
    key: str,
    by: Organisation | None = None,
    page: str = "request_detail",
    page_id: int | None = None,
) -> None:
    """Tells the people of one side, once per key; by: the organisation that acted."""
    messaging.notify(
        organisation=organisation,
        roles=list(roles),
        code=f"notice.{code}",
        payload={
            "request": request.code,
            "organisation": by.name_zh if by else "",
            "organisation_en": by.name_en if by else "",
        },  # fmt: skip
        url=neutral_path(page, page_id or request.pk),
        key=f"request:{request.pk}:{key}",
        thread=messaging.thread_about(request),
    )


def notify_bundle(bundle: Bundle, code: str, *, organisation: Organisation, key: str) -> None:
    """Tells the people of one side about the joint request as a whole, once per key."""
    messaging.notify(
        organisation=organisation,
        roles=list(SIGNATORIES),
        code=f"notice.{code}",
        payload={"bundle": bundle.code},
        url=neutral_path("bundle_detail", bundle.pk),
        key=f"bundle:{bundle.pk}:{key}",
    )


def tell_step(
    request: ShareRequest, verb: str, *, by: User | None, organisation: Organisation | None, note: str = ""
) -> None:
    """The step in the conversation, and a notice to both sides but the one that acted, and to the bureau where the
    case lies with it."""
    tell_thread(request, f"request.{verb}", by=by, organisation=organisation, note=note)
    key = f"{verb}:{request.steps.count()}"
    told = [request.requester, request.owner]
    if request.state in ShareRequest.WITH_BUREAU:
        told += list(bureaus_of(request))
    for side in told:
        if organisation is None or side.pk != organisation.pk:
            roles = MEDIATORS if side.is_bureau else SIGNATORIES
            notify(request, f"request.{verb}", organisation=side, roles=roles, key=key, by=organisation)


def bureaus_of(request: ShareRequest) -> QuerySet[Organisation]:
    """The verified bureaus a case comes before: the nearest level for the resource and for the applicant's seat."""
    rows = Organisation.objects.bureaus().verified().filter(region_id__in=request.bureau_regions)
    return rows.select_related("region").order_by("pk")


def warn(request: ShareRequest, *, key: str) -> None:
    """A clock runs out soon: told to who owes the next step, and to both where nobody does."""
    sides = states.waiting_for(request) or set(states.BOTH)
    told = [request.owner] if states.Side.OWNER in sides else []
    told += [request.requester] if states.Side.REQUESTER in sides else []
    told += list(bureaus_of(request)) if states.Side.BUREAU in sides else []
    for side in told:
        roles = MEDIATORS if side.is_bureau else SIGNATORIES
        notify(request, "request.warn", organisation=side, roles=roles, key=key)


NEGOTIATORS = (Role.ADMIN, Role.NEGOTIATOR)
MEDIATORS = (Role.ADMIN, Role.MEDIATOR)
SIGNATORIES = (Role.ADMIN, Role.NEGOTIATOR, Role.SIGNATORY)


def other_side(request: ShareRequest, organisation: Organisation) -> Organisation:
    return request.owner if organisation.pk == request.requester_id else request.requester
