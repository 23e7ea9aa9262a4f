from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AgreementsConfig(AppConfig):
    name = "agreements"
    verbose_name = _("agreements")

    def ready(self):
        from agreements import conversation, mediation, recounts, sweeps, wording, work  # noqa: F401
        from agreements.projects import wording as _project_wording  # noqa: F401
        from agreements.projects import work as _project_work  # noqa: F401
