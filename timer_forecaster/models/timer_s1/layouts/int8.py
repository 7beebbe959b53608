"""Linear layers and experts that compute in 8-bit integers, on CPUs.

Shapes in comments: M tokens, D inputs, O outputs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from timer_forecaster.models.timer_s1.experts import (
    Expert,
    combine,
    expert_map,
    run_sorted,
    sort_by_expert,
)
from timer_forecaster.models.timer_s1.layouts.experts import DeferredExpert
from timer_forecaster.models.timer_s1.layouts.int8_kernel import activation_steps, multiply
from timer_forecaster.models.timer_s1.layouts.linears import pad_to_grid, refuse_gradients
from timer_forecaster.models.timer_s1.layouts.rounding import quantize_rows

_FEW = 512  # tokens


class Int8Linear(nn.Module):
    """A linear layer without bias in 8-bit integers, on a CPU.

    Weights are integers; each output has its own step size. Each token of the inputs is rounded
    by itself, to steps of its own largest magnitude, so that the output of a token does not
    depend on the other tokens of the batch. Products are summed exactly, in 32 bits, by torch's
    oneDNN kernel.

    Parameters
    ----------
    weight : Tensor of int8, shape (O, D)
    scale : Tensor, shape (O, 1)
        Step size of the weights, as
        `timer_forecaster.models.timer_s1.layouts.rounding.quantize_rows` returns it.
    dtype : torch.dtype
        Type of the outputs.

    Raises
    ------
    ImportError
        If this build of torch has no such kernel.
    """

    def __init__(self, weight: Tensor, scale: Tensor, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.out_features, self.in_features = weight.shape
        self.dtype = dtype
        # Not buffers: torch can neither copy nor move the packed form, and would round the scale.
        self._packed = torch.ops.onednn.qlinear_prepack(weight, None)
        self._scale = scale.flatten().to(torch.float32, copy=True)  # not in the map of its file

    def forward(self, x: Tensor) -> Tensor:
        """Map (M, D) to (M, O)."""
        rounded, scale = round_inputs(x)
        return self.multiply(rounded).mul_(scale).to(self.dtype)

    def multiply(self, rounded: Tensor) -> Tensor:
        """Map rounded inputs (M, D) to outputs (M, O) that are still to be scaled.

        `round_inputs` returns both the rounded inputs and the scale.
        """
        zero = activation_steps() + 1
        product = multiply(pad_to_grid(rounded), zero, self._packed, self._scale)
        return product[: len(rounded)]

    def extra_repr(self) -> str:
        """Return the sizes."""
        return f"in_features={self.in_features}, out_features={self.out_features}"


def round_inputs(x: Tensor) -> tuple[Tensor, Tensor]:
    """Round each token to whole steps, in the form of the kernel: shifted above zero, in uint8.

    Returns
    -------
    rounded : Tensor of uint8, shape (M, D)
    scale : Tensor, shape (M, 1)
        Size of a step.

    Raises
    ------
    RuntimeError
        If gradients of the inputs are wanted: whole steps have none.
    """
    refuse_gradients(x)
    steps, scale = quantize_rows(x, activation_steps())
    return steps.view(torch.uint8) + (activation_steps() + 1), scale


class Int8Experts(nn.Module):
    """The experts of a block in 8-bit integers.

    For few tokens, the steps between the products are computed for all experts together: for a
    single expert they take as long as a product of a dozen rows. The numbers are the same.

    Parameters
    ----------
    experts : iterable of FusedExpert or DeferredExpert
        Experts of `Int8Linear` layers.
    """

    def __init__(self, experts: Iterable[nn.Module]) -> None:
        super().__init__()
        self.experts = nn.ModuleList(experts)

    def forward(
        self, hidden_states: Tensor, routing_weights: Tensor, expert_indices: Tensor
    ) -> Tensor:
        """Compute the result of a strategy with these experts."""
        experts = cast("Sequence[Expert]", self.experts)
        if len(hidden_states) > _FEW:
            return run_sorted(hidden_states, routing_weights, expert_indices, experts)
        rounded, scale = round_inputs(hidden_states)
        rows, order = sort_by_expert(rounded, expert_indices)
        counts = torch.bincount(expert_indices.flatten(), minlength=len(experts)).tolist()
        scale = scale.index_select(0, order % len(hidden_states))
        gate, up = self._multiply("gate_up_proj", rows, counts).mul_(scale).chunk(2, dim=-1)
        rows, scale = round_inputs(F.silu(gate).mul_(up))
        outputs = self._multiply("down_proj", rows, counts).mul_(scale)
        return combine(outputs.to(hidden_states.dtype), order, routing_weights)

    def _multiply(self, name: str, rows: Tensor, counts: Sequence[int]) -> Tensor:
        """Multiply the rows of each expert by its layer of this name."""

        def run(expert: nn.Module, part: Tensor) -> Tensor:
            made = expert.made() if isinstance(expert, DeferredExpert) else expert
            product: Tensor = getattr(made, name).multiply(part)
            return product

        pairs = zip(self.experts, rows.split(counts), strict=True)
        used = [(expert, part) for expert, part in pairs if len(part)]
        return torch.cat(list(expert_map.get()(run, *zip(*used, strict=True))))
