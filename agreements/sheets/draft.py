"""From one version of a term sheet to the next: what an offer proposes, and the row it becomes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from accounts.errors import Refused
from agreements.models import Offer, RequestItem, ShareRequest
from listings.models.resources import SharingMode

from . import clauses as moves
from .models import Scheme, TermSheet
from .prices import Basis, figure, work_out

KEPT_INPUTS = ("tax_pct", "index", "index_cap_pct")  # hold for a newly agreed sum too


@dataclass(frozen=True)
class Draft:
    """What a side proposes beside quantities and period. inputs: as typed; answers: {clause code: Answer}."""

    scheme: str = Scheme.AGREED
    mode: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, moves.Answer] = field(default_factory=dict)


def sheet_of(offer: Offer) -> TermSheet:
    """The offer's sheet; for offers made before there were any, the library's clauses at the agreed sum (not saved).
    Queries unless the sheet is fetched."""
    kept: TermSheet | None = getattr(offer, "sheet", None)
    return kept or TermSheet(offer=offer, clauses=moves.library(offer.request.resource.kind))


def carried_over(offer: Offer, clauses: Sequence[Mapping[str, Any]]) -> Offer:
    """The accepted version of a signed agreement as the version before the first of its change (not saved): the words
    that were signed, all agreed."""
    was = sheet_of(offer)
    settled = [{**clause, "stand": moves.AGREED, "by": None, "remark": ""} for clause in clauses]
    copy = Offer(
        request=offer.request, number=0, quantities=offer.quantities, price_fen_per_year=offer.price_fen_per_year,
        starts_on=offer.starts_on, months=offer.months, note=offer.note, organisation_id=offer.organisation_id,
    )  # fmt: skip
    copy.sheet = TermSheet(
        offer=copy, mode=was.mode, scheme=was.scheme, inputs=was.inputs, working=was.working, clauses=settled
    )
    return copy


def basis_of(request: ShareRequest, items: list[RequestItem], quantities: Mapping[int, Decimal], months: int) -> Basis:
    return Basis(request.resource, [item.pool for item in items], quantities, months)


def next_sheet(
    draft: Draft | None, previous: Offer | None, basis: Basis, *, price_fen: int, side: int
) -> tuple[TermSheet, int]:
    """(the sheet of the next version, its price a year in fen). draft None: clauses as they are, the sum as given.

    side: the proposing organisation's id. Raises Refused for inputs that make no price.
    """
    before = sheet_of(previous) if previous else None
    base = before.clauses if before else moves.library(basis.resource.kind)
    if draft is None:
        return _carried(previous, before, base, basis, price_fen, side)
    mode = draft.mode if draft.mode in SharingMode.values else ""
    if mode != (before.mode if before else ""):
        base = moves.with_mode(base, basis.resource.kind, mode)
    inputs = {name: value for name, value in draft.inputs.items() if value}
    if draft.scheme == Scheme.AGREED:
        inputs.pop("is_net", None)
    working = work_out(draft.scheme, inputs, basis, agreed_fen=price_fen)
    check_answers(draft.answers)
    answered = moves.answered(base, draft.answers, side)
    if sum(clause["code"].startswith(moves.OWN) for clause in answered) > moves.OWN_MAX:
        raise Refused(_("A term sheet takes %(max)d added clauses.") % {"max": moves.OWN_MAX}, code="many_clauses")
    made = _sheet(draft.scheme, mode, inputs, working, answered)
    return made, working["fen_per_year"]


def check_answers(answers: Mapping[str, moves.Answer]) -> None:
    """Raises Refused for a clause in English alone: the Chinese words prevail, so they must be there."""
    for answer in answers.values():
        if answer.en and not answer.zh:
            raise Refused(_("A clause needs its Chinese words: they prevail. English may be left empty."), code="no_zh")


def _carried(
    previous: Offer | None, before: TermSheet | None, base: Any, basis: Basis, price_fen: int, side: int
) -> tuple[TermSheet, int]:
    scheme, inputs = Scheme.AGREED if price_fen else Scheme.FREE, {}
    if previous and before:
        quantities = {int(pool): Decimal(q) for pool, q in previous.quantities.items()}
        wanted = {pool: q for pool, q in basis.quantities.items() if q}
        if previous.price_fen_per_year == price_fen and quantities == wanted:
            scheme, inputs = Scheme(before.scheme), before.inputs
        else:
            inputs = {name: before.inputs[name] for name in KEPT_INPUTS if name in before.inputs}
    working = work_out(scheme, inputs, basis, agreed_fen=price_fen)
    clauses = moves.carried(base, side)
    return _sheet(scheme, before.mode if before else "", inputs, working, clauses), working["fen_per_year"]


def _sheet(scheme: str, mode: str, inputs: dict[str, str], working: dict[str, Any], clauses: list[Any]) -> TermSheet:
    return TermSheet(
        scheme=scheme, mode=mode, inputs=inputs, working=working, clauses=clauses, disputed=moves.disputed(clauses)
    )


def is_same(one: TermSheet, other: TermSheet) -> bool:
    """Whether the two say the same in every point, standing of the clauses included."""
    return (one.mode, one.scheme, one.inputs, one.clauses) == (other.mode, other.scheme, other.inputs, other.clauses)


def would_change_nothing(sheet: TermSheet, latest: TermSheet) -> bool:
    """Whether the next version would only agree to the latest: then that one is to be accepted instead."""
    return (
        not sheet.disputed
        and not latest.disputed
        and (sheet.mode, sheet.scheme, sheet.inputs) == (latest.mode, latest.scheme, latest.inputs)
        and moves.settled(sheet.clauses) == moves.settled(latest.clauses)
    )


def core_km(sheet: TermSheet) -> Decimal:
    """What a core swap gives, from its working; 0 for other schemes."""
    if sheet.scheme != Scheme.SWAP:
        return Decimal(0)
    rows = {row["code"]: row["value"] for row in sheet.working.get("inputs", [])}
    return figure(rows, "core_km")
