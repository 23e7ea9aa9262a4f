"""What the page of one resource shows to one reader, and a row of the own list. Reads only."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Event, Membership
from accounts.permissions import is_member
from accounts.rules import rule
from listings.capacity_view import PoolView, views_of
from listings.facts import common_facts, fact_groups
from listings.forms.page import DocumentForm, GrantForm, PhotoForm
from listings.forms.resources import ACCESS, WORKS
from listings.freshness import freshness
from listings.history_words import value_words
from listings.kinds.registry import SPECS
from listings.line_page import line_parts
from listings.models import CapacityPool, DisclosureGrant, Resource
from listings.models.resources import Occupancy, SharingMode
from listings.occupancy import occupancy_of
from listings.permissions import acts_on, may_keep, why_no_delete, why_no_edit, why_no_grant_ask, why_no_request
from listings.pool_calendar import calendars
from listings.pricing import Example, worked_example
from listings.site_page import site_of
from listings.works_links import works_of

EVENTS_SHOWN = 30
GRANTS_SHOWN = 50
TEXT_SHOWN = 80  # characters of a value in the history; a line's coordinates can be thousands
EXAMPLE_UNITS = {"position": 1, "bore": 2, "core": 12, "rack_u": 42, "kw": 2}


@dataclass(frozen=True)
class PoolRow:
    """A pool with its bar, what comes free when, and its price worked through."""

    view: PoolView
    example: Example

    @property
    def pool(self) -> CapacityPool:
        return self.view.pool


def page_of(resource: Resource, membership: Membership | None) -> dict[str, Any]:
    """The template's context. The resource comes from visible_to(): what it does not carry is not shown."""
    today = timezone.localdate()
    is_own = is_member(membership or None, resource.owner)
    may_change = may_keep(membership or None, resource)
    pools = list(resource.pools.order_by("-height_m", "pk"))
    rows = [PoolRow(view, _example(view.pool, resource)) for view in views_of(pools, today=today)]
    is_free = any(pool.free > 0 for pool in pools)
    months = rule("freshness.stale_months", resource.region_id).whole
    calendar = calendars(pools, since=today)
    soon = [row.view.next_free_on for row in rows if row.view.next_free_on]
    is_free = is_free or bool(soon)  # what comes free later can be asked for now
    return {
        "resource": resource,
        "spec": SPECS[resource.kind],
        "is_own": is_own,
        "may_edit": may_change,
        "may_read_address": resource.is_exact,
        "pools": rows,
        "facts": fact_groups(resource, stale_months=months),
        "works": common_facts(resource, WORKS, stale_months=months) if is_planned(resource) else [],
        "works_link": works_of(resource, membership or None) if is_planned(resource) else None,
        "access": common_facts(resource, ACCESS, stale_months=months) if resource.is_exact else [],
        "condition": common_facts(resource, ["condition"], stale_months=months)[0],
        "occupancy": _occupancy(resource, pools),
        "calendars": [each for each in calendar if each.changes],
        "site": site_of(resource, membership or None),
        **line_parts(resource, membership or None),
        "sharing_modes": [SharingMode(mode).label for mode in resource.sharing_modes],
        "freshness": freshness(resource.facts_on, stale_months=months, today=today),
        "stale_months": months,
        "geojson": feature_collection(resource, pools),
        "photos": list(resource.photos.order_by("pk")),
        "why_no_request": why_no_request(resource, membership or None, free=is_free),
        "photo_form": PhotoForm() if may_change else None,
        "documents": list(resource.documents.order_by("pk")) if resource.is_exact else [],
        "document_form": DocumentForm() if may_change else None,
        "is_kept": may_change and not is_own,
        **_own_part(resource, membership, is_own),
        **_grant_part(resource, membership, is_own),
    }


def _example(pool: CapacityPool, resource: Resource) -> Example:
    quantity = min(Decimal(EXAMPLE_UNITS[pool.unit]), pool.total) or Decimal(1)
    return worked_example(pool.unit, pool.price_fen_per_unit_year, resource.length_m, quantity=quantity)


def _own_part(resource: Resource, membership: Membership | None, is_own: bool) -> dict[str, Any]:
    """Acts and history: for the owner's people only."""
    if not is_own:
        return {
            "acts": [],
            "why_no_edit": why_no_edit(resource, membership or None),
            "why_no_delete": "-",
            "events": [],
        }
    events = Event.objects.about(resource).select_related("actor", "organisation", "subject_type")
    return {
        "acts": acts_on(resource, membership),
        "why_no_edit": why_no_edit(resource, membership),
        "why_no_delete": why_no_delete(resource, membership),
        "events": [readable(event, resource) for event in events[:EVENTS_SHOWN]],
    }


def readable(event: Event, resource: Resource) -> Event:
    """The event (not to be saved) with the kind's own fields under their labels and long texts cut."""
    facts = {field.name: field for field in SPECS[resource.kind].model._meta.concrete_fields}
    fields = {field.name: field for field in resource._meta.concrete_fields} | facts
    labels = {name: str(field.verbose_name) for name, field in facts.items()} | {"pools": _("Capacity")}
    before, after = event.before or {}, event.after or {}

    def short(values: dict[str, Any]) -> dict[str, Any]:
        return {labels.get(name, name): _cut(value_words(name, value, fields)) for name, value in values.items()}

    event.before, event.after = event.before and short(before), event.after and short(after)
    for name in before.keys() & after.keys():
        label = labels.get(name, name)
        if before[name] != after[name] and event.before[label] == event.after[label]:  # cut, or the points between
            event.after[label] = _("%(value)s (differs in what is not shown)") % {"value": event.after[label]}
    return event


def _cut(value: Any) -> Any:
    return f"{value[:TEXT_SHOWN]}…" if isinstance(value, str) and len(value) > TEXT_SHOWN else value


def _grant_part(resource: Resource, membership: Membership | None, is_own: bool) -> dict[str, Any]:
    """The owner reads who asked and who sees; another organisation its own latest question."""
    grants: list[DisclosureGrant] = []
    latest = None
    if is_own:
        asked = resource.grants.select_related("organisation", "asked_by", "answered_by")
        grants = list(asked.order_by("-asked_at", "pk")[:GRANTS_SHOWN])
    elif membership:
        own = resource.grants.filter(organisation=membership.organisation_id)
        latest = own.order_by("-asked_at", "pk").first()
    why_not = why_no_grant_ask(resource, membership or None)
    return {
        "grants": grants,
        "latest_grant": latest,
        "now": timezone.now(),
        "why_no_grant": why_not,
        "grant_form": GrantForm() if not why_not and not resource.is_exact else None,
    }


def tone_of(pools: Iterable[CapacityPool]) -> str:
    """free, partly or full, as the map's colours say it."""
    pools = list(pools)
    if not any(pool.free > 0 for pool in pools):
        return "full"
    return "partly" if any(pool.in_use or pool.taken for pool in pools) else "free"


def is_planned(resource: Resource) -> bool:
    """Whether the record speaks of works that space and power are kept in."""
    return bool(resource.project_type or resource.project_name or resource.join_until)


def _occupancy(resource: Resource, pools: list[CapacityPool]) -> str:
    code = occupancy_of(resource.occupancy, pools)
    return str(Occupancy(code).label) if code else ""


def feature_collection_of(resources: Iterable[Resource]) -> dict[str, Any]:
    """The places of several resources as this reader is shown them, each with a link to its page."""
    features = []
    for resource in resources:
        (feature,) = feature_collection(resource, resource.pools.all())["features"]
        feature["properties"]["url"] = reverse("resource_detail", args=[resource.pk])
        features.append(feature)
    return {"type": "FeatureCollection", "features": features}


def feature_collection(resource: Resource, pools: Iterable[CapacityPool]) -> dict[str, Any]:
    """The place as this reader is shown it, for the page's map."""
    properties = {
        "label": resource.name,
        "url": "",
        "kind": resource.kind,
        "tone": tone_of(pools),
        "is_blurred": not resource.is_exact,
    }
    feature = {"type": "Feature", "geometry": json.loads(resource.shown_place.json), "properties": properties}
    return {"type": "FeatureCollection", "features": [feature]}


@dataclass(frozen=True)
class OwnRow:
    resource: Resource
    free: list[tuple[Decimal, Decimal, str]]  # free, total, unit
    is_stale: bool

    @property
    def icon(self) -> str:
        return SPECS[self.resource.kind].icon


def rows_of(resources: Iterable[Resource]) -> list[OwnRow]:
    """Rows of the own list; pools are prefetched, so nothing is queried but the rule once."""
    resources = list(resources)
    months = rule("freshness.stale_months").whole
    today = timezone.localdate()
    rows = []
    for resource in resources:
        sums: dict[str, list[Decimal]] = {}
        for pool in resource.pools.all():
            free_total = sums.setdefault(pool.unit, [Decimal(0), Decimal(0)])
            free_total[0] += pool.free
            free_total[1] += pool.total
        stale = freshness(resource.facts_on, stale_months=months, today=today).is_stale
        rows.append(OwnRow(resource, [(a, b, unit) for unit, (a, b) in sums.items()], stale))
    return rows
