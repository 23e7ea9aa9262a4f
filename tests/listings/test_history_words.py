"""The history of a resource speaks the reader's language."""

from decimal import Decimal

import pytest
from django.utils.translation import override

from listings.differences import pool_words
from listings.history_words import value_words
from listings.kinds.pools import PoolData


def line(**more):
    return pool_words([PoolData(unit="position", total=Decimal(2), in_use=Decimal(0), **more)])


@pytest.mark.parametrize(
    ("pools", "expected"),
    [
        (line(price_fen_per_unit_year=120_000), "天线位：共 2，已用 0，¥1200/年"),
        (line(label="P1: 东", height_m=Decimal(35), height_top_m=Decimal(40)), "天线位 P1: 东 35–40 m：共 2，已用 0"),
    ],
)
def test_pools_are_told_in_chinese(pools, expected):
    with override("zh-hans"):
        assert value_words("pools", pools, {}) == expected


def test_places_are_degrees():
    assert value_words("place", "POINT (103.81 36.04)", {}) == "36.040000°N, 103.810000°E"
    with override("en"):
        words = value_words("place", "LINESTRING (103 36, 103.5 36.5, 104 37)", {})
    assert words == "3 points from 36.000000°N, 103.000000°E to 37.000000°N, 104.000000°E"
