"""Sentences of packages that their own Chinese catalogues lack: named here so that ours has them; nobody calls them."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

WORDS = (
    ngettext_lazy(
        "This password is too short. It must contain at least %d character.",
        "This password is too short. It must contain at least %d characters.",
        10,
    ),
    _("Go to the first error"),
    _("Save your changes before leaving"),
)
