"""The registry of checkpoints: those inside the package, and the released one by name."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

_HERE = Path(__file__).parent
RELEASED = "bytedance-research/Timer-S1"


class Checkpoint(NamedTuple):
    """One entry of the registry."""

    name: str
    embedded: bool  # inside the package, no download
    description: str


_REGISTRY = (
    Checkpoint(
        "timer-s1-mini",
        True,
        "2.3 M parameters, context 4,096; trained by this project, not distilled from Timer-S1",
    ),
    Checkpoint(
        "timer-s1-test",
        True,
        "random weights, for tests of software: its forecasts mean nothing",
    ),
    Checkpoint(
        RELEASED,
        False,
        "the released Timer-S1: 8.3 B parameters, context 11,520; 16.6 GB from the hub",
    ),
)
_EMBEDDED = [checkpoint.name for checkpoint in _REGISTRY if checkpoint.embedded]


def list_checkpoints() -> list[Checkpoint]:
    """List the checkpoints known by name.

    Any folder in the released layout and any hub id of such a folder can be loaded as well.

    Returns
    -------
    list of Checkpoint
        Named tuples of ``name``, ``embedded`` and ``description``.

    Examples
    --------
    >>> from timer_forecaster import list_checkpoints
    >>> [checkpoint.name for checkpoint in list_checkpoints() if checkpoint.embedded]
    ['timer-s1-mini', 'timer-s1-test']
    """
    return list(_REGISTRY)


def canonical_name(name: str | Path, revision: str | None = None) -> str:
    """Check the name of a checkpoint, as far as that needs neither a network nor its weights.

    Parameters
    ----------
    name : str or Path
        As for `find_checkpoint`. A str that is a name of the registry goes before a folder of
        that name, a Path is never one of the registry.
    revision : str, optional
        Branch, tag or commit of a hub id.

    Returns
    -------
    str
        A folder's absolute path; names of the registry and hub ids as they are.

    Raises
    ------
    ValueError, TypeError
        If this can name no checkpoint, or a revision is given for something local.
    """
    if not isinstance(name, (str, os.PathLike)):
        raise TypeError(f"checkpoint {name!r} must be a str or a Path")
    text = str(name)
    if name not in _EMBEDDED:
        folder = Path(os.path.expanduser(name))
        if not folder.is_dir():
            _check_hub_id(name)
            return text
        if not (folder / "config.json").exists():
            raise ValueError(f"the folder {text!r} holds no config.json; is it a checkpoint?")
        text = str(folder.resolve())
    if revision is not None:
        raise ValueError(f"revision={revision!r} applies to hub ids; {str(name)!r} is local")
    return text


def _check_hub_id(name: str | Path) -> None:
    text = str(name)
    if text.count("/") != 1 or text.startswith((".", "/", "~")):
        known = ", ".join(repr(checkpoint.name) for checkpoint in _REGISTRY)
        raise ValueError(
            f"checkpoint {name!r} is neither a registry name ({known}) nor an existing folder nor "
            "a hub id 'owner/name'"
        )


def find_checkpoint(name: str, revision: str | None = None, weights: bool = True) -> Path:
    """Folder of a checkpoint given by registry name, folder or hub id.

    Parameters
    ----------
    name : str
        A name of `list_checkpoints`, a folder with ``config.json`` and safetensors files, or a
        hub id ``owner/name``, which is downloaded once into the hub's cache.
    revision : str, optional
        Branch, tag or commit of a hub id.
    weights : bool
        False fetches no weights of a hub id, its ``config.json`` alone.

    Raises
    ------
    ValueError
        If nothing of that name can be had, or a revision is given for something local.
    """
    name = canonical_name(name, revision)
    if name in _EMBEDDED:
        return _HERE / name
    if Path(name).is_absolute():
        return Path(name)
    patterns = ["*.json", "*.safetensors"] if weights else ["config.json"]
    instead = "'timer-s1-mini' or a folder"
    return download("checkpoint", name, revision, patterns, instead)


def download(what: str, name: str, revision: str | None, patterns: list[str], instead: str) -> Path:
    """Fetch files of a hub id into the hub's cache, once.

    Parameters
    ----------
    what, instead : str
        What it is, and what works without a network, for the error's message.
    name : str
        Hub id ``owner/name``.
    revision : str, optional
        Branch, tag or commit.
    patterns : list of str
        Of the names of the files.

    Raises
    ------
    ValueError
        If they cannot be had.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=patterns))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise ValueError(
            f"{what} {name!r} could not be downloaded ({error}); without a network use {instead}"
        ) from error


def find_files(name: Any, revision: str | None, files: Sequence[str]) -> Path:
    """Find the folder with the files of an adapter, which are fetched from the hub if need be.

    Raises
    ------
    ValueError, TypeError
        If there is none.
    """
    place = locate_files(name, revision, files)
    if isinstance(place, str):
        folder = download("adapter", place, revision, list(files), "a folder")
        _check_complete(place, folder, files)
        return folder
    return place


def locate_files(name: Any, revision: str | None, files: Sequence[str]) -> Path | str:
    """Find the folder of an adapter; a hub id stays what it is."""
    if not isinstance(name, (str, os.PathLike)):
        raise TypeError(f"adapter={name!r} must be an Adapter, or the name of a folder with one")
    folder = Path(name).expanduser()
    if folder.is_dir():
        if revision is not None:
            raise ValueError(f"revision={revision!r} applies to hub ids; {str(name)!r} is local")
        _check_complete(str(name), folder, files)
        return folder.resolve()
    if not re.fullmatch(r"\w[\w.-]*/[\w.-]+", str(name)):
        raise ValueError(f"adapter={str(name)!r} is neither a folder nor a hub id 'owner/name'")
    return str(name)


def _check_complete(name: str, folder: Path, files: Sequence[str]) -> None:
    missing = [file for file in files if not (folder / file).is_file()]
    if missing:
        raise ValueError(f"{name!r} holds no adapter: {' and '.join(missing)} are missing")
