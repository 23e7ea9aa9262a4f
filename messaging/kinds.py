"""Kinds of notifications, by which people choose what is mailed."""

from django.utils.translation import gettext_lazy as _

from .models.notices import Mail

# kind: (what it is called, how it is mailed where nobody chose)
KINDS = {
    "message": (_("New messages"), Mail.DIGEST),
    "mention": (_("Somebody calls me by name"), Mail.NOW),
    "case": (_("Steps of requests and agreements"), Mail.NOW),
    "list": (_("Demand lists, notices and objections"), Mail.DIGEST),
    "resource": (_("Resources, grants and supply"), Mail.DIGEST),
    "search": (_("Saved searches: what newly fits"), Mail.DIGEST),
    "other": (_("Everything else"), Mail.DIGEST),
}

_BY_CODE = {"message.mention": "mention", "message.post": "message", "thread.ask_bureau": "mention"}
_BY_NOUN = {"notice": "case", "request": "case", "agreement": "case", "offer": "case", "project": "case",
            "list": "list", "demand_list": "list", "objection": "list", "line": "list", "match": "list",
            "grant": "resource",
            "resource": "resource", "import": "resource",
            "saved_search": "search"}  # fmt: skip


def kind_of(code: str) -> str:
    """The kind a notification's code belongs to."""
    return _BY_CODE.get(code) or _BY_NOUN.get(code.partition(".")[0], "other")
