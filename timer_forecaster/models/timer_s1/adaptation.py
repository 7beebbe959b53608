"""Networks that differ from a shared one in a few weights, and share all others with it."""

from __future__ import annotations

import copy
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from timer_forecaster.models.timer_s1.architecture import TimerS1Architecture
from timer_forecaster.models.timer_s1.experts import Expert, MixtureOfExperts
from timer_forecaster.models.timer_s1.layouts.experts import (
    DeferredExpert,
    FusedExpert,
    StackedExperts,
)
from timer_forecaster.models.timer_s1.layouts.int8 import Int8Experts
from timer_forecaster.models.timer_s1.layouts.linears import pad_to_grid
from timer_forecaster.models.timer_s1.network import TimerS1Network
from timer_forecaster.models.timer_s1.targets import (
    EXPERT_NAME,
    HEAD_PATTERN,
    LORA_NAME,
    check_weights,
)

_Own = dict[str, nn.Parameter]  # of a layer, by their names there, lora_A and lora_B among them
# Layers whose outputs nothing of the network's own type is added to.
_LAST = re.compile(rf".*\.ffn_layer\.gate|{HEAD_PATTERN}(output|residual)_layer")


def parameter_shapes(config: TimerS1Architecture) -> dict[str, torch.Size]:
    """Give the shape of each weight of a plain network, by its name."""
    with torch.device("meta"):
        return {name: value.shape for name, value in TimerS1Network(config).named_parameters()}


class OwnTypeLinear(nn.Linear):
    """A linear layer that computes in the type of its weight, whatever that of its input.

    So that what is tuned stays in float32 in networks of a smaller type.
    """

    @classmethod
    def of(cls, weight: nn.Parameter, bias: nn.Parameter | None) -> OwnTypeLinear:
        """Make a layer of these weights, which are not copied."""
        with torch.device("meta"):
            layer = cls(weight.shape[1], weight.shape[0], bias is not None)
        layer.weight, layer.bias = weight, bias  # type: ignore[assignment]
        return layer

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., in size) to (..., out size), of the weight's type."""
        return super().forward(x.to(self.weight.dtype))


class InnerLinear(OwnTypeLinear):
    """An `OwnTypeLinear` whose outputs have the type of its inputs, as what follows expects."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., in size) to (..., out size), of the input's type."""
        return super().forward(x).to(x.dtype)


class ShiftedLinear(nn.Module):
    """A linear layer of any kind with a bias of its own."""

    def __init__(self, base: nn.Module, bias: nn.Parameter) -> None:
        super().__init__()
        self.base, self.bias = base, bias

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., in size) to (..., out size)."""
        output: Tensor = self.base(x)
        return (output + (self.bias - cast("Tensor", self.base.bias))).to(output.dtype)


class LowRank(nn.Module):
    """Two matrices whose product is added to the weight of a layer (Hu et al., 2022).

    There is no factor beside them: it is part of the second.

    Parameters
    ----------
    lora_a : Parameter, shape (rank, in size)
    lora_b : Parameter, shape (out size, rank)
    """

    def __init__(self, lora_a: nn.Parameter, lora_b: nn.Parameter) -> None:
        super().__init__()
        self.lora_A, self.lora_B = OwnTypeLinear.of(lora_a, None), OwnTypeLinear.of(lora_b, None)

    def forward(self, x: Tensor, output: Tensor) -> Tensor:
        """Add to the output of a layer what its input adds, in the output's type."""
        return (output + self.lora_B(self.lora_A(x))).to(output.dtype)


class WidenedLinear(nn.Module):
    """A linear layer of any kind with a `LowRank` beside it."""

    def __init__(self, base: nn.Module, low_rank: LowRank) -> None:
        super().__init__()
        self.base, self.low_rank = base, low_rank

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., in size) to (..., out size)."""
        return self.low_rank(x, self.base(x))


class AdaptedExpert(nn.Module):
    """An expert that is laid out for a device, with changes beside its projections.

    Parameters
    ----------
    base : nn.Module
        A `PackedExpert`, `FusedExpert` or `DeferredExpert`, which is shared.
    changes : mapping of str to nn.Module
        By the name of the projection, of some or all of them: a `LowRank` is added to it, a layer
        takes its place.
    """

    def __init__(self, base: nn.Module, changes: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.base = base
        self.changes = nn.ModuleDict(changes)

    def forward(self, hidden_states: Tensor) -> Tensor:
        """Map (tokens, hidden size) to the same shape."""
        if not len(hidden_states):
            return hidden_states
        base: Any = self.base.made() if isinstance(self.base, DeferredExpert) else self.base
        rows = pad_to_grid(hidden_states)
        if isinstance(base, FusedExpert):
            gate, up = base.gate_up_proj(rows).chunk(2, dim=-1)
        else:
            gate, up = base.gate_proj(rows), base.up_proj(rows)
        gate, up = self._changed("gate_proj", rows, gate), self._changed("up_proj", rows, up)
        inner = F.silu(gate) * up
        return self._changed("down_proj", inner, base.down_proj(inner))[: len(hidden_states)]

    def _changed(self, projection: str, x: Tensor, output: Tensor) -> Tensor:
        if projection not in self.changes:
            return output
        change = self.changes[projection]
        changed: Tensor = change(x, output) if isinstance(change, LowRank) else change(x)
        return changed.to(output.dtype)


def adapted(network: TimerS1Network, weights: Mapping[str, Tensor]) -> TimerS1Network:
    """Make a network with some weights of its own that shares all others with another one.

    The other network does not change, and costs no further memory.

    Parameters
    ----------
    network : TimerS1Network
        Plain, or laid out for a device.
    weights : mapping of str to Tensor
        By the name of the parameter that is replaced, or by that of a layer and
        ``lora_A.weight`` and ``lora_B.weight``, which are added to it. They are not copied, those
        that are parameters stay the same objects, and each computes in its own type.

    Returns
    -------
    TimerS1Network

    Raises
    ------
    ValueError
        If the network has no such weights, or weights of another shape.
    """
    shapes = parameter_shapes(network.config)
    check_weights(shapes, weights)
    private = _Private(network)
    of_expert: dict[tuple[str, int], dict[str, _Own]] = defaultdict(dict)
    for layer, own in _by_layer(weights).items():
        expert = EXPERT_NAME.fullmatch(layer)
        if expert:
            place = expert["experts"], int(expert["number"])
            of_expert[place][expert["projection"]] = own
        elif len(shapes.get(f"{layer}.weight", ())) == 2:
            private.change_linear(layer, own)
        else:
            private.module(layer)._parameters.update(own)
    for (experts, number), projections in of_expert.items():
        private.change_expert(experts, number, projections)
    return private.network


def _by_layer(weights: Mapping[str, Tensor]) -> dict[str, _Own]:
    by_layer: dict[str, _Own] = defaultdict(dict)
    for name, value in weights.items():
        lora = LORA_NAME.fullmatch(name)
        layer, own = (lora["layer"], lora["side"]) if lora else name.rsplit(".", 1)
        by_layer[layer][own] = _parameter(value)
    return by_layer


def _parameter(value: Tensor) -> nn.Parameter:
    return value if isinstance(value, nn.Parameter) else nn.Parameter(value, requires_grad=False)


def _changed_linear(base: nn.Module, own: _Own, kind: type[OwnTypeLinear]) -> nn.Module:
    """Make what takes the place of a linear layer."""
    layer = base
    if "weight" in own:
        bias = own.get("bias", getattr(base, "bias", None))
        if bias is not None and bias.dtype != own["weight"].dtype:
            bias = _parameter(bias.detach().to(own["weight"].dtype))
        layer = kind.of(own["weight"], bias)
    elif "bias" in own:
        layer = ShiftedLinear(base, own["bias"])
    return _widened(layer, own)


def _beside(own: _Own) -> nn.Module:
    """Make what `AdaptedExpert` changes a projection by; those of experts have no bias."""
    if "weight" not in own:
        return _low_rank(own)
    return _widened(InnerLinear.of(own["weight"], None), own)


def _widened(layer: nn.Module, own: _Own) -> nn.Module:
    return WidenedLinear(layer, _low_rank(own)) if "lora_A" in own else layer


def _low_rank(own: _Own) -> LowRank:
    return LowRank(own["lora_A"], own["lora_B"])


class _Private:
    """A copy of a network whose modules are copied, without their weights, where they change."""

    def __init__(self, network: TimerS1Network) -> None:
        self.network = cast("TimerS1Network", _copied(network))
        self.network._adapted_dtype = network.dtype
        self._copied: set[nn.Module] = {self.network}

    def module(self, path: str) -> nn.Module:
        """Give the network's own copy of a module."""
        module: nn.Module = self.network
        for part in path.split("."):
            child = cast("nn.Module", module._modules[part])
            if child not in self._copied:
                child = _copied(child)
                module._modules[part] = child
                self._copied.add(child)
            module = child
        return module

    def change_linear(self, path: str, own: _Own) -> None:
        """Put a changed layer in the place of a linear one."""
        parent_path, _, leaf = path.rpartition(".")
        parent = self.module(parent_path)
        kind = OwnTypeLinear if _LAST.fullmatch(path) else InnerLinear
        parent._modules[leaf] = _changed_linear(cast("nn.Module", parent._modules[leaf]), own, kind)

    def change_expert(self, path: str, number: int, projections: Mapping[str, _Own]) -> None:
        """Put a changed expert in the place of an expert."""
        block = cast("MixtureOfExperts", self.module(path.rpartition(".")[0]))
        block.strategy = "sorted"  # the others take plain layers apart
        if block.experts not in self._copied:
            block.experts = nn.ModuleList(_one_by_one(block.experts))
            self._copied.add(block.experts)
        experts = cast("nn.ModuleList", block.experts)
        if isinstance(experts[number], Expert):
            for projection, own in projections.items():
                self.change_linear(f"{path}.{number}.{projection}", own)
        else:
            changes = {name: _beside(own) for name, own in projections.items()}
            experts[number] = AdaptedExpert(experts[number], changes)


def _copied(module: nn.Module) -> nn.Module:
    """Copy a module that shares its weights and what it consists of, but no hooks."""
    twin = copy.copy(module)
    for name, value in module.__dict__.items():
        if isinstance(value, dict):
            twin.__dict__[name] = copy.copy(value)
    return twin


def _one_by_one(experts: nn.Module) -> list[nn.Module]:
    """Take apart experts that are laid out together; their weights stay where they are."""
    if isinstance(experts, Int8Experts):
        return list(experts.experts)
    if not isinstance(experts, StackedExperts):
        return list(experts.children())
    parts: list[nn.Module] = []
    for gate_up, down in zip(experts.gate_up_proj, experts.down_proj, strict=True):
        with torch.device("meta"):
            expert = Expert(down.shape[0], down.shape[1])
        gate, up = gate_up.detach().chunk(2)
        for name, weight in (("gate_proj", gate), ("up_proj", up), ("down_proj", down.detach())):
            setattr(expert, name, OwnTypeLinear.of(_parameter(weight), None))
        parts.append(expert)
    return parts
