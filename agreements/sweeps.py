"""Clocks of requests, and documents that a dead worker left unwritten."""

import datetime as dt

from django.utils import timezone

from accounts.jobs import every
from agreements.actions import expire_due, lapse_undecided, pass_due, serve_all, warn_due, warn_undecided
from agreements.models import Agreement, Project
from agreements.projects.actions import escalate_due
from agreements.tasks import write_build_check, write_pdf, write_project_pdf
from listings.models import BuildCheck

PDF_LATE = dt.timedelta(minutes=2)  # one takes about 2 s; after that long its task is taken for lost


@every(seconds=60)
def end_due_requests() -> int:
    """Moves on or ends requests whose clock has run out; gives how many."""
    return expire_due()


@every(seconds=60)
def lapse_joint_requests() -> int:
    """Withdraws all-or-nothing joint requests nobody decided on in time; gives how many."""
    return lapse_undecided()


@every(seconds=30)
def serve_queues() -> int:
    """Ends offers of queues that ran out and offers what is free to the next in line; gives how many offers."""
    pass_due()
    return serve_all()


@every(seconds=600)
def warn_of_clocks() -> int:
    """Warns who owes a step whose clock runs out soon; gives how many."""
    return warn_due() + warn_undecided()


@every(seconds=120)
def write_missing_pdfs() -> int:
    """Asks again for the PDF of agreements signed a while ago that have none; gives how many."""
    missing = Agreement.objects.without_pdf().filter(signed_at__lt=timezone.now() - PDF_LATE)
    ids = list(missing.order_by("pk").values_list("pk", flat=True)[:100])
    for pk in ids:
        write_pdf.enqueue(pk)
    return len(ids)


@every(seconds=120)
def write_missing_build_checks() -> int:
    """Asks again for certificates made a while ago that have no PDF; gives how many."""
    late = BuildCheck.objects.filter(pdf="", checked_at__lt=timezone.now() - PDF_LATE).order_by("pk")
    ids = list(late.values_list("pk", flat=True)[:100])
    for pk in ids:
        write_build_check.enqueue(pk)
    return len(ids)


@every(seconds=120)
def write_missing_project_pdfs() -> int:
    """Asks again for the PDF of works signed a while ago that have none; gives how many."""
    late = Project.objects.filter(pdf="", signed_at__lt=timezone.now() - PDF_LATE).order_by("pk")
    ids = list(late.values_list("pk", flat=True)[:100])
    for pk in ids:
        write_project_pdf.enqueue(pk)
    return len(ids)


@every(seconds=300)
def escalate_reservations() -> int:
    """Puts reservations whose bureau did not answer in time before the bureaus above; gives how many."""
    return escalate_due()
