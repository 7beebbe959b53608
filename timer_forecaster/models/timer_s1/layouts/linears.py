"""Linear layers in a form that a CPU multiplies faster than `torch.nn.Linear`."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class PackedLinear(nn.Module):
    """A linear layer whose weight is kept in the layout of oneDNN.

    A plain layer converts its weight at every call, which takes longer than the product of few
    rows. The packed weight is for forecasts only: it has no gradient and is in no state dict.
    Inputs whose gradients are wanted are refused.

    Parameters
    ----------
    linear : Linear
        A layer on the CPU, in float32 or bfloat16. Its weight is copied.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.bias = linear.bias
        self._packed = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), None)

    def extra_repr(self) -> str:
        """Return the sizes, for the text of a network."""
        return f"{self.in_features}, {self.out_features}, bias={self.bias is not None}"

    def forward(self, x: Tensor, activation: str = "none") -> Tensor:
        """Map (..., in size) to (..., out size), with activation ``"none"`` or ``"swish"``."""
        refuse_gradients(x)
        return torch.ops.mkldnn._linear_pointwise(x, self._packed, self.bias, activation, [], "")

    def times(self, x: Tensor, factor: Tensor) -> Tensor:
        """Map (..., in size) to (..., out size), and multiply by a factor of this shape."""
        refuse_gradients(x)
        refuse_gradients(factor)
        product = torch.ops.mkldnn._linear_pointwise.binary
        return product(x, factor, self._packed, self.bias, "mul")


def refuse_gradients(x: Tensor) -> None:
    """Refuse an input of packed weights whose gradient is wanted: it would be lost silently.

    Raises
    ------
    RuntimeError
        If a gradient of the input is wanted.
    """
    if torch.is_grad_enabled() and x.requires_grad:
        raise RuntimeError(
            "weights that are packed for forecasts pass no gradients on; differentiate the network "
            "of timer_forecaster.inference.load_plain_network, or compute in torch.no_grad()"
        )


def can_pack(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether `PackedLinear` takes weights of this type on this device."""
    if device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return False
    bfloat16 = dtype == torch.bfloat16 and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return bfloat16 or dtype == torch.float32


def on_grid(n_rows: int) -> int:
    """Round a number of rows up to the next number of a grid, at most 3 % more.

    oneDNN prepares a kernel for each new number of rows, in up to a millisecond, and the numbers
    of rows of the experts vary. The grid has at most 32 numbers between a power of two and the
    next.
    """
    step = 1 << max(0, n_rows.bit_length() - 6)
    return -(-n_rows // step) * step


def pad_to_grid(x: Tensor) -> Tensor:
    """Add rows of zeros to (rows, size), up to the number of `on_grid`."""
    extra = on_grid(len(x)) - len(x)
    return F.pad(x, (0, 0, 0, extra)) if extra else x
