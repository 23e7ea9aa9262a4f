"""Background work of messaging: writing a thread's PDF."""

from django_tasks import task

from .models import ThreadExport


@task()
def write_thread_pdf(export_id: int) -> None:
    """Writes an export. Doing it twice leaves the first."""
    from .export import write  # WeasyPrint is large and slow to import: only where documents are written

    write(ThreadExport.objects.get(pk=export_id))
