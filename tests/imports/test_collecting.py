"""Collections are rare while rows are worked on, and as usual afterwards, whatever happens and whoever else works."""

import gc

import pytest

from listings.imports.collecting import RARELY, rare_collections


def test_the_usual_thresholds_come_back_with_the_last():
    usual = gc.get_threshold()
    with rare_collections():
        assert gc.get_threshold() == RARELY
        with pytest.raises(ZeroDivisionError), rare_collections():
            assert 1 / 0
        assert gc.get_threshold() == RARELY
    assert gc.get_threshold() == usual
