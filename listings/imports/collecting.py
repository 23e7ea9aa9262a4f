"""Fewer collections of cyclic garbage while many rows are worked on."""

import contextlib
import gc
import threading
from collections.abc import Iterator

# New containers before the young are looked at, and how much rarer the older generations are: rows come by the
# thousand and are freed by their count of references; what walks over them all took a third of an import.
RARELY = (50_000, 50, 1_000)

_lock = threading.Lock()
_busy = 0
_usual = gc.get_threshold()


@contextlib.contextmanager
def rare_collections() -> Iterator[None]:
    """For the whole process, until the last of those who asked for it is done."""
    global _busy, _usual
    with _lock:
        if not _busy:
            _usual = gc.get_threshold()
            gc.set_threshold(*RARELY)
        _busy += 1
    try:
        yield
    finally:
        with _lock:
            _busy -= 1
            if not _busy:
                gc.set_threshold(*_usual)
