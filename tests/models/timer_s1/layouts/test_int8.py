"""Linear layers of 8 bits compute what they say, for each token by itself, on any CPU."""

import os
import platform
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from timer_forecaster.models.timer_s1.experts import Expert
from timer_forecaster.models.timer_s1.layouts import int8
from timer_forecaster.models.timer_s1.layouts.int8 import (
    Int8Expert,
    Int8Linear,
    activation_steps,
    quantise_rows,
)

ROWS = (0, 1, 3, 16, 33, 100)  # some of them padded, some not


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def layer(int8_kernel):
    return Int8Linear(*quantise_rows(normal(48, 96) / 10))


# ---------------------------------------------------------------------------------- rounding


matrices = arrays(
    np.float32,
    array_shapes(min_dims=2, max_dims=2, max_side=6),
    elements=st.floats(-1e6, 1e6, width=32),
)


@given(matrices, st.sampled_from([127, 63]))
@settings(deadline=None)
def test_rounding_is_to_the_nearest_step(values, steps):
    values = torch.from_numpy(values)
    rounded, scale = quantise_rows(values, steps)
    assert rounded.dtype == torch.int8
    assert rounded.abs().amax() <= steps
    error = (rounded * scale - values).abs()
    assert (error <= scale * 0.5001).all()
    twice, double = quantise_rows(values * 2, steps)
    assert torch.equal(twice, rounded) or (values.abs().amax(1) < 1e-30).any()
    assert torch.equal(double, scale * 2) or (values.abs().amax(1) < 1e-30).any()


def test_gradients_are_refused_as_they_would_be_lost(layer):
    tokens = normal(3, 96).requires_grad_()
    with pytest.raises(RuntimeError, match="pass no gradients on"):
        layer(tokens)
    with torch.no_grad():
        assert layer(tokens).shape == (3, 48)


def test_zeros_stay_zeros():
    rounded, scale = quantise_rows(torch.tensor([[0.0, 0.0], [0.0, 2.0]]))
    assert rounded.tolist() == [[0, 0], [0, 127]]
    assert torch.isfinite(scale).all()


# ------------------------------------------------------------------------------------ products


@pytest.mark.parametrize("n_rows", ROWS)
def test_products_are_those_of_the_integers(n_rows, int8_kernel):
    x = normal(n_rows, 96)
    weight, weight_scale = quantise_rows(normal(48, 96, seed=1))
    steps, scale = quantise_rows(x, int8_kernel)
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


# ---------------------------------------------------------------------------------- other CPUs

CHECK = """
import torch
from timer_forecaster.models.timer_s1.layouts import int8
from timer_forecaster.models.timer_s1.layouts.int8 import Int8Linear, activation_steps
quantise_rows = int8.quantise_rows
x, weight = torch.full((20, 256), 3.0), torch.full((32, 256), 0.5)
x[:, ::7] = -3.0
error = (Int8Linear(*quantise_rows(weight))(x) - x @ weight.T).abs().max()
print(activation_steps(), bool(error < 1e-3))
"""


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="is about x86 CPUs")
@pytest.mark.parametrize("instructions", ["AVX512_CORE", "AVX2"])
def test_sums_do_not_saturate_without_vnni(instructions, int8_kernel):
    environment = os.environ | {"ONEDNN_MAX_CPU_ISA": instructions, "OMP_NUM_THREADS": "1"}
    run = subprocess.run(
        [sys.executable, "-c", CHECK], env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == ["63", "True"]


@pytest.mark.parametrize("error", [AttributeError, RuntimeError, NotImplementedError])
def test_a_torch_without_the_kernel_is_named(monkeypatch, error):
    def absent(*arguments):
        raise error("no such operator")

    monkeypatch.setattr(int8, "_multiply", absent)
    activation_steps.cache_clear()
    with pytest.raises(ImportError, match=r"onednn::qlinear_pointwise.*torch 2\..*bfloat16"):
        activation_steps()
    activation_steps.cache_clear()


def test_a_kernel_that_is_wrong_is_not_used(monkeypatch):
    wrong = torch.zeros(1)
    monkeypatch.setattr(int8, "_multiply", lambda *arguments: wrong)
    activation_steps.cache_clear()
    with pytest.raises(ImportError, match="int8 kernels of oneDNN"):
        activation_steps()
    activation_steps.cache_clear()
