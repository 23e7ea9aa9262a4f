"""A pool's data as forms and files give it, and the arithmetic between total, in use and free. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from listings.problems import Problem, error

Number = Decimal | int | float | None


@dataclass(frozen=True)
class PoolData:
    """One pool to be stored. pk names an existing one; without, unit and label find it."""

    unit: str
    total: Decimal
    in_use: Decimal = Decimal(0)
    label: str = ""
    height_m: Decimal | None = None
    height_top_m: Decimal | None = None  # the platform serves a band from height_m up to here
    bore_mm: Decimal | None = None
    price_fen_per_unit_year: int | None = None
    pk: int | None = None


def as_decimal(value: Number) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def plain(value: Decimal) -> str:
    """35.0 → "35": as a sentence names it."""
    return f"{Decimal(value).normalize():f}"


def price_of(yuan: Number) -> int | None:
    """Yuan per unit and year → fen; None (to be negotiated) stays None."""
    value = as_decimal(yuan)
    return None if value is None else int((value * 100).to_integral_value())


def stated(values: Sequence[Any]) -> bool:
    return any(value is not None for value in values)


def shares(field: str, numbers: Sequence[Number] | None, count: int) -> tuple[list[Decimal | None], Problem | None]:
    """`count` numbers out of none, one or `count`: one whole number is shared out from the first down."""
    given = [as_decimal(n) for n in (numbers or [])]
    if not given:
        return [None] * count, None
    if len(given) == count:
        return given, None
    if len(given) == 1 and given[0] is not None:
        base, rest = divmod(given[0], count)
        return [base + (1 if i < rest else 0) for i in range(count)], None
    problem = error(
        field,
        "count_differs",
        _("%(given)d numbers for %(count)d platforms.") % {"given": len(given), "count": count},
        _("Give one number per platform, or one for all together."),
    )
    return [None] * count, problem


def in_use_of(field: str, total: Number, in_use: Number, free: Number) -> tuple[Decimal, Decimal, Problem | None]:
    """(total, in use) from whichever two of total, in use and free are given; a problem when they contradict."""
    all_, used, left = as_decimal(total), as_decimal(in_use), as_decimal(free)
    if all_ is None:
        return (left or Decimal(0)) + (used or Decimal(0)), used or Decimal(0), None
    if used is None:
        used = all_ - left if left is not None else Decimal(0)
    elif left is not None and used + left != all_:
        return (
            all_,
            used,
            error(
                field,
                "sum_differs",
                _("In use (%(used)s) and free (%(free)s) do not add up to the total (%(total)s).")
                % {"used": used, "free": left, "total": all_},
                _("Correct one of the three numbers."),
            ),
        )
    return all_, used, None


def single_pool(
    values: dict[str, Any], *, unit: str, prefix: str, price: str, **extra: Any
) -> tuple[list[PoolData], list[Problem]]:
    """One pool from `<prefix>_total`, `<prefix>_in_use` and `<prefix>_free`; none where no number is given."""
    numbers = [values.get(f"{prefix}_{name}") for name in ("total", "in_use", "free")]
    if numbers[0] is None and numbers[2] is None:
        return [], []
    total, in_use, problem = in_use_of(f"{prefix}_total", *numbers)
    pool = PoolData(unit=unit, total=total, in_use=in_use, price_fen_per_unit_year=price_of(values.get(price)), **extra)
    return [pool], [problem] if problem else []
