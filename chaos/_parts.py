"""A long row in parts: each a site of its own with its share of messages and faults, kept in a file, so that a run can
be stopped and taken up again. The table adds them up: what must be nought is summed, of waits the longest counts.
"""

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

SHARED = ("messages", "web_kills", "redis_kills", "backend_kills", "freezes")


@dataclass
class Faults:
    """What one part of the conversation under faults came to."""

    acknowledged: int
    lost: int
    doubled: int
    disorder: int
    gaps: int
    converged_s: float
    took_s: float
    load: float


def share(sizes: Any, part: int, parts: int) -> Any:
    """The sizes of one part (from 1): what does not divide evenly goes to the first ones; a web process is killed in
    each, for each part ends with that."""

    def of(name: str) -> int:
        whole = getattr(sizes, name)
        return whole // parts + (part <= whole % parts)

    shared = {name: of(name) for name in SHARED}
    shared["web_kills"] = max(1, shared["web_kills"])
    return replace(sizes, **shared)


def kept(path: Path) -> dict[int, Faults]:
    """The parts that are done, by number."""
    if not path.exists():
        return {}
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return {row["part"]: Faults(**row["found"]) for row in rows}


def keep(path: Path, part: int, found: Faults) -> None:
    with open(path, "a") as file:
        file.write(json.dumps({"part": part, "found": asdict(found)}) + "\n")


def summed(found: list[Faults]) -> Faults:
    total = {name: sum(getattr(one, name) for one in found) for name in Faults.__dataclass_fields__}
    total["converged_s"] = max(one.converged_s for one in found)
    total["load"] = max(one.load for one in found)
    return Faults(**total)


def load() -> float:
    """Of the last minute: a figure from a busy machine is an upper bound."""
    return round(os.getloadavg()[0], 1)
