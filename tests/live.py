"""The real server in a thread of the test process: pages, static files and sockets on a free port."""

import contextlib
import socket
import threading
import time

import uvicorn


class UvicornThread(threading.Thread):
    def __init__(self):
        super().__init__(daemon=True)
        from sharing import asgi

        self.sock = socket.socket()
        self.sock.bind(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.server = uvicorn.Server(
            uvicorn.Config(asgi.application, log_level="warning", lifespan="off", ws="websockets-sansio")
        )

    def run(self):
        self.server.run(sockets=[self.sock])


@contextlib.contextmanager
def serving():
    """Gives the address "http://127.0.0.1:PORT" while the server runs."""
    thread = UvicornThread()
    thread.start()
    for _ in range(250):
        if thread.server.started:
            break
        time.sleep(0.02)
    else:
        raise RuntimeError("the test server did not start")
    try:
        yield f"http://127.0.0.1:{thread.port}"
    finally:
        thread.server.should_exit = True
        thread.join(10)
