"""Tensors of Darts to rows and back.

Shapes in comments: B windows of a batch, L steps of a window, T forecast steps, C components,
N quantiles.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from timer_forecaster.arrays import FloatArray
from timer_forecaster.darts.checks import refuse_half_precision

_HALF = (torch.float16, torch.bfloat16)


def fold_components(values: Tensor, infinite: bool = False) -> FloatArray:
    """Make a row of each component: (B, L, C) -> (B*C, L).

    Raises
    ------
    ValueError
        If the values are of half precision, or one is infinite and may not be.
    """
    if values.dtype in _HALF:
        refuse_half_precision(f"the target series arrives as {values.dtype}")
    rows: FloatArray = values.transpose(1, 2).flatten(0, 1).cpu().double().numpy()
    if not infinite and np.isinf(rows).any():
        raise ValueError("the target series is infinite somewhere; use NaN for missing values")
    return rows


def unfold_components(rows: FloatArray, like: Tensor) -> Tensor:
    """Undo `fold_components` for forecasts: (B*C, T, N) -> (B, T, C, N).

    The result has the type and the device of ``like``, (B, any steps, C).

    Raises
    ------
    ValueError
        If a value is too large for the type.
    """
    tensor = torch.from_numpy(rows).to(like.dtype).to(like.device)
    if tensor.isinf().any():
        raise ValueError(
            f"the forecast goes beyond the range of {like.dtype}, the type of the target series; "
            "use float64 series (`series.astype('float64')`), or divide them by a power of ten"
        )
    return tensor.unflatten(0, (-1, like.shape[2])).transpose(1, 2)


def delay(rows: FloatArray, steps: int) -> FloatArray:
    """Put missing steps before each row: (rows, T) -> (rows, steps + T)."""
    return np.pad(rows, ((0, 0), (steps, 0)), constant_values=np.nan)


@contextmanager
def own_precision(device: torch.device, gradients: bool) -> Iterator[None]:
    """Compute in the network's own type, whatever Lightning's precision and mode are.

    Lightning validates in inference mode. Tensors made in that mode could not be trained later, so
    it is off here.
    """
    autocast_off = torch.autocast(device.type, enabled=False)
    with torch.inference_mode(False), torch.set_grad_enabled(gradients), autocast_off:
        yield
