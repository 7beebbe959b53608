"""Checkpoints of a run, each complete or absent."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from timer_forecaster.files import UnwritableError

KEPT = 2
"""Number of newest checkpoints that are kept."""

_RECORD = "checkpoint.json"
_PARTIAL = ".partial"


class CheckpointFolder:
    """The checkpoints of one run, one folder each.

    A checkpoint is written under another name, sealed by a list of its files with their sizes and
    checksums, and renamed. A killed process leaves at most a folder that does not count as a
    checkpoint. The list reveals a file that the disk truncated or changed.

    Parameters
    ----------
    folder : Path
        The folder of the checkpoints; the first checkpoint makes it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def partial(self, step: int) -> Path:
        """Return the folder for the files of the checkpoint of a step."""
        return self.folder / f"{_name(step)}{_PARTIAL}"

    def clear(self, step: int) -> None:
        """Make an empty folder for the files of the checkpoint of a step."""
        shutil.rmtree(self.partial(step), ignore_errors=True)
        self.partial(step).mkdir(parents=True)

    def seal(self, step: int, record: dict[str, Any]) -> Path:
        """Turn the folder of a step's files into a checkpoint, and drop old ones.

        Parameters
        ----------
        step : int
            Steps done.
        record : dict
            Values to store with it, as JSON.
        """
        partial, final = self.partial(step), self.folder / _name(step)
        files = {str(file.relative_to(partial)): _checksum(file) for file in _files(partial)}
        content = {"step": step, "files": files, "record": record}
        (partial / _RECORD).write_text(json.dumps(content, indent=2) + "\n")
        _remove(final)  # a broken checkpoint of an earlier attempt
        partial.rename(final)
        self.tidy()
        return final

    def tidy(self) -> None:
        """Drop old checkpoints, and the parts of checkpoints that killed processes have left."""
        for old in self._found()[KEPT:]:
            _remove(old)
        for leftover in self.folder.glob(f"*{_PARTIAL}"):
            shutil.rmtree(leftover, ignore_errors=True)

    @contextmanager
    def writing(self, step: int) -> Iterator[None]:
        """Name the checkpoint in errors of the system, and leave no part of it.

        Raises
        ------
        ValueError
            If the caller cannot write its files, for instance because the disk is full.
        """
        try:
            yield
        except (OSError, RuntimeError, SafetensorError) as error:  # torch has errors of its own
            shutil.rmtree(self.partial(step), ignore_errors=True)
            raise UnwritableError(
                f"cannot write the checkpoint of step {step} in {self.folder}: {error}; the "
                "checkpoint before stays, and the run resumes from it when there is room"
            ) from error

    def newest(self, on_broken: Callable[[str], None]) -> tuple[Path, int, dict[str, Any]] | None:
        """Find the newest complete checkpoint.

        Parameters
        ----------
        on_broken : callable
            Receives a message about each newer checkpoint that is incomplete.

        Returns
        -------
        folder : Path
        step : int
        record : dict
            As given to `seal`. None in place of the three if there is no checkpoint.

        Raises
        ------
        ValueError
            If there are checkpoints, but none is complete.
        """
        found = self._found()
        for path in found:
            try:
                content = json.loads((path / _RECORD).read_text())
                for name, checksum in content["files"].items():
                    if _checksum(path / name) != checksum:
                        raise ValueError(f"{name} is not what was written")
                return path, content["step"], content["record"]
            except (OSError, ValueError, KeyError) as error:
                on_broken(f"checkpoint {path} is broken ({error}); trying the one before")
        if found:
            raise ValueError(
                f"all checkpoints of {self.folder} are broken; delete them to start from the "
                "beginning, or choose another folder"
            )
        return None

    def _found(self) -> list[Path]:
        """Return the checkpoints, newest first."""
        names = [path for path in self.folder.glob("step-*") if path.suffix != _PARTIAL]
        return sorted(names, reverse=True)


def _name(step: int) -> str:
    return f"step-{step:09d}"


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _checksum(file: Path) -> str:
    with file.open("rb") as content:
        return f"{file.stat().st_size}:{hashlib.file_digest(content, 'sha256').hexdigest()}"


def _remove(checkpoint: Path) -> None:
    """Delete a checkpoint; it is renamed before its first file is deleted."""
    if checkpoint.exists():
        doomed = checkpoint.with_name(f"{checkpoint.name}.old{_PARTIAL}")
        shutil.rmtree(doomed, ignore_errors=True)
        checkpoint.rename(doomed)
        shutil.rmtree(doomed)
