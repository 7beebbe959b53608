"""Two files of an adapter, its weights and a description, replaced by whole ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from shutil import copymode
from tempfile import TemporaryDirectory
from typing import Any

from safetensors.torch import save_file
from torch import Tensor


def write_adapter_files(
    folder: Path,
    weights: Mapping[str, Tensor],
    description: Mapping[str, Any],
    *,
    weights_file: str,
    description_file: str,
    metadata: Mapping[str, str],
) -> None:
    """Write weights as safetensors and their description as JSON.

    Both are written under other names first and then moved, so that a reader never finds half a
    file.

    Parameters
    ----------
    folder : Path
        Is made if need be.
    weights : mapping of str to Tensor
    description : mapping
    weights_file, description_file : str
        Names of the files.
    metadata : mapping of str to str
        Of the file of weights.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder) as parent:
        written = Path(parent)
        save_file(dict(weights), written / weights_file, metadata=dict(metadata))
        # A loss that was not finite is written as Python alone reads it.
        text = json.dumps(description, indent=2) + "\n"
        (written / description_file).write_text(text, encoding="utf-8")
        copymode(written / description_file, written / weights_file)  # 0600 otherwise
        for file in (weights_file, description_file):
            (written / file).replace(folder / file)
