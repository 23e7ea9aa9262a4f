import datetime as dt

from django.core.management.base import BaseCommand, CommandError

from listings.synth import store


class Command(BaseCommand):
    help = (
        "Makes supply of national size up from a seed, around real places, for benchmarks. Refuses where other "
        "resources are stored, unless told --beside. --remove takes it all away again."
    )

    def add_arguments(self, parser):
        parser.add_argument("--resources", type=int, default=10_000, help="how many (10,000)")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument(
            "--day", type=dt.date.fromisoformat, default=dt.date(2026, 11, 1), help="what counts as today"
        )
        parser.add_argument("--beside", action="store_true", help="also where other resources are stored")
        parser.add_argument("--remove", action="store_true", help="take the made-up resources away")

    def handle(self, *args, resources, seed, day, beside, remove, **options):
        if remove:
            self.stdout.write(f"{store.remove(self.stdout.write)} made-up resources removed.")
            return
        if store.has_others() and not beside:
            raise CommandError("This database holds resources that were not made up. To add to them: --beside.")
        store.load(count=resources, seed=seed, day=day, say=self.stdout.write)
