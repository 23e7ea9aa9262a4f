"""Clocks of the supply side: holds on capacity that nobody confirmed in time."""

from accounts.jobs import every
from listings.actions.capacity import expire_due
from listings.search_index import fold


@every(seconds=60)
def expire_holds() -> int:
    """Gives back the units of every hold whose clock has run out; gives how many. Idempotent."""
    return expire_due()


@every(seconds=5)
def fold_search() -> int:
    """Packs what changed since into the blocks that searches read; gives how many blocks. Idempotent."""
    return fold.fold()
