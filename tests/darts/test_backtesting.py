"""Backtests: Darts' numbers, at the cost of one copy of the model.

Trap 1.9 of Darts 0.48: ``retrain=True`` is the default, and `gridsearch` has no other.
"""

import inspect
import warnings

import numpy as np
import pandas as pd
import pytest
from darts import TimeSeries
from darts.dataprocessing.transformers import Scaler
from darts.metrics import mae, mse
from darts.models.forecasting.foundation_model import FoundationModel
from darts.utils.likelihood_models import QuantileRegression
from darts_cases import (
    NAME,
    QUIET,
    UNAVOIDABLE,
    assert_close,
    assert_same_forecasts,
    fits,
    make,
    make_series,
    rows_of_calls,
    without_chatter,
)

from timer_forecaster import release
from timer_forecaster.checkpoints import cache
from timer_forecaster.darts import TimerS1Model
from timer_forecaster.inference.covariates.warning import CovariateWarning

__all__ = ["fits", "rows_of_calls", "without_chatter"]  # fixtures

pytestmark = UNAVOIDABLE
HORIZON = 6
STATIC = pd.DataFrame({"site": [3.0]})


def darts_loop(model, series, **options):
    """Return the forecasts of Darts' own method."""
    return FoundationModel.historical_forecasts(model, series, **options)


def on_range_index(series):
    return TimeSeries.from_times_and_values(
        pd.RangeIndex(1000, 1000 + 2 * len(series), 2), series.values(), columns=series.components
    )


CASES = [
    {"stride": 1, "start": 80},
    {"last_points_only": False},
    {"start": 0.9},
    {"start": 78},
    {"start": -9, "start_format": "position", "overlap_end": True},
    {"start": pd.Timestamp("2024-01-01 10:00"), "last_points_only": False},
    {"start": "end"},
    {"forecast_horizon": 1},
    {"forecast_horizon": 20, "overlap_end": True},  # Darts' auto-regression
    {"overlap_end": True, "last_points_only": False},
    {"retrain": 3},
    {"train_length": 86},
    {"train_length": 80, "val_length": 13},
    {"val_length": 13, "start": 70},
    {"train_length": 1000},
    {"train_length": 102, "overlap_end": True},  # of an unfitted model: only what follows the end
    {"sample_weight": "linear"},
    {"apply_globally": True},
    {"fit_kwargs": {"max_samples_per_ts": 1}, "predict_kwargs": {"batch_size": 2}},
    {"data_transformers": {}},
]


@pytest.mark.parametrize("fitted", [False, True])
@pytest.mark.parametrize("options", CASES, ids=str)
def test_retraining_equals_darts_loop_and_fits_one_copy(options, fitted, fits, rows_of_calls):
    series = make_series(90, static_covariates=STATIC)
    model = make(64, 12)
    if fitted:
        model.fit(make_series(70, seed=1))
    options = {"forecast_horizon": HORIZON, "stride": 5, **options}
    expected = darts_loop(model, series, **options)
    fits.clear()
    release()
    rows_of_calls.clear()
    assert_same_forecasts(model.historical_forecasts(series, **options), expected)
    assert len(fits) == 1
    if "predict_kwargs" not in options and options["forecast_horizon"] <= 12:
        assert len(rows_of_calls) == 1


@pytest.mark.parametrize("fitted", [False, True])
def test_a_range_index_starts_where_darts_loop_starts(fitted, fits):
    """Darts reads an integer as a label there, not as a position."""
    series = on_range_index(make_series(90))
    model = make(64, 12).fit(series) if fitted else make(64, 12)
    for start in ({"start": 1150}, {"train_length": 82}, {"val_length": 14, "start": 1100}):
        options = {"forecast_horizon": HORIZON, "stride": 3, **start}
        expected = darts_loop(model, series, **options)
        fits.clear()
        assert_same_forecasts(model.historical_forecasts(series, **options), expected)
        assert len(fits) == 1


def always(counter, pred_time, train_series, past_covariates, future_covariates):
    return True


def never(counter, pred_time, train_series, past_covariates, future_covariates):
    return False


@pytest.mark.parametrize("retrain", [True, 2, always, never])
def test_a_fitted_model_is_not_asked_whether_to_retrain(retrain, fits):
    series = make_series(84)
    model = make(64, 12).fit(series)
    options = {"forecast_horizon": HORIZON, "stride": 4, "retrain": retrain}
    expected = darts_loop(model, series, **options)
    fits.clear()
    assert_same_forecasts(model.historical_forecasts(series, **options), expected)
    assert len(fits) == 1


@pytest.mark.parametrize("fitted", [False, True])
def test_several_series_of_unequal_lengths_with_quantiles_and_a_shift(fitted, fits, rows_of_calls):
    many = [make_series(length, 2, seed=length) for length in (40, 75, 29)]
    many[1] = many[1].with_static_covariates(STATIC)
    likelihood = QuantileRegression([0.05, 0.5, 0.95])
    model = make((20, 64), 8, output_chunk_shift=2, likelihood=likelihood)
    if fitted:
        model.fit(many)
    for options in (
        {"predict_likelihood_parameters": True, "last_points_only": False},
        {"predict_likelihood_parameters": True, "start": -9, "start_format": "position"},
        {"predict_likelihood_parameters": True, "start": "end"},
    ):
        options = {"forecast_horizon": 7, "stride": 7, "show_warnings": False, **options}
        expected = darts_loop(model, many, **options)
        fits.clear()
        release()
        rows_of_calls.clear()
        assert_same_forecasts(model.historical_forecasts(many, **options), expected)
        assert len(fits) == len(rows_of_calls) == 1


def test_apply_globally_takes_the_common_time_of_the_series(fits):
    long = make_series(95)
    many = [long[5:], long[:90] * 2.0]
    options = {"forecast_horizon": HORIZON, "stride": 4, "apply_globally": True}
    model = make(64, 12)
    expected = darts_loop(model, many, **options)
    fits.clear()
    assert_same_forecasts(model.historical_forecasts(many, **options), expected)
    assert len(fits) == 1
    assert len(expected[0]) < len(model.historical_forecasts(many[:1], forecast_horizon=HORIZON)[0])


def test_missing_windows_stay_missing():
    series = make_series(84)
    gap = series.all_values(copy=True)
    gap[:70] = np.nan
    series = series.with_values(gap)
    model = make(64, 12)
    options = {"forecast_horizon": HORIZON, "stride": 3}
    actual = model.historical_forecasts(series, **options)
    assert_same_forecasts(actual, darts_loop(model, series, **options))
    assert np.isnan(actual.values()[0]).all() and np.isfinite(actual.values()[-1]).all()


LEFT_TO_DARTS = {
    "transformers fitted to each window": ({"data_transformers": {"series": Scaler()}}, True),
    "no optimization asked for": ({"enable_optimization": False}, True),
    "a function, of an unfitted model": ({"retrain": always}, False),
}


@pytest.mark.parametrize("options, fitted", LEFT_TO_DARTS.values(), ids=LEFT_TO_DARTS.keys())
def test_what_needs_the_loop_is_left_to_it(options, fitted, fits):
    series = make_series(80)
    model = make(64, 12).fit(series) if fitted else make(64, 12)
    options = {"forecast_horizon": HORIZON, "stride": 3, "last_points_only": False, **options}
    fits.clear()
    actual = model.historical_forecasts(series, **options)
    assert len(fits) == len(actual) > 1
    assert_same_forecasts(actual, darts_loop(model, series, **options))


@pytest.mark.parametrize(
    "many, options",
    [
        ([make_series(76), make_series(76, components=2)], {}),
        ([make_series(76), make_series(76, dtype="float32")], {}),
        ([make_series(90), make_series(90, seed=1)], {"train_length": 84}),
    ],
    ids=["widths", "types", "limited"],
)
def test_unlike_series_are_left_to_darts_loop(many, options, fits):
    model = make(64, 12)
    options = {"forecast_horizon": HORIZON, "stride": 4, **options}
    actual = model.historical_forecasts(many, **options)
    assert len(fits) > 1
    assert_same_forecasts(actual, darts_loop(model, many, **options))


def test_transformers_fitted_before_are_applied_in_one_pass(fits, rows_of_calls):
    series = make_series(100)
    scaler = Scaler().fit(series)
    model = make(64, 12).fit(series)
    options = {"forecast_horizon": HORIZON, "stride": 4, "retrain": False}
    fits.clear()
    scaled = model.historical_forecasts(series, data_transformers={"series": scaler}, **options)
    assert not fits and len(rows_of_calls) == 1
    assert_close(scaled.values(), model.historical_forecasts(series, **options).values())


@pytest.mark.parametrize(
    "options, message",
    [
        ({"retrain": -1}, "`retrain` must be"),
        ({"retrain": never}, "has not been fit before"),
        ({"retrain": False}, "has not been fitted yet"),
        ({"train_length": 10}, "`train_length` is too small"),
        ({"val_length": 1}, "`val_length` is too small"),
        ({"start": 88}, "too late in the series"),
        ({"fit_kwargs": {"stride": 2}}, "cannot be passed in `fit_kwargs`"),
        ({"past_covariates": make_series(90, seed=1)[:9]}, "Cannot build any dataset"),
        ({"predict_likelihood_parameters": True}, "predict_likelihood_parameters"),
        ({"num_samples": 5}, "probabilistic models"),
    ],
)
def test_errors_are_darts(options, message):
    model = make(64, 12)
    for forecast in (model.historical_forecasts, lambda *a, **k: darts_loop(model, *a, **k)):
        with pytest.raises(ValueError, match=message):
            forecast(make_series(90), forecast_horizon=HORIZON, **options)


@pytest.mark.parametrize("kind", ["past_covariates", "future_covariates"])
def test_covariates_are_refused_that_fit_has_not_seen(kind):
    series = make_series(90)
    model = make(64, 12).fit(series)
    options = {"forecast_horizon": 6, "retrain": False, kind: make_series(110, seed=1)}
    for door in (model.historical_forecasts, model.backtest, model.residuals):
        with pytest.raises(ValueError, match=f"trained without `{kind}`"):
            door(series, **options)


@pytest.mark.parametrize("kind", ["past_covariates", "future_covariates"])
def test_a_warning_tells_of_covariates_of_fit_that_retraining_forgets(kind):
    series, beside = make_series(90), make_series(110, seed=1)
    model = make(64, 12).fit(series, **{kind: beside})
    options = {"forecast_horizon": HORIZON, "stride": 6}
    with pytest.warns(CovariateWarning, match=f"{kind} of fit take no part"):
        model.historical_forecasts(series, **options)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*of fit take no part")
        model.historical_forecasts(series, **options, retrain=False)


def test_the_model_is_left_as_it_was():
    series = make_series(84)
    model = make(64, 12)
    model.historical_forecasts(series, forecast_horizon=HORIZON)
    assert not model.model_created
    with pytest.raises(ValueError, match="not having fit the model yet"):
        model.predict(6)
    other = make_series(70, seed=1)
    before = model.fit(other).model
    model.historical_forecasts(series, forecast_horizon=HORIZON)
    assert model.model is before
    assert model.training_series == other


def test_the_signature_is_darts():
    ours = inspect.signature(TimerS1Model.historical_forecasts)
    assert ours == inspect.signature(FoundationModel.historical_forecasts)


def test_samples_of_a_backtest_take_one_pass_and_follow_the_quantiles(rows_of_calls):
    series = make_series(90, 2)
    model = make(64, 12, likelihood=QuantileRegression([0.1, 0.5, 0.9]))
    options = {"forecast_horizon": 12, "stride": 3, "last_points_only": False}
    draws = [
        model.historical_forecasts(series, num_samples=200, random_state=seed, **options)
        for seed in (1, 1, 2)
    ]
    assert rows_of_calls == [2 * len(draws[0])]
    assert draws[0] == draws[1] != draws[2]
    exact = make(64, 12).historical_forecasts(series, **options)
    below = [
        (drawn.all_values() < median.all_values()).mean()
        for drawn, median in zip(draws[0], exact, strict=True)
    ]
    assert np.mean(below) == pytest.approx(0.5, abs=0.01)


# --- what is built upon it ------------------------------------------------------------------


def test_backtest_and_residuals_are_of_these_forecasts(fits):
    series = make_series(84)
    options = {"forecast_horizon": HORIZON, "stride": 3}
    model = make(64, 12)
    forecasts = darts_loop(model, series, last_points_only=False, **options)
    fits.clear()
    score = model.backtest(series, metric=[mae, mse], **options)
    expected = [np.mean([metric(series, one) for one in forecasts]) for metric in (mae, mse)]
    np.testing.assert_allclose(score, expected, rtol=1e-5)
    assert len(fits) == 1
    residuals = model.residuals(series, last_points_only=False, **options)
    for residual, one in zip(residuals, forecasts, strict=True):
        assert_close(residual.values(), (series.slice_intersect(one) - one).values())
    assert len(fits) == 2


def test_historical_forecasts_without_retraining_equal_single_forecasts(rows_of_calls):
    series = make_series(130, 2)
    model = make(64, 12, likelihood=QuantileRegression([0.1, 0.5, 0.9]), batch_size=32).fit(series)
    options = {"forecast_horizon": 12, "predict_likelihood_parameters": True}
    forecasts = model.historical_forecasts(
        series, retrain=False, overlap_end=True, last_points_only=False, **options
    )
    assert [call // 2 for call in rows_of_calls] == [32, 32, 3]  # Darts' batches
    for end, forecast in list(zip(range(64, 131), forecasts, strict=True))[::13]:
        single = model.predict(12, series=series[:end], predict_likelihood_parameters=True)
        assert_same_forecasts(forecast, single)


def test_a_grid_search_fits_one_copy_a_candidate_and_loads_once(fits, monkeypatch):
    loads = []
    load = cache.load_network
    monkeypatch.setattr(cache, "load_network", lambda key: loads.append(key) or load(key))
    release()
    series = make_series(90)
    parameters = {
        "input_chunk_length": [16, 48],
        "output_chunk_length": [6, 40],
        "hub_model_name": [NAME],
        "pl_trainer_kwargs": [dict(QUIET)],
    }
    options = {"forecast_horizon": 6, "stride": 6, "metric": mae, "start": 60}
    best, chosen, score = TimerS1Model.gridsearch(
        parameters, series, start_format="position", **options
    )
    assert len(loads) == 1
    assert len(fits) == 4
    scores = [
        np.mean(
            [
                mae(series, one)
                for one in darts_loop(
                    make(length, 6),
                    series,
                    forecast_horizon=6,
                    stride=6,
                    start=60,
                    last_points_only=False,
                )
            ]
        )
        for length in (16, 48)
    ]
    assert score == pytest.approx(min(scores), rel=1e-5)
    assert chosen["input_chunk_length"] == (16, 48)[int(np.argmin(scores))]
    assert isinstance(best, TimerS1Model)
    assert len(loads) == 1


def test_a_grid_search_on_a_held_out_part_is_a_search_for_the_best_forecast():
    series = make_series(100)
    train, held_out = series[:90], series[90:]
    parameters = {
        "input_chunk_length": [16, 48],
        "output_chunk_length": [10],
        "hub_model_name": [NAME],
        "pl_trainer_kwargs": [dict(QUIET)],
    }
    _, chosen, score = TimerS1Model.gridsearch(parameters, train, val_series=held_out, metric=mae)
    scores = [mae(held_out, make(n, 10).fit(train).predict(10)) for n in (16, 48)]
    assert score == pytest.approx(min(scores), rel=1e-6)
    assert chosen["input_chunk_length"] == (16, 48)[int(np.argmin(scores))]
