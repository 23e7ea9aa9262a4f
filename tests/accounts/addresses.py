from django.urls import reverse
from django.utils import translation


def english(name: str, *args) -> str:
    """The address of the English page, for tests that read sentences as they stand in the code."""
    with translation.override("en"):
        return reverse(name, args=args)
