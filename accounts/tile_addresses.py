"""Addresses of vector tiles as map libraries want them: with {z}, {x} and {y} where the numbers go."""

from django.urls import reverse

_ORIGIN = "/0/0/0.pbf"


def tile_template(name: str, *args: object) -> str:
    """The address of the named tile view with {z}/{x}/{y} in its end; args are what comes before them.

    Only the end is replaced: a reference that itself ends in 0 stays whole.
    """
    return reverse(name, args=[*args, 0, 0, 0]).removesuffix(_ORIGIN) + "/{z}/{x}/{y}.pbf"
