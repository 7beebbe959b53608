from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, kstest

from timer_forecaster.corpus.curation import (
    MIN_OBSERVED,
    Curation,
    arima_significance,
    impute_causal_mean,
    iqr_outliers,
    k_sigma_outliers,
    trimmed,
)

NAN = float("nan")


def noisy_wave(steps: int = 600, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 20 + np.sin(np.arange(steps) / 7) + 0.2 * rng.normal(size=steps)


def planted(places: list[int], size: float = 15.0) -> np.ndarray:
    values = noisy_wave()
    values[places] += size
    return values


def test_ends_are_trimmed_and_infinities_are_gaps() -> None:
    values = np.array([NAN, NAN, *range(20), np.inf, 3.0, -np.inf, NAN])
    kept, reason = trimmed(values)
    assert reason == ""
    assert kept is not None
    np.testing.assert_array_equal(kept, np.array([*range(20), NAN, 3.0], np.float32))


@pytest.mark.parametrize(
    "values, reason",
    [(np.full(50, NAN), "hardly observed"), (np.arange(11.0), "hardly observed"),
     (np.ones(50), "constant"), (np.array([]), "hardly observed")],
)  # fmt: skip
def test_what_teaches_nothing_is_refused(values: np.ndarray, reason: str) -> None:
    assert trimmed(values) == (None, reason)
    assert Curation()(values)[:2] == (None, reason)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.one_of(st.floats(-1e3, 1e3), st.just(NAN)), min_size=1, max_size=30))
def test_gaps_are_filled_from_the_past_alone(values: list[float]) -> None:
    filled = impute_causal_mean(values)
    for step, value in enumerate(values):
        past = [v for v in values[:step] if not np.isnan(v)]
        expected = value if not np.isnan(value) else (np.mean(past) if past else NAN)
        assert filled[step] == pytest.approx(expected, abs=1e-2, rel=1e-4, nan_ok=True)
    cut = len(values) // 2
    np.testing.assert_array_equal(impute_causal_mean(values[:cut]), filled[:cut])


@pytest.mark.parametrize("rule", [k_sigma_outliers, iqr_outliers])
def test_planted_outliers_are_found(rule) -> None:
    places = [0, 100, 101, 350, 599]
    for size in (15.0, -15.0):
        assert np.flatnonzero(rule(planted(places, size))).tolist() == places


@pytest.mark.parametrize("rule", [k_sigma_outliers, iqr_outliers])
def test_scale_and_level_do_not_matter(rule) -> None:
    values = planted([40, 300])
    np.testing.assert_array_equal(rule(values), rule(1e6 + 1e-3 * values))


@pytest.mark.parametrize("rule", [k_sigma_outliers, iqr_outliers])
def test_no_outlier_where_there_is_none(rule) -> None:
    rng = np.random.default_rng(0)
    level_shift = np.where(np.arange(600) < 300, 0.0, 50.0) + rng.normal(size=600)
    for values in (noisy_wave(), level_shift, np.ones(100), np.arange(200.0), rng.normal(size=9)):
        assert not rule(values).any()


@pytest.mark.parametrize("rule", [k_sigma_outliers, iqr_outliers])
def test_gaps_are_no_outliers_and_hide_none(rule) -> None:
    values = planted([200])
    values[[10, 198, 199, 201]] = NAN
    assert np.flatnonzero(rule(values)).tolist() == [200]


def test_window_shifts() -> None:
    """A value that is ordinary in the whole series stands out in its neighborhood."""
    values = np.concatenate([noisy_wave(600), 100 + noisy_wave(600)])
    values[300] = 60.0
    assert np.flatnonzero(k_sigma_outliers(values, 5, 100)).tolist() == [300]
    assert not k_sigma_outliers(values, 5, 1200).any()


def test_both_rules_must_agree() -> None:
    rng = np.random.default_rng(0)
    sales = (rng.random(600) < 0.02) * 5.0
    tail = np.exp(2 * rng.normal(size=600))
    assert k_sigma_outliers(sales).any()
    assert not iqr_outliers(sales).any()
    assert iqr_outliers(tail).sum() > 3 * k_sigma_outliers(tail).sum()
    both = Curation(significance=None)(sales)
    assert "outliers" not in both.changed
    one = Curation(iqr=None, significance=None)(sales)
    assert one.changed["outliers"] == k_sigma_outliers(sales).sum()


def test_curation_removes_then_fills() -> None:
    values = planted([150, 400])
    values[[0, 60, 61]] = NAN
    removed = Curation(significance=None)(values)
    assert removed.changed == {"outliers": 2}
    assert np.flatnonzero(np.isnan(removed.values)).tolist() == [59, 60, 149, 399]
    filled = Curation(significance=None, impute=True)(values)
    assert filled.changed == {"outliers": 2, "imputed": 4}
    np.testing.assert_array_equal(filled.values, impute_causal_mean(removed.values))
    assert abs(filled.values[149] - 20) < 1


def test_curation_without_rules_only_trims() -> None:
    values = planted([150])
    kept = Curation(k_sigma=None, iqr=None, significance=None)(values)
    np.testing.assert_array_equal(kept.values, values.astype(np.float32))
    assert (kept.reason, kept.changed) == ("", {})


def test_a_series_that_only_consists_of_outliers_is_left_out() -> None:
    values = np.zeros(600)
    values[100] = 1.0
    curated = Curation(iqr=None, significance=None)(values)
    assert (curated.values, curated.reason) == (None, "constant without its outliers")


def test_noise_is_left_out_and_structure_kept() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=400)
    persistent = pd.Series(rng.normal(size=400)).ewm(alpha=0.7).mean().to_numpy()
    pulses = (np.arange(400) % 12 == 0) + 0.1 * noise
    assert Curation()(noise).reason == "not significant"
    for values in (persistent, noise.cumsum(), pulses, np.arange(400.0), noisy_wave()):
        assert Curation()(values).reason == ""


def test_p_values_of_white_noise_are_uniform() -> None:
    rng = np.random.default_rng(0)
    values = [arima_significance(rng.normal(size=150), lags=4) for _ in range(60)]
    assert kstest(values, "uniform").pvalue > 0.01


def test_significance_is_the_likelihood_ratio_of_the_models() -> None:
    from statsmodels.tsa.arima.model import ARIMA

    rng = np.random.default_rng(0)
    values = 1e3 + 50 * pd.Series(rng.normal(size=300)).ewm(alpha=0.9).mean().to_numpy()
    fits = [ARIMA(values, order=(order, 0, 0)).fit() for order in (2, 0)]
    expected = chi2.sf(2 * (fits[0].llf - fits[1].llf), 2)
    assert arima_significance(values, lags=2) == pytest.approx(expected, rel=0.2)


def test_significance_needs_something_to_fit() -> None:
    with pytest.raises(ValueError, match="values are constant"):
        arima_significance(np.ones(100))
    assert arima_significance(np.concatenate([noisy_wave(), np.ones(600)])) == 0.0
    assert 0 <= arima_significance(np.arange(MIN_OBSERVED)) <= 1


@pytest.mark.parametrize(
    "options, message",
    [({"k_sigma": 0}, "k_sigma=0 must be positive"), ({"iqr": -1.0}, "iqr=-1.0"),
     ({"window": 5}, "window=5 must be at least 12"), ({"significance": 1.0}, r"lie in \(0, 1\)")],
)  # fmt: skip
def test_rules_out_of_range_are_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Curation(**options)
