"""All kernels of attention give the same numbers."""

import pytest
import torch

from timer_forecaster.models.timer_s1.attention_kernels import ATTENTION_KERNELS

# Of the largest value; the norms round to float32 in a float64 network too.
TOLERANCES = {torch.float32: 1e-6, torch.float64: 1e-6, torch.bfloat16: 2e-2}


def assert_same(actual, expected):
    error = (actual - expected).abs().max() / expected.abs().max()
    assert error <= TOLERANCES[expected.dtype]


@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
@pytest.mark.parametrize("n_tokens", [1, 127, 128, 129, 300])
def test_attention_kernels_agree(dtype, n_tokens):
    generator = torch.Generator().manual_seed(2)
    size = (3, 2, 4, n_tokens, 8)
    query, key, value = torch.randn(size, generator=generator).to(dtype).unbind()
    with torch.no_grad():
        outputs = [
            attend(query, key, value, is_causal=True).double()
            for attend in ATTENTION_KERNELS.values()
        ]
    for output in outputs[1:]:
        assert_same(output.to(dtype), outputs[0].to(dtype))
