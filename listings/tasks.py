"""What the worker does for listings."""

from django_tasks import task


@task()
def work_on_import(job_id: int) -> None:
    """Reads, checks or stores an import, whichever it waits for."""
    from listings.actions import imports

    imports.work(job_id)
