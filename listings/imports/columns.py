"""Which column of a file is which field: proposed from headers and values, confirmed by a person. Pure."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from listings.imports import coordinates, money, values
from listings.imports.headers import REPORT_COLUMNS, base, fold
from listings.imports.tables import GEOMETRY
from listings.kinds.spec import ColumnSpec

VOCABULARY = 0.93  # cells that are a field's very words: less than a header that is its very name
SURE = 0.6  # below, a column is left for the person to place
MORE_NAMES = {
    "owner_code": ("杆塔编号", "塔编号", "机房编码", "设施编码", "编号代码", "object code"),
    "name": ("descriptio", "description", "设施名称", "点位名称"),
    "structure": ("杆塔型式", "型式", "结构型式"),
    "platform_heights_m": ("可挂载高度", "可挂高度", "挂载高度"),
    "tower_type": ("资源类型", "longtype", "class", "类型"),
    "region": ("所属区域", "所在地区", "所在区域", "地区", "区域"),
    "sheath_km": ("distance",),
}
CODE_FIELDS = ("owner_code", "applicant_code")
CODE_ENDINGS = re.compile(r"(?:^|[\s_\-])(?:id|code|no|ref|number|key)\.?$", re.I)
RUNNING_NUMBERS = ("objectid", "fid", "ogcfid", "gid", "id", "序号", "no")  # of an export: the next one has others
PLACE_FIELDS = (
    "longitude",
    "latitude",
    "start_longitude",
    "start_latitude",
    "end_longitude",
    "end_latitude",
    "coordinates",
    "wkt",
    "geometry",
)
PLACE_SPECS = (
    ColumnSpec(
        "coordinates",
        "经纬度（一列）",
        "Coordinates in one cell",
        ("经纬度", "坐标", "坐标位置", "经纬度坐标", "纬经度", "位置坐标", "GPS坐标", "GPS"),
        ("lat lon", "lon lat", "latlng", "lnglat", "lat,lng", "coordinates", "location", "gps", "position"),
        type="pair",
    ),
    ColumnSpec("geometry", "文件中的几何", "Geometry of the file", type="geometry"),
)


@dataclass(frozen=True)
class Proposal:
    """mapping: {field: column}. notes: {field: [code, …]} how a field was found where that is worth a word."""

    mapping: dict[str, str]
    scores: dict[str, float] = field(default_factory=dict)
    stand_ins: list[str] = field(default_factory=list)  # fields filled from another's column ("owner_code", "name")


def header_hash(columns: Sequence[str], *, target: str, kind: str) -> str:
    """Names a set of headers, so that the mapping confirmed for it is found again."""
    words = [target, kind, *sorted(fold(name) for name in columns if name not in REPORT_COLUMNS)]
    return hashlib.sha256("\x1f".join(words).encode()).hexdigest()


def specs_with_place(specs: Sequence[ColumnSpec]) -> list[ColumnSpec]:
    """The target's columns and, where it has places, the two ways to give one that belong to files only."""
    if not any(spec.field in PLACE_FIELDS for spec in specs):
        return list(specs)
    known = {spec.field for spec in specs}
    return [*specs, *(spec for spec in PLACE_SPECS if spec.field not in known)]


def name_score(column: str, spec: ColumnSpec) -> float:
    """How well a header fits a field: 1 the very name, less for its core, for a part of it."""
    parts = [column, *reversed(column.split("/"))] if "/" in column else [column]
    names = {fold(name) for name in (*spec.names, *MORE_NAMES.get(spec.field, ()))}
    best = 0.0
    for depth, part in enumerate(parts):
        full, core = fold(part), base(part)
        if full in names:
            score = 1.0
        elif core in names:
            score = 0.95
        else:
            score = max((_part_score(core, name) for name in names), default=0.0)
        best = max(best, score - 0.03 * depth)
    if spec.field in CODE_FIELDS:
        if fold(column) in RUNNING_NUMBERS:
            return min(best, 0.62)
        if best < 0.7 and CODE_ENDINGS.search(column.strip()):
            return 0.7
    return best


def _part_score(core: str, name: str) -> float:
    """A header that ends in or holds a known name ("汇聚机房名称" ~ "机房名称"), by how much of it that is."""
    if len(name) < 2 or len(core) < 2 or not (re.search(r"[^\x00-\x7f]", name) or len(name) >= 5):
        return 0.0
    if core.endswith(name) or core.startswith(name):
        return 0.45 + 0.45 * len(name) / len(core)
    if name.endswith(core) and len(core) >= 3:
        return 0.4 + 0.4 * len(core) / len(name)
    return 0.0


def _fits(spec: ColumnSpec, samples: Sequence[Any]) -> float:
    """How far a column's values bear its name out: 1 yes or nothing to say, less when they speak against it."""
    cells = [cell for cell in samples if values.missing_reason(cell) is None][:40]
    if not cells:
        return 0.9
    if money.is_price(spec):
        return _share(
            cells, lambda cell: money.is_negotiable(values.plain(cell)) or values.price(cell, spec)[2] == "", 0.62
        )
    if spec.type in ("decimal", "integer"):
        return _share(cells, lambda cell: values.number(cell, spec.unit)[0] is not None, 0.5)
    if spec.type in ("longitude", "latitude"):
        return _share(cells, lambda cell: coordinates.one(cell)[0] is not None, 0.4)
    if spec.type == "pair":
        return _share(cells, lambda cell: coordinates.pair(cell) is not None, 0.2)
    if spec.type == "wkt":
        return _share(cells, coordinates.is_wkt, 0.2)
    if spec.type == "date":
        return _share(cells, lambda cell: values.date(cell)[0] is not None, 0.5)
    if spec.type in ("choice", "boolean"):  # an exact header stands without: its words are asked for
        return _share(cells, lambda cell: values.choice(cell, spec, {})[1] != "unknown", 0.62)
    if spec.type in ("text", "region") and _share(cells, _is_place_text, 0) > 0.6:
        return 0.3
    return 1.0


def _is_place_text(cell: Any) -> bool:
    return isinstance(cell, str) and (coordinates.is_wkt(cell) or coordinates.pair(cell) is not None)


def _share(cells: Sequence[Any], fits, floor: float) -> float:
    good = sum(bool(fits(cell)) for cell in cells) / len(cells)
    return 1.0 if good >= 0.6 else max(floor, good)


def propose(specs: Sequence[ColumnSpec], columns: Sequence[str], samples: Mapping[str, Sequence[Any]]) -> Proposal:
    """The likeliest mapping: best pairs of header and field first, each used once; then the place from values alone."""
    usable = [name for name in columns if name != GEOMETRY and name not in REPORT_COLUMNS]
    pairs = []
    for place, column in enumerate(usable):
        better = _better_vocabulary(column, specs, samples.get(column, ()))
        for order, spec in enumerate(specs):
            score = VOCABULARY if spec.field == better else name_score(column, spec)
            if score >= SURE:
                score *= _fits(spec, samples.get(column, ()))
            if score >= SURE:
                pairs.append((-round(score, 3), place, order, column, spec.field))
    mapping: dict[str, str] = {}
    scores: dict[str, float] = {}
    for score, _place, _order, column, name in sorted(pairs):
        if name not in mapping and column not in mapping.values():
            mapping[name], scores[name] = column, -score
    _place_by_values(mapping, specs, usable, samples)
    if GEOMETRY in columns and any(spec.field in PLACE_FIELDS for spec in specs):
        mapping["geometry"] = GEOMETRY
        for name in PLACE_FIELDS[:-1]:  # the geometry says it better than columns copied from it
            mapping.pop(name, None)
    return Proposal(mapping, scores, _stand_ins(mapping, specs))


def _better_vocabulary(column: str, specs: Sequence[ColumnSpec], samples: Sequence[Any]) -> str:
    """The choice field whose words most cells are, where the header names another one ("塔型" over 角钢塔); else ""."""
    cells = [cell for cell in samples if values.missing_reason(cell) is None][:40]
    named = {spec.field for spec in specs if spec.type == "choice" and name_score(column, spec) >= SURE}
    if not cells or not named:
        return ""
    known = {
        spec.field: sum(values.choice(cell, spec, {})[1] == "" for cell in cells) / len(cells)
        for spec in specs
        if spec.type == "choice"
    }
    best = max(known, key=lambda name: known[name])
    return best if known[best] >= 0.6 and known[best] > max(known[name] for name in named) else ""


def _place_by_values(mapping: dict[str, str], specs: Sequence[ColumnSpec], columns: Sequence[str], samples) -> None:
    """Where no header names the place: cells that are WKT, or "lat, lon", can be nothing else."""
    if any(name in mapping for name in PLACE_FIELDS):
        return
    known = {spec.field for spec in specs}
    for column in columns:
        cells = [cell for cell in samples.get(column, ()) if values.missing_reason(cell) is None][:40]
        if not cells or column in mapping.values():
            continue
        if "wkt" in known and _share(cells, coordinates.is_wkt, 0) == 1:
            mapping["wkt"] = column
            return
        if _share(cells, lambda cell: isinstance(cell, str) and coordinates.pair(cell) is not None, 0) == 1:
            mapping["coordinates"] = column
            return


def _stand_ins(mapping: dict[str, str], specs: Sequence[ColumnSpec]) -> list[str]:
    """A name stands in for a missing code and a code for a missing name. Running numbers never do: the next file
    would have the same ones."""
    known = {spec.field for spec in specs}
    code = "owner_code" if "owner_code" in known else "applicant_code"
    name = "name" if "name" in known else "title"
    if name not in known:
        return []
    if code not in mapping and name in mapping:
        mapping[code] = mapping[name]
        return [code]
    if name not in mapping and code in mapping:
        mapping[name] = mapping[code]
        return [name]
    return []
