"""Statistics of the augmentation."""

from __future__ import annotations

import pytest
import torch

from timer_forecaster.corpus.augmentation import fourier_resample, stretch


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


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
