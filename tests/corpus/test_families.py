"""Statistics of the families of short, seasonal and switching series."""

import numpy as np
import pytest
import torch

from timer_forecaster.corpus.families import (
    FAMILIES,
    even_seasons,
    multiplicative_seasons,
    reverting,
)


def rows(family, count=800, length=256, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return family(count, length, generator, "cpu").double().numpy()


def seasonal_period(row, candidates):
    """Shortest candidate whose seasonal means explain about as much of a row as any other's."""
    smooth = np.convolve(row, np.ones(41) / 41, mode="same")
    rest = (row - smooth)[20:-20]
    left = []
    for period in candidates:
        phase = np.arange(len(rest)) % period
        means = np.bincount(phase, rest) / np.bincount(phase)
        left.append(((rest - means[phase]) ** 2).sum() / (len(rest) - period) / rest.var())
    good = np.array(left) <= min(left) + 0.1
    return candidates[int(good.argmax())]


@pytest.mark.parametrize("family", [multiplicative_seasons, even_seasons, reverting])
def test_families_are_finite_vary_and_repeat(family):
    x = rows(family)
    assert np.isfinite(x).all()
    assert (x.std(axis=1) > 1e-6 * np.abs(x).max(axis=1)).all()
    np.testing.assert_array_equal(x, rows(family))
    assert family in [function for function, _ in FAMILIES.values()]


@pytest.mark.parametrize("length", [16, 24, 4096])
@pytest.mark.parametrize("family", [multiplicative_seasons, even_seasons, reverting])
def test_families_come_in_any_length(family, length):
    assert np.isfinite(rows(family, 40, length)).all()


def test_amplitudes_grow_with_the_level():
    x = rows(multiplicative_seasons)
    assert (x > 0).all()
    halves = np.split(x, 2, axis=1)
    level = np.log([half.mean(axis=1) for half in halves])
    rough = np.log([np.abs(np.diff(half, axis=1)).mean(axis=1) for half in halves])
    grows = np.abs(level[1] - level[0]) > 0.3
    assert grows.mean() > 0.2
    slope = np.polyfit((level[1] - level[0])[grows], (rough[1] - rough[0])[grows], 1)[0]
    assert slope == pytest.approx(1.0, abs=0.2)


def test_months_are_the_commonest_year():
    x = np.log(rows(multiplicative_seasons, 300))
    found = [seasonal_period(row, [4, 6, 7, 12, 13, 24]) for row in x]
    twelve = np.mean([period in (12, 24) for period in found])
    assert twelve > 0.3


def test_periods_from_3_to_40_come_evenly():
    x = rows(even_seasons, 500)
    found = np.array([seasonal_period(row, range(3, 41)) for row in x])
    counts = np.histogram(found, [3, 10, 17, 24, 33, 41])[0] / len(found)
    assert counts.min() > 0.07
    assert counts.max() < 0.35


@pytest.mark.parametrize("family", [multiplicative_seasons, even_seasons])
def test_noise_is_low_in_many_rows(family):
    """What is left of the changes after those of one period before are subtracted."""
    x = rows(family, 400)
    x = np.log(x) if family is multiplicative_seasons else x
    left = []
    for row in x:
        period = seasonal_period(row, range(3, 53))
        difference = np.diff(row[period:] - row[:-period])
        left.append(difference.std() / np.diff(row).std())
    assert np.mean(np.array(left) < 0.3) > 0.25
    assert np.mean(np.array(left) > 0.7) > 0.15


def test_reversion_switches_between_a_few_levels():
    x = rows(reverting, 1000, 1024)
    x = (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True)
    eighths = np.stack(np.split(x, 8, axis=1))
    apart = eighths.mean(axis=2).std(axis=0)  # levels of parts differ where they switch
    assert (apart > 0.5).mean() > 0.2
    assert (apart < 0.25).mean() > 0.05
    spread = np.log(eighths.std(axis=2) + 1e-3)
    assert (spread.max(axis=0) - spread.min(axis=0) > 1).mean() > 0.15  # loudness switches
    walk = np.abs(x[:, -1] - x[:, 0]).mean()
    assert walk < 2.0  # does not run away


def test_reversion_is_fast_in_some_rows_and_slow_in_others():
    x = rows(reverting, 600, 1024)
    x = x - x.mean(axis=1, keepdims=True)
    lag = (x[:, 1:] * x[:, :-1]).sum(axis=1) / (x**2).sum(axis=1)
    assert (lag < 0.7).mean() > 0.1
    assert (lag > 0.95).mean() > 0.15
