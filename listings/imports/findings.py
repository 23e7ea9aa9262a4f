"""What was found, kept as code and parameters, and worded in the reader's language when it is shown. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import get_language, gettext

from accounts.errors import Refused
from listings.imports.sentences import SENTENCES

ERROR, WARNING, INFO = "error", "warning", "info"
LEVELS = (ERROR, WARNING, INFO)


@dataclass(frozen=True)
class Finding:
    """One finding about a row. column is a ColumnSpec.field ("place" for the geometry, "" for the whole row).

    texts: {language: [message, fix]} where another module worded it; else SENTENCES[code] with params.
    """

    level: str
    column: str
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)
    texts: Mapping[str, list[str]] = field(default_factory=dict)

    @property
    def is_error(self) -> bool:
        return self.level == ERROR

    def as_json(self) -> dict[str, Any]:
        row: dict[str, Any] = {"level": self.level, "column": self.column, "code": self.code}
        if self.params:
            row["params"] = dict(self.params)
        if self.texts:
            row["texts"] = dict(self.texts)
        return row


def error(column: str, code: str, /, **params: Any) -> Finding:
    return Finding(ERROR, column, code, params)


def warning(column: str, code: str, /, **params: Any) -> Finding:
    return Finding(WARNING, column, code, params)


def info(column: str, code: str, /, **params: Any) -> Finding:
    return Finding(INFO, column, code, params)


def sentence(code: str, params: Mapping[str, Any] | None = None) -> tuple[str, str]:
    """(what is wrong, what would be right) in the reader's language."""
    message, fix = SENTENCES[code]
    shown: dict[str, Any] = {}
    for name, value in (params or {}).items():  # "known_words": a list of words; shown as "known" too
        if name.endswith("_words"):
            value = "、".join(map(gettext, value)) if (get_language() or "").startswith("zh") else ", ".join(value)
        elif name.endswith("_word"):
            value = gettext(value)
        shown[name] = shown[name.removesuffix("_words").removesuffix("_word")] = value
    return str(message) % shown, str(fix) % shown if fix else ""


def worded(row: Mapping[str, Any]) -> dict[str, str]:
    """A stored finding as the report shows it: level, column, code, message, fix."""
    texts = row.get("texts") or {}
    if texts:
        language = get_language() or ""
        message, fix = texts.get(language) or texts.get(language.split("-")[0]) or next(iter(texts.values()))
    else:
        message, fix = sentence(row["code"], row.get("params"))
    return {"level": row["level"], "column": row["column"], "code": row["code"], "message": message, "fix": fix}


class FileRefused(Refused):
    """The whole file cannot be taken; one sentence says why and what would be right."""

    def __init__(self, code: str, /, **params: Any):
        self.params = params
        super().__init__(" ".join(filter(None, sentence(code, params))), code=code)

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "params": self.params}
