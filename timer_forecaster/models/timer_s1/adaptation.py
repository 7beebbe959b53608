"""Networks that differ from a shared one in a few weights, and share all others with it."""

from __future__ import annotations

import copy
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .experts import DeferredExpert, Expert, FusedExpert, MixtureOfExperts, StackedExperts
from .int8 import Int8Experts
from .network import TimerS1Network

TARGETS = ("router+head", "head", "router", "norms", "lora", "full")
"""What can be tuned; see `replaced_by`."""

_HEAD = r"output_patch_embedding\."
_ROUTER = r".*\.ffn_layer\.gate\.weight$"
_REPLACED = {
    "router+head": f"{_HEAD}|{_ROUTER}",
    "head": _HEAD,
    "router": _ROUTER,
    "norms": r".*(\bnorm\w*\.weight|\.[qk]_scale)$",
    "full": "",
}
_ATTENTION = r".*\.self_attn\.[qkvo]_proj\.weight$"
_LORA = re.compile(r"(?P<layer>.+)\.lora_(?P<side>[AB])\.weight")
_OF_EXPERT = re.compile(r"(?P<experts>.+\.experts)\.(?P<number>\d+)\.(?P<projection>\w+)")


def replaced_by(target: str, names: Iterable[str]) -> list[str]:
    """Choose the weights that a target replaces, of the names of a network's parameters.

    ``"router"`` replaces the matrices that send tokens to experts, ``"head"`` the output embedding,
    ``"norms"`` the weights of all norms, those of queries and keys included, ``"full"``
    everything. ``"lora"`` replaces nothing; see `widened_by_lora`.
    """
    if target == "lora":
        return []
    pattern = re.compile(_REPLACED[target])
    return [name for name in names if pattern.match(name)]


def widened_by_lora(
    names: Iterable[str], hot_experts: Mapping[str, Iterable[int]] | None = None
) -> list[str]:
    """Choose the layers that low-rank matrices are added to.

    Parameters
    ----------
    names : iterable of str
        Of a network's parameters.
    hot_experts : mapping of str to iterable of int, optional
        Numbers of the experts, by the name of their block's list (``"model.layers.0.ffn_layer
        .experts"``), that are widened beside the projections of attention.
    """
    hot = {block: set(numbers) for block, numbers in (hot_experts or {}).items()}
    layers = []
    for name in names:
        layer = name.removesuffix(".weight")
        expert = _OF_EXPERT.fullmatch(layer)
        if re.match(_ATTENTION, name) or (
            expert and int(expert["number"]) in hot.get(expert["experts"], ())
        ):
            layers.append(layer)
    return layers


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
        """Map (..., in size) to (..., out size)."""
        return super().forward(x.to(self.weight.dtype))


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
        return output + self.lora_B(self.lora_A(x)).to(output.dtype)


class WidenedLinear(nn.Module):
    """A linear layer of any kind with a `LowRank` beside it."""

    def __init__(self, base: nn.Module, low_rank: LowRank) -> None:
        super().__init__()
        self.base, self.low_rank = base, low_rank

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., in size) to (..., out size)."""
        return self.low_rank(x, self.base(x))


class WidenedExpert(nn.Module):
    """An expert of any kind with `LowRank` matrices beside its projections.

    Parameters
    ----------
    base : nn.Module
        The expert, which is shared.
    low_rank : mapping of str to LowRank
        By the name of the projection, of some or all of them.
    """

    def __init__(self, base: nn.Module, low_rank: Mapping[str, LowRank]) -> None:
        super().__init__()
        self.base = base
        self.low_rank = nn.ModuleDict(low_rank)

    def forward(self, hidden_states: Tensor) -> Tensor:
        """Map (tokens, hidden size) to the same shape."""
        if not len(hidden_states):
            return hidden_states
        base = self.base.made() if isinstance(self.base, DeferredExpert) else self.base
        if isinstance(base, FusedExpert):
            gate, up = base.gate_up_proj(hidden_states).chunk(2, dim=-1)
        else:
            gate, up = base.gate_proj(hidden_states), base.up_proj(hidden_states)
        gate = self._widened("gate_proj", hidden_states, gate)
        inner = F.silu(gate) * self._widened("up_proj", hidden_states, up)
        return self._widened("down_proj", inner, base.down_proj(inner))

    def _widened(self, projection: str, x: Tensor, output: Tensor) -> Tensor:
        return self.low_rank[projection](x, output) if projection in self.low_rank else output


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
    private = _Private(network)
    by_layer: dict[str, dict[str, nn.Parameter]] = defaultdict(dict)
    by_expert: dict[tuple[str, int], dict[str, LowRank]] = defaultdict(dict)
    for name, value in weights.items():
        lora = _LORA.fullmatch(name)
        layer, own = (lora["layer"], f"lora_{lora['side']}") if lora else name.rsplit(".", 1)
        by_layer[layer][own] = _parameter(value)
    for layer, own in by_layer.items():
        expert = _OF_EXPERT.fullmatch(layer)
        if expert and "lora_A" in own:
            place = expert["experts"], int(expert["number"])
            by_expert[place][expert["projection"]] = LowRank(own["lora_A"], own["lora_B"])
        else:
            private.replace(layer, own)
    for (experts, number), low_rank in by_expert.items():
        private.widen_expert(experts, number, low_rank)
    return private.network


def _parameter(value: Tensor) -> nn.Parameter:
    return value if isinstance(value, nn.Parameter) else nn.Parameter(value, requires_grad=False)


class _Private:
    """A copy of a network whose modules are copied, without their weights, where they change."""

    def __init__(self, network: TimerS1Network) -> None:
        self.network = _copied(network)
        self._copied = {id(self.network)}

    def module(self, path: str) -> nn.Module:
        """Give the network's own copy of a module."""
        module: nn.Module = self.network
        for part in path.split("."):
            child = module._modules.get(part)
            if child is None:
                raise ValueError(f"weights are given for {path!r}, which the network does not have")
            if id(child) not in self._copied:
                child = _copied(child)
                module._modules[part] = child
                self._copied.add(id(child))
            module = child
        return module

    def replace(self, path: str, own: Mapping[str, nn.Parameter]) -> None:
        """Put weights into a module, or a layer of them in its place."""
        parent_path, _, leaf = path.rpartition(".")
        if "lora_A" in own:
            parent = self.module(parent_path)
            base = cast("nn.Module", parent._modules[leaf])
            parent._modules[leaf] = WidenedLinear(base, LowRank(own["lora_A"], own["lora_B"]))
        elif "weight" in own and own["weight"].ndim == 2:
            layer = OwnTypeLinear.of(own["weight"], own.get("bias"))
            self.module(parent_path)._modules[leaf] = layer
        else:
            self.module(path)._parameters.update(own)

    def widen_expert(self, path: str, number: int, low_rank: Mapping[str, LowRank]) -> None:
        """Put an expert with low-rank matrices in the place of an expert."""
        block = self.module(path.rpartition(".")[0])
        if not isinstance(block, MixtureOfExperts):
            raise ValueError(f"weights are given for {path!r}, which holds no experts")
        if id(block.experts) not in self._copied:
            block.experts = nn.ModuleList(_one_by_one(block.experts))
            self._copied.add(id(block.experts))
        experts = cast("nn.ModuleList", block.experts)
        experts[number] = WidenedExpert(experts[number], low_rank)


def _copied(module: nn.Module) -> nn.Module:
    """Copy a module that shares its weights and what it consists of."""
    twin = copy.copy(module)
    for name in ("_parameters", "_buffers", "_modules"):
        twin.__dict__[name] = dict(getattr(module, name))
    return twin


def _one_by_one(experts: nn.Module) -> list[nn.Module]:
    """Take apart experts that are laid out together; their weights stay where they are."""
    if isinstance(experts, Int8Experts):
        return list(experts.experts)
    if not isinstance(experts, StackedExperts):
        return list(experts.children())
    parts = []
    for gate_up, down in zip(experts.gate_up_proj, experts.down_proj, strict=True):
        with torch.device("meta"):
            expert = Expert(down.shape[0], down.shape[1])
        gate, up = gate_up.chunk(2)
        for name, weight in (("gate_proj", gate), ("up_proj", up), ("down_proj", down)):
            layer = OwnTypeLinear.of(_parameter(weight.detach()), None)
            setattr(expert, name, layer)
        parts.append(expert)
    return parts
