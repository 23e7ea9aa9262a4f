"""The real server in a thread of the test process: pages, static files and sockets on a free port."""

import contextlib
import socket
import threading
import time

import uvicorn

AS_SERVED = {"ws_max_size": 65536, "ws_per_message_deflate": False, "timeout_graceful_shutdown": 5}  # script/server


class UvicornThread(threading.Thread):
    def __init__(self, port: int = 0):
        super().__init__(daemon=True)
        from sharing import asgi

        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind(("127.0.0.1", port))
        self.port = self.sock.getsockname()[1]
        self.server = uvicorn.Server(
            uvicorn.Config(asgi.application, log_level="warning", lifespan="off", ws="websockets-sansio", **AS_SERVED)
        )

    def run(self):
        self.server.run(sockets=[self.sock])


@contextlib.contextmanager
def serving(port: int = 0):
    """Gives the address "http://127.0.0.1:PORT" while the server runs; a free port, or the one asked for."""
    thread = UvicornThread(port)
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
