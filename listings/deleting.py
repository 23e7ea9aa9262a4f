"""Rows deleted together with what hangs on them, in one statement per table: the models' own rules, not row by row."""

from django.db import models
from django.db.models.deletion import CASCADE, DO_NOTHING, SET_NULL


def delete_set(rows: models.QuerySet, _above: tuple[type[models.Model], ...] = ()) -> int:
    """Deletes the rows and what cascades from them; gives how many of the rows. Signals are not sent.

    A tree within one table (a sub-duct under its bore) is taken to hang on the same rows: what would be left over
    fails the foreign key. Raises ProtectedError where a row that must stay points at one of them.
    """
    above = (*_above, rows.model)
    for relation in rows.model._meta.get_fields(include_hidden=True):
        if not (relation.auto_created and (relation.one_to_many or relation.one_to_one)):
            continue
        if relation.related_model in above:
            continue
        below = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": rows.values("pk")})
        if relation.on_delete is CASCADE:
            delete_set(below.order_by(), above)
        elif relation.on_delete is SET_NULL:
            below.update(**{relation.field.name: None})
        elif relation.on_delete is not DO_NOTHING and below.exists():
            raise models.ProtectedError("rows that must stay point at these", set(below[:10]))
    return rows._raw_delete(rows.db)
