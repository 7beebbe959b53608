"""A new quantile head starts with the quantiles of errors."""

import pytest
import torch

from timer_forecaster.finetuning.errors import NothingToTuneError
from timer_forecaster.finetuning.objectives.quantile_head import quantile_head
from timer_forecaster.models.ttm import TTMArchitecture
from timer_forecaster.models.ttm.quantile_head import MultiQuantileHead

SIZES = TTMArchitecture()


def test_increments_are_those_of_the_errors():
    errors = torch.cat([-2 * torch.rand(5000), torch.rand(5000)])
    new = quantile_head(SIZES, errors, seed=0)
    sizes = TTMArchitecture(**new.architecture)
    head = MultiQuantileHead(sizes)
    weights = {name.partition(".")[2]: value.clone() for name, value in new.weights.items()}
    weights["pw2.weight"].zero_()
    head.load_state_dict(weights)
    tokens = torch.zeros(1, 1, sizes.num_patches, sizes.output_width)
    found = head(torch.zeros(1, 16, 1), tokens)[0, :, 0, 0].detach()
    expected = errors.quantile(torch.tensor(sizes.quantile_levels))
    torch.testing.assert_close(found, expected - expected[4], rtol=1e-3, atol=1e-3)


def test_the_seed_decides_and_the_state_of_torch_stays():
    errors, state = torch.randn(99), torch.get_rng_state()
    one, same, other = (quantile_head(SIZES, errors, seed).weights for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    name = "multi_quantile_head_block.dw.weight"
    assert torch.equal(one[name], same[name])
    assert not torch.equal(one[name], other[name])


def test_what_has_no_place_or_no_errors_is_refused():
    with pytest.raises(ValueError, match="a decomposed checkpoint without quantiles"):
        quantile_head(TTMArchitecture(decompose=True), torch.randn(9), 0)
    with pytest.raises(NothingToTuneError, match="no observed value"):
        quantile_head(SIZES, torch.zeros(0), 0)
