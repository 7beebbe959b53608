"""The folder of an adapter: two files, one of weights and one that describes them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from shutil import copymode
from tempfile import TemporaryDirectory
from typing import Any

from safetensors.torch import save_file
from torch import Tensor

from timer_forecaster.checkpoints.registry import download, is_hub_id


def find_files(name: Any, revision: str | None, files: Sequence[str]) -> Path:
    """Return the folder with the files of an adapter, and download them if need be.

    Parameters
    ----------
    name : str or path
        Folder, or hub id ``owner/name``.
    revision : str, optional
        Branch, tag or commit of a hub id.
    files : sequence of str
        Names of the files.

    Raises
    ------
    ValueError, TypeError
        If there is no such adapter.
    """
    place = locate_files(name, revision, files)
    if isinstance(place, str):
        folder = download("adapter", place, revision, list(files), "a folder")
        _check_complete(place, folder, files)
        return folder
    return place


def locate_files(name: Any, revision: str | None, files: Sequence[str]) -> Path | str:
    """Return the absolute path of the folder of an adapter, or its hub id.

    `find_files` explains the arguments and the errors; here nothing is downloaded.
    """
    if not isinstance(name, (str, os.PathLike)):
        raise TypeError(f"adapter={name!r} must be an Adapter, or the name of a folder with one")
    folder = Path(name).expanduser()
    if folder.is_dir():
        if revision is not None:
            raise ValueError(f"revision={revision!r} applies to hub ids; {str(name)!r} is local")
        _check_complete(str(name), folder, files)
        return folder.resolve()
    if not is_hub_id(str(name)):
        raise ValueError(f"adapter={str(name)!r} is neither a folder nor a hub id 'owner/name'")
    return str(name)


def _check_complete(name: str, folder: Path, files: Sequence[str]) -> None:
    missing = [file for file in files if not (folder / file).is_file()]
    if missing:
        raise ValueError(f"{name!r} holds no adapter: {' and '.join(missing)} are missing")


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

    Both files are written in another folder first and then moved, so that a reader never finds
    half a file.

    Parameters
    ----------
    folder : Path
        Folder to write to, which is made if need be.
    weights : mapping of str to Tensor
        Weights by name.
    description : mapping
        Contents of the description.
    weights_file, description_file : str
        Names of the files.
    metadata : mapping of str to str
        Metadata in the file of weights.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder) as parent:
        written = Path(parent)
        save_file(dict(weights), written / weights_file, metadata=dict(metadata))
        # json writes an infinite loss as Infinity, which only Python reads.
        text = json.dumps(description, indent=2) + "\n"
        (written / description_file).write_text(text, encoding="utf-8")
        copymode(written / description_file, written / weights_file)  # safetensors writes 0600
        for file in (weights_file, description_file):
            (written / file).replace(folder / file)
