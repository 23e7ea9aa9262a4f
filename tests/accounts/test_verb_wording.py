"""Whatever is recorded in the audit log has words: read from the code, so that a new verb cannot be forgotten."""

import ast
import re
from pathlib import Path

import pytest
from django.utils.functional import Promise

from accounts.wording import VERBS

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("accounts", "messaging", "listings", "matching", "agreements", "cms")
SOURCES = [
    path
    for room in ROOMS
    for path in sorted((ROOT / room).rglob("*.py"))
    if "migrations" not in path.parts and not path.stem.endswith("wording")
]
CODE = re.compile(r"[a-z_]+\.[a-z_]+")


def name_of(call: ast.Call) -> str:
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


def text_of(node: ast.AST | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def recorded_verbs() -> tuple[set[str], set[str]]:
    """(literal codes of the families that are recorded, codes put together from f"family.{verb}")."""
    literals: dict[str, set[str]] = {}
    families, joined = set(), set()
    takes_verb: dict[tuple[str, str], int] = {}  # (room, function) → where its parameter `verb` stands
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                names = [arg.arg for arg in (*node.args.args, *node.args.kwonlyargs)]
                if "verb" in names:
                    takes_verb[str(path), node.name] = names.index("verb")
                    if not node.name.startswith("_"):
                        takes_verb[path.relative_to(ROOT).parts[0], node.name] = names.index("verb")
    for path, tree in trees.items():
        prefixes, verbs = set(), set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and CODE.fullmatch(text_of(node)):
                literals.setdefault(text_of(node).split(".")[0], set()).add(text_of(node))
            if not isinstance(node, ast.Call):
                continue
            first = node.args[0] if node.args else None
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            if name_of(node) == "record":
                families.add(text_of(first).split(".")[0])
            for value in (first if name_of(node) == "record" else None, given.get("verb")):
                if isinstance(value, ast.JoinedStr):
                    prefixes.add(text_of(value.values[0]))
            where = takes_verb.get((str(path), name_of(node)))
            if where is None:
                where = takes_verb.get((path.relative_to(ROOT).parts[0], name_of(node)))
            if where is not None:
                verbs.add(text_of(given.get("verb") or (node.args[where] if where < len(node.args) else None)))
        families |= {prefix.rstrip(".") for prefix in prefixes}
        joined |= {prefix + verb for prefix in prefixes for verb in verbs - {""} if "." not in verb}
    return {code for family in families - {""} for code in literals.get(family, ())}, joined


NOT_RECORDED = {
    # demand_lines.py tells of lists and of lines: the reading joins every verb with both
    *("line.add_lines", "line.edit_lines", "list.fulfil", "list.mark_requested", "list.reopen", "list.withdraw"),
    "offer.make_free",  # a sentence of the conversation
    "thread.grown",  # a frame of the socket
}


def test_the_reading_of_the_code_finds_both_ways_of_naming_a_verb():
    literal, joined = recorded_verbs()
    assert {"run.start", "run.finish", "message.post", "grant.give", "reservation.expire"} <= literal
    assert {"import.upload", "import.undo", "list.submit", "resource.retire", "line.fulfil"} <= joined


def test_every_recorded_verb_has_words_that_can_be_translated():
    literal, joined = recorded_verbs()
    missing = sorted((literal | joined) - set(VERBS) - NOT_RECORDED)
    assert not missing, f"no wording for {missing}: accounts.wording.register()"


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_words_are_lazy_so_that_each_reader_gets_their_language(verb):
    assert isinstance(VERBS[verb], Promise)
    assert str(VERBS[verb]) != verb
