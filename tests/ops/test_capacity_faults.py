"""A few seconds of script/chaos capacity in the quick suite: the same clients and the same judge, two forked web
processes killed with −9 and database connections cut while holds and releases run. The whole of it, with a control
that takes the locks out, is script/chaos capacity."""

import asyncio
import http.client
import importlib
import os
import signal
import socket
import sys
from dataclasses import replace

import pytest
import uvicorn
from django.db import connection, connections

from chaos import capacity as harness
from chaos._people import people

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


class ForkedSite:
    """What the harness asks of a site, on the test database: web processes are copies of this one, started at once."""

    def __init__(self, web: int):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(256)
        self.port, self.web, self.cut = self.listener.getsockname()[1], [], 0
        for _ in range(web):
            self.start_web()

    def start_web(self) -> None:
        connections.close_all()  # a copy must not end our own connection
        if pid := os.fork():
            self.web.append(pid)
            return
        try:
            sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115  # refused and broken requests are the point
            from chaos import _holds
            from sharing import asgi

            application = importlib.reload(asgi).application  # with threads of its own
            _holds.add_views()
            config = uvicorn.Config(application, log_config=None, lifespan="off", ws="none")
            uvicorn.Server(config).run(sockets=[self.listener])
        finally:
            os._exit(0)

    def kill_web(self, index: int) -> None:
        victim = self.web.pop(index % len(self.web))
        os.kill(victim, signal.SIGKILL)
        os.waitpid(victim, 0)
        self.start_web()

    def wait_for_web(self) -> None:
        """Until a process answers: the listener keeps the line open while none does."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        line.request("GET", "/healthz")
        assert line.getresponse().status
        line.close()

    def kill_backend(self) -> bool:
        """A connection of the web processes, ended by the database: −9 would stop other tests' databases too."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                " AND backend_type = 'client backend' AND pid <> pg_backend_pid() LIMIT 1"
            )
            ended = cursor.rowcount
        connections.close_all()
        self.cut += ended
        return ended > 0

    def stop(self) -> None:
        for pid in self.web:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        self.listener.close()


def test_holds_under_faults_are_never_oversold_lost_or_doubled():
    sizes = replace(harness.Sizes.small(), attempts=160, clients=16, web_kills=2, backend_kills=2)
    (room,) = people(1, sizes.clients, prefix="h")
    pools = harness.make_pools(sizes.pools, sizes.units(sizes.attempts))
    site = ForkedSite(web=2)
    try:
        clients, _ = asyncio.run(asyncio.wait_for(harness.rush(site, sizes, room, pools), 60))
    finally:
        site.stop()
    told = harness.Told.of(clients)
    seen = harness.found(told, pools)
    assert (len(told.held) + len(told.refused), site.cut) == (160, 2)
    assert told.refused, "no pool was filled: nothing was tried"
    assert (seen.oversold, seen.lost, seen.wrong, seen.doubled, seen.drift) == (0, 0, 0, 0, 0)
    # and the judge sees what would be wrong
    told.held["00000000-0000-4000-8000-000000000000"] = {pools[0]: 1}
    told.refused.add(next(iter(told.held)))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE listings_capacitypool SET total = total + 9, taken = taken + 1 WHERE id = %s", pools[:1])
    worse = harness.found(told, pools)
    assert (worse.lost, worse.doubled, worse.drift) == (1, 1, 1)
