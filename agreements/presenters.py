"""Rows made ready for the pages of requests and agreements: timeline, versions of the terms, differences."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import Membership
from agreements import states
from agreements.approvals.steps import OPEN_IN, Step, steps
from agreements.chain import chain
from agreements.findings import differences
from agreements.forms import OfferForm, RefuseForm, StepForm, WithdrawForm, pool_label
from agreements.mediation import mediation_thread
from agreements.models import Agreement, CaseDocument, Offer, RequestItem, ShareRequest
from agreements.permissions import may_read_thread
from agreements.pricing import WorkedPrice, worked_price
from agreements.sheets.presenters import scheme_rows
from agreements.sheets.prices import default_figures
from agreements.story import party_names, time_out_words, timeline
from agreements.work_forms import CaseDocumentForm
from agreements.works import Milestone, milestones, progress_percent
from listings.models import Kind
from listings.money.schemes import with_tax
from listings.wording import quantity_text, yearly_text
from messaging.actions import thread_about
from messaging.models import Thread
from messaging.permissions import may_read

State = ShareRequest.State


@dataclass(frozen=True)
class TermRow:
    """One line of a version: its value, and what the version before said where that differs ("" where it does not)."""

    label: str
    value: str
    was: str = ""


@dataclass(frozen=True)
class Version:
    """An offer as the term sheet shows it."""

    offer: Offer
    organisation: str
    is_own: bool
    rows: list[TermRow]

    @property
    def changes(self) -> int:
        return sum(bool(row.was) for row in self.rows)


def values_of(offer: Offer, items: Sequence[RequestItem]) -> list[tuple[str, str]]:
    rows = [
        (pool_label(item.pool), quantity_text(Decimal(offer.quantities.get(str(item.pool_id), 0)), item.pool.unit))
        for item in items
    ]
    return [
        *rows,
        (_("Price"), yearly_text(offer.price_fen_per_year)),
        *scheme_rows(offer),
        (_("Starts on"), date_format(offer.starts_on, "DATE_FORMAT")),
        (_("Ends on"), _until(offer)),
        (_("Further terms"), offer.note or "–"),
    ]


def _until(offer: Offer) -> str:
    return _("%(day)s (%(months)d months)") % {
        "day": date_format(offer.ends_on, "DATE_FORMAT"),
        "months": offer.months,
    }


def versions(offers: Sequence[Offer], items: Sequence[RequestItem], own_organisation_id: int | None) -> list[Version]:
    """The offers, newest first, each compared with the one before it. offers: by number, organisation fetched."""
    made = []
    before: dict[str, str] = {}
    for offer in offers:
        rows = []
        for label, value in values_of(offer, items):
            was = before.get(label, value)
            rows.append(TermRow(label, value, was if was != value else ""))
        before = {row.label: row.value for row in rows}
        made.append(Version(offer, offer.organisation.name, offer.organisation_id == own_organisation_id, rows))
    return list(reversed(made))


# --- The case page ------------------------------------------------------------------------------


def asked_price(case: ShareRequest, items: Sequence[RequestItem]) -> WorkedPrice:
    """What was asked, at the published prices."""
    return worked_price(case.resource, {item.pool_id: item.quantity for item in items}, [item.pool for item in items])


def asked_fen_with_tax(case: ShareRequest, items: Sequence[RequestItem]) -> int | None:
    """What an offer starts from: the published prices, which are before tax, with the region's tax added (fen a year);
    None: to be negotiated."""
    net = asked_price(case, items).fen_per_year
    return None if net is None else with_tax(net, default_figures(case.resource.region)["tax_pct"])[0]


def case_context(case: ShareRequest, membership: Membership, forms: dict[str, Any]) -> dict[str, Any]:
    """Everything the case page shows; forms: bound ones that were sent back ("offer", "refuse", "withdraw").

    case: with_parties(), offers (organisation fetched) and items (pool, reservation) prefetched. Queries a fixed
    number of times however long the story.
    """
    offers, items = list(case.offers.all()), list(case.items.all())
    agreement = getattr(case, "agreement", None)
    signatures = list(agreement.signatures.all()) if agreement else []
    moves = {move.verb: move for move in states.allowed(case, membership)}
    price = asked_price(case, items)
    return {
        "case": case,
        "side": states.side_of(case, membership),
        "agreement": agreement,
        "approvals": own_steps(case, offers[-1], membership) if offers and case.state in OPEN_IN else [],
        "differences": differences(case) if states.side_of(case, membership) == states.Side.OWNER else [],
        "items": items,
        "price": price,
        "steps": timeline(case, offers, signatures),
        "steps_hidden": 0,
        "versions": versions(offers, items, membership.organisation_id),
        "open_offer": states.open_offer(case),
        "time_out": time_out_words(case),
        "waiting_for": party_names(case, states.waiting_for(case)),
        "step_forms": step_forms(case, moves, forms),
        "works": works_of(case) if agreement and agreement.signed_at else None,
        "document_form": document_form(case, membership),
        "is_our_turn": states.acts_as(case, membership) in states.waiting_for(case),
        "moves": moves,
        "closed_moves": [move for move in moves.values() if not move.is_open],
        "thread": thread_about(case) if may_read_thread(membership, case) else None,
        "mediation": _mediation(case, membership),
        "membership": membership,
        **_forms(case, items, offers, price, moves, forms),
    }


def own_steps(case: ShareRequest, offer: Offer, membership: Membership) -> list[Step]:
    """The steps of approval in the person's own organisation; what the other side's are is its own business."""
    return [] if states.side_of(case, membership) is None else steps(offer, membership.organisation_id)


@dataclass(frozen=True)
class Works:
    """What the case page shows of the works."""

    milestones: list[Milestone]
    percent: int | None
    documents: list[CaseDocument]


def works_of(case: ShareRequest) -> Works:
    """Queries once for the papers."""
    steps = list(case.steps.all())
    documents = list(case.documents.select_related("organisation").order_by("pk"))
    return Works(milestones(steps), progress_percent(steps), documents)


def document_form(case: ShareRequest, membership: Membership) -> CaseDocumentForm | None:
    """For negotiators of both parties while the agreement is in force."""
    may_add = states.side_of(case, membership) and membership.has_role(*states.NEGOTIATING_ROLES)
    return CaseDocumentForm(auto_id="paper_%s") if may_add and case.is_in_force else None


def _mediation(case: ShareRequest, membership: Membership | None) -> Thread | None:
    """The last conversation with the bureau, for those who take part in it."""
    thread = mediation_thread(case) if case.is_escalated else None
    return thread if thread and may_read(membership, thread) else None


def step_forms(case: ShareRequest, moves: dict[str, states.Move], bound: dict[str, Any]) -> list[dict[str, Any]]:
    """The steps without terms that are open now, each with its form: {"move", "form", "is_main"}."""
    rows = []
    for verb, move in moves.items():
        if verb in states.OWN_ACTIONS or not (move.is_open or verb in bound) or move.transition is None:
            continue
        if verb == "reach_milestone" and verb not in bound and not _has_open_milestone(case):
            continue
        form = bound.get(verb) or StepForm(verb=verb, needs_note=move.transition.needs_reason, case=case)
        rows.append({"move": move, "form": form, "is_main": move.transition.is_answer})
    return rows


def _has_open_milestone(case: ShareRequest) -> bool:
    return any(not one.reached_on for one in milestones(case.steps.all()))


def _forms(case, items, offers, price: WorkedPrice, moves, bound: dict[str, Any]) -> dict[str, Any]:
    """One form per step that is open, or that was just sent; None for the others."""

    def form(verb: str, blank):
        move = moves.get(verb)
        return bound.get(verb) or (blank() if move and move.is_open else None)

    latest = offers[-1] if offers else None
    return {
        "offer_form": form(
            "offer",
            lambda: OfferForm(
                items=items, initial=OfferForm.initial_for(case, items, latest, asked_fen_with_tax(case, items))
            ),
        ),
        "refuse_form": form("refuse", RefuseForm),
        "withdraw_form": form("withdraw", WithdrawForm),
    }


# --- The public page ----------------------------------------------------------------------------


def public_facts(agreement: Agreement) -> dict[str, Any]:
    """What anyone with the code may read: who, what kind, when, signed or not; no name of the resource, no price."""
    terms = agreement.terms
    return {
        "agreement": agreement,
        "parties": terms["parties"],
        "chain": chain(agreement),
        "kind": Kind(terms["object"]["kind"]).label,
        "period": terms["period"],
        "signatures": list(agreement.signatures.select_related("organisation").order_by("pk")),
    }
