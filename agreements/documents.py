"""An agreement as a document: the same sections for the page, for printing and for the PDF.

What is laid out is a Paper: terms frozen as JSON, with parties of any number. Where it comes from (a request, a
project of several parties) is not this file's business.
"""

import datetime as dt
import hashlib
import io
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

import segno
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import override

from accounts.events import record

from .clauses import Text
from .models import Agreement
from .sealing import seal
from .terms import money

log = logging.getLogger(__name__)

TITLE = Text("共建共享协议", "Co-construction and Sharing Agreement")
SIDES = {
    "owner": Text("产权单位（甲方）", "Owner (Party A)"),
    "requester": Text("申请单位（乙方）", "Applicant (Party B)"),
}


class Paper(Protocol):
    """Frozen terms with their names: models.Agreement, or any other row that carries these.

    terms: "parties" ({"id", "side" or "role", "name", "uscc"}), "clauses", "note"; either "object", "items", "price"
    and "period" as agreements/terms.py writes them, or "sections": [{"title", "rows": [{"label", "value"}]}] in their
    place. "title" and each "role" are {"zh", "en"}; without them the words of an agreement of two stand.
    """

    reference: str
    verification_code: str
    terms: dict[str, Any]
    terms_sha256: str
    signed_at: dt.datetime | None


class Signed(Protocol):
    """A signature under a paper."""

    organisation_id: int
    signer_name: str
    signed_at: dt.datetime


@dataclass(frozen=True)
class Row:
    """A line of a section: what it is, and its value; the other language's words beside where they differ."""

    label: str
    value: str
    other_label: str = ""
    other_value: str = ""
    is_code: bool = False


@dataclass(frozen=True)
class Section:
    number: int
    title: str
    other_title: str
    rows: list[Row] = field(default_factory=list)
    text: str = ""
    other_text: str = ""


@dataclass(frozen=True)
class Document:
    """title and sections in the leading language, each with the other language's words; lang codes for both."""

    language: str
    other_language: str
    title: str
    other_title: str
    sections: list[Section]


def document(terms: dict[str, Any], language: str) -> Document:
    """The frozen terms laid out. language: "zh" or "en", which leads; the other stands beneath. Pure."""
    writer = _Writer(terms, "en" if language == "en" else "zh")
    tags = {"zh": "zh-Hans", "en": "en"}
    title, other_title = writer.pick(terms.get("title", TITLE))
    return Document(tags[writer.lead], tags[writer.other], title, other_title, writer.sections())


def _side(party: dict[str, Any]) -> Text | dict[str, str]:
    """What the party is called in the document."""
    return party["role"] if "role" in party else SIDES[party["side"]]


class _Writer:
    """Lays terms out in two languages, one leading."""

    def __init__(self, terms: dict[str, Any], lead: str):
        self.terms, self.lead, self.other = terms, lead, "zh" if lead == "en" else "en"

    def pick(self, words: Text | dict[str, str]) -> tuple[str, str]:
        both = words.as_json() if isinstance(words, Text) else words
        return both[self.lead], both[self.other]

    def row(self, label: Text | dict[str, str], value: str | dict[str, str] | Text, *, is_code: bool = False) -> Row:
        lead, other = self.pick(label)
        if isinstance(value, str):
            return Row(lead, value, other, "", is_code)
        worded, other_worded = self.pick(value)
        return Row(lead, worded, other, "" if other_worded == worded else other_worded, is_code)

    def sections(self) -> list[Section]:
        parts: list[tuple[Text | dict[str, str], list[Row]]] = [(Text("协议各方", "Parties"), self._parties())]
        if "sections" in self.terms:
            parts += [(part["title"], self._given(part["rows"])) for part in self.terms["sections"]]
        else:
            parts[0] = (Text("协议双方", "Parties"), self._parties())
            parts += [
                (Text("共享对象", "Object"), self._object()),
                (Text("数量与期限", "Quantity and period"), self._quantity()),
                (Text("费用", "Price"), self._price()),
            ]
        made = [Section(i, *self.pick(title), rows=rows) for i, (title, rows) in enumerate(parts, start=1)]
        for clause in self.terms["clauses"]:
            text, other = self.pick(clause["text"])
            text, other = (text, other) if text else (other, "")  # English was left empty
            made.append(Section(len(made) + 1, *self.pick(clause["title"]), text=text, other_text=other))
        if self.terms["note"]:
            title = self.pick(Text("补充约定", "Further terms"))
            made.append(Section(len(made) + 1, *title, text=self.terms["note"]))
        return made

    def _given(self, rows: list[dict[str, Any]]) -> list[Row]:
        return [self.row(row["label"], row["value"], is_code=row.get("is_code", False)) for row in rows]

    def _parties(self) -> list[Row]:
        rows = []
        for party in self.terms["parties"]:
            rows.append(self.row(_side(party), party["name"]))
            rows.append(self.row(Text("统一社会信用代码", "Unified social credit code"), party["uscc"], is_code=True))
        return rows

    def _object(self) -> list[Row]:
        thing = self.terms["object"]
        region = thing["region"]
        rows = [
            self.row(Text("资源", "Resource"), thing["name"]),
            self.row(Text("平台编码", "Resource code"), thing["code"], is_code=True),
            self.row(Text("类型", "Kind"), thing["kind_name"]),
            self.row(
                Text("行政区划", "Region"),
                {"zh": f"{region['zh']}（{region['code']}）", "en": f"{region['en']} ({region['code']})"},
            ),
            self.row(Text("用途", "Purpose"), self.terms["purpose"]),
        ]
        if amends := self.terms.get("amends"):
            rows.insert(0, self.row(*_change_words(amends)))
        if thing["owner_code"]:
            rows.insert(-3, self.row(Text("资源编码", "Owner's own code"), thing["owner_code"], is_code=True))
        if mode := self.terms.get("mode"):
            rows.append(self.row(Text("共享方式", "Sharing mode"), mode))
        if line := self.terms["line"]:
            what = f"{line['list']} · {line['number']} · {line['title']}"
            rows.append(self.row(Text("对应需求清单", "Demand list line"), what))
        return rows

    def _quantity(self) -> list[Row]:
        rows = []
        for item in self.terms["items"]:
            detail = [item["label"]] if item["label"] else []
            detail += [f"{item['height_m']} m"] if item["height_m"] else []
            detail += [f"⌀ {item['bore_mm']} mm"] if item["bore_mm"] else []
            zh, en = item["text"]["zh"], item["text"]["en"]
            if detail:
                zh, en = f"{zh}（{'，'.join(detail)}）", f"{en} ({', '.join(detail)})"
            rows.append(self.row(Text(**item["name"]), {"zh": zh, "en": en}))
        period = self.terms["period"]
        rows.append(
            self.row(
                Text("期限", "Period"),
                {
                    "zh": f"{period['starts_on']} 至 {period['ends_on']}（{period['months']} 个月）",
                    "en": f"{period['starts_on']} to {period['ends_on']} ({period['months']} months)",
                },
            )
        )
        return rows

    def _price(self) -> list[Row]:
        price = self.terms["price"]
        amount = money(price["fen_per_year"])
        is_free = price["fen_per_year"] == 0
        zh = "免费开放" if is_free else f"{amount}/年（含税）"
        en = "Free opening" if is_free else f"{amount} a year, tax included"
        rows = [self.row(Text("年费", "Price per year"), {"zh": zh, "en": en})]
        if not is_free and price["sum"]:
            rows.append(self.row(Text("期内合计", "Sum over the period"), price["sum"]))
        rows += self._working(price) if "working" in price else []
        for published in price["published"]:
            rows.append(self.row(Text("公布价参考", "For reference, at the published price"), published))
        return rows

    def _working(self, price: dict[str, Any]) -> list[Row]:
        """Scheme, formula, figures, tax and indexation, as they were worked out when the version was made."""
        working, tax = price["working"], price["tax_figures"]
        rows = [self.row(Text("计价方式", "Price scheme"), price["scheme"])]
        if working["formula"]:
            rounding = working["rounding"]
            formula = {
                "zh": f"{working['formula']}（{rounding['zh']}）",
                "en": f"{working['formula']} ({rounding['en']})",
            }
            rows.append(self.row(Text("公式", "Formula"), formula))
        for figure in working["inputs"]:
            rows.append(self.row(figure["name"], _with_unit(figure["value"], figure["unit"])))
        if working["note"]:
            rows.append(self.row(Text("说明", "Remark"), working["note"]))
        if price["fen_per_year"]:
            net, amount = money(tax["net_fen"]), money(tax["tax_fen"])
            words = Text(f"{net}，税率 {tax['pct']}%，税额 {amount}", f"{net}, tax rate {tax['pct']} %, tax {amount}")
            rows.append(self.row(Text("不含税年费", "A year without tax"), words))
            rows.append(self.row(Text("价格调整", "Indexation"), working["index"]))
        return rows


def _change_words(amends: dict[str, str]) -> tuple[Text, Text]:
    """Which agreement is amended or renewed, as the document says it."""
    reference, digest = amends["reference"], amends["terms_sha256"][:16]
    if amends["change"] == "renewal":
        return Text("续签的协议", "Agreement renewed"), Text(
            f"{reference}（文本 SHA-256 {digest}…），自其期满次日起续期",
            f"{reference} (text SHA-256 {digest}…), from the day after its period",
        )
    return Text("变更的协议", "Agreement amended"), Text(
        f"{reference}（文本 SHA-256 {digest}…）；自最后一方签署起由本协议取代，年费自签署之日起按本协议计",
        f"{reference} (text SHA-256 {digest}…); this agreement takes its place from the last signature, and its price "
        "runs from that day",
    )


def _with_unit(value: str, unit: str) -> str | dict[str, str]:
    """A figure of a working as documents write it."""
    if unit == "yuan":
        return money(int(Decimal(value) * 100))
    if unit == "year":
        return {"zh": f"{value} 年", "en": f"{value} years"}
    return f"{value} {unit}".strip()


def verification_url(paper: Paper) -> str:
    """The public page that confirms this paper, absolute and without language prefix."""
    with override(settings.LANGUAGE_CODE):
        return f"{settings.BASE_URL}{reverse('agreement_verify')}?code={paper.verification_code}"


def qr_data_uri(paper: Paper) -> str:
    """The verification address as a QR code: an SVG in a data: address."""
    return str(segno.make(verification_url(paper), error="m").svg_data_uri(scale=3, border=2, xmldecl=False))


def signature_rows(paper: Paper, signatures: Iterable[Signed], language: str) -> list[dict[str, Any]]:
    """One row per party: its name in both languages, who signed and when (None: not yet)."""
    lead = "en" if language == "en" else "zh"
    other = "zh" if lead == "en" else "en"
    by_party = {signature.organisation_id: signature for signature in signatures}
    rows = []
    for party in paper.terms["parties"]:
        side = _side(party)
        words = side.as_json() if isinstance(side, Text) else side
        name = party["name"]
        rows.append({
            "side": words[lead],
            "other_side": words[other],
            "name": name[lead],
            "other_name": name[other] if name[other] != name[lead] else "",
            "signature": by_party.get(party["id"]),
        })  # fmt: skip
    return rows


def render_pdf(paper: Paper, signatures: Iterable[Signed]) -> bytes:
    """The signed paper as PDF/UA, A4, fonts embedded; Chinese leads, English beneath. About a second."""
    from weasyprint import CSS, HTML
    from weasyprint.urls import URLFetcher

    with override(settings.LANGUAGE_CODE):
        html = render_to_string(
            "agreements/agreement_pdf.html",
            {
                "agreement": paper,
                "document": document(paper.terms, "zh"),
                "signatures": signature_rows(paper, signatures, "zh"),
                "qr": qr_data_uri(paper),
                "verification_url": verification_url(paper),
            },
        )
    sheet = CSS(filename=str(settings.BASE_DIR / "assets" / "css" / "agreement-pdf.css"))
    buffer = io.BytesIO()
    # Nothing is opened but what stands in the document itself.
    fetcher = URLFetcher(allowed_protocols=["data"], fail_on_errors=True)
    HTML(string=html, url_fetcher=fetcher).write_pdf(
        buffer, stylesheets=[sheet], pdf_variant="pdf/ua-1", full_fonts=False
    )
    return buffer.getvalue()


def sealed_pdf(paper: Paper, signatures: Iterable[Signed]) -> bytes:
    """The paper as it is kept: rendered, with the portal's seal. Raises sealing.SealMissing."""
    title = document(paper.terms, "zh").title
    return seal(render_pdf(paper, signatures), reason=f"{title} {paper.reference}")


def store_pdf(agreement: Agreement) -> bool:
    """Writes the document of a signed agreement and its hash, once; whether it was written now."""
    if agreement.state != Agreement.State.SIGNED or agreement.pdf:
        return False
    started = dt.datetime.now()
    content = sealed_pdf(agreement, list(agreement.signatures.order_by("pk")))
    with transaction.atomic():
        fresh = Agreement.objects.select_for_update(no_key=True).get(pk=agreement.pk)
        if fresh.pdf:  # another worker was quicker: its document stays
            return False
        fresh.pdf.save(f"{fresh.reference}.pdf", ContentFile(content), save=False)
        fresh.pdf_sha256 = hashlib.sha256(content).hexdigest()
        fresh.save(update_fields=["pdf", "pdf_sha256"])
        record("agreement.write_pdf", fresh, by=None, after={"pdf_sha256": fresh.pdf_sha256, "bytes": len(content)})
    log.info("%s: PDF of %d bytes in %s", agreement.reference, len(content), dt.datetime.now() - started)
    return True
