"""Every rule a file is held against, read from the code that holds them: docs/import-rules.md is printed from this.

Rules are calls error(where, "code", …), warning(…) and info(…) in the rooms below; their sentences stand in the call
(checks shared with the forms) or in sentences.SENTENCES (rules of files). Pure: reads source files only.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from listings.imports.sentences import SENTENCES

LISTINGS = Path(__file__).resolve().parent.parent
LEVELS = ("error", "warning", "info")
SHARED = ("checks.py", "places.py", "region_checks.py", "kinds/pools.py", "kinds/duct.py", "kinds/cable.py",
          "kinds/room.py", "kinds/tower.py")  # fmt: skip
OF_FILES = ("imports/values.py", "imports/checking.py", "imports/spots.py", "imports/rules.py", "imports/shapes.py",
            "imports/neighbours.py", "imports/demand_target.py", "imports/parts_target.py")  # fmt: skip


@dataclass(frozen=True, order=True)
class Rule:
    """level, code, what is wrong and what would be right, in English; is_shared: forms hold it as well."""

    level: str
    code: str
    message: str
    fix: str
    is_shared: bool


def rules() -> list[Rule]:
    """All of them, errors first, each code and level once."""
    found: dict[tuple[str, str], Rule] = {}
    for is_shared, names in ((True, SHARED), (False, OF_FILES)):
        for name in names:
            for rule in _in_file(LISTINGS / name, is_shared):
                found.setdefault((rule.level, rule.code), rule)
    return sorted(found.values(), key=lambda rule: (LEVELS.index(rule.level), rule.code))


def refusals() -> list[Rule]:
    """The sentences for whole files that are not taken."""
    rowwise = {rule.code for rule in rules()}
    wanted = [code for code in SENTENCES if code not in rowwise]
    return [Rule("refusal", code, str(SENTENCES[code][0]), str(SENTENCES[code][1]), False) for code in wanted]


def _in_file(path: Path, is_shared: bool) -> Iterator[Rule]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in LEVELS):
            continue
        codes = _texts(node.args[1]) if len(node.args) > 1 else []
        for code in codes:
            if code in SENTENCES and not is_shared:
                message, fix = (str(text) for text in SENTENCES[code])
            else:
                message = next(iter(_texts(node.args[2])), "") if len(node.args) > 2 else ""
                fix = next(iter(_texts(node.args[3])), "") if len(node.args) > 3 else ""
            if message:
                yield Rule(node.func.id, code, message, fix, is_shared)


def _texts(node: ast.AST) -> list[str]:
    """The string constants in an expression, in order."""
    found = [n for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return [str(n.value) for n in sorted(found, key=lambda n: (n.lineno, n.col_offset))]


def as_markdown() -> str:
    """The whole of docs/import-rules.md."""
    lines = [
        "# What a file is held against",
        "",
        "Printed from the code by `manage.py import_rules`; a test holds this file current. Do not edit it by hand.",
        "Errors leave a row out; warnings and notes do not. “Forms too”: the same check answers in the form.",
        "",
        "| level | code | what is wrong | what would be right | forms too |",
        "|---|---|---|---|---|",
    ]
    for rule in rules():
        cells = (rule.level, f"`{rule.code}`", _plain(rule.message), _plain(rule.fix), "yes" if rule.is_shared else "")
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", "## Files that are not taken", "", "| code | what is wrong | what would be right |", "|---|---|---|"]
    lines += [f"| `{rule.code}` | {_plain(rule.message)} | {_plain(rule.fix)} |" for rule in refusals()]
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    return " ".join(text.replace("%%", "%").replace("|", "\\|").split())
