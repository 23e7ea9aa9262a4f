"""The post office: decides for each notification whether, when and with what it is mailed, and sends the letters.

A letter is written when it is sent: what was read meanwhile, or may no longer be seen, is left out. No word of a
message, no place and no price goes into a mail. A server that does not take it is tried again with growing pauses.
"""

import datetime as dt
import logging
import random
from collections import defaultdict

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from accounts.mail import LANGUAGES
from accounts.models import Membership, User

from .kinds import KINDS, kind_of
from .models import Letter, MailChoice, NoticeChoice, Notification, Thread, ThreadChoice
from .models.notices import Mail
from .wording import words

log = logging.getLogger(__name__)

SALT = "messaging.unsubscribe"
GRACE = dt.timedelta(seconds=30)  # what is read within it in the portal is not mailed
PAUSES_MINUTES = (1, 5, 15, 60, 180, 360, 720)  # then the letter is given up
IN_ONE_LETTER = 50
# What of a payload may stand in a mail: names of organisations, people, cases and lists, the name the reader gave a
# saved search, and counts. Other free text may hold anything.
MAILABLE = (
    "organisation", "author", "owner", "bureau", "thread", "request", "reference", "resource", "until", "search",
    "finds",
)  # fmt: skip
_SUBJECT = _("Something new for you")
_DIGEST_SUBJECT = _("Your daily summary")


# --- Deciding -----------------------------------------------------------------------------------


@transaction.atomic
def decide(*, now: dt.datetime | None = None, batch: int = 500) -> int:
    """Puts notifications nobody has looked at into letters, as their readers chose; gives how many it looked at."""
    now = now or timezone.now()
    open_ones = Notification.objects.filter(is_mail_decided=False, created_at__lt=now - GRACE)
    rows = list(open_ones.select_for_update(skip_locked=True).order_by("pk")[:batch])
    if not rows:
        return 0
    users = {row.user_id for row in rows}
    choices = {
        (choice.user_id, choice.kind): choice.mail
        for choice in NoticeChoice.objects.filter(user__in=users).order_by("pk")
    }
    by_thread = {
        (choice.user_id, choice.thread_id): choice.mail
        for choice in ThreadChoice.objects.filter(user__in=users).order_by("pk")
    }
    hours = {choice.user_id: choice for choice in MailChoice.objects.filter(user__in=users).order_by("pk")}
    wanted: dict[tuple[int, str], list[int]] = defaultdict(list)
    for row in rows:
        kind = kind_of(row.code)
        mail = by_thread.get((row.user_id, row.thread_id or 0)) or choices.get((row.user_id, kind)) or KINDS[kind][1]
        if mail != Mail.NONE and row.read_at is None:
            wanted[row.user_id, mail].append(row.pk)
    for (user_id, mail), ids in wanted.items():
        letter = _letter(user_id, is_digest=mail == Mail.DIGEST, hours=hours.get(user_id), now=now)
        Notification.objects.filter(pk__in=ids).update(letter=letter)
    Notification.objects.filter(pk__in=[row.pk for row in rows]).update(is_mail_decided=True)
    return len(rows)


def _letter(user_id: int, *, is_digest: bool, hours: MailChoice | None, now: dt.datetime) -> Letter:
    """The person's letter that still waits for its first attempt, or a new one."""
    waiting = Letter.objects.filter(user=user_id, is_digest=is_digest, state=Letter.State.WAITING, tries=0)
    hours = hours or MailChoice()
    due_at = next_digest(hours, now) if is_digest else after_quiet(hours, now)
    return waiting.first() or Letter.objects.create(user_id=user_id, is_digest=is_digest, due_at=due_at)


def next_digest(hours: MailChoice, now: dt.datetime) -> dt.datetime:
    """The next time the digest goes out, in the site's time zone."""
    local = timezone.localtime(now)
    at = local.replace(hour=hours.digest_at.hour, minute=hours.digest_at.minute, second=0, microsecond=0)
    return at if at > local else at + dt.timedelta(days=1)


def after_quiet(hours: MailChoice, now: dt.datetime) -> dt.datetime:
    """Now, or the end of the quiet hours if they run (they may go over midnight)."""
    if hours.quiet_from is None or hours.quiet_until is None or hours.quiet_from == hours.quiet_until:
        return now
    local = timezone.localtime(now)
    at, begins, ends = local.time(), hours.quiet_from, hours.quiet_until
    is_quiet = begins <= at < ends if begins < ends else at >= begins or at < ends
    if not is_quiet:
        return now
    end = local.replace(hour=ends.hour, minute=ends.minute, second=0, microsecond=0)
    return end if end > local else end + dt.timedelta(days=1)


# --- Sending ------------------------------------------------------------------------------------


def send_due(*, now: dt.datetime | None = None, limit: int = 50) -> int:
    """Sends the letters that are due, each in a transaction of its own; gives how many were handled."""
    handled = 0
    while handled < limit and _send_one(now or timezone.now()):
        handled += 1
    return handled


@transaction.atomic
def _send_one(now: dt.datetime) -> bool:
    due = Letter.objects.filter(state=Letter.State.WAITING, due_at__lte=now).order_by("due_at", "pk")
    letter = due.select_for_update(skip_locked=True, of=("self",)).select_related("user").first()
    if letter is None:
        return False
    rows = readable(letter)
    if not rows:
        _end(letter, Letter.State.DROPPED, now)
        return True
    try:
        write(letter, rows).send()
    except Exception as error:  # the mail server's own words, whatever it raises
        _try_later(letter, f"{type(error).__name__}: {error}", now)
    else:
        _end(letter, Letter.State.SENT, now)
    return True


def _end(letter: Letter, state: str, now: dt.datetime) -> None:
    letter.state, letter.ended_at, letter.tries = state, now, letter.tries + 1
    letter.save(update_fields=["state", "ended_at", "tries"])


def _try_later(letter: Letter, error: str, now: dt.datetime) -> None:
    letter.last_error = error[:300]
    if letter.tries >= len(PAUSES_MINUTES):
        log.error("letter %s to %s is given up: %s", letter.pk, letter.user_id, error)
        letter.save(update_fields=["last_error"])
        _end(letter, Letter.State.DEAD, now)
        return
    minutes = PAUSES_MINUTES[letter.tries] * random.uniform(0.9, 1.2)
    letter.tries, letter.due_at = letter.tries + 1, now + dt.timedelta(minutes=minutes)
    letter.save(update_fields=["last_error", "tries", "due_at"])
    log.warning("letter %s was not taken (try %s): %s", letter.pk, letter.tries, error)


def retry(letter: Letter) -> None:
    """A letter that was given up is tried again from the beginning."""
    Letter.objects.filter(pk=letter.pk, state=Letter.State.DEAD).update(
        state=Letter.State.WAITING, ended_at=None, tries=1, due_at=timezone.now()
    )


def readable(letter: Letter) -> list[Notification]:
    """The letter's notifications still unread, whose reader is active and still takes part. A few queries."""
    rows = list(letter.notifications.filter(read_at=None).order_by("pk")[:IN_ONE_LETTER])
    if not rows or not letter.user.is_active:
        return []
    memberships = list(Membership.objects.active().filter(user=letter.user).order_by("pk"))
    organisations = {membership.organisation_id for membership in memberships}
    threads: set[int] = set()
    for membership in memberships:
        named = Thread.objects.readable_by(membership).filter(pk__in=[row.thread_id for row in rows if row.thread_id])
        threads |= set(named.values_list("pk", flat=True))
    return [
        row
        for row in rows
        if (row.organisation_id is None or row.organisation_id in organisations)
        and (row.thread_id is None or row.thread_id in threads)
    ]


def write(letter: Letter, rows: list[Notification]) -> EmailMessage:
    """The mail, Chinese first and English below, with the way out in its headers (RFC 2369, RFC 8058)."""
    kinds = sorted({kind_of(row.code) for row in rows})
    link = settings.BASE_URL + neutral("notification_unsubscribe") + f"?token={unsubscribe_token(letter.user, kinds)}"
    subjects, bodies = [], []
    for language in LANGUAGES:
        with translation.override(language):
            subjects.append(str(_DIGEST_SUBJECT if letter.is_digest else _SUBJECT))
            lines = [
                {
                    "text": words(row.code, {key: row.payload[key] for key in MAILABLE if key in row.payload}),
                    "url": f"{settings.BASE_URL}{'/en' if language == 'en' else ''}{row.url}",
                }
                for row in rows
            ]
            context = {"lines": lines, "is_digest": letter.is_digest, "unsubscribe_url": link,
                       "settings_url": settings.BASE_URL + reverse("notification_settings")}  # fmt: skip
            bodies.append(render_to_string("messaging/mail/letter.txt", context).strip())
    headers = {
        "List-Unsubscribe": f"<{link}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Auto-Submitted": "auto-generated",
        # The same at every attempt, so that a receiver can tell a second copy.
        "Message-ID": f"<letter-{letter.pk}@{settings.BASE_URL.split('//')[-1].split(':')[0].split('/')[0]}>",
    }
    subject = f"{settings.ACCOUNT_EMAIL_SUBJECT_PREFIX}{' / '.join(subjects)}"
    return EmailMessage(subject, "\n\n— — —\n\n".join(bodies) + "\n", to=[letter.user.email], headers=headers)


def neutral(name: str) -> str:
    """A page's address without language prefix."""
    with translation.override(settings.LANGUAGE_CODE):
        return reverse(name)


def unsubscribe_token(user: User, kinds: list[str]) -> str:
    """Names the person and the kinds, signed; works without signing in, for nothing else."""
    return signing.dumps({"user": user.pk, "kinds": kinds}, salt=SALT)


def read_token(token: str) -> tuple[User, list[str]] | None:
    """The person and the kinds a link is for; None where it was not made by us."""
    try:
        values = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        return None
    user = User.objects.filter(pk=values["user"]).first()
    return (user, [kind for kind in values["kinds"] if kind in KINDS]) if user else None


def given_up():
    """Letters for an operator to look at: given up, or tried and failed so far."""
    return Letter.objects.filter(Q(state=Letter.State.DEAD) | Q(state=Letter.State.WAITING, tries__gt=0))
