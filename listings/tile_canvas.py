"""The layers of one tile of resources: symbols that fan out where several share a place, groups, lines, cells. Pure."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import shapely

from listings import mvt
from listings.search_index.drawn import Drawn
from listings.search_index.squares import KINDS, Groups

TILE_PX = 512  # MapLibre's tile size
WORLD_M = 40_075_016.685578488  # the equator in EPSG:3857
CELLS_FROM_ZOOM = 11  # from here a cell is larger than a symbol
NAMES_FROM_ZOOM = 10  # further out a name is asked for by nobody and fills the tile
FAN_MOST = 6  # symbols on one ring
FAN_PX = 15
LINE_PX = 24  # at low zoom only lines at least this long are drawn

YES, NO = mvt.truth(True), mvt.truth(False)
Rows = Sequence[tuple[int, Drawn]]  # with their keys, in their order


class Canvas:
    """Address z, x, y; everything given to it has been found to be for the reader's eyes."""

    def __init__(self, z: int, x: int, y: int):
        self.z = z
        size = WORLD_M / 2**z
        self.px_m = size / TILE_PX
        self.west, self.north = x * size - WORLD_M / 2, WORLD_M / 2 - y * size
        self.unit_m = size / mvt.EXTENT
        self._cells = mvt.Layer("cells", ("count",))
        self._shapes = mvt.Layer("shapes", ("kind", "tone", "is_blurred"))
        self._groups = mvt.Layer("groups", ("count", "tower", "duct", "cable", "room", "open", "is_stack"))
        self._symbols = mvt.Layer(
            "resources", ("kind", "name", "tone", "free", "total", "is_blurred", "stacked")
        )  # fmt: skip

    def written(self) -> bytes:
        return b"".join(layer.written() for layer in (self._cells, self._shapes, self._groups, self._symbols))

    def _points(self, x: Sequence[float], y: Sequence[float]) -> list[bytes]:
        """A symbol stands in one tile only: no geometry outside this one."""
        across, down = np.array(x, float) - self.west, self.north - np.array(y, float)
        return mvt.points(across / self.unit_m, down / self.unit_m)

    def symbols(self, rows: Rows) -> None:
        """One symbol each; several at one place on a ring, and a group where there are too many for one."""
        places: dict[tuple[int, int], list[tuple[int, Drawn]]] = {}
        for pair in rows:
            places.setdefault(pair[1].place, []).append(pair)
        fan_m = FAN_PX * self.px_m
        crowds, shown, away_x, away_y, stacked = [], [], [], [], []
        for stack in places.values():
            count = len(stack)
            if count > FAN_MOST:
                crowds.append(stack)
                continue
            shown += stack
            stacked += [mvt.number(count)] * count
            turns = [2 * math.pi * nth / count for nth in range(1, count + 1)] if count > 1 else ()
            away_x += [fan_m * math.sin(turn) for turn in turns] or (0.0,)
            away_y += [fan_m * math.cos(turn) for turn in turns] or (0.0,)
        if shown:
            ids, each = zip(*shown, strict=True)
            row = Drawn(*zip(*each, strict=True))  # a column for each word
            names = row.name if self.z >= NAMES_FROM_ZOOM else [None] * len(ids)
            said = [row.kind, names, row.tone, row.free, row.total, row.is_blurred, stacked]
            points = self._points(np.add(row.x, away_x), np.add(row.y, away_y))
            self._symbols.add(ids, said, mvt.POINT, points)
        self._crowds(crowds)

    def _crowds(self, stacks: Sequence[Rows]) -> None:
        counts = []
        for stack in stacks:
            kinds = [0] * KINDS
            for _key, row in stack:
                kinds[row.kind_at] += 1
            counts.append([len(stack), *kinds, sum(row.is_open for _key, row in stack)])
        places = [stack[0][1] for stack in stacks]
        ids = [min(key for key, _row in stack) for stack in stacks]
        self._add_groups(ids, counts, [YES] * len(stacks), self._points([p.x for p in places], [p.y for p in places]))

    def groups(self, groups: Groups) -> None:
        counts = np.column_stack([groups.kinds.sum(axis=1), groups.kinds, groups.open]).tolist()
        is_stack = [YES if is_so else NO for is_so in groups.is_stack.tolist()]
        self._add_groups(range(1, len(counts) + 1), counts, is_stack, self._points(groups.x, groups.y))

    def _add_groups(
        self, ids: Sequence[int], counts: list[list[int]], is_stack: list[bytes], geometries: list[bytes]
    ) -> None:
        said = [[mvt.number(count) for count in column] for column in zip(*counts, strict=True)]
        self._groups.add(ids, [*said, is_stack], mvt.POINT, geometries)

    def _units(self, metres: np.ndarray) -> np.ndarray:
        return (metres - (self.west, self.north)) / (self.unit_m, -self.unit_m)

    def _on_canvas(self, shapes: np.ndarray) -> np.ndarray:
        """Cut at the tile's edge with its margin, in tile units."""
        west, north, margin = self.west, self.north, mvt.MARGIN * self.unit_m
        size = mvt.EXTENT * self.unit_m
        box = (west - margin, north - size - margin, west + size + margin, north + margin)
        edges = shapely.bounds(shapes)
        beyond = (edges[:, 0] < box[0]) | (edges[:, 1] < box[1]) | (edges[:, 2] > box[2]) | (edges[:, 3] > box[3])
        shapes = shapes.copy()
        shapes[beyond] = shapely.clip_by_rect(shapes[beyond], *box)
        return shapely.transform(shapes, self._units)

    def shapes(self, rows: Rows) -> None:
        """Lines and areas, without what is smaller than a pixel."""
        for is_line, sort in ((True, mvt.LINE), (False, mvt.AREA)):
            some = [(key, row) for key, row in rows if row.shape is not None and row.is_line is is_line]
            if not some:
                continue
            shapes = np.array([row.shape for _key, row in some], object)
            shapes = self._on_canvas(shapely.simplify(shapes, self.px_m, preserve_topology=not is_line))
            ids, each = zip(*some, strict=True)
            row = Drawn(*zip(*each, strict=True))
            geometries = (mvt.lines if is_line else mvt.areas)(shapes)
            self._shapes.add(ids, [row.kind, row.tone, row.is_blurred], sort, geometries)

    def cells(self, rows: Mapping[int, Drawn]) -> None:
        """The outlines of the cells that points are blurred to, with how many."""
        if self.z < CELLS_FROM_ZOOM:
            return
        counts: dict[tuple[float, float, float, float], int] = {}
        for row in rows.values():
            if row.cell is not None:
                counts[row.cell] = counts.get(row.cell, 0) + 1
        if not counts:
            return
        west, south, east, north = np.array(list(counts), float).T
        sides = (west - self.west, self.north - north, east - self.west, self.north - south)
        edges = np.clip(np.stack(sides, axis=1) / self.unit_m, -mvt.MARGIN, mvt.EXTENT + mvt.MARGIN)
        self._cells.add(None, [[mvt.number(count) for count in counts.values()]], mvt.AREA, mvt.boxes(edges))
