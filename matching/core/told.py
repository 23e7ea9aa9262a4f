"""What a verdict tells, packed into bytes: numbers as they were found, put into words only when somebody reads them.

A record speaks of one resource: a bit for every criterion that was asked and that was met, and the figures behind them.
Of a line that is met the first is what it was given, of an unmet one the nearest; the others are alternatives. Steps
are the relaxations that would help. Everything is little-endian; money in fen, lengths in metres or millimetres.

Criteria are told by their position in CRITERIA: new ones are added at its end, or rows that stand would be misread.
"""

import json
import struct
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np

from .problem import CRITERIA, FloatArray, IntArray, Pairs

# What is asked and found per criterion: attributes of Pairs, and the unit the margin is in.
FIGURES: dict[str, tuple[str, str, str]] = {
    "distance": ("limit_m", "distance_m", "m"),
    "height": ("height_min_m", "height_m", "m"),
    "bore": ("bore_asked_mm", "bore_mm", "mm"),
    "cable": ("cable_asked_mm", "cable_mm", "mm"),
    "quantity": ("quantity_asked", "quantity_free", "unit"),
    "room": ("room_asked", "room_free", "rack_u"),
    "power": ("kw_asked", "kw_free", "kw"),
    "price": ("ceiling_fen", "cost_fen", "fen"),
    "dates": ("days_late", "days_late", "days"),
}
# The figures of a record in order: (criterion, its label, attribute of Pairs; "" is the margin).
COLUMNS = tuple(
    (name, label, attribute)
    for name in CRITERIA
    if name in FIGURES
    for label, attribute in (
        ("margin", ""), ("asked", FIGURES[name][0]), ("found", FIGURES[name][1]),
        *([("asked_max", "height_max_m")] if name == "height" else []),
    )
)  # fmt: skip

VERSION = 1
HAS_FIRST = 1  # flag: the first record is what the line was given, or the nearest; not an alternative
OPENING = struct.Struct("<BBBBI")  # version, flags, records, steps, bytes of JSON at the end
HEAD = np.dtype(
    [("resource", "<i8"), ("known", "<u8"), ("asked", "<u2"), ("ok", "<u2"), ("score", "<f4"), ("cost_fen", "<f8")]
)
STEP = np.dtype(
    [("criterion", "<i4"), ("since", "<i4"), ("resource", "<i8"), ("delta", "<f8"), ("distance_m", "<f8"),
     ("cost_fen", "<f8")]
)  # fmt: skip
NO_DAY = -(2**31)
_WORD = 8
_HEAD = struct.Struct("<qQHHfd")
_STEP = struct.Struct("<iiqddd")


def records(pairs: Pairs, margin: FloatArray, resource: IntArray, score: FloatArray) -> tuple[bytes, IntArray]:
    """(bytes of all pairs' records, (n + 1,) where each begins). margin: (criteria, n); resource, score: (n,), a score
    that is NaN is not told. Figures are rounded to hundredths."""
    count = len(pairs)
    asked, ok = margin != np.inf, margin >= -1e-9
    figures = np.empty((count, len(COLUMNS)))
    is_known = np.empty((count, len(COLUMNS)), dtype=bool)
    for column, (name, _, attribute) in enumerate(COLUMNS):
        number = CRITERIA.index(name)
        figures[:, column] = getattr(pairs, attribute) if attribute else margin[number]
        is_known[:, column] = asked[number] & np.isfinite(figures[:, column])
    head = np.zeros(count, dtype=HEAD)
    head["resource"], head["score"], head["cost_fen"] = resource, score, np.round(pairs.cost_fen)
    head["known"] = is_known @ (np.uint64(1) << np.arange(len(COLUMNS), dtype=np.uint64))
    bits = np.left_shift(1, np.arange(len(CRITERIA)))
    head["asked"], head["ok"] = bits @ asked, bits @ (asked & ok)
    figures_each = is_known.sum(axis=1)
    words = HEAD.itemsize // _WORD
    start = np.concatenate([[0], np.cumsum(figures_each + words)]).astype(np.int64)
    out = np.zeros(int(start[-1]), dtype="<u8")
    out[start[:-1, None] + np.arange(words)] = head.view("<u8").reshape(count, words)
    before = np.repeat(np.cumsum(figures_each) - figures_each, figures_each)
    place = np.repeat(start[:-1] + words, figures_each) + np.arange(len(before)) - before
    out[place] = (np.round(figures[is_known], 2) + 0.0).astype("<f8").view("<u8")
    return out.tobytes(), start * _WORD


def told(flags: int, count: int, body: bytes, steps: bytes = b"", more: Any = None) -> bytes:
    """One line's bytes. count: records in body; more: JSON, what is told of few lines only (their routes)."""
    tail = json.dumps(more, separators=(",", ":")).encode() if more is not None else b""
    return OPENING.pack(VERSION, flags, count, len(steps) // STEP.itemsize, len(tail)) + body + steps + tail


def reasons_of(data: bytes, verdict: str, binding: str) -> list[dict[str, Any]]:
    """Why: of a line that is met every criterion that was asked, failed ones first:
    [{"criterion", "ok", "margin", "asked", "found", "unit"}, …], None: not known; of an unmet one
    [{"binding", "nearest": {"resource", "distance_m", "cost_fen_per_year", "reasons"} or None, "relaxations": […]}].
    """
    if not data:
        return []
    has_first, found, steps, more = _read(data)
    if verdict == "met":
        return list(found[0]["reasons"]) if has_first else list(more)
    nearest = found[0] if has_first else None
    return [{"binding": binding, "nearest": nearest, "relaxations": steps} | (more or {})]


def alternatives_of(data: bytes) -> list[dict[str, Any]]:
    """What else fits, best first: [{"resource", "distance_m", "score", "cost_fen_per_year", "reasons"}]."""
    if not data:
        return []
    has_first, found, _, _ = _read(data)
    return found[1:] if has_first else found


def _read(data: bytes) -> tuple[bool, list[dict[str, Any]], list[dict[str, Any]], Any]:
    version, flags, count, step_count, tail = OPENING.unpack_from(data)
    if version != VERSION:
        raise ValueError(f"a verdict packed in version {version}")
    at, found = OPENING.size, []
    for _ in range(count):
        record, at = _record(data, at)
        found.append(record)
    steps = list(_steps(data, at, step_count))
    return bool(flags & HAS_FIRST), found, steps, json.loads(data[-tail:]) if tail else None


def _record(data: bytes, at: int) -> tuple[dict[str, Any], int]:
    """(the record that begins there, where the next one does)."""
    resource, known, asked, ok, score, cost_fen = _HEAD.unpack_from(data, at)
    at += _HEAD.size
    figures: dict[str, dict[str, float | None]] = {}
    for column, (name, label, _) in enumerate(COLUMNS):
        value = None
        if known >> column & 1:
            (value,) = struct.unpack_from("<d", data, at)
            at += _WORD
        figures.setdefault(name, {})[label] = value
    parts: list[dict[str, Any]] = []
    for number, name in enumerate(CRITERIA):
        if asked >> number & 1:
            is_ok = bool(ok >> number & 1)
            part: dict[str, Any] = {"criterion": name, "ok": is_ok}
            part |= figures[name] | {"unit": FIGURES[name][2]} if name in FIGURES else {"margin": is_ok - 1.0}
            if part.get("asked_max", 0) is None:
                del part["asked_max"]
            parts.append(part)
    record = {
        "resource": resource,
        "distance_m": None if (metres := figures["distance"]["found"]) is None else round(metres, 1),
        "cost_fen_per_year": None if cost_fen != cost_fen else int(cost_fen),
        "reasons": sorted(parts, key=lambda part: bool(part["ok"])),
    }
    if score == score:
        record["score"] = round(score, 4)
    return record, at


def _steps(data: bytes, at: int, count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        criterion, since, resource, delta, distance_m, cost_fen = _STEP.unpack_from(data, at + number * _STEP.size)
        step = {
            "criterion": CRITERIA[criterion],
            "delta": delta,
            "resource": resource,
            "distance_m": distance_m,
            "cost_fen_per_year": None if cost_fen != cost_fen else int(cost_fen),
        }
        if since != NO_DAY:
            step["from"] = str(date(1970, 1, 1) + timedelta(days=since))
        yield step
