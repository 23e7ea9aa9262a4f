"""Runs sandbox_child.py on one file: no network, a read-only tree of interpreter and file, limits on time and memory.

Spatial files need bubblewrap (GDAL is large and written in C): where it is absent or may not make namespaces, they are
refused with a hint, never read outside. Spreadsheets go through a memory-safe reader that opens nothing but the file,
so there the child's own limits do where bubblewrap cannot run.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from accounts import enclosure
from listings.imports import limits
from listings.imports.findings import FileRefused

CHILD = Path(__file__).with_name("sandbox_child.py")
DRIVERS = {"shp": "ESRI Shapefile", "geojson": "GeoJSON", "gpkg": "GPKG", "kml": "LIBKML", "dxf": "DXF"}


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
    if not enclosure.why_unavailable():
        words = enclosure.command()
        for key, value in environment.items():
            words += ["--setenv", key, value]
        words += ["--ro-bind", str(CHILD), "/in/read.py", "--ro-bind", str(folder), "/in/file"]
        words += [sys.executable, "-I", "/in/read.py", form, f"/in/file/{name}", json.dumps(numbers), sheet]
        return words, {}
    if form in DRIVERS:
        raise FileRefused("no_sandbox", reason=enclosure.why_unavailable())
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
