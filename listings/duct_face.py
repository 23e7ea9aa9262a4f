"""The face of a duct bank as a drawing: circles by row and column, sub-ducts within, coloured and lettered. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _

from listings.models import Bore
from listings.models.resources import Occupancy

CELL, RADIUS, MARGIN = 64, 26, 28  # drawing units
LETTERS = {  # the letter says what the colour says, for who cannot tell the colours apart
    Occupancy.EMPTY: "E",
    Occupancy.ROOM_LEFT: "P",
    Occupancy.FULL: "F",
    Occupancy.NOT_USABLE: "X",
}
WORDS = {
    Occupancy.EMPTY: _("empty"),
    Occupancy.ROOM_LEFT: _("in use, room left"),
    Occupancy.FULL: _("full"),
    Occupancy.NOT_USABLE: _("blocked"),
}


@dataclass(frozen=True)
class Circle:
    cx: float
    cy: float
    r: float
    occupancy: str
    letter: str
    label: str
    is_full_of_others: bool = False  # one sub-duct in the middle, where the letter would stand


@dataclass(frozen=True)
class Face:
    """width and height in drawing units; circles: bores; inner: sub-ducts within them; axes as (position, text)."""

    width: int
    height: int
    circles: list[Circle] = field(default_factory=list)
    inner: list[Circle] = field(default_factory=list)
    columns: list[tuple[int, int]] = field(default_factory=list)
    rows: list[tuple[int, int]] = field(default_factory=list)


def face_of(bores: Sequence[Bore], rows: int | None, columns: int | None) -> Face | None:
    """The drawing; None where no bore has a place on the face. Needs each bore's parent_id, no queries."""
    placed = [bore for bore in bores if bore.row and bore.column]
    if not placed:
        return None
    row_count = max([rows or 0, *(bore.row or 0 for bore in placed)])
    column_count = max([columns or 0, *(bore.column or 0 for bore in placed)])
    children: dict[int, list[Bore]] = {}
    for bore in bores:
        if bore.parent_id:
            children.setdefault(bore.parent_id, []).append(bore)
    face = Face(MARGIN + column_count * CELL + 4, MARGIN + row_count * CELL + 4)
    for number in range(1, column_count + 1):
        face.columns.append((_centre(number), number))
    for number in range(1, row_count + 1):
        face.rows.append((_centre(number), number))
    for bore in placed:
        inside = children.get(bore.pk, [])
        outer = Circle(
            _centre(bore.column or 0), _centre(bore.row or 0), RADIUS, *_said(bore), is_full_of_others=len(inside) == 1
        )
        face.circles.append(outer)
        reach = RADIUS * 0.62 if len(inside) > 1 else 0
        size = min(RADIUS * 0.32, math.pi * reach / max(len(inside), 2) * 0.8) if inside else 0
        for index, sub in enumerate(inside):
            angle = 2 * math.pi * (index + 0.5) / len(inside) - math.pi / 2
            cx, cy = outer.cx + reach * math.cos(angle), outer.cy + reach * math.sin(angle)
            face.inner.append(Circle(round(cx, 1), round(cy, 1), round(size or 12, 1), *_said(sub)))
    return face


def _centre(number: int) -> int:
    return MARGIN + (number - 1) * CELL + CELL // 2


def _said(bore: Bore) -> tuple[str, str, str]:
    return bore.occupancy, LETTERS[Occupancy(bore.occupancy)], bore.label


@dataclass(frozen=True)
class BoreRow:
    """A bore in the table beside the drawing; depth 0 on the face, 1 and 2 for what lies inside."""

    bore: Bore
    depth: int
    occupancy: str
    letter: str
    word: str
    carried: list  # Carriage rows the reader may know of


def bore_rows(bores: Sequence[Bore], carried: dict[int, list]) -> list[BoreRow]:
    """The tree as rows, sub-ducts under the bore they lie in."""
    children: dict[int | None, list[Bore]] = {}
    for bore in bores:
        children.setdefault(bore.parent_id, []).append(bore)
    rows: list[BoreRow] = []

    def walk(parent: int | None, depth: int) -> None:
        for bore in children.get(parent, []):
            occupancy, letter, _label = _said(bore)
            word = str(WORDS[Occupancy(occupancy)])
            rows.append(BoreRow(bore, depth, occupancy, letter, word, carried.get(bore.pk, [])))
            walk(bore.pk, depth + 1)

    walk(None, 0)
    return rows
