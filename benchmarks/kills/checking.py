"""Kill a case once, and check what is left, and what a second run makes of it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.kills.cases import Case
from benchmarks.kills.contents import HIDDEN
from benchmarks.kills.killing import Ending, run


class Reference(NamedTuple):
    """A case that was not killed."""

    earlier: Any  # contents
    new: Any
    files: list[str]  # all files that are there at the end
    seconds: float
    operations: list[float]  # seconds until each operation on files


class Refused(Exception):
    """A command that does not take its arguments."""


def reference(case: Case, root: Path) -> Reference:
    """Run a case as it is.

    Raises
    ------
    Refused
        If the command fails.
    """
    with _place(root) as place:
        _prepare(case, place)
        earlier = case.read(place)
        ended = _run(case, place)
        if ended.status:
            raise Refused(f"{case.name}: {ended.output.strip()[-300:]}")
        return Reference(earlier, case.read(place), _files(place), ended.seconds, ended.operations)


def moment(known: Reference, random: np.random.Generator) -> float:
    """Draw the seconds after which to kill: anywhere in the run, or near an operation on files."""
    if random.random() < 0.5 or not known.operations:
        return float(random.uniform(0, 1.05 * known.seconds))
    near = random.choice(known.operations) + random.normal(scale=0.01)
    return float(max(0.0, near))


def kill(case: Case, known: Reference, root: Path, **when: Any) -> dict[str, Any]:
    """Kill a case, check its output, run it again, and check that too.

    Returns
    -------
    dict
        ``state``: ``"not killed"``, ``"earlier"``, ``"new"``, ``"part"`` or ``"damaged"``;
        ``problems``: a list of texts.
    """
    problems: list[str] = []
    with _place(root) as place:
        _prepare(case, place)
        ended = _run(case, place, **when)
        state = _state(case, known, place, problems) if ended.killed else "not killed"
        visible = {name for name in _files(place) if HIDDEN not in name}
        visible = {name for name in visible if Path(name).parts[0] != case.parts}
        if state not in ("damaged", "part") and not visible <= set(known.files):
            problems.append(f"unknown files: {sorted(visible - set(known.files))[:3]}")
        if case.once and _read(case, place) == known.new:
            shutil.rmtree(place / "out")
        again = _run(case, place)
        if again.status:
            problems.append(f"second run: {again.output.strip()[-200:]}")
        elif _read(case, place) != known.new:
            problems.append("second run: another result")
        elif _files(place) != known.files:
            left = sorted(set(_files(place)) ^ set(known.files))
            problems.append(f"second run: other files {left[:3]}")
    return {"state": state, "problems": problems}


def _state(case: Case, known: Reference, place: Path, problems: list[str]) -> str:
    found = _read(case, place)
    if isinstance(found, Exception):
        problems.append(f"damaged: {found}"[:300])
        return "damaged"
    if found == known.new:
        return "new"
    if found == known.earlier:
        return "earlier"
    if case.resumes:
        return "part"
    problems.append("damaged: neither the earlier nor the new output")
    return "damaged"


def _read(case: Case, place: Path) -> Any:
    """Return the contents of an output, or the error that reading it raises."""
    try:
        return case.read(place)
    except Exception as error:
        return error


def _place(root: Path) -> tempfile.TemporaryDirectory[str]:
    return _Place(dir=root, prefix="place-")


class _Place(tempfile.TemporaryDirectory):  # type: ignore[type-arg]
    def __enter__(self) -> Path:  # type: ignore[override]
        return Path(super().__enter__())


def _prepare(case: Case, place: Path) -> None:
    if case.earlier is not None:
        ended = run(case.earlier, place, place.parent / "log.txt")
        if ended.status:
            raise Refused(f"{case.name}: {ended.output.strip()[-300:]}")


def _run(case: Case, place: Path, **when: Any) -> Ending:
    return run(case.work, place, place.parent / "log.txt", **when)


def _files(place: Path) -> list[str]:
    return sorted(str(path.relative_to(place)) for path in place.rglob("*"))
