from django.utils.functional import SimpleLazyObject

from .memory import remembered
from .models import Organisation


def shell(request):
    """What the top bar needs: the membership acted under, the others to switch to, whether this is the demo world.

    All lazily: a partial that shows none of it asks nothing.
    """
    return {
        "membership": getattr(request, "membership", None),
        "memberships": SimpleLazyObject(lambda: _memberships(request)),
        "is_demo_world": SimpleLazyObject(
            lambda: remembered("is_demo_world", Organisation.objects.filter(is_demo=True).exists)
        ),
    }


def _memberships(request) -> list:
    bool(getattr(request, "membership", None))  # the middleware finds all of them with the first
    return getattr(request, "memberships", [])
