"""Quantiles that cannot cross."""

import itertools

import pytest
import torch
from ttm import QUANTILES, tiny_ttm, walks

from timer_forecaster.models.ttm.quantile_head import MultiQuantileHead

KINDS = list(itertools.product(["mean", "median"], ["pool", "flatten"], ["add", "concat"]))


@pytest.mark.parametrize(("middle", "path", "mode"), KINDS)
def test_quantiles_ascend_around_the_median(middle, path, mode):
    config = tiny_ttm(
        **QUANTILES | {"mq_q50_type": middle, "mq_cond_path": path, "mq_cond_mode": mode}
    )
    torch.manual_seed(0)
    head, forecast, tokens = MultiQuantileHead(config), walks(2, 12, 3), torch.randn(2, 3, 6, 8)
    quantiles = head(forecast, tokens)
    assert quantiles.shape == (2, 9, 12, 3)
    assert (quantiles.diff(dim=1) > 0).all()
    assert torch.equal(quantiles[:, 4], forecast) is (middle == "mean")
    assert not torch.equal(head(forecast, tokens + 1), quantiles)


def test_channels_do_not_see_each_other():
    head, forecast, tokens = (
        MultiQuantileHead(tiny_ttm(**QUANTILES)),
        walks(2, 12, 3),
        walks(2, 3, 48),
    )
    tokens = tokens.unflatten(-1, (6, 8))
    alone = head(forecast[..., 1:2], tokens[:, 1:2])
    torch.testing.assert_close(head(forecast, tokens)[..., 1:2], alone)


def test_a_head_without_tokens():
    config = tiny_ttm(multi_quantile_head=True, quantile_levels=[0.25, 0.5, 0.75])
    head = MultiQuantileHead(config)
    tokens = torch.randn(2, 1, 6, 8)
    first, second = (head(walks(2, 12, 1), one) for one in (tokens, tokens + 1))
    assert torch.equal(first, second) and first.shape == (2, 3, 12, 1)
