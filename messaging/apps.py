from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MessagingConfig(AppConfig):
    name = "messaging"
    verbose_name = _("messages")

    def ready(self):
        from accounts import wording as audit

        from .wording import register

        register("message.post", _("%(organisation)s wrote in “%(thread)s”."))
        audit.register("message.post", _("wrote a message"))
        audit.register("thread.open", _("opened a conversation"))
        audit.register("thread.close", _("closed a conversation"))
        audit.register("thread.reopen", _("opened a conversation again"))
