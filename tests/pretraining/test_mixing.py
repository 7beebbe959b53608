"""Mixtures of windows are finite mixes of two windows."""

import torch

from timer_forecaster.pretraining.mixing import mix_windows


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def windows(rows=64, patches=12, seed=0):
    return torch.randn(rows, patches * 16, generator=generator(seed)).cumsum(-1) * 5 + 100


def test_mixed_windows_are_finite_mixes():
    series = windows(40)
    series[:5, :30] = torch.nan
    mixed = mix_windows(series, 1.0, generator())
    assert (mixed[5:] != series[5:]).any()
    assert torch.equal(mix_windows(series, 0.0, generator()).nan_to_num(), series.nan_to_num())
    assert not mixed.isinf().any()


def test_a_mix_is_missing_where_either_window_is():
    series = windows(2)
    series[0, :40], series[1, 100:120] = torch.nan, torch.nan
    mixed = mix_windows(series, 1.0, generator())
    for before, after in zip(series, mixed, strict=True):
        assert after[before.isnan()].isnan().all()


def test_windows_with_hardly_any_common_step_stay_as_they_are():
    series = windows(2)
    series[0, 30:], series[1, :30], series[1, 60:] = torch.nan, torch.nan, torch.nan
    mixed = mix_windows(series, 1.0, generator())
    assert torch.equal(mixed.nan_to_num(), series.nan_to_num())
