"""Where addresses lead. Pages carry the language (/en/…; Chinese without prefix); machine addresses do not."""

from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path, re_path
from django.views.i18n import JavaScriptCatalog
from django.views.static import serve
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.documents import urls as wagtaildocs_urls

from accounts.views import health
from messaging.routing import websocket_urlpatterns

__all__ = ["urlpatterns", "websocket_urlpatterns"]

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("tiles/", include("listings.tile_urls")),
    # Editors' pictures only; owners' photos and files go through views that ask for permission.
    re_path(r"^media/(?P<path>(?:images|original_images)/.+)$", serve, {"document_root": settings.MEDIA_ROOT}),
]

urlpatterns += i18n_patterns(
    path("", include("messaging.urls")),  # first: a message every few milliseconds, and trying the others costs time
    path("jsi18n/", JavaScriptCatalog.as_view(packages=[]), name="javascript_catalog"),
    path("cms/", include("cms.admin_urls")),  # our door before Wagtail's: sign-in is allauth's alone
    path("cms/", include(wagtailadmin_urls)),
    path("documents/", include(wagtaildocs_urls)),
    path("accounts/", include("allauth.urls")),
    path("", include("accounts.urls")),
    path("", include("listings.urls")),
    path("", include("matching.urls")),
    path("", include("agreements.urls")),
    path("", include("cms.public_urls")),
    path("", include(wagtail_urls)),
    prefix_default_language=False,
)
