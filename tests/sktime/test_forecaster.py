"""The answers of sktime's verbs: points, quantiles, distributions, updates and residuals."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sktime")

import sktime
from packaging.version import Version
from sktime.performance_metrics.forecasting.probabilistic import CRPS
from sktime_cases import forecaster, hourly, unequal_panel, walk, without_freq

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
def test_distribution_has_the_forecasts_quantiles(calls, data):
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


def test_a_matrix_of_covariances_is_refused():
    with pytest.raises(ValueError, match="cov=True"):
        forecaster().fit(hourly(), fh=[1, 2]).predict_var(cov=True)


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


# -------------------------------------------------------------------------- the step of the times


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


def test_business_days_among_days_keep_their_own_steps():
    days = pd.Series(walk(50), pd.date_range("2024-01-01", periods=50))
    business = days[days.index.dayofweek < 5]
    y = pd.concat({"a": days.to_frame("y"), "b": days.to_frame("y"), "c": business.to_frame("y")})
    alone = forecaster().fit(business).predict([1, 2, 5])
    assert list(alone.index) == list(pd.to_datetime(["2024-02-20", "2024-02-21", "2024-02-26"]))
    together = forecaster().fit(y).predict([1, 2, 5]).loc["c", "y"]
    pd.testing.assert_series_equal(together, alone, check_names=False, check_freq=False, rtol=1e-5)


@pytest.mark.parametrize("freqs", [("W-SUN", "W-MON"), ("QS-OCT", "QS-NOV"), ("YE-DEC", "YE-JUN")])
@pytest.mark.parametrize("absent", [[], [20, 21]])
def test_weeks_and_quarters_of_different_days_keep_their_own_steps(freqs, absent):
    times = [pd.date_range("1980-01-01", periods=43, freq=freq) for freq in freqs]
    parts = {key: pd.Series(walk(43, i), times[i]) for i, key in enumerate("ab")}
    full = parts["b"].drop(parts["b"].index[absent])
    first = {"a": parts["a"][:40], "b": full[full.index <= times[1][39]]}
    fitted = forecaster().fit(pd.concat({key: y.to_frame("y") for key, y in first.items()}))
    fitted.update(pd.concat({"b": full[full.index > times[1][39]].to_frame("y")}))
    found, alone = fitted.predict([1, 3]), forecaster().fit(full).predict([1, 3])
    pd.testing.assert_series_equal(found.loc["b", "y"], alone, check_names=False, rtol=1e-5)
    assert found.loc["a"].index[0] == times[0][40]


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


def test_updating_and_forecasting_keeps_the_format_of_y():
    y = hourly()
    fitted = forecaster().fit(y[:-12])
    predicted = fitted.update_predict_single(y[-12:], fh=[1, 9])
    pd.testing.assert_series_equal(predicted, forecaster().fit(y).predict([1, 9]))
    assert isinstance(fitted.predict([1]), pd.Series)
    assert isinstance(fitted.predict_residuals(), pd.Series)


def test_a_gap_that_is_too_long_is_named():
    y = pd.Series(walk(60), pd.date_range("2024-01-01", periods=60, freq="ms"))
    far = y.set_axis(y.index + pd.Timedelta("1D"))
    with pytest.raises(ValueError, match=r"lie too far from .*, the end of y"):
        forecaster().fit(y).update(far)
    with pytest.raises(ValueError, match=r"lie too far from 59, the end of y"):
        forecaster().fit(pd.Series(walk(60))).update(pd.Series([1.0], index=[2 * 10**9]))


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


def test_memory_is_bounded_and_loses_nothing_the_checkpoint_reads():
    y = pd.Series(walk(150_000))
    fitted = forecaster().fit(y[:70_000]).update(y[70_000:])
    expected = forecaster().fit(y[-600:]).predict([1])
    pd.testing.assert_series_equal(fitted.predict([1]), expected)
    if Version(sktime.__version__).release >= (1, 2):  # before, sktime itself keeps all of y
        assert len(pickle.dumps(fitted)) < 65_536 * 8 + 8_000


# -------------------------------------------------------------------------------- values of y


def test_y_may_change_after_fit():
    y = hourly()
    fitted = forecaster().fit(y)
    expected = fitted.predict([1])
    y.iloc[:] = 0.0
    pd.testing.assert_series_equal(fitted.predict([1]), expected)


def test_values_that_cannot_be_used_are_located():
    y = unequal_panel()
    y.iloc[55] = np.inf
    with pytest.raises(ValueError, match=r"y is infinite at \('a', .*05:00:00.* column 'y'"):
        forecaster().fit(y)
    y.loc["a"] = np.nan
    with pytest.raises(ValueError, match="y, instance 'a' has a variable without any observed"):
        forecaster().fit(y)


def test_instance_without_newer_values_is_named():
    y = unequal_panel()
    y.loc[pd.IndexSlice["a", y.loc["a"].index[-6:]], "y"] = np.nan
    message = "y, instance 'a': no value of column 'y' was observed in the newest 5 steps"
    fitted = forecaster(context_length=5).fit(y)
    with pytest.raises(ValueError, match=message):
        fitted.predict([1])
    with pytest.raises(ValueError, match=message):
        fitted.update_predict(y)


# -------------------------------------------------------------------------------------- residuals


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


def test_residuals_of_unknown_series_are_refused():
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
