"""The Lightning module: its forecasts, its loss and its metrics.

The comments "trap" refer to difficulties of Darts 0.48.
"""

import numpy as np
import pytest
import torch
import torchmetrics
from darts import TimeSeries
from darts.utils.data import ModuleStage, PLModuleInput
from darts.utils.likelihood_models import QuantileRegression
from darts_cases import (
    LEVELS,
    NAME,
    ONE_PASS,
    QUIET,
    SILENT,
    TRAINING,
    assert_close,
    assert_same_weights,
    elsewhere,
    make,
    make_series,
    pipe,
    pipeline_quantiles,
    rows_of_calls,
    tuned,
    validated,
    values,
    weights_of,
    without_chatter,
)

from timer_forecaster import ForecastPipeline, release
from timer_forecaster.checkpoints import cache
from timer_forecaster.inference.scaling import standardize
from timer_forecaster.models.timer_s1.patches import patchify

__all__ = ["elsewhere", "pipe", "rows_of_calls", "without_chatter"]  # fixtures

pytestmark = TRAINING


@pytest.mark.parametrize("precision", ["32-true", "64-true", "bf16-mixed", "16-mixed"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_precision_neither_rounds_the_series_nor_casts_the_network(pipe, precision, dtype):
    release()
    series = make_series(dtype=dtype) + 1000.0
    model = make(output_chunk_length=50, pl_trainer_kwargs={**QUIET, "precision": precision})
    forecast = model.fit(series).predict(50).values()
    assert_close(forecast, pipeline_quantiles(pipe, series.values()[-64:], 50, [0.5]))
    (network,) = cache._networks.values()
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    assert not any(p.is_inference() for p in network.parameters())


def test_dtype_is_the_networks(pipe):
    series = make_series()
    exact = make().fit(series).predict(24).values()
    rough = make(dtype=torch.bfloat16).fit(series).predict(24).values()
    expected = ForecastPipeline.from_pretrained(NAME, device="cpu", dtype="bfloat16").predict(
        series.values()[-64:, 0], 24
    )
    assert_close(rough[:, 0], expected.median[0])
    assert not np.allclose(rough, exact, rtol=1e-5, atol=1e-5)


def test_forecasts_neither_move_nor_cast_the_network(monkeypatch):
    """Lightning takes its module to the device and back for every forecast (trap 1.11)."""
    release()
    model = make().fit(make_series())
    model.predict(24)
    (network,) = cache._networks.values()
    monkeypatch.setattr(type(network), "_apply", lambda *args: pytest.fail("it is moved"))
    with pytest.raises(pytest.fail.Exception):
        network.double()
    model.predict(24, series=make_series(seed=1))
    assert list(cache._networks.values()) == [network]


def test_random_state_of_torch_is_left_alone():
    module = make(16, 5).fit(make_series()).model
    before = torch.get_rng_state()
    window = torch.from_numpy(values(16, 2)[None])
    output = module(PLModuleInput(past_target=window, stage=ModuleStage.PREDICT))
    assert output.prediction.shape == (1, 5, 2, 1)
    torch.testing.assert_close(torch.get_rng_state(), before)


@pytest.mark.parametrize("batch_size", [256, 7])
def test_samples_take_one_pass_of_the_different_rows(batch_size, rows_of_calls):
    """Darts repeats the rows in each batch, and the batch (trap 1.10)."""
    many = [make_series(components=2, seed=seed) for seed in range(3)]
    model = make(likelihood=QuantileRegression([0.1, 0.5, 0.9]), batch_size=batch_size).fit(many)
    forecasts = model.predict(24, series=many, num_samples=500, random_state=0)
    assert rows_of_calls == [6]
    assert forecasts[0].n_samples == 500
    exact = model.predict(24, series=many, predict_likelihood_parameters=True)
    assert rows_of_calls == [6]
    for drawn, quantiles in zip(forecasts, exact, strict=True):
        low, median, high = np.moveaxis(quantiles.values().reshape(24, 2, 3, 1), 2, 0)
        draws = drawn.all_values()  # Darts clips them to the outer quantiles
        shares = [(draws <= low).mean(), (draws < median).mean(), (draws >= high).mean()]
        np.testing.assert_allclose(shares, [0.1, 0.5, 0.1], atol=0.01)


def test_samples_beyond_one_chunk_run_what_differs_alone(rows_of_calls):
    model = make(likelihood=QuantileRegression([0.1, 0.5, 0.9])).fit(make_series())
    model.predict(60, num_samples=40, random_state=0)
    assert rows_of_calls == [1, 40, 40]  # every sample goes on from its own path


def test_equal_rows_are_forecast_once_whatever_their_padding(pipe, rows_of_calls):
    short = make_series(20)
    many = [short, short.prepend_values(np.full(10, np.nan)), make_series(20, seed=1), short]
    forecasts = make((5, 64)).fit(many).predict(24, series=many)
    assert rows_of_calls == [2]
    for series, forecast in zip(many, forecasts, strict=True):
        assert_close(forecast.values(), pipeline_quantiles(pipe, series.values(), 24, [0.5]))


def test_a_window_without_values_is_forecast_as_missing(pipe):
    array = values(64, 2)
    array[:, 0] = np.nan
    forecast = make().fit(TimeSeries.from_values(array)).predict(24).values()
    assert np.isnan(forecast[:, 0]).all()
    assert_close(forecast[:, 1:], pipeline_quantiles(pipe, array[:, 1:], 24, [0.5]))
    nothing = TimeSeries.from_values(np.full(64, np.nan))
    assert np.isnan(make().fit(nothing).predict(24).values()).all()


# --- files of Lightning ---------------------------------------------------------------------


def test_a_checkpoint_of_lightning_names_no_class_of_this_package():
    """So that files outlive moves of our code, and load where only weights are trusted."""
    model = tuned(likelihood=QuantileRegression(LEVELS), n_epochs=1).fit(make_series(60))
    model.save("model.pt")
    named = torch.serialization.get_unsafe_globals_in_checkpoint("model.pt.ckpt")
    assert not [name for name in named if name.startswith("timer_forecaster")]
    stored = torch.load("model.pt.ckpt", weights_only=False)["hyper_parameters"]
    assert {name: stored[name] for name in OWN_HYPERPARAMETERS} == OWN_HYPERPARAMETERS


OWN_HYPERPARAMETERS = {  # version 0.1 reads these
    "checkpoint": NAME,
    "revision": None,
    "dtype": "auto",
    "rollout": "auto",
    "flip": False,
    "quantization": None,
    "enable_finetuning": "head",
}


# --- the loss -------------------------------------------------------------------------------


def window_losses(pipe, array, length, horizon, shift=0):
    """Equation (13) of the report for each window, with numpy, from what the network gives."""
    losses = []
    network = pipe.network
    levels = np.array(network.config.quantiles)
    for end in range(length, len(array) - horizon - shift + 1):
        row = standardize(array[end - length : end], "context", 512, interior_masks=True)
        target = (array[end + shift : end + shift + horizon] - row.location) / row.scale
        known = ~np.isnan(target)
        context = torch.from_numpy(row.values.astype(np.float32))[None]
        patches = patchify(context, ~context.isnan(), 16)
        quantiles = network.forecast_pass(patches, -(-(horizon + shift) // 16))[0].numpy().T
        error = (target[:, None] - quantiles[shift : shift + horizon])[known]
        rho = np.maximum(levels * error, (levels - 1) * error)
        losses.append((2 * rho.sum(axis=0) / np.abs(target[known]).sum()).mean())
    return losses


@pytest.mark.parametrize("shift", [0, 5])
def test_loss_is_that_of_the_checkpoint_over_all_levels(pipe, shift):
    array = values(48, 2)
    array[10:13, 0] = np.nan
    array[40:44, 1] = np.nan  # in contexts, and in what follows them
    expected = np.mean([window_losses(pipe, column, 32, 8, shift) for column in array.T])
    for likelihood in (None, QuantileRegression(LEVELS)):
        options = {"output_chunk_shift": shift, "likelihood": likelihood}
        scores = validated(TimeSeries.from_values(array), **options)
        assert scores["val_loss"] == pytest.approx(expected, rel=1e-4)
        assert scores["train_loss"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_loss_has_no_scale(dtype):
    large = make_series(60, 2, dtype=dtype)
    small = large * 1e-3 - 1
    for scores in zip(*(validated(series).values() for series in (large, small)), strict=True):
        assert scores[0] == pytest.approx(scores[1], rel=1e-3)


def test_short_windows_count_with_what_they_have(pipe):
    many = [make_series(22, seed=seed) for seed in range(2)]
    losses = [
        window_losses(pipe, series.values()[: length + 8, 0], length, 8)
        for series in many
        for length in (12, 13, 14)
    ]
    model = tuned((12, 32), optimizer_kwargs={"lr": 0.0}, n_epochs=1)
    model.fit(many, val_series=many)
    assert model.adapter.record["scores"]["val_loss"] == pytest.approx(np.mean(losses), rel=1e-4)


def test_beyond_one_pass_the_pass_is_trained(pipe):
    array = values(32 + 3 * ONE_PASS)
    scores = validated(TimeSeries.from_values(array), output_chunk_length=3 * ONE_PASS)
    expected = window_losses(pipe, array[: 32 + ONE_PASS, 0], 32, ONE_PASS)
    assert scores["val_loss"] == pytest.approx(expected[0], rel=1e-4)
    model = tuned(output_chunk_length=3 * ONE_PASS).fit(TimeSeries.from_values(array))
    assert len(model.predict(3 * ONE_PASS)) == 3 * ONE_PASS


def test_windows_that_show_nothing_change_nothing():
    """Constant ones, empty ones, and those after which nothing is observed."""
    empty, constant, unseen = np.full((40, 1), np.nan), np.ones((40, 1)), values(40)
    unseen[32:] = np.nan
    telling = make_series(40)
    silent = [TimeSeries.from_values(part) for part in (empty, constant, unseen)]
    for series in (silent, silent[0]):
        model = tuned().fit(series, val_series=series)
        before = tuned(n_epochs=0).fit(telling)
        assert model.adapter == before.adapter
        assert not model.adapter.record["scores"]
    alone, among = tuned(batch_size=4), tuned(batch_size=4)
    alone.fit([telling])
    among.fit([telling, *silent])
    for name, value in weights_of(alone).items():
        torch.testing.assert_close(value, weights_of(among)[name], rtol=1e-4, atol=1e-6)


def test_weights_that_no_forecast_needs_are_refused():
    model = tuned(enable_finetuning={"unfreeze": ["mtp_modules.*"]})
    with pytest.raises(ValueError, match=r"none of these weights.*of 8 steps.*more than 16"):
        model.fit(make_series(60))
    assert tuned(32, 17, enable_finetuning={"unfreeze": ["mtp_modules.*"]}).fit(make_series(60))


def test_sample_weights_count():
    series = make_series(80)
    ones = series.with_values(np.ones((80, 1)))
    plain = tuned().fit(series).adapter
    assert_same_weights(tuned().fit(series, sample_weight=ones).adapter, plain)
    assert tuned().fit(series, sample_weight="linear").adapter != plain
    zeros = tuned(optimizer_cls=torch.optim.SGD).fit(series, sample_weight=ones * 0)
    assert_same_weights(zeros.adapter, tuned(n_epochs=0).fit(series).adapter)


def test_steps_of_weight_zero_are_as_if_not_observed():
    array, weight = values(40), np.ones((40, 1))
    weight[36:] = 0.0
    hidden = array.copy()
    hidden[36:] = np.nan
    weighed, unseen = tuned(n_epochs=1), tuned(n_epochs=1)
    weighed.fit(TimeSeries.from_values(array), sample_weight=TimeSeries.from_values(weight))
    unseen.fit(TimeSeries.from_values(hidden))
    losses = [model.adapter.record["scores"]["train_loss"] for model in (weighed, unseen)]
    assert losses[0] == pytest.approx(losses[1] / 2, rel=1e-4)  # as in Darts, the mean of all


@pytest.mark.parametrize("likelihood", [None, QuantileRegression(LEVELS)])
@pytest.mark.parametrize("components", [1, 2])
def test_metrics_are_of_forecasts_in_the_units_of_the_series(likelihood, components, pipe):
    """In-tree models crash here (trap 1.3)."""
    array = values(42, components)
    array[33, 0] = np.nan
    series = TimeSeries.from_values(array)
    metrics = [torchmetrics.MeanAbsoluteError(), torchmetrics.MeanSquaredError()]
    model = tuned(
        torch_metrics=metrics, likelihood=likelihood, optimizer_kwargs={"lr": 0.0}, n_epochs=1
    )
    model.fit(series, val_series=series)
    scores = model.adapter.record["scores"]
    assert set(scores) == {
        f"{stage}_{name}"
        for stage in ("train", "val")
        for name in ("loss", "MeanAbsoluteError", "MeanSquaredError")
    }
    errors = []
    for end in range(32, 35):
        target = array[end : end + 8]
        median = pipeline_quantiles(pipe, array[end - 32 : end], 8, [0.5])
        errors.append((target - median)[~np.isnan(target).any(axis=1)])
    expected = np.abs(np.concatenate(errors)).mean()
    tolerance = 1e-4 if likelihood is None else 0.5  # draws
    assert scores["val_MeanAbsoluteError"] == pytest.approx(expected, rel=tolerance)


@pytest.mark.parametrize(
    ("precision", "dtype"),
    [("32-true", "float64"), ("64-true", "float64"), ("bf16-mixed", "float32")],
)
def test_precision_reaches_neither_the_series_nor_the_weights(precision, dtype):
    series = make_series(60, dtype=dtype) + 1000.0
    trainer = {**SILENT, "precision": precision}
    model = tuned(enable_finetuning="router+head", pl_trainer_kwargs=trainer).fit(series)
    expected = tuned(enable_finetuning="router+head").fit(series)
    assert {value.dtype for value in weights_of(model).values()} == {torch.float32}
    assert_same_weights(model.adapter, expected.adapter)
    assert model.predict(8).dtype == dtype
