"""What the core is given: lines, places that could serve them, and pools that are shared."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

# Hard criteria, in the order a person would check them; a pair must meet all.
CRITERIA = (
    "distance",
    "sector",
    "sharing_mode",
    "own",
    "lifecycle",
    "condition",
    "papers",
    "height",
    "bore",
    "cable",
    "dates",
    "quantity",
    "room",
    "power",
    "price",
)

QUANTITY_SCALE = 100  # quantities carry two decimals (kW); the allocation counts whole hundredths
SCORE_SCALE = 10_000  # a score of 0..1 is counted in ten-thousandths


@dataclass(frozen=True)
class Weights:
    """What the soft criteria count for in the score; a bureau's choice, kept with the run. Sum need not be 1."""

    distance: float = 0.4
    price: float = 0.3
    height_surplus: float = 0.1
    in_service: float = 0.1
    fragmentation: float = 0.05
    response: float = 0.05

    @property
    def total(self) -> float:
        return sum(getattr(self, name) for name in self.__dataclass_fields__)


@dataclass(frozen=True)
class Pairs:
    """m possible pairs of a line and a pool. All arrays have length m; NaN means "not known" or "not asked".

    distance_m and limit_m in metres; height in metres; bore in millimetres; money in fen per year;
    quantities in the pool's unit; kw in kilowatts. The quantities that are free (quantity_, room_,
    kw_free) are so over the line's whole period.
    """

    line: IntArray  # index into the run's lines
    pool: IntArray  # index into the run's pools
    power_pool: IntArray  # index of the pool that gives the power, -1 where none is asked or known
    room_pool: IntArray  # index of the rack units at the same site, -1 where none are asked for or there
    distance_m: FloatArray
    limit_m: FloatArray
    quantity_asked: FloatArray
    quantity_free: FloatArray
    quantity_total: FloatArray
    room_asked: FloatArray  # rack units at the same site
    room_free: FloatArray  # NaN: no room there
    kw_asked: FloatArray
    kw_free: FloatArray
    height_m: FloatArray  # the highest a platform serves
    height_low_m: FloatArray  # and the lowest
    height_min_m: FloatArray
    height_max_m: FloatArray
    bore_mm: FloatArray
    bore_asked_mm: FloatArray
    cable_mm: FloatArray  # the thickest cable that as many free bores as are asked for take
    cable_asked_mm: FloatArray
    cost_fen: FloatArray  # NaN: to be negotiated
    ceiling_fen: FloatArray  # NaN: none
    response_days: FloatArray  # the owner's usual days to a first answer; NaN: no record
    is_sector_accepted: BoolArray
    is_mode_accepted: BoolArray
    is_own: BoolArray
    is_lifecycle_fit: BoolArray
    is_in_service: BoolArray
    is_condition_fit: BoolArray
    is_papers_fit: BoolArray
    days_late: FloatArray  # days the resource is free too late (>0) or ends too early; 0 fits

    def __len__(self) -> int:
        return len(self.line)

    def take(self, rows: IntArray) -> "Pairs":
        """These pairs only, in this order."""
        return Pairs(**{name: getattr(self, name)[rows] for name in self.__dataclass_fields__})


@dataclass(frozen=True)
class Problem:
    """Options that met every hard criterion, with what they use and what they are worth.

    An option serves one line and uses one pool or several at once (units and power; tower, room and power of one
    site): its uses are rows use_start[j] … use_start[j + 1] of use_pool and use_amount. Amounts and capacities are
    whole numbers (hundredths of a unit). A line takes at most one option.

    worth: what serving a line counts for, whole and ≥ 1; the greatest sum of worths comes first, and among those
    the greatest sum of scores (whole, 0..SCORE_SCALE). operator: index of who asks, -1 nobody known.
    """

    line_count: int
    line: IntArray  # (m,)
    score: IntArray  # (m,)
    use_start: IntArray  # (m + 1,)
    use_pool: IntArray  # (u,)
    use_amount: IntArray  # (u,)
    capacity: IntArray  # (p,)
    worth: IntArray  # (n,)
    operator: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))  # (n,) or empty: no fairness

    @property
    def use_option(self) -> IntArray:
        """(u,): the option each use belongs to."""
        return np.repeat(np.arange(len(self.line)), np.diff(self.use_start))

    def part(self, options: IntArray) -> "Problem":
        """The same lines and pools with these options only, in this order."""
        counts = np.diff(self.use_start)[options]
        start = np.concatenate([[0], np.cumsum(counts)])
        rows = np.repeat(self.use_start[options] - start[:-1], counts) + np.arange(start[-1])
        return Problem(
            self.line_count, self.line[options], self.score[options], start, self.use_pool[rows],
            self.use_amount[rows], self.capacity, self.worth, self.operator,
        )  # fmt: skip

    def used(self, choice: IntArray) -> IntArray:
        """(p,): what the chosen options (their ids) use of each pool."""
        rows = np.isin(self.use_option, choice)
        used = np.zeros(len(self.capacity), dtype=np.int64)
        np.add.at(used, self.use_pool[rows], self.use_amount[rows])
        return used

    @staticmethod
    def of_uses(
        *,
        line_count: int,
        line: IntArray,
        score: FloatArray,
        use_option: IntArray,
        use_pool: IntArray,
        use_amount: FloatArray,
        capacity: FloatArray,
        worth: IntArray | None = None,
        operator: IntArray | None = None,
    ) -> "Problem":
        """From floats, uses in any order: score 0..1 per option, amounts and capacities in units."""
        order = np.argsort(use_option, kind="stable")
        counts = np.bincount(use_option, minlength=len(line)) if len(line) else np.zeros(0, dtype=np.int64)
        return Problem(
            line_count=line_count,
            line=np.asarray(line, dtype=np.int64),
            score=np.round(np.clip(score, 0, 1) * SCORE_SCALE).astype(np.int64),
            use_start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            use_pool=np.asarray(use_pool, dtype=np.int64)[order],
            use_amount=np.ceil(np.asarray(use_amount)[order] * QUANTITY_SCALE - 1e-6).astype(np.int64),
            capacity=np.floor(np.maximum(capacity, 0) * QUANTITY_SCALE + 1e-6).astype(np.int64),
            worth=np.ones(line_count, dtype=np.int64) if worth is None else np.asarray(worth, dtype=np.int64),
            operator=np.zeros(0, dtype=np.int64) if operator is None else np.asarray(operator, dtype=np.int64),
        )


@dataclass(frozen=True)
class Solution:
    """Which option serves each line, and how good that is.

    choice: (line_count,) index of the option, -1 unserved. served: sum of the worths served; no allocation serves
    more than served_bound (proven). score: sum of scores; no allocation that serves as much scores more than
    score_bound. shares: per operator (lines that could be served, lines served), where fairness was asked for.
    """

    choice: IntArray
    served: int
    served_bound: int
    score: int
    score_bound: int
    shares: dict[int, tuple[int, int]] = field(default_factory=dict)
    is_fair: bool = True
    # What is not proven: smallest line of a component → (worth, score) by which its bounds lie above what was reached.
    unproven: dict[int, tuple[int, int]] = field(default_factory=dict)

    @property
    def objective(self) -> float:
        """Worth served, and below one the mean score: one number that orders allocations as the run does."""
        return self.served + self._below_one(self.score)

    @property
    def bound(self) -> float:
        if self.served_bound > self.served:
            return self.served_bound + 1.0
        return self.served + self._below_one(max(self.score, self.score_bound))

    @property
    def gap(self) -> float:
        """(bound − objective) ÷ bound; 0: proven to be the best in both respects."""
        return 0.0 if self.bound <= 0 else max(0.0, (self.bound - self.objective) / self.bound)

    @property
    def line_bound(self) -> int:
        """What all lines would score if each had the best: a trivial bound."""
        return len(self.choice) * SCORE_SCALE

    @property
    def is_proven(self) -> bool:
        return self.served_bound <= self.served and self.score_bound <= self.score

    def _below_one(self, score: int) -> float:
        return score / (SCORE_SCALE * (len(self.choice) + 1.0))
