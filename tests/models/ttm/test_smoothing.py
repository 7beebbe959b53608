"""The smooth trend of a series."""

import pytest
import torch
from ttm import walks

from timer_forecaster.models.ttm.smoothing import smooth_trend, window


@pytest.mark.parametrize(
    ("steps", "width"), [(96, 15), (100, 15), (60, 9), (20, 5), (4, 3), (2, 1)]
)
def test_windows_are_odd_and_fit(steps, width):
    kernel = window(steps)
    assert len(kernel) == width and kernel.sum().item() == pytest.approx(1)
    assert torch.equal(kernel, kernel.flip(0))


def test_the_mean_stays_and_constants_are_their_trend():
    series = walks(2, 96, 3)
    trend = smooth_trend(series)
    torch.testing.assert_close(trend.mean(1), series.mean(1), atol=1e-5, rtol=1e-5)
    assert trend.diff(dim=1).abs().mean() < 0.5 * series.diff(dim=1).abs().mean()
    torch.testing.assert_close(
        smooth_trend(torch.full((1, 30, 1), 7.0)), torch.full((1, 30, 1), 7.0)
    )


def test_an_outlier_moves_the_trend_by_its_mean_alone():
    series = torch.linspace(0, 1, 96)[None, :, None] + 0.05 * walks(1, 96, 1).diff(
        dim=1, prepend=torch.zeros(1, 1, 1)
    )
    spoiled = series.clone()
    spoiled[0, 40] += 100
    moved = smooth_trend(spoiled) - smooth_trend(series)
    assert (moved - 100 / 96).abs().max() < 0.2  # a plain mean in the window would move by 10
