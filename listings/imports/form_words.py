"""The words forms have for a choice: files may use them, and pages and reports say the same. Queries none."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.utils.translation import gettext, override

from listings.kinds.registry import SPECS
from listings.kinds.spec import ColumnSpec
from listings.models import Resource

LANGUAGES = ("zh-hans", "en")
Key = tuple[str, tuple[str, ...]]


def _key(spec: ColumnSpec) -> Key:
    return spec.field, tuple(spec.choices)


def _choices(model: Any, name: str) -> Mapping[str, Any]:
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return {}
    return dict(getattr(getattr(field, "base_field", field), "flatchoices", None) or [])


@cache
def _labels() -> dict[Key, dict[str, Any]]:
    """The choices of the model's field by column; nothing where the column is no choice of a form."""
    found = {}
    for kind in SPECS.values():
        for spec in kind.columns:
            if spec.type in ("choice", "choices"):
                labels = _choices(kind.model, spec.field) or _choices(Resource, spec.field)
                found[_key(spec)] = {value: label for value, label in labels.items() if value in spec.choices}
    return found


def english(spec: ColumnSpec, value: str) -> str:
    """The form's word in English, to be put into the reader's language by gettext(); the file's first word without."""
    label = _labels().get(_key(spec), {}).get(value)
    if label is None:
        names = spec.choices.get(value, ())
        return names[0] if names else value
    with override("en"):
        return str(label)


def shown(spec: ColumnSpec, value: str) -> str:
    """The form's word in the reader's language."""
    return gettext(english(spec, value))


def accepted(spec: ColumnSpec) -> list[tuple[str, str]]:
    """(word, value) of every form's word in both languages."""
    found = []
    for value, label in _labels().get(_key(spec), {}).items():
        for language in LANGUAGES:
            with override(language):
                found.append((str(label), value))
    return found
