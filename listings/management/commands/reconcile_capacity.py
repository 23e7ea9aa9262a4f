"""Counts what is taken of every pool anew and says where the count had drifted; the worker does it every night."""

from django.core.management.base import BaseCommand

from listings.actions.reconcile import reconcile


class Command(BaseCommand):
    help = "Recounts every pool from its reservations; exit code 1 where a count had drifted."

    def handle(self, *args, **options):
        found = reconcile()
        for one in found:
            what = "drift" if one.is_drift else "days have passed"
            state = "mended" if one.is_mended else "NOT mended: the sum exceeds the total"
            self.stdout.write(f"pool {one.pool_id}: said {one.taken}, sums to {one.peak} ({what}; {state})")
        drifted = sum(one.is_drift for one in found)
        self.stdout.write(f"{drifted} drifted, {len(found) - drifted} carried over the day")
        if drifted:
            raise SystemExit(1)
