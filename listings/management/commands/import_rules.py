"""Prints every rule of file imports into docs/import-rules.md."""

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.translation import override

from listings.imports.rulebook import as_markdown


class Command(BaseCommand):
    help = "Writes docs/import-rules.md from the code that holds the rules (--check: only says whether it is current)."

    def add_arguments(self, parser):
        parser.add_argument("--check", action="store_true")

    def handle(self, *args, **options):
        path = settings.BASE_DIR / "docs" / "import-rules.md"
        with override("en"):
            text = as_markdown()
        if options["check"]:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                raise SystemExit("docs/import-rules.md is not current: run manage.py import_rules")
            return
        path.write_text(text, encoding="utf-8")
        self.stdout.write(f"wrote {path}")
