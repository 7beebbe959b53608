"""Rounded experts are close to plain ones in every form."""

import pytest
import torch

from timer_forecaster.models.timer_s1.experts import Expert
from timer_forecaster.models.timer_s1.layouts.int8_weights import Int8Expert


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_an_expert_in_8_bits_is_close(dtype, int8_kernel):
    expert = Expert(64, 96).requires_grad_(False)
    for i, parameter in enumerate(expert.parameters()):
        parameter.copy_(normal(*parameter.shape, seed=i) / 8)
    rounded = Int8Expert(expert)
    x = normal(50, 64, seed=9)
    expected = expert(x)
    for other, most in ((rounded.packed(dtype), 0.08), (rounded.restored(dtype), 0.02)):
        found = other(x.to(dtype))
        assert found.dtype == dtype
        error = (found.float() - expected).norm() / expected.norm()
        assert 0 < error < most


def test_an_unread_expert_has_the_names_and_shapes_of_a_rounded_one():
    expert = Expert(6, 4).requires_grad_(False)
    rounded = Int8Expert(expert).state_dict()
    with torch.device("meta"):
        unread = Int8Expert.unread(Expert(6, 4)).state_dict()
    assert unread.keys() == rounded.keys()
    for name, value in unread.items():
        assert value.is_meta
        assert (value.shape, value.dtype) == (rounded[name].shape, rounded[name].dtype)
