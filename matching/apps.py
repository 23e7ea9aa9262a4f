from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MatchingConfig(AppConfig):
    name = "matching"
    verbose_name = _("matching")

    def ready(self):
        from . import sweeps  # noqa: F401  registers them
