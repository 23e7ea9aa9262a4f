from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MessagingConfig(AppConfig):
    name = "messaging"
    verbose_name = _("messages")

    def ready(self):
        from accounts import wording as audit

        from . import receivers, sweeps  # noqa: F401 - they register themselves
        from .wording import register

        register("message.post", _("%(organisation)s wrote in “%(thread)s”."))
        register("message.mention", _("%(author)s (%(organisation)s) calls you by name in “%(thread)s”."))
        register("thread.join", _("%(organisation)s takes part from now on and reads the whole conversation"))
        register("thread.leave", _("%(organisation)s takes part no longer"))
        register("thread.ask_bureau", _("%(organisation)s asks you to join “%(thread)s”."))
        register("thread.asked_bureau", _("%(bureau)s was asked to join: %(reason)s"))
        audit.register("message.post", _("wrote a message"))
        audit.register("message.correct", _("changed a message"))
        audit.register("message.retract", _("took a message back"))
        audit.register("thread.open", _("opened a conversation"))
        audit.register("thread.close", _("closed a conversation"))
        audit.register("thread.reopen", _("opened a conversation again"))
        audit.register("thread.join", _("joined a conversation"))
        audit.register("thread.leave", _("left a conversation"))
        audit.register("thread.ask_bureau", _("asked the bureau to join a conversation"))
        audit.register("thread.export", _("had a conversation written as PDF"))
        audit.register("user.unsubscribe", _("unsubscribed from mails"))
        audit.register("organisation.choose_presence", _("chose whether presence is shown"))
