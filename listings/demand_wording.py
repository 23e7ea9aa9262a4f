"""How the demand side's events and notifications read."""

from django.utils.translation import gettext_lazy as _

from messaging.wording import register

register("list.create", _("Demand list created"))
register("list.edit", _("Demand list changed"))
register("list.submit", _("Demand list %(reference)s awaits your review as second person"))
register("list.publish", _("Demand list %(reference)s is under public notice; objections until %(until)s"))
register("list.send_back", _("Demand list %(reference)s was sent back: %(reason)s"))
register("list.bring_into_force", _("Demand list %(reference)s is in force"))
register("list.close", _("Demand list %(reference)s is closed"))
register("list.add_lines", _("Lines added from a file"))
register("list.edit_lines", _("Lines changed together"))
register("list.delete_lines", _("Lines deleted from the draft"))
register("line.add", _("Line added"))
register("line.edit", _("Line changed"))
register("line.withdraw", _("Line withdrawn"))
register("line.mark_requested", _("A request for the line is under way"))
register("line.reopen", _("The line is open again"))
register("line.fulfil", _("The line is fulfilled by an agreement"))
register("objection.make", _("%(organisation)s objects to demand list %(reference)s"))
