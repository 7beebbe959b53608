"""Batches do not look ahead, and hide what they are told to."""

import pytest
import torch

from timer_forecaster.models.timer_s1.batches import align_start
from timer_forecaster.pretraining import MaskShares, make_batch


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def windows(rows=64, patches=12, seed=0):
    return torch.randn(rows, patches * 16, generator=generator(seed)).cumsum(-1) * 5 + 100


def test_statistics_come_from_before_every_supervised_target():
    series = windows()
    batch = make_batch(series, 16, generator(3))
    first = batch.supervised.float().argmax(-1)  # token whose patch ends the statistics' prefix
    for row in range(len(series)):
        if not batch.supervised[row].any():
            continue
        changed = series.clone()
        after = (int(first[row]) + 1) * 16
        changed[row, after:] += 1000.0
        other = make_batch(changed, 16, generator(3))
        token = int(first[row])
        torch.testing.assert_close(batch.inputs[row, : token + 1], other.inputs[row, : token + 1])


def test_hidden_values_do_not_reach_the_inputs_but_stay_targets():
    batch = make_batch(windows(512), 16, generator())
    values, flags = batch.inputs.split(16, dim=-1)
    assert (values[flags == 0] == 0).all()
    hidden = (flags == 0) & batch.known[:, :-1]
    assert 0.005 < hidden.float().mean() < 0.2
    assert batch.known.float().mean() > 0.95  # all but values far off a short prefix's scale


def test_inputs_are_standardized_by_the_prefix():
    series = windows(256)
    batch = make_batch(series, 16, generator())
    values, flags = batch.inputs.split(16, dim=-1)
    tokens = batch.supervised.float().argmax(-1)
    for row in range(0, 256, 16):
        seen = flags[row, : int(tokens[row]) + 1] > 0
        prefix = values[row, : int(tokens[row]) + 1][seen]
        if batch.supervised[row].any():
            assert abs(prefix.mean()) < 1e-3
            assert abs(prefix.std(unbiased=False) - 1) < 1e-3


def test_rows_start_with_an_observed_patch():
    series = torch.arange(64.0).repeat(2, 1)
    series[0, :40] = torch.nan
    moved = align_start(series, 16)
    assert moved[0, :8].isnan().all() and moved[0, 8] == 40 and moved[0, 32:].isnan().all()
    torch.testing.assert_close(moved[1], series[1])


def test_constant_and_empty_rows_are_not_supervised():
    series = torch.full((3, 64), 7.0)
    series[1] = torch.nan
    batch = make_batch(series, 16, generator())
    assert not batch.supervised.any()
    assert torch.isfinite(batch.inputs).all() and torch.isfinite(batch.targets).all()


@pytest.mark.parametrize("kind", ["leading", "points", "stretch", "patches"])
def test_masks_hide_what_their_name_says(kind):
    shares = dict.fromkeys(("leading", "points", "stretch", "patches"), 0.0) | {kind: 1.0}
    batch = make_batch(windows(512, 32), 16, generator(), MaskShares(**shares))
    missing = (batch.inputs[..., 16:] == 0) & batch.known[:, :-1]
    touched = missing.flatten(1).any(1)
    assert touched.float().mean() > 0.85
    if kind == "leading":
        assert not missing[:, 1:].any() and not missing[:, 0, 15].any()
    if kind == "patches":  # a patch is hidden as a whole, or else its far-off values are unknown
        hidden = batch.inputs[..., 16:].sum(-1)
        assert (hidden[batch.known[:, :-1].all(-1)] % 16 == 0).all()
    if kind == "stretch":
        changes = missing.flatten(1).int().diff(dim=1).abs().sum(1)
        assert changes.float().median() <= 2


def test_no_mask_hides_nothing():
    none = MaskShares(leading=0, points=0, stretch=0, patches=0)
    batch = make_batch(windows(64), 16, generator(), none)
    assert torch.equal(batch.inputs[..., 16:] > 0, batch.known[:, :-1])


def test_shares_of_masks_must_be_shares():
    with pytest.raises(ValueError, match="together at most 1"):
        MaskShares(points=0.6, patches=0.6)
