import pytest

from cms.site import ensure_site


@pytest.fixture
def site(db):
    """The portal's own pages in both languages."""
    return ensure_site()
