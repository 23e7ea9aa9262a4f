"""What is wrong with one row of data, said to a person: level, where, what, and what would be right. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from accounts.errors import Refused

ERROR, WARNING, INFO = "error", "warning", "info"
Text = str | Promise


@dataclass(frozen=True)
class Problem:
    """One finding. field names what it is about as in ColumnSpec.field ("place" for the geometry, "" for the whole)."""

    level: str  # error: not stored; warning: stored, look at it; info: what was assumed
    field: str
    code: str
    message: Text
    fix: Text = ""

    @property
    def is_error(self) -> bool:
        return self.level == ERROR

    def as_dict(self) -> dict[str, str]:
        """As ImportRow.problems keeps it (column is the field's name; the import knows its header)."""
        return {
            "level": self.level,
            "column": self.field,
            "code": self.code,
            "message": str(self.message),
            "fix": str(self.fix),
        }


def error(field: str, code: str, message: Text, fix: Text = "") -> Problem:
    return Problem(ERROR, field, code, message, fix)


def warning(field: str, code: str, message: Text, fix: Text = "") -> Problem:
    return Problem(WARNING, field, code, message, fix)


def info(field: str, code: str, message: Text, fix: Text = "") -> Problem:
    return Problem(INFO, field, code, message, fix)


def errors(problems: Sequence[Problem]) -> list[Problem]:
    return [problem for problem in problems if problem.is_error]


class Invalid(Refused):
    """The data is wrong; .problems says where. A form shows each beside its field."""

    def __init__(self, problems: Sequence[Problem]):
        self.problems = list(problems)
        sentence = " ".join(" ".join(filter(None, [str(p.message), str(p.fix)])) for p in errors(self.problems)) or _(
            "The data cannot be stored."
        )
        super().__init__(sentence, code="invalid")
