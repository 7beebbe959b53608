"""The weights that each target of finetuning changes, by their names."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor

TARGETS = ("router+head", "head", "router", "norms", "lora", "full")
"""Targets of finetuning; see `replaced_by` and `widened_by_lora`."""

HEAD_PATTERN = r"output_patch_embedding\."
"""Matches the beginning of the names of the head's weights."""

LORA_NAME = re.compile(r"(?P<layer>.+)\.(?P<side>lora_[AB])\.weight")
"""Matches the name of a low-rank matrix."""

EXPERT_NAME = re.compile(r"(?P<experts>.+\.experts)\.(?P<number>\d+)\.(?P<projection>\w+)")
"""Matches the name of a projection of an expert."""

Tuned = bool | str | dict[str, list[str]]
"""The weights to finetune: all or none, a target, or patterns to freeze or to unfreeze."""


_ROUTER = r".*\.ffn_layer\.gate\.weight$"
_ATTENTION = r".*\.self_attn\.[qkvo]_proj\.weight$"
_REPLACED = {
    "router+head": f"{HEAD_PATTERN}|{_ROUTER}",
    "head": HEAD_PATTERN,
    "router": _ROUTER,
    "norms": r".*(\bnorm\w*\.weight|\.[qk]_scale)$",
    "full": "",
}


def replaced_by(target: str, names: Iterable[str]) -> list[str]:
    """Return the names of the weights that a target replaces.

    ``"router"`` replaces the matrices that send tokens to experts, ``"head"`` the output embedding,
    ``"norms"`` the weights of all norms, also of the norms of queries and keys, and ``"full"`` all
    weights. ``"lora"`` replaces nothing; see `widened_by_lora`.

    Parameters
    ----------
    target : str
        One of `TARGETS`.
    names : iterable of str
        Names of the parameters of a network.
    """
    if target == "lora":
        return []
    pattern = re.compile(_REPLACED[target])
    return [name for name in names if pattern.match(name)]


def widened_by_lora(
    names: Iterable[str], hot_experts: Mapping[str, Iterable[int]] | None = None
) -> list[str]:
    """Return the names of the layers that low-rank matrices are added to.

    Parameters
    ----------
    names : iterable of str
        Names of the parameters of a network.
    hot_experts : mapping of str to iterable of int, optional
        Numbers of the experts that get low-rank matrices too, by the name of the list of experts
        of their block (``"model.layers.0.ffn_layer.experts"``). Default: only the projections of
        attention get them.
    """
    hot = {block: set(numbers) for block, numbers in (hot_experts or {}).items()}
    layers = []
    for name in names:
        layer = name.removesuffix(".weight")
        expert = EXPERT_NAME.fullmatch(layer)
        if re.match(_ATTENTION, name) or (
            expert and int(expert["number"]) in hot.get(expert["experts"], ())
        ):
            layers.append(layer)
    return layers


def tuned_names(tuned: Tuned, names: Sequence[str]) -> list[str]:
    """Choose the weights that ``enable_finetuning`` names.

    Parameters
    ----------
    tuned : bool, str or dict
        True for all weights and False for none; one of `TARGETS`; or ``{"unfreeze": patterns}`` or
        ``{"freeze": patterns}``, whose patterns match names as `fnmatch` does.
    names : sequence of str
        Of a network's parameters.

    Returns
    -------
    list of str
        Empty for ``"lora"``, which adds weights.

    Raises
    ------
    ValueError
        If a pattern matches no name, or the patterns leave nothing to finetune.

    Examples
    --------
    >>> tuned_names({"freeze": ["model.*"]}, ["model.norm.weight", "head.weight"])
    ['head.weight']
    """
    if isinstance(tuned, str):
        return replaced_by(tuned, names)
    if isinstance(tuned, bool):
        return list(names) if tuned else []
    ((mode, patterns),) = tuned.items()
    for pattern in patterns:
        if not fnmatch.filter(names, pattern):
            raise ValueError(
                f"enable_finetuning={tuned!r}: the pattern {pattern!r} matches no weight; their "
                f"names are like {names[0]!r}, {names[len(names) // 2]!r} or {names[-1]!r}"
            )
    matched = {name for pattern in patterns for name in fnmatch.filter(names, pattern)}
    chosen = [name for name in names if (name in matched) == (mode == "unfreeze")]
    if not chosen:
        raise ValueError(f"enable_finetuning={tuned!r} leaves nothing to tune")
    return chosen


def target_of(tuned: Tuned, chosen: Sequence[str], names: Sequence[str]) -> str:
    """Return the target that replaces the chosen weights; ``"full"`` if no target is the same.

    Parameters
    ----------
    tuned : bool, str or dict
        As for `tuned_names`.
    chosen : sequence of str
        The result of `tuned_names`.
    names : sequence of str
        Of a network's parameters.
    """
    if isinstance(tuned, str):
        return tuned
    same = (target for target in TARGETS if replaced_by(target, names) == list(chosen))
    return next(same, "full")


def check_weights(shapes: Mapping[str, torch.Size], weights: Mapping[str, Tensor]) -> None:
    """Check that a network has weights of these names and shapes, or layers for the matrices.

    Parameters
    ----------
    shapes : mapping of str to torch.Size
        Shapes of the weights of the network; see
        `timer_forecaster.models.timer_s1.adaptation.parameter_shapes`.
    weights : mapping of str to Tensor
        Weights and low-rank matrices; see
        `timer_forecaster.models.timer_s1.adaptation.adapted`.

    Raises
    ------
    ValueError
        If a weight does not fit; the error names the first.
    """
    for name, value in weights.items():
        lora = LORA_NAME.fullmatch(name)
        if lora:
            _check_low_rank(shapes, weights, lora["layer"])
        elif name not in shapes:
            raise ValueError(f"weights are given for {name!r}, which the network does not have")
        elif value.shape != shapes[name]:
            raise ValueError(
                f"the weights given for {name!r} have the shape {tuple(value.shape)}, and the "
                f"weights of the network {tuple(shapes[name])}"
            )


def _check_low_rank(
    shapes: Mapping[str, torch.Size], weights: Mapping[str, Tensor], layer: str
) -> None:
    shape = shapes.get(f"{layer}.weight", ())
    if len(shape) != 2:
        raise ValueError(
            f"low-rank matrices are given for {layer!r}, which is no linear layer of the network"
        )
    pair = [weights.get(f"{layer}.{side}.weight") for side in ("lora_A", "lora_B")]
    found = [None if matrix is None else tuple(matrix.shape) for matrix in pair]
    rank = found[0][0] if found[0] else 0
    if found != [(rank, shape[1]), (shape[0], rank)]:
        raise ValueError(
            f"the low-rank matrices of {layer!r} must have the shapes (rank, {shape[1]}) and "
            f"({shape[0]}, rank), and lora_A has {found[0]}, lora_B {found[1]}"
        )
