"""How the demand side's audit events and notifications read."""

from django.utils.translation import gettext_lazy as _

from accounts.wording import register as register_verb
from messaging.wording import register

register_verb("list.create", _("made the demand list"))
register_verb("list.edit", _("changed the head of the list"))
register_verb("list.submit", _("submitted the list for review"))
register_verb("list.publish", _("published the list: the notice began"))
register_verb("list.send_back", _("sent the list back"))
register_verb("list.bring_into_force", _("the list came into force"))
register_verb("list.close", _("closed the list"))
register_verb("list.add_lines", _("added lines from a file"))
register_verb("list.edit_lines", _("changed lines together"))
register_verb("list.delete_lines", _("deleted lines of the draft"))
register_verb("line.add", _("added the line"))
register_verb("line.edit", _("changed the line"))
register_verb("line.withdraw", _("withdrew the line"))
register_verb("line.mark_requested", _("a request for the line was made"))
register_verb("line.reopen", _("the line is open again"))
register_verb("line.fulfil", _("an agreement fulfilled the line"))
register_verb("objection.make", _("objected to the list"))

register("list.submit", _("Demand list %(reference)s awaits your review as second person."))
register("list.publish", _("Demand list %(reference)s is under public notice; objections until %(until)s."))
register("list.send_back", _("Demand list %(reference)s was sent back: %(reason)s"))
register("list.bring_into_force", _("Demand list %(reference)s is in force."))
register("list.close", _("Demand list %(reference)s is closed."))
register("objection.make", _("%(organisation)s objects to demand list %(reference)s."))
