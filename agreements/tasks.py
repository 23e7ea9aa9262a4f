"""Background work of agreements: writing the signed document."""

from django_tasks import task

from listings.models import BuildCheck

from .models import Agreement


@task()
def write_pdf(agreement_id: int) -> None:
    """Writes an agreement's PDF. Doing it twice leaves the first."""
    from .documents import store_pdf  # WeasyPrint is large and slow to import: only where documents are written

    store_pdf(Agreement.objects.get(pk=agreement_id))


@task()
def write_build_check(check_id: int) -> None:
    """Writes the PDF of a duplicate-build check. Doing it twice leaves the first."""
    from .build_check_documents import store_pdf

    store_pdf(BuildCheck.objects.get(pk=check_id))


@task()
def write_project_pdf(project_id: int) -> None:
    """Writes the signed agreement of works built together. Doing it twice leaves the first."""
    from .projects.documents import store_pdf

    store_pdf(project_id)
