"""A private site to break: its own PostgreSQL, Redis, web processes on one shared port, and worker.

Everything lives in one temporary folder and is ended by Site.stop(); only processes started here are ever signalled.
"""

import contextlib
import glob
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOOPBACK = "127.0.0.1"


def _postgres_bin() -> Path:
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda path: int(path.split("/")[4]))
    path = found[-1] if found else shutil.which("initdb")
    if not path:
        raise SystemExit("PostgreSQL's initdb is not here: run script/setup --dev")
    return Path(path).parent


class Site:
    """web: how many web processes; durable: whether commits wait for the disk; template: a database to copy the schema
    from (as libpq names it) instead of running the migrations."""

    def __init__(
        self, *, web: int = 2, durable: bool = False, template: str = "", environ: dict[str, str] | None = None
    ):
        self.folder = Path(tempfile.mkdtemp(prefix="gj-chaos-"))
        self.folder.chmod(0o755)
        self.bin, self.durable, self.template, self.extra = _postgres_bin(), durable, template, environ or {}
        self.web_count = web
        self.web: list[subprocess.Popen] = []
        self.redis: subprocess.Popen | None = None
        self.postgres: subprocess.Popen | None = None
        self.worker: subprocess.Popen | None = None
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((LOOPBACK, 0))
        self.listener.listen(4096)
        self.port = self.listener.getsockname()[1]
        self.address = f"http://{LOOPBACK}:{self.port}"

    # --- as the database's own user where we are root ---
    def _as_owner(self, *command: str) -> list[str]:
        if os.geteuid() != 0:
            return list(command)
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]

    @property
    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return {
            **inherited,
            "PYTHONPYCACHEPREFIX": str(ROOT / ".local" / "chaos-bytecode"),  # a new process starts in seconds
            "DATABASE_URL": f"postgis://gongjian@/{self.folder}/pg/gongjian",
            "REDIS_URL": f"unix://{self.folder}/redis.sock?db=0",
            "SECRET_KEY": "only-for-chaos", "DEBUG": "off", "ALLOWED_HOSTS": LOOPBACK, "BASE_URL": self.address,
            "CSRF_TRUSTED_ORIGINS": "", "TRUSTED_PROXY_COUNT": "0", "EMAIL_URL": f"filemail:///{self.folder}/mail",
            "LOG_LEVEL": "ERROR", "MEDIA_ROOT": f"{self.folder}/media", "PRIVATE_ROOT": f"{self.folder}/private",
            "STATIC_ROOT": f"{self.folder}/static", "MESSAGES_PER_MINUTE": "1000000", "HTTP_THREADS": "8", **self.extra,
        }  # fmt: skip

    # --- starting ---
    def start(self) -> "Site":
        for number in (signal.SIGTERM, signal.SIGHUP):  # whoever ends the harness ends the site with it
            signal.signal(number, lambda *_: sys.exit(143))
        try:
            self.start_postgres()
            self.start_redis()
            self.fill()
            self.start_worker()
            for _ in range(self.web_count):
                self.start_web()
            self.wait_for_web()
        except BaseException:
            self.stop()
            raise
        return self

    def start_postgres(self) -> None:
        data, run = self.folder / "pg-data", self.folder / "pg"
        if not data.exists():
            for path in (data, run):
                path.mkdir(mode=0o700)
                if os.geteuid() == 0:
                    shutil.chown(path, "postgres", "postgres")
            command = [str(self.bin / "initdb"), "-D", str(data), "-U", "gongjian", "-A", "trust", "-E", "UTF8"]
            self._run(self._as_owner(*command, "--locale=C.UTF-8"))
        # synchronous_commit stays on: a killed backend makes PostgreSQL forget what was not written yet.
        safe = [] if self.durable else ["-c", "fsync=off", "-c", "full_page_writes=off"]
        self.postgres = subprocess.Popen(
            self._as_owner(
                str(self.bin / "postgres"), "-D", str(data), "-k", str(run), "-c", "listen_addresses=", "-c",
                "max_connections=200", "-c", "shared_buffers=256MB", *safe,
            ),
            stdout=self._log("postgres"), stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd="/",
        )  # fmt: skip
        self.wait_for_database()

    def wait_for_database(self, seconds: float = 60) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            asked = subprocess.run(
                [self.bin / "psql", "-h", self.folder / "pg", "-U", "gongjian", "-d", "postgres", "-XAtqc", "select 1"],
                capture_output=True,
            )
            if asked.returncode == 0:
                return
            time.sleep(0.1)
        log = (self.folder / "postgres.log").read_text()[-800:]
        raise RuntimeError(f"the private PostgreSQL does not answer: {log}")

    def sql(self, statement: str, database: str = "gongjian") -> str:
        command = [
            "psql",
            "-h",
            str(self.folder / "pg"),
            "-U",
            "gongjian",
            "-d",
            database,
            "-XAtq",
            "-v",
            "ON_ERROR_STOP=1",
        ]
        return self._run([str(self.bin / command[0]), *command[1:], "-c", statement]).strip()

    def fill(self) -> None:
        """The schema: copied where a template was named, else by the migrations."""
        self.sql("create database gongjian", "postgres")
        if self.template:
            dump = subprocess.Popen([str(self.bin / "pg_dump"), "-O", self.template], stdout=subprocess.PIPE)
            load = [str(self.bin / "psql"), "-h", str(self.folder / "pg"), "-U", "gongjian", "-d", "gongjian", "-Xq"]
            subprocess.run(load, stdin=dump.stdout, check=True, capture_output=True)
            if dump.wait():
                raise RuntimeError("the template could not be read")
            return
        for name in ("postgis", "pgrouting", "pg_trgm", "btree_gist"):
            self.sql(f"create extension if not exists {name}")
        self._run([sys.executable, "manage.py", "migrate", "-v0"])

    def start_redis(self) -> None:
        server = shutil.which("redis-server") or shutil.which("valkey-server")
        (self.folder / "redis.sock").unlink(missing_ok=True)
        self.redis = subprocess.Popen(
            [server, "--port", "0", "--unixsocket", f"{self.folder}/redis.sock", "--save", "", "--appendonly", "no",
             "--dir", str(self.folder)],
            stdin=subprocess.DEVNULL, stdout=self._log("redis"), stderr=subprocess.STDOUT,
        )  # fmt: skip

    def start_web(self) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-m", "chaos._web", str(self.listener.fileno())], cwd=ROOT, env=self.environment,
            pass_fds=[self.listener.fileno()], stdout=self._log("web"), stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.web.append(process)
        return process

    def start_worker(self) -> None:
        self.worker = subprocess.Popen(
            [sys.executable, "manage.py", "worker"], cwd=ROOT, env=self.environment,
            stdout=self._log("worker"), stderr=subprocess.STDOUT,
        )  # fmt: skip

    def wait_for_web(self, seconds: float = 240) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, self.port), 2) as line:
                line.settimeout(5)
                line.sendall(
                    f"GET /healthz HTTP/1.1\r\nHost: {LOOPBACK}:{self.port}\r\nConnection: close\r\n\r\n".encode()
                )
                if b" 200 " in line.recv(64):
                    return
            time.sleep(0.2)
        raise RuntimeError("the web processes do not answer: " + (self.folder / "web.log").read_text()[-2000:])

    def _log(self, name: str):
        return open(self.folder / f"{name}.log", "ab")

    def _run(self, command: list[str]) -> str:
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed: {done.stderr[-2000:]}")
        return done.stdout

    # --- faults ---
    def kill_web(self, index: int) -> None:
        """kill −9 of one web process; another takes its place."""
        victim = self.web.pop(index % len(self.web))
        victim.kill()
        victim.wait()
        self.start_web()

    def freeze_web(self, index: int):
        """SIGSTOP; call the answer to wake it."""
        victim = self.web[index % len(self.web)]
        victim.send_signal(signal.SIGSTOP)
        return lambda: victim.poll() is None and victim.send_signal(signal.SIGCONT)

    def kill_redis(self) -> None:
        self.redis.kill()
        self.redis.wait()

    def backends(self) -> list[int]:
        """Process numbers of the site's own connections: children of the PostgreSQL started here."""
        found = self.sql(
            "select pid from pg_stat_activity where datname = 'gongjian' and backend_type = 'client backend'"
            " and pid <> pg_backend_pid()"
        )
        return [int(line) for line in found.split()]

    def kill_backend(self) -> bool:
        """kill −9 of one connection's process: PostgreSQL breaks all connections and recovers."""
        pids = self.backends()
        if not pids:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pids[len(pids) // 2], signal.SIGKILL)
        return True

    def memory_kb(self) -> int:
        """Resident memory of all web processes (own pages only, so that shared ones do not count twice)."""
        total = 0
        for process in self.web:
            for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
                if line.startswith(("Private_Clean", "Private_Dirty")):
                    total += int(line.split()[1])
        return total

    def cpu_seconds(self) -> dict[str, float]:
        """Processor time so far by part of the site, that of this process (the clients) among them."""
        tick = os.sysconf("SC_CLK_TCK")

        def spent(pid: int, *, with_ended_children: bool = False) -> float:
            with contextlib.suppress(OSError):
                values = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
                return sum(map(int, values[11 : 15 if with_ended_children else 13])) / tick
            return 0.0

        children = Path(f"/proc/{self.postgres.pid}/task/{self.postgres.pid}/children").read_text().split()
        return {
            "clients": time.process_time(),
            "web": sum(spent(process.pid) for process in self.web),
            "database": spent(self.postgres.pid, with_ended_children=True) + sum(spent(int(pid)) for pid in children),
            "worker": spent(self.worker.pid),
            "Redis": spent(self.redis.pid),
        }

    def restart_web(self, *, hard: bool) -> None:
        """All web processes at once: killed, or asked to end (clients are told 1012)."""
        old, self.web = self.web, []
        for process in old:
            process.kill() if hard else process.terminate()
        for process in old:
            process.wait(20)
        for _ in range(self.web_count):
            self.start_web()

    def stop(self) -> None:
        for process in [*self.web, self.worker]:
            if process and process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in [*self.web, self.worker]:
            if process:
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    process.kill()
        if self.redis and self.redis.poll() is None:
            self.redis.kill()
            self.redis.wait()
        if self.postgres and self.postgres.poll() is None:
            self.postgres.send_signal(signal.SIGQUIT)  # at once: nothing here is kept
            try:
                self.postgres.wait(30)
            except subprocess.TimeoutExpired:
                self.postgres.kill()
        self.listener.close()
        if not os.environ.get("KEEP_CHAOS"):
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> "Site":
        return self.start()

    def __exit__(self, *error) -> None:
        self.stop()
