"""The four kinds by name."""

from listings.kinds import cable, duct, room, tower
from listings.kinds.spec import KindSpec

SPECS: dict[str, KindSpec] = {spec.kind: spec for spec in (tower.SPEC, duct.SPEC, cable.SPEC, room.SPEC)}
