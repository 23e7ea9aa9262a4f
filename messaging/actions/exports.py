"""A thread as a PDF for the file."""

from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.errors import NotPermitted, Refused
from accounts.events import record
from accounts.models import Membership, User
from messaging.models import Thread, ThreadExport
from messaging.permissions import may_read


@transaction.atomic
def ask_export(*, thread: Thread, by: User, membership: Membership) -> ThreadExport:
    """Has the thread written as a PDF up to its last message, in the asker's language; the worker writes it.

    One that was asked for and holds the same messages is given again.
    """
    from messaging.tasks import write_thread_pdf

    if not may_read(membership, thread):
        raise NotPermitted(_("You do not take part in this conversation."))
    last_number = Thread.objects.values_list("last_number", flat=True).get(pk=thread.pk)
    if not last_number:
        raise Refused(_("Nothing has been said yet: there is nothing to write."), code="empty")
    language = "en" if (get_language() or "").startswith("en") else "zh-hans"
    made = ThreadExport.objects.filter(
        thread=thread, organisation=membership.organisation, up_to_number=last_number, language=language
    ).exclude(state=ThreadExport.State.FAILED)
    if export := made.first():
        return export
    export = ThreadExport(
        thread=thread, organisation=membership.organisation, asked_by=by, language=language,
        up_to_number=last_number,
    )  # fmt: skip
    export.full_clean()
    export.save(force_insert=True)
    record("thread.export", thread, by=by, organisation=membership.organisation, after={"up_to": last_number})
    write_thread_pdf.enqueue(export.pk)
    return export
