"""Networks that differ from a shared network in a few weights, and share all other weights."""

from __future__ import annotations

import copy
import re
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, cast

import torch
from torch import Tensor, nn

from timer_forecaster.models.timer_s1.adapted_layers import (
    AdaptedExpert,
    InnerLinear,
    LowRank,
    OwnTypeLinear,
    ShiftedLinear,
    WidenedLinear,
)
from timer_forecaster.models.timer_s1.architecture import TimerS1Architecture
from timer_forecaster.models.timer_s1.experts import Expert, MixtureOfExperts
from timer_forecaster.models.timer_s1.layouts.experts import StackedExperts
from timer_forecaster.models.timer_s1.layouts.int8 import Int8Experts
from timer_forecaster.models.timer_s1.network import TimerS1Network
from timer_forecaster.models.timer_s1.targets import EXPERT_NAME, HEAD_PATTERN
from timer_forecaster.models.weightless import weightless
from timer_forecaster.models.weights import LORA_NAME, check_weights

_NONE: Mapping[str, Any] = MappingProxyType({})
# The new weights of one layer, by their names in it: weight, bias, lora_A, lora_B.
_Own = dict[str, nn.Parameter]
# Layers whose outputs keep the type of the new weight, as no values of another type are added.
_LAST = re.compile(rf".*\.ffn_layer\.gate|{HEAD_PATTERN}(output|residual)_layer")


def parameter_shapes(
    config: TimerS1Architecture, changes: Mapping[str, Any] = _NONE
) -> dict[str, torch.Size]:
    """Return the shape of each weight of a plain network, by its name; see `adapted`."""
    _refuse(changes)
    return dict(_shapes(tuple(vars(config).items())))


@lru_cache(maxsize=16)
def _shapes(sizes: tuple[tuple[str, Any], ...]) -> Mapping[str, torch.Size]:
    """Return the shapes for the fields of an architecture; each finetuning asks several times."""
    with weightless():
        network = TimerS1Network(TimerS1Architecture(**dict(sizes)))
    return {name: value.shape for name, value in network.named_parameters()}


def adapted(
    network: TimerS1Network, weights: Mapping[str, Tensor], changes: Mapping[str, Any] = _NONE
) -> TimerS1Network:
    """Return a network with some new weights that shares all other weights with a base.

    The base does not change, and its weights are not copied.

    Parameters
    ----------
    network : TimerS1Network
        The base: plain, or laid out for a device.
    weights : mapping of str to Tensor
        New weights. The key is the name of the parameter that the weight replaces, or the name of
        a layer and ``.lora_A.weight`` or ``.lora_B.weight``: the product of the two matrices is
        added to the weight of the layer. Weights are not copied, a parameter stays the same
        object, and each weight computes in its own type.
    changes : mapping
        Must be empty: new weights do not change the sizes of a Timer-S1.

    Returns
    -------
    TimerS1Network

    Raises
    ------
    ValueError
        If the network has no such weights, or weights of another shape.
    """
    _refuse(changes)
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


def _refuse(changes: Mapping[str, Any]) -> None:
    if changes:
        raise ValueError(f"{', '.join(changes)}: the sizes of a Timer-S1 cannot become others")


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
    """Return the layer that takes the place of a linear layer."""
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
    """Return the change of a projection for an `AdaptedExpert`; projections have no bias."""
    if "weight" not in own:
        return _low_rank(own)
    return _widened(InnerLinear.of(own["weight"], None), own)


def _widened(layer: nn.Module, own: _Own) -> nn.Module:
    return WidenedLinear(layer, _low_rank(own)) if "lora_A" in own else layer


def _low_rank(own: _Own) -> LowRank:
    return LowRank(own["lora_A"], own["lora_B"])


class _Private:
    """A copy of a network: modules that change are copied without their weights, others shared."""

    def __init__(self, network: TimerS1Network) -> None:
        self.network = cast("TimerS1Network", _copied(network))
        self.network._adapted_dtype = network.dtype
        self._copied: set[nn.Module] = {self.network}

    def module(self, path: str) -> nn.Module:
        """Return the copy of a module, and copy it the first time."""
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
        """Replace a linear layer by a changed one."""
        parent_path, _, leaf = path.rpartition(".")
        parent = self.module(parent_path)
        kind = OwnTypeLinear if _LAST.fullmatch(path) else InnerLinear
        parent._modules[leaf] = _changed_linear(cast("nn.Module", parent._modules[leaf]), own, kind)

    def change_expert(self, path: str, number: int, projections: Mapping[str, _Own]) -> None:
        """Replace an expert by a changed one."""
        block = cast("MixtureOfExperts", self.module(path.rpartition(".")[0]))
        block.strategy = "sorted"  # other strategies read the weights of plain layers
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
    """Return a module that shares weights and submodules with another one, but no hooks."""
    twin = copy.copy(module)
    for name, value in module.__dict__.items():
        if isinstance(value, dict):
            twin.__dict__[name] = copy.copy(value)
    return twin


def _one_by_one(experts: nn.Module) -> list[nn.Module]:
    """Return the single experts of a joint layout; their weights are not copied."""
    if isinstance(experts, Int8Experts):
        return list(experts.experts)
    if not isinstance(experts, StackedExperts):
        return list(experts.children())
    parts: list[nn.Module] = []
    for gate_up, down in zip(experts.gate_up_proj, experts.down_proj, strict=True):
        with weightless():
            expert = Expert(down.shape[0], down.shape[1])
        gate, up = gate_up.detach().chunk(2)
        for name, weight in (("gate_proj", gate), ("up_proj", up), ("down_proj", down.detach())):
            setattr(expert, name, OwnTypeLinear.of(_parameter(weight), None))
        parts.append(expert)
    return parts
