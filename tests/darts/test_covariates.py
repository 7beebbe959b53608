"""Past and future covariates of the Darts model: the pipeline's numbers, and Darts' rules."""

import copy
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from darts import TimeSeries
from darts.dataprocessing.transformers import Scaler
from darts.metrics import mae
from darts.models.forecasting.foundation_model import FoundationModel
from darts.utils.data import SequentialTorchInferenceDataset
from darts.utils.likelihood_models import QuantileRegression
from darts.utils.timeseries_generation import datetime_attribute_timeseries
from darts_cases import (
    LEVELS,
    TRAINING,
    assert_same_forecasts,
    elsewhere,
    fits,
    make,
    rows_of_calls,
    tuned,
    without_chatter,
)

from timer_forecaster import ForecastPipeline
from timer_forecaster.darts import TimerS1Model
from timer_forecaster.failures import SeriesWarning
from timer_forecaster.frames.calendar.periods import periods_of
from timer_forecaster.inference.covariates import CovariateOptions, CovariateWarning

__all__ = ["elsewhere", "fits", "rows_of_calls", "without_chatter"]  # fixtures

pytestmark = [*TRAINING, pytest.mark.filterwarnings("ignore:the effect of covariates cannot be")]
STEPS, LONG, HORIZON = 160, 200, 12
TIMES = pd.date_range("2024-01-01", periods=LONG, freq="h")
RNG = np.random.default_rng(3)
FUTURE, PAST = RNG.uniform(-1, 1, size=(LONG, 2)), RNG.uniform(-1, 1, size=(LONG, 1))
WAVE = 10 + np.sin(np.arange(LONG) * 2 * np.pi / 24)
TARGET = np.stack([WAVE + 2 * FUTURE[:, 0], WAVE - FUTURE[:, 1] ** 2], axis=1)


def series_of(array, names=None, dtype="float64", times=TIMES):
    return TimeSeries.from_times_and_values(times[: len(array)], array.astype(dtype), columns=names)


SERIES = series_of(TARGET[:STEPS], ["y", "z"])
KNOWN, BEFORE = series_of(FUTURE, ["a", "b"]), series_of(PAST, ["a"])
BOTH = {"past_covariates": BEFORE, "future_covariates": KNOWN}


def exact(*args, **kwargs):
    return make(*(args or ((20, 150), HORIZON)), **{"dtype": "float64", **kwargs})


@pytest.fixture(scope="module")
def pipe():
    return ForecastPipeline.from_pretrained("timer-s1-test", device="cpu", dtype="float64")


def expected_of(pipe, target=TARGET, end=STEPS, length=150, horizon=HORIZON, level=0.5, **kwargs):
    """Forecast the components as the pipeline does: (horizon, components)."""
    start = max(0, end - length)
    known = {"a": FUTURE[: end + horizon, 0], "b": FUTURE[: end + horizon, 1]}
    options = {
        "known": [known] * target.shape[1],
        "past": [{"p": PAST[:end, 0]}] * target.shape[1],
        "cycles": periods_of("h"),
        **kwargs,
    }
    return pipe.predict(list(target[start:end].T), horizon, **options).quantile(level).T


def assert_equal(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-6, atol=1e-6)


# --- the numbers are the pipeline's ---------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("length", [150, (20, 150), (20, 400)])
def test_forecasts_equal_the_pipelines(pipe, dtype, length):
    series = series_of(TARGET[:STEPS], ["y", "z"], dtype)
    likelihood = QuantileRegression(LEVELS)
    model = exact(length, HORIZON, likelihood=likelihood).fit(series, **BOTH)
    forecast = model.predict(HORIZON, predict_likelihood_parameters=True)
    assert forecast.dtype == dtype
    longest = length if isinstance(length, int) else length[1]
    target = series.values().astype("float64")
    for i, level in enumerate(LEVELS):
        expected = expected_of(pipe, target, length=longest, level=level)
        assert_equal(forecast.values()[:, i::3], expected)
    plain = exact(length, HORIZON).fit(series).predict(HORIZON).values()
    assert np.abs(plain - forecast.values()[:, 1::3]).max() > 0.5


@pytest.mark.parametrize("role", ["past_covariates", "future_covariates"])
@pytest.mark.parametrize("covariates", ["always", "fast", CovariateOptions(windows=4)])
def test_one_role_and_options_reach_the_pipeline(pipe, role, covariates):
    other = {"past_covariates": "known", "future_covariates": "past"}[role]
    model = exact(covariates=covariates).fit(SERIES, **{role: BOTH[role]})
    expected = expected_of(pipe, covariates=covariates, **{other: None})
    assert_equal(model.predict(HORIZON).values(), expected)


def test_a_shift_reads_the_covariates_that_it_skips(pipe):
    model = exact((20, 150), HORIZON, output_chunk_shift=5).fit(SERIES, **BOTH)
    assert_equal(model.predict(HORIZON).values(), expected_of(pipe, horizon=HORIZON + 5)[5:])
    dataset = SequentialTorchInferenceDataset(
        SERIES,
        **BOTH,
        n=HORIZON,
        input_chunk_length=150,
        output_chunk_length=HORIZON,
        output_chunk_shift=5,
        use_static_covariates=False,
    )
    with pytest.warns(CovariateWarning, match="'a', 'b' has missing values in the horizon"):
        (found,) = model.predict_from_dataset(HORIZON, dataset)
    assert np.isfinite(found.values()).all()


def test_off_and_none_are_the_forecast_of_today():
    plain = make((20, 150), HORIZON).fit(SERIES).predict(HORIZON)
    for options in ({"covariates": "off"}, {"covariates": CovariateOptions(mode="off")}):
        off = make((20, 150), HORIZON, **options).fit(SERIES, **BOTH).predict(HORIZON)
        np.testing.assert_array_equal(off.values(), plain.values())
    always = make((20, 150), HORIZON, covariates="always").fit(SERIES).predict(HORIZON)
    np.testing.assert_array_equal(always.values(), plain.values())


def test_order_later_rows_and_other_series_do_not_matter():
    model = exact().fit([SERIES], [BEFORE], [KNOWN])

    def forecast(future, series=SERIES, past=BEFORE):
        return model.predict(HORIZON, [series], [past], [future])[0].values()

    expected = forecast(KNOWN)
    np.testing.assert_allclose(forecast(KNOWN[["b", "a"]]), expected, rtol=1e-9)
    beyond = FUTURE.copy()
    beyond[STEPS + HORIZON :] = 77.0
    np.testing.assert_array_equal(forecast(series_of(beyond, ["a", "b"])), expected)
    np.testing.assert_array_equal(forecast(KNOWN[: STEPS + HORIZON]), expected)
    np.testing.assert_array_equal(forecast(KNOWN, past=BEFORE[:STEPS]), expected)
    late = KNOWN.shift(3)  # aligned by time, not by position
    assert np.abs(forecast(late.append_values(FUTURE[-3:])) - expected).max() > 0.1
    other = series_of(FUTURE[::-1].copy(), ["a", "b"])
    pair = model.predict(HORIZON, [SERIES, SERIES * 2 + 1], [BEFORE] * 2, [KNOWN, other])
    assert_equal(pair[0].values(), expected)
    assert_equal(pair[1].values(), forecast(other, SERIES * 2 + 1))


def test_cycles_are_of_the_series_that_is_forecast(pipe):
    """Whatever series the model was fitted to: it learns nothing from that."""
    days = pd.date_range("2024-01-01", periods=LONG, freq="D")
    model = exact().fit(SERIES, **BOTH)
    options = {"past_covariates": series_of(PAST, ["a"], times=days)}
    options["future_covariates"] = series_of(FUTURE, ["a", "b"], times=days)
    daily = model.predict(HORIZON, series_of(TARGET[:STEPS], ["y", "z"], times=days), **options)
    assert_equal(daily.values(), expected_of(pipe, cycles=periods_of("D")))
    steps = pd.RangeIndex(LONG)
    options = {"past_covariates": series_of(PAST, ["a"], times=steps)}
    options["future_covariates"] = series_of(FUTURE, ["a", "b"], times=steps)
    bare = model.predict(HORIZON, series_of(TARGET[:STEPS], ["y", "z"], times=steps), **options)
    assert_equal(bare.values(), expected_of(pipe, cycles=None))


def test_covariates_keep_their_own_precision(pipe):
    """A float32 target does not round them."""
    offset = 1e9  # float32 would leave nothing of the covariate
    series = series_of(TARGET[:STEPS], ["y", "z"], "float32")
    forecast = exact().fit(series, future_covariates=KNOWN + offset).predict(HORIZON)
    known = {"a": FUTURE[: STEPS + HORIZON, 0] + offset, "b": FUTURE[: STEPS + HORIZON, 1] + offset}
    target = series.values().astype("float64")
    assert_equal(forecast.values(), expected_of(pipe, target, known=[known] * 2, past=None))


def test_missing_values_and_short_series(pipe):
    target, future = TARGET[:STEPS].copy(), FUTURE.copy()
    target[:30, 0] = np.nan
    target[70:75, 1] = np.nan
    future[50:60] = np.nan
    model = exact((20, 400), HORIZON).fit(SERIES, future_covariates=KNOWN)
    known = series_of(future, ["a", "b"])
    series = series_of(target, ["y", "z"])
    both = model.predict(HORIZON, [series, SERIES[-40:]], future_covariates=[known, known])
    columns = {"a": future[: STEPS + HORIZON, 0], "b": future[: STEPS + HORIZON, 1]}
    options = {"known": [columns] * 2, "past": None}
    assert_equal(both[0].values(), expected_of(pipe, target, length=400, **options))
    assert_equal(both[1].values(), expected_of(pipe, length=40, **options))


# --- samples, roll-outs, encoders -----------------------------------------------------------


def test_samples_take_one_run_and_follow_the_quantiles(rows_of_calls):
    model = make((20, 150), HORIZON, likelihood=QuantileRegression(LEVELS), batch_size=5)
    many = [SERIES, SERIES * 2]
    covariates = {"past_covariates": [BEFORE] * 2, "future_covariates": [KNOWN] * 2}
    model.fit(many, **covariates)
    drawn = model.predict(HORIZON, many, **covariates, num_samples=300, random_state=1)
    assert rows_of_calls == [4]
    quantiles = model.predict(HORIZON, many, **covariates, predict_likelihood_parameters=True)
    assert rows_of_calls == [4]
    below = (drawn[1].all_values() < quantiles[1].values()[:, 1::3, None]).mean()
    assert below == pytest.approx(0.5, abs=0.02)


def test_beyond_a_chunk_darts_feeds_back_with_covariates(pipe):
    model = exact((20, 150), 6).fit(SERIES, **BOTH)
    forecast = model.predict(12).values()
    first = expected_of(pipe, horizon=6)
    assert_equal(forecast[:6], first)
    longer = np.concatenate([TARGET[:STEPS], first])
    assert_equal(forecast[6:], expected_of(pipe, longer, end=STEPS + 6, horizon=6))
    with pytest.raises(ValueError, match=r"`past_covariates`.*do not extend far enough"):
        exact((20, 150), 6).fit(SERIES, past_covariates=BEFORE[:STEPS]).predict(12)


def encoded(times):
    hours = [
        datetime_attribute_timeseries(times, "hour", cyclic=True, dtype=np.float64),
        datetime_attribute_timeseries(times, "dayofweek", dtype=np.float64),
    ]
    return hours[0].stack(hours[1])


ENCODERS = {
    "cyclic": {"future": ["hour"]},
    "datetime_attribute": {"future": ["dayofweek"]},
}


def test_encoders_are_covariates(pipe):
    model = exact(add_encoders=ENCODERS).fit(SERIES)
    columns = encoded(TIMES).values()[: STEPS + HORIZON]
    known = dict(enumerate(columns.T))
    expected = expected_of(pipe, known=[known] * 2, past=None)
    assert_equal(model.predict(HORIZON).values(), expected)
    more = exact(add_encoders=ENCODERS | {"position": {"past": ["relative"]}})
    forecast = more.fit(SERIES, future_covariates=KNOWN).predict(HORIZON)
    assert np.abs(forecast.values() - TARGET[STEPS : STEPS + HORIZON])[:, 0].mean() < 0.5


# --- backtests ------------------------------------------------------------------------------

BACKTESTS = [
    {"last_points_only": False},
    {"start": 0.9, "overlap_end": True},
    {"retrain": 2},
    {"train_length": 130},
    {"forecast_horizon": 20, "last_points_only": False},  # Darts' auto-regression
]


def darts_loop(model, series, **options):
    """Return the forecasts of Darts' own method, window by window."""
    return FoundationModel.historical_forecasts(
        model, series, **{"enable_optimization": False, "retrain": True, **options}
    )


@pytest.mark.parametrize("fitted", [False, True])
@pytest.mark.parametrize("late", [0, 3])
@pytest.mark.parametrize("options", BACKTESTS, ids=str)
def test_backtests_equal_the_loop(options, late, fitted, fits):
    series = SERIES
    covariates = {"past_covariates": BEFORE[: STEPS + 14], "future_covariates": KNOWN[late:]}
    model = exact(60 if late else (20, 150), HORIZON)
    if fitted:
        model.fit(series * 3, **BOTH)
    options = {"forecast_horizon": 8, "stride": 7, "start": 120, **options, **covariates}
    expected = darts_loop(model, series, **options)
    fits.clear()
    assert_same_forecasts(model.historical_forecasts(series, **options), expected)
    assert len(fits) == 1
    if fitted and "train_length" not in options:
        options["retrain"] = False
        expected = darts_loop(model, series, **options)
        assert_same_forecasts(model.historical_forecasts(series, **options), expected)


@pytest.mark.filterwarnings("ignore:column 'darts_enc")
@pytest.mark.parametrize("shift", [0, 4])
def test_backtests_of_several_series_with_encoders_and_covariates_that_end_early(shift, fits):
    many = [SERIES, SERIES[:120] * 2]
    covariates = {"future_covariates": [KNOWN[:150], KNOWN[:110]]}
    model = exact((60, 100), 6, output_chunk_shift=shift, add_encoders=ENCODERS)
    options = {"forecast_horizon": 5, "stride": 9, "show_warnings": False, **covariates}
    options["last_points_only"] = False
    expected = darts_loop(model, many, **options)
    fits.clear()
    assert_same_forecasts(model.historical_forecasts(many, **options), expected)
    assert len(fits) == 1


@pytest.mark.filterwarnings("ignore:column 'darts_enc")
@pytest.mark.parametrize(
    "encoders", [{"position": {"future": ["relative"]}}, ENCODERS | {"transformer": Scaler()}]
)
def test_encoders_that_depend_on_the_window_are_left_to_the_loop(encoders, fits):
    model = exact(add_encoders=encoders)
    options = {"forecast_horizon": 8, "stride": 9, "start": 130, "last_points_only": False}
    found = model.historical_forecasts(SERIES, **options)
    assert len(fits) == len(found) > 1
    assert_same_forecasts(found, darts_loop(model, SERIES, **options))


def test_a_backtest_and_a_search_use_covariates():
    options = {"forecast_horizon": 8, "stride": 8, "start": 120, "metric": mae}
    plain = make((20, 150), 8).backtest(SERIES["y"], **options)
    assert make((20, 150), 8).backtest(SERIES["y"], **options, future_covariates=KNOWN) < plain / 2
    grid = {"input_chunk_length": [(20, 150)], "output_chunk_length": [8], "dtype": ["float64"]}
    grid |= {"hub_model_name": ["timer-s1-test"], "covariates": ["off", "fast"]}
    _, chosen, _ = TimerS1Model.gridsearch(grid, SERIES["y"], future_covariates=KNOWN, **options)
    assert chosen["covariates"] == "fast"


# --- rules ----------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["past_covariates", "future_covariates"])
def test_fit_and_predict_need_the_same_covariates(role):
    fitted = make((20, 150), HORIZON).fit([SERIES] * 2, **{role: [BOTH[role]] * 2})
    with pytest.raises(ValueError, match=f"trained with {role.replace('_', ' ')}"):
        fitted.predict(HORIZON, SERIES)
    plain = make((20, 150), HORIZON).fit(SERIES)
    with pytest.raises(ValueError, match=f"trained without `{role}`"):
        plain.predict(HORIZON, **{role: BOTH[role]})
    with pytest.raises(ValueError, match=f"`{role}` must have equal number of components"):
        fitted.predict(HORIZON, SERIES, **{role: BOTH[role].stack(BOTH[role] * 2)})


def test_covariates_that_end_too_early_are_refused_with_the_time():
    model = make((20, 150), HORIZON).fit(SERIES, future_covariates=KNOWN)
    with pytest.raises(ValueError, match=f"must end at or after time step `{TIMES[171]}`"):
        model.predict(HORIZON, SERIES, future_covariates=KNOWN[:-30])


def test_errors_and_warnings_speak_of_windows_and_arguments():
    bad = FUTURE.copy()
    bad[100, 1] = np.inf
    bad = series_of(bad, ["a", "b"])
    many = [SERIES, SERIES]
    for on_error in ("raise", "nan"):
        model = make((20, 150), HORIZON, on_error=on_error, batch_size=1)
        model.fit(many, future_covariates=[KNOWN, KNOWN])
        options = {"series": many, "future_covariates": [KNOWN, bad]}
        message = "window 1, component 0: future_covariates column 'b' is infinite"
        if on_error == "raise":
            with pytest.raises(ValueError, match=message):
                model.predict(HORIZON, **options)
        else:
            with pytest.warns(SeriesWarning, match=f"NaN: {message}"):
                found = model.predict(HORIZON, **options)
            assert np.isfinite(found[0].values()).all() and np.isnan(found[1].values()).all()
    flat = series_of(np.stack([FUTURE[:, 0], np.ones(LONG)], axis=1), ["a", "b"])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.predict(HORIZON, [SERIES, SERIES * 2], future_covariates=[flat, flat])
    (found,) = [one for one in caught if one.category is CovariateWarning]
    assert "column 'b' is constant" in str(found.message)
    assert str(found.message).endswith("of window 0, component 0 and 3 more")
    assert found.filename == __file__
    masked = TimeSeries.from_values(np.ma.masked_greater(FUTURE, 0.5))
    with pytest.raises(ValueError, match="future_covariates holds masked values"):
        make((20, 150), HORIZON).fit(SERIES, future_covariates=masked)


def test_unusable_options_are_refused():
    for covariates in ("none", 3, {"mode": "auto"}):
        with pytest.raises((ValueError, TypeError), match="covariates="):
            make(covariates=covariates)


def test_static_covariates_are_kept_and_not_used():
    static = pd.DataFrame({"site": [3.0, 4.0]}, index=["y", "z"])
    series = SERIES.with_static_covariates(static)
    forecast = exact().fit(series, **BOTH).predict(HORIZON)
    assert (forecast.static_covariates.to_numpy() == [[3.0], [4.0]]).all()
    np.testing.assert_array_equal(
        forecast.values(), exact().fit(SERIES, **BOTH).predict(HORIZON).values()
    )
    assert not exact().supports_static_covariates


# --- finetuning, files, copies --------------------------------------------------------------


def test_finetuning_learns_from_the_target_alone_and_says_so():
    options = {"n_epochs": 1, "dtype": "float64"}
    plain = tuned(32, 8, **options).fit(SERIES)
    with pytest.warns(CovariateWarning, match="no part in finetuning") as caught:
        model = tuned(32, 8, **options).fit(
            SERIES,
            **BOTH,
            val_series=SERIES,
            val_past_covariates=BEFORE,
            val_future_covariates=KNOWN,
        )
    assert sum(one.filename == __file__ for one in caught) >= 1
    assert model.adapter.weights.keys() == plain.adapter.weights.keys()
    longer = exact((20, 150), HORIZON, adapter=model.adapter).fit(SERIES, **BOTH)
    adapted = ForecastPipeline.from_pretrained(
        "timer-s1-test", device="cpu", dtype="float64", adapter=model.adapter
    )
    assert_equal(longer.predict(HORIZON).values(), expected_of(adapted))
    assert_equal(model.predict(8).values(), expected_of(adapted, length=32, horizon=8))


@pytest.mark.parametrize("covariates", ["always", CovariateOptions(effort="fast")])
def test_files_and_copies_keep_covariates(covariates, tmp_path):
    model = exact(covariates=covariates, add_encoders=ENCODERS).fit(SERIES, **BOTH)
    expected = model.predict(HORIZON)
    model.save(str(tmp_path / "model.pt"))
    model.save(str(tmp_path / "clean.pt"), clean=True)
    clean = TimerS1Model.load(str(tmp_path / "clean.pt"))
    assert clean.predict(HORIZON, SERIES, **BOTH) == expected
    copies = [
        TimerS1Model.load(str(tmp_path / "model.pt")),
        pickle.loads(pickle.dumps(model)),  # noqa: S301
        copy.deepcopy(model),
    ]
    for one in copies:
        assert one.predict(HORIZON) == expected
        assert one.model_params["covariates"] == covariates
    other = exact(add_encoders=ENCODERS)
    other.load_weights(str(tmp_path / "model.pt"))
    assert other.predict(HORIZON, SERIES, **BOTH).width == 2
