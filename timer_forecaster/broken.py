"""Files that cannot be read: the reason, and a remedy that works."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

_POINTER = b"version https://git-lfs.github.com/"  # first line of a file that git-lfs left out
_PAGES = (b"<!doctype", b"<html")


def remedy(path: Path) -> str:
    """Return a sentence about a file that cannot be read: its state, and what helps.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "model.safetensors")
    ...     file.touch()
    ...     remedy(file)
    'model.safetensors is empty: download or copy it again'
    """
    again = "download or copy it again"
    if os.path.islink(path) and not os.path.exists(path):
        return f"{path.name} is a link to a file that is gone: {again}"
    if os.path.isdir(path):
        return f"{path.name} is a folder: put the file in its place"
    if not os.access(path.parent, os.X_OK) or (
        os.path.exists(path) and not os.access(path, os.R_OK)
    ):
        return f"you may not read {path.name}: change the permissions of the file and its folder"
    if not os.path.exists(path):
        return f"{path.name} is missing: {again}"
    start = _start(path)
    if not start:
        return f"{path.name} is empty: {again}"
    if start.startswith(_POINTER):
        return (
            f"{path.name} is a pointer of git-lfs and not the file itself: run `git lfs pull` in "
            f"{path.parent}, or download the file"
        )
    if start.lstrip().lower().startswith(_PAGES):
        return f"{path.name} is a web page: download the file itself, not the page about it"
    return f"{path.name} is cut off, damaged or of another kind: {again}"


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(64)
    except OSError:
        return b""


def read_object(path: Path) -> dict[str, Any]:
    """Read a file of JSON that holds one object.

    Raises
    ------
    ValueError
        If there is no such file, or if it holds anything else; the error names the file.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ValueError(f"{path} cannot be read: {reason}; {remedy(path)}") from error
    if not isinstance(values, dict):
        raise ValueError(
            f"{path} holds no settings and cannot be read: it is {_kind(values)} in place of an "
            "object of JSON, {...}; download or copy it again"
        )
    return values


def _kind(value: Any) -> str:
    kinds = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")
