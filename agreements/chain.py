"""Which agreement amends or renews which: the chain an agreement stands in. A fixed number of queries per link."""

from dataclasses import dataclass

from django.db import connection

from agreements.models import Agreement

LINKS_MAX = 20  # to either side


@dataclass(frozen=True)
class Link:
    """An agreement of the chain, oldest first. change: what it did to the one before ("" for the first)."""

    agreement: Agreement
    change: str
    change_words: str
    is_here: bool


def chain(agreement: Agreement) -> list[Link]:
    """The whole chain through this agreement, void ones left out; empty where nothing was ever amended or renewed.

    An agreement both renewed and amended has two successors: they stand in the order they were agreed.
    """
    first, steps = agreement, 0
    while first.request.amends_id and steps < LINKS_MAX:
        first = _fetched().get(pk=first.request.amends_id)
        steps += 1
    found, latest = [first], [first.pk]
    for _step in range(2 * LINKS_MAX):
        following = list(
            _fetched().filter(request__amends__in=latest).exclude(state=Agreement.State.VOID).order_by("pk")
        )
        if not following:
            break
        found += following
        latest = [one.pk for one in following]
    if len(found) == 1:
        return []
    return [
        Link(one, one.request.change, str(one.request.get_change_display()), one.pk == agreement.pk) for one in found
    ]


def renewed_by(agreement_id: int | None, but: int | None = None) -> int | None:
    """The case in force that renews the agreement's period, also where the agreement was amended before or the renewal
    since; None: not renewed. but: a case whose own period does not count. Queries once, as the database's own rule."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT renewal_in_force(%s, %s)", [agreement_id, but])
        found: int | None = cursor.fetchone()[0]
    return found


def _fetched():
    return Agreement.objects.select_related("request", "offer")
