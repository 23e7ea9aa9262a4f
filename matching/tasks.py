from django_tasks import task

from . import runner


@task()
def run_matching(run_id: int) -> None:
    """Carries a queued run out (worker)."""
    runner.execute(run_id)
