import pytest
from django.utils import translation


@pytest.fixture(autouse=True)
def _chinese():
    """A request leaves its language behind in the thread: every test starts with the site's own."""
    with translation.override("zh-hans"):
        yield
