"""Networks of TinyTimeMixer from folders of the released layout, and into them."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from timer_forecaster.checkpoints.files import fill
from timer_forecaster.checkpoints.tensors import WEIGHTS_FILE
from timer_forecaster.checkpoints.writing import save_file
from timer_forecaster.files import whole_folder
from timer_forecaster.models.ttm import (
    TTMArchitecture,
    TTMDecomposedNetwork,
    TTMNetwork,
    make_network,
)

CONFIG_FILE = "config.json"


def load_ttm(folder: str | Path) -> TTMNetwork | TTMDecomposedNetwork:
    """Read a network from a folder with ``config.json`` and ``model.safetensors``, or shards.

    Weights keep their type. The network is in evaluation mode.

    Raises
    ------
    ValueError
        If a file cannot be read or used, if names or shapes of tensors are not those of the
        network that ``config.json`` describes, or if weights are NaN or infinite. The error names
        the file, and the entry or tensors.
    """
    folder = Path(folder)
    architecture = TTMArchitecture.from_config_file(folder / CONFIG_FILE)
    with torch.device("meta"):
        network = make_network(architecture)
    fill(network, folder)
    return network.eval()


def save_ttm(network: TTMNetwork | TTMDecomposedNetwork, folder: str | Path) -> None:
    """Write a network to a folder that the released implementations, too, load."""
    tensors = {name: value.contiguous() for name, value in network.state_dict().items()}
    entries = {**network.architecture.to_dict(), "dtype": str(network.dtype).rpartition(".")[2]}
    with whole_folder(Path(folder)) as written:
        save_file(tensors, written / WEIGHTS_FILE, {"format": "pt"})
        text = json.dumps(entries, indent=2) + "\n"
        (written / CONFIG_FILE).write_text(text, encoding="utf-8")
