"""Who is told when a case moves: the thread, and the people who owe the next step. No place and no price in notices."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import override

from accounts.models import Organisation, User
from accounts.models.organisations import Role
from messaging import actions as messaging

from .models import ShareRequest


def neutral_path(name: str, pk: int) -> str:
    """A page's address without language prefix, as notifications keep it."""
    with override(settings.LANGUAGE_CODE):
        return reverse(name, args=[pk])


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
        payload={"request": request.code, "organisation": by.name_zh if by else ""},
        url=neutral_path(page, page_id or request.pk),
        key=f"request:{request.pk}:{key}",
    )


NEGOTIATORS = (Role.ADMIN, Role.NEGOTIATOR)
SIGNATORIES = (Role.ADMIN, Role.NEGOTIATOR, Role.SIGNATORY)


def other_side(request: ShareRequest, organisation: Organisation) -> Organisation:
    return request.owner if organisation.pk == request.requester_id else request.requester
