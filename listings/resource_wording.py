"""How the supply side's events and notifications read."""

from django.utils.translation import gettext_lazy as _

from accounts.wording import register as register_verb
from messaging.wording import register

register_verb("resource.create", _("entered the resource"))
register_verb("resource.update", _("changed the resource"))
register_verb("resource.publish", _("published the resource"))
register_verb("resource.suspend", _("suspended the resource"))
register_verb("resource.resume", _("published the resource again"))
register_verb("resource.retire", _("retired the resource"))
register_verb("resource.delete", _("deleted the draft"))
register_verb("reservation.hold", _("held units"))
register_verb("reservation.confirm", _("confirmed units by signature"))
register_verb("reservation.release", _("released units"))
register_verb("reservation.expire", _("let a hold expire"))
register_verb("photo.add", _("added a photo"))
register_verb("photo.delete", _("took a photo away"))
register_verb("import.upload", _("uploaded a file to import"))
register_verb("import.confirm", _("confirmed an import"))
register_verb("import.store", _("stored the rows of an import"))
register_verb("import.cancel", _("cancelled an import"))
register_verb("import.undo", _("took an import back"))
register_verb("document.add", _("attached a document"))
register_verb("document.delete", _("took a document away"))
register_verb("site.create", _("made a site of several resources"))
register_verb("site.update", _("changed the site"))
register_verb("site.dissolve", _("dissolved the site"))
register_verb("grant.ask", _("asked for an exact place"))
register_verb("grant.give", _("granted an exact place"))
register_verb("grant.refuse", _("refused an exact place"))
register_verb("grant.end", _("ended a grant of an exact place"))
register_verb("export.write", _("took resources out as a file"))
register_verb("export.cancel", _("stopped a file or took it away"))
register_verb("resource.publish_undone", _("took the publication back"))
register_verb("bulk.confirm", _("confirmed a change of many resources"))
register_verb("bulk.finish", _("changed many resources"))
register_verb("bulk.undo", _("took a change of many resources back"))

register("grant.ask", _("%(organisation)s asks for the exact place of %(resource)s."))
register("grant.give", _("%(owner)s shows you the exact place of %(resource)s."))
register("grant.refuse", _("%(owner)s does not show the exact place of %(resource)s: %(reason)s"))
