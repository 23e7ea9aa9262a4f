"""Which resources the words of a text name: candidates by the text indexes, never more than MOST of them."""

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


def _similar(reader: Membership | None, word: str) -> list[int]:
    """Names like the word, the likest first: for words nobody has written that way."""
    if len(word) < SIMILAR_CHARS:
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('pg_trgm.word_similarity_threshold', %s, false)", [str(SIMILAR_FROM)])
        cursor.execute(
            "SELECT id FROM listings_resource WHERE upper(%(w)s) <%% upper(name) AND state = 'published'"
            " AND disclosure <> 'existence' ORDER BY upper(%(w)s) <<-> upper(name), id LIMIT %(most)s",
            {"w": word, "most": SIMILAR_MOST},
        )
        return [row[0] for row in cursor.fetchall()]
