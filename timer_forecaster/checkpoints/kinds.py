"""Folders that are mistaken for one another: checkpoints, adapters, and adapters of peft."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple


class Kind(NamedTuple):
    """A kind of folder: the files that it is known by, and how it is loaded."""

    name: str
    files: tuple[str, ...]  # one of them is enough to know it
    loading: str


_KINDS = (
    Kind(
        "checkpoint",
        ("config.json",),
        "a checkpoint, which is loaded by its name: give it as the checkpoint (in the command by "
        "--checkpoint), and not as an adapter",
    ),
    Kind(
        "adapter",
        ("adapter.safetensors", "adapter.json"),
        "an adapter, which is loaded beside the checkpoint that was tuned: give it as adapter=… "
        "(in the command by --adapter), or to Adapter.load",
    ),
    Kind(
        "peft's adapter",
        ("adapter_config.json", "adapter_model.safetensors", "adapter_model.bin"),
        "an adapter of peft: read it by adapter = Adapter.from_peft(folder, pipeline of its "
        "checkpoint), and give that as adapter=…, or write it for the command by "
        "adapter.save(another folder)",
    ),
)


def instead(folder: Path, wanted: str) -> str:
    """Return the end of an error about a folder that is not of the kind that is wanted.

    Parameters
    ----------
    folder : Path
    wanted : {"checkpoint", "adapter", "peft's adapter"}

    Returns
    -------
    str
        A clause about the kind that it is, and how that is loaded; nothing if it is of no kind.
    """
    for kind in _KINDS:
        if kind.name != wanted and any(os.path.isfile(folder / file) for file in kind.files):
            return f"; it holds {kind.loading}"
    return ""
