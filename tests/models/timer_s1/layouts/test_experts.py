"""Packed and deferred experts take any number of tokens."""

import pytest
import torch

from timer_forecaster.models.timer_s1.experts import Expert
from timer_forecaster.models.timer_s1.layouts.experts import (
    DeferredExpert,
    PackedExpert,
)
from timer_forecaster.models.timer_s1.layouts.int8_kernel import activation_steps
from timer_forecaster.models.timer_s1.layouts.int8_weights import Int8Expert
from timer_forecaster.models.timer_s1.layouts.linears import can_pack
from timer_forecaster.models.timer_s1.layouts.rounding import STEPS

CPU = torch.device("cpu")
TOLERANCES = {torch.float32: 1e-5, torch.bfloat16: 5e-2}  # of the largest value
needs_onednn = pytest.mark.skipif(not can_pack(CPU, torch.float32), reason="torch lacks oneDNN")


@needs_onednn
@pytest.mark.parametrize("n_rows", [0, 1, 33, 67])  # some on the grid, some not
@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
def test_packed_experts_take_any_number_of_tokens(n_rows, dtype, int8_kernel):
    if not can_pack(CPU, dtype):
        pytest.skip(f"oneDNN does not multiply {dtype} on this CPU")
    torch.manual_seed(0)
    expert = Expert(64, 96).to(dtype).requires_grad_(False)
    tokens = torch.randn(n_rows, 64, dtype=dtype)
    expected = expert(tokens)
    bound = 0.05 * STEPS / activation_steps()  # CPUs without VNNI round to half as many steps
    for packed in (PackedExpert(expert), Int8Expert(expert).packed(dtype)):
        for form in (packed, DeferredExpert(lambda packed=packed: packed)):
            found = form(tokens)
            assert (found.shape, found.dtype) == (expected.shape, dtype)
            assert n_rows == 0 or (found - expected).abs().max() <= bound * expected.abs().max()
