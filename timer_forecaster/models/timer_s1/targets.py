"""The weights that each target of finetuning changes, by their names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

TARGETS = ("router+head", "head", "router", "norms", "lora", "full")
"""Targets of finetuning; see `replaced_by` and `widened_by_lora`."""

DEFAULT = "router+head"
"""The target without another choice."""

HEAD_PATTERN = r"output_patch_embedding\."
"""Matches the beginning of the names of the head's weights."""

EXPERT_NAME = re.compile(r"(?P<experts>.+\.experts)\.(?P<number>\d+)\.(?P<projection>\w+)")
"""Matches the name of a projection of an expert."""

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
