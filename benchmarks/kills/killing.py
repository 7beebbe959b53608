"""Run a function in a process of its own, and kill the process with SIGKILL.

The process is forked, so that it has loaded all libraries and what remains to be done is the work
alone. It can be killed after a time, or before its k-th operation on the files of a folder: an
opening for writing, a renaming, a removal. The second way meets each point between two operations.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

Work = Callable[[], int]
"""A function that returns an exit status, as the command does."""

_OPERATIONS = {  # events of Python's audit hooks, with the places of paths among their arguments
    "os.rename": (0, 1),
    "os.remove": (0,),
    "os.rmdir": (0,),
    "os.mkdir": (0,),
    "os.link": (0, 1),
    "os.symlink": (1,),
    "os.truncate": (0,),
    "os.chmod": (0,),
    "open": (0,),
}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Ending(NamedTuple):
    """The end of a process."""

    killed: bool
    status: int  # exit status; of no meaning if it was killed
    seconds: float
    operations: list[float]  # seconds until each operation on files; empty if it was killed
    output: str


def run(
    work: Work,
    folder: Path,
    log: Path,
    *,
    seconds: float | None = None,
    operation: int | None = None,
) -> Ending:
    """Run a function in a new process, in a folder, and kill it if asked to.

    Parameters
    ----------
    work : callable
    folder : Path
        The working folder of the process. Operations on its files are counted.
    log : Path
        File for the output of the process.
    seconds : float, optional
        Kill the process after this time.
    operation : int, optional
        Kill the process before this operation on files, counted from 0.
    """
    reading, writing = os.pipe()
    started = time.perf_counter()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _be_child(work, folder, log, writing, operation)
    os.close(writing)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status)
    return Ending(
        killed,
        -1 if killed else os.waitstatus_to_exitcode(status),
        time.perf_counter() - started,
        json.loads(said) if said and not killed else [],
        log.read_text(encoding="utf-8", errors="replace") if log.exists() else "",
    )


def _be_child(work: Work, folder: Path, log: Path, writing: int, operation: int | None) -> None:
    """Do the work and end the process, whatever happens."""
    status = 70
    try:
        os.chdir(folder)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        sys.stdout = sys.stderr = open(1, "w", closefd=False)
        times = _count_operations(folder, operation)
        status = work()
        os.write(writing, json.dumps(times).encode())
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)


def _count_operations(folder: Path, last: int | None) -> list[float]:
    """Note the time of each operation on files of a folder; end the process before the last."""
    inside, started, times = os.path.realpath(folder), time.perf_counter(), []

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _OPERATIONS or (event == "open" and not arguments[2] & _WRITING):
            return
        paths = [arguments[place] for place in _OPERATIONS[event]]
        if not any(_lies_in(path, inside) for path in paths):
            return
        if len(times) == last:
            os.kill(os.getpid(), signal.SIGKILL)
        times.append(time.perf_counter() - started)

    sys.addaudithook(hook)
    return times


def _lies_in(path: Any, folder: str) -> bool:
    if not isinstance(path, (str, bytes, os.PathLike)):  # a file that is open
        return False
    return os.path.abspath(os.fsdecode(path)).startswith(f"{folder}{os.sep}")
