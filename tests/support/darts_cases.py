"""Series, models and comparisons that the tests of the Darts adapter share."""

import logging

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("darts", reason="darts is not installed")
pytest.importorskip("pytorch_lightning", reason="darts is installed without torch")

from darts import TimeSeries

from timer_forecaster import ForecastPipeline, release
from timer_forecaster.darts import TimerS1Model

NAME = "timer-s1-test"
ONE_PASS = 32
QUIET = {"accelerator": "cpu", "enable_progress_bar": False}

# what Lightning and torch's data loader say about every forecast of every Darts model
UNAVOIDABLE = [
    pytest.mark.filterwarnings("ignore:'pin_memory' argument is set:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*LeafSpec"),
    pytest.mark.filterwarnings("ignore:.*AMP with fp16 is not supported on CPU"),
    pytest.mark.filterwarnings("error:The state dict in"),
]


@pytest.fixture(autouse=True, scope="module")
def without_chatter():
    """Darts and Lightning log several lines for each forecast."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def pipe():
    return ForecastPipeline.from_pretrained(NAME, device="cpu")


@pytest.fixture
def rows_of_calls(monkeypatch):
    """Rows of each call that reaches the network, of which nothing is remembered yet."""
    release()
    calls = []
    predict = ForecastPipeline.predict

    def counted(self, series, *args, **kwargs):
        calls.append(len(series))
        return predict(self, series, *args, **kwargs)

    monkeypatch.setattr(ForecastPipeline, "predict", counted)
    return calls


@pytest.fixture
def fits(monkeypatch):
    """Series of each call of `TimerS1Model.fit`."""
    calls = []
    fit = TimerS1Model.fit
    monkeypatch.setattr(
        TimerS1Model,
        "fit",
        lambda self, series, *args, **kwargs: (
            calls.append(series) or fit(self, series, *args, **kwargs)
        ),
    )
    return calls


def make(input_chunk_length=64, output_chunk_length=24, **kwargs):
    kwargs = {"hub_model_name": NAME, "pl_trainer_kwargs": dict(QUIET), **kwargs}
    return TimerS1Model(input_chunk_length, output_chunk_length, **kwargs)


def values(length=100, components=1, seed=0, level=50.0):
    steps = np.random.default_rng(seed).normal(size=(length, components))
    return np.cumsum(steps, axis=0) + level


def make_series(length=100, components=1, seed=0, dtype="float64", **kwargs):
    index = pd.date_range("2024-01-01", periods=length, freq="h")
    columns = [f"c{i}" for i in range(components)]
    array = values(length, components, seed).astype(dtype)
    return TimeSeries.from_times_and_values(index, array, columns=columns, **kwargs)


def pipeline_quantiles(pipe, array, horizon, levels, **kwargs):
    """Components side by side as Darts lays them out: (horizon, components * levels)."""
    forecast = pipe.predict(list(np.asarray(array, np.float64).T), horizon, **kwargs)
    stacked = np.stack([forecast.quantile(level) for level in levels], axis=-1)
    return stacked.transpose(1, 0, 2).reshape(horizon, -1)


def assert_close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)


def assert_same_forecasts(actual, expected):
    """Compare what Darts returns: a series, a list of series, or a list of lists of them."""
    assert isinstance(actual, TimeSeries) == isinstance(expected, TimeSeries)
    if not isinstance(expected, TimeSeries):
        for one, other in zip(actual, expected, strict=True):
            assert_same_forecasts(one, other)
        return
    assert actual.time_index.equals(expected.time_index)
    assert actual.freq == expected.freq
    assert actual.dtype == expected.dtype
    assert actual.components.equals(expected.components)
    assert (actual.static_covariates is None) == (expected.static_covariates is None)
    if expected.static_covariates is not None:
        pd.testing.assert_frame_equal(actual.static_covariates, expected.static_covariates)
    assert_close(actual.all_values(), expected.all_values())
