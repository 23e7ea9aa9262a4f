"""The words of a text with what they name besides resources: divisions, owners, our own codes."""

import re
from dataclasses import dataclass

from django.db.models import Q

from accounts.models import Organisation, Region

WORDS_MOST = 5  # words of a text that are looked up; more are ignored
REGIONS_MOST = 60  # a word that names more divisions than this ("县") names none in particular
OWNERS_MOST = 200
PUBLIC_CODE = re.compile(r"^([TDCR])(\d{8})$", re.IGNORECASE)  # Resource.code
# What a division's name may end with when one writes only its stem: 广东, 广州, 新疆.
ENDINGS = ("省", "市", "自治区", "特别行政区", "壮族自治区", "回族自治区", "维吾尔自治区", "地区", "盟", "自治州")


@dataclass(frozen=True)
class Word:
    """is_division: it names provinces or cities and is read as those alone; counties' names are street names too."""

    text: str
    owner_ids: tuple[int, ...] = ()
    region_prefixes: tuple[str, ...] = ()
    is_division: bool = False

    @property
    def pk(self) -> int | None:
        """The key in our own code (T00000012)."""
        code = PUBLIC_CODE.match(self.text)
        return int(code[2]) if code else None

    @property
    def kind_letter(self) -> str:
        return self.text[0].lower()


def resolve_words(text: str) -> list[Word]:
    """The words of a text looked up once; criteria["words"] spares the next search the look-up. Queries twice each."""
    return [_resolved(word) for word in text.split()[:WORDS_MOST]]


def _resolved(word: str) -> Word:
    regions = _regions(word)
    named = [r for r in regions if _is_name(word, r)]
    if named and named[0].level < Region.Level.COUNTY and len({r.level for r in named}) == 1:
        return Word(word, region_prefixes=_prefixes(named), is_division=True)
    return Word(word, _owner_ids(word), _prefixes(regions))


def _is_name(word: str, region: Region) -> bool:
    if region.name_zh.startswith(word) and region.name_zh[len(word) :] in ("", *ENDINGS):
        return True
    return bool(region.name_en) and word.lower() == region.name_en.lower()


def _regions(word: str) -> list[Region]:
    if len(word) < 2:
        return []
    names = Q(name_zh__contains=word) | Q(name_en__icontains=word)
    found = list(Region.objects.filter(names, level__gt=0).defer("polygon", "label_point")[: REGIONS_MOST + 1])
    return [] if len(found) > REGIONS_MOST else found


def _prefixes(regions: list[Region]) -> tuple[str, ...]:
    """Code prefixes of the divisions, none lying below another."""
    prefixes: list[str] = []
    for region in sorted(regions, key=lambda r: (r.level, r.code)):
        if not region.code.startswith(tuple(prefixes)):
            prefixes.append(region.prefix)
    return tuple(prefixes)


def _owner_ids(word: str) -> tuple[int, ...]:
    names = Q(name_zh__icontains=word) | Q(name_en__icontains=word)
    return tuple(Organisation.objects.filter(names).values_list("pk", flat=True)[:OWNERS_MOST])
