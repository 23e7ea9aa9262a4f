# ruff: noqa: E501 -- tables of words; a Chinese character counts as two
"""Ducts and pipes: bores of one diameter are a pool."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from listings.kinds.common import IDENTITY, LINE_PLACE, TERMS, price_column
from listings.kinds.models import Duct
from listings.kinds.pools import PoolData, as_decimal, single_pool
from listings.kinds.spec import ColumnSpec, FieldGroup, KindSpec, PoolSpec
from listings.problems import Problem, error

NETWORKS = {
    "telecom": ("通信管道", "通信", "电信"),
    "power": ("电力管道", "电力", "电缆沟", "电力排管"),
    "gas": ("燃气", "煤气"),
    "water": ("给水", "供水", "自来水"),
    "sewer": ("排水", "污水", "雨水"),
    "road": ("道路", "公路", "高速公路"),
    "utility_tunnel": ("综合管廊", "管廊"),
}
MATERIALS = {
    "pvc": ("PVC", "PVC管", "upvc", "塑料管", "波纹管"),
    "hdpe": ("HDPE", "硅芯管", "PE管", "pe", "silicon core"),
    "steel": ("钢管", "镀锌钢管"),
    "concrete": ("水泥管", "混凝土管", "水泥"),
}

SURFACES = {
    "carriageway": ("车行道", "机动车道", "路面", "road surface"),
    "footway": ("人行道", "步道", "sidewalk", "pavement"),
    "verge": ("绿化带", "绿地", "green"),
    "field": ("农田", "林地", "田地", "soft ground"),
    "bridge": ("桥梁", "桥上"),
    "water": ("水下", "过河", "河底"),
    "railway": ("铁路下", "穿铁路"),
    "indoor": ("室内", "隧道内", "地下室"),
}
LAYINGS = {
    "trench": ("开挖", "明挖", "开槽", "open cut"),
    "drilled": ("定向钻", "拖管", "非开挖", "hdd"),
    "jacked": ("顶管", "jacking"),
    "micro_trench": ("微槽", "微沟"),
    "tunnel": ("管廊内", "综合管廊内"),
    "cable_trench": ("电缆沟内", "沟内敷设"),
    "bridge": ("桥上敷设", "桥架", "挂桥"),
}
DEPTH_ACCURACIES = {
    "0.1": ("0.1米", "≤0.1m", "0.1m"),
    "0.3": ("0.3米", "≤0.3m", "0.3m"),
    "1": ("1米", "≤1m", "1m"),
    "worse": ("大于1米", ">1m"),
    "unknown": ("未知", "不详"),
}

COLUMNS = (
    *IDENTITY,
    *LINE_PLACE,
    ColumnSpec("network", "管道类型", "Host network", ("所属管网", "管网类型", "类型", "管道性质"), ("network", "type"),
               type="choice", choices=NETWORKS),
    ColumnSpec("material", "管材", "Material", ("管孔材质", "材质", "管道材质"), ("pipe material",), type="choice", choices=MATERIALS),
    ColumnSpec("surveyed_length_m", "管段长度", "Length as surveyed", ("长度", "长度(米)", "管道长度", "段长", "管道段长"),
               ("length", "length m", "segment length"), type="decimal", unit="m"),
    ColumnSpec("cover_depth_m", "埋深", "Cover depth", ("埋设深度", "埋深(米)", "覆土深度"), ("depth", "cover"), type="decimal", unit="m"),
    ColumnSpec("depth_accuracy", "埋深精度", "Depth accuracy", ("埋深误差",), ("depth precision",), type="choice", choices=DEPTH_ACCURACIES),
    ColumnSpec("surface", "路面类型", "Surface above", ("地面类型", "覆盖面", "路面"), ("surface",), type="choice", choices=SURFACES),
    ColumnSpec("laying", "施工方式", "Laying method", ("建设工艺", "管道敷设方式", "埋设方式", "施工工艺"), ("laying method", "construction method"),
               type="choice", choices=LAYINGS),
    ColumnSpec("face_rows", "管群行数", "Rows of the duct-bank face", ("管群排数", "行数"), ("rows", "face rows"), type="integer"),
    ColumnSpec("face_columns", "管群列数", "Columns of the duct-bank face", ("管群每排孔数", "列数"), ("columns", "face columns"), type="integer"),
    ColumnSpec("bores_total", "管孔数", "Bores", ("总管孔数", "管孔总数", "孔数", "管孔", "总孔数"), ("bore count", "ducts", "ways"),
               type="decimal", example="6"),
    ColumnSpec("bores_in_use", "已用管孔", "Bores in use", ("占用管孔", "已用孔数", "已占用管孔数", "已用管孔数"), ("used bores",), type="decimal"),
    ColumnSpec("bores_free", "空闲管孔", "Free bores", ("空闲管孔数", "空闲孔数", "可用管孔", "剩余管孔", "可共享管孔数"),
               ("available bores", "free ducts"), type="decimal"),
    ColumnSpec("inner_mm", "孔径", "Inner diameter", ("管孔内径", "内径", "孔径(mm)", "管径", "内径(mm)"), ("bore mm", "diameter", "id mm"),
               type="decimal", unit="mm"),
    ColumnSpec("outer_mm", "外径", "Outer diameter", ("管孔外径", "外径(mm)"), ("od mm",), type="decimal", unit="mm"),
    ColumnSpec("cable_max_mm", "允许最大缆径", "Largest cable allowed", ("最大缆径", "最大光缆外径"), ("max cable",), type="decimal", unit="mm"),
    ColumnSpec("blocked_at_m", "堵塞位置", "Blocked at", ("堵点", "堵塞点(米)"), ("blocked", "blockage"), type="decimal", unit="m"),
    ColumnSpec("mandrel_tested_on", "试通日期", "Last mandrel test", ("通管日期", "最近试通日期"), ("mandrel", "proved on"), type="date"),
    price_column("price_yuan", "单价(元/孔公里·年)", "Price (yuan per bore-km and year)", "元/孔公里·年"),
    *TERMS,
)  # fmt: skip


def pools_from_values(values: Mapping[str, Any]) -> tuple[list[PoolData], list[Problem]]:
    return single_pool(
        dict(values), unit="bore", prefix="bores", price="price_yuan", bore_mm=as_decimal(values.get("inner_mm"))
    )


def check(facts: Mapping[str, Any], pools: Sequence[PoolData]) -> list[Problem]:
    """What the two CHECKs of the table say, and bores that fit the pipe."""
    problems: list[Problem] = []
    widest = facts.get("cable_max_mm")
    if widest is not None and facts.get("inner_mm") is not None and widest > facts["inner_mm"]:
        problems.append(error("cable_max_mm", "cable_too_wide", _("The largest cable is wider than the bore.")))
    inner, outer = facts.get("inner_mm"), facts.get("outer_mm")
    if inner is not None and outer is not None and inner >= outer:
        problems.append(
            error("inner_mm", "inner_not_below_outer", _("The inner diameter must be smaller than the outer."))
        )
    blocked, length = facts.get("blocked_at_m"), facts.get("surveyed_length_m")
    if blocked is not None and length is not None and blocked > length:
        problems.append(error("blocked_at_m", "blocked_beyond_end", _("“Blocked at” lies beyond the end of the duct.")))
    for pool in pools:
        if pool.bore_mm is not None and pool.bore_mm <= 0:
            problems.append(error("inner_mm", "bore_not_positive", _("A bore's diameter must be above 0 mm.")))
    return problems


SPEC = KindSpec(
    kind="duct",
    model=Duct,
    geometry="LineString",
    icon="pipeline",
    groups=(
        FieldGroup(
            _("Duct"),
            ("network", "surveyed_length_m", "cover_depth_m", "depth_accuracy", "surface", "laying"),
        ),
        FieldGroup(
            _("Bores"),
            (
                "material",
                "inner_mm",
                "outer_mm",
                "cable_max_mm",
                "blocked_at_m",
                "mandrel_tested_on",
                "face_rows",
                "face_columns",
            ),
        ),  # fmt: skip
    ),
    pools=(
        PoolSpec(
            "bore",
            _("Bores by diameter"),
            extra=("bore_mm",),
            help=_("One row per bore size. The price is per bore-km and year."),
        ),
    ),
    columns=COLUMNS,
    check=check,
    pools_from_values=pools_from_values,
    sharing_modes=("same_trench",),
)
