"""What a person changes about themselves; e-mail, password and second factor are allauth's."""

from django.db import transaction

from accounts.events import record, snapshot
from accounts.models import User


@transaction.atomic
def change_name(*, by: User, name: str) -> User:
    """Changes the person's own name. Raises ValidationError for one that is too long."""
    user = User.objects.select_for_update(no_key=True).get(pk=by.pk)
    before = snapshot(user, ["name"])
    user.name = " ".join(name.split())
    user.full_clean()
    user.save(update_fields=["name"])
    record("user.change_name", user, by=user, before=before, after=snapshot(user, ["name"]))
    return user
