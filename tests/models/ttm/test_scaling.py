"""Contexts of one length, and their statistics."""

import pytest
import torch
from ttm import tiny_ttm, walks

from timer_forecaster.models.ttm.scaling import fit_context, statistics


def test_long_contexts_are_cut_and_short_ones_get_zeros():
    values, mask = walks(2, 10, 3), torch.ones(2, 10, 3)
    newest, own = fit_context(values, mask, 4)
    assert torch.equal(newest, values[:, -4:]) and own.shape == newest.shape
    padded, own = fit_context(values, mask, 16)
    assert torch.equal(padded[:, 6:], values) and not padded[:, :6].any()
    assert own[:, 6:].all() and not own[:, :6].any()
    assert fit_context(values, None, 16)[1] is None


def test_mean_and_deviation_of_what_was_observed():
    values = walks(2, 10, 3)
    mask = (torch.arange(10) < 6).float()[None, :, None].expand(2, 10, 3)
    loc, scale = statistics(values, mask, tiny_ttm())
    torch.testing.assert_close(loc, values[:, :6].mean(1, keepdim=True))
    variance = values[:, :6].var(1, keepdim=True, unbiased=False)
    torch.testing.assert_close(scale, (variance + 1e-5).sqrt())
    torch.testing.assert_close(
        statistics(values, torch.ones_like(values), tiny_ttm()),
        statistics(values, None, tiny_ttm()),
    )


def test_a_channel_that_was_never_observed():
    values, mask = walks(2, 10, 2) + 5, torch.ones(2, 10, 2)
    mask[0, :, 1] = 0
    loc, scale = statistics(values, mask, tiny_ttm())
    assert loc[0, 0, 1] == 0 and scale[0, 0, 1] == pytest.approx(1e-5**0.5)
    loc, scale = statistics(values, mask, tiny_ttm(scaling="mean"))
    assert not loc.any()
    assert scale[0, 0, 1] == pytest.approx(values[1, :, 1].abs().mean().item())
    scale = statistics(values, mask, tiny_ttm(scaling="mean", default_scale=3.0))[1]
    assert scale[0, 0, 1] == 3


def test_least_scales():
    flat = torch.ones(1, 10, 1)
    assert statistics(flat, None, tiny_ttm(minimum_scale=0.25))[1].item() == 0.5
    zeros = statistics(flat * 0, None, tiny_ttm(scaling="mean"))[1]
    assert zeros.item() == pytest.approx(1e-10)


@pytest.mark.parametrize("scaling", [None, False, "revin"])
def test_no_scaling(scaling):
    loc, scale = statistics(walks(2, 10, 3), None, tiny_ttm(scaling=scaling))
    assert not loc.any() and (scale == 1).all() and loc.shape == scale.shape == (2, 1, 3)
