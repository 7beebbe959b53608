"""Windows on the scale of their contexts."""

import numpy as np
import pytest

from timer_forecaster.finetuning.objectives.parts import on_scale_of, standardized
from timer_forecaster.inference.scaling import scaled


def test_targets_are_on_the_scale_of_their_context(either):
    context = np.array([1.0, 2.0, 3.0, 6.0])
    found = standardized(either.network, [context], np.array([[3.0, np.nan, 9.0]]))
    expected = (np.array([3.0, 9.0]) - context.mean()) / context.std()
    np.testing.assert_allclose(found.target[0, [0, 2]], expected, rtol=1e-6)
    assert found.observed.tolist() == [[True, False, True]]
    assert found.target[0, 1] == 0  # finite, and not observed


def test_targets_of_constant_contexts_and_far_targets_do_not_count(either):
    found = standardized(
        either.network, [np.full(5, 2.0), np.arange(5.0)], np.array([[1.0, 1.0], [1.0, 1e300]])
    )
    assert found.observed.tolist() == [[False, False], [True, False]]


@pytest.mark.parametrize("factor", [1e-300, 1.0, 1e300])
def test_extreme_scales_give_the_same_values(factor):
    values = np.array([1.0, 2.0, 4.0])
    row = scaled(factor * values, 8, True)
    np.testing.assert_allclose(on_scale_of(row, factor * values), row.values, rtol=1e-9)
