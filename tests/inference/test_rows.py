"""The rows that a network reads, and what it reads beside them."""

import numpy as np
import pytest

from timer_forecaster import ForecastPipeline
from timer_forecaster.inference.rows import Beside, Rows, medians


@pytest.fixture(scope="module")
def network():
    return ForecastPipeline.from_pretrained("ttm-test", device="cpu").network


def walk(seed, steps=90):
    return 20 + np.random.default_rng(seed).normal(size=steps).cumsum()


def test_a_constant_series_is_not_read_and_is_its_own_forecast(network):
    series = [walk(0), np.full(30, 7.0), walk(1)]
    rows = Rows.of(network, series, beside=Beside(tokens=[3, 4, 5]))
    assert rows.numbers == [0, 2]
    assert rows.beside == Beside(tokens=[3, 5])
    counts = []
    quantiles = Rows.of(network, series).forecast(network, 40, "median", None, counts.append)
    assert sum(counts) == 2
    assert quantiles.shape == (3, 40, 9)
    assert (quantiles[1] == 7).all()


def test_both_signs_have_the_same_frequency_and_the_negative_columns():
    beside = Beside(tokens=[1, 2], known=[np.ones((1, 3)), np.full((1, 3), 2.0)]).mirrored()
    assert beside.tokens == [1, 2, 1, 2]
    assert [columns[0, 0] for columns in beside.known] == [1, 2, -1, -2]
    assert Beside().mirrored() == Beside()
    assert Beside().arguments == {}


def test_the_mean_of_both_signs_is_odd(network):
    series = [walk(0), walk(1, 200)]
    one = Rows.of(network, series).forecast(network, 40, "median", None, flip=True)
    other = Rows.of(network, [-values for values in series])
    negative = other.forecast(network, 40, "median", None, flip=True)
    np.testing.assert_allclose(one, -negative[:, :, ::-1], rtol=1e-5)


def test_medians_are_those_of_the_pipeline(network):
    series = [walk(0), walk(1, 200), np.full(9, 2.0)]
    pipe = ForecastPipeline.from_pretrained("ttm-test", device="cpu")
    for rollout in ("median", "quantile"):
        expected = pipe.predict(series, 40, rollout=rollout).median
        np.testing.assert_allclose(medians(network, series, 40, rollout, None), expected)
    zeros = medians(network, series, 40, "median", None, zeros_before=True)
    released = pipe.predict(series, 40, rollout="median", padding="released").median
    np.testing.assert_allclose(zeros, released)
