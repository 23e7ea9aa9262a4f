import time

from django.core.management.base import BaseCommand

from accounts.actions.regions import load_regions
from accounts.models import Region
from accounts.region_sources import CODES_FOLDER


class Command(BaseCommand):
    help = "Loads the GB/T 2260 regions with their polygons from the installed packages. Safe to run again."

    def add_arguments(self, parser):
        parser.add_argument("--if-empty", action="store_true", help="do nothing where regions are loaded already")

    def handle(self, *args, **options):
        if options["if_empty"] and Region.objects.filter(level=Region.Level.COUNTY).exists():
            return
        started = time.monotonic()
        if not CODES_FOLDER.is_dir():
            self.stderr.write(f"{CODES_FOLDER} is not there (npm ci): codes without a polygon are left out.")
        loaded = load_regions()
        self.stdout.write(
            f"{loaded.total} regions, {loaded.written} written, {loaded.without_polygon} without polygon, "
            f"{time.monotonic() - started:.1f} s"
        )
