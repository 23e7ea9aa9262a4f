from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("accounts")

    def ready(self):
        from accounts import own_work, recounts, sweeps  # noqa: F401 - they register themselves
