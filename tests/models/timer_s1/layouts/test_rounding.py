"""Rows are rounded to the nearest step of their own."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from timer_forecaster.models.timer_s1.layouts.rounding import quantize_rows, quantize_weight

matrices = arrays(
    np.float32,
    array_shapes(min_dims=2, max_dims=2, max_side=6),
    elements=st.floats(-1e6, 1e6, width=32),
)


@given(matrices, st.sampled_from([127, 63]))
@settings(deadline=None)
def test_rounding_is_to_the_nearest_step(values, steps):
    values = torch.from_numpy(values)
    rounded, scale = quantize_rows(values, steps)
    assert rounded.dtype == torch.int8
    assert rounded.abs().amax() <= steps
    error = (rounded * scale - values).abs()
    assert (error <= scale * 0.5001).all()
    twice, double = quantize_rows(values * 2, steps)
    assert torch.equal(twice, rounded) or (values.abs().amax(1) < 1e-30).any()
    assert torch.equal(double, scale * 2) or (values.abs().amax(1) < 1e-30).any()


def test_zeros_stay_zeros():
    rounded, scale = quantize_rows(torch.tensor([[0.0, 0.0], [0.0, 2.0]]))
    assert rounded.tolist() == [[0, 0], [0, 127]]
    assert torch.isfinite(scale).all()


def test_a_large_weight_is_rounded_like_its_rows():
    weight = torch.randn(600, 7, generator=torch.Generator().manual_seed(0)).bfloat16()
    for found, expected in zip(quantize_weight(weight), quantize_rows(weight), strict=True):
        assert torch.equal(found, expected)
