"""What the page of a duct, cable or pole shows: bores, chambers, which line carries which cable. Reads only."""

from collections.abc import Iterable
from typing import Any

from accounts.models import Membership
from listings.duct_face import Face, bore_rows, face_of
from listings.models import Bore, Carriage, DuctChamber, Kind, Resource

CARRIED_MAX = 100


def line_parts(resource: Resource, membership: Membership | None) -> dict[str, Any]:
    """face, bores, chambers, carriers, carried: as far as this reader may know of the other end."""
    parts: dict[str, Any] = {"face": None, "bores": [], "chambers": [], "carriers": [], "carried": []}
    if resource.kind == Kind.CABLE:
        parts["carriers"] = _readable(resource, resource.carriers.all(), "carrier", membership)
    elif resource.kind in (Kind.DUCT, Kind.TOWER):
        parts["carried"] = _readable(resource, resource.carried.all(), "cable", membership)
    if resource.kind == Kind.DUCT:
        bores = list(resource.bores.order_by("row", "column", "label"))
        in_bore: dict[int, list[Carriage]] = {}
        for row in parts["carried"]:
            if row.bore_id:
                in_bore.setdefault(row.bore_id, []).append(row)
        parts |= {"face": _face(resource, bores), "bores": bore_rows(bores, in_bore)}
        if resource.is_exact:  # type: ignore[attr-defined]  # visible_to() annotates it
            parts["chambers"] = _chambers(resource, membership)
    return parts


def _face(resource: Resource, bores: list[Bore]) -> Face | None:
    return face_of(bores, resource.duct.face_rows, resource.duct.face_columns)


def _readable(resource: Resource, rows: Any, end: str, membership: Membership | None) -> list[Carriage]:
    """Those whose other end this reader may read about, both exactly or both blurred: one would tell of the other."""
    found = list(rows.select_related("bore").order_by("pk")[:CARRIED_MAX])
    ids = [getattr(row, f"{end}_id") for row in found]
    others = {r.pk: r for r in Resource.objects.visible_to(membership).filter(pk__in=ids).select_related("tower")}
    shown = []
    for row in found:
        other = others.get(getattr(row, f"{end}_id"))
        if other is not None and other.is_exact == resource.is_exact:  # type: ignore[attr-defined]
            setattr(row, end, other)
            shown.append(row)
    return shown


def _chambers(resource: Resource, membership: Membership | None) -> list[dict[str, Any]]:
    """Each chamber with the other ducts that share it, end A first."""
    order = {"a": 0, "between": 1, "b": 2}
    links = sorted(
        resource.chamber_links.select_related("chamber"), key=lambda link: (order[link.end], link.at_m or 0, link.pk)
    )
    shared: dict[int, list[Resource]] = {}
    sharing = DuctChamber.objects.filter(chamber__in=[link.chamber_id for link in links])
    readable: Iterable[Resource] = (
        Resource.objects.visible_to(membership)
        .filter(pk__in=sharing.values("duct"), is_exact=True)
        .exclude(pk=resource.pk)
        .order_by("pk")
        .prefetch_related("chamber_links")
    )
    for duct in readable:
        for link in duct.chamber_links.all():
            shared.setdefault(link.chamber_id, []).append(duct)
    return [{"link": link, "chamber": link.chamber, "others": shared.get(link.chamber_id, [])} for link in links]
