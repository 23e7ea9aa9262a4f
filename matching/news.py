"""The other direction: lines that newly published supply would serve, told to those who asked and to the owners."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Event, Organisation
from accounts.models.organisations import Role
from accounts.rules import rule
from listings.models import DemandLine, DemandList, Resource
from messaging.actions import notify

from . import candidates
from .candidates import PLACE
from .core.criteria import margins, meets
from .models import SupplyNews

VERBS = ("resource.publish", "resource.resume")
BATCH = 5_000  # publications looked at together
SETTLED = timedelta(seconds=3)  # an event with a lower number may be committed later than one with a higher

# Lines of public lists within their limit of one of the resources: the box first, the distance is checked afterwards.
NEAR = f"""
SELECT DISTINCT l.demand_list_id, l.id
  FROM unnest(%(resources)s::bigint[]) AS news (id) JOIN listings_resource r ON r.id = news.id
  JOIN listings_demandlist d ON d.state IN ('notice', 'in_force')
  JOIN listings_demandline l ON l.demand_list_id = d.id AND l.kind = r.kind AND l.state = 'open'
 WHERE r.state = 'published' AND r.disclosure <> 'existence'
   AND ST_DWithin({PLACE}::geography, l.place::geography, coalesce(l.tolerance_m, %(radius)s))
"""


# A room serves lines that ask for one beside a tower: the towers of its site are looked at with it.
SITE_TOWERS = """
SELECT t.id FROM listings_resource m JOIN listings_resource t ON t.site_id = m.site_id AND t.kind = 'tower'
 WHERE m.id = ANY (%(resources)s) AND m.kind = 'room'
"""


@dataclass(frozen=True)
class Served:
    """A line and a resource (of a room at a site, its tower) that would serve it alone: every hard criterion is met."""

    line: int
    resource: int


def would_serve(resources: Sequence[int]) -> list[Served]:
    """Open lines of public lists that these published resources would serve. Five queries per list concerned, or so."""
    today = timezone.localdate()
    radius = float(rule("match.radius_m", on=today).value)
    with connection.cursor() as cursor:
        cursor.execute(SITE_TOWERS, {"resources": list(resources)})
        towers = [int(pk) for (pk,) in cursor.fetchall()]
        cursor.execute(NEAR, {"resources": sorted({*resources, *towers}), "radius": radius})
        rows = cursor.fetchall()
    by_list: dict[int, list[int]] = {}
    for list_id, line in rows:
        by_list.setdefault(list_id, []).append(line)
    result = []
    for demand_list in DemandList.objects.filter(pk__in=by_list).order_by("pk"):
        radius = float(rule("match.radius_m", demand_list.region_id, on=today).value)
        lines = candidates.read_lines(demand_list.pk, radius_m=radius, today=today, only=by_list[demand_list.pk])
        found = candidates.find(lines, today=today)
        is_new = np.isin(found.resource_ids, list(resources)) | np.isin(found.room_ids, list(resources))
        fits = np.asarray(meets(margins(found.pairs)).all(axis=0)) & is_new
        pairs = np.unique(np.stack([lines.id[found.pairs.line[fits]], found.resource_ids[fits]], axis=1), axis=0)
        result += [Served(int(line), int(resource)) for line, resource in pairs]
    return result


@transaction.atomic
def tell_of_new_supply() -> int:
    """Reads the publications since the last time and tells applicants and owners; gives how many were told.

    One notification per applicant and batch, and one per owner: a bulk publication of thousands is one message each.
    Idempotent: a batch is named by its last event. Locks the reading mark, so that one reader works at a time.
    """
    mark, _ = SupplyNews.objects.get_or_create(pk=1)
    mark = SupplyNews.objects.select_for_update(no_key=True).get(pk=mark.pk)
    events = (
        Event.objects.filter(
            subject_type=ContentType.objects.get_for_model(Resource), verb__in=VERBS, pk__gt=mark.last_event
        )
        .exclude(at__gt=timezone.now() - SETTLED)
        .order_by("pk")[:BATCH]
    )
    news = [(pk, int(subject)) for pk, subject in events.values_list("pk", "subject_id")]
    if not news:
        return 0
    served = would_serve(sorted({resource for _, resource in news}))
    told = _tell(served, batch=news[-1][0])
    mark.last_event = news[-1][0]
    mark.save(update_fields=["last_event", "read_at"])
    return told


def _tell(served: list[Served], *, batch: int) -> int:
    if not served:
        return 0
    owner = dict(Resource.objects.filter(pk__in={s.resource for s in served}).values_list("pk", "owner_id"))
    asker = dict(DemandLine.objects.filter(pk__in={s.line for s in served}).values_list("pk", "applicant_id"))
    askers: dict[int, set[int]] = {}
    owners: dict[int, set[int]] = {}
    for s in served:
        if asker.get(s.line):
            askers.setdefault(asker[s.line], set()).add(s.line)
        owners.setdefault(owner[s.resource], set()).add(s.line)
    told = 0
    organisations = Organisation.objects.in_bulk({*askers, *owners})
    for pk, lines in sorted(askers.items()):
        told += notify(
            code="supply.would_serve", payload={"count": len(lines)}, url="/matching/mine/",
            key=f"supply:{batch}:asker:{pk}", organisation=organisations[pk], roles=[Role.ADMIN, Role.NEGOTIATOR],
        )  # fmt: skip
    for pk, lines in sorted(owners.items()):
        told += notify(
            code="supply.wanted", payload={"count": len(lines)}, url="/lists/",
            key=f"supply:{batch}:owner:{pk}", organisation=organisations[pk], roles=[Role.ADMIN, Role.NEGOTIATOR],
        )  # fmt: skip
    return told
