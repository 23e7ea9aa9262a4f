"""The agreement of works built together as a document: frozen terms of all parties, in both languages."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import override

from agreements.clauses import Text
from agreements.terms import money, number

from .apportion import Share
from .models import Project

TITLE = Text("共同建设协议", "Agreement on Works Built Together")
LEAD, PARTY = Text("牵头单位", "Lead party"), Text("参与单位", "Participating party")
CLAUSES = [
    ("joint_works", Text("共同建设", "Works together"), Text(
        "牵头单位按公告的方式和时间组织施工，并为各参与单位建设本协议所列数量；各方配合设计、交底和验收。",
        "The lead party builds by the method and in the time of the notice, and builds for each participating party "
        "the quantity named in this agreement; all parties take part in design, briefing and acceptance.",
    )),
    ("split", Text("费用分摊", "Apportionment"), Text(
        "各方按本协议所列金额承担费用，合计等于工程总费用，计算到分。增减工程量须经各方书面同意后重新分摊。",
        "Each party bears the amount named in this agreement; together they are the whole cost, to the fen. A change "
        "of the works takes the consent of all parties in writing and a new apportionment.",
    )),
    ("acceptance", Text("验收与归属", "Acceptance and ownership"), Text(
        "工程由各参与单位共同验收；不合格的，牵头单位整改后再次验收。验收合格后，各方按所列数量享有建成设施。",
        "The participating parties accept the works together; what falls short the lead party rectifies before they "
        "are accepted again. After acceptance each party holds the quantity of the finished facilities named here.",
    )),
]  # fmt: skip


def _both(words: Any) -> dict[str, str]:
    """A translatable label in both languages."""
    said = {}
    for key, language in (("zh", "zh-hans"), ("en", "en")):
        with override(language):
            said[key] = str(words)
    return said


def _row(label: Text, value: Any) -> dict[str, Any]:
    return {"label": label.as_json(), "value": value}


def _name(share: Share) -> dict[str, str]:
    names = share.organisation
    return {"zh": names.name_zh, "en": names.name_en or names.name_zh}


def frozen_terms(project: Project, split: Sequence[Share]) -> dict[str, Any]:
    """The document's content as documents.Paper wants it: all parties, the works, the split by the chosen method."""
    unit, total = _both(Project.Unit(project.unit).label), sum(share.by(project.split) for share in split)
    rows = [
        _row(Text("分摊方法", "Method"), _both(Project.Split(project.split).label)),
        _row(Text("共同费用", "Common cost"), money(project.common_fen)),
    ]
    for share in split:
        paid, own = money(share.by(project.split)), money(share.own_fen)
        name = _name(share)
        rows.append({"label": name, "value": {
            "zh": f"{paid}（{number(share.units)} {unit['zh']}；自身增加 {own}；单独建设 {money(share.alone_fen)}）",
            "en": f"{paid} ({number(share.units)} {unit['en']}; own extra cost {own}; alone {money(share.alone_fen)})",
        }})  # fmt: skip
    rows.append(_row(Text("合计", "Sum"), money(total)))
    return {
        "title": TITLE.as_json(),
        "parties": [
            {
                "id": share.organisation.pk,
                "role": (LEAD if share.organisation.pk == project.lead_id else PARTY).as_json(),
                "name": _name(share),
                "uscc": share.organisation.uscc,
                "share_fen": share.by(project.split),
            }
            for share in split
        ],
        "sections": [
            {"title": Text("工程", "Works").as_json(), "rows": [
                _row(Text("名称", "Title"), project.title),
                _row(Text("类别", "Kind"), _both(Project.Kind(project.kind).label)),
                _row(Text("施工方法", "Method of works"), _both(Project.Method(project.method).label)),
                _row(Text("工期", "Time"), {
                    "zh": f"{project.starts_on} 至 {project.ends_on}",
                    "en": f"{project.starts_on} to {project.ends_on}",
                }),
            ]},
            {"title": Text("费用分摊（含税）", "Apportionment (tax included)").as_json(), "rows": rows},
        ],
        "clauses": [
            {"code": code, "title": title.as_json(), "text": text.as_json()} for code, title, text in CLAUSES
        ],
        "note": "",
    }  # fmt: skip
