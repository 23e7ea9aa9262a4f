"""Quantities, distances and prices as people read them: {% load wording %}."""

from django import template

from listings import wording

register = template.Library()


@register.filter
def quantity(value, unit: str) -> str:
    """2|quantity:"bore" → "2 bores" / "2 孔"; nothing for None."""
    return "" if value in (None, "") else wording.quantity_text(value, unit)


@register.filter
def number(value, decimals: int = 2) -> str:
    """1234.50 → "1,234.5"; nothing for None."""
    return "" if value in (None, "") else wording.plain_number(value, int(decimals))


@register.filter
def metres(value) -> str:
    """340.4 → "340 m", 1240 → "1.2 km"; nothing for None."""
    return "" if value in (None, "") else wording.distance_text(float(value))


@register.filter
def fen(value) -> str:
    """125000 → "¥1,250"; nothing for None."""
    return "" if value in (None, "") else wording.money_text(int(value))


@register.filter
def yuan(value) -> str:
    """89144777 → "¥891,448", for a sum where fen say nothing; nothing for None."""
    return "" if value in (None, "") else wording.money_text(round(int(value) / 100) * 100)


@register.filter
def yearly(value) -> str:
    """A price per year in fen as words: to be negotiated (None), free (0), ¥1,250 a year."""
    return wording.yearly_text(value)


@register.simple_tag
def capacity_parts(pool) -> dict[str, str]:
    """{used, held}: widths in per cent of a capacity bar, as SVG numbers."""
    total = float(pool.total) or 1.0
    return {"used": f"{float(pool.in_use) / total * 100:.2f}", "held": f"{float(pool.taken) / total * 100:.2f}"}
