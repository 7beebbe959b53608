"""What finetuning and adapters ask of a family: its targets, and networks with a few new weights.

Each family has a module ``targets`` (the weights of a target, by name), ``adaptation`` (a network
that shares all other weights with a base) and ``identity`` (what tells its checkpoints apart).
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from timer_forecaster.models.families import family_of
from timer_forecaster.models.timer_s1 import targets as of_timer_s1
from timer_forecaster.models.ttm import targets as of_ttm

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from timer_forecaster.models.network import Architecture, Network

TARGETS = tuple(dict.fromkeys((*of_timer_s1.TARGETS, *of_ttm.TARGETS)))
"""Targets of finetuning, of all families; see `targets_of`."""

Tuned = bool | str | dict[str, list[str]]
"""The weights to finetune: all or none, a target, or patterns to freeze or to unfreeze."""

_NONE: Mapping[str, Any] = MappingProxyType({})


def targets_of(config: Architecture) -> tuple[str, ...]:
    """Return the targets of the family of a network."""
    return cast("tuple[str, ...]", family_of(config).part("targets").TARGETS)


def checked_target(config: Architecture, target: str | None, argument: str = "target") -> str:
    """Return a target of the family of a network; None is its default.

    The argument that has it is named in errors.

    Raises
    ------
    ValueError
        If the target belongs to another family. The error lists the family's own.
    """
    if target is None:
        return cast("str", family_of(config).part("targets").DEFAULT)
    own = targets_of(config)
    if target not in own:
        title = family_of(config).title
        raise ValueError(
            f"{argument}={target!r}: {title} has no such weights; its targets are {own}"
        )
    return target


def replaced_by(config: Architecture, target: str, names: Iterable[str]) -> list[str]:
    """Return the names of the weights that a target replaces.

    Parameters
    ----------
    config : Architecture
        Architecture of the network.
    target : str
        One of `targets_of`; ``"lora"`` replaces nothing, see `widened_by_lora`.
    names : iterable of str
        Names of the parameters of the network.
    """
    return cast("list[str]", family_of(config).part("targets").replaced_by(target, names))


def widened_by_lora(
    config: Architecture,
    names: Iterable[str],
    hot_experts: Mapping[str, Iterable[int]] | None = None,
) -> list[str]:
    """Return the names of the layers that low-rank matrices are added to.

    Parameters
    ----------
    config : Architecture
        Architecture of the network.
    names : iterable of str
        Names of the parameters of the network.
    hot_experts : mapping of str to iterable of int, optional
        For Timer-S1; see `timer_forecaster.models.timer_s1.targets.widened_by_lora`.
    """
    return cast("list[str]", family_of(config).part("targets").widened_by_lora(names, hot_experts))


def tuned_names(config: Architecture, tuned: Tuned, names: Sequence[str]) -> list[str]:
    """Choose the weights that ``enable_finetuning`` names.

    Parameters
    ----------
    config : Architecture
        Architecture of the network.
    tuned : bool, str or dict
        True for all weights and False for none; one of `targets_of`; or ``{"unfreeze": patterns}``
        or ``{"freeze": patterns}``, whose patterns match names as `fnmatch` does.
    names : sequence of str
        Of a network's parameters.

    Returns
    -------
    list of str
        Empty for ``"lora"``, which adds weights.

    Raises
    ------
    ValueError
        If the target belongs to another family, if a pattern matches no name, or if nothing is left
        to finetune.
    """
    if isinstance(tuned, str):
        target = checked_target(config, tuned, "enable_finetuning")
        chosen = replaced_by(config, target, names)
        if not chosen and tuned != "lora":
            raise ValueError(
                f"enable_finetuning={tuned!r} leaves nothing to tune, because the checkpoint has "
                "no such weights; timer_forecaster.finetuning.finetune can add them"
            )
        return chosen
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


def target_of(
    config: Architecture, tuned: Tuned, chosen: Sequence[str], names: Sequence[str]
) -> str:
    """Return the target that replaces the chosen weights; ``"full"`` if no target is the same.

    Parameters
    ----------
    config : Architecture
        Architecture of the network.
    tuned : bool, str or dict
        As for `tuned_names`.
    chosen : sequence of str
        The result of `tuned_names`.
    names : sequence of str
        Of a network's parameters.
    """
    if isinstance(tuned, str):
        return tuned
    targets = targets_of(config)
    same = (name for name in targets if replaced_by(config, name, names) == list(chosen))
    return next(same, "full")


def parameter_shapes(
    config: Architecture, changes: Mapping[str, Any] = _NONE
) -> dict[str, torch.Size]:
    """Return the shape of each weight of a plain network, by its name; see `adapted`."""
    found = family_of(config).part("adaptation").parameter_shapes(config, changes)
    return cast("dict[str, torch.Size]", found)


def adapted(
    network: Network, weights: Mapping[str, Tensor], changes: Mapping[str, Any] = _NONE
) -> Network:
    """Return a network with some new weights that shares all other weights with a base.

    The base does not change, and its weights are not copied.

    Parameters
    ----------
    network : Network
        The base.
    weights : mapping of str to Tensor
        New weights. The key is the name of the parameter that the weight replaces, or the name of
        a layer and ``.lora_A.weight`` or ``.lora_B.weight``: the product of the two matrices is
        added to the weight of the layer.
    changes : mapping of str to object
        Fields of the architecture that become others, where the weights make new parts.

    Raises
    ------
    ValueError
        If the network has no such weights, or weights of another shape.
    """
    found = family_of(network.config).part("adaptation").adapted(network, weights, changes)
    return cast("Network", found)


def computed_by(config: Architecture) -> list[Any]:
    """Return the values of an architecture that change the forecasts of the same weights."""
    return cast("list[Any]", family_of(config).part("identity").computed_by(config))


def told_apart_by(config: Architecture, names: Iterable[str]) -> dict[str, bool]:
    """Return the tensors that tell checkpoints apart, and whether by all values or a sample."""
    return cast("dict[str, bool]", family_of(config).part("identity").told_apart_by(names))
