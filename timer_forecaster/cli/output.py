"""Files that the command writes: checked before the work, whole after it, never the input."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from timer_forecaster import files
from timer_forecaster.cli.common import STANDARD_STREAM
from timer_forecaster.cli.report import check_report

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def check_outputs(outputs: Mapping[str, Path | None], inputs: Iterable[Path | None] = ()) -> None:
    """Refuse files that cannot be written, or that would replace an input or each other.

    Parameters
    ----------
    outputs : mapping of str to Path or None
        Files by the option that names them.
    inputs : iterable of Path or None
        Files that are read; ``-`` is the standard input.

    Raises
    ------
    ValueError
        Naming the file.
    """
    named = {option: path for option, path in outputs.items() if path is not None}
    named = {option: path for option, path in named.items() if path != STANDARD_STREAM}
    for option, path in named.items():
        check_writable(path)
        for given in inputs:
            if given is not None and _same(path, given):
                raise ValueError(f"{option} {path} is the input {given}: give it another name")
    pairs = list(named.items())
    for place, (option, path) in enumerate(pairs):
        for other, second in pairs[:place]:
            if path.resolve() == second.resolve() or _same(path, second):
                raise ValueError(f"{other} and {option} are the same file {path}")


def check_writable(path: Path) -> None:
    """Refuse a file that cannot be written, before the work that it is to hold is done."""
    if not path.parent.is_dir():
        raise ValueError(f"cannot write {path}: there is no folder {path.parent}")
    files.check_writable(path)


def check_results(arguments: argparse.Namespace, inputs: Iterable[Path | None]) -> None:
    """Refuse a table, a picture or a report of a command that cannot be written."""
    check_table(arguments.output)
    outputs = {name: getattr(arguments, name) for name in ("output", "plot", "report")}
    check_outputs({f"--{name}": path for name, path in outputs.items()}, inputs)
    check_picture(arguments.plot)
    check_report(arguments.report)


def check_picture(path: Path | None) -> None:
    """Refuse a picture that cannot be drawn, before the work is done."""
    if path is not None:
        from timer_forecaster.plotting import check_format

        check_format(path)


def check_table(path: Path | None) -> None:
    """Refuse a table whose name says no format, before the work is done."""
    if path is not None:
        from timer_forecaster.frames.files.saving import check_table_name

        check_table_name(path)


def save_picture(figure: Figure, path: Path) -> None:
    """Write a picture as a whole."""
    with files.whole_file(path) as unfinished:
        figure.savefig(unfinished, dpi=150)


def save_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table as a whole, and print a note if its format cannot hold all of it."""
    from timer_forecaster.frames.files import saving

    note = saving.save_table(table, path)
    if note:
        print(f"timer-forecaster: note: {note}", file=sys.stderr)


def _same(path: Path, given: Path) -> bool:
    """Whether two names are of one file, also by links."""
    if not path.exists() or (_is_device(path)):
        return False
    if given == STANDARD_STREAM:
        try:
            return os.path.samestat(path.stat(), os.fstat(0))
        except OSError:
            return False
    return given.exists() and path.samefile(given)


def _is_device(path: Path) -> bool:
    return not path.is_file() and not path.is_dir()
