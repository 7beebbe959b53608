"""Whole files or none: a file is written under another name and renamed when it is whole.

A reader never finds half a file, whatever happens to the writer: an error, a full disk, or a signal
that kills the process. The file that was there before stays as it is until the new one is whole.
"""

from __future__ import annotations

import errno
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MARK = ".unfinished-"


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Replace a file by what the caller writes to another name in the same folder.

    The other name ends like `path`, so that a writer that chooses its format by the suffix chooses
    the right one. It is removed if the caller fails. A process that is killed leaves it behind, and
    the next writer of `path` on this machine removes it.

    Parameters
    ----------
    path : str or Path
        The file. A link is followed; a pipe or a device is written to as it is.

    Yields
    ------
    Path
        The name to write to.

    Raises
    ------
    ValueError
        If `path` cannot be written, as `check_writable` says; if the disk is full. The error names
        `path`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "forecast.csv"
    ...     with whole_file(file) as unfinished:
    ...         _ = unfinished.write_text("day,units")
    ...     [path.name for path in Path(folder).iterdir()]
    ['forecast.csv']
    """
    path = Path(os.path.realpath(path))
    check_writable(path)
    if _is_device(path):
        yield path
        return
    remove_unfinished(path)
    unfinished = unfinished_name(path)
    try:
        yield unfinished
        _sync(unfinished)
        if path.exists():
            shutil.copymode(path, unfinished)
        unfinished.replace(path)
    except OSError as error:
        raise _said(error, path) from error
    finally:
        unfinished.unlink(missing_ok=True)


def check_writable(path: str | Path) -> None:
    """Refuse a file that cannot be written, before the work that it is to hold is done.

    Raises
    ------
    ValueError
        If the folder does not exist or cannot be written to, or if `path` is a folder.
    """
    path = Path(os.path.realpath(path))
    if path.is_dir():
        raise ValueError(f"cannot write {path}: it is a folder")
    if not path.parent.is_dir():
        raise ValueError(f"cannot write {path}: there is no folder {path.parent}")
    if _is_device(path):
        return
    trial = unfinished_name(path)
    try:
        trial.touch(exist_ok=False)
        trial.unlink()
    except OSError as error:
        raise _said(error, path) from error


def _is_device(path: Path) -> bool:
    """Whether a path is a pipe or a device, such as /dev/null, which nothing may replace."""
    return path.exists() and not path.is_file()


def unfinished_name(path: Path) -> Path:
    """Return the name that this process gives to a file or folder until it is whole."""
    return path.with_name(f"{_MARK}{socket.gethostname()}-{os.getpid()}-{path.name}")


def remove_unfinished(path: Path) -> None:
    """Remove what killed processes of this machine left behind when they wrote `path`."""
    start, end = f"{_MARK}{socket.gethostname()}-", f"-{path.name}"
    for left in path.parent.glob(f"{_MARK}*"):
        process = left.name.removeprefix(start).removesuffix(end)
        if process.isdecimal() and not _alive(int(process)):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # a process of somebody else
        return True
    return True


def _sync(path: Path) -> None:
    """Put a file on the disk: a rename must not be on it before the contents are."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _said(error: OSError, path: Path) -> ValueError:
    """Return an error of the system as an error that names the file that was asked for."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ValueError(f"cannot write {path}: the disk is full; the earlier file, if any, stays")
    return ValueError(f"cannot write {path}: {error.strerror or error}")
