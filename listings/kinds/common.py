# ruff: noqa: E501 -- tables of words; a Chinese character counts as two
"""Columns every kind's file may have. Words are those real inventories use, Chinese ones first. Pure."""

from listings.kinds.spec import ColumnSpec

# The kinds in words, for the cells of demand files and the box that searches over all; lower case.
KIND_WORDS = {
    "tower": ("铁塔", "杆塔", "通信塔", "塔", "电杆", "杆", "站址", "铁塔·杆", "tower", "towers", "pole", "poles"),
    "duct": ("管道", "通信管道", "管孔", "duct", "ducts", "pipe", "pipes"),
    "cable": ("光缆", "纤芯", "cable", "cables", "fibre", "fiber"),
    "room": ("机房", "站房", "机位", "machine room", "room", "rooms", "rack"),
}

YES_NO = {
    "true": ("是", "有", "满足", "齐全", "yes", "y", "1", "√"),
    "false": ("否", "无", "不满足", "不齐全", "no", "n", "0", "×"),
}

SECTORS = {
    "telecom": ("通信", "电信", "通信行业", "telecommunications"),
    "power": ("电力", "电网", "供电", "electricity"),
    "transport": ("交通", "铁路", "公路", "地铁", "轨道交通", "rail", "road"),
    "municipal": ("市政", "城管", "住建", "urban"),
    "public_security": ("公安", "公共安全", "police"),
}
LIFECYCLES = {
    "planned": ("规划", "规划中", "拟建", "proposed"),
    "under_construction": ("在建", "建设中", "施工中", "building"),
    "in_service": ("在用", "在网", "运行", "使用中", "已投运", "投产", "正常", "existing", "operational", "active"),
    "suspended": ("停用", "暂停", "out of service for now"),
    "retired": ("退役", "退网", "拆除", "报废", "decommissioned", "removed"),
}
OWNERSHIP = {
    "built": ("自建", "自有", "own"),
    "purchased": ("购买", "购置", "收购"),
    "leased": ("租用", "租赁", "lease"),
    "iru": ("IRU", "长期使用权"),
    "concession": ("特许经营", "特许"),
}
CONDITIONS = {
    "good": ("良好", "好", "完好", "优"),
    "fair": ("一般", "中"),
    "poor": ("差", "较差", "破损"),
    "unknown": ("未知", "不详"),
}
ACCURACIES = {
    "0.3": ("0.3米", "≤0.3m", "0.3m"),
    "0.5": ("0.5米", "≤0.5m", "0.5m"),
    "1": ("1米", "≤1m", "1m"),
    "worse": ("大于1米", ">1m", "低于1米"),
    "unknown": ("未知", "不详"),
}
QUALITIES = {
    "valid": ("实测", "有效", "已核实", "surveyed"),
    "theoretical": ("图纸", "理论", "设计", "as designed"),
    "not_communicated": ("未提供", "不提供"),
}
OCCUPANCIES = {
    "empty": ("空闲", "全空", "未占用"),
    "room_left": ("在用有余", "部分占用", "有余量", "partly used"),
    "not_usable": ("在用不可用", "不可用", "余量不可用"),
    "full": ("占满", "已满", "满"),
}
SURVEY_METHODS = {
    "gnss_rtk": ("RTK", "CORS", "网络RTK", "差分GPS"),
    "gnss": ("手持GPS", "GPS", "北斗", "手机定位", "gps"),
    "total_station": ("全站仪",),
    "locator": ("管线探测仪", "探测仪", "地质雷达", "探地雷达", "gpr"),
    "inertial": ("惯性陀螺仪", "陀螺仪", "惯导"),
    "imagery": ("影像", "航拍", "卫星影像", "遥感"),
    "drawing": ("图纸", "竣工图", "图上量取", "cad"),
    "address": ("地址匹配", "地址", "geocoded"),
}
PROJECT_TYPES = {
    "subway": ("地铁", "轨道交通", "轻轨", "metro"),
    "railway": ("铁路", "高铁"),
    "tunnel": ("隧道",),
    "bridge": ("桥梁", "大桥"),
    "road": ("道路", "公路", "高速"),
    "utility_tunnel": ("综合管廊", "管廊"),
    "building": ("楼宇", "建筑", "小区", "园区"),
    "other": ("其他", "其它"),
}
GRADES = {
    "general": ("一般数据", "一般"),
    "important": ("重要数据", "重要"),
    "core": ("核心数据", "核心"),
}
DISCLOSURES = {
    "existence": ("仅计数", "不公开位置", "仅存在"),
    "blurred": ("模糊", "模糊位置", "脱敏"),
    "exact": ("精确", "公开", "精确位置"),
}
SHARING_MODES = {
    "same_trench": ("同沟分缆", "同沟分管", "同沟分缆分管", "同沟"),
    "same_pole_line": ("同杆路分缆", "同杆路", "同杆"),
    "same_cable": ("同缆分芯", "同缆分纤"),
    "core_swap": ("纤芯置换", "置换"),
    "core_lease": ("租用纤芯", "纤芯租用", "纤芯出租"),
    "same_site": ("同站址", "同址", "共站", "共塔", "塔上共享", "同平台共享"),
    "co_location": ("机房共用", "共机房", "机房共享", "托管"),
}

IDENTITY = (
    ColumnSpec(
        "owner_code", "资源编码", "Own code",
        ("产权单位编码", "编码", "编号", "资源编号", "站址编码", "站址编号", "设备编号", "资产编号", "铁塔编码", "管道编号", "光缆编号",
         "机房编号", "机房编码", "管段编号", "光缆段编号", "杆号", "序列号", "唯一标识", "标识"),
        ("code", "id", "asset id", "owner code", "site id", "asset_no", "ref", "reference", "objectid", "fid"),
        required=True, example="GD-0001",
    ),
    ColumnSpec(
        "name", "资源名称", "Name",
        ("名称", "站址名称", "站点名称", "站名", "铁塔名称", "杆塔名称", "管道名称", "管段名称", "光缆名称", "光缆段名称", "机房名称", "局站名称",
         "基站名称", "设施名称"),
        ("title", "site name", "label", "site", "description"), example="天河路1号塔",
    ),
    ColumnSpec("owner_name", "产权单位", "Owner", ("产权方", "业主", "业主单位", "权属单位", "所有权单位", "所属单位", "所属公司"),
               ("owner name", "owned by", "operator", "company")),
    ColumnSpec("manager_name", "管理单位", "Manager", ("维护单位", "管护单位", "运维单位", "代维单位", "使用管理单位"),
               ("managed by", "maintained by")),
    ColumnSpec("user_name", "使用单位", "User", ("使用方", "租户", "占用单位"), ("used by", "tenant")),
    ColumnSpec("sector", "行业", "Sector", ("所属行业", "行业类别", "领域"), ("industry",), type="choice", choices=SECTORS),
    ColumnSpec("region", "行政区划", "Region",
               ("行政区划代码", "区划代码", "行政区", "所属区县", "区县", "县区", "所在区县", "地市", "所属地市", "城市"),
               ("division", "division code", "adcode", "county", "district", "city", "region code"), type="region",
               example="440106"),
    ColumnSpec("address", "地址", "Address", ("详细地址", "站址地址", "所在位置", "位置", "地理位置", "安装地址", "具体位置"),
               ("location", "street", "street address")),
)  # fmt: skip

POINT_PLACE = (
    ColumnSpec("longitude", "经度", "Longitude", ("经度(度)", "东经", "lng", "坐标X", "X坐标", "x", "平面坐标Y", "WGS84经度", "站址经度"),
               ("lon", "long", "lng", "x", "easting", "coord_x", "point_x"), type="longitude", unit="°", example="113.33"),
    ColumnSpec("latitude", "纬度", "Latitude", ("纬度(度)", "北纬", "lat", "坐标Y", "Y坐标", "y", "平面坐标X", "WGS84纬度", "站址纬度"),
               ("lat", "y", "northing", "coord_y", "point_y"), type="latitude", unit="°", example="23.13"),
    ColumnSpec("wkt", "几何(WKT)", "Geometry (WKT)", ("几何", "空间数据", "图形"),
               ("wkt", "geometry", "geom", "the_geom", "shape"), type="wkt"),
)  # fmt: skip

LINE_PLACE = (
    ColumnSpec("start_longitude", "起点经度", "Start longitude", ("A端经度", "起始经度", "起点X"),
               ("start lon", "from lon", "lon_a", "x1"), type="longitude", unit="°"),
    ColumnSpec("start_latitude", "起点纬度", "Start latitude", ("A端纬度", "起始纬度", "起点Y"),
               ("start lat", "from lat", "lat_a", "y1"), type="latitude", unit="°"),
    ColumnSpec("end_longitude", "终点经度", "End longitude", ("Z端经度", "B端经度", "终止经度", "终点X"),
               ("end lon", "to lon", "lon_b", "lon_z", "x2"), type="longitude", unit="°"),
    ColumnSpec("end_latitude", "终点纬度", "End latitude", ("Z端纬度", "B端纬度", "终止纬度", "终点Y"),
               ("end lat", "to lat", "lat_b", "lat_z", "y2"), type="latitude", unit="°"),
    ColumnSpec("wkt", "几何(WKT)", "Geometry (WKT)", ("几何", "路由", "线路走向", "空间数据", "图形"),
               ("wkt", "geometry", "geom", "the_geom", "shape", "route"), type="wkt",
               example="LINESTRING (113.33 23.13, 113.34 23.13)"),
)  # fmt: skip

TERMS = (
    ColumnSpec("lifecycle", "生命周期", "Lifecycle", ("使用状态", "运行状态", "状态", "资源状态", "在网状态", "建设状态"),
               ("status", "state", "life cycle"), type="choice", choices=LIFECYCLES),
    ColumnSpec("available_from", "可用起始日期", "Available from", ("可用日期", "开放日期", "可共享起始日期", "可用开始"),
               ("from", "available since"), type="date"),
    ColumnSpec("available_until", "可用截止日期", "Available until", ("截止日期", "可共享截止日期", "可用结束", "到期日期"),
               ("until", "available to"), type="date"),
    ColumnSpec("ownership_mode", "产权性质", "Ownership", ("取得方式", "产权类型", "权属性质", "建设方式"),
               ("ownership mode", "tenure"), type="choice", choices=OWNERSHIP),
    ColumnSpec("condition", "状况", "Condition", ("完好程度", "设施状况", "健康状况"), ("state of repair",),
               type="choice", choices=CONDITIONS),
    ColumnSpec("occupancy", "占用状态", "Occupancy", ("占用情况", "使用情况"), ("occupancy status",), type="choice", choices=OCCUPANCIES),
    ColumnSpec("survey_method", "测量方式", "How surveyed", ("定位方式", "坐标采集方式", "采集方式", "测绘方法"), ("survey method", "capture method"),
               type="choice", choices=SURVEY_METHODS),
    ColumnSpec("accuracy", "位置精度", "Position accuracy", ("精度", "坐标精度", "定位精度"), ("accuracy", "precision"),
               type="choice", choices=ACCURACIES),
    ColumnSpec("quality", "信息质量", "Information quality", ("数据质量", "数据来源类型"), ("quality", "data quality"),
               type="choice", choices=QUALITIES),
    ColumnSpec("grade", "数据级别", "Data grade", ("数据分级", "数据等级", "密级"), ("grade", "classification"),
               type="choice", choices=GRADES),
    ColumnSpec("disclosure", "公开级别", "Disclosure", ("位置公开程度", "公开程度", "脱敏级别"), ("disclosure level", "visibility"),
               type="choice", choices=DISCLOSURES),
    ColumnSpec("sharing_modes", "共享方式", "Sharing modes", ("共建共享方式", "可共享方式", "共享模式"), ("sharing mode", "modes"),
               type="choices", choices=SHARING_MODES),
    ColumnSpec("access_hours", "进入时间", "Access hours", ("进站时间", "可进入时间", "作业时间"), ("hours",)),
    ColumnSpec("access_permit", "许可要求", "Permit needed", ("作业许可", "进站许可", "工作票"), ("permit",)),
    ColumnSpec("access_safety", "安全要求", "Safety rules", ("安全规定", "作业安全"), ("safety",)),
    ColumnSpec("access_contact", "现场联系人", "Contact on site", ("联系人", "联系方式", "站点联系人"), ("contact",)),
    ColumnSpec("access_note", "进入条件", "Access", ("进站要求", "进场要求", "钥匙", "进出管理"), ("access note",)),
    ColumnSpec("price_note", "价格说明", "Price terms", ("收费说明", "资费说明", "价格备注"), ("price note", "terms")),
    ColumnSpec("project_type", "工程类型", "Part of works", ("项目类型", "建设项目类型"), ("project type",), type="choice", choices=PROJECT_TYPES),
    ColumnSpec("project_name", "工程名称", "Name of the works", ("项目名称", "建设项目"), ("project", "project name")),
    ColumnSpec("reserved_area_m2", "预留面积", "Space reserved", ("预留空间", "预留面积(㎡)"), ("reserved area",), type="decimal", unit="m²"),
    ColumnSpec("reserved_kva", "预留电力", "Power reserved", ("预留容量(kVA)", "预留电源容量"), ("reserved power",), type="decimal", unit="kVA"),
    ColumnSpec("join_until", "参与截止日期", "Others may join until", ("共建截止日期", "意向截止日期"), ("join until",), type="date"),
    ColumnSpec("source", "数据来源", "Source of the facts", ("来源", "资料来源"), ("source", "origin")),
    ColumnSpec("facts_on", "数据日期", "Facts as of", ("更新日期", "核查日期", "普查日期", "数据更新时间", "勘察日期"),
               ("date", "updated", "surveyed on", "as of"), type="date"),
)  # fmt: skip


def price_column(field: str, label_zh: str, label_en: str, unit: str, *aliases: str) -> ColumnSpec:
    """A price in yuan per unit and year; empty: to be negotiated, 0: free opening."""
    return ColumnSpec(field, label_zh, label_en, ("单价", "价格", "租金", "年租金", "收费标准", *aliases),
                      ("price", "rent", "tariff", "annual price"), type="decimal", unit=unit)  # fmt: skip
