"""Contexts of training are made as those of inference, and their targets do not leak."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch import Generator

from timer_forecaster.models.ttm.batches import ContextSettings, fill_gaps, make_contexts

T, H = 64, 16
WHOLE = ContextSettings(full_share=1.0, points=0.0, stretch=0.0)


def contexts(windows, settings=WHOLE, seed=0):
    return make_contexts(windows, T, H, Generator().manual_seed(seed), settings)


def walks(rows, steps=T + H, seed=0):
    return torch.randn(rows, steps, generator=Generator().manual_seed(seed)).cumsum(-1)


def test_a_context_is_standardized_by_itself_in_float64():
    walk = walks(4)
    batch = contexts(walk.double() * 1e-3 + 10)
    past, future = walk[:, :T].double(), walk[:, T:].double()
    mean, std = past.mean(-1, keepdim=True), past.std(-1, keepdim=True, correction=0)
    torch.testing.assert_close(batch.past, ((past - mean) / std).float(), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(batch.targets, ((future - mean) / std).float(), atol=1e-4, rtol=1e-4)
    assert batch.observed.all() and batch.known.all()


@pytest.mark.parametrize("factor", [1e-9, 1.0, 1e9])
def test_no_unit_and_no_level_changes_a_batch(factor):
    walk = walks(8).double()
    for one, other in zip(contexts(walk), contexts(walk * factor + 3 * factor), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


def test_targets_do_not_change_the_context():
    walk = walks(8)
    other = walk.clone()
    other[:, T:] += 100.0
    settings = ContextSettings()
    assert torch.equal(contexts(walk, settings).past, contexts(other, settings).past)


def test_lengths_are_spread_and_what_is_before_is_zero():
    batch = contexts(walks(4000), ContextSettings(shortest=8, full_share=0.5, points=0, stretch=0))
    length = batch.observed.sum(-1)
    assert ((length >= 8) & (length <= T)).all()
    assert 0.47 < (length == T).float().mean() < 0.55
    short = length[length < T]
    assert abs((short < math.sqrt(8 * T)).float().mean() - 0.5) < 0.05  # uniform in the logarithm
    before = batch.observed == 0
    assert (batch.past[before] == 0).all()
    assert (before[:, :-1] >= before[:, 1:]).all()
    # The mean and the deviation are those of what is seen.
    assert (batch.past.sum(-1) / length).abs().max() < 1e-5
    assert ((batch.past.square().sum(-1) / length) - 1).abs().max() < 1e-4


def test_short_series_keep_a_context_and_what_lies_after_them_is_unknown():
    windows = torch.full((3, T + H), torch.nan)
    for row, steps in enumerate((6, 24, 60)):
        windows[row, -steps:] = walks(1, steps)[0]
    batch = contexts(windows)
    assert batch.known.sum(-1).tolist() == [2, 8, 16]
    assert batch.observed.sum(-1).tolist() == [4, 16, 44]
    assert batch.known[0].tolist() == [True, True] + [False] * 14
    assert (batch.targets[~batch.known] == 0).all()
    assert (batch.observed[:, -1] == 1).all()


def test_longer_windows_are_cut_at_random_places():
    windows = torch.arange(200.0).square().repeat(500, 1)
    windows[250:, :-40] = torch.nan
    batches = [contexts(windows, seed=seed) for seed in (0, 1)]
    assert all(batch.observed[:250].all() and batch.known[:250].all() for batch in batches)
    assert not torch.equal(batches[0].past[:250], batches[1].past[:250])
    steps = (batches[0].observed.sum(-1) + batches[0].known.sum(-1))[250:]
    assert set(steps.tolist()) == set(range(30, 41))  # no more than a quarter is left out
    # Targets follow the context without a step between.
    whole = torch.cat([batches[0].past, batches[0].targets], dim=-1)[:250].double()
    assert (whole.diff().diff().diff().abs() < 1e-4).all()


def test_gaps_are_straight_lines_and_missing_targets_do_not_count():
    windows = torch.arange(float(T + H)).square().repeat(2, 1)
    windows[0, 10:20] = torch.nan
    windows[0, T - 4 : T] = torch.nan
    windows[0, T + 3] = torch.nan
    windows[0, :5] = torch.nan
    batch = contexts(windows)
    past, seen = batch.past[0].numpy(), batch.observed[0].numpy() > 0
    places = np.arange(T)
    expected = np.interp(places, places[seen], past[seen])
    expected[:5] = 0
    np.testing.assert_allclose(past, expected, atol=1e-6)
    assert batch.known[0].tolist() == [step != 3 for step in range(H)]
    assert np.isfinite(past).all() and batch.known[1].all()


def test_filling_leaves_what_is_seen():
    values = walks(50, 30)
    seen = torch.rand(50, 30, generator=Generator().manual_seed(1)) < 0.4
    filled = fill_gaps(values, seen)
    assert torch.equal(filled[seen], values[seen])
    for row, mask, line in zip(values, seen, filled, strict=True):
        places = np.flatnonzero(mask)
        expected = np.interp(np.arange(30), places, row.numpy()[places])
        expected[: places[0]] = 0
        np.testing.assert_allclose(line, expected, atol=1e-5)


def test_constant_contexts_and_far_targets_are_left_out():
    windows = walks(4)
    windows[0, :T] = 7.0
    windows[1] = torch.nan
    windows[2, T + 1] = 1e9
    windows[3, T:] = torch.inf
    batch = contexts(windows)
    assert batch.known.sum(-1).tolist() == [0, 0, H - 1, 0]
    assert all(torch.isfinite(tensor.float()).all() for tensor in batch)


def test_values_are_hidden_in_shares_of_rows():
    settings = ContextSettings(full_share=1.0, points=0.3, stretch=0.4)
    hidden = contexts(walks(4000), settings).observed == 0
    runs = (hidden[:, 1:] & ~hidden[:, :-1]).sum(-1) + hidden[:, 0]
    assert 0.55 < hidden.any(-1).float().mean() < 0.7
    assert 0.2 < (runs > 1).float().mean() < 0.3
    assert hidden.sum(-1).max() < 0.6 * T
    assert hidden[:, -1].any()


def test_a_batch_depends_on_its_generator():
    walk, settings = walks(20), ContextSettings()
    assert torch.equal(contexts(walk, settings).past, contexts(walk, settings).past)
    assert not torch.equal(contexts(walk, settings).past, contexts(walk, settings, seed=1).past)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"full_share": math.nan}, "full_share.* between 0 and 1"),
        ({"points": 0.7, "stretch": 0.7}, "points and stretch together at most 1"),
        ({"stretch": -0.1}, "contexts=.*stretch"),
        ({"shortest": 1}, "shortest=1 must be at least 2"),
    ],
)
def test_settings_that_cannot_be_meant_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(WHOLE, **changes)
