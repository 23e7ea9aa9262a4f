"""Mapbox vector tiles (version 2, extent 4096), written out of arrays. Pure.

Places are given in the tile's own units: x to the right and y downwards from its north-western corner. What a feature
says is given as encoded values (text, number, truth), so that a value many features share is encoded once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely

EXTENT = 4096
MARGIN = 64  # of lines and areas, units around the tile
POINT, LINE, AREA = 1, 2, 3
MOVE_ONCE, CLOSE = 9, 15  # commands with their counts


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


WIDER = np.array([1 << bits for bits in (7, 14, 21, 28)])  # from here on a number takes one byte more
SMALL = [varint(number) for number in range(1 << 14)]


def _number(number: int) -> bytes:
    return SMALL[number] if number < len(SMALL) else varint(number)


def _part(tag: bytes, body: bytes) -> bytes:
    return tag + _number(len(body)) + body


def text(words: str) -> bytes:
    return _part(b"\x0a", words.encode())


NUMBERS = [b"\x28" + number for number in SMALL]


def number(units: int) -> bytes:
    """Not below zero."""
    return NUMBERS[units] if units < len(NUMBERS) else b"\x28" + varint(units)


def truth(is_so: bool) -> bytes:
    return b"\x38\x01" if is_so else b"\x38\x00"


@dataclass
class Layer:
    """One layer being written, of at most some thousand features: it may hold 16,384 different values. keys: the
    names a feature may say something under, fewer than 128."""

    name: str
    keys: Sequence[str]
    values: dict[bytes, int] = field(default_factory=dict)
    features: list[bytes] = field(default_factory=list)

    def add(
        self, ids: Sequence[int] | None, said: Sequence[Sequence[bytes | None]], sort: int, geometries: Sequence[bytes]
    ) -> None:
        """Features of one sort. said: for each key the features' encoded values, None for nothing. Those without a
        geometry are left out."""
        sizes = np.array([len(geometry) for geometry in geometries], np.int64)
        has = np.flatnonzero(sizes)
        if not len(has):
            return
        values, kept = self.values, has.tolist()
        tags = np.empty((len(kept), len(said)), np.int64)
        for at in sorted(range(len(said)), key=lambda at: len(set(said[at]))):  # the most frequent get short numbers
            column = said[at]
            tags[:, at] = [-1 if (value := column[n]) is None else values.setdefault(value, len(values)) for n in kept]
        heads = _heads(None if ids is None else np.array(ids, np.int64)[has], tags, sort, sizes[has])
        for head, n in zip(heads, kept, strict=True):
            self.features += (head, geometries[n])

    def written(self) -> bytes:
        """Nothing for a layer without features."""
        if not self.features:
            return b""
        parts = [b"\x78\x02", text(self.name), *self.features]
        parts += [_part(b"\x1a", key.encode()) for key in self.keys]
        parts += [_part(b"\x22", value) for value in self.values]
        parts.append(b"\x28" + SMALL[EXTENT])
        return _part(b"\x1a", b"".join(parts))


def _heads(ids: np.ndarray | None, tags: np.ndarray, sort: int, sizes: np.ndarray) -> list[bytes]:
    """What stands before the geometry of each feature: a row of numbers each, lengths and tags among them."""
    count, keys = tags.shape
    pairs = np.empty((count, 2 * keys), np.int64)
    pairs[:, 0::2], pairs[:, 1::2] = np.arange(keys), tags
    is_said = np.repeat(tags >= 0, 2, axis=1)
    tags_size = np.where(is_said, _width(pairs), 0).sum(axis=1)
    columns = [np.full(count, 0x12), tags_size, pairs, np.full(count, 0x18), np.full(count, sort)]
    columns += [np.full(count, 0x22), sizes]
    if ids is not None:
        columns = [np.full(count, 0x08), ids, *columns]
    body = np.column_stack(columns)
    is_there = np.ones(body.shape, bool)
    first = 2 if ids is None else 4
    is_there[:, first : first + 2 * keys] = is_said
    body_size = np.where(is_there, _width(body), 0).sum(axis=1) + sizes
    whole = np.column_stack([np.full(count, 0x12), body_size, body])
    is_there = np.column_stack([np.ones((count, 2), bool), is_there])
    packed, ends = _varints(whole[is_there])
    return _cut(packed, ends, is_there.sum(axis=1))


def points(x: np.ndarray, y: np.ndarray) -> list[bytes]:
    """Geometry of points; empty outside the tile: of its edges it has the western and the southern one."""
    numbers = np.column_stack([np.full(len(x), MOVE_ONCE), 2 * np.rint(x), 2 * np.rint(y)]).astype(np.int64)
    is_inside = (x >= 0) & (x < EXTENT) & (y > 0) & (y <= EXTENT)
    packed, ends = _varints(numbers[is_inside].ravel())
    return _cut(packed, ends, np.where(is_inside, 3, 0))


def lines(shapes: np.ndarray) -> list[bytes]:
    """Geometry of each (multi)line, whose co-ordinates are tile units; empty where nothing of it is left."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    is_line = shapely.get_type_id(parts) == shapely.GeometryType.LINESTRING
    parts, owner = parts[is_line], owner[is_line]
    coordinates, at = shapely.get_coordinates(parts, return_index=True)
    return _stream(np.rint(coordinates).astype(np.int64), at, owner, len(shapes), closes=False)


def areas(shapes: Iterable[shapely.Geometry]) -> list[bytes]:
    """The same for (multi)polygons: outer rings clockwise as seen, inner ones the other way round."""
    rings, owner, count = [], [], 0
    for count, shape in enumerate(shapes, start=1):  # noqa: B007 -- how many there were
        for part in shapely.get_parts(shape):
            if shapely.get_type_id(part) != shapely.GeometryType.POLYGON or part.is_empty:
                continue
            for nth, ring in enumerate((part.exterior, *part.interiors)):
                corners = np.rint(shapely.get_coordinates(ring)[:-1]).astype(np.int64)
                turn = _turn(corners)
                if turn:
                    rings.append(corners if (turn > 0) == (nth == 0) else corners[::-1])
                    owner.append(count - 1)
    if not rings:
        return [b""] * count
    at = np.repeat(np.arange(len(rings)), [len(ring) for ring in rings])
    return _stream(np.concatenate(rings), at, np.array(owner), count, closes=True)


def boxes(edges: np.ndarray) -> list[bytes]:
    """The same for boxes; edges (n, 4): left, top, right, bottom, in tile units within the margin."""
    left, top, right, bottom = np.rint(edges).astype(np.int64).T
    corners = np.stack([left, top, right, top, right, bottom, left, bottom], axis=1)
    corners[(left >= right) | (top >= bottom)] = 0
    each = np.arange(len(edges))
    return _stream(corners.reshape(-1, 2), np.repeat(each, 4), each, len(edges), closes=True)


def _turn(corners: np.ndarray) -> int:
    """Twice the ring's area in units; above zero for clockwise as seen, y pointing downwards."""
    x, y = corners.T
    return int((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())


def _stream(corners: np.ndarray, at: np.ndarray, owner: np.ndarray, count: int, *, closes: bool) -> list[bytes]:
    """Commands of `count` features. corners (n, 2) of parts `at` (ascending), owner: the feature of each part."""
    if len(corners):
        is_new = np.append(True, (np.diff(corners, axis=0) != 0).any(axis=1) | (np.diff(at) != 0))
        length = np.bincount(at[is_new], minlength=len(owner))
        is_new &= (length > (2 if closes else 1))[at]  # what shrank to a point is left out
        corners, at = corners[is_new], at[is_new]
    if not len(corners):
        return [b""] * count
    kept, at = np.unique(at, return_inverse=True)
    owner, length = owner[kept], np.bincount(at)
    before = np.vstack([np.zeros((1, 2), np.int64), corners[:-1]])
    begins = np.cumsum(length) - length
    first_of_owner = np.append(True, np.diff(owner) != 0)
    before[begins[first_of_owner]] = 0
    steps = corners - before
    steps = (steps << 1) ^ (steps >> 63)
    size = 2 * length + (3 if closes else 2)  # two commands and the corners, and the one that closes
    offset = np.cumsum(size) - size
    rank = np.arange(len(corners)) - begins[at]
    where = offset[at] + 1 + 2 * rank + (rank > 0)
    numbers = np.empty(size.sum(), np.int64)
    numbers[where], numbers[where + 1] = steps[:, 0], steps[:, 1]
    numbers[offset], numbers[offset + 3] = MOVE_ONCE, (length - 1) << 3 | 2
    if closes:
        numbers[offset + size - 1] = CLOSE
    packed, ends = _varints(numbers)
    return _cut(packed, ends, np.bincount(owner, size, minlength=count).astype(np.int64))


def _cut(packed: bytes, ends: np.ndarray, sizes: np.ndarray) -> list[bytes]:
    """One piece for each size, counted in numbers."""
    stops = np.append(0, ends)[np.cumsum(sizes)].tolist()
    return [packed[start:stop] for start, stop in zip([0, *stops], stops, strict=False)]


def _width(numbers: np.ndarray) -> np.ndarray:
    """Bytes of each, below 2³⁵."""
    return np.searchsorted(WIDER, numbers, side="right") + 1


def _varints(numbers: np.ndarray) -> tuple[bytes, np.ndarray]:
    """(all of them, where each ends), for numbers below 2³⁵."""
    if not len(numbers):
        return b"", np.empty(0, np.int64)
    width = _width(numbers)
    ends = np.cumsum(width)
    starts, packed = ends - width, np.empty(ends[-1], np.uint8)
    for nth in range(int(width.max())):
        has = width > nth
        packed[starts[has] + nth] = (numbers[has] >> 7 * nth & 0x7F) | np.where(width[has] > nth + 1, 0x80, 0)
    return packed.tobytes(), ends
