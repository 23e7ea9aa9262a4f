# ruff: noqa: E501 -- tables of words; a Chinese character counts as two
"""Optical cables: cores are the pool."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from listings.kinds.common import IDENTITY, LINE_PLACE, TERMS, price_column
from listings.kinds.models import Cable
from listings.kinds.pools import PoolData, single_pool
from listings.kinds.spec import ColumnSpec, FieldGroup, KindSpec, PoolSpec
from listings.problems import Problem, error

LEVELS = {
    "backbone": ("骨干", "一级干线", "国家干线", "省际干线", "干线", "trunk", "long haul"),
    "provincial": ("省内干线", "二级干线", "省干"),
    "metro": ("本地网", "城域", "本地", "中继", "metropolitan"),
    "access": ("接入", "接入网", "配线", "last mile"),
}
FIBRES = {
    "g652d": ("G.652D", "G652", "G.652", "单模"),
    "g654e": ("G.654E", "G654", "G.654"),
    "g655": ("G.655",),
    "g657a": ("G.657A", "G657", "G.657", "G.657A1", "G.657A2"),
}
CARRIERS = {
    "duct": ("管道", "管道光缆", "underground"),
    "buried": ("直埋", "埋地", "direct buried"),
    "opgw": ("OPGW", "地线复合", "光纤复合架空地线"),
    "adss": ("ADSS", "全介质自承式"),
    "pole": ("架空", "杆路", "aerial", "overhead"),
}

COLUMNS = (
    *IDENTITY,
    *LINE_PLACE,
    ColumnSpec("cable_level", "光缆级别", "Role", ("级别", "网络层次", "光缆等级", "类型"), ("role", "level", "tier", "type"),
               type="choice", choices=LEVELS),
    ColumnSpec("fibre", "纤芯类型", "Fibre type", ("光纤类型", "纤芯型号", "光纤型号"), ("fiber type", "fibre"), type="choice", choices=FIBRES),
    ColumnSpec("carrier", "敷设方式", "Carrier", ("铺设方式", "承载方式"), ("laying", "installation", "medium"), type="choice", choices=CARRIERS),
    ColumnSpec("sheath_km", "皮长公里", "Sheath length", ("光缆长度", "长度(公里)", "皮长", "长度", "光缆皮长"),
               ("length km", "length", "sheath km"), type="decimal", unit="km"),
    ColumnSpec("attenuation_db_per_km", "衰减", "Attenuation", ("衰减系数", "损耗", "衰耗"), ("loss", "db/km"), type="decimal", unit="dB/km"),
    ColumnSpec("end_a", "A端", "End A", ("起点", "起始局站", "A端局站", "起点名称", "A端机房"), ("from", "start", "a end", "site a")),
    ColumnSpec("end_b", "Z端", "End B", ("终点", "终止局站", "Z端局站", "B端", "终点名称", "Z端机房"), ("to", "end", "z end", "site b")),
    ColumnSpec("end_a_odf", "A端ODF", "ODF at end A", ("A端ODF架", "起点ODF", "A端成端"), ("odf a", "a odf")),
    ColumnSpec("end_b_odf", "Z端ODF", "ODF at end B", ("Z端ODF架", "B端ODF", "终点ODF", "Z端成端"), ("odf b", "z odf")),
    ColumnSpec("ready_on", "投产日期", "Ready for service", ("开通日期", "竣工日期", "投运日期", "交付日期"), ("rfs", "in service since"), type="date"),
    ColumnSpec("cores_total", "纤芯总数", "Cores", ("芯数", "总芯数", "纤芯数", "光缆芯数", "总纤芯"), ("core count", "fibres", "fiber count"),
               type="decimal", example="48"),
    ColumnSpec("cores_in_use", "已用芯数", "Cores in use", ("占用芯数", "已用纤芯", "在用芯数", "占用纤芯数"), ("used cores",), type="decimal"),
    ColumnSpec("cores_free", "空闲芯数", "Free cores", ("空闲纤芯", "剩余芯数", "可用芯数", "空余纤芯", "可共享纤芯"),
               ("available cores", "dark fibres"), type="decimal"),
    price_column("price_yuan", "单价(元/芯公里·年)", "Price (yuan per core-km and year)", "元/芯公里·年"),
    *TERMS,
)  # fmt: skip


def pools_from_values(values: Mapping[str, Any]) -> tuple[list[PoolData], list[Problem]]:
    return single_pool(dict(values), unit="core", prefix="cores", price="price_yuan")


def check(facts: Mapping[str, Any], pools: Sequence[PoolData]) -> list[Problem]:
    loss = facts.get("attenuation_db_per_km")
    if loss is not None and not 0 < Decimal(loss) <= 5:
        return [error("attenuation_db_per_km", "attenuation_range", _("Attenuation lies between 0 and 5 dB/km."))]
    return []


SPEC = KindSpec(
    kind="cable",
    model=Cable,
    geometry="LineString",
    icon="route",
    groups=(
        FieldGroup(_("Cable"), ("cable_level", "fibre", "carrier", "sheath_km", "attenuation_db_per_km")),
        FieldGroup(_("Ends"), ("end_a", "end_a_odf", "end_b", "end_b_odf", "ready_on")),
    ),
    pools=(
        PoolSpec(
            "core",
            _("Fibre cores"),
            help=_("One row, or one per bundle. The price is per core-km and year."),
        ),
    ),
    columns=COLUMNS,
    check=check,
    pools_from_values=pools_from_values,
    labels={"cable_level": _("Network level")},
    sharing_modes=("core_lease", "core_swap", "same_cable"),
)
