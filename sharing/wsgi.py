"""WSGI entry point; asgi.py runs it in threads beside the sockets."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sharing.settings")
application = get_wsgi_application()
