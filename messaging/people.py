"""Who takes part in a thread, as people."""

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Q

from accounts.models import Membership, User

from .models import Thread, ThreadParty


def memberships_in(threads: Iterable[Thread | int]) -> list[tuple[int, Membership]]:
    """(thread id, membership) of everybody who takes part in one of the threads, with user and organisation. Queries
    twice."""
    parties = list(
        ThreadParty.objects.present()
        .filter(thread__in=list(threads))
        .values_list("thread_id", "organisation_id", "roles")
    )
    rows = (
        Membership.objects.active()
        .filter(organisation__in={organisation for _, organisation, _ in parties}, user__is_active=True)
        .select_related("user", "organisation")
        .order_by("organisation_id", "pk")
    )
    by_organisation: dict[int, list[Membership]] = {}
    for row in rows:
        by_organisation.setdefault(row.organisation_id, []).append(row)
    return [
        (thread_id, membership)
        for thread_id, organisation_id, roles in parties
        for membership in by_organisation.get(organisation_id, [])
        if not roles or membership.has_role(*roles)
    ]


def people_in(thread: Thread) -> list[User]:
    """The people who take part in a thread, each once. Queries once."""
    parties = (
        ThreadParty.objects.present()
        .filter(thread=thread, organisation=OuterRef("organisation"))
        .filter(Q(roles=[]) | Q(roles__overlap=OuterRef("roles")))
    )
    rows = Membership.objects.active().filter(Exists(parties), user__is_active=True).select_related("user")
    return list({row.user_id: row.user for row in rows.order_by("user_id")}.values())
