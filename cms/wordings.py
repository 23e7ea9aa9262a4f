"""Editors' wordings over the product's own texts, in both languages, without a developer and without a restart.

The texts live in gettext's catalogues. A wording replaces one entry in this process's copy; a number in the cache tells
other processes that something changed, and each looks at it at most every LOOK_SECONDS.
"""

import re
import time

from django.core.cache import cache
from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import trans_real
from redis.exceptions import RedisError

LOOK_SECONDS = 5
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")
TAG = re.compile(r"<[^>]*>?")

_state = {"version": "", "looked_at": 0.0}
_originals: dict[tuple[str, str], str | None] = {}


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


def apply() -> None:
    """Puts the product's texts back and lays the wordings over them. Queries once."""
    from .models import Wording

    for (language, source), original in _originals.items():
        catalog = trans_real.translation(language)._catalog
        if original is None:
            catalog._catalogs[0].pop(source, None)
        else:
            catalog[source] = original
    _originals.clear()
    for language, source, text in Wording.objects.order_by("pk").values_list("language", "source", "text"):
        catalog = trans_real.translation(language)._catalog
        _originals[language, source] = catalog._catalogs[0].get(source)
        catalog[source] = text


class WordingsMiddleware:
    """Before each page: are the words still those the editors want?"""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        refresh()
        return self.get_response(request)
