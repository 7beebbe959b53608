"""Write checkpoints, and tensors to a file; errors of the system are errors of Python."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from timer_forecaster.checkpoints.tensors import WEIGHTS_FILE
from timer_forecaster.files import make_folder, scratch_folder, whole_file


def save_file(tensors: Mapping[str, Tensor], path: Path, metadata: Mapping[str, str]) -> None:
    """Write a file of safetensors with the usual permissions.

    Parameters
    ----------
    tensors : mapping of str to Tensor
        Tensors by name.
    path : Path
        The file, usually a name that `timer_forecaster.files.whole_file` yields.
    metadata : mapping of str to str
        Further entries of the file.

    Raises
    ------
    OSError
        If the file cannot be written, for instance because the disk is full.
    """
    path.touch()
    mode = path.stat().st_mode  # safetensors makes files that nobody else may read
    with scratch_folder(path) as folder:  # safetensors has a file with a name of its own there
        written = folder / "tensors"
        try:
            safetensors.torch.save_file(dict(tensors), written, metadata=dict(metadata))
        except SafetensorError as error:
            number = re.search(r"os error (\d+)", str(error))
            if number is None:
                raise
            raise OSError(int(number[1]), os.strerror(int(number[1]))) from error
        written.chmod(mode)
        written.replace(path)


def write_checkpoint(
    folder: Path,
    entries: Mapping[str, Any],
    weights: Mapping[str, Tensor],
    dtype: torch.dtype | None = None,
) -> None:
    """Write ``config.json`` and ``model.safetensors``, which all doors load.

    Each file is complete or absent, whenever the process is killed.

    Parameters
    ----------
    folder : Path
        Made if need be.
    entries : mapping of str to object
        Entries of ``config.json``; the type of the weights is added.
    weights : mapping of str to Tensor
        A state dict.
    dtype : torch.dtype, optional
        Type to store. Default: the type of the first weight.

    Raises
    ------
    ValueError
        If a file cannot be written.
    """
    dtype = dtype or next(value.dtype for value in weights.values() if value.is_floating_point())
    stored = {
        name: (value.to(dtype) if value.is_floating_point() else value).detach().cpu().contiguous()
        for name, value in weights.items()
    }
    entries = {name: entry for name, entry in entries.items() if name != "dtype"}
    text = json.dumps(entries | {"torch_dtype": str(dtype).removeprefix("torch.")}, indent=2)
    make_folder(folder)
    with whole_file(folder / "config.json") as config:
        config.write_text(text + "\n", encoding="utf-8")
        with whole_file(folder / WEIGHTS_FILE) as unfinished:
            save_file(stored, unfinished, {"format": "pt"})
