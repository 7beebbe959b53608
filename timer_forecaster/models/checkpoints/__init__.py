"""The registry of checkpoints: those inside the package, and the released one by name."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

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
    local = _HERE / name if any(name == c.name and c.embedded for c in _REGISTRY) else Path(name)
    if local.is_dir():
        if revision is not None:
            raise ValueError(f"revision={revision!r} applies to hub ids; {name!r} is local")
        if not (local / "config.json").exists():
            raise ValueError(f"the folder {name!r} holds no config.json; is it a checkpoint?")
        return local
    if name.count("/") != 1 or name.startswith((".", "/", "~")):
        known = ", ".join(repr(checkpoint.name) for checkpoint in _REGISTRY)
        raise ValueError(
            f"checkpoint {name!r} is neither a registry name ({known}) nor an existing folder nor "
            "a hub id 'owner/name'"
        )
    return _download(name, revision, ["*.json", "*.safetensors"] if weights else ["config.json"])


def _download(name: str, revision: str | None, patterns: list[str]) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=patterns))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise ValueError(
            f"checkpoint {name!r} could not be downloaded ({error}); without a network use "
            "'timer-s1-mini' or a folder"
        ) from error
