"""Numbers out of addresses and forms, where anybody can write anything. Pure."""

ID_DIGITS_MAX = 18  # more do not fit a bigint


def row_id(text: str | None) -> int:
    """A row's key out of text; 0, which no row has, for whatever is none ("²" is a digit to str.isdigit)."""
    text = text or ""
    return int(text) if text.isdecimal() and text.isascii() and len(text) <= ID_DIGITS_MAX else 0


def without_nul(text: str) -> str:
    """The text without NUL, which PostgreSQL cannot hold."""
    return text.replace("\x00", "")
