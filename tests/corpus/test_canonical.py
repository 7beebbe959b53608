"""Canonical signals obey the equations of their kinds."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from timer_forecaster.corpus.canonical import SIGNALS, canonical, canonical_signal
from timer_forecaster.corpus.primitives import Draw


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def signals(name: str, rows: int = 200, steps: int = 400) -> np.ndarray:
    draw = Draw(rows, steps, generator(), "cpu")
    kind = torch.full((rows, 1), SIGNALS.index(name))
    return canonical_signal(draw, kind).double().numpy()


def relative_spread(ratios: np.ndarray) -> float:
    return float(np.nanmax(np.nanstd(ratios, axis=1) / np.abs(np.nanmean(ratios, axis=1))))


def test_lines_are_straight() -> None:
    assert np.abs(np.diff(signals("linear"), 2)).max() < 1e-6


def test_sinusoids_obey_their_recursion() -> None:
    """x(t+1) + x(t-1) = 2 cos(w) x(t) with one w a row, and w covers the range of periods."""
    x = signals("sinusoidal")
    cosine = ((x[:, 2:] + x[:, :-2]) * x[:, 1:-1]).sum(1) / (2 * x[:, 1:-1] ** 2).sum(1)
    np.testing.assert_allclose(x[:, 2:] + x[:, :-2], 2 * cosine[:, None] * x[:, 1:-1], atol=2e-3)
    periods = 2 * np.pi / np.arccos(cosine.clip(-1, 1))
    assert periods.min() < 5
    assert np.median(periods) == pytest.approx((3 * 800) ** 0.5, rel=0.4)


def test_exponentials_grow_by_one_factor() -> None:
    x = signals("exponential")
    assert relative_spread(x[:, 1:] / x[:, :-1]) < 1e-4
    assert 0.3 < (x[:, -1] > x[:, 0]).mean() < 0.7
    np.testing.assert_allclose(x.max(axis=1), 1, atol=0.02)


def test_powers_are_lines_on_logarithmic_axes() -> None:
    x, time = signals("power"), np.arange(400) / 400 + 1 / 400
    exponents = np.log(x[:, 50:]) / np.log([*time[50:-1], 1 - 1e-9])
    assert relative_spread(exponents[:, :300]) < 1e-3
    assert exponents[:, 0].min() < 0.5
    assert exponents[:, 0].max() > 4


def test_impulses_are_single_and_regular() -> None:
    x = signals("impulse")
    assert set(np.unique(x)) == {0.0, 1.0}
    trains = [np.flatnonzero(row) for row in x if row.sum() > 2]
    assert len(trains) > 100
    assert all(np.ptp(np.diff(places)) == 0 for places in trains)
    assert 0.02 < np.mean(x.sum(axis=1) == 1)


def test_steps_have_two_levels() -> None:
    x = signals("step")
    assert set(np.unique(x)) == {0.0, 1.0}
    assert 0.35 < x.mean() < 0.65
    assert 0.05 < np.mean(np.abs(np.diff(x)).sum(axis=1) == 1) < 0.5


def test_canonical_series_combine_signals_without_noise() -> None:
    x = canonical(400, 256, generator(), "cpu").double().numpy()
    assert np.isfinite(x).all()
    varied = x[x.std(1) > 0]
    assert len(varied) > 380
    bend = np.median(np.abs(np.diff(varied, 2)), axis=1) / varied.std(1)
    assert np.median(bend) < 0.1  # mostly smooth; 2.4 for noise
    assert (bend > 0.5).mean() > 0.1  # short periods are there, too
