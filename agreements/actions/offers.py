"""Offer and counter-offer, version by version, until one side accepts."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import Refused
from accounts.events import record
from accounts.models import Membership, User
from agreements import notices, states
from agreements.codes import new_verification_code, reference_for
from agreements.models import Agreement, Offer, RequestItem, ShareRequest, TermSheet
from agreements.periods import last_day
from agreements.quantities import check_period, check_quantities, check_within
from agreements.sheets.clauses import unanswered
from agreements.sheets.draft import Draft, basis_of, is_same, next_sheet, sheet_of, would_change_nothing
from agreements.terms import digest, frozen_terms, money
from listings.actions import capacity

from .approvals import ask_approvals
from .clock_rows import start_clock
from .holds import agreed, base_of, covers, held, items_of, lock_request, move_hold, require_kept, reservations_of
from .legs import leg_accepted

State = ShareRequest.State
PRICE_MAX_FEN = 10**13  # a hundred thousand million yuan a year: nobody means more


def as_text(quantities: Mapping[int, Decimal]) -> dict[str, str]:
    """As stored and compared: {"12": "2"}, zeros left out, no trailing zeros."""
    return {str(pool_id): f"{q.normalize():f}" for pool_id, q in sorted(quantities.items()) if q > 0}


@transaction.atomic
def make_offer(
    *,
    request: ShareRequest,
    by: User,
    membership: Membership,
    answers: int,
    quantities: Mapping[int, Decimal],
    price_fen_per_year: int,
    starts_on: dt.date,
    months: int,
    note: str = "",
    sheet: Draft | None = None,
) -> Offer:
    """The next version of the terms, by the side whose turn it is (the owner's is first); the hold lasts as long.

    answers: the number of the offer it answers, 0 for the first: sent twice, it gives the offer made the first
    time, and Refused("stale") when another has come between. quantities: {pool id: units}, at most what is held.
    sheet: price scheme and clauses, the price then follows from them; None: clauses as they stand and the sum as
    given, or Refused("clauses") while the other side waits for an answer to clauses it changed: silence is no yes.
    A period outside the one held moves the hold, or raises Refused where others have taken the capacity.
    """
    fresh = lock_request(request)
    terms: dict[str, Any] = {
        "quantities": as_text(quantities),
        "price_fen_per_year": price_fen_per_year,
        "starts_on": starts_on,
        "months": months,
        "note": note.strip(),
    }
    offers = list(fresh.offers.select_related("sheet").order_by("-number")[:2])
    latest = offers[0] if offers else None
    items = items_of(fresh)
    basis = basis_of(fresh, items, quantities, months)
    side = membership.organisation_id
    if latest and latest.number == answers + 1 and latest.organisation_id == side:
        before = offers[1] if len(offers) > 1 else None
        again, price = next_sheet(sheet, before, basis, price_fen=price_fen_per_year, side=side)
        if _same(latest, terms | {"price_fen_per_year": price}) and is_same(again, sheet_of(latest)):
            return latest
    if problem := states.refusal(fresh, membership, "offer"):
        raise problem
    if (latest.number if latest else 0) != answers:
        raise Refused(_("Another offer has come in the meantime: read it, then answer it."), code="stale")
    _check(fresh, items, quantities, terms)
    made, terms["price_fen_per_year"] = next_sheet(sheet, latest, basis, price_fen=price_fen_per_year, side=side)
    check_price(terms["price_fen_per_year"])
    if latest and _same(latest, terms) and would_change_nothing(made, sheet_of(latest)):
        raise Refused(_("These are the terms of the open offer: accept it instead."), code="same_terms")
    if sheet is None and latest and unanswered(sheet_of(latest).clauses, side):
        raise Refused(
            _("The other side wants other clauses: answer them in the term sheet and send your price there."),
            code="clauses",
        )
    return make_version(fresh, latest, by, membership, items, terms, made)


def _same(latest: Offer, terms: Mapping[str, object]) -> bool:
    return all(getattr(latest, name) == value for name, value in terms.items())


def _check(
    request: ShareRequest, items: list[RequestItem], quantities: Mapping[int, Decimal], terms: Mapping[str, object]
) -> None:
    pools = {item.pool_id: item.pool for item in items}
    check_quantities(request.resource, pools, quantities)
    base = base_of(request)
    kept = held(items)
    check_within(pools, quantities, {pk: kept.get(pk, Decimal(0)) + base.get(pk, Decimal(0)) for pk in pools})
    if request.change:
        check_change_period(request, terms["starts_on"], terms["months"])  # type: ignore[arg-type]
    else:
        check_period(request.resource, terms["starts_on"], terms["months"])  # type: ignore[arg-type]
    check_price(terms["price_fen_per_year"])


def check_change_period(request: ShareRequest, starts_on: dt.date, months: int) -> None:
    """An amendment keeps the period of its agreement; a renewal begins the day it was asked from."""
    if starts_on != request.starts_on or (request.is_amendment and months != request.months):
        raise Refused(
            _("An amendment keeps the agreed period, a renewal begins the day after it: a longer one is a renewal."),
            code="change_period",
        )
    if not request.is_amendment:
        check_period(request.resource, starts_on, months)


def check_price(price: object) -> None:
    if not isinstance(price, int) or not 0 <= price <= PRICE_MAX_FEN:
        raise Refused(_("The price a year is 0 (free) or more."), code="price")


def make_version(
    request: ShareRequest,
    latest: Offer | None,
    by: User,
    membership: Membership,
    items: list[RequestItem],
    terms: dict[str, Any],
    sheet: TermSheet,
) -> Offer:
    """Writes the next version of a locked request, as checked, and tells the other side."""
    now = timezone.now()
    before = {"state": request.state}
    request.state = State.NEGOTIATING
    due_at = start_clock(request, "clock.offer_validity", at=now)
    if latest and latest.state == Offer.State.OPEN:
        latest.state, latest.answered_by, latest.answered_at = Offer.State.COUNTERED, by, now
        latest.save(update_fields=["state", "answered_by", "answered_at"])
    offer = Offer(
        request=request,
        number=(latest.number if latest else 0) + 1,
        organisation=membership.organisation,
        valid_until=due_at,
        made_by=by,
        **terms,
    )
    # answered_by and answered_at are empty until there is an answer
    offer.full_clean(exclude=["answered_by", "answered_at"])
    offer.save(force_insert=True)
    sheet.offer = offer
    sheet.full_clean(validate_unique=False)
    sheet.save(force_insert=True)
    _keep_hold(request, items, offer, by)
    request.save(update_fields=["state", "due_at"])
    _tell_offer(request, offer, by, before)
    return offer


def _keep_hold(request: ShareRequest, items: list[RequestItem], offer: Offer, by: User) -> None:
    """The hold lasts as long as the offer, over a period that contains the offered one."""
    if covers(items, offer.starts_on, offer.ends_on):
        active = [r for r in reservations_of(items) if r.state in r.ACTIVE]
        capacity.extend(reservations=active, expires_at=offer.valid_until, by=by)
        return
    starts_on = min(request.starts_on, offer.starts_on)
    months = 1
    while last_day(starts_on, months) < max(request.ends_on, offer.ends_on):
        months += 1
    move_hold(
        request,
        items,
        quantities=held(items),
        starts_on=starts_on,
        months=months,
        expires_at=offer.valid_until,
        by=by,
        attempt=f"offer {offer.number}",
    )


def _tell_offer(request: ShareRequest, offer: Offer, by: User, before: dict[str, str]) -> None:
    record(
        "offer.make",
        offer,
        by=by,
        organisation=offer.organisation,
        before=before,
        after={
            "state": request.state,
            "number": offer.number,
            "quantities": offer.quantities,
            "price_fen_per_year": offer.price_fen_per_year,
            "starts_on": offer.starts_on.isoformat(),
            "months": offer.months,
            "scheme": sheet_of(offer).scheme,
            "disputed": sheet_of(offer).disputed,
        },
    )
    notices.tell_thread(
        request,
        "offer.make" if offer.price_fen_per_year else "offer.make_free",
        by=by,
        organisation=offer.organisation,
        number=offer.number,
        price=money(offer.price_fen_per_year),
        starts_on=offer.starts_on.isoformat(),
        months=offer.months,
    )
    notices.notify(
        request,
        "offer.make",
        organisation=notices.other_side(request, offer.organisation),
        roles=notices.NEGOTIATORS,
        key=f"offer:{offer.number}",
        by=offer.organisation,
    )


@transaction.atomic
def accept_offer(*, offer: Offer, by: User, membership: Membership) -> Agreement:
    """The side that did not make the open offer accepts it: its terms are frozen into an agreement to be signed.

    The hold is cut to the agreed quantities and period. Accepting twice gives the same agreement. Raises
    NotPermitted or Refused as states.refusal says, Refused("stale") when the offer is no longer the open one.
    """
    fresh = lock_request(offer.request)
    chosen = (
        fresh.offers.select_for_update(of=("self",), no_key=True)
        .select_related("organisation", "sheet")
        .get(pk=offer.pk)
    )
    if chosen.state == Offer.State.ACCEPTED and chosen.organisation_id != membership.organisation_id:
        return fresh.agreement
    if problem := states.refusal(fresh, membership, "accept"):
        raise problem
    if chosen.state != Offer.State.OPEN:
        raise Refused(_("Another offer has come in the meantime: read it, then answer it."), code="stale")
    now = timezone.now()
    before = {"state": fresh.state}
    fresh.state = State.AGREED
    due_at = start_clock(fresh, "clock.signing", at=now)
    chosen.state, chosen.answered_by, chosen.answered_at = Offer.State.ACCEPTED, by, now
    chosen.save(update_fields=["state", "answered_by", "answered_at"])
    items = items_of(fresh)
    move_hold(
        fresh,
        items,
        quantities=agreed(chosen),
        starts_on=chosen.starts_on,
        months=chosen.months,
        expires_at=due_at,
        by=by,
        attempt="accept",
    )
    require_kept(fresh, items, agreed(chosen))
    fresh.save(update_fields=["state", "due_at"])
    agreement = _freeze(fresh, chosen, items, now)
    _tell_accepted(fresh, agreement, by, membership, before)
    ask_approvals(fresh, chosen)
    leg_accepted(fresh)
    return agreement


def _freeze(request: ShareRequest, offer: Offer, items: list[RequestItem], now: dt.datetime) -> Agreement:
    with connection.cursor() as cursor:  # the key is taken first: the reference carries it
        cursor.execute("SELECT nextval(pg_get_serial_sequence('agreements_agreement', 'id'))")
        pk = cursor.fetchone()[0]
    reference = reference_for(pk, timezone.localdate(now))
    terms = frozen_terms(request, offer, items, reference=reference, agreed_on=timezone.localdate(now))
    agreement = Agreement(
        pk=pk,
        request=request,
        offer=offer,
        reference=reference,
        verification_code=new_verification_code(),
        terms=terms,
        terms_sha256=digest(terms),
    )
    agreement.full_clean()
    agreement.save(force_insert=True)
    return agreement


def _tell_accepted(
    request: ShareRequest, agreement: Agreement, by: User, membership: Membership, before: dict[str, str]
) -> None:
    organisation, offer = membership.organisation, agreement.offer
    after = {"state": request.state, "offer": offer.number, "reference": agreement.reference}
    record("offer.accept", offer, by=by, organisation=organisation, before=before, after=after)
    record(
        "agreement.draw_up",
        agreement,
        by=by,
        organisation=organisation,
        after={"reference": agreement.reference, "terms_sha256": agreement.terms_sha256},
    )
    notices.tell_thread(
        request,
        "offer.accept",
        by=by,
        organisation=organisation,
        number=offer.number,
        reference=agreement.reference,
    )
    for side in (request.requester, request.owner):
        notices.notify(
            request,
            "offer.accept",
            organisation=side,
            roles=notices.SIGNATORIES,
            key="accept",
            by=organisation,
            page="agreement_detail",
            page_id=agreement.pk,
        )
