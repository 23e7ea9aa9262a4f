"""Two servers side by side for a measurement: ours and tipg (OGC features and tiles straight from PostGIS)."""

import contextlib
import os
import subprocess
import sys
import time
import urllib.request
import venv
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from django.db import connection

ROOT = Path(__file__).resolve().parent.parent
TIPG = ROOT / ".local" / "bench" / "tipg"
PACKAGES = ("tipg==1.6.1", "uvicorn==0.54.0")
OURS_PORT, TIPG_PORT = 8194, 8195


def ensure_tipg() -> Path:
    """tipg's own environment (it brings psycopg 3, which must not come near ours)."""
    python = TIPG / "bin" / "python"
    if not (TIPG / "done").exists():
        venv.create(TIPG, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *PACKAGES], check=True)
        (TIPG / "done").touch()
    return python


def dsn() -> str:
    """The database of this run as an address, the socket's folder for a host."""
    settings = connection.settings_dict
    return f"postgresql://{settings['USER']}@{quote(settings['HOST'], safe='')}/{settings['NAME']}"


@contextlib.contextmanager
def server(arguments: list[str], port: int, path: str, environment: dict[str, str]) -> Iterator[str]:
    """A server process that answers `path` when this yields its address; ended afterwards."""
    log = open(ROOT / ".local" / "log" / f"bench-{port}.log", "w")  # noqa: SIM115 -- lives as long as the process
    process = subprocess.Popen(arguments, env={**os.environ, **environment}, stdout=log, stderr=log, cwd=ROOT)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(address + path, timeout=20).read()  # noqa: S310 -- our own address
                break
            if process.poll() is not None:
                raise SystemExit(f"the server on port {port} ended; see {log.name}")
            time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(20)
        log.close()


@contextlib.contextmanager
def ours() -> Iterator[str]:
    run = [sys.executable, "-m", "uvicorn", "sharing.asgi:application", "--lifespan", "off", "--log-level", "warning"]
    environment = {"DEBUG": "off", "BASE_URL": f"http://127.0.0.1:{OURS_PORT}", "LOG_LEVEL": "WARNING"}
    with server([*run, "--port", str(OURS_PORT)], OURS_PORT, "/healthz", environment) as address:
        yield address


@contextlib.contextmanager
def tipg() -> Iterator[str]:
    run = [str(ensure_tipg()), "-m", "uvicorn", "tipg.main:app", "--log-level", "warning", "--port", str(TIPG_PORT)]
    environment = {
        "DATABASE_URL": dsn(), "TIPG_DB_SCHEMAS": '["public"]', "TIPG_MAX_FEATURES_PER_TILE": "10000000",
        "TIPG_DB_EXCLUDE_FUNCTION_SCHEMAS": '["public"]', "TIPG_DB_TABLES": '["public.listings_resource"]',
        "TIPG_TABLE_CONFIG__public_listings_resource__geomcol": "shown_cell",
    }  # fmt: skip
    with server(run, TIPG_PORT, "/healthz", environment) as address:
        yield address


def timed(address: str, headers: dict[str, str] | None = None) -> tuple[float, bytes]:
    """(milliseconds, body) of one request on a connection of its own."""
    request = urllib.request.Request(address, headers=headers or {})  # noqa: S310 -- our own address
    began = time.perf_counter()
    body = urllib.request.urlopen(request, timeout=120).read()  # noqa: S310
    return (time.perf_counter() - began) * 1000, body


def settle() -> None:
    """Folds what the worker would have folded within seconds: a database loaded without one is no measure."""
    from listings.search_index import fold

    while fold.fold():
        pass


def quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def say(text: str = "") -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def load() -> str:
    """How busy the machine was: a figure from a busy one is an upper bound."""
    return f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
