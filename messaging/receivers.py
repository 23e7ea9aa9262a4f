"""When somebody's rights change, open sockets are asked again: membership, roles, password, sign-out."""

from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver

from accounts.models import Membership, User

from .actions.threads import rights_changed

HARMLESS = {"last_login", "name"}  # fields of a person that change nobody's rights


@receiver(post_save, sender=Membership)
def on_membership_saved(sender, instance, created, raw, **kwargs):
    """Whoever writes: the actions behind accounts.signals, commands, the CMS, the shell."""
    if not created and not raw:
        with transaction.atomic():
            rights_changed(user_id=instance.user_id)


@receiver(post_save, sender=User)
def on_person_saved(sender, instance, created, raw, update_fields, **kwargs):
    """A new password, or a person switched off. allauth and the CMS both save the row."""
    if created or raw or (update_fields is not None and set(update_fields) <= HARMLESS):
        return
    with transaction.atomic():
        rights_changed(user_id=instance.pk)


@receiver(user_logged_out)
def on_sign_out(sender, user, **kwargs):
    """Told before the session is gone: hubs ask a second time shortly after."""
    if user is not None:
        with transaction.atomic():
            rights_changed(user_id=user.pk)
