"""Read the weights of a network from the files of a checkpoint.

Files are mapped into memory, so that weights that no forecast uses are never read. Each expert can
be replaced by another form of it. The experts of a large checkpoint are read and replaced one by
one, at their first use: no more than one expert is in memory twice, and experts that get no token
stay on disk.
"""

from __future__ import annotations

import ctypes
import functools
import itertools
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from timer_forecaster.checkpoints.tensors import (
    check_finite,
    check_stored,
    read_tensors,
    tensor_files,
)
from timer_forecaster.models.timer_s1.layouts.experts import DeferredExpert
from timer_forecaster.models.timer_s1.layouts.packing import Pack, unpacked_experts

DEFERRED_FROM_BYTES = 10**9
"""Size of the files of a checkpoint from which on experts are read at their first use."""

_TRIM_EVERY = 32  # experts


@torch.no_grad()
def fill(
    network: nn.Module, folder: Path, pack: Pack | None = None, deferred: bool | None = None
) -> None:
    """Fill an empty network with the weights of a folder, as they are stored.

    Parameters
    ----------
    network : nn.Module
        A network on the meta device.
    folder : Path
        Folder with ``model.safetensors``, or with shards and their index.
    pack : callable, optional
        Returns the module that replaces an expert. The weights of the expert are mapped from the
        file, in the stored type, and are freed before the next expert is read.
    deferred : bool, optional
        Whether an expert is read and replaced when its first token comes. The files must not
        change until then, which is checked. Default: True for files of `DEFERRED_FROM_BYTES` or
        more.

    Raises
    ------
    ValueError
        If a file cannot be read, if the network and the folder do not have the same tensors, or if
        weights are NaN or infinite. The error names folder and file.
    """
    files = tensor_files(folder)
    check_stored(folder, files, network.state_dict())
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
    tensors = read_tensors(folder, files, rest)
    check_finite(folder, files, tensors)
    network.load_state_dict(tensors, strict=False, assign=True)


class FileChangedError(RuntimeError, ValueError):
    """A file that is no longer the one that a network was loaded from."""


class _ExpertReader:
    """Reads the experts of a network from files that are not kept open between two experts.

    Pages that are read through the map of a file count as memory of the process as long as the
    map exists. One map for each expert frees its pages; one map for all experts would hold the
    whole file in the end. The files must not change, so that two networks are never mixed.
    """

    def __init__(self, folder: Path, files: Mapping[str, str], pack: Pack, n_experts: int) -> None:
        self._folder, self._files, self._pack = folder, files, pack
        self._found = {file: (folder / file).stat() for file in set(files.values())}
        self._left = itertools.count(n_experts - 1, -1)  # several threads may take from it

    @property
    def n_bytes(self) -> int:
        """Size of all files together."""
        return sum(found.st_size for found in self._found.values())

    @torch.no_grad()
    def read(self, expert: nn.Module, own: Mapping[str, str]) -> nn.Module:
        """Read an expert and return its replacement.

        Parameters
        ----------
        expert : nn.Module
            The expert, without weights.
        own : mapping of str to str
            Names of its tensors within it, by their names in the files.
        """
        for file in {self._files[name] for name in own}:
            self._check_unchanged(file)
        read = read_tensors(self._folder, self._files, own)
        check_finite(self._folder, self._files, read)
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
        raise FileChangedError(
            f"{path} was {event} after its network was loaded, and before all experts were read "
            "from it, each at its first use. Call timer_forecaster.release() and load the "
            "checkpoint again, and leave its folder as it is while forecasts are made"
        )


def file_version(found: os.stat_result) -> tuple[int, int, int]:
    """Return values that differ between two versions of a file."""
    return found.st_ino, found.st_size, found.st_mtime_ns


def folder_version(folder: Path) -> tuple[tuple[Path, int, int, int], ...] | None:
    """Return values that differ between two versions of a checkpoint; no file is read.

    None if the folder holds no whole checkpoint, for instance because it was deleted.
    """
    weights = sorted(folder.glob("*.safetensors*"))
    try:
        found = [(file, *file_version(file.stat())) for file in (folder / "config.json", *weights)]
    except FileNotFoundError:
        return None
    return tuple(found) if weights else None


def _trim_heap() -> None:
    """Make the C library return the free memory of its heap to the system.

    The packed weights of an expert are allocated between temporary tensors. Freed temporaries
    leave gaps that are too small for the next ones. glibc keeps such gaps, and they add up to a
    third of the packed size.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "malloc_trim"):  # a function of glibc; other libraries keep less memory
            libc.malloc_trim(0)


def _tensor_names(network: nn.Module, module: str) -> dict[str, str]:
    """Return the names of the tensors of a module within it, by their names in the network."""
    return {f"{module}.{own}": own for own in network.get_submodule(module).state_dict()}
