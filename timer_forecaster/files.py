"""Whole files or none: a file is written under another name and renamed when it is whole.

A reader never finds half a file, whatever happens to the writer: an error, a full disk, or a signal
that kills the process. The file that was there before stays as it is until the new one is whole.
The same holds for folders.
"""

from __future__ import annotations

import errno
import glob
import hashlib
import itertools
import os
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MARK = ".unfinished-"
_PARTS = re.compile(rf"({re.escape(_MARK)}.*-\d+\.)\d+(-.*)")  # of a name, around its number
_LONGEST = 100  # bytes of a name that is part of another name; systems allow 255 in all


class UnwritableError(OSError, ValueError):
    """A file or folder that cannot be written, in words that name it."""


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
        `path`. It is an OSError too.

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
    check_writable(path)
    shown, path = Path(path), _real(path)
    if _is_device(path):
        yield path
        return
    with _unfinished(path, shown) as unfinished:
        yield unfinished
        _sync(unfinished)
        if path.exists():
            shutil.copymode(path, unfinished)
        unfinished.replace(path)


@contextmanager
def whole_folder(path: str | Path) -> Iterator[Path]:
    """Make a folder of what the caller writes to a folder of another name beside it.

    A failure or a kill leaves no folder, as `whole_file` leaves no file.

    Parameters
    ----------
    path : str or Path
        The folder, which is absent or empty.

    Yields
    ------
    Path
        An empty folder to write to.

    Raises
    ------
    ValueError
        If the folder cannot be made, as `check_new_folder` says; if the disk is full. The error
        names `path`. It is an OSError too.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     with whole_folder(f"{parent}/adapter") as unfinished:
    ...         _ = (unfinished / "a.json").write_text("{}")
    ...     [path.name for path in Path(parent, "adapter").iterdir()]
    ['a.json']
    """
    check_new_folder(path)
    shown, path = Path(path), _real(path)
    with _unfinished(path, shown) as unfinished:
        unfinished.mkdir()
        yield unfinished
        for file in unfinished.rglob("*"):
            if file.is_file():
                _sync(file)
        if path.exists():
            shutil.copymode(path, unfinished)
            if os.name == "nt":  # other systems replace an empty folder at once
                path.rmdir()
        unfinished.rename(path)


@contextmanager
def whole_pair(first: str | Path, second: str | Path) -> Iterator[tuple[Path, Path]]:
    """Replace two files of one folder that belong together; the new first file decides.

    Two files cannot be renamed at once. A process that is killed between the two leaves the new
    second file under its other name, by which `left_unfinished` finds it: a reader that knows the
    second file of a first one never lacks it.

    Parameters
    ----------
    first, second : str or Path
        The files; neither is a link, a pipe or a device.

    Yields
    ------
    Path, Path
        The names to write to.

    Raises
    ------
    ValueError
        As `whole_file` does.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = Path(folder, "a.bin"), Path(folder, "a.json")
    ...     with whole_pair(*files) as unfinished:
    ...         for name in unfinished:
    ...             name.touch()
    ...     sorted(path.name for path in Path(folder).iterdir())
    ['a.bin', 'a.json']
    """
    first, second = Path(first), Path(second)
    for path in (first, second):
        _check_place(path, path)
    staged = unfinished_name(second)
    _in_use.add(staged.name)
    renaming = False
    with _unfinished(first, first) as decisive:
        try:
            yield decisive, staged
            for path, unfinished in ((first, decisive), (second, staged)):
                _sync(unfinished)
                if path.exists():
                    shutil.copymode(path, unfinished)
            renaming = True
            decisive.replace(first)
            staged.replace(second)
        finally:
            if not renaming or decisive.exists():  # the old second file belongs to the old first
                _remove(staged)
            _in_use.discard(staged.name)
    remove_unfinished(second)


@contextmanager
def scratch_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder beside a file, for a writer that makes files of its own choice.

    It is removed at the end. The next writer of the file removes the one of a killed process.

    Parameters
    ----------
    path : Path
        The file, or the name that it has until it is whole.
    """
    parts = _PARTS.fullmatch(path.name)
    folder = unfinished_name(path)
    if parts is not None:
        folder = path.with_name(f"{parts[1]}{next(_numbers)}{parts[2]}")
    _in_use.add(folder.name)
    try:
        folder.mkdir()
        yield folder
    finally:
        _remove(folder)
        _in_use.discard(folder.name)


def left_unfinished(path: Path) -> list[Path]:
    """Return files that were written, perhaps in part, to become `path` and have not."""
    return sorted(path.parent.glob(f"{_MARK}*-{glob.escape(_short(path.name))}"))


def make_folder(path: str | Path) -> Path:
    """Make a folder, and the folders that it lies in, unless they are there.

    Raises
    ------
    ValueError
        If that is not possible; the error names `path`.
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _said(error, path) from error
    return path


def check_writable(path: str | Path) -> None:
    """Refuse a file that cannot be written, before the work that it is to hold is done.

    Raises
    ------
    ValueError
        If the folder does not exist or cannot be written to, or if `path` is a folder.
    """
    shown, path = Path(path), _real(path)
    _check_place(path, shown)
    if not _is_device(path):
        with _unfinished(path, shown) as trial:
            trial.touch(exist_ok=False)


def _check_place(path: Path, shown: Path) -> None:
    """Refuse a file whose place can be seen to be wrong, without writing to it."""
    if os.path.isdir(path):
        raise UnwritableError(f"cannot write {shown}: it is a folder")
    _check_folder_of(path, shown)
    if os.path.exists(path) and not os.access(path, os.W_OK):
        raise UnwritableError(f"cannot write {shown}: it is read-only")


def check_new_folder(path: str | Path) -> None:
    """Refuse a folder that cannot be made, before the work that it is to hold is done.

    Raises
    ------
    ValueError
        If `path` is a file or a folder that holds anything, if the folder that it is to lie in does
        not exist or cannot be written to, or if it cannot be replaced by another folder.
    """
    shown, path = Path(path), _real(path)
    if os.path.exists(path) and not os.path.isdir(path):
        raise UnwritableError(f"cannot write the folder {shown}: it is a file")
    if os.path.isdir(path) and os.listdir(path):
        raise UnwritableError(f"cannot write the folder {shown}: it exists and holds files")
    if os.path.isdir(path) and (os.path.ismount(path) or path.samefile(Path.cwd())):
        raise UnwritableError(
            f"cannot write the folder {shown}: it is a mounted disk or the working folder, which "
            "nothing may replace; name a new folder inside it"
        )
    _check_folder_of(path, shown)
    with _unfinished(path, shown) as trial:
        trial.mkdir()


def _check_folder_of(path: Path, shown: Path) -> None:
    if not os.path.isdir(path.parent):
        raise UnwritableError(f"cannot write {shown}: there is no folder {shown.parent}")


def _real(path: str | Path) -> Path:
    return Path(os.path.realpath(path))


def _is_device(path: Path) -> bool:
    """Whether a path is a pipe or a device, such as /dev/null, which nothing may replace."""
    return path.exists() and not path.is_file()


@contextmanager
def _unfinished(path: Path, shown: Path) -> Iterator[Path]:
    """Yield the name for a file or folder until it is whole; nothing is left of that name.

    Errors of the system become errors that name it as the caller does.
    """
    remove_unfinished(path)
    unfinished = unfinished_name(path)
    _in_use.add(unfinished.name)
    try:
        yield unfinished
    except UnwritableError:
        raise
    except OSError as error:
        places = str(unfinished), str(path)
        if error.filename is not None and not str(error.filename).startswith(places):
            raise  # the caller could not read something else
        raise _said(error, shown) from error
    finally:
        _remove(unfinished)
        _in_use.discard(unfinished.name)


_in_use: set[str] = set()  # names that this process writes to
_numbers = itertools.count()  # several threads may write one path


def unfinished_name(path: Path) -> Path:
    """Return a name that this process gives to a file or folder until it is whole."""
    writer = f"{socket.gethostname()}-{os.getpid()}.{next(_numbers)}"
    return path.with_name(f"{_MARK}{writer}-{_short(path.name)}")


def remove_unfinished(path: Path) -> None:
    """Remove what killed processes of this machine left behind when they wrote `path`."""
    start, end = f"{_MARK}{socket.gethostname()}-", f"-{_short(path.name)}"
    for left in path.parent.glob(f"{_MARK}*"):
        if left.name.startswith(start) and left.name.endswith(end):
            writer = left.name.removeprefix(start).removesuffix(end)
            process = re.fullmatch(r"(\d+)(\.\d+)?", writer)
            if process and not _is_written(left.name, int(process[1])):
                _remove(left)


def _is_written(name: str, process: int) -> bool:
    """Whether a process still writes to a name; containers give one number to many processes."""
    return name in _in_use if process == os.getpid() else _alive(process)


def _short(name: str) -> str:
    """Return a name, or a shorter one with the same end."""
    if len(os.fsencode(name)) <= _LONGEST:
        return name
    digest = hashlib.blake2b(os.fsencode(name), digest_size=8).hexdigest()
    return digest + "".join(Path(name).suffixes[-2:])[-20:]


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


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


def _said(error: OSError, path: Path) -> UnwritableError:
    """Return an error of the system as an error that names the file that was asked for."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        reason = "the disk is full"
    elif error.errno == errno.EFBIG:
        reason = "the file would be larger than the system allows"
    else:
        return UnwritableError(f"cannot write {path}: {error.strerror or error}")
    return UnwritableError(f"cannot write {path}: {reason}; what was there before, if any, stays")
