from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MatchingConfig(AppConfig):
    name = "matching"
    verbose_name = _("matching")

    def ready(self):
        from accounts import wording as audit

        from . import sweeps  # noqa: F401  registers them

        audit.register("run.start", _("started a match run"))
        audit.register("run.cancel", _("stopped a match run"))
        audit.register("run.finish", _("a match run ended with its results"))
