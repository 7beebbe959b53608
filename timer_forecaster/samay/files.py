"""Files of models: one file, or a folder that every door loads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import torch

from timer_forecaster.checkpoints.loading import empty_network
from timer_forecaster.checkpoints.writing import write_checkpoint
from timer_forecaster.files import whole_file, whole_folder
from timer_forecaster.models.network import Network
from timer_forecaster.models.ttm import TTMArchitecture, as_architecture

_FORMAT = "timer_forecaster.samay 1"


def write_model(path: Path, network: Network, facts: dict[str, Any]) -> None:
    """Write a network, and facts about it that are plain values, to a file."""
    weights = {name: tensor.cpu() for name, tensor in network.state_dict().items()}
    config = cast(TTMArchitecture, network.config)
    content = {"format": _FORMAT, "architecture": json.dumps(config.to_dict())}
    with whole_file(path) as unfinished:
        torch.save(content | {"facts": json.dumps(facts), "weights": weights}, unfinished)


@torch.inference_mode(False)
def read_model(path: Path) -> tuple[Network, dict[str, Any]]:
    """Return the network and the facts of a file. No code that the file may hold is run.

    Raises
    ------
    ValueError
        If there is no such file, or `write_model` did not write it. The error names it.
    """
    if not path.is_file():
        raise ValueError(f"there is no file {str(path)!r}")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds
        raise ValueError(f"{path} cannot be read; it is damaged or of another kind") from error
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise ValueError(f"{path} is no file that TinyTimeMixerModel.save wrote")
    try:
        network = empty_network(as_architecture(json.loads(content["architecture"])))
        network.load_state_dict(content["weights"], assign=True)
        facts = json.loads(content["facts"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{path} is damaged: {' '.join(str(error).split())}") from error
    return network.eval(), facts


def write_folder(folder: Path, network: Network) -> None:
    """Write a network as a checkpoint in the released layout, to a folder that is new or empty."""
    config = cast(TTMArchitecture, network.config)
    with whole_folder(folder) as unfinished:
        write_checkpoint(unfinished, config.to_dict(), network.state_dict())
