"""The kernel that multiplies 8-bit integers on a CPU: torch's operator of oneDNN.

Shapes in comments: M tokens, D inputs, O outputs.
"""

from __future__ import annotations

import functools
import platform
from typing import Any

import torch
from torch import Tensor

from timer_forecaster.models.timer_s1.layouts.rounding import STEPS

_STEPS_WITHOUT_VNNI = 63


def multiply(x: Tensor, zero: int, packed: Tensor, scale: Tensor) -> Tensor:
    """Multiply (x - zero), of shape (M, D), by packed weights: (M, O) in float32.

    Parameters
    ----------
    x : Tensor of uint8, shape (M, D)
    zero : int
        The integer that stands for zero in ``x``.
    packed : Tensor
        Weights as ``torch.ops.onednn.qlinear_prepack`` returns them.
    scale : Tensor, shape (O,)
        Factors of the outputs.
    """
    no_zeros = torch.zeros(1, dtype=torch.int64, device=x.device).expand(len(scale))
    product: Any = torch.ops.onednn.qlinear_pointwise(
        x, 1.0, zero, packed, scale, no_zeros, None, 1.0, 0, torch.float32, "none", [], ""
    )
    return product


@functools.cache
def activation_steps() -> int:
    """Return the number of steps on either side of zero for inputs, on this CPU.

    Without the VNNI instructions (most processors before 2019), oneDNN adds pairs of products in
    16 bits and silently cuts off larger sums: inputs then have seven bits. torch does not say
    which instructions oneDNN uses, so that a product with large sums is computed to find out.

    Raises
    ------
    ImportError
        If this build of torch has no kernel, or none with correct results.
    """
    cause: Exception | None = None
    for steps in (STEPS, _STEPS_WITHOUT_VNNI):
        try:
            if _largest_product_is_right(steps):
                return steps
        except (AttributeError, RuntimeError) as error:  # no such operator, or none for this CPU
            cause = error
    raise ImportError(
        "quantization='int8' needs the int8 kernels of oneDNN (onednn::qlinear_pointwise), which "
        f"torch {torch.__version__} for {platform.system()} {platform.machine()} does not have; "
        "use dtype='bfloat16', or a library that quantizes, by quantization_config"
    ) from cause


def _largest_product_is_right(steps: int) -> bool:
    size = 64
    on_cpu = torch.device("cpu")  # a program may have changed torch's default device
    weight = torch.full((size, size), STEPS, dtype=torch.int8, device=on_cpu)
    scale = torch.ones(size, dtype=torch.float32, device=on_cpu)
    packed = torch.ops.onednn.qlinear_prepack(weight, None)
    for n_rows in (1, 16):
        x = torch.full((n_rows, size), 2 * steps + 1, dtype=torch.uint8, device=on_cpu)
        product = multiply(x, steps + 1, packed, scale)
        if not (product == steps * STEPS * size).all():
            return False
    return True
