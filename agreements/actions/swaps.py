"""The ledger of core swaps: what an agreement gives when it comes into force, and takes back when it ends."""

from decimal import Decimal

from accounts.events import record
from accounts.models import User
from agreements.models import Agreement, ShareRequest, SwapEntry
from agreements.sheets.draft import core_km, sheet_of

Sort = SwapEntry.Sort


def give_cores(request: ShareRequest, agreement: Agreement, *, by: User | None) -> None:
    """Enters what the owner lets the applicant use, where the price is a core swap. In the caller's transaction."""
    amount = core_km(sheet_of(agreement.offer))
    if amount:
        _enter(request, agreement, Sort.GIVEN, amount, by)


def return_cores(request: ShareRequest, agreement: Agreement, *, by: User | None) -> None:
    """Reverses the entry when the agreement ends; nothing where there was none. In the caller's transaction."""
    given = agreement.swap_entries.filter(sort=Sort.GIVEN).first()
    if given and not agreement.swap_entries.filter(sort=Sort.RETURNED).exists():
        _enter(request, agreement, Sort.RETURNED, -given.core_km, by)


def _enter(request: ShareRequest, agreement: Agreement, sort: str, amount: Decimal, by: User | None) -> None:
    entry = SwapEntry(agreement=agreement, sort=sort, giver=request.owner, taker=request.requester, core_km=amount)
    entry.full_clean()
    entry.save(force_insert=True)
    record("swap.enter", entry, by=by, after={"agreement": agreement.reference, "core_km": str(amount)})
