"""Whatever is recorded in the audit log has words: read from the code, so that a new verb cannot be forgotten."""

import ast
import re
from functools import cache
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
FILE_ENDINGS = {"csv", "geojson", "gpkg", "ics", "json", "pdf", "xlsx", "zip"}
CODE = re.compile(r"[a-z_]+\.[a-z_]+")


def name_of(call: ast.Call) -> str:
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


def text_of(node: ast.AST | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def told_only(tree: ast.AST) -> set[int]:
    """The constants that are codes of notifications: what is given as code=…"""
    given = [
        word.value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        for word in call.keywords
        if word.arg == "code"
    ]
    return {id(node) for value in given for node in ast.walk(value)}


def calls(tree: ast.AST):
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def prefixes_of(tree: ast.AST) -> set[str]:
    """What stands before the braces wherever f"family.{verb}" is recorded."""
    found = set()
    for call in calls(tree):
        values = [word.value for word in call.keywords if word.arg == "verb"]
        values += call.args[:1] if name_of(call) == "record" else []
        found |= {text_of(value.values[0]) for value in values if isinstance(value, ast.JoinedStr)}
    return found


def takers_of(tree: ast.AST) -> dict[str, int]:
    """Function → where its parameter `verb` stands."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            names = [arg.arg for arg in (*node.args.args, *node.args.kwonlyargs)]
            if "verb" in names:
                found[node.name] = names.index("verb")
    return found


def verb_of(call: ast.Call, where: int) -> str:
    named = next((word.value for word in call.keywords if word.arg == "verb"), None)
    return text_of(named or (call.args[where] if where < len(call.args) else None))


@cache
def recorded_verbs() -> tuple[set[str], set[str]]:
    """(literal codes of the families that are recorded, codes put together from f"family.{verb}")."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}
    room = {path: path.relative_to(ROOT).parts[0] for path in SOURCES}
    prefixes = {path: prefixes_of(tree) for path, tree in trees.items()}
    takers = {path: takers_of(tree) for path, tree in trees.items()}
    definers: dict[str, list[Path]] = {}
    for path, found in takers.items():
        for name in found:
            definers.setdefault(name, []).append(path)
    families = {prefix.rstrip(".") for found in prefixes.values() for prefix in found}
    literals, joined = set(), set()
    for path, tree in trees.items():
        skipped = told_only(tree)
        codes = (node for node in ast.walk(tree) if CODE.fullmatch(text_of(node)) and id(node) not in skipped)
        literals |= {node.value for node in codes if node.value.split(".")[1] not in FILE_ENDINGS}
        for call in calls(tree):
            if name_of(call) == "record" and call.args:
                families.add(text_of(call.args[0]).split(".")[0])
            families |= {text_of(word.value).split(".")[0] for word in call.keywords if word.arg == "verb"} & {
                "message",
                "reservation",
            }
            defined = definers.get(name_of(call), [])
            near = [path] if path in defined else [p for p in defined if room[p] == room[path]]
            for definer in near:
                if near == [path] or not name_of(call).startswith("_"):
                    verb = verb_of(call, takers[definer][name_of(call)])
                    joined |= {prefix + verb for prefix in prefixes[definer] if verb and "." not in verb}
    return {code for code in literals if code.split(".")[0] in families - {""}}, joined


NOT_RECORDED = {
    # demand_lines.py tells of lists and of lines: the reading joins every verb with both
    *("line.add_lines", "line.edit_lines", "line.hand_in_lines"),
    *("list.fulfil", "list.mark_requested", "list.reopen", "list.withdraw"),
    "offer.make_free",  # a sentence of the conversation
    "agreement.fall_short",  # a sentence of the conversation
    *(
        "objection.answered",
        "objection.told",
        "proposal.opened",
        "thread.asked_bureau",
    ),  # sentences of the conversation
    "message.mention",  # a notification
    "request.warn",  # a notification
    *("project.alert", "project.built"),  # notifications
    "project.hand_in",  # recorded as project_document.add
    "bundle.warn",  # a notification
    "project.offer",  # an offer's own verb, told by a function of the same name
    *("export.days_kept", "export.important", "export.rows_per_day", "export.rows_unverified"),  # rules, not verbs
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
