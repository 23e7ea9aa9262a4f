"""How clauses move from one version of a term sheet to the next. Pure: lists of dicts as stored, in and out.

A clause stands "agreed", "countered" (its maker proposes these words; accepting the version accepts them), "struck"
(its maker proposes to leave it out) or "disputed" (its maker does not agree and has no better words yet).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agreements.clauses import clauses_for

AGREED, COUNTERED, STRUCK, DISPUTED = "agreed", "countered", "struck", "disputed"
OWN = "own_"  # codes of clauses a party has added: own_1, own_2 …
OWN_MAX = 20


@dataclass(frozen=True)
class Answer:
    """What a side says to one clause: the words it wants in both languages, and whether it leaves it in dispute."""

    zh: str
    en: str
    is_disputed: bool = False
    remark: str = ""
    title_zh: str = ""  # of an added clause only
    title_en: str = ""


def library(kind: str, mode: str = "") -> list[dict[str, Any]]:
    """The clauses of the library for a resource's kind and the sharing mode, all agreed."""
    return [{**clause.as_json(), "stand": AGREED, "by": None, "remark": ""} for clause in clauses_for(kind, mode)]


def carried(previous: Sequence[Mapping[str, Any]], side: int) -> list[dict[str, Any]]:
    """The same words again, as an answer by the side: what the other proposed is thereby agreed."""
    return [_answered(clause, None, side) for clause in previous if not _is_gone(clause, side)]


def answered(previous: Sequence[Mapping[str, Any]], answers: Mapping[str, Answer], side: int) -> list[dict[str, Any]]:
    """The next version's clauses. side: the answering organisation. A clause nobody answers is carried on; answers to
    codes that are new are clauses added at the end."""
    made = [
        _answered(clause, answers.get(clause["code"]), side)
        for clause in previous
        if not (_is_gone(clause, side) and clause["code"] not in answers)
    ]
    made = [clause for clause in made if clause["stand"] != "gone"]
    known = {clause["code"] for clause in previous}
    for code, answer in answers.items():
        if code not in known and (answer.zh or answer.en):
            title = {"zh": answer.title_zh or answer.title_en, "en": answer.title_en or answer.title_zh}
            made.append({
                "code": code, "title": title,
                "text": {"zh": answer.zh, "en": answer.en}, "stand": COUNTERED, "by": side, "remark": answer.remark,
            })  # fmt: skip
    return made


def _is_gone(clause: Mapping[str, Any], side: int) -> bool:
    """Struck by the other side, and this side says nothing against it."""
    return clause["stand"] == STRUCK and clause["by"] != side


def _answered(clause: Mapping[str, Any], answer: Answer | None, side: int) -> dict[str, Any]:
    same = {**clause, "title": dict(clause["title"]), "text": dict(clause["text"])}
    is_others = clause["by"] != side
    if answer is None:
        if clause["stand"] == COUNTERED and is_others:
            return same | {"stand": AGREED, "by": None, "remark": ""}
        return same
    words = {"zh": answer.zh, "en": answer.en}
    if answer.is_disputed:
        text = words if any(words.values()) else same["text"]
        if clause["stand"] == DISPUTED and is_others and text == same["text"]:
            return same  # the dispute stays whose it is: nobody else can settle it by joining it
        return same | {"text": text, "stand": DISPUTED, "by": side, "remark": answer.remark}
    if not any(words.values()):
        if clause["stand"] == STRUCK and is_others:
            return same | {"stand": "gone"}
        return same | {"stand": STRUCK, "by": side, "remark": answer.remark}
    if words == same["text"]:
        if clause["stand"] == DISPUTED and is_others:
            return same  # only who disputes it, or other words, settle it
        if clause["stand"] in (COUNTERED, STRUCK) and not is_others:
            return same | {"stand": COUNTERED}
        if clause["stand"] == STRUCK:  # struck by the other, wanted by this one
            return same | {"stand": COUNTERED, "by": side, "remark": answer.remark}
        return same | {"stand": AGREED, "by": None, "remark": ""}
    return same | {"text": words, "stand": COUNTERED, "by": side, "remark": answer.remark}


def with_mode(clauses: Sequence[Mapping[str, Any]], kind: str, mode: str) -> list[dict[str, Any]]:
    """The clauses for another sharing mode: its clause comes in before the closing ones, those of other modes go."""
    wanted = [clause for clause in library(kind, mode) if clause["code"].startswith("mode_")]
    kept = [dict(c) for c in clauses if not c["code"].startswith("mode_") or c["code"] in {w["code"] for w in wanted}]
    there = {clause["code"] for clause in kept}
    at = next((i for i, clause in enumerate(kept) if clause["code"] == "safety"), len(kept))
    return kept[:at] + [clause for clause in wanted if clause["code"] not in there] + kept[at:]


def unanswered(clauses: Sequence[Mapping[str, Any]], side: int) -> bool:
    """Whether the other side has changed or struck a clause and this side has not spoken to it yet."""
    return any(clause["stand"] in (COUNTERED, STRUCK) and clause["by"] != side for clause in clauses)


def disputed(clauses: Sequence[Mapping[str, Any]]) -> int:
    return sum(clause["stand"] == DISPUTED for clause in clauses)


def settled(clauses: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The clauses of an accepted version as the agreement carries them: struck ones are left out."""
    return [
        {"code": clause["code"], "title": dict(clause["title"]), "text": dict(clause["text"])}
        for clause in clauses
        if clause["stand"] != STRUCK
    ]
