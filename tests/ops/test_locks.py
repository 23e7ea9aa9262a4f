"""What may be installed: exact, hashed, from no named registry, never below versions with known holes."""

import json
import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ["requirements.lock", "requirements-dev.lock"]

# Below these, a hole is known: Django CVE-2026-15307, allauth's rate limits; daphne is not used at all.
FLOORS = {
    "django": (5, 2, 19),
    "wagtail": (8, 0, 1),
    "django-allauth": (65, 21, 1),
    "pillow": (12, 0),
    "psycopg2-binary": (2, 9, 13),
}


def locked(name: str) -> dict[str, set[str]]:
    """Package → its locked versions (more than one where Python versions need different ones)."""
    versions: dict[str, set[str]] = {}
    for package, number in re.findall(r"^([a-z0-9][a-z0-9.-]*)==(\S+)", (ROOT / name).read_text(), re.M):
        versions.setdefault(package, set()).add(number)
    return versions


def numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


@pytest.mark.parametrize("name", [*LOCKS, "package-lock.json", "package.json", ".npmrc", "pyproject.toml"])
def test_no_file_names_a_registry(name):
    text = (ROOT / name).read_text()
    assert '"resolved"' not in text
    for address in re.findall(r"https?://[^\s\"']+", text):
        assert re.match(r"https://(opencollective\.com|github\.com/sponsors|github\.com/[\w/.-]+\?sponsor)", address), (
            address
        )
    assert "index-url" not in text
    assert "find-links" not in text


@pytest.mark.parametrize("name", LOCKS)
def test_every_line_is_exact_and_hashed(name):
    blocks = re.split(r"\n(?=[a-z0-9])", (ROOT / name).read_text().strip())
    assert len(blocks) > 90
    for block in blocks:
        assert re.match(r"[a-z0-9][a-z0-9.-]*==\S+", block), block[:60]
        assert "--hash=sha256:" in block, block[:60]


def test_development_has_the_runtime_and_more():
    runtime, development = (locked(name) for name in LOCKS)
    assert runtime.items() <= development.items()


@pytest.mark.parametrize("name", LOCKS)
def test_psycopg_3_stays_out(name):
    assert not {"psycopg", "psycopg-binary", "psycopg-c"} & set(locked(name))


def test_django_uses_psycopg_2():
    from django.db.backends.postgresql.psycopg_any import is_psycopg3

    assert not is_psycopg3


def test_ortools_has_no_rival_in_its_process():
    assert "highspy" not in locked("requirements.lock")


@pytest.mark.parametrize(("package", "floor"), FLOORS.items())
def test_versions_are_above_known_holes(package, floor):
    assert min(numbers(number) for number in locked("requirements.lock")[package]) >= floor
    assert numbers(version(package)) >= floor


def test_lock_serves_the_pythons_of_the_distributions():
    """Debian 12 has 3.11, Ubuntu 24.04 3.12, Debian 13 3.13: a lock made universally has all of them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=3.11"
    assert "python_full_version < '3.12'" in (ROOT / "requirements.lock").read_text()


def test_each_dependency_says_what_it_is_for():
    text = (ROOT / "pyproject.toml").read_text()
    runtime = text[text.index("dependencies = [") : text.index("[dependency-groups]")]
    for line in re.findall(r'^ {4}".*$', runtime, re.M):
        assert re.search(r",\s+# \S.{8,}", line), line


def test_front_end_packages_are_exact_and_hashed():
    wanted = json.loads((ROOT / "package.json").read_text())
    lock = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    for package, number in {**wanted["dependencies"], **wanted["devDependencies"]}.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", number), package
        assert lock[f"node_modules/{package}"]["version"] == number
    for path, package in lock.items():
        assert not path or package["integrity"].startswith("sha512-"), path
