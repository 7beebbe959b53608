"""The kernel is right on any CPU, or is not used."""

import os
import platform
import subprocess
import sys

import pytest
import torch

from timer_forecaster.models.timer_s1.layouts import int8_kernel
from timer_forecaster.models.timer_s1.layouts.int8_kernel import activation_steps

CHECK = """
import torch
from timer_forecaster.models.timer_s1.layouts.int8 import Int8Linear
from timer_forecaster.models.timer_s1.layouts.int8_kernel import activation_steps
from timer_forecaster.models.timer_s1.layouts.rounding import quantize_rows
x, weight = torch.full((20, 256), 3.0), torch.full((32, 256), 0.5)
x[:, ::7] = -3.0
error = (Int8Linear(*quantize_rows(weight))(x) - x @ weight.T).abs().max()
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

    monkeypatch.setattr(int8_kernel, "multiply", absent)
    activation_steps.cache_clear()
    with pytest.raises(ImportError, match=r"onednn::qlinear_pointwise.*torch 2\..*bfloat16"):
        activation_steps()
    activation_steps.cache_clear()


def test_a_kernel_that_is_wrong_is_not_used(monkeypatch):
    wrong = torch.zeros(1)
    monkeypatch.setattr(int8_kernel, "multiply", lambda *arguments: wrong)
    activation_steps.cache_clear()
    with pytest.raises(ImportError, match="int8 kernels of oneDNN"):
        activation_steps()
    activation_steps.cache_clear()
