"""Versions of a term sheet made ready for pages: what stands, what changed between any two, what each scheme gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from agreements.models import Offer, ShareRequest
from listings.wording import yearly_text

from . import clauses as moves
from .diff import Piece, pieces
from .draft import sheet_of
from .prices import ROUNDING_WORDS, SCHEME_WORDS

STANDS = {
    moves.AGREED: gettext_lazy("agreed"),
    moves.COUNTERED: gettext_lazy("%(who)s proposes these words"),
    moves.STRUCK: gettext_lazy("%(who)s proposes to leave it out"),
    moves.DISPUTED: gettext_lazy("in dispute: %(who)s does not agree"),
}


@dataclass(frozen=True)
class Compared:
    """One point of two versions: its title, the difference in the reader's language and in the other."""

    title: str
    pieces: list[Piece]
    other: list[Piece]
    stand: str = ""
    stand_words: str = ""
    remark: str = ""

    @property
    def is_changed(self) -> bool:
        return any(piece.sort != "same" for piece in [*self.pieces, *self.other])


def lead_language() -> str:
    return "en" if (get_language() or "").startswith("en") else "zh"


def compared(
    before: Offer, after: Offer, rows: Mapping[int, list[tuple[str, str]]], case: ShareRequest
) -> list[Compared]:
    """Every point of the later version against the earlier. rows: {offer id: [(label, value)]} of what is no clause."""
    old = dict(rows[before.pk])
    made = [Compared(label, pieces(old.get(label, ""), value), []) for label, value in rows[after.pk]]
    was = {clause["code"]: clause for clause in sheet_of(before).clauses}
    now = sheet_of(after).clauses
    made += [_clause(was.get(clause["code"]), clause, case) for clause in now]
    gone = [clause for code, clause in was.items() if code not in {c["code"] for c in now}]
    return made + [_clause(clause, None, case) for clause in gone]


def _clause(was: Mapping[str, Any] | None, now: Mapping[str, Any] | None, case: ShareRequest) -> Compared:
    lead = lead_language()
    other = "zh" if lead == "en" else "en"
    title = (now or was or {})["title"][lead]
    texts = [(was["text"][t] if was else "", _words(now, t)) for t in (lead, other)]
    stand = now["stand"] if now else ""
    return Compared(
        title, pieces(*texts[0]), pieces(*texts[1]), stand, _stand_words(now, case) if now else _("left out"),
        now["remark"] if now else "",
    )  # fmt: skip


def _words(clause: Mapping[str, Any] | None, tongue: str) -> str:
    """Words proposed to be left out show as removed."""
    return clause["text"][tongue] if clause and clause["stand"] != moves.STRUCK else ""


def _stand_words(clause: Mapping[str, Any], case: ShareRequest) -> str:
    who = {party.pk: party.name for party in (case.owner, case.requester)}.get(clause["by"], "")
    return str(STANDS[clause["stand"]]) % {"who": who}


def side_by_side(working: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What each scheme would give: [{"label", "value", "is_chosen"}]."""
    rows = []
    for row in working.get("side_by_side", []):
        words = SCHEME_WORDS[row["scheme"]].as_json()[lead_language()]
        fen = row["fen_per_year"]
        value = _("figures missing") if fen is None else yearly_text(fen)
        rows.append({"label": words, "value": value, "is_chosen": row["scheme"] == working["scheme"]})
    return rows


def working_rows(working: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The figures of a working as label and value, in the reader's language."""
    lead = lead_language()
    units = {"yuan": "¥{}", "year": _("{} years"), "%": "{} %", "km": "{} km"}
    rows = [(row["name"][lead], units.get(row["unit"], "{}").format(row["value"])) for row in working.get("inputs", [])]
    if note := working.get("note"):
        rows.append((_("Remark"), note[lead]))
    return rows


def scheme_rows(offer: Offer) -> list[tuple[str, str]]:
    """Price scheme, tax, indexation and clauses of a version in few words, for the list of versions."""
    sheet = sheet_of(offer)
    lead, rows = lead_language(), [(_("Price scheme"), str(sheet.get_scheme_display()))]
    if sheet.mode:
        rows.append((_("Sharing mode"), str(sheet.get_mode_display())))
    if sheet.working and offer.price_fen_per_year:
        tax = sheet.working["tax"]
        rows.append((_("Tax"), _("%(pct)s %%, included") % {"pct": tax["pct"]}))
        if sheet.working["index"]["sort"] != "none":
            rows.append((_("Indexation"), sheet.working["index"][lead]))
    return [*rows, (_("Clauses"), _clauses_words(sheet.clauses))]


def _clauses_words(clauses: Sequence[Mapping[str, Any]]) -> str:
    stands = [clause["stand"] for clause in clauses]
    open_ones = stands.count(moves.COUNTERED) + stands.count(moves.STRUCK)
    return _("%(agreed)d agreed · %(proposed)d proposed · %(disputed)d in dispute") % {
        "agreed": stands.count(moves.AGREED), "proposed": open_ones, "disputed": stands.count(moves.DISPUTED),
    }  # fmt: skip


def rounding_words() -> str:
    return ROUNDING_WORDS.as_json()[lead_language()]
