"""Which resources the words of a text name: candidates by the text indexes, never more than MOST of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import QuerySet

from accounts.models import Membership
from listings import search
from listings.search_words import Word, resolve_words

MOST = 20_000  # candidates of one word; of more, the first are looked at and the page says so
SIMILAR_MOST = 200
SIMILAR_FROM = 0.45  # pg_trgm word_similarity; two mistyped characters of eight still meet it
SIMILAR_CHARS = 3
SIMILAR_LOOKED_AT = 5_000  # names with one character off that are put in order
CHINESE = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff]")
CHINESE_CHARS = 12  # of a mistyped word; each makes four ways to be off


@dataclass(frozen=True)
class Hits:
    """ids: candidates that also meet every word, None where words name divisions only; regions: their code prefixes."""

    ids: np.ndarray | None = None
    regions: tuple[tuple[str, ...], ...] = ()
    is_capped: bool = False
    is_similar: bool = False


def hits(reader: Membership | None, criteria: Mapping[str, Any]) -> Hits:
    """The candidates for q and owner. Two queries per word, one more for two words, one for names that are alike."""
    words = criteria.get("words") or resolve_words((criteria.get("q") or "").strip())
    regions = tuple(word.region_prefixes for word in words if word.is_division)
    named = [word for word in words if not word.is_division]
    owner = criteria.get("owner")
    if not named:
        if not owner:
            return Hits(regions=regions)
        ids = _ids(_listed(reader).filter(owner_id=owner))
        return Hits(_array(ids), regions, is_capped=len(ids) > MOST)
    # The longest word is the rarest, as a rule; the others are asked about its candidates.
    first, *others = sorted(named, key=lambda word: -len(word.text))
    base = _listed(reader).filter(owner_id=owner) if owner else _listed(reader)
    ids = _candidates(reader, base, first, others)
    if ids or others:
        return Hits(_array(ids), regions, is_capped=len(ids) > MOST)
    alike = _similar(reader, first.text)
    return Hits(_array(alike), regions, is_similar=bool(alike))


def _listed(reader: Membership | None) -> QuerySet:
    from listings.models import Resource

    return Resource.objects.visible_to(reader).published().order_by()


def _ids(rows: QuerySet) -> list[int]:
    return list(rows.values_list("pk", flat=True)[: MOST + 1])


def _candidates(reader: Membership | None, base: QuerySet, first: Word, others: list[Word]) -> list[int]:
    """Each way of finding a word asked by itself, so that each is served by its own index."""
    rest = search.text_conditions(reader, others)
    found: dict[int, None] = {}
    for way in search.ways(reader, first):
        if len(found) <= MOST:
            found |= dict.fromkeys(_ids(base.filter(way, *rest)))
    return list(found)


def _array(ids: list[int]) -> np.ndarray:
    return np.array(ids[:MOST], np.int64)


def near_patterns(word: str) -> list[tuple[list[str], str]]:
    """How a word reads with one character wrong, left out, too many or exchanged: (its whole pieces, LIKE pattern).

    Pieces have two characters or more, so that the index of pairs serves them; a pattern without one is left out.
    """
    n, found = len(word), {}
    made = [(word[:i], word[i + 1 :], "_") for i in range(n)]  # one is wrong
    if n > SIMILAR_CHARS:
        made += [(word[:i] + word[i + 1 :], "", "") for i in range(n)]  # one too many
        made += [(word[:i] + word[i + 1] + word[i] + word[i + 2 :], "", "") for i in range(n - 1)]  # exchanged
    left_out = [(word[:i], word[i:], "_") for i in range(1, n)]
    for before, after, between in (*made, *left_out):
        pieces = [piece for piece in (before, after) if len(piece) >= 2]
        if pieces and (between or before != word):
            found[f"%{_escaped(before)}{between}{_escaped(after)}%"] = pieces
    return [(pieces, pattern) for pattern, pieces in found.items()]


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


def _one_character_off(word: str) -> list[int]:
    """Names that hold a Chinese word with one character off, the likest first. Trigrams miss what stands inside a
    name without spaces."""
    tests, params = [], []
    for pieces, pattern in near_patterns(word.upper()):
        held = " AND ".join(["gj_grams(name) @> gj_grams(%s)"] * len(pieces))
        tests.append(f"({held} AND upper(name) LIKE %s)")
        params += [*pieces, pattern]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM (SELECT id, name FROM listings_resource WHERE state = 'published'"
            " AND disclosure <> 'existence'"
            f" AND ({' OR '.join(tests)}) LIMIT %s) AS some_rows"
            " ORDER BY similarity(upper(name), upper(%s)) DESC, id LIMIT %s",
            [*params, SIMILAR_LOOKED_AT, word, SIMILAR_MOST],
        )
        return [row[0] for row in cursor.fetchall()]


def _similar(reader: Membership | None, word: str) -> list[int]:
    """Names like the word, the likest first: for words nobody has written that way."""
    if len(word) < SIMILAR_CHARS:
        return []
    if CHINESE.search(word) and (found := _one_character_off(word[:CHINESE_CHARS])):
        return found
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('pg_trgm.word_similarity_threshold', %s, false)", [str(SIMILAR_FROM)])
        cursor.execute(
            "SELECT id FROM listings_resource WHERE upper(%(w)s) <%% upper(name) AND state = 'published'"
            " AND disclosure <> 'existence' ORDER BY upper(%(w)s) <<-> upper(name), id LIMIT %(most)s",
            {"w": word, "most": SIMILAR_MOST},
        )
        return [row[0] for row in cursor.fetchall()]
