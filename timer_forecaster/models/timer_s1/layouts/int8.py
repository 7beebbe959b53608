"""Experts in 8-bit integers, for CPUs.

Shapes in comments: M tokens, D inputs, O outputs.
"""

from __future__ import annotations

import functools
import platform
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

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
from timer_forecaster.models.timer_s1.layouts.experts import DeferredExpert, FusedExpert
from timer_forecaster.models.timer_s1.layouts.linears import pad_to_grid, refuse_gradients

STEPS = 127
"""Steps on either side of zero that eight bits give."""

_STEPS_WITHOUT_VNNI = 63
_ROWS_AT_ONCE = 256
_FEW = 512  # tokens
_SMALLEST = 1e-30  # of a row's magnitudes: a row of zeros is divided by it, and stays zero


def quantise_rows(values: Tensor, steps: int = STEPS) -> tuple[Tensor, Tensor]:
    """Round each row to whole steps, of which its largest magnitude has so many.

    Parameters
    ----------
    values : Tensor, shape (rows, columns)
    steps : int
        Steps of the largest magnitude, at most 127.

    Returns
    -------
    rounded : Tensor of int8, shape (rows, columns)
    scale : Tensor of float32, shape (rows, 1)
        One step of each row: ``rounded * scale`` is close to the values.

    Examples
    --------
    >>> import torch
    >>> from timer_forecaster.models.timer_s1.layouts.int8 import quantise_rows
    >>> quantise_rows(torch.tensor([[0.5, -1.27]]))[0]
    tensor([[  50, -127]], dtype=torch.int8)
    """
    values = values.float()
    largest = values.abs().amax(dim=1, keepdim=True).clamp_min_(_SMALLEST)
    rounded = (values * (steps / largest)).round_().to(torch.int8)
    return rounded, largest / steps


def quantise_weight(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Do the same as `quantise_rows` a few rows at a time, which takes a sixth of the time.

    What is made on the way to the integers of a large matrix is many times their size.
    """
    parts = [quantise_rows(rows) for rows in weight.detach().split(_ROWS_AT_ONCE)]
    rounded, scale = zip(*parts, strict=True)
    return torch.cat(rounded), torch.cat(scale)


def _room_for(weight: Tensor) -> tuple[Tensor, Tensor]:
    scale = torch.empty(len(weight), 1, dtype=torch.float32, device=weight.device)
    return torch.empty_like(weight, dtype=torch.int8, requires_grad=False), scale


class Int8Linear(nn.Module):
    """A linear layer without bias in 8-bit integers, on a CPU.

    Weights are integer steps of a size for each output. Inputs are rounded for each token by
    itself, to steps of its own largest magnitude, so that no token's output depends on the others
    in its batch. Products are summed exactly, in 32 bits, by torch's oneDNN kernel.

    Parameters
    ----------
    weight : Tensor of int8, shape (O, D)
    scale : Tensor, shape (O, 1)
        What a step of the weights stands for, as `quantise_rows` gives it.
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
        # Not buffers: torch can neither copy the packed form nor move it, and would round scales.
        self._packed = torch.ops.onednn.qlinear_prepack(weight, None)
        self._scale = scale.flatten().to(torch.float32, copy=True)  # off the map of its file

    def forward(self, x: Tensor) -> Tensor:
        """Map (M, D) to (M, O)."""
        rounded, scale = round_inputs(x)
        return self.multiply(rounded).mul_(scale).to(self.dtype)

    def multiply(self, rounded: Tensor) -> Tensor:
        """Map inputs from `round_inputs`, (M, D), to what their scales are to multiply, (M, O)."""
        zero = activation_steps() + 1
        product = _multiply(pad_to_grid(rounded), zero, self._packed, self._scale)
        return product[: len(rounded)]

    def extra_repr(self) -> str:
        """Tell the sizes."""
        return f"in_features={self.in_features}, out_features={self.out_features}"


def round_inputs(x: Tensor) -> tuple[Tensor, Tensor]:
    """Round each token to whole steps, as the kernel takes them: above zero, in uint8.

    Returns
    -------
    rounded : Tensor of uint8, shape (M, D)
    scale : Tensor, shape (M, 1)
        What a step stands for.

    Raises
    ------
    RuntimeError
        If gradients of the inputs are wanted: whole steps have none.
    """
    refuse_gradients(x)
    steps, scale = quantise_rows(x, activation_steps())
    return steps.view(torch.uint8) + (activation_steps() + 1), scale


class Int8Experts(nn.Module):
    """The experts of a block in 8-bit integers.

    What lies between their products is computed for all of them together where tokens are few:
    expert by expert it takes as long as a product of a dozen rows. The numbers are the same.

    Parameters
    ----------
    experts : iterable of FusedExpert or DeferredExpert
        Of `Int8Linear` layers.
    """

    def __init__(self, experts: Iterable[nn.Module]) -> None:
        super().__init__()
        self.experts = nn.ModuleList(experts)

    def forward(
        self, hidden_states: Tensor, routing_weights: Tensor, expert_indices: Tensor
    ) -> Tensor:
        """Run a strategy's computation on these experts."""
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
        """Multiply each expert's rows by its layer of that name."""

        def run(expert: nn.Module, part: Tensor) -> Tensor:
            made = expert.made() if isinstance(expert, DeferredExpert) else expert
            product: Tensor = getattr(made, name).multiply(part)
            return product

        pairs = zip(self.experts, rows.split(counts), strict=True)
        used = [(expert, part) for expert, part in pairs if len(part)]
        return torch.cat(list(expert_map.get()(run, *zip(*used, strict=True))))


class Int8Weights(nn.Module):
    """Weights of a linear layer as a checkpoint of 8 bits stores them; they cannot compute yet.

    Buffers are ``weight``, of int8 and shape (O, D), and ``weight_scale``, of shape (O, 1).
    """

    weight: Tensor
    weight_scale: Tensor

    def __init__(self, weight: Tensor, weight_scale: Tensor) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.register_buffer("weight_scale", weight_scale)


class Int8Expert(nn.Module):
    """The weights of an expert, rounded to 8 bits: the form that is stored, and then packed."""

    def __init__(
        self,
        expert: Expert,
        rounded: Callable[[Tensor], tuple[Tensor, Tensor]] = quantise_weight,
    ) -> None:
        super().__init__()
        self.gate_proj = Int8Weights(*rounded(expert.gate_proj.weight))
        self.up_proj = Int8Weights(*rounded(expert.up_proj.weight))
        self.down_proj = Int8Weights(*rounded(expert.down_proj.weight))

    @classmethod
    def unread(cls, expert: Expert) -> Int8Expert:
        """Make one whose weights are still to be read from a file."""
        return cls(expert, _room_for)

    def packed(self, dtype: torch.dtype) -> FusedExpert:
        """Make the expert that computes, with outputs of a type; between its products in float32.

        Raises
        ------
        ImportError
            As of `Int8Linear`.
        """
        gate, up, down = self.gate_proj, self.up_proj, self.down_proj
        gate_up = Int8Linear(
            torch.cat([gate.weight, up.weight]), torch.cat([gate.weight_scale, up.weight_scale])
        )
        return FusedExpert(gate_up, Int8Linear(down.weight, down.weight_scale, dtype))

    def restored(self, dtype: torch.dtype) -> Expert:
        """Make a plain expert of the rounded weights, for devices without 8-bit kernels."""
        inner, size = self.gate_proj.weight.shape
        with torch.device("meta"):
            expert = Expert(size, inner)
        for name in ("gate_proj", "up_proj", "down_proj"):
            stored = getattr(self, name)
            weight = (stored.weight * stored.weight_scale).to(dtype)
            getattr(expert, name).load_state_dict({"weight": weight}, assign=True)
        return expert


@functools.cache
def activation_steps() -> int:
    """Find how many steps on either side of zero inputs can be rounded to, on the CPU at hand.

    Without the VNNI instructions (most processors before 2019), oneDNN adds pairs of products in
    16 bits and cuts off what does not fit, silently: inputs then have seven bits. Found by a
    product that would not fit, as torch does not tell which instructions oneDNN will use.

    Raises
    ------
    ImportError
        If this build of torch has no kernel, or none that computes rightly.
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
        "use dtype='bfloat16', or a library that quantises, by quantization_config"
    ) from cause


def _largest_product_is_right(steps: int) -> bool:
    size = 64
    on_cpu = torch.device("cpu")  # whatever a program has made torch's defaults
    weight = torch.full((size, size), STEPS, dtype=torch.int8, device=on_cpu)
    scale = torch.ones(size, dtype=torch.float32, device=on_cpu)
    packed = torch.ops.onednn.qlinear_prepack(weight, None)
    for n_rows in (1, 16):
        x = torch.full((n_rows, size), 2 * steps + 1, dtype=torch.uint8, device=on_cpu)
        product = _multiply(x, steps + 1, packed, scale)
        if not (product == steps * STEPS * size).all():
            return False
    return True


def _multiply(x: Tensor, zero: int, packed: Tensor, scale: Tensor) -> Tensor:
    """Multiply (x - zero), of shape (M, D), by packed weights: (M, O) in float32."""
    no_zeros = torch.zeros(1, dtype=torch.int64, device=x.device).expand(len(scale))
    product: Any = torch.ops.onednn.qlinear_pointwise(
        x, 1.0, zero, packed, scale, no_zeros, None, 1.0, 0, torch.float32, "none", [], ""
    )
    return product
