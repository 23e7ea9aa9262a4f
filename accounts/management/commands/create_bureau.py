from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts.actions.organisations import create_bureau
from accounts.errors import Refused
from accounts.models import Region
from accounts.models.organisations import Sector


class Command(BaseCommand):
    help = (
        "Sets a bureau up with its first administrator. Nobody declares a bureau in the browser. Example: "
        "manage.py create_bureau --name-zh 广东省通信管理局 --name-en 'Guangdong Communications Administration' "
        "--uscc 11440000MB2C926464 --region 440000 --admin-email head@example.org"
    )

    def add_arguments(self, parser):
        parser.add_argument("--name-zh", required=True)
        parser.add_argument("--name-en", default="")
        parser.add_argument("--uscc", required=True, help="unified social credit code, 18 characters")
        parser.add_argument("--region", required=True, help="division code of the jurisdiction, e.g. 440000")
        parser.add_argument("--admin-email", required=True, help="who administers it; made if not here yet")
        parser.add_argument("--sector", default=Sector.TELECOM.value, choices=Sector.values)

    def handle(self, *args, **options):
        region = Region.objects.defer("polygon").filter(code=options["region"]).first()
        if region is None:
            raise CommandError(f"No region {options['region']}. Run manage.py load_regions first, or mend the code.")
        names = ("name_zh", "name_en", "uscc", "sector", "admin_email")
        try:
            bureau, user, is_new = create_bureau(region=region, **{name: options[name] for name in names})
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except Refused as error:
            raise CommandError(str(error.message)) from error
        self.stdout.write(f"{bureau.name_zh} ({region.name_zh}) is set up; {user.email} administers it.")
        if is_new:
            self.stdout.write("The person is new: a mail tells how to set a password (“forgot password”).")
