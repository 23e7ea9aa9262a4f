"""The clause library: what every agreement says, and what the kind of resource adds. Both languages side by side.

These are texts of a document, frozen into each agreement when its terms are agreed, so they are not translated at
reading time. Change a text only together with LIBRARY_VERSION: agreements keep the words they were signed with.
A starting point to be read by each party's own lawyers; nothing here replaces the parties' judgement.
"""

from dataclasses import dataclass

LIBRARY_VERSION = "2026-2"


@dataclass(frozen=True)
class Text:
    """The same words in both languages."""

    zh: str
    en: str

    def as_json(self) -> dict[str, str]:
        return {"zh": self.zh, "en": self.en}


@dataclass(frozen=True)
class Clause:
    code: str
    title: Text
    text: Text

    def as_json(self) -> dict[str, object]:
        return {"code": self.code, "title": self.title.as_json(), "text": self.text.as_json()}


def _clause(code: str, title_zh: str, title_en: str, zh: str, en: str) -> Clause:
    return Clause(code, Text(title_zh, title_en), Text(zh, en))


OPENING = [
    _clause(
        "use", "使用范围", "Use",
        "产权单位按本协议所列对象、数量和期限，将资源开放给申请单位共享使用。申请单位仅可用于申请中说明的用途，"
        "未经产权单位书面同意，不得转让、转租或扩大使用范围。",
        "The owner opens the object, quantity and period named in this agreement to the applicant for shared use. The "
        "applicant uses it for the purpose stated in the request only, and neither transfers, sublets nor extends it "
        "without the owner's consent in writing.",
    ),
    _clause(
        "payment", "费用与支付", "Price and payment",
        "年费为本协议所列含税金额，自期限起始日起按年度支付，每年度开始后30日内付清；金额为零的，为免费开放。"
        "产权单位收款前开具合法票据。",
        "The yearly price is the amount named in this agreement, tax included. It is paid year by year from the first "
        "day of the period, within 30 days after each year begins; an amount of zero means free opening. The owner "
        "issues a lawful invoice before payment.",
    ),
]  # fmt: skip

BY_KIND: dict[str, list[Clause]] = {
    "tower": [
        _clause(
            "tower_load", "荷载与安装", "Load and installation",
            "安装前由双方共同完成荷载校核；需要加固的，加固方案和费用另行书面约定后实施。设备安装不超过约定的平台、"
            "挂高和数量，不得影响原有设施的结构安全和正常运行。",
            "Both parties complete the load check before anything is installed; where reinforcement is needed, its "
            "design and cost are agreed in writing first. Equipment stays within the platform, mounting height and "
            "number agreed, and impairs neither the structure nor the operation of what is there.",
        ),
        _clause(
            "tower_interference", "干扰", "Interference",
            "申请单位的设备对已有系统造成有害干扰的，应立即停用并排除；费用由申请单位承担。",
            "Where the applicant's equipment causes harmful interference to systems already there, the applicant "
            "switches it off at once and removes the cause at its own cost.",
        ),
    ],
    "duct": [
        _clause(
            "duct_bores", "管孔使用", "Use of bores",
            "申请单位仅占用约定的管孔，在每个人孔、手孔内为线缆挂牌标识；施工前办理进入手续，完工后恢复原状并提交竣工图。"
            "同沟建设的，线缆与管道分别布放，产权互不混同。",
            "The applicant uses the agreed bores only and labels its cable in every chamber. It obtains entry before "
            "works, restores what it opened and hands in a completion drawing. In a shared trench cables and ducts are "
            "laid separately, and ownership is not mixed.",
        ),
    ],
    "cable": [
        _clause(
            "cable_cores", "纤芯使用", "Use of cores",
            "产权单位交付约定芯数的纤芯并提供测试记录；接续在约定的光纤配线架上进行。产权单位割接或检修影响使用的，"
            "至少提前5个工作日通知；发生中断的，优先抢通。",
            "The owner hands over the agreed number of cores with test records; splicing is done at the agreed "
            "distribution frame. The owner announces cut-overs and maintenance that affect use at least 5 working days "
            "ahead, and restores service first when it is interrupted.",
        ),
    ],
    "room": [
        _clause(
            "room_power", "机房与用电", "Room and power",
            "申请单位设备不超过约定的U位数和功率；上电前由双方确认电源、制冷、楼面承重和消防条件。电费按实际用量结算的，"
            "由双方另行约定。",
            "The applicant's equipment stays within the rack units and power agreed; before it is switched on both "
            "parties confirm power, cooling, floor load and fire protection. Where energy is settled by use, the "
            "parties agree on that separately.",
        ),
        _clause(
            "room_access", "进出机房", "Access to the room",
            "进出机房按产权单位的登记、陪同和安全制度执行；紧急抢修可先进入，后补手续。",
            "Access follows the owner's rules on registration, company and safety; for urgent repairs one may enter "
            "first and complete the formalities afterwards.",
        ),
    ],
}  # fmt: skip

BY_MODE: dict[str, list[Clause]] = {
    "same_trench": [
        _clause(
            "mode_same_trench", "同沟分管", "Same trench, separate ducts",
            "双方管道同沟敷设、分管布放，产权各自独立；任何一方开挖或抢修前通知对方，不得损伤对方管道。",
            "The ducts of both lie in one trench, laid apart, each party owning its own. Who digs or repairs tells the "
            "other first and does its ducts no harm.",
        )
    ],
    "same_pole_line": [
        _clause(
            "mode_same_pole_line", "同杆分缆", "Same pole line, separate cables",
            "线缆分层架设，间距、垂度和标识符合现行规范；杆路迁改由产权单位提前60日通知，线缆由各自单位同步迁改。",
            "Cables hang in layers of their own with clearance, sag and marking by the standards in force. The owner "
            "announces a move of the pole line 60 days ahead; each party moves its own cable with it.",
        )
    ],
    "same_cable": [
        _clause(
            "mode_same_cable", "同缆分芯", "Same cable, separate cores",
            "各方纤芯按芯序登记，成端和跳接分开；光缆割接由产权单位统一组织，割接前后共同测试并留存记录。",
            "Each party's cores are registered by number and terminated apart. The owner arranges cut-overs of the "
            "cable; both test before and after and keep the records.",
        )
    ],
    "core_swap": [
        _clause(
            "mode_core_swap", "纤芯置换", "Core swap",
            "双方以芯公里为单位等量置换，差额记入双方置换台账，不计费用；本协议生效时记入，终止时冲回。",
            "Cores are swapped core-kilometre for core-kilometre without payment. The difference is kept in the "
            "parties' swap ledger: entered when this agreement comes into force and reversed when it ends.",
        )
    ],
    "core_lease": [
        _clause(
            "mode_core_lease", "租用纤芯", "Core lease",
            "租用纤芯不得转租；停用的纤芯应在30日内交还，并从次月起停止计费。",
            "Leased cores are not let on. Cores no longer used are handed back within 30 days and are not charged from "
            "the following month.",
        )
    ],
    "same_site": [
        _clause(
            "mode_same_site", "同址同平台", "Same site or platform",
            "新增或更换设备前书面告知对方，共同核对平台占用与隔离度；公共设施费用按使用方数量分担。",
            "Before equipment is added or replaced the other party is told in writing, and both check the use of the "
            "platform and the isolation. The cost of common installations is shared by the number of users.",
        )
    ],
    "co_location": [
        _clause(
            "mode_co_location", "机房共址", "Room co-location",
            "机架、电源端子和走线架按图分区并挂牌；任何一方不得占用对方预留位置，扩容须先书面同意。",
            "Racks, power terminals and cable trays are divided by drawing and labelled. Neither party uses what is "
            "reserved for the other; extensions need consent in writing first.",
        )
    ],
}  # fmt: skip
# The sharing modes an agreement about a kind can name.
MODES_BY_KIND = {
    "tower": ("same_site", "same_pole_line"),
    "duct": ("same_trench",),
    "cable": ("same_cable", "core_swap", "core_lease", "same_pole_line"),
    "room": ("co_location",),
}

CLOSING = [
    _clause(
        "safety", "安全与维护", "Safety and maintenance",
        "产权单位负责资源本体的维护，申请单位负责自有设备的维护。双方遵守安全生产规定；造成对方损失的，依法承担责任。",
        "The owner maintains the resource itself, the applicant its own equipment. Both observe the rules on work "
        "safety; who causes the other a loss is liable by law.",
    ),
    _clause(
        "confidentiality", "数据与保密", "Data and confidentiality",
        "因本协议获知的精确位置、结构和运行数据，按一般数据、重要数据、核心数据分级保护，不得向第三方提供，"
        "协议终止后继续有效。",
        "Exact places, structural and operating data learnt through this agreement are protected by their grade "
        "(general, important, core data) and not passed to third parties; this outlives the agreement.",
    ),
    _clause(
        "end", "续约与退出", "Renewal and exit",
        "期满前60日内双方可协商续约。任何一方提前退出，应至少提前90日书面通知；因公共利益或安全原因须立即停用的除外。"
        "终止后30日内申请单位拆除设备并恢复原状。",
        "Within 60 days before the period ends the parties may agree on renewal. Who leaves earlier gives notice in "
        "writing at least 90 days ahead, unless public interest or safety demands an immediate stop. Within 30 days "
        "after the end the applicant removes its equipment and restores the place.",
    ),
    _clause(
        "disputes", "争议", "Disputes",
        "发生争议，双方先行协商；协商不成的，可提请资源所在地主管部门调解，或依法向人民法院起诉。"
        "本协议中英文本不一致的，以中文本为准。",
        "The parties first settle disputes between themselves; failing that, either may ask the bureau of the "
        "resource's region to mediate, or bring the case to the people's court. Where the two language versions "
        "differ, the Chinese one prevails.",
    ),
]  # fmt: skip


def clauses_for(kind: str, mode: str = "") -> list[Clause]:
    """The clauses of an agreement about a resource of the kind, in order; mode: a listings.models.SharingMode or ""."""
    return [*OPENING, *BY_KIND[kind], *BY_MODE.get(mode, []), *CLOSING]


# --- Words of the document ----------------------------------------------------------------------

KINDS = {
    "tower": Text("铁塔·杆", "Tower / pole"),
    "duct": Text("管道", "Duct / pipe"),
    "cable": Text("光缆", "Optical cable"),
    "room": Text("机房", "Machine room"),
}
UNITS = {
    "position": Text("个天线位", "antenna positions"),
    "bore": Text("孔", "bores"),
    "core": Text("芯", "fibre cores"),
    "rack_u": Text("U", "U"),
    "kw": Text("kW", "kW"),
}
ONE = {"position": "antenna position", "bore": "bore", "core": "fibre core"}  # English has a singular


def quantity_words(number: str, unit: str) -> Text:
    """ "2", "bore" → 2 孔, 2 bores."""
    words = UNITS[unit]
    return Text(f"{number} {words.zh}", f"{number} {ONE.get(unit, words.en) if number == '1' else words.en}")


UNIT_NAMES = {
    "position": Text("天线位", "Antenna positions"),
    "bore": Text("管孔", "Bores"),
    "core": Text("纤芯", "Fibre cores"),
    "rack_u": Text("U位", "Rack units"),
    "kw": Text("电力", "Power"),
}
