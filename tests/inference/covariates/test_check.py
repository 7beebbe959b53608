"""The rolling check as users see it: models of noise get no weight, whatever the network."""

import numpy as np
import pytest

from timer_forecaster import ForecastPipeline


@pytest.mark.parametrize("name", ["timer-s1-test", "timer-s1-mini"])
def test_columns_of_noise_change_little(name):
    pipe = ForecastPipeline.from_pretrained(name, device="cpu")
    random = np.random.default_rng(0)
    series = [10 + np.sin(np.arange(200) / 4) + 0.1 * random.normal(size=200) for _ in range(4)]
    noise = [random.normal(size=(208, 3)) for _ in series]
    forecast = pipe.predict(series, 8, known=noise)
    assert forecast.covariates.weights[:, 0].mean() > (0.5 if name == "timer-s1-mini" else 0)
    assert (forecast.covariates.windows >= 5).all()
    if name == "timer-s1-mini":
        plain = pipe.predict(series, 8)
        np.testing.assert_allclose(forecast.median, plain.median, atol=0.3)


@pytest.mark.parametrize("name", ["timer-s1-small", "ttm-mini"])
def test_columns_of_noise_change_little_beside_a_long_season(name):
    """The forecast takes the week out before the network reads, and the check does too."""
    pipe = ForecastPipeline.from_pretrained(name, device="cpu")
    random, hours = np.random.default_rng(1), np.arange(1748)
    week = random.normal(size=7)[hours // 24 % 7] * (hours % 24 > 8)
    series = 3 * week + np.sin(hours * 2 * np.pi / 24) + random.normal(size=len(hours))
    noise = random.normal(size=(len(series), 1))
    plain = pipe.predict(series[:-48], 48).median
    found = pipe.predict(series[:-48], 48, known=[noise], cycles=(24, 168))
    assert found.covariates.weights[0, 0] > 0.9
    np.testing.assert_allclose(found.median, plain, atol=0.2)


@pytest.mark.parametrize("quality", ["fast", "plain"])
def test_a_row_without_a_value_in_the_context_is_checked(quality):
    """The window at step 1,652 is forecast from two values, those before it from none."""
    pipe = ForecastPipeline.from_pretrained("ttm-mini", device="cpu")  # reads 512 steps
    series = np.sin(np.arange(1700) / 4)
    series[901:1650] = np.nan
    noise = np.random.default_rng(0).normal(size=(1748, 1))
    found = pipe.predict(series, 48, known=[noise], quality=quality)
    assert np.isfinite(found.quantiles).all()


def test_counts_are_checked_as_roots_as_they_are_forecast(pipe_of_counts):
    """So a column that explains nothing gets no weight from a check of another forecast."""
    pipe, counts, noise = pipe_of_counts
    found = pipe.predict(counts, 8, known=[noise])
    assert found.covariates.weights[0, 0] > 0.5
    np.testing.assert_allclose(found.median, pipe.predict(counts, 8).median, atol=0.3)


@pytest.fixture
def pipe_of_counts():
    random = np.random.default_rng(2)
    pipe = ForecastPipeline.from_pretrained("timer-s1-mini", device="cpu")
    return pipe, random.poisson(0.5, size=200).astype(float), random.normal(size=(208, 1))
