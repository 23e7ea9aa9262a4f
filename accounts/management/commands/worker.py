import argparse

from django.core.management.base import BaseCommand

from accounts.worker import POLL_SECONDS, Worker, run_tasks


class Command(BaseCommand):
    help = "Runs background tasks and sweeps until SIGTERM or Ctrl-C. Several may run side by side."

    def add_arguments(self, parser):
        parser.add_argument("--processes", type=int, default=1, help="task processes (default 1)")
        parser.add_argument("--poll", type=float, default=POLL_SECONDS, help="seconds between looks (default 1)")
        parser.add_argument("--tasks-only", action="store_true", help=argparse.SUPPRESS)  # the child process
        parser.add_argument("--name", default="", help=argparse.SUPPRESS)

    def handle(self, *args, **options):
        if options["tasks_only"]:
            run_tasks(options["name"], options["poll"])
        else:
            Worker(processes=max(1, options["processes"]), interval=options["poll"]).run()
