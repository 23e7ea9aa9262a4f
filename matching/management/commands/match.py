from django.core.management.base import BaseCommand, CommandError

from accounts.errors import Refused
from accounts.models import Membership
from accounts.models.organisations import Role
from listings.models import DemandList
from matching import actions, runner


class Command(BaseCommand):
    help = "Matches a demand list against published supply, in this process, and prints the figures."

    def add_arguments(self, parser):
        parser.add_argument("reference", help="the list's reference, as in its address")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--radius", type=float, help="metres, for lines that name no tolerance")

    def handle(self, *args, reference, seed, radius, **options):
        demand_list = DemandList.objects.select_related("bureau").filter(reference=reference).first()
        if demand_list is None:
            raise CommandError(f"There is no list with the reference {reference!r}.")
        curator = (
            Membership.objects.active()
            .filter(organisation=demand_list.bureau)
            .with_role(Role.CURATOR, Role.PUBLISHER, Role.ADMIN)
            .select_related("user", "organisation__region")
            .order_by("pk")
            .first()
        )
        try:
            run = actions.start(demand_list=demand_list, by=None, membership=curator, seed=seed, radius_m=radius)
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        runner.execute(run.pk)
        run.refresh_from_db()
        self.stdout.write(f"run #{run.number} of {reference}: {run.get_state_display()}")
        for name, value in run.figures.items():
            self.stdout.write(f"  {name}: {value}")
        if run.state != run.State.DONE:
            raise CommandError(run.failure or "The run did not finish.")
