"""The scale of a window is that of what is seen of it."""

import pytest
import torch

from timer_forecaster.models.normalizing import masked_statistics, normalized


def test_what_is_not_seen_changes_no_statistics():
    values = torch.tensor([[1.0, torch.nan, 3.0, 100.0]], dtype=torch.float64)
    seen = torch.tensor([[True, False, True, False]])
    mean, std = masked_statistics(values, seen)
    assert (mean.item(), std.item()) == (2, 1)
    scaled, varies = normalized(values, mean, std)
    assert scaled[0, [0, 2, 3]].tolist() == [-1, 1, 98] and varies.all()


@pytest.mark.parametrize("level", [0.0, 5.0, -1e6, 1e-9])
def test_a_constant_row_does_not_vary(level):
    values = torch.full((1, 6), level, dtype=torch.float64)
    for seen in (torch.ones(1, 6, dtype=torch.bool), torch.zeros(1, 6, dtype=torch.bool)):
        scaled, varies = normalized(values, *masked_statistics(values, seen))
        assert not varies.any() and scaled.isfinite().all()
