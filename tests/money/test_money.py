"""Shares sum exactly, nobody pays more than alone under Shapley, equals pay the same, prices follow their formulas."""

from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listings.money import apportion, schemes
from listings.money.apportion import Part
from listings.money.fen import split, to_fen

FEN = st.integers(min_value=0, max_value=10**15)
WEIGHT = st.decimals(min_value=0, max_value=10**9, places=3)


@st.composite
def works(draw, most=6):
    """(number of parties, parts): every party needs something."""
    count = draw(st.integers(1, most))
    users = st.frozensets(st.integers(0, count - 1), min_size=1)
    parts = draw(st.lists(st.builds(Part, cost_fen=st.integers(0, 10**12), users=users), min_size=1, max_size=8))
    return count, [*parts, Part(draw(st.integers(0, 10**9)), frozenset(range(count)))]


@given(FEN, st.lists(WEIGHT, min_size=1, max_size=20))
def test_a_split_sums_exactly_and_is_within_a_fen(total, weights):
    shares = split(total, weights)
    assert sum(shares) == total
    whole = sum(weights)
    for share, weight in zip(shares, weights, strict=True):
        exact = total * weight / whole if whole else Decimal(total) / len(weights)
        assert abs(share - exact) < Decimal("1.000001")


def test_equal_weights_differ_by_a_fen_at_most():
    assert split(100, [Decimal(1)] * 3) == [34, 33, 33]
    assert split(0, [Decimal(1)] * 3) == [0, 0, 0]
    assert split(100, [Decimal(0)] * 2) == [50, 50]


@pytest.mark.parametrize(("total", "weights"), [(-1, [Decimal(1)]), (1, []), (1, [Decimal(-1)]), (1, [Decimal("NaN")])])
def test_what_cannot_be_split_is_refused(total, weights):
    with pytest.raises(ValueError):
        split(total, weights)


@given(works())
def test_shares_of_works_sum_to_their_cost_by_every_method(given_works):
    count, parts = given_works
    shares = apportion.compare(count, parts, [Decimal(party + 1) for party in range(count)])
    cost = sum(part.cost_fen for part in parts)
    for method in ("pro_rata", "stand_alone", "shapley"):
        assert sum(shares[method]) == cost
        assert min(shares[method]) >= 0


@given(works())
def test_nobody_pays_more_than_alone_under_shapley(given_works):
    count, parts = given_works
    shares = apportion.compare(count, parts, [Decimal(1)] * count)
    assert all(share <= alone for share, alone in zip(shares["shapley"], shares["alone"], strict=True))


@given(works(most=5))
def test_the_two_ways_to_shapley_agree(given_works):
    count, parts = given_works
    by_parts = apportion.shapley_of_parts(count, parts)
    by_coalitions = apportion.shapley(count, lambda members: apportion.cost_of_parts(parts, members))
    assert by_parts == by_coalitions


@given(works(most=4))
def test_shapley_is_the_mean_over_all_orders_of_joining(given_works):
    count, parts = given_works
    extra = [0] * count
    orders = list(permutations(range(count)))
    for order in orders:
        for position, party in enumerate(order):
            before = frozenset(order[:position])
            extra[party] += apportion.cost_of_parts(parts, before | {party}) - apportion.cost_of_parts(parts, before)
    for share, total in zip(apportion.shapley_of_parts(count, parts), extra, strict=True):
        assert abs(share * len(orders) - total) < len(orders)


@given(works(), st.data())
def test_parties_that_need_the_same_pay_the_same(given_works, data):
    count, parts = given_works
    one = data.draw(st.integers(0, count - 1))
    twin = count
    parts = [Part(p.cost_fen, p.users | {twin} if one in p.users else p.users) for p in parts]
    shares = apportion.shapley_of_parts(count + 1, parts)
    assert abs(shares[one] - shares[twin]) <= 1


def test_a_trench_of_three_worked_by_hand():
    """A and B need the first 600 m, B and C the next 300 m; ¥100 a metre; each has bores of its own."""
    trench = [Part(6_000_000, frozenset({0, 1})), Part(3_000_000, frozenset({1, 2}))]
    own = [Part(500_000, frozenset({party})) for party in range(3)]
    assert apportion.shapley_of_parts(3, trench + own) == [3_500_000, 5_000_000, 2_000_000]


def test_too_many_parties_for_a_cost_function_are_refused():
    with pytest.raises(ValueError, match="1 to 14"):
        apportion.shapley(15, len)
    with pytest.raises(ValueError, match="empty"):
        apportion.shapley(2, lambda members: 1)


def basis(**changes):
    parts = [schemes.CostPart("mast", 40_000_000, Decimal(20)), schemes.CostPart("power", 6_000_000, Decimal(8))]
    return schemes.CostBasis(parts, maintenance_fen=250_000, site_fen=1_200_000, power_lead_in_fen=80_000, **changes)


def test_cost_based_price_follows_its_formula():
    working = schemes.cost_based(basis(tenants=3, is_anchor=True))
    assert (
        working.fen_per_year
        == to_fen(Decimal(2_000_000 + 750_000 + 250_000) * Decimal("1.1") * Decimal("0.55")) + 1_280_000
    )
    assert working.formula == "(Σ(C ÷ n) + m) × (1 + u) × (1 − d) + s + e"
    assert {i.code: i.value for i in working.inputs}["discount"] == 45


@pytest.mark.parametrize(
    ("tenants", "anchor", "discount"),
    [(1, False, 0), (1, True, 0), (2, False, 30), (2, True, 35), (3, False, 40), (7, True, 45)],
)
def test_sharing_discounts(tenants, anchor, discount):
    assert schemes.sharing_discount_pct(basis(tenants=tenants, is_anchor=anchor)) == discount


@pytest.mark.parametrize(
    "changes",
    [{"tenants": 0}, {"markup_pct": Decimal(-1)}, {"tenants": 2, "discount_pct_by_tenants": {2: Decimal(101)}}],
)
def test_impossible_bases_are_refused(changes):
    with pytest.raises(ValueError):
        schemes.cost_based(basis(**changes))


@given(st.integers(2, 9), st.integers(0, 10**9))
def test_more_tenants_never_cost_one_more(tenants, maintenance):
    def price(count):
        return schemes.cost_based(
            schemes.CostBasis([schemes.CostPart("mast", 10**9, Decimal(20))], maintenance, tenants=count)
        ).fen_per_year

    assert price(tenants) <= price(tenants - 1)


def test_tariff_and_free():
    assert schemes.tariff(Decimal(30_000), Decimal(2), Decimal("1.24")).fen_per_year == 74_400
    assert schemes.free().fen_per_year == 0
    with pytest.raises(ValueError, match="quantity"):
        schemes.tariff(Decimal(1), Decimal(-1))


@given(FEN, st.decimals(min_value=0, max_value=50, places=2))
def test_tax_in_and_out(net, rate):
    gross, tax = schemes.with_tax(net, rate)
    assert gross == net + tax
    back, contained = schemes.without_tax(gross, rate)
    assert back + contained == gross
    assert abs(back - net) <= 1


def test_period_and_index():
    assert schemes.over_period(100_000, 18) == 150_000
    assert schemes.over_period(100, 7) == 58
    assert schemes.indexed(100_000, Decimal("102.5"), Decimal("104.55")) == 102_000
    assert schemes.indexed(100_000, Decimal(100), Decimal(120), cap_pct=Decimal(5)) == 105_000
    assert schemes.indexed(100_000, Decimal(100), Decimal(80), cap_pct=Decimal(5)) == 95_000
    with pytest.raises(ValueError):
        schemes.indexed(1, Decimal(0), Decimal(1))
