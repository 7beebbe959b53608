"""Forecasts of the Darts model, for all kinds of series.

The comments "trap" refer to difficulties of Darts 0.48. Backtests are in `test_backtesting`, Darts'
wrappers in `test_around`, construction and files in `test_base`.
"""

import doctest
import re

import numpy as np
import pandas as pd
import pytest
import pytorch_lightning as pl
import torch
from darts import TimeSeries
from darts.utils.data import SequentialTorchTrainingDataset
from darts.utils.likelihood_models import QuantileRegression
from darts_cases import (
    FOLDER,
    ODD_LEVELS,
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

from timer_forecaster.darts import TimerS1Model

__all__ = ["pipe", "rows_of_calls", "without_chatter"]  # fixtures

pytestmark = UNAVOIDABLE


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


# --- parameters that change nothing ---------------------------------------------------------


def test_reversible_instance_norm_changes_nothing():
    array = values(64)
    array[5] = np.nan
    series = TimeSeries.from_values(array)
    expected = make().fit(series).predict(24)
    normed = make(use_reversible_instance_norm=True).fit(series).predict(24)
    np.testing.assert_array_equal(normed.values(), expected.values())


def test_what_is_about_training_changes_nothing():
    series = make_series()
    model = make(n_epochs=3, optimizer_kwargs={"lr": 3.0}, loss_fn=torch.nn.L1Loss())
    model.fit(series, epochs=2, sample_weight="linear")
    np.testing.assert_array_equal(
        model.predict(24).values(), make().fit(series).predict(24).values()
    )


# --- examples -------------------------------------------------------------------------------


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
