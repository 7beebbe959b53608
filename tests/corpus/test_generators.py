"""Statistical properties of the families with a law of their own, and of the augmentation."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from timer_forecaster.corpus.augmentation import fourier_resample, stretch
from timer_forecaster.corpus.canonical import SIGNALS, canonical, canonical_signal
from timer_forecaster.corpus.causal import temporal_causal
from timer_forecaster.corpus.kernels import composite_kernel, kernel_synth, stationary_process
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


@pytest.mark.parametrize("seed", range(6))
def test_composite_kernels_are_the_covariance_of_what_is_drawn(seed: int) -> None:
    length, rows = 48, 8_000
    coefficients = composite_kernel(Draw(1, length, generator(seed), "cpu"))
    time = np.arange(length) / length
    lag = np.abs(np.subtract.outer(np.arange(length), np.arange(length)))
    kernel = sum(
        np.outer(time, time) ** power * k[0].double().numpy()[lag]
        for power, k in enumerate(coefficients)
    )
    assert np.linalg.eigvalsh(kernel).min() > -1e-4 * np.trace(kernel)
    draw = Draw(rows, length, generator(seed + 100), "cpu")
    parts = [stationary_process(draw, k.expand(rows, -1)).double() for k in coefficients]
    values = sum(torch.from_numpy(time) ** m * part for m, part in enumerate(parts)).numpy()
    error = np.abs(values.T @ values / rows - kernel).max() / kernel.diagonal().max()
    assert error < 5 / rows**0.5
    kurtosis = (values**4).mean(0) / (values**2).mean(0) ** 2
    np.testing.assert_allclose(kurtosis[1:], 3, atol=0.3)


def test_kernel_synth_mixes_what_the_bank_holds() -> None:
    x = kernel_synth(600, 512, generator(), "cpu").double().numpy()
    x = x[x.std(1) > 0]
    assert len(x) > 580
    assert 0.4 < (x[:, 0] > 0).mean() < 0.6
    x = x / x.std(1, keepdims=True)
    day = np.abs(x[:, 24:] - x[:, :-24]).max(axis=1) < 1e-2
    rough = np.abs(np.diff(x)).mean(1)
    assert 0.03 < day.mean() < 0.3  # exactly periodic by 24 steps
    assert (rough < 0.05).mean() > 0.1  # smooth
    assert (rough > 0.7).mean() > 0.1  # white or of short period
    half = (x[:, 256:].std(1) / x[:, :256].std(1))[~day]
    assert (half > 2).mean() > 0.05  # a linear kernel lets the spread grow


def test_variables_of_a_causal_model_depend_on_each_other() -> None:
    """Three rows share a model: they tell more of each other than rows of other models do."""
    models = 120
    x = temporal_causal(3 * models, 512, generator(), "cpu").double().numpy()
    change = np.diff(x, axis=1).reshape(3, models, -1)
    change = (change - change.mean(2, keepdims=True)) / change.std(2, keepdims=True)

    def strongest(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        lags = [
            np.abs((first[:, : change.shape[2] - k] * second[:, k:]).mean(1)) for k in range(40)
        ]
        return np.max(lags, axis=0)

    related = strongest(change[1], change[2])
    unrelated = strongest(change[1], np.roll(change[2], 1, axis=0))
    assert (related > 0.3).mean() > 2 * (unrelated > 0.3).mean()
    assert related.mean() > 1.3 * unrelated.mean()


def test_causal_models_do_not_explode() -> None:
    x = temporal_causal(300, 1024, generator(1), "cpu")
    assert x.shape == (300, 1024)
    assert x.abs().max() < 60  # each variable is brought to unit variance
    assert temporal_causal(1, 64, generator(), "cpu").shape == (1, 64)


@pytest.mark.parametrize("steps", [641, 1025, 2000])
def test_fourier_interpolation_follows_waves(steps: int) -> None:
    time, fine = torch.arange(257.0), torch.linspace(0, 256, steps)
    for period in (9.3, 20.0, 77.0):
        wave = torch.sin(2 * torch.pi * time / period + 0.7)[None]
        expected = torch.sin(2 * torch.pi * fine / period + 0.7)
        inside = slice(steps // 4, -steps // 4)
        error = (fourier_resample(wave, steps)[0] - expected).abs()
        assert error[inside].max() < 1e-3
        assert error.max() < 0.05


def test_fourier_interpolation_goes_through_the_values() -> None:
    walk = torch.randn(5, 80, generator=generator()).cumsum(dim=1)
    fine = fourier_resample(walk, 3 * 79 + 1)
    torch.testing.assert_close(fine[:, ::3], walk, atol=1e-4, rtol=0)
    torch.testing.assert_close(fourier_resample(fine, 80), walk, atol=1e-3, rtol=0)
    torch.testing.assert_close(fourier_resample(1e6 + walk, 100), 1e6 + fourier_resample(walk, 100))


def test_down_sampling_cuts_what_cannot_be_shown() -> None:
    time = torch.arange(401.0)
    slow, fast = torch.sin(2 * torch.pi * time / 50), torch.sin(2 * torch.pi * time / 2.5)
    halved = fourier_resample((slow + fast)[None], 101)[0]
    torch.testing.assert_close(halved, slow[::4], atol=0.05, rtol=0)


def test_stretch_slows_a_share_of_the_rows() -> None:
    wave = torch.sin(torch.arange(512.0) / 4).repeat(200, 1)
    wave[:20, 300] = torch.nan
    slowed = stretch(wave, 0.5, generator(), generator(1))
    changed = ~(slowed == wave).all(dim=1) & torch.isfinite(slowed).all(dim=1)
    assert 75 <= changed.sum() <= 100
    assert torch.equal(torch.isnan(slowed), torch.isnan(wave))
    crossings = (slowed.diff(dim=1).sign().diff(dim=1) != 0).sum(dim=1)[changed].float()
    assert set(crossings.tolist()) < set(range(8, 42))
    assert len(set(crossings.tolist())) >= 2
    torch.testing.assert_close(slowed[:, -1], wave[:, -1])
