"""Saved searches: kept under a name, changed, given up; and the alerts about what newly fits them.

The alerts run in the background over the changes that triggers note (SearchChange), never over searches alone: per
batch one read of the changed resources, a sieve in memory per search, and a proper question only for the searches
something passed. Whether a find is told is asked once more when it is told (visible_to at that moment).
"""

import datetime as dt
from itertools import groupby
from typing import Any

import numpy as np
from django.db import connection, transaction
from django.db.models import Q
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.errors import Refused
from accounts.events import record
from accounts.models import Membership, User
from accounts.rules import rule
from listings import saved_sieve, search
from listings.forms.browse import BrowseForm
from listings.found import Found
from listings.models import Resource, SavedFind, SavedSearch
from messaging.actions import notify
from messaging.models import Notification

KNOWN_MOST = 20_000  # fits that are kept as known; of a wider search only what is published later is told
BATCH = 5_000  # changed resources looked at in one transaction
PAUSE = dt.timedelta(minutes=10)  # between two alerts of one search: a file stored in parts is one piece of news
NOT_KEPT = ("page", "view", "csrfmiddlewaretoken")


def kept_query(query: QueryDict) -> str:
    """The conditions and the order of a map address, in a fixed order, so that the same search reads the same."""
    names = [name for name in sorted(BrowseForm.base_fields) if name not in NOT_KEPT]
    fresh = QueryDict(mutable=True)
    for name in names:
        if values := [value for value in query.getlist(name) if value]:
            fresh.setlist(name, values)
    return fresh.urlencode()


def read_query(query: str, reader: Membership | None) -> BrowseForm:
    """The form of a kept query, bound; with errors where it cannot be read (any more)."""
    return BrowseForm(QueryDict(query), reader=reader)


def _criteria(query: str, reader: Membership | None) -> dict[str, Any]:
    """What a kept query asks for. Raises Refused: a condition left out would widen the search."""
    form = read_query(query, reader)
    criteria = form.criteria
    if form.errors:
        raise Refused(
            " ".join(str(sentence) for errors in form.errors.values() for sentence in errors), code="unreadable"
        )
    if not set(criteria) - {"sort", "radius_m"}:
        raise Refused(_("Set at least one condition before you save the search."), code="everything")
    return criteria


@transaction.atomic
def save_search(
    *, by: User, membership: Membership | None, name: str, query: QueryDict, is_alerting: bool = True
) -> SavedSearch:
    """Keeps a search under a name. What fits it now is known and never told.

    Raises Refused: no condition, a condition that cannot be read, the cap of searches reached (rule
    cap.saved_searches). ValidationError for an empty or repeated name. Locks the person's row.
    """
    User.objects.select_for_update(no_key=True).only("pk").get(pk=by.pk)  # the count holds
    most = rule("cap.saved_searches", membership.organisation.region_id if membership else None).whole
    if SavedSearch.objects.filter(user=by).count() >= most:
        raise Refused(_("You keep %(most)s searches already: delete one first.") % {"most": most}, code="too_many")
    kept = kept_query(query)
    criteria = _criteria(kept, membership)
    fresh = SavedSearch(
        user=by, organisation=membership.organisation if membership else None, name=" ".join(name.split()),
        query=kept, is_alerting=is_alerting, sieve=saved_sieve.sieve_of(criteria, today=timezone.localdate()),
        known=_known(membership, criteria),
    )  # fmt: skip
    fresh.full_clean(exclude=["known"])
    fresh.save(force_insert=True)
    record("saved_search.create", fresh, by=by, after={"query": kept, "is_alerting": is_alerting})
    return fresh


def _known(reader: Membership | None, criteria: dict[str, Any]) -> bytes | None:
    found = Found(reader, criteria)
    if found.total > KNOWN_MOST:
        return None
    return saved_sieve.packed([] if found.is_similar else found.ids(0, found.total))


@transaction.atomic
def change_search(*, search: SavedSearch, by: User, name: str, is_alerting: bool) -> SavedSearch:
    """Another name, alerts on or off. What began to fit while they were off is known when they come on again.

    Raises Refused where the search can no longer be read, ValidationError for the name.
    """
    row = SavedSearch.objects.select_for_update().get(pk=search.pk, user=by)
    before = {"name": row.name, "is_alerting": row.is_alerting}
    if is_alerting and not row.is_alerting:
        _look_anew(row)
    row.name, row.is_alerting = " ".join(name.split()), is_alerting
    row.full_clean(exclude=["known"])
    row.save(update_fields=["name", "is_alerting", "sieve", "known"])
    record(
        "saved_search.change", row, by=by, before=before, after={"name": row.name, "is_alerting": row.is_alerting}
    )  # fmt: skip
    return row


def _look_anew(row: SavedSearch) -> None:
    reader = reader_of(row)
    if reader is None and row.organisation_id is not None:
        raise Refused(_("You are no member of that organisation any more."), code="ended")
    criteria = _criteria(row.query, reader)
    row.sieve, row.known = saved_sieve.sieve_of(criteria, today=timezone.localdate()), _known(reader, criteria)


@transaction.atomic
def delete_search(*, search: SavedSearch, by: User) -> None:
    """Gives a saved search up, with its finds and with the notifications that lead to it."""
    row = SavedSearch.objects.select_for_update().get(pk=search.pk, user=by)
    record("saved_search.delete", row, by=by, before={"name": row.name, "query": row.query})
    Notification.objects.filter(user=by, url=own_path(row.pk)).delete()
    row.delete()


def own_path(pk: int) -> str:
    """The search's page without language prefix."""
    with translation.override("zh-hans"):
        return reverse("saved_search_detail", args=[pk])


def reader_of(row: SavedSearch) -> Membership | None:
    """As whom the person looks: their membership of the search's organisation, while it holds. Queries once."""
    if row.organisation_id is None:
        return None
    rows = Membership.objects.active().filter(user=row.user_id, organisation=row.organisation_id)
    return rows.select_related("organisation").first()


# --- Alerts -----------------------------------------------------------------------------------


def alert(*, now: dt.datetime | None = None) -> int:
    """Looks at everything that changed and tells what is due; gives how many finds were new. For the worker."""
    found = 0
    while True:
        looked, new = take_changes()
        found += new
        if looked < BATCH:
            break
    tell_finds(now=now)
    return found


@transaction.atomic
def take_changes() -> tuple[int, int]:
    """Takes one batch of noted changes away and keeps what newly fits the alerting searches as finds.

    Gives (changes taken, finds made). All in one transaction: a worker that dies leaves the changes to the next.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH batch AS (SELECT id FROM listings_searchchange ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)"
            " DELETE FROM listings_searchchange c USING batch WHERE c.id = batch.id RETURNING c.resource_id",
            [BATCH],
        )
        taken = [row[0] for row in cursor.fetchall()]
    if not taken:
        return 0, 0
    rows = saved_sieve.changed_rows(sorted(set(taken)))
    searches = SavedSearch.objects.filter(is_alerting=True, user__is_active=True).select_related("user").order_by("pk")
    made = sum(_find(row, rows) for row in searches.iterator(chunk_size=500))
    return len(taken), made


def _find(row: SavedSearch, rows: dict[str, np.ndarray]) -> int:
    """The finds of one search among the changed resources. Queries only if something passes the sieve."""
    keep = saved_sieve.passing(row.sieve, rows)
    if row.organisation_id:  # one's own colleagues' resources are no news
        keep &= rows["owners"] != row.organisation_id
    if row.known is not None and keep.any():
        keep &= ~np.isin(rows["ids"], saved_sieve.unpacked(row.known))
    if not keep.any():
        return 0
    fitting = _fitting(row, rows["ids"][keep].tolist())
    old = set(SavedFind.objects.filter(search=row, resource__in=fitting).values_list("resource_id", flat=True))
    new = [SavedFind(search=row, resource_id=pk) for pk in fitting if pk not in old]
    SavedFind.objects.bulk_create(new, ignore_conflicts=True)
    return len(new)


def _fitting(row: SavedSearch, ids: list[int]) -> list[int]:
    """Which of the resources the search finds for its reader now; none where it cannot be read or they have left."""
    reader = reader_of(row)
    if reader is None and row.organisation_id is not None:
        return []
    try:
        criteria = _criteria(row.query, reader)
    except Refused:
        return []
    rows = Resource.objects.visible_to(reader).published().filter(pk__in=ids)
    if row.known is None:
        rows = rows.filter(published_at__gte=row.created_at)
    return sorted(search.meeting(rows, reader, criteria).order_by().values_list("pk", flat=True))


def tell_finds(*, now: dt.datetime | None = None) -> int:
    """Tells people of finds they have not been told of; gives how many searches. A search is told once in PAUSE.

    What the person may no longer see is forgotten, so that it can be found again; the rest is one notification.
    """
    now = now or timezone.now()
    due = SavedSearch.objects.filter(Q(told_at=None) | Q(told_at__lte=now - PAUSE), is_alerting=True)
    ids = SavedFind.objects.filter(told_at=None, search__in=due).order_by("search").values_list("search", flat=True)
    return sum(_tell(pk, now) for pk, _group in groupby(ids))


@transaction.atomic
def _tell(pk: int, now: dt.datetime) -> bool:
    row = SavedSearch.objects.select_for_update(skip_locked=True, of=("self",)).select_related("user").filter(pk=pk)
    search_row = row.first()
    if search_row is None:
        return False
    untold = SavedFind.objects.filter(search=search_row, told_at=None)
    still = _fitting(search_row, list(untold.order_by().values_list("resource_id", flat=True)))
    untold.exclude(resource__in=still).delete()
    if not still:
        return False
    untold.update(told_at=now)
    search_row.told_at = now
    search_row.save(update_fields=["told_at"])
    notify(
        code="saved_search.find", payload={"search": search_row.name, "finds": len(still)},
        url=own_path(search_row.pk), key=f"saved_search:{search_row.pk}:{now.timestamp():.0f}",
        users=[search_row.user], organisation=search_row.organisation,
    )  # fmt: skip
    return True
