"""What differs between two texts, word by word; Chinese sign by sign; long texts sentence by sentence first. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

TOKEN = re.compile(r"[A-Za-z0-9.,%¥€$'’-]+|\s+|.", re.DOTALL)
SENTENCE = re.compile(r"[^。！？；;!?\n]*[。！？；;!?\n]+|[^。！？；;!?\n]+")
# The comparison grows with the square of its input: so many words per text are compared at once, and so many within
# the sentences that changed in a longer text.
TOKENS_MAX, WITHIN_MAX = 800, 250


@dataclass(frozen=True)
class Piece:
    """sort: "same", "added" or "removed"."""

    sort: str
    text: str


def pieces(before: str, after: str) -> list[Piece]:
    """The later text with what was added and removed, in reading order; joined without "removed" it is `after`."""
    if before == after:
        return [Piece("same", after)] if after else []
    old, new = TOKEN.findall(before), TOKEN.findall(after)
    if max(len(old), len(new)) <= TOKENS_MAX:
        return _compact(_differences(old, new))
    found: list[tuple[str, str]] = []
    sentences = SENTENCE.findall(before), SENTENCE.findall(after)
    for sort, was, now in _blocks(*sentences):
        words = TOKEN.findall(was), TOKEN.findall(now)
        is_short = all(0 < len(part) <= WITHIN_MAX for part in words)
        if sort == "same" or not is_short:
            found += [("same", now)] if sort == "same" else [("removed", was), ("added", now)]
        else:
            found += _differences(*words)
    return _compact(found)


def _blocks(old: Sequence[str], new: Sequence[str]) -> list[tuple[str, str, str]]:
    """("same" or "changed", text before, text after), in order."""
    matched = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [
        ("same" if tag == "equal" else "changed", "".join(old[a:b]), "".join(new[c:d])) for tag, a, b, c, d in matched
    ]


def _differences(old: Sequence[str], new: Sequence[str]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for sort, was, now in _blocks(old, new):
        found += [("same", now)] if sort == "same" else [("removed", was), ("added", now)]
    return found


def _compact(found: list[tuple[str, str]]) -> list[Piece]:
    return [Piece(sort, text) for sort, text in found if text]
