"""Mails to people, in both languages: nobody's language is known for sure, and colleagues forward them.

A mail is templates/accounts/mail/<name>.txt; its first line is the subject.
"""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation

LANGUAGES = ("zh-hans", "en")


def send_on_commit(name: str, *, to: Iterable[str], **context: Any) -> None:
    """Renders the mail now and sends it to each address by itself once the transaction is committed.

    A server that does not take the mail is logged and undoes nothing.
    """
    addresses = sorted(set(to))
    if not addresses:
        return
    subject, body = render(name, context)
    for address in addresses:
        message = EmailMessage(subject, body, to=[address])
        transaction.on_commit(message.send, robust=True)


def render(name: str, context: dict[str, Any]) -> tuple[str, str]:
    """(subject, body), Chinese first, English below."""
    subjects, bodies = [], []
    for language in LANGUAGES:
        with translation.override(language):
            text = render_to_string(f"accounts/mail/{name}.txt", {"base_url": settings.BASE_URL, **context})
        subject, _, body = text.strip().partition("\n")
        subjects.append(" ".join(subject.split()))
        bodies.append(body.strip())
    return " / ".join(subjects), "\n\n— — —\n\n".join(bodies) + "\n"
