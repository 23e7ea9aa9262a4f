"""What differs between two texts, word by word; Chinese sign by sign. Pure."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

TOKEN = re.compile(r"[A-Za-z0-9.,%¥€$'’-]+|\s+|.", re.DOTALL)
TOKENS_MAX = 4_000  # per text: more are compared as a whole


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
    if max(len(old), len(new)) > TOKENS_MAX:
        return _compact([("removed", before), ("added", after)])
    found: list[tuple[str, str]] = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            found.append(("same", "".join(new[c:d])))
        else:
            found += [("removed", "".join(old[a:b])), ("added", "".join(new[c:d]))]
    return _compact(found)


def _compact(found: list[tuple[str, str]]) -> list[Piece]:
    return [Piece(sort, text) for sort, text in found if text]
