"""Tokens are cut only into parts of five features or more."""

import pytest

from timer_forecaster.models.ttm.levels import level_factors


@pytest.mark.parametrize(
    ("width", "levels", "factors"),
    [
        (192, 3, [4, 2, 1]),
        (16, 3, [1, 2, 1]),  # 16 / 4 is 4
        (24, 2, [2, 1]),
        (8, 2, [1, 1]),
        (24, 0, []),
    ],
)
def test_factors(width, levels, factors):
    assert level_factors(width, levels) == factors
