"""The names of checkpoints: in the registry, folders, and ids of the Hugging Face hub."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from timer_forecaster.checkpoints.kinds import instead

RELEASED = "bytedance-research/Timer-S1"
"""Hub id of the released checkpoint."""

TIMER_S1_SMALL = "timer-s1-small"
"""The default checkpoint of every door, except those of TinyTimeMixer."""

TTM_MINI = "ttm-mini"
"""The TinyTimeMixer that the doors of this family take by default."""

_HERE = Path(__file__).parent
_HUB_ID = re.compile(r"\w[\w.-]*/[\w.-]+")


class Checkpoint(NamedTuple):
    """One entry of the registry."""

    name: str
    embedded: bool  # inside the package, no download
    description: str


_REGISTRY = (
    Checkpoint(
        TIMER_S1_SMALL,
        True,
        "3.0 M parameters, context 4,096; trained by this project, not distilled from Timer-S1",
    ),
    Checkpoint(
        "timer-s1-mini",
        True,
        "2.3 M parameters, context 4,096; trained by this project; faster than timer-s1-small",
    ),
    Checkpoint(
        "timer-s1-test",
        True,
        "random weights, for tests of software: its forecasts mean nothing",
    ),
    Checkpoint(
        TTM_MINI,
        True,
        "TinyTimeMixer: 0.8 M parameters, context 512; trained by this project, for small devices",
    ),
    Checkpoint(
        "ttm-test",
        True,
        "TinyTimeMixer of random weights, for tests of software: its forecasts mean nothing",
    ),
    Checkpoint(
        RELEASED,
        False,
        "the released Timer-S1: 8.3 B parameters, context 11,520; 16.6 GB from the hub",
    ),
)
_EMBEDDED = [checkpoint.name for checkpoint in _REGISTRY if checkpoint.embedded]


def list_checkpoints() -> list[Checkpoint]:
    """Return the checkpoints of the registry.

    Any other folder in the released layout, and any hub id of one, can be loaded as well.

    Returns
    -------
    list of Checkpoint
        Named tuples of ``name``, ``embedded`` and ``description``.

    Examples
    --------
    >>> from timer_forecaster import list_checkpoints
    >>> [checkpoint.name for checkpoint in list_checkpoints() if checkpoint.embedded]
    ['timer-s1-small', 'timer-s1-mini', 'timer-s1-test', 'ttm-mini', 'ttm-test']
    """
    return list(_REGISTRY)


def canonical_name(name: str | Path, revision: str | None = None) -> str:
    """Check the name of a checkpoint, without an internet connection and without its weights.

    Parameters
    ----------
    name : str or Path
        A name as in `find_checkpoint`. A str that is a name of the registry never means a folder
        of that name; a Path always means a folder.
    revision : str, optional
        Branch, tag or commit of a hub id.

    Returns
    -------
    str
        The absolute path of a folder; a name of the registry or a hub id as it is.

    Raises
    ------
    ValueError, TypeError
        If no checkpoint can have this name, or if a revision is given for a local checkpoint.
    """
    if not isinstance(name, (str, os.PathLike)):
        raise TypeError(f"checkpoint {name!r} must be a str or a Path")
    text = str(name)
    if name not in _EMBEDDED:
        folder = Path(os.path.expanduser(name))
        if os.path.isfile(folder):
            raise ValueError(f"checkpoint {text!r} is a file; name the folder that it lies in")
        if not os.path.isdir(folder):
            if not is_hub_id(text):
                known = ", ".join(repr(checkpoint.name) for checkpoint in _REGISTRY)
                raise ValueError(
                    f"checkpoint {name!r} is neither a registry name ({known}) nor an existing "
                    "folder nor a hub id 'owner/name'"
                )
            return text
        _check_folder(folder, text)
        text = str(folder.resolve())
    if revision is not None:
        raise ValueError(f"revision={revision!r} applies to hub ids; {str(name)!r} is local")
    return text


def _check_folder(folder: Path, name: str) -> None:
    """Refuse a folder that is no checkpoint."""
    if not os.access(folder, os.R_OK | os.X_OK):
        raise ValueError(
            f"the folder {name!r} cannot be read: change its permissions, or those of the folders "
            "above it"
        )
    if not os.path.lexists(folder / "config.json"):
        reason = instead(folder, "checkpoint") or "; is it a checkpoint?"
        raise ValueError(f"the folder {name!r} holds no config.json{reason}")


def is_hub_id(name: str) -> bool:
    """Whether a name has the form of a hub id, ``owner/name``.

    Examples
    --------
    >>> from timer_forecaster.checkpoints.registry import is_hub_id
    >>> [is_hub_id(name) for name in ("owner/name", "timer-s1-mini", "./owner/name")]
    [True, False, False]
    """
    return _HUB_ID.fullmatch(name) is not None


def find_checkpoint(name: str, revision: str | None = None, weights: bool = True) -> Path:
    """Return the folder of a checkpoint, and download it if need be.

    Parameters
    ----------
    name : str
        A name of `list_checkpoints`, a folder with ``config.json`` and safetensors files, or a
        hub id ``owner/name``, which is downloaded once into the cache of the hub.
    revision : str, optional
        Branch, tag or commit of a hub id.
    weights : bool
        Whether to download the weights of a hub id. False downloads only its ``config.json``.

    Returns
    -------
    Path

    Raises
    ------
    ValueError
        If there is no such checkpoint, or if a revision is given for a local one.
    """
    name = canonical_name(name, revision)
    if name in _EMBEDDED:
        return _HERE / name
    if Path(name).is_absolute():
        return Path(name)
    patterns = ["*.json", "*.safetensors"] if weights else ["config.json"]
    instead = "'timer-s1-small' or a folder"
    return download("checkpoint", name, revision, patterns, instead)


def download(kind: str, name: str, revision: str | None, patterns: list[str], instead: str) -> Path:
    """Download files of a hub id into the cache of the hub, once.

    Parameters
    ----------
    kind, instead : str
        Words of the error: the kind of the files, and names that need no internet connection.
    name : str
        Hub id ``owner/name``.
    revision : str, optional
        Branch, tag or commit.
    patterns : list of str
        Patterns of the names of the files.

    Returns
    -------
    Path
        Folder with the files.

    Raises
    ------
    ValueError
        If the files cannot be downloaded.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=patterns))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise ValueError(
            f"{kind} {name!r} could not be downloaded ({error}); without a network use {instead}"
        ) from error
