"""Fixtures of the listings' tests."""

import pytest
from django.utils import translation


@pytest.fixture
def english():
    """Sentences in the source language, so that a test can quote them."""
    with translation.override("en"):
        yield
