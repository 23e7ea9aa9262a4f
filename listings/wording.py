"""Quantities, distances and prices as people read them, in the reader's language. Pure: no queries."""

from decimal import Decimal

from django.utils.translation import gettext as _

from listings.models.capacity import Unit


def plain_number(value: Decimal | float | int, decimals: int = 2) -> str:
    """1234.50 → "1,234.5": grouped by three in both languages, as accounts are read; trailing zeros dropped."""
    rounded = round(Decimal(str(value)), decimals)
    text = f"{rounded:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def quantity_text(quantity: Decimal | int, unit: str) -> str:
    """2, "bore" → "2 bores" / "2 孔"."""
    number = plain_number(quantity)
    words = {
        Unit.POSITION: _("%(n)s positions"),
        Unit.BORE: _("%(n)s bores"),
        Unit.CORE: _("%(n)s cores"),
        Unit.RACK_U: _("%(n)s U"),
        Unit.KW: _("%(n)s kW"),
    }
    singular = {Unit.POSITION: _("1 position"), Unit.BORE: _("1 bore"), Unit.CORE: _("1 core")}
    if quantity == 1 and unit in singular:
        return singular[Unit(unit)]
    return words[Unit(unit)] % {"n": number}


def distance_text(metres: float) -> str:
    """340.4 → "340 m", 1240 → "1.2 km"."""
    if metres < 1000:
        return f"{round(metres)} m"
    return f"{plain_number(metres / 1000, 1 if metres < 100_000 else 0)} km"


def money_text(fen: int) -> str:
    """125000 → "¥1,250"; fen shown only when there are some."""
    return "¥" + plain_number(Decimal(fen) / 100)


def yearly_text(fen: int | None) -> str:
    """Price per year as words: to be negotiated (None), free (0) or ¥ a year."""
    if fen is None:
        return _("to be negotiated")
    if fen == 0:
        return _("free")
    return _("%(price)s a year") % {"price": money_text(fen)}
