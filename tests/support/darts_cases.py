"""Series, models and comparisons that the tests of the Darts door share."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

pytest.importorskip("darts", reason="darts is not installed")
pytest.importorskip("pytorch_lightning", reason="darts is installed without torch")

from darts import TimeSeries

from timer_forecaster import ForecastPipeline, release
from timer_forecaster.checkpoints import registry as checkpoints
from timer_forecaster.darts import TimerS1Model

NAME = "timer-s1-test"
ONE_PASS = 32
FOLDER = Path(checkpoints.__file__).parent / NAME
QUIET = {"accelerator": "cpu", "enable_progress_bar": False}
SILENT = {**QUIET, "enable_model_summary": False}
LEVELS = [0.1, 0.5, 0.9]
ODD_LEVELS = [0.01, 0.05, 0.37, 0.5, 0.63, 0.95, 0.99]
HEAD = "output_patch_embedding.*"

# Warnings of Lightning and of torch's data loader about every forecast of every Darts model.
UNAVOIDABLE = [
    pytest.mark.filterwarnings("ignore:'pin_memory' argument is set:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*LeafSpec"),
    pytest.mark.filterwarnings("ignore:.*AMP with fp16 is not supported on CPU"),
    pytest.mark.filterwarnings("error:The state dict in"),
]
# The same about every training.
TRAINING = [
    *UNAVOIDABLE,
    pytest.mark.filterwarnings("ignore:The '.*_dataloader' does not have many workers"),
    pytest.mark.filterwarnings("ignore:The number of training batches"),
    pytest.mark.filterwarnings("ignore:Checkpoint directory .* exists"),
    pytest.mark.filterwarnings("ignore:Found .* module.s. in eval mode"),
    pytest.mark.filterwarnings("ignore:You called `self.log.* but have no logger"),
    pytest.mark.filterwarnings("ignore:`ModelCheckpoint.* could not find the monitored key"),
]


@pytest.fixture(autouse=True, scope="module")
def without_chatter():
    """Darts and Lightning log several lines for each forecast."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Lightning leaves files in the folder that it is started from."""
    monkeypatch.chdir(tmp_path)


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


def tuned(input_chunk_length=32, output_chunk_length=8, **kwargs):
    kwargs = {
        "enable_finetuning": "head",
        "n_epochs": 2,
        "random_state": 0,
        "optimizer_kwargs": {"lr": 1e-2},
        "pl_trainer_kwargs": dict(SILENT),
        "work_dir": str(Path("darts_logs").absolute()),  # Darts' is that of when it was imported
        **kwargs,
    }
    return make(input_chunk_length, output_chunk_length, **kwargs)


def validated(series, **kwargs):
    """Return the scores of training and validation without a change of the weights."""
    model = tuned(optimizer_kwargs={"lr": 0.0}, n_epochs=1, **kwargs)
    model.fit(series, val_series=series)
    return model.adapter.record["scores"]


def weights_of(model):
    return {name: value.detach().clone() for name, value in model.model.named_parameters()}


def assert_same_weights(one, other):
    assert one.weights.keys() == other.weights.keys()
    for name, value in one.weights.items():
        torch.testing.assert_close(value, other.weights[name], rtol=1e-4, atol=1e-6)


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
