import random
import time

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection, transaction

from accounts.models import Organisation
from agreements.demo import cases, cast, demand, planned, records, supply

SEED = 20261122


class Command(BaseCommand):
    help = (
        "Loads the demonstration world once: real places out of packages, organisations and attributes made up "
        "from a seed. Does nothing where it is loaded already."
    )

    def add_arguments(self, parser):
        parser.add_argument("--logins", action="store_true", help="print the people one can sign in as, and stop")

    def handle(self, *args, logins, **options):
        if logins:
            self._print_logins()
            return
        call_command("load_regions")
        call_command("ensure_site")
        if Organisation.objects.filter(is_demo=True).exists():
            self.stdout.write("The demonstration world is loaded already.")
            return
        began = time.monotonic()
        with transaction.atomic():
            self._load()
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # the planner would guess for a minute, until PostgreSQL counts by itself
        self.stdout.write(f"Demonstration world loaded in {time.monotonic() - began:.0f} s.")

    def _load(self):
        rng = random.Random(SEED)
        self.stdout.write("Organisations and people …")
        players = cast.load()
        self.stdout.write("Resources …")
        count = supply.load(players, rng, self.stdout.write)
        self.stdout.write(f"  {count} resources")
        self.stdout.write("Duct bank, pole line, site, works …")
        records.load(players, self.stdout.write)
        self.stdout.write("Demand lists …")
        main = demand.load(players, rng, self.stdout.write)
        self.stdout.write("Matching …")
        demand.match(players, main, self.stdout.write)
        self.stdout.write("Requests, offers, an agreement …")
        cases.load(players, main, rng, self.stdout.write)
        self.stdout.write("Works built together …")
        planned.load(players, self.stdout.write)

    def _print_logins(self):
        self.stdout.write(f"Demonstration people, password {cast.PASSWORD}  ({settings.BASE_URL}/accounts/login/)")
        for first_name, what in cast.SHOWN_LOGINS.items():
            self.stdout.write(f"  {cast.address(first_name):38} {what}")
