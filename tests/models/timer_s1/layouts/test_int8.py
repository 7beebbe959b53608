"""Linear layers of 8 bits compute products of integers, for each token by itself."""

import pytest
import torch

from timer_forecaster.models.timer_s1.layouts.int8 import Int8Linear
from timer_forecaster.models.timer_s1.layouts.rounding import quantize_rows

ROWS = (0, 1, 3, 16, 33, 100)  # some of them padded, some not


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def layer(int8_kernel):
    return Int8Linear(*quantize_rows(normal(48, 96) / 10))


def test_gradients_are_refused_as_they_would_be_lost(layer):
    tokens = normal(3, 96).requires_grad_()
    with pytest.raises(RuntimeError, match="pass no gradients on"):
        layer(tokens)
    with torch.no_grad():
        assert layer(tokens).shape == (3, 48)


@pytest.mark.parametrize("n_rows", ROWS)
def test_products_are_those_of_the_integers(n_rows, int8_kernel):
    x = normal(n_rows, 96)
    weight, weight_scale = quantize_rows(normal(48, 96, seed=1))
    steps, scale = quantize_rows(x, int8_kernel)
    expected = (steps.long() @ weight.long().T).double() * scale * weight_scale.T
    found = Int8Linear(weight, weight_scale)(x)
    torch.testing.assert_close(found, expected.float(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_token_does_not_depend_on_the_others(layer, dtype):
    x = normal(100, 96).to(dtype)
    x[7] *= 1e4
    together = layer(x)
    for n_rows in ROWS:
        assert torch.equal(layer(x[:n_rows]), together[:n_rows])
    assert torch.equal(layer(x[7:8]), together[7:8])


def test_tokens_of_zeros_and_what_is_not_a_number(layer):
    x = normal(5, 96)
    x[1] = 0
    x[3, 5] = torch.nan
    found = layer(x)
    assert (found[1] == 0).all()
    assert found[3].isnan().all()
    assert torch.equal(found[[0, 2, 4]], layer(x[[0, 2, 4]]))
