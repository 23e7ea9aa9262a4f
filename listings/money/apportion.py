"""Who pays how much of works built together (费用分摊). Shares are whole fen and sum exactly to the cost.

Three methods, as domain section 6 names them. Shapley: L. S. Shapley, "A value for n-person games" (1953); for works
made of parts that several use, each part is shared equally by its users (Littlechild and Owen, 1973).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import factorial

from .fen import split

PARTIES_MAX = 14  # a cost function over all coalitions is asked 2^n times; works with parts have no such limit


@dataclass(frozen=True)
class Part:
    """A part of the works: its cost in fen and the positions of the parties that need it."""

    cost_fen: int
    users: frozenset[int]


def pro_rata(cost_fen: int, units: Sequence[Decimal]) -> list[int]:
    """By the bores or positions each takes."""
    return split(cost_fen, units)


def stand_alone(cost_fen: int, alone_fen: Sequence[int]) -> list[int]:
    """In proportion to what each would pay building alone."""
    return split(cost_fen, [Decimal(alone) for alone in alone_fen])


def shapley(party_count: int, cost_fen: Callable[[frozenset[int]], int]) -> list[int]:
    """Each party's average extra cost over all orders of joining; cost_fen(coalition) in fen, of the empty one 0.

    Exact in fractions, then whole fen that sum to the cost of all together. Parties with equal exact shares get shares
    at most 1 fen apart. Raises ValueError above PARTIES_MAX parties, or where the empty coalition costs something.
    """
    if not 1 <= party_count <= PARTIES_MAX:
        raise ValueError(f"the Shapley value is worked out for 1 to {PARTIES_MAX} parties")
    cost = [cost_fen(_members(mask, party_count)) for mask in range(1 << party_count)]
    if cost[0] != 0:
        raise ValueError("the empty coalition must cost nothing")
    weight = [
        Fraction(factorial(size) * factorial(party_count - size - 1), factorial(party_count))
        for size in range(party_count)
    ]
    exact = []
    for party in range(party_count):
        bit = 1 << party
        exact.append(
            sum(
                (
                    weight[mask.bit_count()] * (cost[mask | bit] - cost[mask])
                    for mask in range(1 << party_count)
                    if not mask & bit
                ),
                Fraction(0),
            )
        )
    return _whole(cost[-1], exact)


def shapley_of_parts(party_count: int, parts: Sequence[Part]) -> list[int]:
    """The Shapley value where the cost of a coalition is that of the parts any member needs: each part is shared
    equally by its users. Any number of parties. Raises ValueError for a part nobody uses or of negative cost."""
    exact = [Fraction(0)] * party_count
    for part in parts:
        if not part.users or part.cost_fen < 0:
            raise ValueError("a part has a cost of 0 or more and a user at least")
        for user in part.users:
            exact[user] += Fraction(part.cost_fen, len(part.users))
    return _whole(sum(part.cost_fen for part in parts), exact)


def cost_of_parts(parts: Sequence[Part], coalition: frozenset[int]) -> int:
    """What the parts needed by any member cost, in fen."""
    return sum(part.cost_fen for part in parts if part.users & coalition)


def compare(party_count: int, parts: Sequence[Part], units: Sequence[Decimal]) -> Mapping[str, list[int]]:
    """The shares side by side: {"alone", "pro_rata", "stand_alone", "shapley"}, fen per party; all but "alone" sum to
    the cost of the works."""
    cost = sum(part.cost_fen for part in parts)
    alone = [cost_of_parts(parts, frozenset({party})) for party in range(party_count)]
    return {
        "alone": alone,
        "pro_rata": pro_rata(cost, units),
        "stand_alone": stand_alone(cost, alone),
        "shapley": shapley_of_parts(party_count, parts),
    }


def _members(mask: int, party_count: int) -> frozenset[int]:
    return frozenset(party for party in range(party_count) if mask >> party & 1)


def _whole(total_fen: int, exact: Sequence[Fraction]) -> list[int]:
    """Exact shares → whole fen with the same sum, each rounded up or down; a negative share (joining saves) too."""
    shares = [share.__floor__() for share in exact]
    left = total_fen - sum(shares)
    by_fraction = sorted(range(len(exact)), key=lambda i: (shares[i] - exact[i], i))
    for i in by_fraction[:left]:
        shares[i] += 1
    return shares
