"""Prints the life of requests, resources and demand lists as Mermaid diagrams into docs/states.md."""

from collections.abc import Iterator

from django.conf import settings
from django.core.management.base import BaseCommand

from agreements import states
from agreements.projects import states as project_states
from listings import list_states
from listings import states as resource_states

HEAD = """# States

Printed from the dicts that actions and buttons ask, by `manage.py states_diagram`; a test holds this file current.
Do not edit it by hand.
"""


class Command(BaseCommand):
    help = "Writes docs/states.md from the dicts of transitions (--check: only says whether it is current)."

    def add_arguments(self, parser):
        parser.add_argument("--check", action="store_true")

    def handle(self, *args, **options):
        path = settings.BASE_DIR / "docs" / "states.md"
        text = diagrams()
        if options["check"]:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                raise SystemExit("docs/states.md is not current: run manage.py states_diagram")
            return
        path.write_text(text, encoding="utf-8")
        self.stdout.write(f"wrote {path}")


def diagrams() -> str:
    """The whole file."""
    parts = [HEAD, *_requests(), *_resources(), *_lists(), *_lines(), *_projects()]
    return "\n".join(parts) + "\n"


def _diagram(title: str, rows: list[str]) -> Iterator[str]:
    yield from (f"## {title}", "", "```mermaid", "stateDiagram-v2", *(f"  {row}" for row in rows), "```", "")


def _requests() -> Iterator[str]:
    verb, first = states.INITIAL
    rows = [f"[*] --> {first.to}: {_request_words(verb, first)}"]
    for state, moves in states.TRANSITIONS.items():
        for verb, move in moves.items():
            rows += [f"{state} --> {target}: {_request_words(verb, move)}" for target in _targets(move)]
        rows += [f"{state} --> [*]"] if not moves else []
    yield from _diagram("Requests and agreements", rows)
    yield from ("| state | who owes the next step |", "|---|---|")
    yield from (f"| {state} | {owner or '–'} |" for state, owner in states.OWNERS.items())
    yield ""


def _targets(move: states.Transition) -> list[str]:
    """Where it leads: one state, or after a hold-up any of those it can begin in."""
    if not move.goes_back:
        return [move.to]
    return [state for state, moves in states.TRANSITIONS.items() if "hold_up" in moves]


def _request_words(verb: str, move: states.Transition) -> str:
    who = move.cause.value.replace("_", " ") if move.cause else " or ".join(side.value for side in move.sides)
    roles = "" if move.cause else f" ({', '.join(move.roles)})"
    more = ["in turn"] if move.is_answer else []
    more += ["with a reason"] if move.needs_reason else []
    more += [f"starts {move.starts_clock}"] if move.starts_clock else []
    more += ["the clock goes on"] if move.keeps_clock or move.goes_back else []
    return f"{verb} by {who}{roles}" + (f", {', '.join(more)}" if more else "")


def _resources() -> Iterator[str]:
    rows = ["[*] --> draft: by the owner's editors"]
    for verb, move in resource_states.TRANSITIONS.items():
        rows += [f"{source} --> {move.target}: {verb}" for source in move.sources]
    yield from _diagram("Resources", rows)


def _lists() -> Iterator[str]:
    yield from _diagram("Demand lists", _moves(list_states.LIST_MOVES, list_states.LIST_OWNERS))


def _lines() -> Iterator[str]:
    yield from _diagram("Demand lines", _moves(list_states.LINE_MOVES, list_states.LINE_OWNERS))


def _projects() -> Iterator[str]:
    rows = [f"[*] --> draft: drafted by {project_states.LEAD}"]
    for state, moves in project_states.TRANSITIONS.items():
        for verb, move in moves.items():
            words = f"{verb} by {move.who}" + (", with a reason" if move.needs_reason else "")
            rows.append(f"{state} --> {move.to or state}: {words}")
        rows += [f"{state} --> [*]"] if not moves else []
    yield from _diagram("Works built together", rows)
    yield from ("| state | who owes the next step |", "|---|---|")
    yield from (f"| {state} | {owner or '–'} |" for state, owner in project_states.OWNERS.items())
    yield ""


def _moves(moves_by_state, owners) -> list[str]:
    rows = []
    for state, moves in moves_by_state.items():
        for verb, move in moves.items():
            who = " or ".join(str(role) for role in move.roles) or owners[state]
            rows.append(f"{state} --> {move.to}: {verb} by {who}" + (", with a reason" if move.needs_reason else ""))
    return rows
