"""What a joint survey found other than recorded: given with the step, compared with the resource as it is now."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import Refused
from agreements.models import ShareRequest
from listings.actions.as_built import found_fields

from .found_words import found_labels


@dataclass(frozen=True)
class Difference:
    """A fact found, and what the record says ("–": nothing). value: as the field takes it."""

    name: str
    label: str
    found: str
    recorded: str
    value: Any
    found_on: dt.date


def clean_found(kind: str, found: Mapping[str, str]) -> dict[str, Any]:
    """{"found": {fact: value as text}} of the facts given; nothing where none is. Raises Refused for a wrong value."""
    cleaned = {}
    for field in found_fields(kind):
        if text := str(found.get(field.name) or "").strip():
            try:
                value = field.clean(text, None)
                if value < 0:  # every fact of FOUND is a measure or a count
                    raise ValidationError(_("0 or more is needed."))
                cleaned[field.name] = str(value)
            except ValidationError as problem:
                words = {"fact": field.verbose_name, "why": " ".join(problem.messages)}
                raise Refused(_("%(fact)s: %(why)s") % words, code="found") from problem
    return {"found": cleaned} if cleaned else {}


def differences(case: ShareRequest) -> list[Difference]:
    """The latest finding of each fact that the record does not say. Queries once, and only where something was found;
    steps prefetched."""
    found: dict[str, tuple[str, dt.date]] = {}
    for step in sorted(case.steps.all(), key=lambda step: step.number):
        if step.verb == "report_findings":
            day = timezone.localdate(step.made_at)
            found |= {name: (text, day) for name, text in (step.data.get("found") or {}).items()}
    if not found:
        return []
    row, labels, made = case.resource.facts, found_labels(), []
    for field in found_fields(case.resource.kind):
        if field.name in found:
            text, day = found[field.name]
            value, recorded = field.to_python(text), getattr(row, field.name)
            if value != recorded:
                said = "–" if recorded is None else str(recorded)
                made.append(Difference(field.name, labels[field.name], text, said, value, day))
    return made
