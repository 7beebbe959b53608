"""The Darts model: its numbers, weights and files.

The comments "trap" refer to what was found hard in Darts 0.48; see docs/darts.md. Backtests are in
`test_darts_backtesting`, Darts' wrappers in `test_darts_around`.
"""

import copy
import doctest
import io
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import pytorch_lightning as pl
import torch
from darts import TimeSeries
from darts.utils.data import ModuleStage, PLModuleInput, SequentialTorchTrainingDataset
from darts.utils.likelihood_models import GaussianLikelihood, QuantileRegression
from darts_cases import (
    NAME,
    ONE_PASS,
    QUIET,
    UNAVOIDABLE,
    assert_close,
    make,
    make_series,
    pipe,
    pipeline_quantiles,
    rows_of_calls,
    values,
    without_chatter,
)
from places import ROOT

from timer_forecaster import ForecastPipeline, release
from timer_forecaster.checkpoints import cache
from timer_forecaster.checkpoints import registry as checkpoints
from timer_forecaster.darts import TimerS1Model

__all__ = ["pipe", "rows_of_calls", "without_chatter"]  # fixtures

pytestmark = UNAVOIDABLE
FOLDER = Path(checkpoints.__file__).parent / NAME
ODD_LEVELS = [0.01, 0.05, 0.37, 0.5, 0.63, 0.95, 0.99]


# --- the numbers are the pipeline's ---------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("horizon", [5, ONE_PASS, 3 * ONE_PASS + 5])
def test_quantiles_equal_the_pipelines(pipe, dtype, horizon):
    series = make_series(components=2, dtype=dtype)
    model = make(64, horizon, likelihood=QuantileRegression(ODD_LEVELS)).fit(series)
    forecast = model.predict(horizon, predict_likelihood_parameters=True)
    expected = pipeline_quantiles(pipe, series.values()[-64:], horizon, ODD_LEVELS)
    assert forecast.dtype == dtype
    assert_close(forecast.values(), expected)
    assert (np.diff(forecast.values().reshape(horizon, 2, -1), axis=-1) >= 0).all()


@pytest.mark.parametrize(
    ("length", "options"),
    [
        (64, {"rollout": "quantile"}),
        (64, {"rollout": "median"}),
        (1600, {"rollout": "multiscale"}),
        (64, {"flip": True}),
    ],
)
def test_options_reach_the_pipeline(pipe, length, options):
    series = make_series(1600)
    levels = [0.1, 0.5, 0.9]
    model = make(length, 80, likelihood=QuantileRegression(levels), **options)
    forecast = model.fit(series).predict(80, predict_likelihood_parameters=True)
    expected = pipeline_quantiles(pipe, series.values()[-length:], 80, levels, **options)
    assert_close(forecast.values(), expected)


def test_deterministic_forecast_is_the_median(pipe):
    series = make_series(components=3)
    forecast = make().fit(series).predict(24)
    assert forecast.all_values().shape == (24, 3, 1)
    assert forecast.components.equals(series.components)
    assert forecast.start_time() == series.end_time() + series.freq
    assert_close(forecast.values(), pipeline_quantiles(pipe, series.values()[-64:], 24, [0.5]))


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_scale_of_a_float64_series_is_kept(scale):
    series = make_series()
    expected = make().fit(series).predict(24).values()
    forecast = make().fit(series * scale).predict(24).values()
    np.testing.assert_allclose(forecast / scale, expected, rtol=1e-6)


def test_level_of_a_float64_series_is_kept():
    series = make_series()
    expected = make().fit(series).predict(24).values()
    forecast = make().fit(series + 1e9).predict(24).values()  # float32 knows multiples of 64 here
    np.testing.assert_allclose(forecast - 1e9, expected, atol=1e-4)


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


def test_half_precision_is_refused():
    for precision in ("bf16-true", "16-true"):
        with pytest.raises(ValueError, match=f"precision='{precision}'.*would round the series"):
            make(pl_trainer_kwargs={"precision": precision})
    with pytest.raises(ValueError, match=r"float16.*astype\('float32'\)"):
        make().fit(make_series(dtype="float16"))
    trainer = pl.Trainer(**QUIET, precision="bf16-true", logger=False)
    with pytest.raises(ValueError, match=r"arrives as torch\.bfloat16"):
        make().fit(make_series()).predict(24, trainer=trainer)


# --- likelihood and samples -----------------------------------------------------------------


def test_quantile_components_are_named_after_component_and_level():
    series = make_series(components=2)
    model = make(likelihood=QuantileRegression([0.1, 0.5, 0.9])).fit(series)
    forecast = model.predict(24, predict_likelihood_parameters=True)
    assert forecast.components.to_list() == [
        f"{component}_q{level}"
        for component in ("c0", "c1")
        for level in ("0.100", "0.500", "0.900")
    ]


def test_default_quantiles_of_darts_are_accepted():
    model = make(likelihood=QuantileRegression()).fit(make_series())
    assert model.predict(24, predict_likelihood_parameters=True).width == 17


def test_samples_are_reproducible_and_follow_the_quantiles():
    model = make(likelihood=QuantileRegression([0.1, 0.5, 0.9])).fit(make_series(components=2))
    first, again = (model.predict(24, num_samples=300, random_state=7) for _ in range(2))
    other = model.predict(24, num_samples=300, random_state=8)
    assert first.all_values().shape == (24, 2, 300)
    np.testing.assert_array_equal(first.all_values(), again.all_values())
    assert (first.all_values() != other.all_values()).any()
    exact = model.predict(24, predict_likelihood_parameters=True).values().reshape(24, 2, 3)
    below = (first.all_values() < exact[..., 1:2]).mean()
    assert abs(below - 0.5) < 0.02


def test_samples_can_be_rolled_out_by_darts():
    model = make(likelihood=QuantileRegression([0.1, 0.5, 0.9])).fit(make_series())
    forecast = model.predict(60, num_samples=5, random_state=0)
    assert forecast.all_values().shape == (60, 1, 5)
    assert np.isfinite(forecast.all_values()).all()


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


@pytest.mark.parametrize("likelihood", [GaussianLikelihood(), "quantile"])
def test_other_likelihoods_are_refused(likelihood):
    with pytest.raises(ValueError, match="Only QuantileRegression likelihood is supported"):
        make(likelihood=likelihood)


# --- series of all kinds --------------------------------------------------------------------


def test_components_are_forecast_independently():
    series = make_series(components=3)
    together = make().fit(series).predict(24).values()
    alone = [make().fit(series[name]).predict(24).values() for name in series.components]
    assert_close(together, np.hstack(alone))


def test_mixed_lengths_equal_fixed_lengths(pipe):
    lengths = [100, 7, 64, 33, 1]
    many = [make_series(length, 2, seed=length) for length in lengths]
    mixed = make((1, 100)).fit(many).predict(24, series=many)
    for series, forecast in zip(many, mixed, strict=True):
        fixed = make(len(series)).fit(series).predict(24)
        assert_close(forecast.values(), fixed.values())
        assert_close(forecast.values(), pipeline_quantiles(pipe, series.values(), 24, [0.5]))


def test_window_limits_follow_the_input_chunk_length():
    model = make((10, 50), 24, output_chunk_shift=3)
    assert (model.min_input_chunk_length, model.input_chunk_length) == (10, 50)
    assert model.extreme_lags[:2] == (-10, 26)
    assert len(make((10, 50)).fit(make_series(10)).predict(24)) == 24
    with pytest.raises(ValueError, match="too short"):
        make((10, 50)).fit(make_series(9))


def test_series_must_be_given_after_fitting_several():
    many = [make_series(seed=i) for i in range(2)]
    model = make().fit(many)
    with pytest.raises(ValueError, match="series"):
        model.predict(24)
    with pytest.raises(ValueError, match="number of components"):
        model.predict(24, series=make_series(components=2))


def test_shift_leaves_steps_out(pipe):
    series = make_series(components=2)
    model = make(64, 24, output_chunk_shift=20, likelihood=QuantileRegression([0.1, 0.5, 0.9]))
    forecast = model.fit(series).predict(24, predict_likelihood_parameters=True)
    expected = pipeline_quantiles(pipe, series.values()[-64:], 44, [0.1, 0.5, 0.9])[20:]
    assert forecast.start_time() == series.end_time() + 21 * series.freq
    assert_close(forecast.values(), expected)


@pytest.mark.parametrize(
    "n, error, message",
    [
        (0, ValueError, "n=0 must be at least 1"),
        (-1, ValueError, "n=-1 must be at least 1"),
        (1.5, TypeError, "n=1.5 must be an integer"),
        (True, TypeError, "n=True must be an integer"),
    ],
)
def test_a_horizon_that_is_none_is_refused(n, error, message):
    model = make().fit(make_series())
    with pytest.raises(error, match=message):
        model.predict(n)


def test_roll_sizes_for_which_darts_misplaces_chunks_are_refused():
    series = make_series()
    model = make(64, 24).fit(series)
    for n in (24, 60):
        with pytest.raises(ValueError, match=r"roll_size=5.*output_chunk_length=24"):
            model.predict(n, roll_size=5)
    with pytest.raises(ValueError, match="roll_size=5"):
        model.historical_forecasts(series, stride=9, predict_kwargs={"roll_size": 5})
    assert model.predict(60, roll_size=24) == model.predict(60)


def test_auto_regression_of_darts_goes_on():
    model = make(64, 24).fit(make_series(components=2))
    assert np.isfinite(model.predict(60).values()).all()
    assert_close(model.predict(10).values(), model.predict(24).values()[:10])


def test_missing_values_inside_and_leading(pipe):
    array = values(64, 2)
    array[20:24, 0] = np.nan
    array[:30, 1] = np.nan
    forecast = make().fit(TimeSeries.from_values(array)).predict(24).values()
    assert np.isfinite(forecast).all()
    assert_close(forecast, pipeline_quantiles(pipe, array, 24, [0.5]))
    assert_close(forecast[:, 1:], pipeline_quantiles(pipe, array[30:, 1:], 24, [0.5]))


def test_a_window_without_values_is_forecast_as_missing(pipe):
    array = values(64, 2)
    array[:, 0] = np.nan
    forecast = make().fit(TimeSeries.from_values(array)).predict(24).values()
    assert np.isnan(forecast[:, 0]).all()
    assert_close(forecast[:, 1:], pipeline_quantiles(pipe, array[:, 1:], 24, [0.5]))
    nothing = TimeSeries.from_values(np.full(64, np.nan))
    assert np.isnan(make().fit(nothing).predict(24).values()).all()


def test_infinite_values_are_refused():
    array = values(64)
    array[10] = np.inf
    with pytest.raises(ValueError, match="infinite"):
        make().fit(TimeSeries.from_values(array)).predict(24)


def test_constant_series_forecasts_itself():
    series = TimeSeries.from_values(np.full(64, 3.25))
    assert (make().fit(series).predict(24).values() == 3.25).all()


def test_input_is_not_changed_and_static_covariates_are_kept():
    static = pd.DataFrame({"site": [3.0]})
    series = make_series(static_covariates=static)
    before = series.copy()
    forecast = make().fit(series).predict(24)
    assert series == before
    pd.testing.assert_frame_equal(forecast.static_covariates, series.static_covariates)


@pytest.mark.parametrize("kind", ["past_covariates", "future_covariates"])
def test_covariates_are_refused(kind):
    series = make_series()
    with pytest.raises(ValueError, match=f"does not support `{kind}`"):
        make().fit(series, **{kind: series})
    with pytest.raises(ValueError, match="covariates"):
        make().fit(series).predict(24, **{kind: series})


# --- what Darts' own tests ask of every model -----------------------------------------------


@pytest.mark.parametrize("length", [16, 14, 8, 1])
def test_every_length_from_the_least_on_is_forecast(length):
    model = make((1, 16), 6).fit(make_series(16))
    assert np.isfinite(model.predict(6, series=make_series(length)).values()).all()


def test_fit_never_trains(monkeypatch):
    monkeypatch.setattr(pl.Trainer, "fit", lambda *args, **kwargs: pytest.fail("it trains"))
    series = make_series()
    model = make().fit(series, val_series=series, epochs=3)
    assert model.epochs_trained == 0
    first, again = model.predict(30), model.predict(30)
    assert first == again


def test_least_length_of_a_training_series_is_darts_rule():
    assert make((10, 50), 24).min_train_series_length == 34
    assert make(50, 24, output_chunk_shift=2).min_train_series_length == 76


def test_an_untrained_copy_has_the_parameters():
    model = make((3, 40), likelihood=QuantileRegression([0.2, 0.5, 0.8]), local_dir=FOLDER)
    assert dict(model.untrained_model().model_params) == dict(model.model_params)


def test_jobs_and_batches_change_nothing():
    many = [make_series(seed=seed) for seed in range(5)]
    model = make().fit(many)
    expected = model.predict(24, series=many)
    for options in ({"n_jobs": 2}, {"batch_size": 2}, {"dataloader_kwargs": {"batch_size": 3}}):
        for one, other in zip(model.predict(24, series=many, **options), expected, strict=True):
            assert_close(one.values(), other.values())


def test_fit_from_a_dataset():
    series = make_series()
    dataset = SequentialTorchTrainingDataset(series, input_chunk_length=64, output_chunk_length=24)
    model = make().fit_from_dataset(dataset)
    with pytest.raises(ValueError, match="fit_from_dataset"):
        model.predict(24)
    assert_close(model.predict(24, series=series).values(), make().fit(series).predict(24).values())


@pytest.mark.parametrize("precision", ["32-true", "64-true"])
def test_a_trainer_of_ones_own(precision):
    series = make_series()
    trainer = pl.Trainer(**QUIET, precision=precision, logger=False)
    forecast = make().fit(series, trainer=trainer).predict(24, trainer=trainer)
    assert_close(forecast.values(), make().fit(series).predict(24).values())


def test_a_long_chunk_does_not_depend_on_how_much_of_it_is_asked_for():
    """Beyond a chunk Darts moves its last chunks instead (trap 1.7)."""
    model = make(64, 70).fit(make_series())
    assert_close(model.predict(25).values()[:24], model.predict(24).values())
    assert_close(model.predict(70).values()[:24], model.predict(24).values())


# --- construction ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"input_chunk_length": 513}, "input_chunk_length=513 .* at most 512 steps"),
        ({"input_chunk_length": (1, 513)}, "at most 512 steps"),
        ({"input_chunk_length": (5, 3)}, "1 <= min_length <= max_length"),
        ({"output_chunk_length": 0}, "output_chunk_length=0"),
        ({"output_chunk_shift": -1}, "output_chunk_shift=-1"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"hub_model_name": ""}, "hub_model_name='' is empty"),
        ({"add_encoders": {"cyclic": {"past": ["month"]}}}, "add_encoders=.*leave it out"),
        ({"rollout": "mean"}, "rollout='mean' is unknown"),
        ({"dtype": "int8"}, "dtype='int8' is not supported"),
        ({"hub_model_name": "nonsense"}, "'nonsense' is neither a registry name"),
        ({"hub_model_revision": "main"}, "applies to hub ids"),
        ({"local_dir": "no-such-folder"}, "does not exist"),
        ({"local_dir": __file__}, "is not a directory"),
        ({"local_dir": Path(__file__).parent}, "holds no config.json"),
        ({"nonsense": 1}, "has no args/kwargs"),
    ],
)
def test_unusable_parameters_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        make(**arguments)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"flip": "no"}, "flip='no' must be True or False"),
        ({"output_chunk_length": True}, "output_chunk_length=True must be an integer"),
        ({"batch_size": 2.0}, "batch_size=2.0 must be an integer"),
        ({"hub_model_name": None}, "hub_model_name=None must be a string or a path"),
        ({"local_dir": 5}, "local_dir=5 must be a string or a path"),
        ({"pl_trainer_kwargs": 5}, "pl_trainer_kwargs=5 must be a dict"),
    ],
)
def test_parameters_of_other_types_are_named(arguments, message):
    with pytest.raises(TypeError, match=message):
        make(**arguments)


def test_parameters_are_plain_and_normalised_before_darts_reads_them():
    """Darts copies, prints and pickles them (traps 1.2 and 1.12)."""
    model = make(hub_model_name=Path(FOLDER), local_dir=FOLDER, dtype=torch.float32)
    found = {name: model.model_params[name] for name in ("hub_model_name", "local_dir", "dtype")}
    assert found == {"hub_model_name": str(FOLDER), "local_dir": str(FOLDER), "dtype": "float32"}


@pytest.mark.parametrize("batch_size", [None, 3])
def test_many_windows_are_handed_over_at_once(batch_size, rows_of_calls):
    """Darts' default are 32 (trap 1.13)."""
    many = [make_series(20, seed=seed) for seed in range(40)]
    model = make((1, 20), 6, **({} if batch_size is None else {"batch_size": batch_size}))
    model.fit(many).predict(6, series=many)
    assert rows_of_calls == ([40] if batch_size is None else [3] * 13 + [1])


def test_construction_reads_no_weights(tmp_path):
    (tmp_path / "config.json").write_bytes((FOLDER / "config.json").read_bytes())
    with pytest.raises(ValueError, match="at most 512 steps"):
        make(600, local_dir=tmp_path)
    assert make(512, local_dir=tmp_path).fit(make_series(512)) is not None


def test_of_a_hub_id_construction_asks_for_the_configuration_alone(monkeypatch):
    asked = []

    def download(name, revision, allow_patterns):
        asked.append((name, revision, allow_patterns))
        return str(FOLDER)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    make(hub_model_name="owner/name", hub_model_revision="v1")
    assert asked == [("owner/name", "v1", ["config.json"])]


def test_reversible_instance_norm_changes_nothing():
    array = values(64)
    array[5] = np.nan
    series = TimeSeries.from_values(array)
    expected = make().fit(series).predict(24)
    normed = make(use_reversible_instance_norm=True).fit(series).predict(24)
    np.testing.assert_array_equal(normed.values(), expected.values())


def test_onnx_export_is_refused():
    with pytest.raises(NotImplementedError, match="ONNX"):
        make().to_onnx("model.onnx")


def test_a_search_for_a_learning_rate_is_refused():
    with pytest.raises(NotImplementedError, match="no learning rate"):
        make().lr_find(make_series())


def test_what_is_about_training_changes_nothing():
    series = make_series()
    model = make(n_epochs=3, optimizer_kwargs={"lr": 3.0}, loss_fn=torch.nn.L1Loss())
    model.fit(series, epochs=2, sample_weight="linear")
    np.testing.assert_array_equal(
        model.predict(24).values(), make().fit(series).predict(24).values()
    )


# --- weights: one cache, small files --------------------------------------------------------


def test_fit_loads_nothing_and_models_share_one_network():
    release()
    series = make_series()
    models = [make(local_dir=None).fit(series), make(32, 8).fit(series * 2)]
    assert not cache._networks
    for model in models:
        model.predict(8)
    (network,) = cache._networks.values()
    models[0].predict(8)
    assert list(cache._networks.values()) == [network]
    assert not list(models[0].model.parameters())


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


def test_local_dir_is_another_door_to_the_same_numbers():
    series = make_series()
    expected = make().fit(series).predict(24)
    assert_close(make(local_dir=FOLDER).fit(series).predict(24).values(), expected.values())


@pytest.mark.parametrize("clean", [False, True])
@pytest.mark.parametrize("door", [{}, {"local_dir": FOLDER}, {"hub_model_name": FOLDER}])
def test_saved_models_are_small_and_forecast_the_same(tmp_path, clean, door):
    series = make_series(components=2)
    model = make((1, 64), **door, likelihood=QuantileRegression(ODD_LEVELS))
    model.fit(series)
    expected = model.predict(24, predict_likelihood_parameters=True)
    path = str(tmp_path / "model.pt")
    model.save(path, clean=clean)
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 100_000
    loaded = TimerS1Model.load(path, pl_trainer_kwargs={**QUIET, "logger": False})
    forecast = loaded.predict(24, series=series, predict_likelihood_parameters=True)
    assert forecast == expected


def test_saved_models_load_in_a_fresh_process(tmp_path):
    series = make_series(dtype="float32")
    model = make().fit(series)
    path = str(tmp_path / "model.pt")
    model.save(path)
    program = (
        "import sys, numpy as np; from timer_forecaster.darts import TimerS1Model;"
        "model = TimerS1Model.load(sys.argv[1]);"
        "np.save(sys.argv[2], model.predict(24).values())"
    )
    numbers = str(tmp_path / "forecast.npy")
    subprocess.run([sys.executable, "-c", program, path, numbers], check=True, capture_output=True)
    np.testing.assert_array_equal(np.load(numbers), model.predict(24).values())


def test_load_weights_takes_another_window_but_no_other_checkpoint(tmp_path):
    series = make_series()
    path = str(tmp_path / "model.pt")
    make().fit(series).save(path)
    options = {"rollout": "median", "output_chunk_shift": 3}
    other = make(32, 40, dtype="float32", **options)
    other.load_weights(path)
    expected = make(32, 40, **options).fit(series).predict(40)
    assert_close(other.predict(40, series=series).values(), expected.values())
    likelihood = QuantileRegression([0.1, 0.5, 0.9])
    more = make(likelihood=likelihood, use_reversible_instance_norm=True)
    more.load_weights(path)
    assert more.predict(24, series=series, predict_likelihood_parameters=True).width == 3
    with pytest.raises(ValueError, match="found local_dir="):
        make(local_dir=FOLDER).load_weights(path)


def test_weights_of_another_checkpoint_are_refused_even_unchecked(tmp_path):
    """They would be dropped unnoticed, as nothing is loaded into the module (trap 1.12)."""
    path = str(tmp_path / "model.pt")
    make(16, hub_model_name="timer-s1-mini").fit(make_series()).save(path)
    with pytest.raises(
        ValueError, match=r"hub_model_name=timer-s1-test, should be .*timer-s1-mini"
    ):
        make(16).load_weights(path)
    with pytest.raises(ValueError, match=r"forecasts with .*timer-s1-mini.*this one with"):
        make(16).load_weights(path, load_encoders=False, skip_checks=True)


@pytest.mark.filterwarnings("ignore:Total length of `list`", "ignore:Found 3 module")
def test_weights_of_another_class_are_refused(tmp_path):
    from darts.models import DLinearModel

    other = DLinearModel(16, 8, n_epochs=1, pl_trainer_kwargs=QUIET).fit(make_series())
    path = str(tmp_path / "model.pt")
    other.save(path)
    with pytest.raises(RuntimeError, match=r"Unexpected key\(s\) in state_dict"):
        make(16, 8).load_weights(path, load_encoders=False, skip_checks=True)


def test_load_from_checkpoint(tmp_path):
    series = make_series()
    model = make(save_checkpoints=True, model_name="saved", work_dir=str(tmp_path)).fit(series)
    model.trainer.save_checkpoint(tmp_path / "saved" / "checkpoints" / "last-epoch=0.ckpt")
    loaded = TimerS1Model.load_from_checkpoint("saved", work_dir=str(tmp_path), best=False)
    np.testing.assert_array_equal(
        loaded.predict(24, series=series).values(), model.predict(24).values()
    )


def test_a_fit_leaves_no_checkpoint_to_load(tmp_path):
    make(save_checkpoints=True, model_name="mine", work_dir=str(tmp_path)).fit(make_series())
    with pytest.raises(FileNotFoundError, match=r"model_name='mine'.*use save\(\) and load\(\)"):
        TimerS1Model.load_from_checkpoint("mine", work_dir=str(tmp_path))


def joblib_round_trip(model):
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    return joblib.load(file)


def pickle_round_trip(model):
    return pickle.loads(pickle.dumps(model))  # noqa: S301


COPIES = {
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
    "pickle": pickle_round_trip,
    "joblib": joblib_round_trip,
}


@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_copies_of_a_fitted_model_are_fitted(copied, dtype):
    series = make_series(90, 2, dtype=dtype)
    model = make((5, 64), likelihood=QuantileRegression(ODD_LEVELS), local_dir=FOLDER).fit(series)
    other = copied(model)
    quantiles = {"predict_likelihood_parameters": True}
    assert other.predict(24, **quantiles) == model.predict(24, **quantiles)
    options = {"retrain": False, "stride": 7, **quantiles}
    backtests = [one.historical_forecasts(series, **options) for one in (other, model)]
    assert backtests[0] == backtests[1]
    assert copied(other).predict(24, **quantiles) == model.predict(24, **quantiles)
    assert len(pickle.dumps(model)) < 20_000


def test_copies_of_an_unfitted_model_are_unfitted():
    model = copy.deepcopy(make())
    assert not model.model_created
    with pytest.raises(ValueError, match="not having fit the model yet"):
        model.predict(3)


@pytest.mark.parametrize("clean", [False, True])
def test_copies_and_loaded_models_can_be_saved(tmp_path, clean):
    series = make_series()
    model = make().fit(series)
    expected = model.predict(24)
    for number in range(2):
        path = str(tmp_path / f"{number}.pt")
        copy.deepcopy(model).save(path, clean=clean)
        model = TimerS1Model.load(path, pl_trainer_kwargs={**QUIET, "logger": False})
        assert model.predict(24, series=series) == expected
        model = copy.deepcopy(model)


def test_no_global_random_state_is_read_or_changed():
    series = make_series()
    options = {"num_samples": 3, "forecast_horizon": 6, "stride": 9}

    def draw(**random):
        np.random.seed(0)
        random_state = np.random.get_state()[1].copy(), np.random.get_state()[2]
        model = make(likelihood=QuantileRegression([0.1, 0.5, 0.9]), **random).fit(series)
        drawn = copy.deepcopy(model).predict(6, num_samples=3)
        backtest = model.historical_forecasts(series, **options)
        np.testing.assert_array_equal(np.random.get_state()[1], random_state[0])
        assert np.random.get_state()[2] == random_state[1]
        return drawn, backtest

    for one, other in zip(draw(), draw(), strict=True):
        assert one != other
    for one, other in zip(draw(random_state=1), draw(random_state=1), strict=True):
        assert one == other


def test_random_state_of_torch_is_left_alone():
    module = make(16, 5).fit(make_series()).model
    before = torch.get_rng_state()
    window = torch.from_numpy(values(16, 2)[None])
    output = module(PLModuleInput(past_target=window, stage=ModuleStage.PREDICT))
    assert output.prediction.shape == (1, 5, 2, 1)
    torch.testing.assert_close(torch.get_rng_state(), before)


def test_example_of_the_docstring():
    tests = doctest.DocTestFinder(recurse=False).find(TimerS1Model, "TimerS1Model")
    results = [doctest.DocTestRunner().run(test) for test in tests]
    assert sum(result.attempted for result in results) > 0
    assert not any(result.failed for result in results)


def test_the_page_for_darts_users_runs(monkeypatch):
    root = ROOT
    text = (root / "docs" / "darts.md").read_text(encoding="utf-8")
    monkeypatch.chdir(root)
    names = {}
    for block in re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL):
        exec(block, names)  # noqa: S102
    assert names["week"].components.to_list()[0] == "load_mw_q0.050"
    assert names["lowest"] == pytest.approx(names["score"])
    assert names["chosen"]["input_chunk_length"] == (48, 512)
    assert names["adapter"].target == "head"
    assert names["same"]


@pytest.mark.parametrize(
    ("found", "version"),
    [
        ({"__init__.py": "__version__ = '0.47.0'"}, "0.47.0"),  # has no foundation models here
        ({"__init__.py": "raise ImportError"}, "none"),
    ],
)
def test_import_without_a_fitting_darts_says_what_to_install(found, version, tmp_path):
    (tmp_path / "darts").mkdir()
    for name, text in found.items():
        (tmp_path / "darts" / name).write_text(text)
    path = os.pathsep.join([str(tmp_path), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", "import timer_forecaster.darts"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert done.returncode == 1
    message = done.stderr.splitlines()[-1]
    assert f"needs Darts 0.48 or newer with torch, found {version} (" in message
    assert "its extra 'darts', from a clone: pip install '.[darts]'" in message
