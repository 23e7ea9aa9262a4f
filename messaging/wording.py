"""How events and notifications read. Each app registers its codes; the text is chosen when it is shown,
in the reader's language."""

from django.utils.functional import Promise
from django.utils.translation import get_language

WORDINGS: dict[str, str | Promise] = {}


def register(code: str, text: str | Promise) -> None:
    """Sets the (lazily translated) text of a code; %(name)s takes payload["name"]."""
    WORDINGS[code] = text


class _Lenient(dict):
    """Payloads outlive wordings: a name an old row lacks reads as a dash. Beside a name in Chinese the payload may
    carry the English one, as …_en."""

    def __getitem__(self, key):
        if (get_language() or "").startswith("en") and self.get(f"{key}_en"):
            return self.get(f"{key}_en")
        return super().__getitem__(key)

    def __missing__(self, key):
        return "–"


def words(code: str, payload: dict) -> str:
    """The sentence for an event or a notification; the bare code where none is registered."""
    text = WORDINGS.get(code)
    return str(text) % _Lenient(payload) if text is not None else code
