"""How a resource's facets are packed into one number (Tally.facets), and what the numbers mean. Pure.

The same layout stands in the SQL view listings_tally_now (migration 0014); a test holds the two together. Ranges are
[from, below); a code is its place in the tuple, 0 where a value is missing.
"""

from dataclasses import dataclass

STANDINGS = ("", "exact", "blurred", "existence")  # not published; else the owner's disclosure level
KINDS = ("tower", "duct", "cable", "room")
SECTORS = ("telecom", "power", "transport", "municipal", "public_security")
MODES = ("same_trench", "same_pole_line", "same_cable", "core_swap", "core_lease", "same_site", "co_location")

# The bands in which mobile networks plan their antennas; structure or highest platform, metres.
HEIGHT_BANDS: dict[str, tuple[int, int | None]] = {
    "0-15": (0, 15), "15-25": (15, 25), "25-35": (25, 35), "35-50": (35, 50), "50-": (50, None),
}  # fmt: skip
# Largest free bore, millimetres: sub-ducts (28, 33 mm), 50 mm, then the usual 75-93 and 100-110 mm pipes.
BORE_BANDS: dict[str, tuple[int, int | None]] = {
    "0-40": (0, 40),
    "40-75": (40, 75),
    "75-100": (75, 100),
    "100-": (100, None),
}
# Power to spare: a room's free kW, a tower's spare kVA.
POWER_BANDS: dict[str, tuple[int, int | None]] = {"0-5": (0, 5), "5-20": (5, 20), "20-50": (20, 50), "50-": (50, None)}
# Yuan per main unit and year; "ask" to be negotiated, "0" free opening.
PRICE_BANDS: dict[str, tuple[int, int | None]] = {
    "0-500": (0, 500),
    "500-2000": (500, 2000),
    "2000-10000": (2000, 10000),
    "10000-": (10000, None),
}
PRICES = ("ask", "0", *PRICE_BANDS)
FREE_STEPS = (
    1,
    2,
    4,
    8,
    12,
    24,
    48,
    96,
)  # free main units at least; the code of a resource is the last step it reaches
YEAR_FIRST = 2000  # facts' year less this, 1 to 63


@dataclass(frozen=True)
class Bits:
    """`width` bits from `shift` up."""

    shift: int
    width: int

    @property
    def mask(self) -> int:
        return (1 << self.width) - 1

    def of(self, facets):  # type: ignore[no-untyped-def]  # an int or an array of them
        return (facets >> self.shift) & self.mask


LAYOUT = {
    "standing": Bits(0, 2), "kind": Bits(2, 2), "sector": Bits(4, 3), "free": Bits(7, 4), "all_free": Bits(11, 1),
    "height": Bits(12, 3), "bore": Bits(15, 3), "power": Bits(18, 3), "price": Bits(21, 3), "year": Bits(24, 6),
    "modes": Bits(30, 7), "province": Bits(37, 7), "city": Bits(44, 7), "county": Bits(51, 7),
}  # fmt: skip


def region_of(facets, digits: int):  # type: ignore[no-untyped-def]
    """The first `digits` (2, 4 or 6) of the division code as a number."""
    code = LAYOUT["province"].of(facets)
    if digits >= 4:
        code = code * 100 + LAYOUT["city"].of(facets)
    return code * 100 + LAYOUT["county"].of(facets) if digits == 6 else code


def free_code(units: int) -> int:
    """The step a number of free units reaches."""
    return sum(units >= step for step in FREE_STEPS)


def mode_of(word: str) -> int:
    return MODES.index(word)
