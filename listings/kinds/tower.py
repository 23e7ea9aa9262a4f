# ruff: noqa: E501 -- tables of words; a Chinese character counts as two
"""Towers and poles: platforms with a mounting height, and antenna positions on them."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from listings.kinds.common import IDENTITY, POINT_PLACE, TERMS, YES_NO, price_column
from listings.kinds.models import Tower
from listings.kinds.pools import PoolData, as_decimal, in_use_of, plain, price_of, shares, stated
from listings.kinds.spec import ColumnSpec, FieldGroup, KindSpec, PoolSpec
from listings.problems import Problem, error, info, warning

PLATFORM_SPACING_MAX_M = Decimal(5)  # YD 5191-2009: spacing between platforms at most 5 m
HEIGHT_MAX_M = Decimal(500)  # as CHECK tower_height_in_range says

TYPES = {
    "telecom_tower": ("通信铁塔", "通信塔", "铁塔", "基站塔", "telecom", "cell tower"),
    "power_pylon": ("输电杆塔", "输电塔", "电力铁塔", "电力塔", "高压塔", "pylon", "transmission tower"),
    "power_pole": ("电力杆", "电杆", "配电杆", "pole", "utility pole"),
    "lamp_pole": ("路灯杆", "灯杆", "路灯", "lamp", "street light"),
    "traffic_signal": ("交通信号杆", "信号灯杆", "红绿灯杆", "signal", "traffic light"),
    "surveillance": ("监控杆", "摄像机杆", "视频杆", "cctv", "camera pole"),
    "gantry": ("门架", "龙门架", "etc门架"),
    "smart_pole": ("智慧多功能杆", "智慧灯杆", "智慧杆", "多功能杆", "kiosk", "smart pole"),
    "roof_pole": ("楼面抱杆", "抱杆", "屋面杆", "rooftop"),
    "mast": ("桅杆", "拉线桅杆"),
}
STRUCTURES = {
    "angle_steel": ("角钢塔", "角钢", "lattice"),
    "monopole": ("单管塔", "单管", "单管杆"),
    "three_tube": ("三管塔", "三管"),
    "guyed": ("拉线塔", "拉线"),
    "roof": ("楼面塔", "屋面塔", "支撑杆"),
    "landscape": ("景观塔", "美化塔", "仿生树"),
    "wood": ("木杆", "木质", "wooden"),
    "concrete": ("水泥杆", "混凝土杆", "混凝土"),
    "steel": ("钢杆", "钢管杆", "钢"),
}
SPACING_REASONS = {
    "partial_list": ("部分平台", "仅列空闲平台", "仅列可用平台", "partial"),
    "as_built": ("实测如此", "现状如此", "as measured"),
}
REINFORCEMENTS = {
    "none": ("无需加固", "不需要", "无需"),
    "possible": ("可加固", "需加固", "可以"),
    "not_allowed": ("不可加固", "不允许", "不允许加固"),
}

COLUMNS = (
    *IDENTITY,
    *POINT_PLACE,
    ColumnSpec("tower_type", "铁塔类型", "Type", ("塔型", "杆塔类型", "类型", "站址类型", "设施类型", "杆型"),
               ("tower type", "structure type", "kind of tower", "pole type"), type="choice", choices=TYPES),
    ColumnSpec("structure", "结构", "Structure", ("塔身结构", "结构形式", "材质", "杆塔材质"), ("material",),
               type="choice", choices=STRUCTURES),
    ColumnSpec("height_m", "塔高", "Height", ("塔高(米)", "塔高（米）", "杆高", "高度", "杆塔高度", "铁塔高度", "全高", "总高"),
               ("tower height", "height m", "structure height", "elevation height"), type="decimal", unit="m"),
    ColumnSpec("platform_heights_m", "平台挂高", "Platform heights", ("挂高", "挂高(米)", "天线挂高", "各平台挂高", "平台高度", "可用挂高"),
               ("platform height", "mounting height", "antenna height"), type="numbers", unit="m", example="35/30/25"),
    ColumnSpec("positions_total", "天线位总数", "Antenna positions",
               ("天线位", "挂点总数", "抱杆数", "抱杆总数", "可挂天线数", "平台天线位", "挂载位数"),
               ("positions", "mounts", "antenna slots"), type="numbers", example="3/3/3"),
    ColumnSpec("positions_in_use", "已用天线位", "Positions in use", ("已用挂点", "已用抱杆", "占用天线位", "已挂天线数"),
               ("used positions", "tenants"), type="numbers"),
    ColumnSpec("positions_free", "空闲天线位", "Free positions", ("空闲挂点", "剩余抱杆", "可用天线位", "剩余天线位", "可共享天线位",
                                                              "剩余挂载平台", "剩余平台", "可挂载平台", "剩余挂载位", "空余天线位", "剩余挂点", "可用挂点", "可用抱杆", "空闲抱杆"),
               ("available positions",), type="numbers"),
    price_column("price_yuan", "单价(元/天线位·年)", "Price (yuan per position and year)", "元/天线位·年"),
    ColumnSpec("platform_tops_m", "平台挂高上限", "Platform heights up to", ("挂高上限", "挂高上限(米)", "可用挂高上限"),
               ("height to", "band top"), type="numbers", unit="m"),
    ColumnSpec("spacing_reason", "平台间距说明", "Why platforms are more than 5 m apart", ("平台间距超5米原因", "平台间距原因"),
               ("spacing reason",), type="choice", choices=SPACING_REASONS),
    ColumnSpec("load_used_pct", "荷载使用率", "Load used", ("荷载利用率", "已用荷载(%)", "荷载占用"), ("load %", "utilisation"),
               type="decimal", unit="%"),
    ColumnSpec("wind_area_m2", "剩余迎风面积", "Wind area left", ("迎风面积", "可用迎风面积"), ("wind area",), type="decimal", unit="m²"),
    ColumnSpec("load_kg", "剩余荷载", "Load left", ("剩余荷载(kg)", "可用荷载", "荷载"), ("spare load", "load"), type="decimal", unit="kg"),
    ColumnSpec("reinforcement", "加固", "Reinforcement", ("加固情况", "是否可加固"), (), type="choice", choices=REINFORCEMENTS),
    ColumnSpec("is_isolation_met", "隔离度满足", "Isolation satisfied", ("隔离度", "隔离度是否满足"), ("isolation",),
               type="boolean", choices=YES_NO),
    ColumnSpec("is_papers_complete", "设计验收资料齐全", "Papers complete", ("资料齐全", "资料是否齐全", "验收资料"), ("papers",),
               type="boolean", choices=YES_NO),
    ColumnSpec("mains_v", "市电电压", "Mains voltage", ("电压", "市电"), ("voltage",), type="integer", unit="V"),
    ColumnSpec("spare_kva", "剩余电力容量", "Spare power", ("剩余容量(kVA)", "可用电力", "剩余变压器容量"), ("spare kva",),
               type="decimal", unit="kVA"),
    ColumnSpec("has_backup", "备用电源", "Back-up power", ("是否有备电", "备电", "后备电源"), ("backup",), type="boolean", choices=YES_NO),
    ColumnSpec("has_fibre", "光缆到站", "Fibre at site", ("是否通光缆", "光缆是否到站", "传输到站"), ("fiber", "fibre"),
               type="boolean", choices=YES_NO),
    ColumnSpec("line_kv", "线路电压等级", "Power line voltage", ("电压等级", "电压等级(kV)"), ("kv", "line voltage", "design voltage"),
               type="integer", unit="kV"),
    ColumnSpec("line_name", "线路名称", "Power line or pole line", ("所属线路", "电力线路", "杆路名称", "所属杆路"),
               ("line", "line name", "power line", "pole line")),
    ColumnSpec("line_tower_no", "线路杆塔号", "Tower number on the line", ("杆塔号", "塔号"), ("tower no", "structure number")),
    ColumnSpec("live_work_clearance_m", "带电作业安全距离", "Live-work clearance", ("带电安全距离", "安全距离", "安全净距"),
               ("clearance", "safety clearance"), type="decimal", unit="m"),
    ColumnSpec("outage_window", "停电窗口", "Outage window", ("停电检修窗口", "可停电时段", "停电时间"), ("outage", "outage period")),
    *TERMS,
)  # fmt: skip


def pools_from_values(values: Mapping[str, Any]) -> tuple[list[PoolData], list[Problem]]:
    """Platforms from a row: one number for several platforms is shared out from the top."""
    heights = sorted(values.get("platform_heights_m") or [], reverse=True)
    count = max(1, len(heights))
    problems: list[Problem] = []
    tops = [as_decimal(top) for top in values.get("platform_tops_m") or []]
    if tops and len(tops) != len(heights):
        tops, problems = [], [
            warning("platform_tops_m", "tops_differ", _("Not as many upper heights as platforms: left out."),
                    _("Give one upper height per platform, in the same order."))]  # fmt: skip
    tops = sorted(tops, reverse=True, key=lambda top: top or 0)
    totals, total_problem = shares("positions_total", values.get("positions_total"), count)
    used, used_problem = shares("positions_in_use", values.get("positions_in_use"), count)
    free, free_problem = shares("positions_free", values.get("positions_free"), count)
    found = [p for p in (total_problem, used_problem, free_problem) if p]
    if found:
        return [], found
    if not (stated(totals) or stated(free)):
        return [], []
    if count > 1 and len(values.get("positions_total") or []) == 1:
        problems.append(info("positions_total", "shared_out",
                             _("One number for several platforms: shared out from the highest down."),
                             _("Give one number per platform, as in 3/3/2, to say otherwise.")))  # fmt: skip
    pools = []
    for index in range(count):
        total, in_use, problem = in_use_of("positions_total", totals[index], used[index], free[index])
        if problem:
            problems.append(problem)
        pools.append(
            PoolData(
                unit="position",
                label=f"P{index + 1}" if heights else "",
                height_m=heights[index] if heights else None,
                height_top_m=tops[index] if tops else None,
                total=total,
                in_use=in_use,
                price_fen_per_unit_year=price_of(values.get("price_yuan")),
            )
        )
    return pools, problems


def _bands(pools: Sequence[PoolData]) -> list[tuple[Decimal, Decimal]]:
    """The platforms' (from, to) in m, lowest first; a platform without a band is its own height twice."""
    return sorted(
        (Decimal(p.height_m), Decimal(p.height_m if p.height_top_m is None else p.height_top_m))
        for p in pools
        if p.height_m is not None
    )


def widest_gap(pools: Sequence[PoolData]) -> tuple[Decimal, Decimal] | None:
    """(lower, upper) in m of the first pair of neighbouring platforms further apart than PLATFORM_SPACING_MAX_M."""
    reached: Decimal | None = None
    for low, high in _bands(pools):
        if reached is not None and low - reached > PLATFORM_SPACING_MAX_M:
            return reached, low
        reached = high if reached is None else max(reached, high)
    return None


def assume(values: Mapping[str, Any], pools: Sequence[PoolData]) -> tuple[dict[str, Any], list[Problem]]:
    """A file with a gap between platforms is taken to list some of them: real lists often name only the free ones."""
    gap = widest_gap(pools)
    if gap is None or values.get("spacing_reason"):
        return {}, []
    said = warning(
        "platform_heights_m",
        "platform_spacing",
        _apart(gap),
        _("Taken as: not all platforms are listed. Check the heights, or say in a column why it is so."),
    )
    return {"spacing_reason": "partial_list"}, [said]


def _apart(gap: tuple[Decimal, Decimal]) -> Any:
    lower, upper = gap
    return _("Platforms at %(upper)s m and %(lower)s m are %(gap)s m apart; YD 5191-2009 asks for at most 5 m.") % {
        "upper": plain(upper),
        "lower": plain(lower),
        "gap": plain(upper - lower),
    }


def check(facts: Mapping[str, Any], pools: Sequence[PoolData]) -> list[Problem]:
    """Platforms stand on the tower, and at most 5 m apart unless the owner says why (YD 5191-2009)."""
    problems: list[Problem] = []
    top, load = facts.get("height_m"), facts.get("load_used_pct")
    if top is not None and not 0 < top <= HEIGHT_MAX_M:
        problems.append(error("height_m", "height_range", _("A tower's height lies between 0 and 500 m.")))
        top = None
    if load is not None and not 0 <= load <= 100:
        problems.append(error("load_used_pct", "load_range", _("Load used is a share of 0 to 100 %.")))
    bands = _bands(pools)
    highest = max((high for _low, high in bands), default=None)
    if top is not None and highest is not None and highest > top:
        problems.append(
            error(
                "platform_heights_m",
                "platform_above_top",
                _("A platform at %(height)s m lies above the top of the tower (%(top)s m).")
                % {"height": plain(highest), "top": plain(Decimal(top))},
                _("Correct the tower's height or the platform's."),
            )
        )
    if bands and bands[0][0] <= 0:
        problems.append(
            error("platform_heights_m", "platform_below_ground", _("A platform's height must be above 0 m."))
        )
    if any(high < low for low, high in bands):
        problems.append(
            error("platform_heights_m", "band_order", _("“Up to height” lies below the platform's mounting height."))
        )
    gap = widest_gap(pools)
    if gap and not facts.get("spacing_reason"):
        problems.append(
            error(
                "spacing_reason",
                "platform_spacing",
                _apart(gap),
                _("Correct the heights, add the platform between them, or choose why it is so."),
            )
        )
    return problems


SPEC = KindSpec(
    kind="tower",
    model=Tower,
    geometry="Point",
    icon="building-broadcast-tower",
    groups=(
        FieldGroup(_("Structure"), ("tower_type", "structure", "height_m", "spacing_reason")),
        FieldGroup(
            _("Load"),
            ("load_used_pct", "wind_area_m2", "load_kg", "reinforcement", "is_isolation_met", "is_papers_complete"),
        ),
        FieldGroup(_("Power and fibre"), ("mains_v", "spare_kva", "has_backup", "has_fibre")),
        FieldGroup(
            _("Power line or pole line"),
            ("line_kv", "line_name", "line_tower_no", "live_work_clearance_m", "outage_window"),
        ),
    ),
    pools=(
        PoolSpec(
            "position",
            _("Antenna positions by platform"),
            extra=("height_m", "height_top_m"),
            help=_("One row per platform, with its mounting height. Platforms stand at most 5 m apart (YD 5191-2009)."),
        ),
    ),
    columns=COLUMNS,
    check=check,
    pools_from_values=pools_from_values,
    assume=assume,
    labels={"line_kv": _("Voltage of the power line (kV)"), "line_name": _("Name of the line")},
    sharing_modes=("same_site", "same_pole_line"),
    empty_rows=2,
)
