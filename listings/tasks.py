"""What the worker does for listings."""

from django_tasks import task


@task()
def work_on_import(job_id: int) -> None:
    """Reads, checks or stores an import, whichever it waits for."""
    from listings.actions import imports

    imports.work(job_id)


@task()
def write_export(job_id: int) -> None:
    """Writes a file out; a second run of the same finds nothing to do."""
    from listings.actions import exports

    exports.write(job_id)


@task()
def work_on_bulk(job_id: int) -> None:
    """Looks over, does or takes back an act on many resources, whichever it waits for."""
    from listings.actions import bulk

    bulk.work(job_id)
