"""Clocks of the supply side: holds on capacity that nobody confirmed in time."""

from accounts.jobs import every
from listings.actions import saved
from listings.actions.capacity import expire_due
from listings.actions.reconcile import reconcile
from listings.search_index import fold


@every(seconds=60)
def expire_holds() -> int:
    """Gives back the units of every hold whose clock has run out; gives how many. Idempotent."""
    return expire_due()


@every(seconds=24 * 60 * 60)
def reconcile_capacity() -> int:
    """Counts every pool anew from its reservations; gives how many had drifted, which must be none."""
    return sum(one.is_drift for one in reconcile())


@every(seconds=5)
def fold_search() -> int:
    """Packs what changed since into the blocks that searches read; gives how many blocks. Idempotent."""
    return fold.fold()


@every(seconds=60)
def alert_saved_searches() -> int:
    """Tells people what newly fits their saved searches; gives how many finds. Idempotent: each is found once."""
    return saved.alert()
