"""Words and figures of a run in templates."""

from typing import Any

from django import template
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.models.organisations import Sector
from listings.models import Kind
from listings.wording import money_text, plain_number
from matching import wording

register = template.Library()


@register.filter
def percentage(share: float) -> str:
    """0.8 → "80 %"."""
    return f"{share * 100:.0f} %"


@register.filter
def criterion_label(name: str) -> str:
    return str(wording.CRITERION_LABELS[name])


@register.filter
def most_freed(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The criteria that would free most lines first."""
    return sorted(steps, key=lambda step: -step["lines"])


@register.filter
def freed(step: dict[str, Any]) -> str:
    return wording.freed_text(step)


@register.filter
def money(fen: int) -> str:
    """A sum of fen in yuan."""
    return money_text(fen)


@register.filter
def tonnes(kg: float) -> str:
    return f"{plain_number(round(kg / 1000, 2))} t"


@register.filter
def served_by(name: str) -> str:
    return {"applicant": _("Applicant"), "sector": _("Sector"), "region": _("Region"), "kind": _("Kind")}[name]


@register.filter
def served_name(row: dict[str, Any], by: str) -> str:
    """The name of a row of matching.tallies in the reader's language."""
    if by == "kind":
        return str(Kind(row["name_zh"]).label)
    if by == "sector":
        return str(Sector(row["name_zh"]).label) if row["name_zh"] else _("Not on this portal yet")
    is_english = (get_language() or "").startswith("en")
    return (row["name_en"] if is_english and row["name_en"] else row["name_zh"]) or _("Elsewhere")
