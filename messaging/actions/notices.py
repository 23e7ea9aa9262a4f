"""Telling people something, once per key and person."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from django.db import transaction

from accounts.models import Membership, Organisation, User
from messaging.bell import ring_user
from messaging.models import Notification, Thread


def people_of(organisation: Organisation, roles: Iterable[str] | None = None) -> list[User]:
    """The active members of an organisation, holding one of the roles where roles are named."""
    memberships = Membership.objects.active().filter(organisation=organisation).select_related("user")
    if roles is not None:
        memberships = memberships.with_role(*roles)
    return [membership.user for membership in memberships.order_by("pk")]


@transaction.atomic
def notify(
    *,
    code: str,
    payload: dict[str, Any],
    url: str,
    key: str,
    users: Iterable[User] | None = None,
    organisation: Organisation | None = None,
    roles: Iterable[str] | None = None,
    thread: Thread | None = None,
) -> int:
    """Tells people something, once per key and person; gives how many were newly told.

    Either users, or an organisation (its members, with one of the roles if named). thread: the conversation of the
    case it belongs to, so that people can choose per case. The payload must carry no place and no price: who reads
    it may not be entitled to them. The post office decides later about e-mail (messaging/post.py).
    """
    told = list(users) if users is not None else people_of(organisation, roles) if organisation else []
    rows = [
        Notification(user=user, organisation=organisation, thread=thread, code=code, payload=payload, url=url, key=key)
        for user in told
    ]
    before = Notification.objects.filter(key=key, user__in=told).count()
    Notification.objects.bulk_create(rows, ignore_conflicts=True)
    for user in told:
        transaction.on_commit(partial(ring_user, user), robust=True)
    return len(rows) - before
