"""The small edition of script/chaos messages: a private site is killed, frozen and cut while clients converse.

A minute or two on quiet cores, so marked chaos. Run it with: script/test -m chaos tests/ops/test_message_faults.py
Also marked slow, so that neither "not slow" nor "not chaos" runs it.
"""

import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

pytestmark = [pytest.mark.chaos, pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[2]
ROWS = ("lost", "doubled", "out of order", "gaps", "converged", "all back", "sleeping", "frames after 2 s", "origins")


@pytest.mark.django_db
def test_nothing_is_lost_doubled_or_let_in_under_faults():
    """The schema is copied from the test's own database: no migrations are run again."""
    at = connection.settings_dict
    template = f"host={at['HOST']} user={at['USER']} dbname={at['NAME']}"
    done = subprocess.run(
        [sys.executable, "-m", "chaos.messages", "--small", "--template", template],
        cwd=ROOT, capture_output=True, text=True, timeout=400, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    for row in ROWS:
        assert row in done.stdout
