"""Sweeps: short, idempotent jobs the worker runs again and again (clocks, reminders, recovery). Errands: work that
may not wait for the sweeps before it, each in a thread of its own.

An app registers its own in <app>/sweeps.py, imported by its AppConfig.ready().
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Sweep:
    name: str
    run: Callable[[], object]
    seconds: int


SWEEPS: dict[str, Sweep] = {}


def every(*, seconds: int) -> Callable[[Callable[[], object]], Callable[[], object]]:
    """Registers a function without arguments to be run by the worker every so many seconds."""

    def register(function: Callable[[], object]) -> Callable[[], object]:
        name = f"{function.__module__}.{function.__qualname__}"
        SWEEPS[name] = Sweep(name, function, seconds)
        return function

    return register


@dataclass(frozen=True)
class Errand:
    name: str
    turn: Callable[[], object]
    seconds: float


ERRANDS: dict[str, Errand] = {}


def steadily(*, seconds: float) -> Callable[[Callable[[], object]], Callable[[], object]]:
    """Registers a function without arguments that every worker calls in a thread of its own: at once again after a
    turn that gave something true, else after so many seconds. Several workers may be at it together."""

    def register(function: Callable[[], object]) -> Callable[[], object]:
        name = f"{function.__module__}.{function.__qualname__}"
        ERRANDS[name] = Errand(name, function, seconds)
        return function

    return register
