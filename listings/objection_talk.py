"""The conversation of an objection: who objects and the list's bureau."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from messaging.actions import close, open_thread, tell, thread_about
from messaging.subjects import Subject, register

from .models import Objection


class ObjectionSubject(Subject):
    kind = _("Objection")

    def url(self, subject: models.Model) -> str:
        return ""  # the objection stands in the conversation itself


register(Objection, ObjectionSubject())


def open_talk(objection: Objection, by: User) -> None:
    """Opens the conversation; the objection is its first entry. Inside the transaction of the objection."""
    row = objection.demand_list
    thread = open_thread(
        subject=objection,
        title=f"{row.reference} · {objection.organisation.name_zh}",
        organisations=[objection.organisation, row.bureau],
    )
    tell(
        thread=thread,
        code="objection.told",
        by=by,
        organisation=objection.organisation,
        payload={"reference": row.reference, "line": objection.line.number if objection.line else "–",
                 "text": objection.text},
    )  # fmt: skip


def close_talk(objection: Objection, by: User) -> None:
    """The decision ends the conversation; it stays readable."""
    thread = thread_about(objection)
    if thread is None:  # made before objections had one
        return
    tell(
        thread=thread, code="objection.answered", by=by, organisation=objection.demand_list.bureau,
        payload={"outcome": objection.get_outcome_display(), "reason": objection.decision},
    )  # fmt: skip
    close(thread=thread)
