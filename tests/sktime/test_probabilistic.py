"""Joint distributions: paths over the steps of a horizon."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sktime_cases import MODEL, forecaster, hourly, unequal_panel, walk

from timer_forecaster import ForecastPipeline
from timer_forecaster.sktime import TimerS1Forecaster, TinyTimeMixerForecaster

STEPS = range(1, 13)


def joint(fitted, **how):
    return fitted.predict_proba(marginal=False, **how)


@pytest.mark.parametrize(
    ("family", "name"), [(TimerS1Forecaster, MODEL), (TinyTimeMixerForecaster, "ttm-test")]
)
def test_paths_are_those_of_the_pipeline(family, name):
    fitted = family(name, n_paths=200, random_state=3).fit(hourly(), fh=STEPS)
    distribution = joint(fitted)
    pipe = ForecastPipeline.from_pretrained(name)
    paths = pipe.sample_paths(hourly().to_numpy(), 12, 200, random_state=3, freq="h")
    np.testing.assert_array_equal(distribution.spl.to_numpy().reshape(200, 12), paths[0])
    assert distribution.index.equals(fitted.predict().index)
    assert distribution.columns.tolist() == ["load"]


def test_a_joint_distribution_has_the_quantiles_of_its_steps(calls):
    fitted = forecaster(n_paths=1000, random_state=0).fit(hourly(), fh=STEPS)
    quantiles = fitted.predict_quantiles(alpha=[0.1, 0.5, 0.9])
    found = joint(fitted).quantile([0.1, 0.5, 0.9])
    assert len(calls) == 1
    spread = (quantiles.iloc[:, 2] - quantiles.iloc[:, 0]).mean()
    np.testing.assert_allclose(found, quantiles, atol=0.02 * spread)


def test_its_samples_are_whole_paths():
    fitted = forecaster(random_state=0).fit(hourly(), fh=STEPS)
    distribution = joint(fitted)
    known = {tuple(path) for path in distribution.spl.to_numpy().reshape(500, 12)}
    drawn = distribution.sample(300)["load"].to_numpy().reshape(300, 12)
    assert {tuple(path) for path in drawn} <= known
    marginal = fitted.predict_proba().sample(300)["load"].to_numpy().reshape(300, 12)
    assert drawn.sum(axis=1).std() > 1.5 * marginal.sum(axis=1).std()


def test_seeds_repeat_and_no_seed_does_not():
    fitted = forecaster(n_paths=20, random_state=0).fit(hourly(), fh=STEPS)
    pd.testing.assert_frame_equal(joint(fitted).spl, joint(fitted).spl)
    free = forecaster(n_paths=20).fit(hourly(), fh=STEPS)
    assert (joint(free).spl != joint(free).spl).any(axis=None)


def test_panels_and_variables_are_independent_and_as_alone():
    y = unequal_panel().assign(other=lambda frame: frame["y"] ** 2)
    fitted = forecaster(n_paths=100, random_state=0).fit(y, fh=STEPS)
    distribution = joint(fitted)
    assert distribution.index.equals(fitted.predict().index)
    for key in "abc":
        alone = forecaster(n_paths=100, random_state=0).fit(y.loc[key].asfreq("h"), fh=STEPS)
        found = distribution.spl.xs(key, level="id").to_numpy()
        expected = joint(alone).spl.to_numpy()
        np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())
    sums = distribution.spl["y"].to_numpy().reshape(100, 3, 12).sum(axis=-1)
    assert np.abs(np.triu(np.corrcoef(sums.T), 1)).max() < 0.35
    assert distribution.sample(5).shape == (5 * 36, 2)


@pytest.mark.parametrize("fh", [[3, 1, 40], [-2, 0, 2, 5], [-1]])
def test_horizons_with_gaps_and_in_sample_steps(fh):
    fitted = forecaster(n_paths=400, random_state=0).fit(hourly(), fh=fh)
    found = joint(fitted).quantile([0.1, 0.5, 0.9]).to_numpy()
    expected = fitted.predict_quantiles(alpha=[0.1, 0.5, 0.9])
    assert joint(fitted).index.equals(expected.index)
    np.testing.assert_allclose(found, expected, atol=0.25 * np.ptp(expected, axis=1).max())


def test_covariates_take_part():
    y = hourly(120)
    X = pd.DataFrame({"price": walk(132, 5)}, pd.date_range("2024-01-01", periods=132, freq="h"))
    y = y + 10 * X["price"].iloc[:120]
    fitted = forecaster(n_paths=300, random_state=0).fit(y, X.iloc[:120], fh=STEPS)
    median = joint(fitted, X=X.iloc[120:]).quantile(0.5).to_numpy()[:, 0]
    expected = fitted.predict(X=X.iloc[120:]).to_numpy().ravel()
    np.testing.assert_allclose(median, expected, rtol=0.02)


def test_instances_without_a_forecast_have_no_paths():
    y = unequal_panel()
    y.loc["a", "y"] = np.nan
    fitted = forecaster(n_paths=20, random_state=0, on_error="nan").fit(y, fh=STEPS)
    with pytest.warns(UserWarning, match="no forecast"):
        spl = joint(fitted).spl
    assert spl.xs("a", level="id").isna().all(axis=None)
    assert spl.drop(index="a", level="id").notna().all(axis=None)


def test_pickles_of_earlier_versions_have_no_seed():
    fitted = forecaster(random_state=0).fit(hourly(), fh=STEPS)
    state = dict(vars(fitted))
    del state["n_paths"], state["random_state"]
    old = object.__new__(type(fitted))
    old.__setstate__(state)
    assert joint(old).spl.shape == (500 * 12, 1)
    copy = pickle.loads(pickle.dumps(fitted))  # noqa: S301
    pd.testing.assert_frame_equal(joint(copy).spl, joint(fitted).spl)


@pytest.mark.parametrize("fh", [[1, 3], [-1, 2]])
def test_a_generator_repeats_and_stays_as_it_is(fh):
    source = np.random.default_rng(3)
    fitted = forecaster(n_paths=20, random_state=source).fit(hourly(), fh=fh)
    pd.testing.assert_frame_equal(joint(fitted).spl, joint(fitted).spl)
    assert source.random() == np.random.default_rng(3).random()


@pytest.mark.parametrize("seed", ["x", -1, 1.5])
def test_seeds_are_checked(seed):
    with pytest.raises((ValueError, TypeError), match="random_state="):
        forecaster(random_state=seed).fit(hourly())


@pytest.mark.parametrize("n_paths", [0, 1.5])
def test_numbers_of_paths_are_checked(n_paths):
    with pytest.raises((ValueError, TypeError), match="n_paths="):
        forecaster(n_paths=n_paths).fit(hourly())


COUNTS = hourly() * 0 + np.random.default_rng(0).poisson(0.6, size=len(hourly()))


@pytest.mark.parametrize(
    ("family", "name"), [(TimerS1Forecaster, MODEL), (TinyTimeMixerForecaster, "ttm-test")]
)
def test_bounded_forecasts_are_never_negative(family, name):
    """Ahead and in the sample, by every verb, and equal to those of the pipeline."""
    steps = [-3, 0, *STEPS]
    fitted = family(name, nonnegative=True, n_paths=100, random_state=0).fit(COUNTS, fh=steps)
    free = family(name, nonnegative=False).fit(COUNTS, fh=steps)
    assert free.predict_quantiles(alpha=[0.001]).min(axis=None) < 0
    low = fitted.predict_quantiles(alpha=[0.001])
    assert (low >= 0).all(axis=None) and (low == 0).any(axis=None)
    assert (fitted.predict_interval(coverage=0.99) >= 0).all(axis=None)
    assert (joint(fitted).spl >= 0).all(axis=None)
    distribution = fitted.predict_proba()
    assert (distribution.sample(100) >= 0).all(axis=None)
    np.testing.assert_allclose(distribution.var(), fitted.predict_var())
    pipe = ForecastPipeline.from_pretrained(name)
    found = pipe.predict(COUNTS.to_numpy().ravel(), 12, freq="h", nonnegative=True)
    np.testing.assert_allclose(distribution.mean().to_numpy()[2:, 0], found.mean[0], rtol=1e-4)
    np.testing.assert_allclose(low.to_numpy()[2:, 0], found.quantile(0.001)[0], atol=1e-4)


@pytest.mark.parametrize("steps", [[1, 2], [0, 1], [0]])
def test_negative_values_are_refused_by_instance_and_column(steps):
    y = unequal_panel().abs().assign(other=1.0)
    fitted = forecaster(nonnegative=True).fit(y, fh=steps)
    assert (fitted.predict_quantiles(alpha=[0.01]) >= 0).all(axis=None)
    y.loc[y.index[3], "other"] = -7.0
    bad = forecaster(nonnegative=True).fit(y, fh=steps)
    key = y.index[3][0]
    with pytest.raises(ValueError, match=f"{key}.*'other' has negative values, down to -7"):
        bad.predict()


def test_pickles_of_earlier_versions_are_bounded_by_the_history():
    fitted = forecaster().fit(hourly(), fh=STEPS)
    state = dict(vars(fitted))
    del state["nonnegative"]
    old = object.__new__(type(fitted))
    old.__setstate__(state)
    pd.testing.assert_frame_equal(old.predict_var(), fitted.predict_var())
    assert old.nonnegative == "auto"
