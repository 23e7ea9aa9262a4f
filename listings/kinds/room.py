# ruff: noqa: E501 -- tables of words; a Chinese character counts as two
"""Machine rooms: rack units and kW, and a request must fit both."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from listings.kinds.common import IDENTITY, POINT_PLACE, TERMS, YES_NO, price_column
from listings.kinds.models import Room
from listings.kinds.pools import PoolData, plain, single_pool
from listings.kinds.spec import ColumnSpec, FieldGroup, KindSpec, PoolSpec
from listings.problems import Problem, error, info

RACK_U = Decimal(42)  # a standard 19-inch rack of 2 m (IEC 60297); free racks are counted so many U each

COLUMNS = (
    *IDENTITY,
    *POINT_PLACE,
    ColumnSpec("area_m2", "机房面积", "Floor area", ("机房面积㎡", "面积", "面积(平方米)", "机房面积(㎡)", "使用面积", "建筑面积"),
               ("area", "floor area m2"), type="decimal", unit="m²"),
    ColumnSpec("clear_height_m", "净高", "Clear height", ("机房净高", "净高(米)", "层高"), ("ceiling height",), type="decimal", unit="m"),
    ColumnSpec("floor_load_kn_per_m2", "楼面承重", "Floor load", ("承重", "楼面荷载", "承重(kN/㎡)", "楼板承重"), ("floor loading",),
               type="decimal", unit="kN/m²"),
    ColumnSpec("rack_count", "机架数", "Racks", ("机柜数", "机架总数", "总机位", "机位总数", "机位数"), ("rack count", "cabinets"), type="integer"),
    ColumnSpec("rack_height_u", "每架U数", "Rack units per rack", ("单架U位", "机架高度(U)", "机柜高度U"), ("u per rack", "rack height"),
               type="integer", unit="U"),
    ColumnSpec("racks_free", "剩余机位", "Free racks", ("空闲机位", "可用机位", "剩余机架", "空闲机架", "空闲机柜"), ("available racks",), type="decimal"),
    ColumnSpec("rack_u_total", "U位总数", "Rack units", ("总U位", "U数", "U位"), ("rack units", "u total"), type="decimal", unit="U"),
    ColumnSpec("rack_u_in_use", "已用U位", "Rack units in use", ("占用U位", "已用U数"), ("used u",), type="decimal", unit="U"),
    ColumnSpec("rack_u_free", "空闲U位", "Free rack units", ("剩余U位", "可用U位"), ("free u", "available u"), type="decimal", unit="U"),
    ColumnSpec("kw_total", "电力容量", "Power", ("供电容量", "总功率", "电源容量(kW)", "总容量(kW)"), ("kw", "power kw", "capacity kw"),
               type="decimal", unit="kW"),
    ColumnSpec("kw_in_use", "已用电力", "Power in use", ("已用功率", "已用容量(kW)", "负载(kW)"), ("used kw",), type="decimal", unit="kW"),
    ColumnSpec("kw_free", "剩余电力", "Free power", ("剩余功率", "剩余容量(kW)", "可用功率"), ("free kw", "available kw"), type="decimal", unit="kW"),
    price_column("price_yuan", "单价(元/U·年)", "Price (yuan per U and year)", "元/U·年", "机位单价"),
    ColumnSpec("price_yuan_kw", "单价(元/kW·年)", "Price (yuan per kW and year)", ("电价", "电力单价"), ("price per kw",),
               type="decimal", unit="元/kW·年"),
    ColumnSpec("mains_spare_kva", "市电剩余容量", "Spare mains power", ("市电容量", "剩余市电(kVA)"), ("spare kva",), type="decimal", unit="kVA"),
    ColumnSpec("has_dc48", "直流-48V", "−48 V supply", ("-48V电源", "开关电源", "直流电源"), ("dc48", "-48v"), type="boolean", choices=YES_NO),
    ColumnSpec("has_ups", "UPS", "UPS", ("UPS电源", "不间断电源"), ("ups",), type="boolean", choices=YES_NO),
    ColumnSpec("battery_h", "蓄电池时长", "Battery", ("后备时长", "备电时长(小时)", "电池后备时间"), ("battery hours",), type="decimal", unit="h"),
    ColumnSpec("cooling_kw", "制冷量", "Cooling", ("空调制冷量", "制冷(kW)"), ("cooling",), type="decimal", unit="kW"),
    ColumnSpec("fire_system", "消防系统", "Fire system", ("消防", "消防设施"), ("fire",)),
    ColumnSpec("entry_bore_count", "进线管孔", "Cable entry bores", ("进线孔", "进局管孔"), ("entry bores",), type="integer"),
    ColumnSpec("odf_port_count", "ODF端口", "ODF ports", ("ODF端口数", "光纤配线端口"), ("odf",), type="integer"),
    ColumnSpec("tenure_ends_on", "租期截止", "Tenure ends", ("租赁到期", "租约到期"), ("lease ends",), type="date"),
    *TERMS,
)  # fmt: skip


def pools_from_values(values: Mapping[str, Any]) -> tuple[list[PoolData], list[Problem]]:
    """Rack units and kW; racks are taken as RACK_U units each where no U are given."""
    row = dict(values)
    problems: list[Problem] = []
    if row.get("rack_u_total") is None and row.get("rack_u_free") is None:
        for racks, units in (("rack_count", "rack_u_total"), ("racks_free", "rack_u_free")):
            if row.get(racks) is not None:
                row[units] = Decimal(str(row[racks])) * Decimal(row.get("rack_height_u") or RACK_U)
                if row.get("rack_height_u"):
                    continue
                assumed = _("Racks were counted as 42 U each.")
                problems.append(
                    info(racks, "racks_as_u", assumed, _("Give a column with rack units to say otherwise."))
                )
    u_pools, u_problems = single_pool(row, unit="rack_u", prefix="rack_u", price="price_yuan")
    kw_pools, kw_problems = single_pool(row, unit="kw", prefix="kw", price="price_yuan_kw")
    return u_pools + kw_pools, problems[:1] + u_problems + kw_problems


def check(facts: Mapping[str, Any], pools: Sequence[PoolData]) -> list[Problem]:
    """Exactly one pool of rack units and one of kW: both must fit a request. None at all: a draft without capacity."""
    problems: list[Problem] = []
    for unit, column, missing in (
        ("rack_u", "rack_u_total", _("A room says how many rack units (U) it has.")),
        ("kw", "kw_total", _("A room says how much power (kW) it has.")),
    ):
        count = sum(pool.unit == unit for pool in pools)
        if count == 0 and pools:
            problems.append(
                error(column, "pool_missing", missing, _("Give the total and what is in use; 0 is an answer."))
            )
        elif count > 1:
            problems.append(error(column, "pool_twice", _("A room has one pool of rack units and one of kW.")))
    racks, per_rack = facts.get("rack_count"), facts.get("rack_height_u")
    units = sum((pool.total for pool in pools if pool.unit == "rack_u"), Decimal(0))
    if racks is not None and per_rack is not None and units > racks * per_rack:
        problems.append(
            error(
                "rack_u_total",
                "units_exceed_racks",
                _("%(units)s U are more than %(racks)s racks of %(per_rack)s U hold.")
                % {"units": plain(units), "racks": racks, "per_rack": per_rack},
                _("Correct the racks, the U per rack, or the total."),
            )
        )
    area = facts.get("area_m2")
    if area is not None and area <= 0:
        problems.append(error("area_m2", "area_not_positive", _("The floor area must be above 0 m².")))
    return problems


SPEC = KindSpec(
    kind="room",
    model=Room,
    geometry="Point",
    icon="server-2",
    groups=(
        FieldGroup(
            _("Space"),
            ("area_m2", "clear_height_m", "floor_load_kn_per_m2", "rack_count", "rack_height_u", "tenure_ends_on"),
        ),
        FieldGroup(_("Power and cooling"), ("mains_spare_kva", "has_dc48", "has_ups", "battery_h", "cooling_kw")),
        FieldGroup(_("Fire and cables"), ("fire_system", "entry_bore_count", "odf_port_count")),
    ),
    pools=(
        PoolSpec("rack_u", _("Rack units"), is_labelled=False, is_single=True),
        PoolSpec("kw", _("Power"), is_labelled=False, is_single=True, help=_("A request must fit both.")),
    ),
    columns=COLUMNS,
    check=check,
    pools_from_values=pools_from_values,
    sharing_modes=("co_location",),
    empty_rows=0,
)
