"""The audit log: one row per act, written in the transaction of the act itself."""

from django.db import models, transaction

from .models import Event, Organisation, User


def snapshot(instance: models.Model, fields: list[str]) -> dict:
    """The named fields as JSON-able values, for an event's before and after."""
    values = {}
    for name in fields:
        value = getattr(instance, instance._meta.get_field(name).attname)
        values[name] = value if isinstance(value, (str, int, bool, list, dict, type(None))) else str(value)
    return values


def record(
    verb: str,
    subject: models.Model,
    *,
    by: User | None,
    organisation: Organisation | None = None,
    before: dict | None = None,
    after: dict | None = None,
    reason: str = "",
) -> Event:
    """Writes one event row. by=None means the system, by a clock.

    Must run inside the transaction of the change it tells of; raises RuntimeError outside one.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError(f"events.record({verb!r}) outside a transaction")
    return Event.objects.create(
        verb=verb,
        subject=subject,
        subject_label=str(subject)[:200],
        actor=by,
        organisation=organisation,
        before=before,
        after=after,
        reason=reason[:500],
    )
