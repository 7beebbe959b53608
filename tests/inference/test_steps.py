import numpy as np
import pandas as pd
import pytest

from timer_forecaster import ForecastPipeline, release
from timer_forecaster.frames.history import Memory
from timer_forecaster.inference.options import ForecastOptions
from timer_forecaster.inference.steps import (
    contexts,
    forecast_rows,
    forecast_steps,
    sample_steps,
    steps_to_remember,
)

MODEL = "timer-s1-test"  # random weights, context 512
DEFAULT = ForecastOptions()


@pytest.fixture
def pipeline():
    release()
    return ForecastPipeline.from_pretrained(MODEL)


def frame(n=40, seed=0):
    """Two series of `n` hours."""
    values = np.random.default_rng(seed).normal(size=(n, 2)).cumsum(axis=0)
    times = pd.date_range("2024-01-01", periods=n, freq="h", name="hour")
    return pd.DataFrame(values, times, columns=["load", "wind"])


def panel():
    return pd.concat({"x": frame(), "w": frame(30, seed=1)}, names=["site"])


def steps(**asked):
    return {key: np.array(own) for key, own in asked.items()}


def one_step(pipeline, y):
    """Quantiles (variables, Q) of the step after a frame."""
    return pipeline.predict(list(y.to_numpy().T), 1).quantiles[:, 0]


def test_past_and_future_steps_of_two_instances(pipeline, calls):
    memory = Memory.of(panel(), 100)
    forecast = forecast_steps(pipeline, memory, steps(x=[-3, 2], w=[0, 1, 5]), DEFAULT, "fh")
    assert sorted(calls) == [(4, 1), (4, 5)]  # two past windows and two ends, of two variables
    x, w = panel().loc["x"], panel().loc["w"]
    ends = [pipeline.predict(y.to_numpy().T, 5).quantiles for y in (x, w)]
    expected = [
        one_step(pipeline, x[:36]),
        ends[0][:, 1],
        one_step(pipeline, w[:29]),
        ends[1][:, 0],
        ends[1][:, 4],
    ]
    np.testing.assert_allclose(forecast.quantiles, expected, rtol=1e-5)


def test_future_steps_alone_need_one_call_and_past_steps_alone_too(pipeline, calls):
    memory = Memory.of(frame(), 100)
    forecast_steps(pipeline, memory, {(): np.array([1, 3])}, DEFAULT, "fh")
    assert calls == [(2, 3)]
    forecast_steps(pipeline, memory, {(): np.array([-1, 0])}, DEFAULT, "fh")
    assert calls[1:] == [(4, 1)]


def test_steps_before_the_first_observed_value_have_no_forecast(pipeline):
    y = frame()
    y.iloc[:3, 1] = np.nan
    asked = {(): np.array([-39, -38, -36, -35])}
    forecast = forecast_steps(pipeline, Memory.of(y, 100), asked, DEFAULT, "fh")
    missing = np.isnan(forecast.quantiles).all(axis=-1)
    assert missing.tolist() == [[True, True], [False, True], [False, True], [False, False]]


def test_an_empty_context_gives_no_past_forecast_and_no_future_one(pipeline):
    y = frame()
    y.iloc[-6:-1, 0] = np.nan
    options = ForecastOptions(context_length=5)
    memory = Memory.of(y, 100)
    forecast = forecast_steps(pipeline, memory, {(): np.array([0])}, options, "fh")
    assert np.isnan(forecast.quantiles).all(axis=-1).tolist() == [[True, False]]
    y.iloc[-1, 0] = np.nan
    with pytest.raises(ValueError, match="y: no value of column 'load' was observed in the newest"):
        forecast_steps(pipeline, Memory.of(y, 100), {(): np.array([1])}, options, "fh")


def test_a_step_before_all_that_is_remembered_is_refused(pipeline):
    memory = Memory.of(panel(), 35)
    with pytest.raises(ValueError, match="fh: step -35 lies before 2024-01-01 05:00:00"):
        forecast_steps(pipeline, memory, steps(x=[-35, 1], w=[-30]), DEFAULT, "fh")
    forecast = forecast_steps(pipeline, memory, steps(x=[-34], w=[-30]), DEFAULT, "fh")
    assert np.isnan(forecast.quantiles).all()


def test_rows_are_forecast_in_their_order(pipeline):
    y = panel()
    memory = Memory.of(y, 100)
    mixed = y.sample(frac=1, random_state=0).groupby("site", sort=False).tail(8)
    mixed = mixed.sort_index(level="hour", kind="stable")
    found = forecast_rows(pipeline, memory, mixed, DEFAULT, "y")
    for row, (site, hour) in enumerate(mixed.index):
        before = y.loc[site][: hour - pd.Timedelta("1h")]
        expected = one_step(pipeline, before)
        np.testing.assert_allclose(found.quantiles[row], expected, rtol=1e-5, atol=1e-6)


def test_rows_of_an_unknown_instance_are_refused(pipeline):
    with pytest.raises(ValueError, match="y, instance 'w' is not known"):
        forecast_rows(pipeline, Memory.of(panel().loc[["x"]], 100), panel(), DEFAULT, "y")


@pytest.mark.parametrize(
    ("options", "length"),
    [
        (ForecastOptions(), 512),
        (ForecastOptions(context_length=7), 7),
        (ForecastOptions(context_length=900, rollout="multiscale"), 900),
    ],
)
def test_contexts_are_as_long_as_a_forecast_can_read(pipeline, options, length):
    y = frame(1000)
    found = contexts(pipeline, Memory.of(y, 1000), [()], options)
    np.testing.assert_array_equal(found, y.to_numpy().T[:, -length:])


@pytest.mark.parametrize(("context_length", "n"), [(None, 65_536), (3, 65_536), (70_000, 70_000)])
def test_enough_steps_are_remembered_for_every_network(context_length, n):
    assert steps_to_remember(ForecastOptions(context_length)) == n


# --- joint paths --------------------------------------------------------------------------------


def test_paths_of_future_steps_are_those_of_the_pipeline(pipeline):
    memory = Memory.of(panel(), 100)
    found = sample_steps(pipeline, memory, steps(x=[2, 5], w=[1]), 30, 7, DEFAULT, "fh")
    assert found.shape == (30, 3, 2)
    series = [values for key in "xw" for values in panel().loc[key].to_numpy().T]
    paths = pipeline.sample_paths(series, 5, 30, random_state=7, freq="h")
    np.testing.assert_allclose(found[:, 0].T, paths[:2, :, 1], atol=1e-4)
    np.testing.assert_allclose(found[:, 1].T, paths[:2, :, 4], atol=1e-4)
    np.testing.assert_allclose(found[:, 2].T, paths[2:, :, 0], atol=1e-4)


def test_paths_of_past_steps_follow_their_quantiles(pipeline):
    memory, asked = Memory.of(panel(), 100), steps(x=[-3, 2], w=[0, 1])
    found = sample_steps(pipeline, memory, asked, 2000, 0, DEFAULT, "fh")
    quantiles = forecast_steps(pipeline, memory, asked, DEFAULT, "fh").quantiles
    below = (found[..., None] <= quantiles).mean(axis=0)
    np.testing.assert_allclose(
        below, np.broadcast_to(np.arange(1, 10) / 10, below.shape), atol=0.05
    )
    again = sample_steps(pipeline, memory, asked, 2000, 0, DEFAULT, "fh")
    np.testing.assert_array_equal(found, again)
