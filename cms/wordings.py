"""Editors' wordings over the product's own texts, in both languages, without a developer and without a restart.

The texts live in gettext's catalogues. A wording replaces one entry in this process's copy; a number in the cache tells
other processes that something changed, and each looks at it at most every LOOK_SECONDS.
"""

import re
import struct
import time
from functools import cache as once
from pathlib import Path

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import trans_real
from redis.exceptions import RedisError

LOOK_SECONDS = 5
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")
TAG = re.compile(r"<[^>]*>?")

_state = {"version": "", "looked_at": 0.0}
Key = str | tuple[str, int]  # of an entry in a catalogue; (singular, form) where it has a plural
_originals: dict[tuple[str, Key], str | None] = {}


def key() -> str:
    return f"cms:wordings:{connection.settings_dict['NAME']}"


def problem(source: str, text: str) -> str | None:
    """What is wrong with a wording; None: nothing is. Placeholders and tags must be those of the source."""
    if sorted(PLACEHOLDER.findall(source)) != sorted(PLACEHOLDER.findall(text)):
        return _("Keep the placeholders of the source exactly: %(found)s") % {
            "found": ", ".join(PLACEHOLDER.findall(source)) or _("there are none")
        }
    if sorted(TAG.findall(source)) != sorted(TAG.findall(text)):
        return _("Keep the tags of the source exactly, and add none.")
    return None


def changed() -> None:
    """Tells every process that wordings changed; this one takes them up at its next request."""
    cache.set(key(), str(time.time_ns()), None)
    _state["looked_at"] = 0.0


def refresh() -> None:
    """Takes up changed wordings. One look into the cache every LOOK_SECONDS, one query where something changed."""
    now = time.monotonic()
    if now - _state["looked_at"] < LOOK_SECONDS:
        return
    _state["looked_at"] = now
    try:
        version = cache.get(key()) or "none"
    except (RedisError, OSError):  # Redis is away: the words stay as they are
        return
    if version != _state["version"]:
        _state["version"] = version
        apply()


@once
def entries() -> dict[str, list[tuple[str, int | None]]]:
    """{text as the English page shows it: [(key in the catalogue, its form: 0 one, 1 several, None no plural)]}.

    Read from the compiled Chinese catalogue (GNU gettext manual, "The Format of GNU MO Files"): Python's reader keeps
    neither the plural's source nor which contexts a text stands in.
    """
    found: dict[str, list[tuple[str, int | None]]] = {}
    data = (Path(settings.LOCALE_PATHS[0]) / "zh_Hans/LC_MESSAGES/django.mo").read_bytes()
    order = "<" if data[:4] == b"\xde\x12\x04\x95" else ">"  # as the machine that compiled it has its numbers
    count, table = struct.unpack(order + "8xII", data[:16])
    for at in range(table, table + 8 * count, 8):
        size, start = struct.unpack(order + "II", data[at : at + 8])
        one, *more = data[start : start + size].decode().split("\x00")
        shown = [one.rsplit("\x04", 1)[-1], *more]
        for form, text in enumerate(shown):
            found.setdefault(text, []).append((one, form if more else None))
    return found


def keys_of(language: str, source: str) -> list[Key]:
    """The entries a text stands for: without and with a context, and the form of a plural. Chinese has one form."""
    is_chinese = language.startswith("zh")
    found = entries().get(source, [(source, None)])
    return [name if form is None else (name, 0 if is_chinese else form) for name, form in found]


def apply() -> None:
    """Puts the product's texts back and lays the wordings over them. Queries once."""
    from .models import Wording

    for (language, key_), original in _originals.items():
        catalog = trans_real.translation(language)._catalog
        if original is None:
            catalog._catalogs[0].pop(key_, None)
        else:
            catalog[key_] = original
    _originals.clear()
    for language, source, text in Wording.objects.order_by("pk").values_list("language", "source", "text"):
        catalog = trans_real.translation(language)._catalog
        for key_ in keys_of(language, source):
            _originals.setdefault((language, key_), catalog._catalogs[0].get(key_))
            catalog[key_] = text


class WordingsMiddleware:
    """Before each page: are the words still those the editors want?"""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        refresh()
        return self.get_response(request)
