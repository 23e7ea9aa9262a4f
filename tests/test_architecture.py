"""The rooms import one way, and inside a room things stand in their order. Read from the code itself."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# Lower rooms first: a room may import those before it. cms may read all; nothing imports cms or sharing.
ORDER = ["accounts", "messaging", "listings", "matching", "agreements", "monitoring"]
ROOMS = [*ORDER, "cms", "sharing"]
# Inside a room: models ← querysets, states ← permissions ← actions ← views, consumers, commands, tasks.
LAYERS = {
    "models": 0,
    "querysets": 0,
    "states": 1,
    "permissions": 2,
    "actions": 3,
    "views": 4,
    "consumers": 4,
    "management": 4,
}
# Names a room may import against the order, each with its reason.
ALLOWED: dict[tuple[str, str], str] = {
    ("sharing/urls.py", "cms"): "wiring: includes the CMS addresses",
}
IMPURE = {"django", "accounts", "messaging", "listings", "matching", "agreements", "channels", "wagtail"}
PURE = ("matching/core", "listings/money")  # these may import each other, downwards, and no framework


def python_files():
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def imports_of(path: Path):
    """(module, is it at the top level of the file) of every import."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    top = set(map(id, tree.body))
    package = path.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in top
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                base = package[: len(package) - node.level]
                stem = ".".join([*base, node.module] if node.module else base)
            else:
                stem = node.module or ""
            if node.module and not node.level:
                yield stem, id(node) in top
            for alias in node.names:
                yield f"{stem}.{alias.name}", id(node) in top


def room_of(module: str) -> str | None:
    head = module.split(".")[0]
    return head if head in ROOMS else None


def test_rooms_import_one_way():
    wrong = []
    for path in python_files():
        relative = path.relative_to(ROOT).as_posix()
        own = relative.split("/")[0]
        for module, _ in imports_of(path):
            other = room_of(module)
            if other is None or other == own or own == "sharing" or (relative, other) in ALLOWED:
                continue
            is_upward = other in ("cms", "sharing") or (own in ORDER and ORDER.index(other) > ORDER.index(own))
            if is_upward:
                wrong.append(f"{relative} imports {module}")
    assert not wrong, "\n".join(sorted(set(wrong)))


def layer_of(relative: str) -> int | None:
    parts = Path(relative).with_suffix("").parts[1:]
    return next((LAYERS[part] for part in parts if part in LAYERS), None)


def test_layers_inside_a_room_import_downwards():
    wrong = []
    for path in python_files():
        relative = path.relative_to(ROOT).as_posix()
        own_layer = layer_of(relative)
        if own_layer is None:
            continue
        for module, is_top in imports_of(path):
            if room_of(module) != relative.split("/")[0] or not is_top:
                continue
            parts = module.split(".")[1:]
            layer = next((LAYERS[part] for part in parts if part in LAYERS), None)
            if layer is not None and layer > own_layer:
                wrong.append(f"{relative} imports {module}")
    assert not wrong, "\n".join(sorted(set(wrong)))


@pytest.mark.parametrize("folder", PURE)
def test_pure_code_knows_no_framework(folder):
    pure = tuple(name.replace("/", ".") for name in PURE)
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for module, _ in imports_of(path)
        if module.split(".")[0] in IMPURE and not module.startswith(pure)
    ]
    assert not wrong, "\n".join(wrong)


def test_the_rule_sees_a_breach(tmp_path):
    """The control: a file that imports upwards is found by the same reading."""
    file = tmp_path / "x.py"
    file.write_text("def f():\n    from agreements.models import Offer\n", encoding="utf-8")
    tree = ast.parse(file.read_text())
    found = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert found == ["agreements.models"]
    assert ORDER.index("agreements") > ORDER.index("accounts")


def test_files_stay_readable():
    """A smell held as a limit at twice the house's measure, so that the long tail never grows."""
    long = {
        path.relative_to(ROOT).as_posix(): lines
        for path in python_files()
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 800
    }
    assert not long
