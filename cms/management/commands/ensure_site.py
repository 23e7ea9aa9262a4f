from django.core.management.base import BaseCommand

from cms.site import ensure_site


class Command(BaseCommand):
    help = "Creates the portal's pages in Chinese and English where they are missing; changes nothing that is there."

    def handle(self, *args, **options):
        home = ensure_site()
        self.stdout.write(f"home page {home.pk} and its translations are in place")
