import copy
import pickle

import numpy as np
import pandas as pd
import pytest

from timer_forecaster import ForecastPipeline, release

pytest.importorskip("sktime")

import sktime
from packaging.version import Version
from sktime.exceptions import FitFailedWarning
from sktime.forecasting.base import ForecastingHorizon
from sktime.forecasting.model_evaluation import evaluate
from sktime.forecasting.naive import NaiveForecaster
from sktime.performance_metrics.forecasting import MeanAbsoluteError
from sktime.performance_metrics.forecasting.probabilistic import CRPS
from sktime.split import ExpandingWindowSplitter, SlidingWindowSplitter

from timer_forecaster.sktime import TimerS1Forecaster
from timer_forecaster.sktime import evaluate as timer_evaluate

MODEL = "timer-s1-test"  # random weights, nine levels, context 512, 32 steps in a pass


def forecaster(**parameters):
    return TimerS1Forecaster(MODEL, **parameters)


@pytest.fixture(scope="module")
def pipeline():
    return ForecastPipeline.from_pretrained(MODEL)


def walk(n=60, seed=0):
    return np.random.default_rng(seed).normal(size=n).cumsum() + 10


def hourly(n=60, seed=0, start="2024-01-01"):
    return pd.Series(walk(n, seed), pd.date_range(start, periods=n, freq="h"), name="load")


def unequal_panel():
    """Series of different lengths that end at different times, not in the order of their names."""
    parts = {"b": hourly(50, 1), "a": hourly(30, 2, "2024-01-05"), "c": hourly(40, 3)}
    return pd.concat({key: part.to_frame("y") for key, part in parts.items()}, names=["id", "t"])


def without_freq(y):
    index = pd.DatetimeIndex(y.index.to_numpy()) if y.index.tz is None else y.index[:]
    index.freq = None
    return y.set_axis(index)


# ------------------------------------------------------------------------- the pipeline's numbers


def test_point_forecast_is_the_pipelines(pipeline):
    y = hourly()
    forecast = pipeline.predict(y.to_numpy(), 12)
    median = forecaster().fit(y).predict(range(1, 13))
    mean = forecaster(point="mean").fit(y).predict(range(1, 13))
    np.testing.assert_array_equal(median, forecast.median[0])
    np.testing.assert_array_equal(mean, forecast.mean[0])
    assert median.name == "load"
    assert list(median.index) == list(pd.date_range(y.index[-1], periods=13, freq="h")[1:])


@pytest.mark.parametrize(
    "options",
    [
        {"context_length": 20},
        {"rollout": "median"},
        {"rollout": "multiscale"},
        {"flip": True},
        {"batch_size": 2},
        {"dtype": "bfloat16", "device_map": "cpu"},
    ],
)
def test_options_reach_the_pipeline(options):
    y = hourly(1600)
    keys = {"dtype": "dtype", "device_map": "device"}
    loading = {keys[key]: value for key, value in options.items() if key in keys}
    predicting = {key: value for key, value in options.items() if key not in keys}
    pipe = ForecastPipeline.from_pretrained(MODEL, **loading)
    expected = pipe.predict(y.to_numpy(), 70, **predicting).median[0]
    np.testing.assert_array_equal(forecaster(**options).fit(y).predict(range(1, 71)), expected)


def test_quantiles_at_any_level_with_the_labels_given(pipeline):
    y = hourly()
    alpha = [0.9, 0.123456, 0.001]
    forecast = pipeline.predict(y.to_numpy(), 5)
    quantiles = forecaster().fit(y).predict_quantiles([1, 5], alpha=alpha)
    assert quantiles.columns.tolist() == [("load", level) for level in alpha]
    for level in alpha:
        np.testing.assert_array_equal(quantiles["load", level], forecast.quantile(level)[0, [0, 4]])


@pytest.mark.parametrize("coverage", [0.9, 0.95, 0.5, [0.8, 0.99]])
def test_interval_at_any_coverage(pipeline, coverage):
    y = hourly()
    interval = forecaster().fit(y).predict_interval([1, 2], coverage=coverage)
    for level in np.atleast_1d(coverage):
        lower, upper = pipeline.predict(y.to_numpy(), 2).interval(level)
        np.testing.assert_allclose(interval["load", level, "lower"], lower[0], rtol=1e-12)
        np.testing.assert_allclose(interval["load", level, "upper"], upper[0], rtol=1e-12)


def test_defaults_of_the_probabilistic_methods_work():
    fitted = forecaster().fit(unequal_panel(), fh=[1, 2])
    assert fitted.predict_quantiles().columns.tolist() == [("y", 0.05), ("y", 0.95)]
    assert fitted.predict_interval().notna().all(axis=None)
    assert (fitted.predict_var() > 0).all(axis=None)
    assert fitted.predict_proba().index.equals(fitted.predict().index)


@pytest.mark.parametrize("data", ["series", "panel", "hierarchy"])
def test_distribution_is_that_of_the_quantiles(calls, data):
    y = {"series": hourly(), "panel": unequal_panel()}.get(data)
    if data == "hierarchy":
        y = pd.concat({"n": unequal_panel(), "s": unequal_panel() ** 2}).assign(other=1.0)
    fitted = forecaster(point="mean").fit(y, fh=[1, 3])
    distribution = fitted.predict_proba()
    quantiles = fitted.predict_quantiles(alpha=[0.02, 0.3])
    np.testing.assert_allclose(distribution.quantile([0.02, 0.3]), quantiles)
    np.testing.assert_allclose(distribution.mean(), pd.DataFrame(fitted.predict()))
    np.testing.assert_allclose(distribution.var(), pd.DataFrame(fitted.predict_var()))
    assert len(calls) == 1
    observed = pd.DataFrame(fitted.predict()) + 0.5
    losses = CRPS(multioutput="raw_values")(observed, distribution)
    assert np.isfinite(losses).all(axis=None)
    assert (losses > 0).all(axis=None)
    if data == "hierarchy":  # the column that is constant is a point mass at 1
        assert (distribution.var()["other"] == 0).all()
        one = fitted.predict_quantiles(alpha=[0.01, 0.99])["other"]
        assert (one == 1.0).all(axis=None)


def test_joint_distributions_are_refused():
    fitted = forecaster().fit(hourly(), fh=[1, 2])
    with pytest.raises(ValueError, match="marginal=False"):
        fitted.predict_proba(marginal=False)
    with pytest.raises(ValueError, match="cov=True"):
        fitted.predict_var(cov=True)


def test_gaps_and_disorder_in_the_horizon(pipeline):
    y = hourly()
    expected = pipeline.predict(y.to_numpy(), 7).median[0, [2, 6]]
    predicted = forecaster().fit(y).predict([7, 3])
    np.testing.assert_array_equal(predicted, expected)
    assert list(predicted.index) == [y.index[-1] + pd.Timedelta(hours=h) for h in (3, 7)]


def test_horizon_of_many_passes(pipeline):
    y = hourly()
    predicted = forecaster().fit(y).predict_quantiles([100], alpha=[0.1])
    assert predicted.iloc[0, 0] == pipeline.predict(y.to_numpy(), 100).quantile(0.1)[0, -1]


def test_missing_values(pipeline):
    y = hourly()
    y.iloc[[0, 1, 20, 21, 59]] = np.nan
    expected = pipeline.predict(y.to_numpy(), 3).median[0]
    np.testing.assert_array_equal(forecaster().fit(y).predict([1, 2, 3]), expected)
    nullable = y.astype("Float64").where(y.notna(), pd.NA)
    np.testing.assert_array_equal(forecaster().fit(nullable).predict([1, 2, 3]), expected)


# --------------------------------------------------------------------------- panels in one batch


def test_panel_is_one_computation_and_equals_one_by_one(calls):
    y = unequal_panel()
    predicted = forecaster().fit(y).predict_quantiles([1, 2, 40], alpha=[0.2, 0.5])
    assert calls == [(3, 40)]
    assert predicted.index.names == ["id", "t"]
    assert predicted.index.get_level_values("id").unique().tolist() == ["b", "a", "c"]
    for key in "abc":
        alone = forecaster().fit(y.loc[key].asfreq("h"))
        expected = alone.predict_quantiles([1, 2, 40], alpha=[0.2, 0.5])
        pd.testing.assert_frame_equal(
            predicted.loc[key], expected, check_freq=False, check_names=False, rtol=1e-5
        )


def test_absolute_horizon_is_the_same_time_for_every_instance():
    y = unequal_panel()
    time = pd.Timestamp("2024-01-06 10:00")
    absolute = ForecastingHorizon(pd.DatetimeIndex([time]), is_relative=False)
    predicted = forecaster().fit(y).predict(absolute)["y"]
    assert set(predicted.index.get_level_values("t")) == {time}
    for key in "abc":
        alone = y.loc[key].asfreq("h")
        steps = int((time - alone.index[-1]) / pd.Timedelta(hours=1))
        expected = forecaster().fit(alone).predict([steps])["y"].iloc[0]
        assert predicted[key].iloc[0] == pytest.approx(expected, rel=1e-5)


def test_hierarchy_with_several_variables(pipeline, calls):
    times = pd.period_range("2020-01", periods=30, freq="M", name="month")
    index = pd.MultiIndex.from_product([["n", "s"], [1, 2], times], names=["area", "shop", "month"])
    values = np.random.default_rng(0).normal(size=(120, 2)).cumsum(axis=0)
    y = pd.DataFrame(values, index, columns=["sold", "made"])
    fitted = forecaster().fit(y)
    predicted = fitted.predict([1, 3])
    quantiles = fitted.predict_quantiles([1, 3], alpha=[0.7, 0.3])
    assert calls == [(8, 3)]
    assert predicted.columns.tolist() == ["sold", "made"]
    assert predicted.index.names == ["area", "shop", "month"]
    assert predicted.index[-1] == ("s", 2, pd.Period("2022-09", "M"))
    for key in [("n", 1), ("n", 2), ("s", 1), ("s", 2)]:
        forecast = pipeline.predict(y.loc[key].to_numpy().T, 3)
        np.testing.assert_allclose(predicted.loc[key], forecast.median[:, [0, 2]].T, rtol=1e-5)
        for column, level in quantiles.columns:
            np.testing.assert_allclose(
                quantiles.loc[key][column, level],
                forecast.quantile(level)[["sold", "made"].index(column), [0, 2]],
                rtol=1e-5,
            )


def test_rows_of_instances_may_be_interleaved():
    y = unequal_panel()
    y = y.drop("a").sort_index(level="t", kind="stable")
    predicted = forecaster().fit(y).predict([1])["y"]
    for key in "bc":
        expected = forecaster().fit(y.loc[key]).predict([1])["y"].iloc[0]
        assert predicted[key].iloc[0] == pytest.approx(expected, rel=1e-5)


# ------------------------------------------------------------------------------- kinds of indices


INDEX_FREQUENCIES = (
    *("15min", "h", "2D", "D", "B", "C", "W-WED", "WOM-2TUE"),
    *("MS", "BMS", "ME", "BME", "BQE", "YS"),
)


@pytest.mark.parametrize(
    "index",
    [
        pd.RangeIndex(5, 65),
        pd.Index(range(100, 160)),
        pd.period_range("2019-11", periods=60, freq="M"),
        pd.period_range("2019Q1", periods=60, freq="Q"),
        *[pd.date_range("2023-10-01", periods=60, freq=freq) for freq in INDEX_FREQUENCIES],
        pd.date_range("2024-02-20", periods=60, freq="D", tz="Europe/Paris"),
        pd.date_range("2024-03-29", periods=60, freq="h", tz="America/New_York", unit="s"),
    ],
    ids=lambda index: f"{index.dtype}-{getattr(index, 'freqstr', '')}",
)
@pytest.mark.parametrize("panel", [False, True])
def test_future_times_continue_the_index(pipeline, index, panel):
    y = pd.Series(walk(57), index[:57])
    if isinstance(index, pd.DatetimeIndex) and panel:
        y = without_freq(y)
    if panel:
        y = pd.concat({"a": y.to_frame("y"), "b": y.to_frame("y")})
    predicted = forecaster().fit(y).predict([1, 3])
    times = predicted.index[-2:].get_level_values(-1)
    assert list(times) == [index[57], index[59]]
    assert times.dtype == index.dtype
    expected = pipeline.predict(walk(57), 3).median[0, [0, 2]]
    np.testing.assert_allclose(np.ravel(predicted)[-2:], expected, rtol=1e-5)
    absolute = ForecastingHorizon(index[[54, 57, 59]], is_relative=False)
    again = forecaster().fit(y).predict(absolute)
    assert list(again.index[-3:].get_level_values(-1)) == list(index[[54, 57, 59]])
    np.testing.assert_allclose(np.ravel(again)[-2:], expected, rtol=1e-5)


def test_timedelta_horizon_counts_the_steps_of_the_index():
    y = hourly()
    horizon = ForecastingHorizon(pd.to_timedelta(["2h", "5h"]), is_relative=True)
    for data in (y, without_freq(y)):
        predicted = forecaster().fit(data).predict(horizon)
        expected = forecaster().fit(data).predict([2, 5])
        pd.testing.assert_series_equal(predicted, expected, check_freq=False)


def test_timedelta_between_steps_is_refused():
    horizon = ForecastingHorizon(pd.to_timedelta(["90min"]), is_relative=True)
    with pytest.raises(ValueError, match=r"fh: .*whole steps of h"):
        forecaster().fit(hourly()).predict(horizon)


def test_timedelta_horizon_of_integer_times_is_refused():
    horizon = ForecastingHorizon(pd.to_timedelta(["2h"]), is_relative=True)
    with pytest.raises(ValueError, match=r"fh holds time differences.* int64; give whole steps"):
        forecaster().fit(pd.Series(walk())).predict(horizon)


def test_absent_times_are_missing_values():
    y = hourly()
    y.iloc[[10, 11, 40]] = np.nan
    dropped = forecaster().fit(y.dropna()).predict([1, 2])
    kept = forecaster().fit(y).predict([1, 2])
    pd.testing.assert_series_equal(dropped, kept, check_freq=False)


def test_two_times_show_their_step():
    predicted = forecaster().fit(without_freq(hourly(2))).predict([3])
    assert predicted.index[0] == pd.Timestamp("2024-01-01 04:00")


def test_short_instance_has_the_step_of_the_others():
    y = pd.concat({"a": hourly(1).to_frame("y"), "b": hourly(20).to_frame("y")})
    assert forecaster().fit(y).predict([2]).index[0] == ("a", pd.Timestamp("2024-01-01 02:00"))


@pytest.mark.parametrize(
    "times",
    [
        pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-09", "2024-02-04"]),
        pd.to_datetime(["2024-01-01"]),
        pd.Index([0, 3600, 7200]),
    ],
)
def test_index_without_a_step_is_refused(times):
    y = pd.concat({"one": pd.DataFrame({"y": np.arange(len(times), dtype=float)}, times)})
    with pytest.raises(ValueError, match=r"^y, instance 'one' has no evident frequency.*asfreq"):
        forecaster().fit(y)


def test_mixed_frequencies_are_refused():
    hours, days = hourly(40), hourly(40).asfreq("4h")
    y = pd.concat({key: part.to_frame("y") for key, part in [("a", hours), ("b", days)]})
    message = "y, instance 'b' has a step of 4h, others of h; frequencies cannot be mixed"
    with pytest.raises(ValueError, match=message):
        forecaster().fit(y)
    with pytest.raises(ValueError, match=message):
        forecaster().fit(y.loc[["a"]]).update(y.loc[["b"]])


def test_business_days_among_days_are_days_with_missing_values():
    days = pd.Series(walk(50), pd.date_range("2024-01-01", periods=50))
    business = days[days.index.dayofweek < 5]
    y = pd.concat({"a": days.to_frame("y"), "b": days.to_frame("y"), "c": business.to_frame("y")})
    alone = forecaster().fit(business.asfreq("D")).predict([1, 2])
    assert list(alone.index) == list(pd.to_datetime(["2024-02-20", "2024-02-21"]))
    together = forecaster().fit(y).predict([1, 2]).loc["c", "y"]
    pd.testing.assert_series_equal(together, alone, check_names=False, check_freq=False, rtol=1e-5)


def test_gaps_of_long_instances_outvote_the_step_of_a_short_one():
    times = pd.date_range("2024-01-01", periods=60, freq="h")
    y = pd.Series(walk(), times)
    parts = {f"s{i}": y.drop(times[10 + i]) for i in range(5)} | {"short": y[:6:2]}
    panel = pd.concat({key: part.to_frame("y") for key, part in parts.items()})
    with pytest.raises(ValueError, match="'short' has a step of 2h, others of h"):
        forecaster().fit(panel)
    predicted = forecaster().fit(panel.drop("short")).predict([1])
    assert predicted.loc["s0"].index[0] == times[-1] + times.freq


def test_step_is_named_where_the_other_instance_has_gaps():
    hours = hourly(40).drop(hourly(40).index[[7]])
    days = pd.Series(walk(60), pd.date_range("2024-01-01", periods=60))
    y = pd.concat({"a": hours.to_frame("y"), "b": days.to_frame("y")})
    with pytest.raises(ValueError, match=r"'a' has a step of h, others of D; frequencies cannot"):
        forecaster().fit(y)


@pytest.mark.skipif(
    Version(sktime.__version__).release < (1, 2), reason="sktime 1.1 refuses them in its own words"
)
@pytest.mark.parametrize(
    ("fitted", "later"),
    [
        (hourly(20).tz_localize("Europe/Paris"), hourly(30)[20:]),
        (hourly(20), hourly(30)[20:].tz_localize("Europe/Paris")),
        (
            pd.Series(walk(20), pd.period_range("2020-01", periods=20, freq="M")),
            pd.Series(walk(5), pd.period_range("2021Q4", periods=5, freq="Q")),
        ),
    ],
)
def test_times_of_another_kind_are_refused(fitted, later):
    forecaster_ = forecaster().fit(fitted)
    with pytest.raises(ValueError, match=r"times are .*, those of y are .*; use the same kind"):
        forecaster_.update(later)


def test_index_of_another_type_is_refused():
    y = pd.concat({"a": pd.DataFrame({"y": walk(9)}, pd.timedelta_range("1h", periods=9))})
    with pytest.raises(TypeError, match="timedelta"):
        forecaster().fit(y)


def test_y_without_rows_or_with_nameless_instances_is_refused():
    with pytest.raises(ValueError, match="y is empty"):
        forecaster().fit(hourly(5)[:0])
    index = pd.MultiIndex.from_product([["x", None], hourly(5).index])
    with pytest.raises(ValueError, match="y has a row without an instance"):
        forecaster().fit(pd.DataFrame({"y": walk(10)}, index))


def test_time_given_twice_is_refused():
    y = pd.Series([1.0, 2.0, 3.0], pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-02"]))
    with pytest.raises(ValueError, match="time 2024-01-02 00:00:00 is there more than once"):
        forecaster().fit(y)


# ----------------------------------------------------------------------------------------- update


def test_updating_and_forecasting_with_an_array_continues():
    y = walk(60)
    fitted = forecaster().fit(y[:50])
    predicted = fitted.update_predict_single(y[50:], fh=[1, 9])
    np.testing.assert_array_equal(predicted, forecaster().fit(y).predict([1, 9]))
    assert fitted.cutoff[0] == 59
    with pytest.raises(TypeError, match="y is an array, whose windows have no times"):
        fitted.update_predict(y)


def test_array_cannot_continue_dates():
    fitted = forecaster().fit(hourly())
    with pytest.raises(ValueError, match=r"y is an array, which has no times.*datetime64"):
        fitted.update(walk(3))


@pytest.mark.parametrize("n", [40, 59])
def test_update_with_arrays_continues(n):
    y = np.stack([[walk(60, 1), walk(60, 2)], [walk(60, 3), walk(60, 4)]])
    for data in (y, y[0, 0]):
        updated = forecaster().fit(data[..., :n]).update(data[..., n:], update_params=False)
        whole = forecaster().fit(data)
        np.testing.assert_array_equal(updated.predict([1, 9]), whole.predict([1, 9]))
        assert updated.cutoff[0] == 59


def test_update_of_a_panel_moves_each_instance_by_itself():
    y = unequal_panel()
    later = pd.concat({"a": hourly(35, 2, "2024-01-05")[30:].to_frame("y")}, names=["id", "t"])
    other = pd.concat({"d": hourly(9, 5).to_frame("y")}, names=["id", "t"])
    fitted = forecaster().fit(y)
    before = fitted.predict([1])
    after = fitted.update(pd.concat([later, other])).predict([1])
    whole = forecaster().fit(pd.concat([y, later, other])).predict([1])
    assert after.index.get_level_values("id").tolist() == ["b", "a", "c", "d"]
    pd.testing.assert_frame_equal(after.sort_index(), whole.sort_index(), rtol=1e-5)
    pd.testing.assert_frame_equal(after.loc[["b", "c"]], before.loc[["b", "c"]], rtol=1e-5)


def test_update_replaces_steps_given_again_and_leaves_gaps_missing():
    y = hourly(60)
    first = y[:40].copy()
    first.iloc[30:] = 0.0
    updated = forecaster().fit(first).update(y[30:45]).update(y[50:])
    y.iloc[45:50] = np.nan
    pd.testing.assert_series_equal(updated.predict([1]), forecaster().fit(y).predict([1]))


def test_update_in_the_past_moves_the_cutoff_back():
    y = hourly(60)
    updated = forecaster().fit(y).update(y[20:30])
    pd.testing.assert_series_equal(updated.predict([1]), forecaster().fit(y[:30]).predict([1]))


def test_update_takes_variables_by_name():
    y = pd.DataFrame({"a": walk(60, 1), "b": walk(60, 2)})
    whole = forecaster().fit(y)
    updated = forecaster().fit(y[:50]).update(y.loc[50:, ["b", "a"]])
    pd.testing.assert_frame_equal(updated.predict([1]), whole.predict([1]))
    pd.testing.assert_frame_equal(updated.predict_interval([1]), whole.predict_interval([1]))
    with pytest.raises(ValueError, match=r"columns \['a', 'z'\].*needs \['a', 'b'\]"):
        updated.update(pd.DataFrame({"a": [1.0], "z": [2.0]}, index=[60]))


def test_update_off_the_grid_is_refused():
    fitted = forecaster().fit(hourly())
    later = pd.Series([1.0], pd.to_datetime(["2024-03-01 00:30"]))
    with pytest.raises(ValueError, match=r"y: times .*whole steps of h"):
        fitted.update(later)


@pytest.mark.parametrize("update_params", [False, True])
def test_update_predict_uses_every_new_value(update_params):
    y = hourly(60)
    cv = ExpandingWindowSplitter(fh=[1], initial_window=1, step_length=4)
    fitted = forecaster().fit(y[:40])
    predicted = fitted.update_predict(y[40:], cv, update_params=update_params)
    assert len(predicted) == 5
    for time, value in predicted.items():
        expected = forecaster().fit(y[y.index < time]).predict([1])
        assert value == pytest.approx(expected.iloc[0], rel=1e-6)


def test_memory_is_bounded_and_loses_nothing_the_checkpoint_reads():
    y = pd.Series(walk(150_000))
    fitted = forecaster().fit(y[:70_000]).update(y[70_000:])
    expected = forecaster().fit(y[-600:]).predict([1])
    pd.testing.assert_series_equal(fitted.predict([1]), expected)
    if Version(sktime.__version__).release >= (1, 2):  # before, sktime itself keeps all of y
        assert len(pickle.dumps(fitted)) < 65_536 * 8 + 8_000


# --------------------------------------------------------------------------------- a good citizen


def test_fit_loads_nothing_and_copies_share_the_weights(loads):
    fitted = forecaster().fit(hourly(200))
    assert loads == []
    expected = fitted.predict([1, 2])
    for other in (pickle.loads(pickle.dumps(fitted)), copy.deepcopy(fitted)):  # noqa: S301
        pd.testing.assert_series_equal(other.predict([1, 2]), expected)
    fitted.clone().fit(hourly(30)).predict([1])
    assert len(loads) == 1


def test_what_was_given_to_fit_may_change_afterwards():
    y = hourly()
    fitted = forecaster().fit(y)
    expected = fitted.predict([1])
    y.iloc[:] = 0.0
    pd.testing.assert_series_equal(fitted.predict([1]), expected)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"point": "mode"}, "point='mode'.*median.*mean"),
        ({"rollout": "mean"}, "rollout='mean'.*quantile.*median"),
        ({"context_length": 0}, "context_length=0"),
        ({"batch_size": 2.5}, "batch_size=2.5"),
        ({"exogenous": "drop"}, "exogenous='drop'.*raise.*warn"),
        ({"flip": "no"}, "flip='no' must be True or False"),
    ],
)
def test_bad_parameters_are_refused_in_fit(parameters, message):
    unfitted = forecaster(**parameters)
    with pytest.raises((ValueError, TypeError), match=message):
        unfitted.fit(hourly())


def test_what_cannot_be_loaded_is_named():
    with pytest.raises(ValueError, match="'no-such-model' is neither a registry name"):
        TimerS1Forecaster("no-such-model").fit(hourly())
    fitted = TimerS1Forecaster("nobody/no-such-model").fit(hourly())
    with pytest.raises(ValueError, match="'nobody/no-such-model' could not be downloaded"):
        fitted.predict([1])


def test_values_that_cannot_be_used_are_located():
    y = unequal_panel()
    y.iloc[55] = np.inf
    with pytest.raises(ValueError, match=r"y is infinite at \('a', .*05:00:00.* column 'y'"):
        forecaster().fit(y)
    y.loc["a"] = np.nan
    with pytest.raises(ValueError, match="y, instance 'a' has a variable without any observed"):
        forecaster().fit(y)


# ------------------------------------------------------------------------------ in-sample horizons


@pytest.mark.parametrize("options", [{}, {"context_length": 7}, {"point": "mean", "flip": True}])
def test_in_sample_steps_are_forecast_from_the_steps_before(options):
    y = hourly(50)
    y.iloc[[30, 31]] = np.nan
    predicted = forecaster(**options).fit(y).predict([-40, -18, 0, 3])
    assert list(predicted.index) == [*y.index[[9, 31, 49]], y.index[-1] + 3 * y.index.freq]
    for step, value in zip([-40, -18, 0], predicted, strict=False):
        expected = forecaster(**options).fit(y[: 49 + step]).predict([1]).iloc[0]
        assert value == pytest.approx(expected, rel=1e-5)
    assert predicted.iloc[-1] == pytest.approx(forecaster(**options).fit(y).predict([3]).iloc[0])


def test_in_sample_intervals_of_a_panel_in_one_batch(calls):
    y = unequal_panel()
    fitted = forecaster().fit(y)
    interval = fitted.predict_interval([-1, 0])
    fitted.predict([-1, 0])
    assert calls == [(6, 1)]
    for key in "abc":
        before = y.loc[key].asfreq("h")[:-1]
        expected = forecaster().fit(before).predict_interval([1])
        np.testing.assert_allclose(interval.loc[key].iloc[1], expected.iloc[0], rtol=1e-5)


def test_instance_without_newer_values_is_named():
    y = unequal_panel()
    y.loc[pd.IndexSlice["a", y.loc["a"].index[-6:]], "y"] = np.nan
    message = "y, instance 'a': no value of column 'y' was observed in the newest 5 steps"
    fitted = forecaster(context_length=5).fit(y)
    with pytest.raises(ValueError, match=message):
        fitted.predict([1])
    with pytest.raises(ValueError, match=message):
        fitted.update_predict(y)


def test_in_sample_steps_before_anything_was_observed_have_no_forecast():
    y = hourly(20)
    y.iloc[:3] = np.nan
    fitted = forecaster().fit(y, fh=range(-19, 1))
    quantiles = fitted.predict_quantiles(alpha=[0.3])
    assert quantiles.isna().to_numpy().ravel().tolist() == [True] * 4 + [False] * 16
    pd.testing.assert_frame_equal(fitted.predict_proba().quantile([0.3]), quantiles)


def test_in_sample_step_before_the_first_is_refused():
    fitted = forecaster().fit(hourly(20))
    with pytest.raises(ValueError, match=r"fh: step -20 lies before 2024-01-01 00:00:00"):
        fitted.predict([-20])
    with pytest.raises(ValueError, match=r"y: step -25 lies before 2024-01-01 00:00:00"):
        fitted.predict_residuals(hourly(3, start="2023-12-31 18:00"))


def test_instances_that_start_later_have_no_forecast_before():
    y = pd.concat(
        {"a": hourly(6).to_frame("y"), "b": hourly(1, start="2024-01-01 05:00").to_frame("y")}
    )
    predicted = forecaster().fit(y).predict([-3, 0, 1])["y"]
    assert predicted["a"].notna().tolist() == [True, True, True]
    assert predicted["b"].notna().tolist() == [False, False, True]


def test_a_context_longer_than_the_checkpoints_changes_nothing():
    y = pd.Series(np.r_[np.arange(10.0), np.full(600, np.nan), 1.0, 2.0])
    for context_length in (None, 5000):
        fitted = forecaster(context_length=context_length).fit(y)
        assert np.isnan(fitted.predict([-1]).iloc[0])


def test_residuals_are_observed_less_predicted():
    y = hourly(20)
    fitted = forecaster().fit(y[:15])
    known = fitted.predict_residuals()
    pd.testing.assert_series_equal(
        known, y[:15] - fitted.predict(range(-14, 1)), check_freq=False, check_names=False
    )
    assert known.isna().sum() == 1
    assert known.name == "load"
    later = fitted.predict_residuals(y[12:])
    expected = y[12:] - fitted.predict(range(-2, 6))
    pd.testing.assert_series_equal(later, expected, check_freq=False, check_names=False)


def test_residuals_of_a_panel_stand_in_its_rows():
    y = unequal_panel().sort_index(level="t", kind="stable")
    fitted = forecaster().fit(y)
    residuals = fitted.predict_residuals(y)
    assert residuals.index.equals(y.index)
    for key in "abc":
        own = y.loc[key].asfreq("h")
        expected = forecaster().fit(own).predict_residuals()
        np.testing.assert_allclose(residuals.loc[key], expected, atol=1e-5)
    pd.testing.assert_frame_equal(
        fitted.predict_residuals().sort_index(), residuals.sort_index(), atol=1e-5
    )


def test_residuals_of_arrays():
    y = np.stack([[walk(20, 1)], [walk(20, 2)]])
    residuals = forecaster().fit(y).predict_residuals(y)
    assert residuals.shape == y.shape
    alone = forecaster().fit(y[1, 0]).predict_residuals()
    np.testing.assert_allclose(residuals[1, 0], alone[:, 0], rtol=1e-5)


def test_residuals_of_what_was_not_fitted_are_refused():
    y = unequal_panel()
    fitted = forecaster().fit(y.drop("c"))
    with pytest.raises(ValueError, match="y, instance 'c' is not known"):
        fitted.predict_residuals(y)
    with pytest.raises(ValueError, match=r"y has columns \['x', 'y'\].*needs \['y'\]"):
        fitted.predict_residuals(y.assign(x=1.0)[["x", "y"]])


# ----------------------------------------------------------------- one forecast, many questions


def test_questions_about_one_context_run_the_network_once(calls):
    y = unequal_panel()
    fitted = forecaster().fit(y, fh=[1, 2])
    fitted.predict()
    fitted.predict_quantiles(alpha=[0.2, 0.77])
    fitted.predict_interval(coverage=0.5)
    fitted.predict_proba()
    copy.deepcopy(fitted).predict()
    forecaster(point="mean").fit(y).predict([2])
    assert calls == [(3, 2)]
    fitted.predict(fh=[3])
    fitted.update(y.loc[["a"]] * 2).predict()
    forecaster(flip=True).fit(y).predict([2])
    assert len(calls) == 4


SPLITTERS = [
    ExpandingWindowSplitter(fh=[1, 2, 3], initial_window=40, step_length=10),
    SlidingWindowSplitter(fh=[1, 35], window_length=20, step_length=5),
]


@pytest.mark.parametrize("cv", SPLITTERS, ids=lambda cv: type(cv).__name__)
@pytest.mark.parametrize("strategy", ["refit", "update", "no-update_params"])
@pytest.mark.parametrize("panel", [False, True])
def test_evaluate_forecasts_all_folds_in_one_batch(calls, cv, strategy, panel):
    y = hourly(70).to_frame("y")
    if panel:
        y = pd.concat({"a": y, "b": y**2}, names=["id", "t"])
    options = {"strategy": strategy, "return_data": True, "scoring": [MeanAbsoluteError()]}
    batched = timer_evaluate(forecaster(), cv, y, **options)
    assert calls == [(len(batched) * (1 + panel), cv.fh[-1])]
    release()
    looped = evaluate(forecaster(), cv, y, error_score="raise", **options)
    assert len(calls) == 1 + len(looped)
    for one, other in zip(batched["y_pred"], looped["y_pred"], strict=True):
        pd.testing.assert_frame_equal(one, other, rtol=1e-5)
    np.testing.assert_allclose(
        batched["test_MeanAbsoluteError"], looped["test_MeanAbsoluteError"], rtol=1e-5
    )


def test_evaluate_leaves_folds_that_fail_to_error_score():
    y = hourly(70)
    y.iloc[:50] = np.nan
    with pytest.warns(FitFailedWarning, match="fitting of forecaster TimerS1Forecaster failed"):
        folds = timer_evaluate(forecaster(), SPLITTERS[0], y)
    assert folds.filter(like="test_").iloc[:, 0].isna().tolist() == [True, True, False]


def test_evaluate_is_for_our_forecaster():
    with pytest.raises(TypeError, match=r"NaiveForecaster.*use sktime\.forecasting"):
        timer_evaluate(NaiveForecaster(), SPLITTERS[0], hourly())


@pytest.mark.parametrize("cv", [*SPLITTERS, None], ids=lambda cv: type(cv).__name__)
def test_update_predict_forecasts_all_windows_in_one_batch(calls, cv):
    y = hourly(90)
    fitted = forecaster().fit(y[:20])
    batched = fitted.update_predict(y[20:], cv)
    assert len(calls) == 1
    assert fitted.cutoff[0] == y.index[19]
    release()
    looped = super(TimerS1Forecaster, fitted).update_predict(y[20:], cv)
    assert len(calls) == 1 + calls[0][0]
    compare = pd.testing.assert_series_equal if cv is None else pd.testing.assert_frame_equal
    compare(batched, looped, rtol=1e-5)


# --------------------------------------------------------------------------------------- X is not y


@pytest.mark.parametrize(
    "use",
    [
        lambda f, y, X: f.fit(y, X),
        lambda f, y, X: f.fit(y).predict([1], X),
        lambda f, y, X: f.fit(y).predict_interval([1], X),
        lambda f, y, X: f.fit(y).predict_residuals(y, X),
        lambda f, y, X: f.fit(y).update(y, X),
        lambda f, y, X: f.fit(y).update_predict(y, X=X),
    ],
)
def test_X_is_refused_or_warned_about_but_never_silently_ignored(use):
    y = hourly(10)
    X = y.to_frame("temperature")
    with pytest.raises(ValueError, match=r"X: TimerS1Forecaster .* cannot use X; leave X out"):
        use(forecaster(), y, X)
    with pytest.warns(UserWarning, match="cannot use X; it is ignored"):
        use(forecaster(exogenous="warn"), y, X)
