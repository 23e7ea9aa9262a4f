"""How events and notifications read. Each app registers its codes; the text is chosen when it is shown,
in the reader's language."""

from django.utils.functional import Promise

WORDINGS: dict[str, str | Promise] = {}


def register(code: str, text: str | Promise) -> None:
    """Sets the (lazily translated) text of a code; %(name)s takes payload["name"]."""
    WORDINGS[code] = text


class _Lenient(dict):
    """Payloads outlive wordings: a name an old row lacks reads as a dash."""

    def __missing__(self, key):
        return "–"


def words(code: str, payload: dict) -> str:
    """The sentence for an event or a notification; the bare code where none is registered."""
    text = WORDINGS.get(code)
    return str(text) % _Lenient(payload) if text is not None else code
