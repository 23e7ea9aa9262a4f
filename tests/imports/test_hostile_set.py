"""Hostile files of every family: none crashes the server, opens a file outside or calls out; each gets a sentence."""

import os
import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from itertools import islice

import pytest
from django.utils.translation import override

from accounts import enclosure
from listings.imports import headers, tables, upload
from listings.imports.findings import FileRefused
from tests.imports import hostile

# Every family in the suite; a thousand where HOSTILE_FILES says so: .ci/run does.
COUNT = int(os.environ.get("HOSTILE_FILES", "150"))
SECRET = "canary-7f3a91"
ANSWERED_ROWS = 50
WORDS = headers.words_of([])

_WHY_NOT = enclosure.why_unavailable()
needs_sandbox = pytest.mark.skipif(bool(_WHY_NOT), reason=f"no sandbox: {_WHY_NOT}")


class Listener:
    """Counts who calls a port of loopback."""

    def __init__(self):
        self.calls = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while True:
            try:
                caller, _address = self._socket.accept()
            except OSError:
                return
            self.calls += 1
            caller.close()

    def close(self):
        self._socket.close()


def answer(file: hostile.Hostile, folder) -> tuple[str, str]:
    """("refused", the sentence) or ("read", all that came out). Anything else is a crash and raises."""
    name = upload.tidy_name(file.name)
    try:
        form = upload.format_of(BytesIO(file.content), name, len(file.content))
        path = folder / f"{threading.get_ident()}-{time.monotonic_ns()}"
        path.write_bytes(file.content)
        try:
            with tables.open_table(path, form, WORDS) as table:
                rows = list(islice(table.rows, ANSWERED_ROWS))
                return "read", f"{table.columns} {table.detected} {rows}"
        finally:
            path.unlink()
    except FileRefused as refused:
        return "refused", str(refused)


@needs_sandbox
@pytest.mark.usefixtures("socket_enabled")
def test_hostile_files_are_each_answered_and_none_gets_out(tmp_path):
    lure, control = tmp_path / "lure.csv", tmp_path / "control.csv"
    for path in (lure, control):
        path.write_text(f"code,name\n{SECRET},x\n")
        os.utime(path, (1_000_000_000, 1_000_000_000))  # so that a mere reading shows
    listener = Listener()
    trap = hostile.Trap(str(lure), f"http://127.0.0.1:{listener.port}/x.json")
    try:
        made = list(hostile.files(COUNT, seed=20261122, trap=trap))
        with override("en"), ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda file: _in_english(file, tmp_path), made))
        time.sleep(0.2)
        assert listener.calls == 0
        assert lure.stat().st_atime == 1_000_000_000
        families = Counter()
        for file, (kind, text) in zip(made, answers, strict=True):
            families[file.family, kind] += 1
            assert SECRET not in text, file.family
            if kind == "refused":
                assert 10 < len(text) < 400, (file.family, text)
                assert text.endswith("."), (file.family, text)
        assert {name for name, _kind in families} == set(hostile.FAMILIES)
        assert len(hostile.FAMILIES) >= 25
        must_end = {
            "vrt in disguise",
            "xml that reads files",
            "billion laughs",
            "archive bombs",
            "links in the archive",
            "paths out of the archive",
            "workbook entities",
        }
        assert not [key for key in families if key[0] in must_end and key[1] == "read"]
        # The traps do work: whoever reads or calls is seen.
        control.read_text()
        socket.create_connection(("127.0.0.1", listener.port)).close()
        time.sleep(0.2)
        assert listener.calls == 1
        assert control.stat().st_atime != 1_000_000_000
    finally:
        listener.close()


def _in_english(file, folder):
    with override("en"):
        return answer(file, folder)
