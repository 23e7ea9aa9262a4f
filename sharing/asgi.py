"""One process for pages and sockets: HTTP runs as WSGI in threads, /ws/ through Channels.

Plain Django under ASGI is several times slower and leaks database connections when they are
kept open (docs/adr/0004-one-process-hybrid-asgi.md).
"""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sharing.settings")

from django.core.wsgi import get_wsgi_application

wsgi_application = get_wsgi_application()  # sets Django up before the routing below imports models

from a2wsgi import WSGIMiddleware
from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.conf import settings

from sharing.urls import websocket_urlpatterns

application = ProtocolTypeRouter(
    {
        "http": WSGIMiddleware(wsgi_application, workers=settings.HTTP_THREADS),
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))),
    }
)
