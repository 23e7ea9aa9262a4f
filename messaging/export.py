"""A thread as a PDF/UA, A4: everything said, edits and retractions with their history, files by name and SHA-256."""

import hashlib
import io
import logging

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import override

from . import presenters
from .models import ThreadExport

log = logging.getLogger(__name__)


def render(export: ThreadExport) -> bytes:
    """The PDF of the messages 1 … up_to_number. Nothing is opened but what stands in the document itself."""
    from weasyprint import CSS, HTML
    from weasyprint.urls import URLFetcher

    thread = export.thread
    with override(export.language):
        html = render_to_string(
            "messaging/thread_pdf.html",
            {
                "thread": thread,
                "export": export,
                "items": presenters.whole_thread(thread, export.up_to_number),
                "parties": thread.parties.select_related("organisation").order_by("joined_at", "pk"),
                "written_at": timezone.localtime(),
                "language": "en" if export.language == "en" else "zh-Hans",
            },
        )
    sheet = CSS(filename=str(settings.BASE_DIR / "assets" / "css" / "thread-pdf.css"))
    buffer = io.BytesIO()
    fetcher = URLFetcher(allowed_protocols=["data"], fail_on_errors=True)
    HTML(string=html, url_fetcher=fetcher).write_pdf(
        buffer, stylesheets=[sheet], pdf_variant="pdf/ua-1", full_fonts=False
    )
    return buffer.getvalue()


def write(export: ThreadExport) -> bool:
    """Writes and stores the document once; whether it was written now."""
    if export.state == ThreadExport.State.DONE:
        return False
    try:
        content = render(export)
    except Exception:
        log.exception("export %s could not be written", export.pk)
        ThreadExport.objects.filter(pk=export.pk, state=ThreadExport.State.WAITING).update(
            state=ThreadExport.State.FAILED, finished_at=timezone.now()
        )
        raise
    with transaction.atomic():
        fresh = ThreadExport.objects.select_for_update(no_key=True).get(pk=export.pk)
        if fresh.state == ThreadExport.State.DONE:
            return False
        fresh.file.save(f"thread-{fresh.thread_id}-{fresh.pk}.pdf", ContentFile(content), save=False)
        fresh.sha256 = hashlib.sha256(content).hexdigest()
        fresh.state, fresh.finished_at = ThreadExport.State.DONE, timezone.now()
        fresh.save(update_fields=["file", "sha256", "state", "finished_at"])
    return True
