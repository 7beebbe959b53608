import dataclasses

import numpy as np
import pytest
import torch

from timer_forecaster.models.ttm import make_network
from timer_forecaster.samay.batches import batch_loss, make_batch
from timer_forecaster.samay.settings import ModelSettings

SIZES = ModelSettings.of({"context_len": 48, "horizon_len": 8, "d_model": 16, "n_layers": 1})


def network(**changes):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return make_network(dataclasses.replace(SIZES.architecture, **changes)).eval()


def windows(n=4, seed=0):
    rows = np.random.default_rng(seed).normal(50, 3, (n, 2, 56)).cumsum(-1)
    return rows[..., :48], rows[..., 48:]


@pytest.mark.parametrize("scale, level", [(1e-9, 0), (1e9, 0), (1, 1e6), (1e-3, -1e3)])
@pytest.mark.parametrize("multi_quantile_head", [True, False])
def test_the_loss_is_on_scaled_values(scale, level, multi_quantile_head):
    own = network(multi_quantile_head=multi_quantile_head)
    histories, futures = windows()
    loss = batch_loss(own, make_batch(own, histories, futures))
    moved = make_batch(own, histories * scale + level, futures * scale + level)
    assert batch_loss(own, moved).item() == pytest.approx(loss.item(), rel=1e-4)


def test_gaps_become_lines_that_are_not_observed():
    own = network()
    histories, futures = windows(1)
    histories[0, 0], futures[0, 0] = np.arange(48.0), np.arange(48.0, 56.0)
    histories[0, 0, 10:20] = np.nan
    histories[0, 0, :4] = np.nan
    batch = make_batch(own, histories, futures)
    past, observed = batch.values[0], batch.seen[0]
    assert observed.sum() == 34
    slope = past.diff()[4:]
    torch.testing.assert_close(slope, slope[:1].expand_as(slope), rtol=1e-4, atol=1e-5)
    assert (past[:4] == 0).all()


@pytest.mark.parametrize("multi_quantile_head", [True, False])
def test_missing_targets_do_not_count(multi_quantile_head):
    own = network(multi_quantile_head=multi_quantile_head, loss=None)
    histories, futures = windows()
    whole = make_batch(own, histories, futures)
    futures[0, 0, 3:] = np.nan
    part = make_batch(own, histories, futures)
    assert part.observed.sum() == whole.observed.sum() - 5
    assert part.target.isfinite().all()
    spoiled = part._replace(target=part.target.masked_fill(~part.observed, 1e6))
    assert batch_loss(own, spoiled).item() == batch_loss(own, part).item()


def test_rows_without_anything_to_learn_are_left_out():
    own = network()
    histories, futures = windows(2)
    histories[0, 0] = 5.0
    histories[0, 1] = np.nan
    futures[1, 0] = np.nan
    assert len(make_batch(own, histories, futures).values) == 1
    assert make_batch(own, histories[:1], futures[:1]) is None
