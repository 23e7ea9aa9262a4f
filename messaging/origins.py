"""From which pages a socket may be opened: our own, by scheme, host and port. Pure but for the settings."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host


def is_own_origin(headers: dict[bytes, str], scope: dict) -> bool:
    """Whether the handshake's Origin is this site: BASE_URL, one of CSRF_TRUSTED_ORIGINS, or the host it was sent to
    (one of ALLOWED_HOSTS) under the same scheme. No Origin is no browser of ours."""
    origin = headers.get(b"origin", "").lower()
    parts = _split(origin)
    if parts is None:
        return False
    if origin == _origin_of(settings.BASE_URL) or origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    host = headers.get(b"host", "").lower()
    is_secure = scope.get("scheme") == "wss" or (
        settings.TRUSTED_PROXY_COUNT > 0 and headers.get(b"x-forwarded-proto", "").split(",")[0].strip() == "https"
    )
    return parts == ("https" if is_secure else "http", host) and validate_host(
        split_domain_port(host)[0], settings.ALLOWED_HOSTS
    )


def _split(origin: str) -> tuple[str, str] | None:
    """(scheme, host with port) of a bare origin; None for anything else."""
    try:
        parts = urlsplit(origin)
        parts.port  # noqa: B018 - raises for a port that is none
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.netloc or origin != f"{parts.scheme}://{parts.netloc}":
        return None
    return None if "@" in parts.netloc else (parts.scheme, parts.netloc)


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()
