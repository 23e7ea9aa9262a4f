"""Background work of agreements: writing the signed document."""

from django_tasks import task

from .models import Agreement


@task()
def write_pdf(agreement_id: int) -> None:
    """Writes an agreement's PDF. Doing it twice leaves the first."""
    from .documents import store_pdf  # WeasyPrint is large and slow to import: only where documents are written

    store_pdf(Agreement.objects.get(pk=agreement_id))
