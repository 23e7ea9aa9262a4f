"""How facts found at a survey read. Pure but for the models' own labels."""

from collections.abc import Mapping

from django.utils.text import capfirst

from listings.actions.as_built import FOUND, found_fields


def found_labels() -> dict[str, str]:
    """{fact: its label in the reader's language}, of all kinds."""
    return {field.name: str(capfirst(field.verbose_name)) for kind in FOUND for field in found_fields(kind)}


def found_words(found: Mapping[str, str]) -> list[str]:
    """ "Height (m): 38", one per fact."""
    labels = found_labels() if found else {}
    return [f"{labels.get(name, name)}: {value}" for name, value in found.items()]
