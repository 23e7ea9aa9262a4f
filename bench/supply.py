"""Supply of national size: search, tiles, imports, exports and growth, against peers in the same run.

script/bench supply [ROW …] [--only ROW] [--quick]: rows are search, tiles, import, export, growth; all but growth if
none is named. Each prints its lines as they are measured, so that a run cut short is taken up again with the rows left.
search, tiles and export use what is stored and expect `manage.py synth` to have made it; an import is rolled back;
growth makes databases of its own beside it and drops them. Peers (tipg, django-import-export, GDAL's bare COPY) run on
the same rows in the same run; they are installed into folders of their own below .local/bench.
"""

import argparse
import importlib
import os
import signal
import sys

import django
from django.db import connection

from bench import _servers

ROWS = {
    "search": "bench._supply_search",
    "tiles": "bench._supply_tiles",
    "import": "bench.imports",
    "export": "bench.exports",
    "growth": "bench._supply_growth",
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/bench supply", description=__doc__)
    parser.add_argument("rows", nargs="*", choices=[*ROWS, []], help="which rows; all but growth if none is named")
    parser.add_argument("--only", action="append", choices=[*ROWS], help="the same, one at a time")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    arguments = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sharing.settings")
    django.setup()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that servers end and made databases are dropped
    failed = []
    for row in [*arguments.rows, *(arguments.only or ())] or [name for name in ROWS if name != "growth"]:
        _servers.say(f"\n== {row}")
        try:
            module = importlib.import_module(ROWS[row])
        except ModuleNotFoundError as missing:
            _servers.say(f"not measured: {missing.name} is not there")
            failed.append(row)
            continue
        if not module.run(quick=arguments.quick):
            failed.append(row)
        connection.close()
    _servers.say(f"\nmissed or not measured: {', '.join(failed) or 'nothing'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
