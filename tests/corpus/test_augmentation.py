"""Monotone maps and periodic gaps: what they change, and what they leave."""

import numpy as np
import pytest
import torch

from timer_forecaster.corpus.augmentation import (
    fourier_resample,
    monotone_maps,
    periodic_gaps,
    stretch,
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def walks(rows=600, steps=512):
    return torch.randn(rows, steps, generator=generator(1)).cumsum(1)


def changed(before, after):
    same = (before == after) | (before.isnan() & after.isnan())
    return ~same.all(dim=1)


def test_maps_keep_the_order_of_values_and_what_is_missing():
    series = walks()
    series[:, 100:120] = torch.nan
    mapped = monotone_maps(series, 1.0, generator())
    assert torch.equal(mapped.isnan(), series.isnan())
    order = series.nan_to_num(-1e9).argsort(dim=1)
    steps = mapped.gather(1, order)[:, 20:].diff(dim=1)
    spread = mapped.nan_to_num(0.0).std(dim=1, keepdim=True)
    assert (steps >= -1e-5 * spread).all()


def test_maps_change_the_share_that_is_asked_for():
    series = walks(2000, 64)
    share = changed(series, monotone_maps(series, 0.25, generator())).float().mean()
    assert share == pytest.approx(0.25, abs=0.03)
    assert not changed(series, monotone_maps(series, 0.0, generator())).any()


def test_maps_bend_to_both_sides():
    """Roots make a line concave; squares, exponentials and softplus make it convex."""
    line = torch.arange(200.0).expand(1000, -1)
    mapped = monotone_maps(line, 1.0, generator())
    middle = (mapped[:, 100] - mapped[:, 0]) / (mapped[:, -1] - mapped[:, 0])
    concave = (middle > 0.52).float().mean()
    assert 0.18 < concave < 0.32
    assert (middle < 0.48).float().mean() > 0.6


def test_maps_of_one_generator_are_the_same():
    series = walks(50)
    one, other = (monotone_maps(series, 0.5, generator(3)) for _ in range(2))
    assert torch.equal(one, other)


def closed_patterns(rows=3000, steps=512):
    """Rows of 1, 2, 3, ... with all of them closed time and again."""
    series = torch.arange(1.0, steps + 1).expand(rows, -1)
    return series, periodic_gaps(series, 1.0, generator())


def test_gaps_come_back_with_one_period():
    _, gapped = closed_patterns()
    missing = gapped.isnan().numpy()
    candidates = [*range(4, 49), 96, 168]
    periodic = [
        any((row[cycle:] == row[:-cycle]).all() and row[:cycle].any() for cycle in candidates)
        for row in missing
    ]
    assert np.mean(periodic) > 0.99
    week = [(row[7:] == row[:-7]).all() and 1 <= row[:7].sum() <= 2 for row in missing]
    assert np.mean(week) > 0.2  # one closed day or two
    weekend = [(row[168:] == row[:-168]).all() and row[:168].sum() > 24 for row in missing]
    assert np.mean(weekend) > 0.1


def test_half_of_the_rows_lose_values_and_half_wait():
    series, gapped = closed_patterns()
    observed = ~gapped.isnan()
    lost = ((gapped == series) | ~observed).all(dim=1)
    assert lost.float().mean() == pytest.approx(0.5, abs=0.04)
    for row in gapped[~lost][:200]:
        values = row[~row.isnan()]
        assert (values.diff() == 1).all()  # nothing is left out
        assert values[-1] == series[0, -1]  # the newest stays


def test_gaps_change_the_share_that_is_asked_for():
    series = walks(2000, 128)
    share = changed(series, periodic_gaps(series, 0.1, generator())).float().mean()
    assert share == pytest.approx(0.1, abs=0.025)


def test_rows_that_would_lose_nearly_everything_stay():
    series = walks(200, 64)
    series[:, :-14] = torch.nan
    gapped = periodic_gaps(series, 1.0, generator())
    left = gapped.isfinite().sum(dim=1)
    assert (left >= 12).all()
    assert (left == 14).any() and (left < 14).any()


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
