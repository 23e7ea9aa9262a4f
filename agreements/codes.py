"""References and verification codes as people read and type them. Pure."""

import datetime as dt
import secrets

# No 0/O, 1/I/L, 5/S, 8/B, 2/Z, U/V: nothing that is misread on paper or misheard on the telephone.
ALPHABET = "34679ACDEFGHJKMNPQRTWXY"
GROUPS, GROUP_SIZE = 4, 4  # 23^16, about 2^72


def new_verification_code() -> str:
    """A random code such as "7KQM-3XWA-HCR9-TD4P"."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP_SIZE)) for _ in range(GROUPS))


def tidy_code(typed: str) -> str:
    """A typed code in its written form: upper case, groups of four; other signs dropped. "" where too short or long."""
    letters = "".join(sign for sign in typed.upper() if sign.isascii() and sign.isalnum())
    if len(letters) != GROUPS * GROUP_SIZE:
        return ""
    return "-".join(letters[i : i + GROUP_SIZE] for i in range(0, len(letters), GROUP_SIZE))


def reference_for(number: int, day: dt.date) -> str:
    """ "GJ-2026-000123": the agreement's number and the year its terms were agreed."""
    return f"GJ-{day.year}-{number:06d}"
