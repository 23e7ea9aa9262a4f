"""What the worker does for this room: rings and tells again and again, mails, forgets, takes up lost exports."""

import datetime as dt

from django.utils import timezone

from accounts.jobs import every, steadily

from . import mailing, relay
from .models import ThreadExport
from .tasks import write_thread_pdf


@steadily(seconds=0.5)
def work_off_outbox() -> int:
    """See messaging.relay."""
    return relay.relay_once()


@steadily(seconds=5)
def post_letters() -> int:
    """See messaging.mailing."""
    return mailing.decide() + mailing.send_due()


@every(seconds=60)
def forget_done_entries() -> int:
    return relay.forget_done()


@every(seconds=120)
def take_up_lost_exports() -> int:
    """Exports whose worker died are asked for again; writing one twice leaves the first."""
    lost = ThreadExport.objects.filter(
        state=ThreadExport.State.WAITING, created_at__lt=timezone.now() - dt.timedelta(minutes=10)
    )
    ids = list(lost.order_by("pk").values_list("pk", flat=True)[:20])
    for export_id in ids:
        write_thread_pdf.enqueue(export_id)
    return len(ids)
