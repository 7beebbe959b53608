"""Write tensors to a file; errors of the system are errors of Python."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from timer_forecaster.files import scratch_folder


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
