"""Rows are padded to the numbers of a coarse grid."""

import pytest
import torch
from torch import nn

from timer_forecaster.models.timer_s1.layouts.linears import (
    PackedLinear,
    can_pack,
    pad_to_grid,
    refuse_gradients,
)

CPU = torch.device("cpu")


@pytest.mark.parametrize("n_rows", [*range(1, 70), 100, 1000, 3071, 3072])
def test_rows_are_padded_to_few_numbers(n_rows):
    rows = torch.ones(n_rows, 2)
    padded = pad_to_grid(rows)
    assert torch.equal(padded[:n_rows], rows)
    assert not padded[n_rows:].any()
    assert len(padded) <= n_rows * 33 / 32


def test_the_grid_is_coarse_enough():
    met = {len(pad_to_grid(torch.ones(n_rows, 1))) for n_rows in range(1, 3073)}
    assert len(met) <= 32 * 8


@pytest.mark.skipif(not can_pack(CPU, torch.float32), reason="torch lacks oneDNN")
@pytest.mark.parametrize("bias", [True, False])
def test_a_packed_layer_multiplies_like_a_plain_one(bias):
    torch.manual_seed(0)
    plain = nn.Linear(40, 24, bias=bias).requires_grad_(False)
    packed = PackedLinear(plain)
    x, factor = torch.randn(7, 40), torch.randn(7, 24)
    torch.testing.assert_close(packed(x), plain(x))
    torch.testing.assert_close(packed(x, "swish"), nn.functional.silu(plain(x)))
    torch.testing.assert_close(packed.times(x, factor), plain(x) * factor)
    assert repr(packed) == f"PackedLinear(40, 24, bias={bias})"


def test_other_devices_and_types_are_not_packed():
    assert not can_pack(torch.device("meta"), torch.float32)
    assert not can_pack(CPU, torch.float64)
    assert not can_pack(CPU, torch.float16)


def test_gradients_are_refused_only_where_they_are_computed():
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="pass no gradients on"):
        refuse_gradients(x)
    refuse_gradients(x.detach())
    with torch.no_grad():
        refuse_gradients(x)
