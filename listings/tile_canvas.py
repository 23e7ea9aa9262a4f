"""The layers of one tile of resources: symbols that fan out where several share a place, groups, lines, cells. Pure."""

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
SAME_PLACE_M = 0.01

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

    def _point(self, x: float, y: float) -> bytes | None:
        """None outside the tile: a symbol stands in one tile only."""
        across, down = (x - self.west) / self.unit_m, (self.north - y) / self.unit_m
        if not (0 <= across < mvt.EXTENT and 0 < down <= mvt.EXTENT):
            return None
        return mvt.point(round(across), round(down))

    def symbols(self, rows: Rows) -> None:
        """One symbol each; several at one place on a ring, and a group where there are too many for one."""
        places: dict[tuple[int, int], list[tuple[int, Drawn]]] = {}
        for key, row in rows:
            place = (round(row.x / SAME_PLACE_M), round(row.y / SAME_PLACE_M))
            places.setdefault(place, []).append((key, row))
        has_names = self.z >= NAMES_FROM_ZOOM
        fan_m = FAN_PX * self.px_m
        for stack in places.values():
            stacked = len(stack)
            if stacked > FAN_MOST:
                self._stack(stack)
                continue
            said = mvt.number(stacked)
            for nth, (_key, row) in enumerate(stack, start=1):
                x, y = row.x, row.y
                if stacked > 1:
                    turn = 2 * np.pi * nth / stacked
                    x, y = x + fan_m * np.sin(turn), y + fan_m * np.cos(turn)
                if geometry := self._point(x, y):
                    name = row.name if has_names else None
                    words = (row.kind, name, row.tone, row.free, row.total, row.is_blurred, said)
                    self._symbols.add(row.key, words, mvt.POINT, geometry)

    def _stack(self, stack: Rows) -> None:
        kinds = [0] * KINDS
        for _key, row in stack:
            kinds[row.kind_at] += 1
        open_count = sum(row.is_open for _key, row in stack)
        self._group(min(key for key, _row in stack), stack[0][1].x, stack[0][1].y, kinds, open_count, YES)

    def groups(self, groups: Groups) -> None:
        kinds = groups.kinds.tolist()
        for n, (x, y) in enumerate(zip(groups.x.tolist(), groups.y.tolist(), strict=True)):
            self._group(n + 1, x, y, kinds[n], int(groups.open[n]), YES if groups.is_stack[n] else NO)

    def _group(self, key: int, x: float, y: float, kinds: Sequence[int], open_count: int, is_stack: bytes) -> None:
        if geometry := self._point(x, y):
            counts = [mvt.number(count) for count in (sum(kinds), *kinds, open_count)]
            self._groups.add(mvt.id_of(key), (*counts, is_stack), mvt.POINT, geometry)

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
            for (_key, row), geometry in zip(some, (mvt.lines if is_line else mvt.areas)(shapes), strict=True):
                if geometry:
                    self._shapes.add(row.key, (row.kind, row.tone, row.is_blurred), sort, geometry)

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
        for count, geometry in zip(counts.values(), mvt.boxes(edges), strict=True):
            if geometry:
                self._cells.add(b"", (mvt.number(count),), mvt.AREA, geometry)
