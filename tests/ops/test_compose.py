"""The containers and the scripts are two ways to the same site: each is held to the other here."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
LIB = (ROOT / "script/lib.sh").read_text()
SERVER = (ROOT / "script/server").read_text()
SETTINGS = (ROOT / "sharing/settings.py").read_text()
ENV_EXAMPLE = (ROOT / ".env.example").read_text()

# Read by the scripts and by the compose file, not by Django.
SCRIPTS_OWN = {"HOST", "PORT", "DEMO"}
# Set by script/test for runs side by side; nobody configures a site with it.
TESTS_OWN = {"TEST_DB_SUFFIX", "TEST_DB_TEMPLATE"}


def names_in_settings() -> set[str]:
    return set(re.findall(r'(?:env\.\w+|required)\(\s*"([A-Z_]+)"', SETTINGS)) - TESTS_OWN


def names_in_example() -> set[str]:
    return set(re.findall(r"^#?([A-Z_]+)=", ENV_EXAMPLE, re.M))


def command_of(service: str) -> list[str]:
    command = COMPOSE["services"][service]["command"]
    return command if isinstance(command, list) else shlex.split(command)


def test_compose_runs_the_parts_that_the_scripts_run():
    assert {"postgis", "redis", "web", "worker"} <= set(COMPOSE["services"])


def test_example_names_every_setting_and_no_other():
    assert names_in_example() == names_in_settings() | SCRIPTS_OWN


def test_example_works_untouched_but_for_the_secret():
    uncommented = re.findall(r"^([A-Z_]+)=(.*)$", ENV_EXAMPLE, re.M)
    assert dict(uncommented) == {"SECRET_KEY": "", "DEBUG": "off"}


@pytest.mark.parametrize("service", ["prepare", "web", "worker"])
def test_compose_passes_only_names_that_exist(service):
    passed = COMPOSE["services"][service]["environment"]
    assert set(passed) <= names_in_example()
    # what a variable is set from carries its own name: DEBUG is set from ${DEBUG:-…}, not from something else
    for name, value in passed.items():
        assert re.match(rf"\$\{{{name}:-", str(value)), (name, value)


def test_variables_in_compose_are_in_the_example():
    used = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))
    assert used <= names_in_example()


def test_example_speaks_of_variables_that_scripts_read():
    read = set(re.findall(r"\$\(setting ([A-Z_]+)\)", LIB + SERVER))
    assert read
    assert read <= names_in_example()


def test_both_run_the_web_server_with_the_same_options():
    in_script = re.search(r"python -m (uvicorn .*?)\n\s*WEB=", SERVER, re.S)[1].replace("\\\n", " ")
    in_script = [{"$HOST": "0.0.0.0", "$PORT": "8000"}.get(word, word) for word in shlex.split(in_script)]
    assert command_of("web") == ["python", "-m", *in_script]


def test_both_run_the_same_worker():
    in_script = re.search(r"launch worker (.*)", SERVER)[1]
    assert command_of("worker") == shlex.split(in_script)


def test_both_prepare_with_the_same_commands():
    in_script = re.findall(r"python manage\.py (\w+)", SERVER[SERVER.index("prepare_site()") :])
    in_compose = re.findall(r"python manage\.py (\w+)", " ".join(command_of("prepare")))
    assert set(in_compose) == set(in_script) - {"worker"} == {"migrate", "demo", "load_regions", "ensure_site"}


def test_a_site_without_the_demo_world_has_regions_and_pages(db):
    """DEMO=0 runs exactly these, each twice without harm: nobody could found an organisation without regions."""
    from django.core.management import call_command
    from wagtail.models import Page

    from accounts.models import Organisation, Region

    for _start in range(2):
        call_command("load_regions", "--if-empty", verbosity=0)
        call_command("ensure_site", verbosity=0)
    assert Region.objects.filter(level=Region.Level.COUNTY).count() > 2_800
    assert Page.objects.filter(depth__gt=1, live=True).exists()
    assert not Organisation.objects.exists()
    otherwise = r"else[^\n]*\n?\s*(?:quietly \w+ mortal )?python manage\.py load_regions --if-empty"
    for text in (SERVER, (ROOT / "docker-compose.yml").read_text()):
        assert re.search(otherwise, text)


def test_management_commands_exist():
    from django.core.management import get_commands

    named = re.findall(r"manage\.py (\w+)", SERVER + LIB + (ROOT / "docker-compose.yml").read_text())
    assert set(named) <= set(get_commands())


def test_paths_named_in_the_container_files_exist():
    for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.M):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
    for program in re.findall(r"(script/[\w/.-]+)", DOCKERFILE):
        assert (ROOT / program).exists(), program
        if "entrypoint" in program or program == "script/setup":
            assert (ROOT / program).stat().st_mode & 0o111, f"{program} cannot be run"
    for target in {COMPOSE["services"][name].get("build", {}).get("target") for name in COMPOSE["services"]} - {None}:
        assert re.search(rf"^FROM \S+ AS {target}$", DOCKERFILE, re.M), target


def test_named_volumes_are_declared():
    for name, service in COMPOSE["services"].items():
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in COMPOSE["volumes"], (name, volume)


def test_database_image_is_a_version_that_the_scripts_know():
    image_major = re.search(r"^FROM postgres:(\d+)-bookworm AS database", DOCKERFILE, re.M)[1]
    packages = re.search(r"install .*?(postgresql-[^\\]*)", DOCKERFILE)[1].split()
    # the same three packages as script/lib.sh asks apt for, less the server, which the image has
    by_script = re.search(r'echo "(postgresql-\$version .*)"', LIB)[1].replace("$version", image_major).split()
    assert packages == by_script[1:]
    assert int(image_major) >= int(re.search(r'"\$\{version:-0\}" -ge (\d+)', LIB)[1])


def test_database_image_makes_the_same_extensions_and_locale():
    wanted = set(re.findall(r"create extension if not exists (\w+)", LIB))
    made = set(
        re.findall(r"create extension if not exists (\w+)", (ROOT / "script/container/extensions.sh").read_text())
    )
    assert made == wanted == {"postgis", "pgrouting", "pg_trgm", "btree_gist"}
    postgis = COMPOSE["services"]["postgis"]
    assert postgis["environment"]["POSTGRES_INITDB_ARGS"] in LIB
    assert (
        re.search(r"max_connections = (\d+)", LIB)[1] == re.search(r"max_connections=(\d+)", str(postgis["command"]))[1]
    )


def test_redis_keeps_nothing_in_either():
    assert "--save '' --appendonly no" in LIB
    assert command_of("redis") == ["redis-server", "--save", "", "--appendonly", "no"]


def test_nothing_secret_goes_into_the_image():
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".env", ".local", ".git"} <= set(ignored)
