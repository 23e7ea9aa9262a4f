"""Keys of attempts the portal makes itself: the same attempt gives the same key, and nobody outside can foresee it."""

from uuid import UUID

from django.utils.crypto import salted_hmac


def attempt_key(*parts: object) -> UUID:
    """The key of the attempt these parts name, such as ("request", 12, "accept").

    Never derived from what a browser sent alone: whoever can foresee a key can have its hold made elsewhere.
    """
    digest = salted_hmac("agreements.keys", "\x1f".join(map(str, parts)), algorithm="sha256").digest()
    return UUID(bytes=digest[:16], version=4)
