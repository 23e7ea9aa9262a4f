"""The unified social credit code of a Chinese organisation (GB 32100-2015)."""

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # 31 characters: no I, O, S, V, Z (GB 32100-2015, table 1)
_FORM = re.compile(rf"^[{ALPHABET}]{{17}}[{ALPHABET}]$")


def check_character(first17: str) -> str:
    """The 18th character for the first 17: 31 − Σ value × 3^(i) mod 31 (GB 32100-2015, annex A)."""
    total = sum(ALPHABET.index(char) * pow(3, i, 31) for i, char in enumerate(first17))
    return ALPHABET[(31 - total % 31) % 31]


def is_valid_uscc(code: str) -> bool:
    """Whether the code has the form and the right check character."""
    return bool(_FORM.match(code)) and check_character(code[:17]) == code[17]


def validate_uscc(code: str) -> None:
    """Raises ValidationError with a sentence that says which part is wrong."""
    if len(code) != 18:
        raise ValidationError(
            _("The code has %(count)d characters; a unified social credit code has 18.") % {"count": len(code)},
            code="length",
        )
    wrong = sorted({char for char in code if char not in ALPHABET})
    if wrong:
        raise ValidationError(
            _("“%(chars)s” cannot stand in a unified social credit code (letters I, O, S, V and Z are not used).")
            % {"chars": " ".join(wrong)},
            code="characters",
        )
    if not is_valid_uscc(code):
        raise ValidationError(
            _("The check character does not fit: one of the characters is mistyped."), code="check_character"
        )
