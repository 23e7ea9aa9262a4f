"""The swap ledger as one organisation reads it. Two organisations see the same entries with the signs turned."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q

from accounts.models import Organisation
from agreements.models import SwapEntry


@dataclass(frozen=True)
class Line:
    """One entry: core_km above 0 where one's own organisation gives."""

    entry: SwapEntry
    core_km: Decimal


@dataclass(frozen=True)
class Balance:
    """Between one's own organisation and another. core_km above 0: we give more than we take."""

    other: Organisation
    lines: list[Line]

    @property
    def core_km(self) -> Decimal:
        return sum((line.core_km for line in self.lines), Decimal(0))


def balances(organisation: Organisation) -> list[Balance]:
    """Per other organisation, by name; entries oldest first. Queries once."""
    rows = SwapEntry.objects.filter(Q(giver=organisation) | Q(taker=organisation))
    by_other: dict[int, Balance] = {}
    for entry in rows.select_related("giver", "taker", "agreement").order_by("pk"):
        gives = entry.giver_id == organisation.pk
        other = entry.taker if gives else entry.giver
        balance = by_other.setdefault(other.pk, Balance(other, []))
        balance.lines.append(Line(entry, entry.core_km if gives else -entry.core_km))
    return sorted(by_other.values(), key=lambda balance: balance.other.name)
