"""Where rows go: a target names its columns, judges rows and stores them.

Resources, their parts, a bureau's demand lines and lines handed in are four.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from django.contrib.gis.geos import GEOSGeometry

from accounts.errors import Refused
from accounts.models import Membership
from listings.imports.findings import Finding
from listings.kinds.spec import ColumnSpec
from listings.models import ImportJob, ImportRow
from listings.places import Place


@dataclass
class Draft:
    """One row on its way: cleaned values by field (plain JSON), why others are missing, the place, what was found.

    typed: the same values as the actions take them.
    """

    number: int
    values: dict[str, Any]
    missing: dict[str, str] = field(default_factory=dict)
    place: Place | None = None
    findings: list[Finding] = field(default_factory=list)
    verdict: str = "create"
    typed: dict[str, Any] = field(default_factory=dict)

    @property
    def is_bad(self) -> bool:
        return any(finding.is_error for finding in self.findings)

    def has_error_on(self, *columns: str) -> bool:
        return any(finding.is_error and finding.column in columns for finding in self.findings)


class Judge(Protocol):
    """Holds what a target looks up once per file, and judges chunk after chunk."""

    def judge(self, drafts: Sequence[Draft]) -> None:
        """Sets each draft's verdict and adds what is wrong with it against rules, regions and what is stored."""


Progress = Callable[[int], None]  # told the number of rows done; what it raises takes everything back


@dataclass(frozen=True)
class Stored:
    """What store() did. results: {row id: ImportRow.result} of those an undo cannot find by itself."""

    count: int
    results: Mapping[int, Mapping[str, Any]]


class Target(Protocol):
    """One kind of thing a file can hold."""

    name: str

    def kinds(self) -> Sequence[str]:
        """The kinds a file may be of; ("",) where a column tells."""

    def specs(self, kind: str) -> Sequence[ColumnSpec]:
        """The columns a file of the kind may have."""

    def geometry(self, kind: str) -> bool | None:
        """True: lines; False: points; None: either."""

    def refusal(self, job: ImportJob, membership: Membership | None) -> Refused | None:
        """Why this person may not import into it now; None: one may."""

    def judge(self, job: ImportJob) -> Judge: ...

    def known_places(self, job: ImportJob, codes: Sequence[str]) -> Mapping[str, GEOSGeometry]:
        """Where things with these codes stand already, to tell the coordinate system by."""

    def store(
        self, job: ImportJob, rows: Iterable[tuple[ImportRow, Draft]], membership: Membership, on_progress: Progress
    ) -> Stored:
        """Stores all or none inside the caller's transaction. Raises Refused."""

    def touched_since(self, job: ImportJob, rows: Sequence[ImportRow]) -> Mapping[int, str]:
        """What of it was changed, published, reserved or deleted after the import: id → its code."""

    def undo(self, job: ImportJob, rows: Sequence[ImportRow], membership: Membership, keep: Collection[int]) -> int:
        """Takes back what store() did but for the ids to keep; gives how many. Raises Refused where that cannot be."""


def get(name: str) -> Target:
    """The target by ImportJob.target."""
    from listings.imports.demand_target import DEMAND
    from listings.imports.hand_in_target import HAND_IN
    from listings.imports.parts_target import PARTS
    from listings.imports.resource_target import RESOURCES

    return {RESOURCES.name: RESOURCES, DEMAND.name: DEMAND, HAND_IN.name: HAND_IN, PARTS.name: PARTS}[name]


def has_place(job: ImportJob) -> bool:
    """Whether the job's rows say where something stands, so that its coordinate system must be known."""
    return job.target != ImportJob.Target.PARTS


def typed(value: Any, spec: ColumnSpec) -> Any:
    """A cleaned JSON value as the Python type that actions take."""
    if value is None:
        return None
    if spec.type == "decimal":
        return Decimal(value)
    if spec.type == "integer":
        return int(Decimal(value))
    if spec.type == "numbers":
        return [Decimal(part) for part in value]
    if spec.type == "date":
        return dt.date.fromisoformat(value)
    return value
