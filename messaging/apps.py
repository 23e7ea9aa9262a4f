from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MessagingConfig(AppConfig):
    name = "messaging"
    verbose_name = _("messages")

    def ready(self):
        from .wording import register

        register("message.post", _("%(organisation)s wrote in “%(thread)s”."))
