"""Who may see what of a place. Every output that tells where something stands passes this module.

Levels, most open first (domain, section 7): existence (counted only) → blurred (the stable cell of
SQL function gj_blur, at least 1 km × 1 km) → exact, to the owner, inside a grant, or to verified
organisations where the owner's disclosure level says so. Distances, orders, boxes and circles are
computed from the place as shown, so that they tell no more than the map does; the owner's own code and
the address name a place as well as co-ordinates do, so they go with the exact place.

A reader is a Membership, or anything falsy for a visitor. Nothing here queries by itself.
"""

from django.contrib.gis.db import models
from django.contrib.gis.geos import GEOSGeometry, Point
from django.db.models import BooleanField, Case, Exists, F, FloatField, Func, OuterRef, Q, Value, When
from django.utils import timezone

from accounts.models import Membership

NOBODY = Q(pk__in=[])


def _own(membership: Membership) -> Q:
    return Q(owner_id=membership.organisation_id) | Q(manager_id=membership.organisation_id)


def _granted(membership: Membership) -> Q:
    from listings.models import DisclosureGrant

    grants = DisclosureGrant.objects.filter(
        resource=OuterRef("pk"),
        organisation=membership.organisation_id,
        state=DisclosureGrant.State.GRANTED,
        expires_at__gt=timezone.now(),
    )
    return Q(Exists(grants))


def acts(membership: Membership | None) -> bool:
    """Whether there is somebody to make an exception for: a visitor and an ended membership get none."""
    return bool(membership) and membership.ended_at is None  # type: ignore[union-attr]


def granted_ids(membership: Membership) -> list[int]:
    """The resources whose exact place this organisation has been granted, today. Queries once."""
    from listings.models import DisclosureGrant

    grants = DisclosureGrant.objects.filter(
        organisation=membership.organisation_id, state=DisclosureGrant.State.GRANTED, expires_at__gt=timezone.now()
    )
    return list(grants.order_by().values_list("resource_id", flat=True))


def exact_for(membership: Membership | None) -> Q:
    """The resources whose exact place this reader may see. A falsy membership sees none."""
    if not acts(membership):
        return NOBODY
    may = _own(membership) | _granted(membership)  # type: ignore[arg-type]
    if membership.organisation.is_verified:  # type: ignore[union-attr]
        may |= Q(disclosure="exact")
    return may


def listed_for(membership: Membership | None) -> Q:
    """The resources this reader may read about: published and not existence-only, or one's own, or granted."""
    public = Q(state="published") & ~Q(disclosure="existence")
    if not acts(membership):
        return public
    return public | _own(membership) | (Q(state="published") & _granted(membership))  # type: ignore[arg-type]


def counted_for(membership: Membership | None) -> Q:
    """The published resources of which this reader learns only that they exist, summed up by region."""
    counted = Q(state="published", disclosure="existence")
    if not acts(membership):
        return counted
    return counted & ~_own(membership) & ~_granted(membership)  # type: ignore[arg-type]


def shown_place_sql(membership: Membership | None, resource: str = "r") -> tuple[str, list]:
    """shown_place as SQL on a row of listings_resource named `resource`, for queries written by hand; and its
    parameters. A test holds it to shown_place."""
    if not acts(membership):
        return f"{resource}.shown_cell", []
    one = membership.organisation_id  # type: ignore[union-attr]
    may = [f"{resource}.owner_id = %s", f"{resource}.manager_id = %s", f"{resource}.id = ANY(%s)"]
    if membership.organisation.is_verified:  # type: ignore[union-attr]
        may.append(f"{resource}.disclosure = 'exact'")
    sql = f"CASE WHEN {' OR '.join(may)} THEN {resource}.place ELSE {resource}.shown_cell END"
    return sql, [one, one, granted_ids(membership)]  # type: ignore[arg-type]


def shown_place(membership: Membership | None) -> Case:
    """The geometry (SRID 4326) this reader is shown: exact where permitted, else the cell."""
    return Case(
        When(exact_for(membership), then=F("place")),
        default=F("shown_cell"),
        output_field=models.GeometryField(srid=4326),
    )


def is_exact(membership: Membership | None) -> Case:
    """Whether shown_place is the exact one."""
    return Case(When(exact_for(membership), then=Value(True)), default=Value(False), output_field=BooleanField())


def matching_place() -> Case:
    """The geometry matching computes with: what any verified organisation is shown.

    So a run's distances, reasons and orders can be shown to any of them (docs/adr/0007).
    """
    return Case(
        When(disclosure="exact", then=F("place")), default=F("shown_cell"), output_field=models.GeometryField(srid=4326)
    )


class _Geographic(Func):
    """function(place::geography, point::geography[, metres]); written so that the indexes of 0003 serve it."""

    def __init__(self, place: str, point: Point, *more: float):
        super().__init__(F(place), Value(point.x), Value(point.y), *(Value(float(m)) for m in more))

    def as_sql(self, compiler, connection, **extra):
        (place, params), *others = [compiler.compile(e) for e in self.source_expressions]
        numbers = [p for _sql, ps in others for p in ps]
        further = ", %s" * (len(others) - 2)
        sql = f"{self.function}({place}::geography, ST_SetSRID(ST_MakePoint(%s, %s), 4326)::geography{further})"
        return sql, [*params, *numbers]


class _WithinMetres(_Geographic):
    function = "ST_DWithin"
    output_field = BooleanField()


class DistanceMetres(_Geographic):
    """Geodesic metres between a geometry column or annotation and a point."""

    function = "ST_Distance"
    output_field = FloatField()


class MetresFrom(Func):
    """Geodesic metres from a geometry (a column, or shown_place behind visible_to()) to any shape, SRID 4326."""

    output_field = FloatField()

    def __init__(self, place: str, shape: GEOSGeometry):
        super().__init__(F(place), Value(shape.hexewkb.decode()))

    def as_sql(self, compiler, connection, **extra):
        (place, params), (_value, shape) = [compiler.compile(e) for e in self.source_expressions]
        return f"ST_Distance(({place})::geography, %s::geometry::geography)", [*params, *shape]


def _where_shown(membership: Membership | None, exact: Q, cell: Q) -> Q:
    """`exact` for the rows whose place this reader sees, `cell` for all others.

    Says the same as a test of shown_place, in a form that the spatial indexes of both columns can serve.
    """
    if not acts(membership):
        return cell
    may = exact_for(membership)
    return (exact & may) | (cell & ~may)


def shown_within(membership: Membership | None, area: GEOSGeometry) -> Q:
    """The resources whose place as shown meets the area (SRID 4326)."""
    return _where_shown(membership, Q(place__intersects=area), Q(shown_cell__intersects=area))


def shown_near(membership: Membership | None, point: Point, distance_m: float) -> Q:
    """The resources whose place as shown lies within distance_m metres of the point."""
    return _where_shown(
        membership,
        Q(_WithinMetres("place", point, distance_m)),
        Q(_WithinMetres("shown_cell", point, distance_m)),
    )


class _AlongMetres(Func):
    """Within so many metres of a line, geodesic; served by the geography indexes."""

    output_field = BooleanField()

    def __init__(self, place: str, line: GEOSGeometry, distance_m: float):
        super().__init__(F(place), Value(line.hexewkb.decode()), Value(float(distance_m)))

    def as_sql(self, compiler, connection, **extra):
        (place, params), (_l, line), (_m, metres) = [compiler.compile(e) for e in self.source_expressions]
        return f"ST_DWithin({place}::geography, %s::geometry::geography, %s)", [*params, *line, *metres]


def shown_along(membership: Membership | None, line: GEOSGeometry, distance_m: float) -> Q:
    """The resources whose place as shown lies within distance_m metres of the line (SRID 4326)."""
    return _where_shown(
        membership, Q(_AlongMetres("place", line, distance_m)), Q(_AlongMetres("shown_cell", line, distance_m))
    )


def named_by(membership: Membership | None, text: str) -> list[Q]:
    """Ways to find the resources whose own code begins with the text or whose address holds it, among those whose
    exact place this reader may see."""
    if not acts(membership):
        return []
    found = [exact_for(membership) & Q(owner_code__istartswith=text)]
    if len(text) > 2:  # shorter ones stand in too many addresses to tell anything
        found.append(exact_for(membership) & Q(address__icontains=text))
    return found
