"""script/server in a copy of this checkout: started, killed in every way, started again. Minutes, so marked chaos.

Run it with: script/test -m chaos tests/ops/test_server_chaos.py
Also marked slow, so that neither "not slow" nor "not chaos" runs it.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.chaos, pytest.mark.slow]

FIRST_START_S = 600  # with downloads; on two busy cores
NEXT_START_S = 60


class Server:
    """One checkout's script/server, as a person would run it."""

    def __init__(self, checkout: Path, port: int):
        self.checkout, self.port = checkout, port
        self.script: subprocess.Popen | None = None

    def start(self, within_s: float = NEXT_START_S) -> float:
        """Runs it until it says that it is ready; gives the seconds that took."""
        began = time.monotonic()
        log = self.checkout / "server.out"
        with log.open("w") as output:
            # a session of its own: signals to the test's terminal do not reach it
            self.script = subprocess.Popen(
                ["script/server"], cwd=self.checkout, env=self.environment(),
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        while "Ctrl-C stops it" not in log.read_text():
            assert self.script.poll() is None, log.read_text()
            assert time.monotonic() - began < within_s, log.read_text()
            time.sleep(0.2)
        return time.monotonic() - began

    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME") or "CERT" in key}
        return {**kept, "PORT": str(self.port)}

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5) as response:
                return response.status == 200
        except OSError:
            return False

    def wait_for(self, condition, seconds=30, what="") -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, what + "\n" + (self.checkout / "server.out").read_text()
            time.sleep(0.2)

    def pid(self, name: str) -> int:
        services = (self.checkout / ".local/services").resolve()
        files = {"postgres": services / "pg/data/postmaster.pid", "redis": services / "redis/redis.pid"}
        return int(files.get(name, self.checkout / f".local/run/{name}.pid").read_text().split("\n")[0])

    def processes(self) -> list[int]:
        """Everything that runs for this checkout, wherever its services lie."""
        places = {str(self.checkout), str((self.checkout / ".local/services").resolve())}
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    text = os.readlink(entry / "cwd") + (entry / "cmdline").read_text()
                except OSError:
                    continue
                if any(place in text for place in places):
                    found.append(int(entry.name))
        return found

    def stop(self, how: int = signal.SIGINT) -> int:
        self.script.send_signal(how)
        return self.script.wait(60)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    checkout = tmp_path_factory.mktemp("server") / "a check out"  # a space, on purpose
    names = subprocess.run(
        ["git", "ls-files", "-coz", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, checkout / name)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Server(checkout, port)
    try:
        server.start(FIRST_START_S)
        yield server
    finally:
        if server.script.poll() is None:
            server.stop()
        for pid in server.processes():
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree((checkout / ".local/services").resolve(), ignore_errors=True)


@pytest.fixture(autouse=True)
def running(server):
    if server.script.poll() is not None:
        server.start()
    return server


def test_a_second_start_is_refused_while_one_runs(server):
    second = subprocess.run(
        ["script/server"], cwd=server.checkout, env=server.environment(), capture_output=True, text=True, timeout=30
    )
    assert second.returncode == 1
    assert "already runs" in second.stderr
    assert server.answers()


def test_ctrl_c_leaves_nothing_running_and_the_next_start_is_quick(server):
    server.stop()
    server.wait_for(lambda: not server.processes(), what=f"left running: {server.processes()}")
    assert server.start() < 20  # 10 s on a quiet machine
    assert server.answers()


@pytest.mark.parametrize("name", ["worker", "postgres", "redis"])
def test_a_killed_part_comes_back_by_itself(server, name):
    old = server.pid(name)
    os.kill(old, signal.SIGKILL)

    def is_back() -> bool:
        try:
            return server.pid(name) != old and Path(f"/proc/{server.pid(name)}").exists()
        except (OSError, ValueError):
            return False

    server.wait_for(is_back, what=f"{name} did not come back")
    server.wait_for(server.answers)


def test_a_killed_web_server_ends_the_script_with_a_word(server):
    os.kill(server.pid("web"), signal.SIGKILL)
    assert server.script.wait(60) == 1
    assert "web server has ended" in (server.checkout / "server.out").read_text()
    server.wait_for(lambda: not server.processes())


@pytest.mark.parametrize("victims", [[], ["postgres"], ["postgres", "redis", "web", "worker"]])
def test_after_a_kill_of_anything_the_next_start_picks_up(server, victims):
    pids = [server.pid(name) for name in victims]
    server.script.kill()
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            assert victims  # went with the script, as it should
    server.script.wait(10)
    server.start()
    assert server.answers()
    server.stop()
    server.wait_for(lambda: not server.processes(), what="what the killed run had started was not stopped")


def test_stale_numbers_harm_no_stranger(server):
    server.stop()
    stranger = subprocess.Popen(["sleep", "300"])
    try:
        services = (server.checkout / ".local/services").resolve()
        (server.checkout / ".local/run").mkdir(exist_ok=True)
        for name in ("web", "worker", "server"):
            (server.checkout / f".local/run/{name}.pid").write_text(f"{stranger.pid}\n")
        for file in (services / "pg/data/postmaster.pid", services / "redis/redis.pid"):
            file.write_text(f"{stranger.pid}\n")
        server.start()
        assert server.answers()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize("half", ["venv", "initdb", "node_modules"])
def test_half_finished_steps_are_done_again(server, half):
    server.stop()
    local = server.checkout / ".local"
    if half == "venv":
        (local / "venv/lock-hash").unlink()
        (local / "venv/bin/python").unlink()
    elif half == "node_modules":
        (server.checkout / "node_modules/lock-hash").unlink()
        shutil.rmtree(server.checkout / "node_modules/esbuild")
    else:
        cluster = (local / "services").resolve() / "pg"
        (cluster / "data").rename(cluster / "data.new")  # as if killed before the last step
        (cluster / "prepared").unlink()
    server.start(FIRST_START_S)
    assert server.answers()


def test_a_taken_port_is_named(server):
    server.stop()
    with socket.socket() as other:
        other.bind(("127.0.0.1", server.port))
        other.listen()
        done = subprocess.run(
            ["script/server"],
            cwd=server.checkout,
            env=server.environment(),
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode == 1
    assert f"port {server.port}" in done.stderr
