"""The weights of a checkpoint's files, put into a network.

Files are mapped into memory, so that what is never computed with is never read. Experts can be
replaced by another form of themselves, each at its first use and by itself: neither the stored
form nor the new one is then ever held twice, and experts that no token is sent to stay on disk.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor, nn

from timer_forecaster.models.timer_s1.experts import DeferredExpert, Expert

Pack = Callable[[Expert], nn.Module]
"""What takes an expert's place: another form of its weights, faster or smaller."""


def fill(network: nn.Module, folder: Path, pack: Pack | None = None) -> None:
    """Give an empty network the weights of a folder, as they are stored.

    Parameters
    ----------
    network : nn.Module
        On the meta device.
    folder : Path
        With ``model.safetensors``, or shards and their index.
    pack : callable, optional
        Makes of each expert what replaces it, when the first token comes to it. The expert's
        weights are mapped from the file, in the stored type, and given up again. The folder must
        be there until then.

    Raises
    ------
    ValueError
        If the network has other tensors than the folder.
    """
    files = tensor_files(folder)
    wanted = network.state_dict().keys()
    check_fit(folder, wanted - files.keys(), files.keys() - wanted)
    rest = set(files)
    if pack is not None:
        for name, expert in experts(network):
            own = {f"{name}.{tensor}": tensor for tensor in expert.state_dict()}
            network.set_submodule(name, DeferredExpert(_reader(expert, folder, files, own, pack)))
            rest.difference_update(own)
    network.load_state_dict(read_tensors(folder, files, rest), strict=False, assign=True)


def _reader(
    expert: Expert, folder: Path, files: Mapping[str, str], own: Mapping[str, str], pack: Pack
) -> Callable[[], nn.Module]:
    """Prepare reading and packing an expert whose tensors in the files are the keys of ``own``."""

    def read() -> nn.Module:
        tensors = read_tensors(folder, files, own)
        weights = {own[name]: tensor for name, tensor in tensors.items()}
        expert.load_state_dict(weights, assign=True)
        return pack(expert)

    return read


def replace_experts(network: nn.Module, pack: Pack) -> None:
    """Replace the experts of a network that has its weights already."""
    for name, expert in experts(network):
        network.set_submodule(name, pack(expert))


def experts(network: nn.Module) -> Iterator[tuple[str, Expert]]:
    """List the experts that the network has now and their names, ready for replacement."""
    found = [(name, part) for name, part in network.named_modules() if isinstance(part, Expert)]
    while found:  # the list must not keep what has been replaced
        yield found.pop(0)


def tensor_files(folder: Path) -> dict[str, str]:
    """Tell which file of a folder holds each tensor."""
    index = folder / "model.safetensors.index.json"
    if index.exists():
        weight_map: dict[str, str] = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        return weight_map
    with safe_open(folder / "model.safetensors", framework="pt") as stored:
        return dict.fromkeys(stored.keys(), "model.safetensors")


def stored_dtype(folder: Path) -> torch.dtype:
    """Give the type in which a folder holds what is not quantised."""
    name = "model.norm.weight"
    return read_tensors(folder, tensor_files(folder), [name])[name].dtype


def read_tensors(folder: Path, files: Mapping[str, str], names: Iterable[str]) -> dict[str, Tensor]:
    """Map tensors into memory; a file stays mapped as long as a tensor from this call lives."""
    of_file = defaultdict(list)
    for name in names:
        of_file[files[name]].append(name)
    tensors: dict[str, Tensor] = {}
    for file, own in of_file.items():
        with safe_open(folder / file, framework="pt") as stored:
            tensors |= {name: stored.get_tensor(name) for name in own}
    return tensors


def check_fit(folder: Path, missing: Collection[str], unexpected: Collection[str]) -> None:
    """Refuse weights that are not those of the network."""
    if missing or unexpected:
        raise ValueError(
            f"the weights in {folder} do not fit its config.json: missing "
            f"{sorted(missing)[:3]}, unexpected {sorted(unexpected)[:3]}"
        )
