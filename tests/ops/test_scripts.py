"""The scripts' own functions, run one by one in a copy of script/ at another place."""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = [path for path in (ROOT / "script").rglob("*") if path.is_file()]


@pytest.fixture
def checkout(tmp_path):
    """A place with the scripts and nothing else."""
    shutil.copytree(ROOT / "script", tmp_path / "checkout/script")
    return tmp_path / "checkout"


def shell(checkout: Path, commands: str, **environment) -> subprocess.CompletedProcess:
    clean = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    return subprocess.run(
        ["bash", "-c", f'source "{checkout}/script/lib.sh"\n{commands}'],
        env={**clean, **environment}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def out(checkout: Path, commands: str, **environment) -> str:
    done = shell(checkout, commands, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_valid_shell(script):
    shell_name = re.match(r"#!.*?(\w+)$", script.read_text().split("\n")[0])
    subprocess.run([shell_name[1] if shell_name else "bash", "-n", str(script)], check=True)
    assert bool(script.stat().st_mode & 0o111) == (script.name != "lib.sh"), "runnable, but for the one to be sourced"


@pytest.mark.parametrize("script", [*SCRIPTS, ROOT / ".ci/run", ROOT / "Dockerfile"], ids=lambda path: path.name)
def test_scripts_name_no_outside_host(script):
    hosts = re.findall(r"https?://([^\s/:\"'$]+)", script.read_text())
    assert set(hosts) <= {"127.0.0.1"}


class TestSettings:
    def test_come_from_the_file(self, checkout):
        (checkout / ".env").write_text("PORT=8100\nNAME='a b'\nQUOTED=\"x=y\"\n#HOST=0.0.0.0\n")
        assert out(checkout, "setting PORT; setting NAME; setting QUOTED; setting HOST; setting ABSENT") == "8100a bx=y"

    def test_the_environment_wins(self, checkout):
        (checkout / ".env").write_text("PORT=8100\n")
        assert out(checkout, "setting PORT", PORT="8200") == "8200"

    def test_env_file_is_written_once_with_a_secret_nobody_else_reads(self, checkout):
        shutil.copy(ROOT / ".env.example", checkout)
        out(checkout, "ensure_env_file; cp .env first; ensure_env_file; cmp .env first")
        text = (checkout / ".env").read_text()
        assert len(re.search(r"^SECRET_KEY=(.*)$", text, re.M)[1]) >= 50
        assert (checkout / ".env").stat().st_mode & 0o077 == 0


class TestServicesFolder:
    def test_lies_in_the_checkout_where_it_can(self):
        # the folder that serves this very run, if script/test or script/dev-env made it
        link = ROOT / ".local/services"
        if not link.exists():
            pytest.skip("no private services here")
        assert len(os.fsencode(link.resolve() / "pg-test/socket/.s.PGSQL.5432.lock")) <= 107

    @pytest.mark.parametrize("name", ["with space", "共建", "long-" + "x" * 90, "percent%2F"])
    def test_goes_elsewhere_where_a_socket_could_not_be_named(self, tmp_path, name):
        checkout = tmp_path / name
        shutil.copytree(ROOT / "script", checkout / "script")
        try:
            folder = out(checkout, "find_services_folder; echo $SERVICES; find_services_folder; echo $SERVICES").split(
                "\n"
            )
            assert folder[0] == folder[1]
            assert re.fullmatch(r"/var/tmp/gongjian-\d+-[0-9a-f]{16}", folder[0])
            assert (checkout / ".local/services").resolve() == Path(folder[0])
            assert Path(folder[0], "checkout").read_text().strip() == str(checkout)
        finally:
            shutil.rmtree((checkout / ".local/services").resolve(), ignore_errors=True)

    def test_a_copied_checkout_does_not_share_the_first_ones_data(self, tmp_path):
        first, second = tmp_path / "one checkout", tmp_path / "a copy"
        shutil.copytree(ROOT / "script", first / "script")
        one = out(first, "find_services_folder; echo $SERVICES")
        shutil.copytree(first, second, symlinks=True)
        two = out(second, "find_services_folder; echo $SERVICES")
        try:
            assert one != two
            assert out(first, "find_services_folder; echo $SERVICES") == one
            shutil.rmtree(first)
            moved = tmp_path / "moved away"
            second.rename(moved)
            assert out(moved, "find_services_folder; echo $SERVICES") == two, "a moved checkout keeps its data"
        finally:
            shutil.rmtree(one, ignore_errors=True)
            shutil.rmtree(two, ignore_errors=True)


class TestProcesses:
    def test_a_number_alone_is_not_believed(self, checkout):
        questions = "is_process $! uvicorn || echo stranger; is_process $! 'sleep 30' && echo own"
        assert out(checkout, f"sleep 30 & sleep 0.2; {questions}; kill $!") == "stranger\nown"

    def test_ending_insists(self, checkout):
        stubborn = "bash -c 'trap \"\" TERM; while :; do sleep 0.1; done' & sleep 0.3"
        assert out(checkout, f"{stubborn}; end_process $! 1; sleep 0.3; kill -0 $! 2>/dev/null || echo gone") == "gone"

    def test_a_mortal_command_ends_with_its_script(self, checkout):
        commands = f'source "{checkout}/script/lib.sh"; mortal bash -c "echo \\$\\$; exec sleep 120"; true'
        with subprocess.Popen(["bash", "-c", commands], stdout=subprocess.PIPE, text=True) as script:
            child = int(script.stdout.readline())
            script.kill()
        for _ in range(50):
            if not Path(f"/proc/{child}").exists():
                return
            time.sleep(0.1)
        os.kill(child, signal.SIGKILL)
        pytest.fail("the child outlived its script")


class TestFailures:
    def test_a_failed_step_shows_what_it_said_and_where_the_rest_is(self, checkout):
        done = shell(checkout, "quietly step bash -c 'echo the reason; exit 3'; echo not reached")
        assert done.returncode == 1
        assert "the reason" in done.stderr
        assert ".local/log/step.log" in done.stderr
        assert "not reached" not in done.stdout

    def test_nothing_ends_in_silence(self, checkout):
        done = shell(checkout, "false")
        assert done.returncode == 1
        assert "Stopped" in done.stderr

    def test_a_step_cut_short_runs_again(self, checkout):
        assert (
            out(checkout, "is_stamped thing abc || echo no; stamp thing abc; is_stamped thing abc && echo yes")
            == "no\nyes"
        )

    def test_without_apt_it_names_what_to_install(self, checkout):
        """A machine with nothing but the shell's own tools: every part is named, and Docker is offered."""
        tools = checkout / "tools"
        tools.mkdir()
        for name in (
            "bash",
            "cat",
            "cut",
            "date",
            "dirname",
            "env",
            "grep",
            "head",
            "id",
            "mkdir",
            "sed",
            "sha256sum",
            "sort",
            "tail",
            "tr",
        ):
            (tools / name).symlink_to(shutil.which(name))
        absent = "SYSTEM_PATH=$PATH; installed_postgres() { :; }; find_python() { :; }"
        done = subprocess.run(
            ["bash", "-c", f'source "{checkout}/script/lib.sh"\n{absent}\nensure_system'],
            env={"PATH": str(tools)}, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 1
        for part in (
            "Python 3.11",
            "PostgreSQL 15",
            "PostGIS",
            "pgRouting",
            "Redis",
            "bubblewrap",
            "gettext",
            "docker compose up",
        ):
            assert part in done.stderr, part
