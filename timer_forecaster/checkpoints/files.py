"""The weights of a checkpoint's files, put into a network.

Files are mapped into memory, so that what is never computed with is never read. Experts can be
replaced by another form of themselves, those of large checkpoints each at its first use and by
itself: neither the stored form nor the new one is then ever held twice, and experts that no token
is sent to stay on disk.
"""

from __future__ import annotations

import ctypes
import functools
import itertools
import json
import os
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor, nn

from timer_forecaster.models.timer_s1.layouts.choice import Pack, unpacked_experts
from timer_forecaster.models.timer_s1.layouts.experts import DeferredExpert

DEFERRED_FROM_BYTES = 10**9
"""Size of a checkpoint's files from which on its experts are read at their first use."""

_TRIM_EVERY = 32  # experts


@torch.no_grad()
def fill(
    network: nn.Module, folder: Path, pack: Pack | None = None, deferred: bool | None = None
) -> None:
    """Give an empty network the weights of a folder, as they are stored.

    Parameters
    ----------
    network : nn.Module
        On the meta device.
    folder : Path
        With ``model.safetensors``, or shards and their index.
    pack : callable, optional
        Makes of each expert what replaces it. The expert's weights are mapped from the file, in
        the stored type; what was read of them is given up before the next one.
    deferred : bool, optional
        Whether an expert is read and replaced when the first token comes to it. The files must
        stay as they are until then; that they did is checked. Default: from
        `DEFERRED_FROM_BYTES` on.

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
        names = unpacked_experts(network)
        reader = _ExpertReader(folder, files, pack, len(names))
        if deferred is None:
            deferred = reader.n_bytes >= DEFERRED_FROM_BYTES
        for name in names:
            own = _tensor_names(network, name)
            make = functools.partial(reader.read, network.get_submodule(name), own)
            network.set_submodule(name, DeferredExpert(make) if deferred else make())
            rest -= own.keys()
    network.load_state_dict(read_tensors(folder, files, rest), strict=False, assign=True)


class _ExpertReader:
    """Reads a network's experts from files that are not kept open between them.

    Pages that are read through a map of a file count as memory of the process as long as the map
    lives. One for each expert gives them up with it; one for the whole network would end up
    holding all of the file. So that two networks are never mixed, files must be those of before.
    """

    def __init__(self, folder: Path, files: Mapping[str, str], pack: Pack, n_experts: int) -> None:
        self._folder, self._files, self._pack = folder, files, pack
        self._found = {file: (folder / file).stat() for file in set(files.values())}
        self._left = itertools.count(n_experts - 1, -1)  # from several threads

    @property
    def n_bytes(self) -> int:
        """Size of all files."""
        return sum(found.st_size for found in self._found.values())

    @torch.no_grad()
    def read(self, expert: nn.Module, own: Mapping[str, str]) -> nn.Module:
        """Replace an expert, by the names of its tensors in the files and within it."""
        for file in {self._files[name] for name in own}:
            self._check_unchanged(file)
        read = read_tensors(self._folder, self._files, own)
        expert.load_state_dict({own[key]: read.pop(key) for key in own}, assign=True)
        packed = self._pack(expert)
        if next(self._left) % _TRIM_EVERY == 0:  # after the last one too
            _trim_heap()
        return packed

    def _check_unchanged(self, file: str) -> None:
        path = self._folder / file
        try:
            if file_version(path.stat()) == file_version(self._found[file]):
                return
            event = "changed"
        except FileNotFoundError:
            event = "deleted"
        raise RuntimeError(
            f"{path} was {event} after its network was loaded, and before all experts were read "
            "from it, each at its first use. Call timer_forecaster.release() and load the "
            "checkpoint again, and leave its folder as it is while forecasts are made"
        )


def file_version(found: os.stat_result) -> tuple[int, int, int]:
    """Give what tells a file from another one of its name."""
    return found.st_ino, found.st_size, found.st_mtime_ns


def _trim_heap() -> None:
    """Have the C library hand back to the system what lies free in its heap.

    To pack an expert takes temporaries, and its packed weights are allocated among them. Freed
    they leave gaps, too small for the next ones and not at the end of the heap, which glibc keeps:
    a third of the packed size in the end.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "malloc_trim"):  # glibc's; others keep less
            libc.malloc_trim(0)


def _tensor_names(network: nn.Module, module: str) -> dict[str, str]:
    """Map the names of a module's tensors in the network to those in the module."""
    return {f"{module}.{own}": own for own in network.get_submodule(module).state_dict()}


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
    name, files = "model.norm.weight", tensor_files(folder)
    if name not in files:
        return torch.float32  # these are not weights of the network, which `fill` will say
    return read_tensors(folder, files, [name])[name].dtype


def read_tensors(folder: Path, files: Mapping[str, str], names: Iterable[str]) -> dict[str, Tensor]:
    """Map tensors into memory; a file stays mapped as long as a tensor of this call lives."""
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
