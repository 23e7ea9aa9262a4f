"""Amounts in fen (1/100 yuan) as whole numbers; rounding half up, once, at the end of a calculation."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, localcontext

PRECISION = 50  # digits carried in between: far more than any sum of a country's works needs


def to_fen(amount: Decimal) -> int:
    """Decimal fen → whole fen, half away from zero. Raises ValueError for NaN and infinities."""
    if not amount.is_finite():
        raise ValueError(f"{amount} is no amount of money")
    with localcontext(prec=PRECISION):
        return int(amount.quantize(Decimal(1), ROUND_HALF_UP))


def split(total_fen: int, weights: Sequence[Decimal]) -> list[int]:
    """Whole fen per weight that sum exactly to the total (≥ 0), each within 1 fen of its exact share.

    The largest-remainder method (Hamilton): everybody gets the whole part, the fen left over go to the largest
    fractions, equal fractions in the order given. All weights 0: equal shares. Raises ValueError for a negative
    total or weight, and for no weights at all.
    """
    if total_fen < 0:
        raise ValueError("only an amount of 0 or more can be split")
    if not weights or any(not weight.is_finite() or weight < 0 for weight in weights):
        raise ValueError("weights must be finite and not negative, and there must be one at least")
    with localcontext(prec=PRECISION):
        whole = sum(weights, Decimal(0))
        if whole == 0:
            weights, whole = [Decimal(1)] * len(weights), Decimal(len(weights))
        exact = [Decimal(total_fen) * weight / whole for weight in weights]
        shares = [int(share) for share in exact]
        left = total_fen - sum(shares)
        by_fraction = sorted(range(len(exact)), key=lambda i: (shares[i] - exact[i], i))
    for i in by_fraction[:left]:
        shares[i] += 1
    return shares
