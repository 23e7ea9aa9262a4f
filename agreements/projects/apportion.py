"""Who pays what of works built together: the three methods side by side, in fen. No queries of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from accounts.models import Organisation
from listings.money.apportion import Part, compare

from .models import Project, ProjectParty


@dataclass(frozen=True)
class Share:
    """One party's line. alone_fen: what it would pay building alone, common and own cost."""

    organisation: Organisation
    units: Decimal
    own_fen: int
    alone_fen: int
    pro_rata_fen: int
    stand_alone_fen: int
    shapley_fen: int

    def by(self, method: str) -> int:
        return int(getattr(self, f"{method}_fen"))


def shares(project: Project, parties: Sequence[ProjectParty]) -> list[Share]:
    """The lead first, then those that take part. parties: of state TAKEN, organisations at hand."""
    who = [(project.lead, project.lead_units, project.lead_own_fen)]
    who += [(party.organisation, party.units, party.own_fen) for party in parties]
    everybody = frozenset(range(len(who)))
    parts = [Part(project.common_fen, everybody)]
    parts += [Part(own, frozenset({seat})) for seat, (_, _, own) in enumerate(who)]
    split = compare(len(who), parts, [units for _, units, _ in who])
    return [
        Share(
            organisation, units, own, split["alone"][seat], split["pro_rata"][seat], split["stand_alone"][seat],
            split["shapley"][seat],
        )
        for seat, (organisation, units, own) in enumerate(who)
    ]  # fmt: skip
