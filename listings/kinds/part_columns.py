"""Columns of files of parts: bores with sub-ducts, chambers, and which line carries which cable. Pure: no queries.

Each row names the duct or cable by the owner's own code. A blank cell leaves what is known as it is.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from listings.kinds.duct import MATERIALS
from listings.kinds.parts import BoreData, CarrierData, ChamberData
from listings.kinds.spec import ColumnSpec

ENDS = {
    "a": ("A端", "起点", "a端", "首端", "End A"),
    "between": ("中间", "途中", "Between"),
    "b": ("B端", "终点", "b端", "末端", "End B"),
}
CHAMBER_TYPES = {
    "manhole": ("人孔", "人井", "Manhole"),
    "handhole": ("手孔", "手井", "Handhole"),
    "entry": ("进局孔", "引入口", "Building entry"),
    "pole_riser": ("引上", "上杆", "Riser at a pole"),
}


def _code(zh: str, en: str, aliases: tuple[str, ...], example: str) -> ColumnSpec:
    return ColumnSpec("owner_code", zh, en, aliases, (en.lower(),), required=True, example=example)


BORES = (
    _code("管道编码", "Duct code", ("管道编号", "所属管道", "管群编号", "管群编码", "管道"), "GD-001"),
    ColumnSpec("label", "管孔编号", "Bore", ("孔号", "管孔号", "子管编号", "管孔"), ("bore label", "label"),
               required=True, example="a1"),
    ColumnSpec("parent", "所在管孔", "Lies in bore", ("母管", "所属管孔", "上级管孔"), ("parent", "parent bore")),
    ColumnSpec("row", "所在行", "Row on the face", ("行", "排", "行位"), ("row",), type="integer", example="1"),
    ColumnSpec("column", "所在列", "Column on the face", ("列", "列号", "列位"), ("column",), type="integer",
               example="1"),
    ColumnSpec("material", "管材", "Material", ("材质", "管孔材质"), (), type="choice", choices=MATERIALS),
    ColumnSpec("inner_mm", "内径", "Inner diameter", ("孔径", "管孔内径"), (), type="decimal", unit="mm",
               example="100"),
    ColumnSpec("outer_mm", "外径", "Outer diameter", ("管孔外径",), (), type="decimal", unit="mm", example="110"),
    ColumnSpec("cable_count", "孔内光缆数", "Cables inside", ("光缆条数", "已穿光缆数"), ("cables",), type="integer",
               example="1"),
    ColumnSpec("occupancy_pct", "占用率", "Occupied", ("占孔率",), ("occupancy",), type="decimal", unit="%"),
    ColumnSpec("cable_max_mm", "允许最大缆径", "Largest cable allowed", ("最大缆径",), (), type="decimal", unit="mm",
               example="40"),
    ColumnSpec("mandrel_tested_on", "试通日期", "Last mandrel test", ("通管日期",), (), type="date"),
    ColumnSpec("blocked_at_m", "堵塞位置", "Blocked at", ("堵点",), (), type="decimal", unit="m", example=" "),
)  # fmt: skip
CHAMBERS = (
    _code("管道编码", "Duct code", ("管道编号", "所属管道", "管道"), "GD-001"),
    ColumnSpec("code", "人手孔编号", "Chamber", ("人孔编号", "手孔编号", "井号", "人井编号", "孔井编号"),
               ("chamber code", "manhole", "handhole", "chamber number"), required=True, example="RK-001"),
    ColumnSpec("end", "位置", "Where on the duct", ("所在端", "端别"), ("end", "where"), type="choice", choices=ENDS,
               required=True),
    ColumnSpec("chamber_type", "类型", "Type", ("人手孔类型", "井类型"), ("chamber type",), type="choice",
               choices=CHAMBER_TYPES),
    ColumnSpec("at_m", "距A端", "Metres from end A", ("距起点", "里程"), ("at",), type="decimal", unit="m",
               example=" "),
    ColumnSpec("depth_m", "井深", "Depth", ("深度",), (), type="decimal", unit="m", example="1.8"),
)  # fmt: skip
CARRIERS = (
    _code("光缆编码", "Cable code", ("光缆编号", "所属光缆", "光缆"), "GL-001"),
    ColumnSpec("carrier", "承载设施编码", "Carried by", ("管道编码", "杆塔编码", "承载管道", "承载杆路", "承载设施"),
               ("carrier", "duct code", "pole code", "carrier code"), required=True, example="GD-001"),
    ColumnSpec("bore", "管孔编号", "Bore", ("孔号", "管孔"), ("bore label",), example="a1"),
)  # fmt: skip


@dataclass(frozen=True)
class PartKind:
    """One kind of part a file can hold. name: of Parts' field and of the job's kind; key: what names a part."""

    name: str
    label: str | Promise
    holder: str  # kind of resource it belongs to
    key: str
    columns: Sequence[ColumnSpec]
    data: type
    icon: str
    note: str | Promise = field(default="")

    def given(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Typed values of one file row by the part's own fields; what the row leaves blank is not named."""
        if "carrier" in values:
            values = {**values, "code": values["carrier"]}
        known = {one.name for one in fields(self.data)}
        found = {name: value for name, value in values.items() if name in known and value is not None}
        return found | {name: int(value) for name, value in found.items() if name in WHOLE}

    def laid_over(self, old: Any | None, given: Mapping[str, Any]) -> Any:
        """The part as it will stand: what is given, over what stands."""
        return self.data(**given) if old is None else replace(old, **given)


WHOLE = ("row", "column", "cable_count")
PART_KINDS: dict[str, PartKind] = {
    "bores": PartKind("bores", _("Bores and sub-ducts"), "duct", "label", BORES, BoreData, "circle"),
    "chambers": PartKind("chambers", _("Chambers of ducts"), "duct", "code", CHAMBERS, ChamberData, "point"),
    "carriers": PartKind(
        "carriers", _("Which line carries which cable"), "cable", "code", CARRIERS, CarrierData, "route",
        _("A duct's or pole's code, or line:NAME for every pole of a line."),
    ),
}  # fmt: skip


def as_json(part: Any) -> dict[str, Any]:
    """A part as plain JSON, without places."""
    return {one.name: _plain(getattr(part, one.name)) for one in fields(part) if one.name != "place"}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value.isoformat() if isinstance(value, dt.date) else value


def from_json(kind: PartKind, stored: Mapping[str, Any]) -> Any:
    """The part that as_json() wrote down."""
    typed: dict[str, Any] = {}
    for name, value in stored.items():
        if value is not None and name.endswith(("_mm", "_m", "_pct")):
            value = Decimal(value)
        elif value is not None and name.endswith("_on"):
            value = dt.date.fromisoformat(value)
        typed[name] = value
    return kind.data(**typed)
