"""Known columns beside contexts, without gaps."""

import numpy as np
import pytest

from timer_forecaster import ForecastPipeline
from timer_forecaster.inference.engine.known import pad_known


@pytest.fixture(scope="module")
def network():
    return ForecastPipeline.from_pretrained("ttm-test", device="cpu").network  # 128 in, 32 out


def test_columns_end_at_the_horizon_and_continue_to_the_end_of_the_pass(network):
    values, seen = pad_known(network, [np.arange(200.0)[None]], 40)
    assert values.shape == seen.shape == (1, 1, 128 + 64)
    np.testing.assert_array_equal(values[0, 0, :168], np.arange(32.0, 200))
    assert (values[0, 0, 168:] == 199).all()
    assert seen.all()


def test_the_mean_goes_before_short_columns(network):
    values, seen = pad_known(network, [np.arange(20.0)[None]], 10)
    assert (values[0, 0, :118] == 4.5).all() and not seen[0, 0, :118].any()
    np.testing.assert_array_equal(values[0, 0, 118:138], np.arange(20.0))


def test_gaps_take_lines_and_the_future_fills_no_gap_of_the_context(network):
    column = np.r_[np.full(4, 2.0), np.nan, np.nan, np.nan, 8.0, np.nan, 10.0, np.nan]
    values, seen = pad_known(network, [column[None]], 5)
    np.testing.assert_array_equal(values[0, 0, 122:134], [2, 2, 2, 2, 2, 2, 5, 8, 9, 10, 10, 10])
    assert seen[0, 0, 122:128].tolist() == [True] * 4 + [False] * 2
    nothing = np.r_[np.full(6, np.nan), 1.0, 2.0]
    values, seen = pad_known(network, [nothing[None]], 2)
    assert (values[0, 0, :128] == 0).all() and not seen[0, 0, :128].any()
    assert values[0, 0, 128:130].tolist() == [1, 2]


def test_columns_without_history(network):
    values, _ = pad_known(network, [np.array([[3.0, 4.0]])], 2)
    assert (values[0, 0, :128] == 0).all()
    assert values[0, 0, 128:130].tolist() == [3, 4]
