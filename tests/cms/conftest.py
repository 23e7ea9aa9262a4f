import pytest
from django.conf import settings
from django.utils import translation

from cms.site import ensure_site


@pytest.fixture(autouse=True)
def _chinese():
    """Requests leave their language active; each test starts in the portal's own."""
    translation.activate(settings.LANGUAGE_CODE)


@pytest.fixture
def site(db):
    """The portal's own pages in both languages."""
    return ensure_site()
