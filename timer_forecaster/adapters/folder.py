"""The folder of an adapter: two files, one of weights and one that describes them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from timer_forecaster.checkpoints.kinds import instead
from timer_forecaster.checkpoints.registry import download, is_hub_id
from timer_forecaster.checkpoints.writing import save_file
from timer_forecaster.files import (
    left_unfinished,
    make_folder,
    whole_file,
    whole_folder,
    whole_pair,
)


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
    if os.path.isfile(folder):
        raise ValueError(f"adapter={str(name)!r} is a file; name the folder that it lies in")
    if os.path.isdir(folder):
        if revision is not None:
            raise ValueError(f"revision={revision!r} applies to hub ids; {str(name)!r} is local")
        _check_complete(str(name), folder, files)
        return folder.resolve()
    if not is_hub_id(str(name)):
        raise ValueError(f"adapter={str(name)!r} is neither a folder nor a hub id 'owner/name'")
    return str(name)


def _check_complete(name: str, folder: Path, files: Sequence[str]) -> None:
    if not os.access(folder, os.R_OK | os.X_OK):
        raise ValueError(f"the folder {name!r} cannot be read: change its permissions")
    missing = [file for file in files if not os.path.isfile(folder / file)]
    if missing == [files[-1]] and left_unfinished(folder / files[-1]):
        return  # the writer was killed; `descriptions` finds the file
    if missing:
        peft = "peft's adapter" if files[0].startswith("adapter_config") else "adapter"
        hint = instead(folder, peft)
        raise ValueError(f"{name!r} holds no adapter: {' and '.join(missing)} are missing{hint}")


def descriptions(file: Path) -> list[Path]:
    """Return the files that may describe the weights beside them, the likeliest first.

    A writer that was killed after it had replaced the weights has left the description of the new
    weights under another name.
    """
    return [file] * os.path.isfile(file) + left_unfinished(file)


def write_pair(
    folder: Path,
    weights: Mapping[str, Tensor],
    description: Mapping[str, Any],
    *,
    weights_file: str,
    description_file: str,
    metadata: Mapping[str, str],
) -> None:
    """Write weights as safetensors and their description as JSON.

    A reader of `descriptions` always finds an adapter, the earlier or the new one, whenever the
    process is killed.

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

    Raises
    ------
    ValueError
        If the files cannot be written; the error names the folder or the file. It is an OSError
        too.
    """
    text = _text(description)
    if _is_new(folder):
        with whole_folder(folder) as made:
            save_file(weights, made / weights_file, metadata)
            (made / description_file).write_text(text, encoding="utf-8")
        return
    with whole_pair(folder / weights_file, folder / description_file) as (first, second):
        second.write_text(text, encoding="utf-8")
        save_file(weights, first, metadata)


def write_for_others(
    folder: Path,
    weights: Mapping[str, Tensor],
    description: Mapping[str, Any],
    *,
    weights_file: str,
    description_file: str,
    metadata: Mapping[str, str],
) -> None:
    """Write the two files for readers that know one description alone.

    `write_pair` explains the arguments. A process that is killed leaves no description if the new
    one is another; so nobody reads weights by the description of other weights.
    """
    text, described = _text(description), folder / description_file
    if _is_new(folder):
        write_pair(
            folder,
            weights,
            description,
            weights_file=weights_file,
            description_file=description_file,
            metadata=metadata,
        )
        return
    with whole_file(described) as new_description:
        new_description.write_text(text, encoding="utf-8")
        with whole_file(folder / weights_file) as new_weights:
            save_file(weights, new_weights, metadata)
            if described.exists() and described.read_bytes() != text.encode():
                described.unlink()


def _text(description: Mapping[str, Any]) -> str:
    # json writes an infinite loss as Infinity, which only Python reads.
    return json.dumps(description, indent=2) + "\n"


def _is_new(folder: Path) -> bool:
    """Whether a folder is still to be made; the folders that it lies in are made here."""
    if not os.path.isdir(folder):
        make_folder(folder.parent)
        return True
    return False
