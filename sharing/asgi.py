"""One process for pages and sockets: HTTP runs as WSGI in threads, /ws/ through Channels.

Plain Django under ASGI is several times slower and leaks database connections when they are
kept open (docs/adr/0004-one-process-hybrid-asgi.md).
"""

import gc
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sharing.settings")

from django.core.wsgi import get_wsgi_application

wsgi_application = get_wsgi_application()  # sets Django up before the routing below imports models

from a2wsgi import WSGIMiddleware
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings

from sharing.urls import websocket_urlpatterns

application = ProtocolTypeRouter(
    {
        "http": WSGIMiddleware(wsgi_application, workers=settings.HTTP_THREADS),
        # Origin, session and rights are asked for by the socket itself, many at once (messaging/consumers.py).
        "websocket": URLRouter(websocket_urlpatterns),
    }
)

# What is loaded by now lives as long as the process: a full collection would walk over it for 150 ms, in a request.
gc.collect()
gc.freeze()
