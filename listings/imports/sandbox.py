"""Runs sandbox_child.py on one file: no network, a read-only tree of interpreter and file, limits on time and memory.

Spatial files need bubblewrap (GDAL is large and written in C): where it is absent or may not make namespaces, they are
refused with a hint, never read outside. Spreadsheets go through a memory-safe reader that opens nothing but the file,
so there the child's own limits do where bubblewrap cannot run.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from listings.imports import limits
from listings.imports.findings import FileRefused

CHILD = Path(__file__).with_name("sandbox_child.py")
NOBODY = "65534"
DRIVERS = {"shp": "ESRI Shapefile", "geojson": "GeoJSON", "gpkg": "GPKG", "kml": "LIBKML", "dxf": "DXF"}
SYSTEM_FOLDERS = ("/lib", "/lib64", "/lib32", "/libx32", "/bin")


def _bind(*paths: str | Path) -> list[str]:
    return [word for path in paths for word in ("--ro-bind", str(path), str(path))]


def _tree() -> list[str]:
    """The tiny tree: /usr with its links, the interpreter and its packages; no home, no /etc but the linker's cache."""
    words = ["--ro-bind", "/usr", "/usr"]
    for folder in SYSTEM_FOLDERS:
        if os.path.islink(folder):
            words += ["--symlink", os.readlink(folder).lstrip("/"), folder]
        elif os.path.isdir(folder):
            words += _bind(folder)
    inside_usr = ("/usr/", "/usr")
    prefixes = {os.path.realpath(sys.base_prefix), sys.base_prefix, sys.prefix}
    prefixes |= {str(Path(os.path.realpath(sys.executable)).parent.parent)}
    words += _bind(*sorted(p for p in prefixes if not p.startswith(inside_usr[0]) and p not in ("/usr", "/")))
    if os.path.exists("/etc/ld.so.cache"):
        words += _bind("/etc/ld.so.cache")
    return [*words, "--dev", "/dev", "--tmpfs", "/tmp", "--chdir", "/tmp"]


def _command() -> list[str]:
    return [
        "bwrap", "--unshare-all", "--unshare-user", "--uid", NOBODY, "--gid", NOBODY, "--cap-drop", "ALL",
        "--die-with-parent", "--new-session", "--clearenv", *_tree(),
    ]  # fmt: skip


@lru_cache(maxsize=1)
def why_unavailable() -> str:
    """ "" where the sandbox works; else what the machine said. Tried once per process."""
    if not shutil.which("bwrap"):
        return "bwrap: command not found"
    try:
        done = subprocess.run([*_command(), sys.executable, "-I", "-c", "print(6*7)"], capture_output=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)[:200]
    if done.returncode or done.stdout.strip() != b"42":
        return done.stderr.decode("utf-8", "replace").strip()[:200] or f"bwrap: exit {done.returncode}"
    return ""


@lru_cache(maxsize=8)
def _drivers_to_skip(form: str) -> str:
    import pyogrio

    return ",".join(name for name in pyogrio.list_drivers() if name != DRIVERS[form])


def _child_command(form: str, folder: Path, name: str, sheet: str) -> tuple[list[str], dict[str, str]]:
    numbers = {
        "cpu_s": limits.CHILD_CPU_S, "memory_bytes": limits.CHILD_MEMORY_BYTES, "rows": limits.ROWS_MAX,
        "columns": limits.COLUMNS_MAX, "cell_chars": limits.CELL_MAX_CHARS,
    }  # fmt: skip
    environment = {"OPENBLAS_NUM_THREADS": "1", "LC_ALL": "C.UTF-8", "GDAL_PAM_ENABLED": "NO"}
    if form in DRIVERS:
        environment |= {"GDAL_SKIP": _drivers_to_skip(form), "CPL_VSIL_CURL_ALLOWED_FILENAME": "/nowhere",
                        "GDAL_DISABLE_READDIR_ON_OPEN": "FALSE", "DXF_INLINE_BLOCKS": "FALSE"}  # fmt: skip
    if not why_unavailable():
        words = _command()
        for key, value in environment.items():
            words += ["--setenv", key, value]
        words += ["--ro-bind", str(CHILD), "/in/read.py", "--ro-bind", str(folder), "/in/file"]
        words += [sys.executable, "-I", "/in/read.py", form, f"/in/file/{name}", json.dumps(numbers), sheet]
        return words, {}
    if form in DRIVERS:
        raise FileRefused("no_sandbox", reason=why_unavailable())
    return [sys.executable, "-I", str(CHILD), form, str(folder / name), json.dumps(numbers), sheet], environment


def read(form: str, folder: Path, name: str, sheet: str = "") -> Iterator[dict[str, Any]]:
    """The child's lines about folder/name, {"meta": …} first. Only what is in the folder can be seen by the reader.

    form: xlsx-peek, xlsx, or one of DRIVERS. Raises FileRefused with the child's reason, or when it ran out of time,
    memory or output. Close the iterator (or exhaust it) to be rid of the process.
    """
    command, environment = _child_command(form, folder, name, sheet)
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, env=environment or None,
        cwd="/", start_new_session=True,
    )  # fmt: skip
    timer = threading.Timer(limits.CHILD_WALL_S, child.kill)
    timer.start()
    try:
        yield from _lines(child)
    finally:
        timer.cancel()
        child.kill()
        child.stdout.close()  # type: ignore[union-attr]
        child.wait()


def _lines(child: subprocess.Popen) -> Iterator[dict[str, Any]]:
    size, is_whole = 0, False
    while True:
        line = child.stdout.readline(limits.CHILD_LINE_MAX_BYTES)  # type: ignore[union-attr]
        if not line:
            break
        size += len(line)
        if size > limits.CHILD_OUTPUT_MAX_BYTES or not line.endswith(b"\n"):
            raise FileRefused("too_heavy")
        told = json.loads(line)
        if "refused" in told:
            raise FileRefused(told["refused"], **told["params"])
        if "end" in told:
            is_whole = True
            break
        yield told
    if not is_whole:
        raise FileRefused("too_heavy")
