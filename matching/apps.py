from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MatchingConfig(AppConfig):
    name = "matching"
    verbose_name = _("matching")

    def ready(self):
        from accounts import wording as audit
        from messaging.wording import register

        from . import sweeps, talk  # noqa: F401  register them

        audit.register("run.start", _("started a match run"))
        audit.register("run.cancel", _("stopped a match run"))
        audit.register("proposal.send", _("sent a co-build proposal to its parties"))
        register("proposal.send", _("Co-build proposal %(number)s for list %(list)s is open to you."))
        register(
            "proposal.opened",
            _("Proposal %(number)s for list %(list)s: those who could build it together talk about it here."),
        )
        register("supply.would_serve", _("Newly published supply would serve %(count)s of your lines."))
        register("supply.wanted", _("What you published would serve %(count)s lines on public demand lists."))
        audit.register("run.finish", _("a match run ended with its results"))
