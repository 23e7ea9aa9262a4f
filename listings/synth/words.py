"""Names and owners of made-up resources. Everything says 合成 (synthetic) where a person could take it for real."""

from accounts.models import Organisation, Region
from accounts.models.organisations import Sector
from accounts.uscc import check_character

MARK = "合成"  # in every synthetic owner's name
SOURCE = "manage.py synth"  # Resource.source of every synthetic row
USCC_PREFIX = "9199999"  # fictional registration region 999999, then 7 and the number
ROADS = [
    "人民路", "解放路", "中山路", "建设路", "和平路", "新华路", "文化路", "胜利路", "朝阳路", "光明路",
    "长江路", "黄河路", "珠江路", "湖滨路", "滨河路", "学府路", "科技路", "工业路", "站前路", "机场路",
    "迎宾路", "友谊路", "团结路", "幸福路", "民主路", "东风路", "北京路", "上海路", "南京路", "广州路",
    "金融街", "商业街", "环城东路", "环城西路", "环城南路", "环城北路", "开发区大道", "高新大道", "世纪大道", "文昌路",
]  # fmt: skip
ROADS_EN = ["Renmin Road", "Jianshe Road", "Airport Road", "Ring Road East", "Tech Avenue", "Lakeside Road"]
TYPE_NAMES = {
    "telecom_tower": "通信塔", "power_pylon": "输电杆塔", "power_pole": "电杆", "lamp_pole": "路灯杆",
    "traffic_signal": "信号杆", "surveillance": "监控杆", "gantry": "龙门架", "smart_pole": "智慧杆",
    "roof_pole": "楼顶抱杆", "mast": "桅杆", "duct": "管道", "cable": "光缆", "room": "机房",
}  # fmt: skip
OWNER_NAMES = {
    Sector.TELECOM: ("铁塔公司", "Tower Company"),
    Sector.POWER: ("电力公司", "Power Company"),
    Sector.TRANSPORT: ("交通投资公司", "Transport Investment"),
    Sector.MUNICIPAL: ("市政公司", "Municipal Works"),
    Sector.PUBLIC_SECURITY: ("公安信息中心", "Public Security Information Centre"),
}


def owners() -> dict[tuple[str, str], int]:
    """{(first two digits of the region, sector): key of the organisation}, made where they are missing."""
    from django.utils import timezone

    found: dict[tuple[str, str], int] = {}
    number = 0
    for province in Region.objects.provinces().defer("polygon").order_by("code"):
        for sector, (zh, en) in OWNER_NAMES.items():
            number += 1
            first = f"{USCC_PREFIX}97{number:08d}"
            organisation, _made = Organisation.objects.get_or_create(
                uscc=first + check_character(first),
                defaults={
                    "name_zh": f"{province.name_zh}{zh}（{MARK}）", "name_en": f"{province.name_en} {en} (synthetic)",
                    "sector": sector, "region": province, "verification": "verified", "verified_at": timezone.now(),
                },
            )  # fmt: skip
            found[province.code[:2], str(sector)] = organisation.pk
    return found


def synthetic_owners():
    return Organisation.objects.filter(uscc__startswith=f"{USCC_PREFIX}97", name_zh__contains=MARK)
