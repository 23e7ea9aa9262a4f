"""What people choose about being told, and organisations about being seen."""

from collections.abc import Iterable, Mapping

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.errors import NotPermitted
from accounts.events import record
from accounts.models import Membership, User
from accounts.models.organisations import Role
from messaging.kinds import KINDS
from messaging.models import MailChoice, NoticeChoice, PresenceChoice, Thread, ThreadChoice
from messaging.models.notices import Mail


@transaction.atomic
def choose_mail(
    *, by: User, kinds: Mapping[str, str] | None = None, hours: MailChoice | None = None,
    thread: Thread | None = None, thread_mail: str = "",
) -> None:  # fmt: skip
    """A person's choices: by kind, quiet hours and digest hour, for one conversation ("" for as usual).

    Raises ValidationError for what is no choice.
    """
    for kind, mail in (kinds or {}).items():
        if kind not in KINDS or mail not in Mail.values:
            raise ValidationError(_("There is no such choice."))
        NoticeChoice.objects.update_or_create(user=by, kind=kind, defaults={"mail": mail})
    if hours is not None:
        hours.user = by
        hours.full_clean(validate_unique=False)
        MailChoice.objects.update_or_create(
            user=by,
            defaults={
                "quiet_from": hours.quiet_from, "quiet_until": hours.quiet_until, "digest_at": hours.digest_at,
            },
        )  # fmt: skip
    if thread is not None:
        if thread_mail and thread_mail not in Mail.values:
            raise ValidationError(_("There is no such choice."))
        if thread_mail:
            ThreadChoice.objects.update_or_create(user=by, thread=thread, defaults={"mail": thread_mail})
        else:
            ThreadChoice.objects.filter(user=by, thread=thread).delete()


@transaction.atomic
def unsubscribe(*, user: User, kinds: Iterable[str]) -> None:
    """No more mail of these kinds; in the portal the person is still told."""
    kinds = [kind for kind in kinds if kind in KINDS]
    choose_mail(by=user, kinds=dict.fromkeys(kinds, Mail.NONE.value))
    record("user.unsubscribe", user, by=user, after={"kinds": kinds})


@transaction.atomic
def choose_presence(*, by: User, membership: Membership, is_shown: bool) -> None:
    """Whether others see that somebody of the organisation has a conversation open. Its administrators decide."""
    from .threads import rights_changed

    if not membership or not membership.has_role(Role.ADMIN):
        raise NotPermitted(_("Only an administrator of the organisation decides whether it is shown as present."))
    organisation = membership.organisation
    PresenceChoice.objects.update_or_create(organisation=organisation, defaults={"is_shown": is_shown})
    record("organisation.choose_presence", organisation, by=by, organisation=organisation, after={"is_shown": is_shown})
    members = Membership.objects.active().filter(organisation=organisation).order_by("user_id")
    for user_id in members.values_list("user_id", flat=True):
        rights_changed(user_id=user_id)
