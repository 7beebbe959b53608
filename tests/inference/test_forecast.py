"""Quantiles at any level, the mean and samples of a `Forecast`."""

import dataclasses
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from timer_forecaster import Forecast
from timer_forecaster.inference import quantiles as quantile_function
from timer_forecaster.inference.frequency import as_frequencies
from timer_forecaster.inference.sampling.dependence import Dependence

LEVELS = tuple(round(0.1 * i, 1) for i in range(1, 10))


def normal_forecast(n_series=2, horizon=3):
    values = stats.norm.ppf(LEVELS)
    return Forecast(np.tile(values, (n_series, horizon, 1)), LEVELS)


sorted_values = arrays(float, 9, elements=st.floats(-1e3, 1e3, allow_subnormal=False)).map(np.sort)


@given(sorted_values, st.floats(0.001, 0.999))
def test_known_levels_are_met_and_others_lie_between_their_neighbors(values, level):
    forecast = Forecast(values[None, None], LEVELS)
    for known, value in zip(LEVELS, values, strict=True):
        assert forecast.quantile(known)[0, 0] == value
    at = forecast.quantile(level)[0, 0]
    below = [v for known, v in zip(LEVELS, values, strict=True) if known <= level]
    above = [v for known, v in zip(LEVELS, values, strict=True) if known >= level]
    tolerance = 1e-9 * np.abs(values).max()
    assert all(at >= v - tolerance for v in below) and all(at <= v + tolerance for v in above)


@given(sorted_values, st.lists(st.floats(0.0005, 0.9995), min_size=2, max_size=8))
def test_quantiles_never_cross(values, levels):
    forecast = Forecast(values[None, None], LEVELS)
    found = np.array([forecast.quantile(level)[0, 0] for level in sorted(levels)])
    assert (np.diff(found) >= -1e-9 * np.abs(values).max()).all()


def integration_rule():
    """Levels and weights of an integral over (0, 1): Gauss's rule between known levels.

    Where a tail is infinite, the levels are 0.1 u³ and 1 - 0.1 u³, which the rule integrates well.
    """
    nodes, weights = np.polynomial.legendre.leggauss(12)
    u = (nodes + 1) / 2
    tail, tail_weights = 0.1 * u**3, 0.15 * u**2 * weights
    nodes, weights = np.polynomial.legendre.leggauss(4)
    levels = [tail, *(low + 0.05 * (nodes + 1) for low in LEVELS[:-1]), 1 - tail]
    return np.concatenate(levels), np.concatenate(
        [tail_weights, *[0.05 * weights] * 8, tail_weights]
    )


@given(sorted_values)
def test_mean_is_the_integral_of_the_quantile_function(values):
    forecast = Forecast(values[None, None], LEVELS)
    levels, weights = integration_rule()
    integral = weights @ [forecast.quantile(level)[0, 0] for level in levels]
    np.testing.assert_allclose(
        forecast.mean[0, 0], integral, atol=1e-4 * (1 + np.abs(values).max())
    )


def test_the_integral_of_a_tail_is_exact():
    levels, weights = integration_rule()
    np.testing.assert_allclose(weights.sum(), 1, rtol=1e-12)
    np.testing.assert_allclose(weights @ np.log(levels), -1, rtol=1e-6)


@given(sorted_values)
def test_variance_is_that_of_the_quantile_function(values):
    levels = (np.arange(20_000) + 0.5) / 20_000
    forecast = Forecast(np.stack([values, values + 1e9])[:, None], LEVELS)
    draws = quantile_function.evaluate(values, LEVELS, levels)
    assert forecast.variance.shape == (2, 1)
    np.testing.assert_allclose(forecast.variance[0, 0], draws.var(), rtol=0.01, atol=1e-9)
    np.testing.assert_allclose(*forecast.variance, rtol=1e-6, atol=1e-6)


def test_constant_forecasts_are_certain():
    forecast = Forecast(np.full((1, 2, 9), 5.3), LEVELS)
    assert (forecast.mean == 5.3).all() and (forecast.variance == 0).all()


def test_tails_reach_beyond_the_outer_levels_and_are_not_clamped():
    forecast = normal_forecast()
    assert (forecast.quantile(0.01) < forecast.quantile(0.05)).all()
    assert (forecast.quantile(0.05) < forecast.quantile(0.1)).all()
    # The documented size of the rule on a normal distribution.
    np.testing.assert_allclose(forecast.quantile(0.01), -2.74, atol=0.01)


def test_tail_rule_is_exact_for_exponential_tails():
    laplace = stats.laplace.ppf(LEVELS)
    forecast = Forecast(laplace[None, None], LEVELS)
    for level in (0.001, 0.02, 0.97, 0.999):
        np.testing.assert_allclose(forecast.quantile(level), stats.laplace.ppf(level))


def test_interval_is_central():
    lower, upper = normal_forecast().interval(0.8)
    np.testing.assert_allclose(lower, stats.norm.ppf(0.1))
    np.testing.assert_allclose(upper, stats.norm.ppf(0.9))


def test_samples_follow_the_quantiles():
    draws = normal_forecast(1, 2).sample(40_000, random_state=0)
    assert draws.shape == (40_000, 1, 2)
    for level in (0.05, 0.25, 0.5, 0.8):
        expected = normal_forecast(1, 2).quantile(level)
        np.testing.assert_allclose(np.quantile(draws, level, axis=0), expected, atol=0.03)
    assert abs(np.corrcoef(draws[:, 0, 0], draws[:, 0, 1])[0, 1]) < 0.02


def test_results_are_copies():
    forecast = normal_forecast()
    forecast.median[:] = 0
    assert (forecast.quantile(0.9) > forecast.median + 1).all()


def test_samples_depend_on_the_seed_alone():
    state = np.random.get_state()[1].copy()
    first = normal_forecast().sample(5, random_state=3)
    np.testing.assert_array_equal(first, normal_forecast().sample(5, random_state=3))
    assert not np.array_equal(first, normal_forecast().sample(5, random_state=4))
    np.testing.assert_array_equal(np.random.get_state()[1], state)


def test_frame():
    frame = normal_forecast(2, 3).to_frame(levels=[0.05, 0.5])
    assert list(frame.columns) == ["series", "step", "mean", "q0.05", "q0.5"]
    assert len(frame) == 6 and frame["step"].tolist() == [1, 2, 3, 1, 2, 3]


@pytest.mark.parametrize("level", [0, 1, -0.1, 1.5, float("nan")])
def test_levels_outside_the_unit_interval_are_refused(level):
    with pytest.raises(ValueError, match="level="):
        normal_forecast().quantile(level)
    with pytest.raises(ValueError, match="coverage="):
        normal_forecast().interval(level)


def test_sample_size_is_checked():
    with pytest.raises(ValueError, match="n=0"):
        normal_forecast().sample(0)


def test_evaluate_broadcasts_levels_over_rows():
    values = np.tile(stats.norm.ppf(LEVELS), (4, 1))
    found = quantile_function.evaluate(values, LEVELS, np.array([0.15, 0.95]))
    assert found.shape == (4, 2)


# --- joint paths, and functions of several steps ----------------------------------------------


def test_paths_are_exact_at_each_step_and_joint_over_steps():
    forecast = normal_forecast(3, 24)
    paths = forecast.sample_paths(1000, random_state=0)
    assert paths.shape == (3, 1000, 24)
    for level in (0.03, *LEVELS):
        shares = (paths <= forecast.quantile(level)[:, None]).mean(axis=1)
        assert np.abs(shares - level).max() <= 1e-3 + 1e-12
    marginal = forecast.sample(1000, random_state=0).sum(axis=-1)
    assert (paths.sum(axis=-1).std(axis=1) > 2 * marginal.std(axis=0)).all()


def test_paths_repeat_by_seed_and_series_are_independent():
    forecast = normal_forecast(2, 24)  # of equal quantiles: the second draws anew
    first, again = (forecast.sample_paths(2000, random_state=5) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (first != forecast.sample_paths(2000, random_state=6)).any()
    assert (forecast.sample_paths(9) != forecast.sample_paths(9)).any()
    assert abs(np.corrcoef(first.sum(axis=-1))[0, 1]) < 0.07
    alone = normal_forecast(1, 24).sample_paths(2000, random_state=5)
    np.testing.assert_array_equal(alone[0], first[0])


def test_a_forecast_without_dependence_draws_by_its_values():
    values = np.sort(np.random.default_rng(0).normal(size=(3, 5, 9)), axis=-1)
    paths = Forecast(values, LEVELS).sample_paths(50, random_state=0)
    other = Forecast(values[[2, 0]], LEVELS).sample_paths(50, random_state=0)
    np.testing.assert_array_equal(paths[[2, 0]], other)


def test_pickles_hold_what_paths_need():
    dependence = Dependence.of("timer-s1-mini", [1, 2], as_frequencies("h", 2))
    forecast = dataclasses.replace(normal_forecast(), dependence=dependence)
    copy = pickle.loads(pickle.dumps(forecast))  # noqa: S301
    expected = forecast.sample_paths(50, random_state=0)
    np.testing.assert_array_equal(copy.sample_paths(50, random_state=0), expected)
    assert (normal_forecast().sample_paths(50, random_state=0) != expected).any()


def test_pickles_of_earlier_versions_draw_paths():
    forecast = normal_forecast()
    state = forecast.__dict__.copy()
    del state["dependence"]
    old = object.__new__(Forecast)
    old.__dict__.update(state)
    expected = forecast.sample_paths(50, random_state=0)
    np.testing.assert_array_equal(old.sample_paths(50, random_state=0), expected)


def test_totals_are_quantiles_of_sums_of_paths():
    forecast = normal_forecast(2, 14)
    sums = forecast.sample_paths(1000, random_state=0).sum(axis=-1)
    np.testing.assert_allclose(forecast.total(), np.quantile(sums, LEVELS, axis=1).T)
    own = forecast.total([0.05, 0.9], n_paths=300, random_state=3)
    sums = forecast.sample_paths(300, random_state=3).sum(axis=-1)
    np.testing.assert_allclose(own, np.quantile(sums, [0.05, 0.9], axis=1).T)


def test_parts_of_the_horizon():
    forecast = normal_forecast(2, 14)
    paths = forecast.sample_paths(1000, random_state=0)
    weeks = forecast.aggregate("max", [0.5], parts=7)
    assert weeks.shape == (2, 2, 1)
    expected = np.median(paths.reshape(2, 1000, 2, 7).max(axis=-1), axis=1)
    np.testing.assert_allclose(weeks[..., 0], expected)
    slices = forecast.aggregate("max", [0.5], parts=[slice(0, 7), slice(7, None)])
    np.testing.assert_array_equal(slices, weeks)
    first = forecast.aggregate("max", [0.5], parts=slice(0, 7))
    np.testing.assert_array_equal(first, weeks[:, 0])


@pytest.mark.parametrize("function", ["sum", "mean", "max", "min"])
def test_one_step_has_the_quantiles_of_the_step(function):
    forecast = normal_forecast(2, 1)
    found = forecast.aggregate(function, [0.1, 0.5, 0.95], n_paths=20_000)
    expected = np.stack([forecast.quantile(p)[:, 0] for p in (0.1, 0.5, 0.95)], axis=-1)
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_a_function_of_a_user():
    forecast = normal_forecast(2, 14)
    paths = forecast.sample_paths(1000, random_state=0)
    found = forecast.aggregate(lambda paths: (paths > 1).sum(axis=-1), [0.9])
    np.testing.assert_allclose(found[:, 0], np.quantile((paths > 1).sum(axis=-1), 0.9, axis=1))


def test_a_group_is_a_sum_of_independent_series():
    forecast = normal_forecast(4, 10)
    found = forecast.total([0.1, 0.9], group=["b", "a", "a", "b"], n_paths=4000)
    paths = forecast.sample_paths(4000, random_state=0).sum(axis=-1)
    expected = [np.quantile(paths[pair].sum(axis=0), [0.1, 0.9]) for pair in ([0, 3], [1, 2])]
    np.testing.assert_allclose(found, expected)
    single = np.ptp(forecast.total([0.1, 0.9], n_paths=4000), axis=1).mean()
    assert np.ptp(found, axis=1).mean() == pytest.approx(2**0.5 * single, rel=0.05)


def test_series_without_a_forecast_have_no_totals():
    values = np.tile(stats.norm.ppf(LEVELS), (3, 6, 1))
    values[1] = np.nan
    forecast = Forecast(values, LEVELS, {1: "series[1] is empty"})
    paths = forecast.sample_paths(20, random_state=0)
    np.testing.assert_array_equal(np.isnan(paths).any(axis=(1, 2)), [False, True, False])
    found = forecast.aggregate(lambda paths: (paths > 0).sum(axis=-1), [0.5])
    np.testing.assert_array_equal(np.isnan(found[:, 0]), [False, True, False])
    grouped = forecast.total([0.5], group=[0, 0, 1])
    np.testing.assert_array_equal(np.isnan(grouped[:, 0]), [True, False])


def test_paths_and_totals_beyond_floats_are_refused():
    huge = Forecast(1.7e308 * np.linspace(-1, 1, 9)[None, None], LEVELS)
    with pytest.raises(ValueError, match=r"paths of series\[0\] goes beyond"):
        huge.sample_paths(1000, random_state=0)
    large = Forecast(np.full((2, 3, 9), 1e308), LEVELS)
    assert np.isfinite(large.sample_paths(5)).all()
    with pytest.raises(ValueError, match=r"'sum' of series\[0\] is not finite"):
        large.total()


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"n_paths": 0}, ValueError, "n_paths=0"),
        ({"n_paths": 1.5}, TypeError, "n_paths=1.5"),
        ({"levels": [1.0]}, ValueError, "levels"),
        ({"group": [1]}, ValueError, "group"),
        ({"parts": 4}, ValueError, "parts=4"),
        ({"random_state": -1}, ValueError, "random_state=-1"),
    ],
)
def test_arguments_of_totals_are_named(arguments, error, text):
    with pytest.raises(error, match=text):
        normal_forecast().total(**arguments)


def test_paths_cost_about_as_much_as_samples(monkeypatch):
    """One evaluation of the quantile function for each series, as in `sample`."""
    evaluated = []
    evaluate = quantile_function.evaluate

    def counted(quantiles, levels, at, *floor):
        evaluated.append(at.shape)
        return evaluate(quantiles, levels, at, *floor)

    monkeypatch.setattr(quantile_function, "evaluate", counted)
    normal_forecast(3, 8).sample_paths(100)
    assert evaluated == [(8, 100)] * 3


def test_a_picture_has_the_newest_history_dates_and_a_legend_off_the_data():
    pd = pytest.importorskip("pandas")
    pytest.importorskip("matplotlib").use("Agg")
    y = pd.Series(np.sin(np.arange(300.0)), pd.date_range("2024-01-01", periods=300, freq="h"))
    axes = normal_forecast(1, 20).plot(y)
    axes.figure.draw_without_rendering()
    line = axes.lines[0]
    assert len(line.get_xdata()) == 60
    assert line.get_xdata()[0] == y.index[240].to_datetime64()
    assert axes.lines[-1].get_xdata()[-1] == y.index[-1].to_datetime64() + np.timedelta64(20, "h")
    assert not axes.get_legend().get_window_extent().overlaps(axes.get_window_extent())


def test_a_picture_without_dates_has_whole_steps():
    pytest.importorskip("matplotlib").use("Agg")
    axes = normal_forecast(1, 3).plot(np.arange(100.0), history=10)
    assert axes.lines[0].get_xdata().tolist() == list(range(90, 100))
    assert axes.get_xlabel() == "step"
    ticks = np.asarray(axes.get_xticks())
    assert (ticks == np.rint(ticks)).all()
    with pytest.raises(ValueError, match="history=0"):
        normal_forecast(1, 3).plot(np.arange(100.0), history=0)
