"""How often one address may try something, counted in the shared cache."""

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest


def within_limit(request: HttpRequest, action: str, *, attempts: int, seconds: int) -> bool:
    """Counts one attempt of the request's address; whether it is still among the first `attempts` of the window."""
    key = f"limit:{action}:{get_adapter(request).get_client_ip(request)}"
    if cache.add(key, 1, seconds):
        return True
    try:
        return int(cache.incr(key)) <= attempts
    except ValueError:  # ran out between the two calls
        cache.set(key, 1, seconds)
        return True
