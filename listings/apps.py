from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ListingsConfig(AppConfig):
    name = "listings"
    verbose_name = _("listings")

    def ready(self):
        from listings import (  # noqa: F401
            demand_wording,
            demand_work,
            export_sweeps,
            import_sweeps,
            list_sweeps,
            looks,
            objection_talk,
            organisation_parts,
            resource_wording,
            resource_work,
            sweeps,
        )
