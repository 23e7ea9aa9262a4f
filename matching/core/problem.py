"""What the core is given: lines, places that could serve them, and pools that are shared."""

from dataclasses import dataclass

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
    "height",
    "bore",
    "dates",
    "quantity",
    "power",
    "price",
)


@dataclass(frozen=True)
class Weights:
    """What the soft criteria count for in the score; a bureau's choice, kept with the run. Sum need not be 1."""

    distance: float = 0.5
    price: float = 0.3
    height_surplus: float = 0.1
    in_service: float = 0.1

    @property
    def total(self) -> float:
        return self.distance + self.price + self.height_surplus + self.in_service


@dataclass(frozen=True)
class Pairs:
    """m possible pairs of a line and a pool. All arrays have length m; NaN means "not known" or "not asked".

    distance_m and limit_m in metres; height in metres; bore in millimetres; money in fen per year;
    quantities in the pool's unit; kw in kilowatts.
    """

    line: IntArray  # index into the run's lines
    pool: IntArray  # index into the run's pools
    power_pool: IntArray  # index of the pool that gives the power, -1 where none is asked or known
    distance_m: FloatArray
    limit_m: FloatArray
    quantity_asked: FloatArray
    quantity_free: FloatArray
    kw_asked: FloatArray
    kw_free: FloatArray
    height_m: FloatArray
    height_min_m: FloatArray
    height_max_m: FloatArray
    bore_mm: FloatArray
    bore_asked_mm: FloatArray
    cost_fen: FloatArray  # NaN: to be negotiated
    ceiling_fen: FloatArray  # NaN: none
    is_sector_accepted: BoolArray
    is_mode_accepted: BoolArray
    is_own: BoolArray
    is_lifecycle_fit: BoolArray
    is_in_service: BoolArray
    is_condition_fit: BoolArray
    days_late: FloatArray  # days the resource is free too late (>0) or ends too early; 0 fits

    def __len__(self) -> int:
        return len(self.line)


@dataclass(frozen=True)
class Problem:
    """Pairs that met every hard criterion, with what they use and what they are worth."""

    line_count: int
    line: IntArray  # (m,)
    pool: IntArray  # (m,)
    quantity: FloatArray  # (m,)
    power_pool: IntArray  # (m,), -1: none
    power: FloatArray  # (m,)
    value: FloatArray  # (m,): worth of serving the line by this pair, > 0
    capacity: FloatArray  # (p,)


@dataclass(frozen=True)
class Solution:
    """Which pair serves each line, and how good that is.

    choice: (line_count,) index of the pair, -1 unserved. bound ≥ objective is proven: no allocation is
    worth more. gap = (bound − objective) / bound.
    """

    choice: IntArray
    objective: float
    bound: float

    @property
    def gap(self) -> float:
        return 0.0 if self.bound <= 0 else max(0.0, (self.bound - self.objective) / self.bound)
