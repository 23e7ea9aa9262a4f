"""One value through its model field, remembered: files say the same few words over and over. No queries."""

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

from django.core.validators import MaxLengthValidator
from django.db import models

REMEMBERED = 100_000  # values at most; then all are forgotten
PLAIN = (str, int, float, bool, Decimal, list, dt.date, type(None))  # lists are of words or numbers
_known: dict[tuple[type[models.Model], str, type, Any], Any] = {}


def clean(model: type[models.Model], name: str, value: Any) -> Any:
    """The value as the field keeps it. Raises ValidationError in the active language."""
    field, step, max_length = _field(model, name)
    if isinstance(value, str):
        value = value.strip()
        if max_length is not None and value and len(value) <= max_length and "\x00" not in value:
            return value
    kind = type(value)
    if kind not in PLAIN:
        return field.clean(value, None)
    mark = (model, name, kind, tuple(value) if kind is list else value)
    if mark in _known:
        return _copy(_known[mark])
    if step is not None and kind in (int, float, Decimal):
        value = Decimal(str(value)).quantize(step, ROUND_HALF_UP)
    cleaned = field.clean(value, None)
    if len(_known) >= REMEMBERED:
        _known.clear()
    _known[mark] = _copy(cleaned)
    return cleaned


def _copy(value: Any) -> Any:
    return list(value) if isinstance(value, list) else value


@lru_cache(maxsize=1_000)
def _field(model: type[models.Model], name: str) -> tuple[Any, Decimal | None, int | None]:
    """(field, the last decimal kept, the length up to which a plain text is right as it is)."""
    field = model._meta.get_field(name)
    step = Decimal(1).scaleb(-field.decimal_places) if isinstance(field, models.DecimalField) else None
    is_plain = type(field) is models.CharField and not field.choices
    is_plain = is_plain and all(isinstance(rule, MaxLengthValidator) for rule in field.validators)
    return field, step, field.max_length if is_plain else None


@lru_cache(maxsize=1_000)
def default(model: type[models.Model], name: str) -> Any:
    """What the field is where nothing is said; only asked of fields with plain defaults."""
    return model._meta.get_field(name).get_default()
