"""Changes of an agreement in operation: an amendment within its period, or a renewal after it.

A change is a case of its own between the same two parties, and goes the way of every offer: answered, agreed, signed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.clocks import deadline_for
from accounts.errors import NotPermitted, Refused
from accounts.events import record
from accounts.models import Membership, User
from agreements import notices, states
from agreements.chain import renewed_by
from agreements.keys import attempt_key
from agreements.models import Agreement, Offer, RequestItem, ShareRequest, TermSheet
from agreements.quantities import check_quantities
from agreements.sheets.clauses import settled
from agreements.sheets.draft import Draft, basis_of, carried_over, next_sheet
from listings.actions import capacity
from messaging.actions import open_thread

from .holds import GRACE, base_of, beyond, held, items_of, lock_request
from .offers import as_text, check_change_period, check_price, make_version
from .queue_offers import stand_aside
from .requests import check_share

State, Change = ShareRequest.State, ShareRequest.Change
CODES = {Change.AMENDMENT: "change.amend", Change.RENEWAL: "change.renew"}


@dataclass(frozen=True)
class Terms:
    """What is proposed beside the sheet. months: of a renewal; an amendment keeps the agreement's."""

    quantities: Mapping[int, Decimal]
    price_fen_per_year: int
    months: int
    note: str = ""


def change_refusal(agreement: Agreement, membership: Membership | None, change: str = "") -> Refused | None:
    """Why the person may not propose a change of the agreement now; None: they may. Queries once, twice
    for a renewal. A period is renewed once, whichever version of the agreement was renewed."""
    case = agreement.request
    if not membership or states.side_of(case, membership) is None:
        return NotPermitted(_("Only the two parties act here; you read this case."))
    if not membership.has_role(*states.NEGOTIATING_ROLES) or not membership.organisation.is_verified:
        return NotPermitted(_("Changes are proposed by negotiators of the two parties."))
    if case.state != State.OPERATING:
        return Refused(
            _("Only an agreement in operation is amended or renewed; this one: %(state)s.")
            % {"state": case.get_state_display()},
            code="not_operating",
        )
    changes = ShareRequest.objects.filter(amends=agreement)
    if changes.open().exists():
        return Refused(_("A change of this agreement is being negotiated already."), code="open_change")
    if change == Change.RENEWAL and renewed_by(agreement.pk):
        return Refused(_("This agreement has been renewed already."), code="renewed")
    return None


@transaction.atomic
def propose_change(
    *,
    agreement: Agreement,
    change: str,
    by: User,
    membership: Membership,
    terms: Terms,
    sheet: Draft | None = None,
    key: UUID,
) -> ShareRequest:
    """Either side proposes other terms for the running period, or a further period: version 1 of a case of its own.

    The same key again gives the case made the first time. Units beyond those the agreement keeps are held at once (of
    a renewal all, over its own period). Raises NotPermitted or Refused as change_refusal says, Refused for terms that
    cannot be or change nothing, and where others have the capacity.
    """
    base = lock_request(agreement.request)
    fresh = Agreement.objects.select_related("offer__sheet").get(pk=agreement.pk)
    fresh.request = base
    made = ShareRequest.objects.filter(idempotency_key=key, amends=fresh).first()
    if made:
        return made
    if problem := change_refusal(fresh, membership, change):
        raise problem
    request = _request(fresh, change, terms, by, key)
    asked = {pool_id: quantity for pool_id, quantity in terms.quantities.items() if quantity}
    pools = {pool.pk: pool for pool in base.resource.pools.order_by("pk")}
    check_quantities(base.resource, pools, asked)
    check_change_period(request, request.starts_on, request.months)
    check_price(terms.price_fen_per_year)
    request.full_clean()
    request.save(force_insert=True)
    items = _items(request, asked, by)
    offered = _first_version(request, fresh, items, asked, terms, sheet, membership)
    _open_talk(request, fresh, by, membership)
    make_version(request, None, by, membership, items, *offered)
    return request


def _request(agreement: Agreement, change: str, terms: Terms, by: User, key: UUID) -> ShareRequest:
    base, now = agreement.request, timezone.now()
    is_amendment = change == Change.AMENDMENT
    first = agreement.offer.starts_on if is_amendment else states.day_after(agreement)
    return ShareRequest(
        requester=base.requester, owner=base.owner, resource=base.resource, purpose=base.purpose, starts_on=first,
        months=agreement.offer.months if is_amendment else terms.months, state=State.ASSESSED, amends=agreement,
        change=change, due_at=deadline_for("clock.offer_validity", base.resource.region, at=now), submitted_at=now,
        idempotency_key=key, created_by=by, is_demo=base.is_demo,
    )  # fmt: skip


def _items(request: ShareRequest, asked: Mapping[int, Decimal], by: User) -> list[RequestItem]:
    """One per pool asked for or kept already, at the larger of the two: what can be agreed without a further hold."""
    base = base_of(request)
    more = beyond(asked, base)
    if request.is_amendment:
        stand_aside(request.resource, more)
        check_share(request, more)
    made = capacity.hold(
        quantities=more, organisation=request.requester, by=by, starts_on=request.starts_on, ends_on=request.ends_on,
        expires_at=(request.due_at or timezone.now()) + GRACE, key=attempt_key("request", request.pk, "propose"),
    )  # fmt: skip
    kept = {reservation.pool_id: reservation for reservation in made}
    for pool_id in sorted({*asked, *base}):
        quantity = max(asked.get(pool_id, Decimal(0)), base.get(pool_id, Decimal(0)))
        item = RequestItem(request=request, pool_id=pool_id, quantity=quantity, reservation=kept.get(pool_id))
        item.full_clean()
        item.save(force_insert=True)
    return items_of(request)


def _first_version(
    request: ShareRequest, agreement: Agreement, items: list[RequestItem], asked: Mapping[int, Decimal], terms: Terms,
    draft: Draft | None, membership: Membership,
) -> tuple[dict[str, Any], Any]:  # fmt: skip
    """(the offer's fields, its sheet), starting from what the agreement says."""
    previous: Offer = carried_over(agreement.offer, agreement.terms["clauses"])
    basis = basis_of(request, items, asked, request.months)
    price = terms.price_fen_per_year
    sheet, price = next_sheet(draft, previous, basis, price_fen=price, side=membership.organisation_id)
    check_price(price)
    given = {
        "quantities": as_text(asked), "price_fen_per_year": price, "starts_on": request.starts_on,
        "months": request.months, "note": terms.note.strip(),
    }  # fmt: skip
    is_same = all(getattr(agreement.offer, name) == value for name, value in given.items())
    if is_same and _says_the_same(sheet, previous.sheet):
        raise Refused(_("These are the terms of the agreement: nothing would change."), code="same_terms")
    return given, sheet


def _says_the_same(sheet: TermSheet, before: TermSheet) -> bool:
    """Figures of schemes not chosen, as a form fills them in, make no difference."""
    return (
        (sheet.scheme, sheet.mode) == (before.scheme, before.mode)
        and sheet.working.get("index") == before.working.get("index")
        and settled(sheet.clauses) == settled(before.clauses)
    )


def _open_talk(request: ShareRequest, agreement: Agreement, by: User, membership: Membership) -> None:
    code, organisation = CODES[Change(request.change)], membership.organisation
    after = {"agreement": agreement.reference, "held": {str(pk): str(q) for pk, q in held(items_of(request)).items()}}
    record(code, request, by=by, organisation=organisation, after=after)
    open_thread(
        subject=request, title=f"{request.code} · {agreement.reference}",
        organisations=[request.requester, request.owner],
    )  # fmt: skip
    notices.tell_thread(request, code, by=by, organisation=organisation, reference=agreement.reference)
