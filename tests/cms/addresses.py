"""Addresses in the tests: always the Chinese ones, whatever language the last request left active."""

from django.conf import settings
from django.urls import reverse
from django.utils.translation import override


def at(name: str, *args) -> str:
    with override(settings.LANGUAGE_CODE):
        return reverse(name, args=args)
