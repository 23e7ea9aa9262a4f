"""What a change of an agreement in operation asks: the term sheet, with the period fixed or counted from its end."""

import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext

from agreements.models import Agreement, RequestItem, ShareRequest
from agreements.states import day_after
from listings.wording import plain_number

from .draft import carried_over
from .forms import SheetForm


class ChangeForm(SheetForm):
    """Version 1 of a change. change: "amendment" or "renewal"."""

    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    def __init__(self, *args: Any, agreement: Agreement, change: str, side: int, **options: Any):
        case, offer = agreement.request, agreement.offer
        kept = {int(pool): Decimal(quantity) for pool, quantity in offer.quantities.items()}
        is_amendment = change == ShareRequest.Change.AMENDMENT
        items = _items(case, kept, is_amendment)
        before = carried_over(offer, agreement.terms["clauses"])
        super().__init__(
            *args, items=items, kind=case.resource.kind, sheet=before.sheet, side=side,
            initial=SheetForm.start_of(case, items, before, before.sheet, None)
            | {"starts_on": offer.starts_on if is_amendment else day_after(agreement), "key": uuid.uuid4},
            **options,
        )  # fmt: skip
        self.fields["price_yuan"].help_text = gettext(
            "For everything together, tax included. 0: free opening. Starts from the price of the agreement."
        )
        self.fields["starts_on"].widget = forms.HiddenInput()
        if is_amendment:
            self.fields["months"].widget = forms.HiddenInput()
        for item in items:
            self.fields[f"q_{item.pool_id}"].help_text = gettext("%(now)s now, up to %(most)s possible") % {
                "now": plain_number(kept.get(item.pool_id, Decimal(0))), "most": plain_number(item.quantity),
            }  # fmt: skip


def _items(case: ShareRequest, kept: dict[int, Decimal], is_amendment: bool) -> Sequence[RequestItem]:
    """Every pool of the resource, at the most that can be had (not saved)."""
    items = []
    for pool in case.resource.pools.order_by("pk"):
        own = kept.get(pool.pk, Decimal(0))
        most = max(pool.free, Decimal(0)) + own if is_amendment else max(pool.free + own, own)
        items.append(RequestItem(pool=pool, quantity=most, request=case))
    return items
