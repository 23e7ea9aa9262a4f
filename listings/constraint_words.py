"""The sentence that belongs to the constraint or rule of the database which refused. Pure."""

from django.db import IntegrityError, models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from listings.kinds.registry import SPECS
from listings.models import Bore, CapacityPool, Carriage, Chamber, DuctChamber, Resource, ResourceDocument, Site

TABLES: tuple[type[models.Model], ...] = (
    Resource, CapacityPool, Bore, Chamber, DuctChamber, Carriage, ResourceDocument, Site,
    *(spec.model for spec in SPECS.values()),
)  # fmt: skip

# Rules that no model can word: unique codes without a sentence of their own, and the triggers of migration 0007.
WORDS = {
    "resource_owner_code_once": gettext_lazy("You have a resource with this code already."),
    "pool_unit_fits_kind": gettext_lazy("This kind has no capacity in this unit."),
    "platform_within_tower": gettext_lazy("A platform lies above the top of the tower."),
    "platform_spacing": gettext_lazy(
        "Platforms stand more than 5 m apart; YD 5191-2009 asks for at most 5 m: choose why, or add one between."
    ),
    "room_both_units": gettext_lazy("A room says both its rack units and its power (kW)."),
    "room_units_fit_racks": gettext_lazy("There are more rack units than the racks hold: racks × U per rack."),
    "bore_of_duct": gettext_lazy("Only a duct has bores."),
    "bore_on_face": gettext_lazy("A bore lies outside the rows and columns of the face."),
    "bore_blocked_within_length": gettext_lazy("“Blocked at” lies beyond the end of the duct."),
    "bore_fits_parent": gettext_lazy("A sub-duct is not narrower than the bore it lies in."),
    "bore_depth": gettext_lazy("Sub-ducts go three deep at most: bore, sub-duct, micro-duct."),
    "chamber_of_owners_duct": gettext_lazy("A chamber stands on a duct of the same owner."),
    "chamber_within_length": gettext_lazy("A chamber lies beyond the end of the duct."),
    "carriage_kinds": gettext_lazy("A cable lies in a duct or hangs on a pole or tower."),
    "carriage_bore_of_carrier": gettext_lazy("The bore belongs to another duct."),
    "site_of_owner": gettext_lazy("A site holds resources of one owner."),
    "resource_missing_has_reason": gettext_lazy("A missing value is unknown, not filled in yet, or withheld."),
    "resource_provenance_holds": gettext_lazy("A fact's own source has a text or a day."),
}


def sentence_of(failure: IntegrityError) -> str:
    """What to say of a refusal by the database; names the constraint where nothing better is known."""
    name = getattr(getattr(failure.__cause__, "diag", None), "constraint_name", "") or ""
    if name in WORDS:
        return str(WORDS[name])
    for model in TABLES:
        for constraint in model._meta.constraints:
            said = constraint.violation_error_message
            if constraint.name == name and said not in (None, constraint.default_violation_error_message):
                return str(constraint.get_violation_error_message())
    return _("The database refuses this: %(name)s.") % {"name": name or failure}
