"""Signatures. The last one makes the hold a confirmed reservation and the request signed."""

from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import Refused
from accounts.events import record
from accounts.models import Membership, User
from agreements import notices, states
from agreements.fitting import Ask, shortfalls, why_not
from agreements.legs import counting, is_in_effect, is_signed_by_both
from agreements.models import Agreement, ShareRequest, Signature
from agreements.tasks import write_pdf
from agreements.terms import digest
from listings.actions import capacity, demand
from listings.models import CapacityPool, DemandLine, Reservation

from .change_ends import take_over
from .clock_rows import start_clock
from .holds import agreed, items_of, lock_request, require_kept, reservations_of
from .legs import lock_legs
from .records import add_step
from .swaps import give_cores


def sign(*, agreement: Agreement, by: User, membership: Membership, password: str, terms_sha256: str) -> Signature:
    """A signatory's signature under the frozen terms, after typing the password again. Twice is once.

    terms_sha256: of the text the person read. Raises Refused("password") for a wrong password, Refused("other_terms")
    when that is not the agreement's text, else what states.refusal says. Locks the request's row, so that of two
    signatories one is first.
    """
    # Checked before the lock: hashing is slow on purpose.
    if not by.check_password(password):
        raise Refused(_("The password is not right: nothing was signed."), code="password")
    return _sign(agreement, by, membership, terms_sha256)


@transaction.atomic
def _sign(agreement: Agreement, by: User, membership: Membership, terms_sha256: str) -> Signature:
    if agreement.request.amends is not None:
        lock_request(agreement.request.amends.request)  # the older case first: locks are taken in id order
    request = lock_request(agreement.request)
    fresh = Agreement.objects.select_for_update(no_key=True).get(pk=agreement.pk)
    made = fresh.signatures.filter(organisation=membership.organisation_id).first()
    if made and states.side_of(request, membership):
        return made
    if problem := states.refusal(request, membership, "sign"):
        raise problem
    if terms_sha256 != fresh.terms_sha256 or digest(fresh.terms) != fresh.terms_sha256:
        raise Refused(_("This is not the text you read. Open the page again and read it."), code="other_terms")
    signature = Signature(
        agreement=fresh,
        organisation=membership.organisation,
        user=by,
        signer_name=str(by)[:80],
        terms_sha256=fresh.terms_sha256,
    )
    signature.full_clean()
    signature.save(force_insert=True)
    record(
        "agreement.sign",
        fresh,
        by=by,
        organisation=membership.organisation,
        after={"signer": signature.signer_name, "terms_sha256": signature.terms_sha256},
    )
    notices.tell_thread(
        request,
        "agreement.sign",
        by=by,
        organisation=membership.organisation,
        signer=signature.signer_name,
        reference=fresh.reference,
    )
    parties = {request.requester_id, request.owner_id}
    if set(fresh.signatures.order_by("pk").values_list("organisation_id", flat=True)) >= parties:
        _conclude_with_others(request, fresh, by=by)
    else:
        _ask_other_side(request, fresh, membership)
    return signature


def _conclude_with_others(request: ShareRequest, agreement: Agreement, *, by: User) -> None:
    """A request by itself takes effect; all or nothing: every leg at once, with the last signature of the last."""
    if request.bundle is None or not request.bundle.is_whole:
        _conclude(request, agreement, by=by)
        return
    rows = lock_legs(request.bundle)
    if all(is_signed_by_both(leg) for leg in rows):
        for leg in rows:
            conclude_signed(leg, by=by)


def conclude_signed(leg: ShareRequest, *, by: User) -> None:
    """A leg that both sides signed before takes effect now. Its row is locked, and those of its pools."""
    _conclude(leg, Agreement.objects.select_for_update(no_key=True).get(request=leg), by=by)


def _ask_other_side(request: ShareRequest, agreement: Agreement, membership: Membership) -> None:
    notices.notify(
        request,
        "agreement.sign",
        organisation=notices.other_side(request, membership.organisation),
        roles=notices.SIGNATORIES,
        key="sign",
        by=membership.organisation,
        page="agreement_detail",
        page_id=agreement.pk,
    )


def _conclude(request: ShareRequest, agreement: Agreement, *, by: User) -> None:
    """All have signed: what was held is reserved, the line is fulfilled, the document is written."""
    verb = "conclude_change" if request.change else "conclude"
    move = states.TRANSITIONS[request.state][verb]
    before = {"state": request.state}
    now = timezone.now()
    items = items_of(request)
    require_kept(request, items, agreed(agreement.offer))
    if request.is_amendment:
        take_over(request, agreement, items, by=by)
    else:
        kept = [r for r in reservations_of(items) if r.state in Reservation.ACTIVE]
        capacity.confirm(reservations=kept, by=by)
    agreement.state, agreement.signed_at = Agreement.State.SIGNED, now
    agreement.ends_on = agreement.offer.ends_on
    if request.change:  # nothing is built: the price runs from the signature, or from the renewed period's first day
        agreement.price_from = max(timezone.localdate(now), agreement.offer.starts_on)
    agreement.save(update_fields=["state", "signed_at", "ends_on", "price_from"])
    request.state, request.closed_at = move.to, now
    start_clock(request, move.starts_clock or "clock.use", at=now)
    request.save(update_fields=["state", "closed_at", "due_at"])
    if request.change:
        add_step(request, verb, by=None, organisation=None, before=before["state"], at=now)
    _settle_line(request, agreement, by=by)
    give_cores(request, agreement, by=by)
    record("agreement.conclude", agreement, by=by, before=before, after={"state": request.state})
    notices.tell_thread(request, "agreement.conclude", by=None, organisation=None, reference=agreement.reference)
    for side in (request.requester, request.owner):
        notices.notify(
            request,
            "agreement.conclude",
            organisation=side,
            roles=notices.SIGNATORIES,
            key="conclude",
            page="agreement_detail",
            page_id=agreement.pk,
        )
    write_pdf.enqueue(agreement.pk)


def _settle_line(request: ShareRequest, agreement: Agreement, *, by: User) -> None:
    """The line is fulfilled by what was agreed at last; where that is less than it asks for, it stays requested, and
    the line's history and the conversation say why."""
    whole = request if request.line_id or not request.group_key else _answering(request)
    if whole is None or whole.line is None or whole.line.state == DemandLine.State.WITHDRAWN:
        return
    line = whole.line
    if request.bundle is not None:
        others = counting(request.bundle).filter(line=line).exclude(pk=request.pk)
        if not all(is_in_effect(leg) for leg in others):
            return  # the last leg that takes effect fulfils it
    missing = shortfalls(line, whole.resource, _agreed_for(whole, request, agreement))
    if not missing:
        demand.fulfil(line=line, by=by, reason=agreement.reference)
    elif line.state != DemandLine.State.FULFILLED:
        demand.fall_short(line=line, by=by, reason=f"{agreement.reference}: {why_not(missing, line.kind)}")
        notices.tell_thread(request, "agreement.fall_short", by=None, organisation=None, number=line.number)


def _answering(request: ShareRequest) -> ShareRequest | None:
    """Of requests made together for a need of a whole site, the one that names it, where that is signed already."""
    others = request.together().filter(line__room_u__isnull=False, agreement__state=Agreement.State.SIGNED)
    return others.select_related("line__demand_list", "resource").first()


def _agreed_for(whole: ShareRequest, request: ShareRequest, agreement: Agreement) -> Ask:
    """What is agreed at last on the resource that answers the line and, for a need of a whole site, beside it."""
    offers = {request.pk: agreement.offer}
    line = whole.line
    if line is not None and line.room_u:
        signed = Agreement.objects.filter(request__in=[whole.pk, *whole.together().values_list("pk", flat=True)])
        for other in signed.filter(state=Agreement.State.SIGNED).select_related("offer").order_by("pk"):
            offers.setdefault(other.request_id, other.offer)
    ids = [int(pk) for offer in offers.values() for pk in offer.quantities]
    pools = {pool.pk: pool for pool in CapacityPool.objects.filter(pk__in=ids).order_by("pk")}
    agreed = {pk: {pools[int(p)]: Decimal(q) for p, q in o.quantities.items()} for pk, o in offers.items()}
    own = agreed.pop(whole.pk)
    beside = {pool: quantity for part in agreed.values() for pool, quantity in part.items()}
    starts_on = max(offer.starts_on for offer in offers.values())
    return Ask(own, starts_on, min(offer.months for offer in offers.values()), beside)
