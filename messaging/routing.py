from django.urls import path

from .consumers import bell

websocket_urlpatterns = [path("ws/bell/", bell, name="ws_bell")]
