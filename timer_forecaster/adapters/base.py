"""The checkpoint that an adapter belongs to, by a digest of its weights."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Hashable
from pathlib import Path
from typing import NamedTuple

import torch

from timer_forecaster.checkpoints.cache import at_release
from timer_forecaster.checkpoints.files import folder_version
from timer_forecaster.checkpoints.key import NetworkKey
from timer_forecaster.checkpoints.registry import find_checkpoint, is_hub_id
from timer_forecaster.checkpoints.tensors import read_tensors, tensor_files
from timer_forecaster.locks import RenewedLock
from timer_forecaster.models.families import read_architecture
from timer_forecaster.models.tuning import computed_by, told_apart_by

_SAMPLE = 256  # least number of values of a large tensor in the signature


class Base(NamedTuple):
    """The checkpoint that an adapter belongs to.

    Parameters
    ----------
    name : str
        Name of the checkpoint, by which it is loaded.
    revision : str, optional
        Branch, tag or commit of a hub id.
    signature : str
        Digest of the weights; copies of a checkpoint under other names have the same.

    Examples
    --------
    >>> from timer_forecaster.adapters import Base
    >>> str(Base("owner/name", revision="v1", signature="0f3a"))
    'owner/name@v1'
    """

    name: str
    revision: str | None
    signature: str

    @classmethod
    def of(cls, key: NetworkKey) -> Base:
        """Return the base of adapters for the network of a key.

        Parameters
        ----------
        key : NetworkKey
            ``ForecastPipeline.key`` of a pipeline.

        Returns
        -------
        Base

        Examples
        --------
        >>> from timer_forecaster import ForecastPipeline
        >>> from timer_forecaster.adapters import Base
        >>> Base.of(ForecastPipeline.from_pretrained("timer-s1-test").key).name
        'timer-s1-test'
        """
        return cls(key.name, key.revision, _signature(key))

    def __str__(self) -> str:
        """Return the name, with the revision if there is one."""
        return self.name if self.revision is None else f"{self.name}@{self.revision}"


_signatures: dict[Hashable, str] = {}
_lock = RenewedLock()  # guards the dictionary


@at_release
def _forget() -> None:
    with _lock:
        _signatures.clear()


def _signature(key: NetworkKey) -> str:
    """Return the digest of the checkpoint of a key.

    The files of a folder are read again when they change, and the files of a hub id once.
    """
    if key.config is not None:
        return hashlib.blake2b(json.dumps(key.config).encode(), digest_size=16).hexdigest()
    version: Hashable = key.name, key.revision
    if not is_hub_id(key.name):
        version = folder_version(find_checkpoint(key.name))
    with _lock:
        found = _signatures.get(version)
    if found is None:
        found = _signature_of(find_checkpoint(key.name, key.revision))
        with _lock:
            _signatures[version] = found
    return found


def _signature_of(folder: Path) -> str:
    """Return a digest of an architecture and of some weights, which are read in a moment.

    The family says which weights, and whether all their values or a sample. They are rounded to
    bfloat16, so that copies of a checkpoint in float32 and bfloat16 have the same digest (float16
    cannot hold the small values of bfloat16).
    """
    config = read_architecture(folder / "config.json")
    digest = hashlib.blake2b(digest_size=16)
    digest.update(json.dumps(computed_by(config)).encode())
    files = tensor_files(folder)
    whole = told_apart_by(config, files)
    tensors = read_tensors(folder, files, list(whole))
    for name in whole:
        values = tensors[name].flatten()
        if not whole[name]:
            values = values[:: values.numel() // _SAMPLE | 1]  # odd: from more than one column
        digest.update(f"{name}{tuple(tensors[name].shape)}".encode())
        digest.update(values.to(torch.bfloat16).contiguous().view(torch.int16).numpy().data)
    return digest.hexdigest()
