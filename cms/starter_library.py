"""The first words of the news and of the library, in both languages. Editors change them in the CMS; code never does.

What no source at hand confirms (full titles, dates, later versions) is marked as to be confirmed by the bureau.
"""

# ruff: noqa: E501 — running text

import datetime as dt

NEWS = {
    "zh-hans": {
        "title": "政策通知与动态",
        "introduction": "<p>政策文件、公告和本平台的动态。</p>",
        "show_in_menus": True,
    },
    "en": {
        "title": "Policy notices and news",
        "introduction": "<p>Policy documents, announcements and news of this portal.</p>",
        "show_in_menus": True,
    },
}

NOTICES = {
    "letter-165": {
        "zh-hans": {
            "title": "十一部门：推动新型信息基础设施协调发展", "sort": "policy", "on": dt.date(2024, 9, 4),
            "source": "工信部联通信〔2024〕165号（发布日期待主管部门核实）",
            "introduction": "跨行业需求清单，铁塔、管道、光缆、机房双向开放，地铁、隧道、桥梁为通信预留空间和电力。",
            "body": [
                ("text", "<p>原则：能共享不新建，能共建不独建。</p>"),
                ("facts", [{"label": "双向开放的资源", "value": "铁塔、管道、光缆、机房"}, {"label": "行业", "value": "通信、市政、交通、电力、公安"}]),
            ],
        },
        "en": {
            "title": "Eleven departments: coordinated development of information infrastructure", "sort": "policy",
            "on": dt.date(2024, 9, 4), "source": "MIIT Unicom Letter [2024] No. 165 (its date is to be confirmed by the bureau)",
            "introduction": "A cross-industry demand list; towers, ducts, cables and rooms opened in both directions; space and power reserved for communications in subways, tunnels and bridges.",
            "body": [
                ("text", "<p>Principle: share before building; build jointly before building alone.</p>"),
                ("facts", [{"label": "Resources opened", "value": "towers, ducts, cables, rooms"}, {"label": "Sectors", "value": "telecom, municipal, transport, power, public security"}]),
            ],
        },
    },
}  # fmt: skip

LIBRARY = {
    "zh-hans": {
        "title": "标准与验收库",
        "introduction": "<p>按类别和资源类型查阅，注明版本与有效期。验收时依据其中的检查清单。</p>",
        "show_in_menus": True,
    },
    "en": {
        "title": "Standards and acceptance library",
        "introduction": "<p>By sort and kind of resource, with versions and validity. Acceptance goes by the checklists in it.</p>",
        "show_in_menus": True,
    },
}

STANDARDS = [
    {
        "code": "工信部联通信〔2024〕165号", "version": "2024", "type": "policy", "kinds": [],
        "title_zh": "关于推动新型信息基础设施协调发展有关事项的通知",
        "title_en": "Notice on the coordinated development of new information infrastructure",
        "summary_zh": "第4.2条：跨行业需求清单与双向开放；第7.2条：共享设施的标准与验收规范。",
        "summary_en": "4.2: cross-industry demand lists and opening in both directions. 7.2: standards and acceptance of shared facilities.",
        "source": "工业和信息化部等十一部门", "valid_from": dt.date(2024, 9, 4),
        "to_confirm": "全称、发布与施行日期 / full title, dates of issue and entry into force",
    },
    {
        "code": "YD 5191-2009", "version": "2009", "type": "design", "kinds": ["tower"],
        "title_zh": "电信基础设施共建共享工程技术暂行规定（平台间距不大于 5 m）",
        "title_en": "Provisional technical rules for shared telecom infrastructure (platforms at most 5 m apart)",
        "source": "工业和信息化部", "valid_from": dt.date(2009, 1, 1),
        "to_confirm": "全称、施行日期、是否已有新版 / full title, date of entry into force, whether a later version exists",
    },
    {
        "code": "GJ-ACC-TOWER", "version": "示例 1.0", "type": "acceptance", "kinds": ["tower"],
        "title_zh": "铁塔加挂验收检查清单（示例，可由编辑修改）", "title_en": "Acceptance checklist for antennas added to a tower (example; editors change it)",
        "source": "本平台示例", "valid_from": dt.date(2026, 1, 1),
        "items": [
            ("挂高与协议一致", "Mounting height as agreed", ""), ("平台间距不大于 5 m", "Platforms at most 5 m apart", "YD 5191-2009"),
            ("荷载校核书齐全并签字", "Load check complete and signed", ""), ("系统间隔离度满足要求", "Isolation between systems satisfied", ""),
            ("接地与防雷检测合格", "Earthing and lightning protection tested", ""), ("竣工图与照片齐全", "Completion drawings and photos complete", ""),
        ],
    },
    {
        "code": "GJ-ACC-DUCT", "version": "示例 1.0", "type": "acceptance", "kinds": ["duct", "cable"],
        "title_zh": "管道与光缆共享验收检查清单（示例，可由编辑修改）", "title_en": "Acceptance checklist for shared ducts and cables (example; editors change it)",
        "source": "本平台示例", "valid_from": dt.date(2026, 1, 1),
        "items": [
            ("占用管孔与协议一致", "Bores used as agreed", ""), ("试通棒通过", "Mandrel test passed", ""),
            ("光缆标牌齐全", "Cable tags in every chamber", ""), ("纤芯衰减合格", "Attenuation of cores within limits", ""),
            ("人手孔恢复原状", "Manholes and handholes restored", ""),
        ],
    },
    {
        "code": "GJ-ACC-ROOM", "version": "示例 1.0", "type": "acceptance", "kinds": ["room"],
        "title_zh": "机房共址验收检查清单（示例，可由编辑修改）", "title_en": "Acceptance checklist for co-location in a room (example; editors change it)",
        "source": "本平台示例", "valid_from": dt.date(2026, 1, 1),
        "items": [
            ("机架位置与协议一致", "Racks as agreed", ""), ("用电负荷在约定千瓦内", "Power draw within the agreed kW", ""),
            ("楼面承重复核合格", "Floor load checked", ""), ("消防与线缆封堵恢复", "Fire stops and cable entries restored", ""),
        ],
    },
]  # fmt: skip
