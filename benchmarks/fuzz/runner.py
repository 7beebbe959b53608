"""Many cases of a door, with a state on disk: a second run goes on where the first one stopped."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import logging
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from benchmarks.fuzz.doors import SECONDS, Case
from benchmarks.fuzz.draw import Draw
from benchmarks.fuzz.oracle import Broken, brief
from benchmarks.fuzz.product import Product

USUAL_SECONDS = 20.0
"""Seconds of the processor after which a case is too slow."""

SAVE_EVERY = 5.0  # seconds


class TooSlow(BaseException):
    """A case takes too long. No handler of the package catches it."""


@dataclass
class Failure:
    """A case that failed."""

    case: int
    kind: str
    detail: str


@dataclass
class State:
    """The cases of a door that were run, and what came of them."""

    door: str
    seed: int
    program: str
    next_case: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    cpu: float = 0.0

    def add(self, case: int, outcome: str | Failure, cpu: float) -> None:
        """Count a case."""
        if isinstance(outcome, Failure):
            self.failures.append(outcome)
        else:
            self.outcomes[outcome] += 1
        self.next_case, self.cpu = case + 1, self.cpu + cpu

    def stored(self) -> dict[str, Any]:
        """Return the state as JSON holds it."""
        return {**vars(self), "failures": [vars(one) for one in self.failures]}


class Store:
    """The file of a state, and a file with the number of the case that is running.

    If the process dies in a case, the next run counts it as a failure and goes on after it.

    Parameters
    ----------
    folder : Path or None
        None keeps nothing.
    door : str
    seed : int
    """

    def __init__(self, folder: Path | None, door: str, seed: int) -> None:
        self.door, self.seed, self.marker = door, seed, -1
        self.path = None if folder is None else folder / f"{door}-seed{seed}.json"
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)

    def read(self) -> State:
        """Return the stored state, or a new one if there is none of this program."""
        program = program_digest()
        if self.path is None or not self.path.exists():
            return State(self.door, self.seed, program)
        stored = json.loads(self.path.read_text(encoding="utf-8"))
        if stored["program"] != program:
            print(f"{self.path}: of another version of the program; starting anew")
            self.path.with_suffix(".running").unlink(missing_ok=True)
            return State(self.door, self.seed, program)
        stored["failures"] = [Failure(**one) for one in stored["failures"]]
        state = State(**{**stored, "outcomes": Counter(stored["outcomes"])})
        self._count_death(state)
        return state

    def _count_death(self, state: State) -> None:
        file = self.path.with_suffix(".running") if self.path is not None else None
        text = file.read_text().strip() if file is not None and file.exists() else ""
        if text and int(text) >= state.next_case:
            died = Failure(int(text), "the process died", "")
            state.add(int(text), died, 0.0)

    def write(self, state: State) -> None:
        """Replace the stored state."""
        if self.path is not None:
            part = self.path.with_suffix(".part")
            part.write_text(json.dumps(state.stored(), indent=1), encoding="utf-8")
            part.replace(self.path)

    def mark(self, case: int) -> None:
        """Write the number of the case that starts."""
        if self.path is not None:
            if self.marker < 0:
                flags = os.O_CREAT | os.O_WRONLY | os.O_TRUNC
                self.marker = os.open(self.path.with_suffix(".running"), flags)
            os.pwrite(self.marker, f"{case:<12}".encode(), 0)

    def close(self) -> None:
        """Remove the number of the case that was running: the process did not die."""
        if self.path is not None and self.marker >= 0:
            os.close(self.marker)
            self.path.with_suffix(".running").unlink(missing_ok=True)
            self.marker = -1


def program_digest() -> str:
    """Return a digest of the program, whose cases change with it."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def run_cases(
    case: Case, store: Store, product: Product, n_cases: int, deadline: float = float("inf")
) -> State:
    """Run the cases of a door from the stored one on.

    Parameters
    ----------
    case : callable
        Runs a case of the door.
    store : Store
    product : Product
    n_cases : int
        Number of cases in all, with those of earlier runs.
    deadline : float
        Time of `time.monotonic` at which to stop.
    """
    state, saved = store.read(), time.monotonic()
    _ = product.pipe  # loaded before the clock of the first case starts
    try:
        while state.next_case < n_cases and time.monotonic() < deadline:
            number = state.next_case
            store.mark(number)
            started = time.process_time()
            outcome = one_case(case, state.seed, store.door, number, product)
            state.add(number, outcome, time.process_time() - started)
            if time.monotonic() - saved > SAVE_EVERY:
                store.write(state)
                saved = time.monotonic()
    finally:
        store.write(state)
        store.close()
    return state


def run_again(case: Case, store: Store, product: Product) -> State:
    """Run the failed cases of a state again, and count them anew."""
    state = store.read()
    failures, state.failures = state.failures, []
    for failure in failures:
        outcome = one_case(case, state.seed, store.door, failure.case, product)
        if isinstance(outcome, Failure):
            state.failures.append(outcome)
        else:
            state.outcomes[outcome] += 1
    store.write(state)
    return state


def one_case(case: Case, seed: int, door: str, number: int, product: Product) -> str | Failure:
    """Run a case, and return the name of its outcome or its failure."""
    draw = Draw(seed, door, number)
    product.clear()
    try:
        with time_limit(SECONDS.get(door, USUAL_SECONDS)), silence():
            return case(draw, product).name
    except Broken as broken:
        detail = f"{broken.detail} | {notes_of(draw)}"
        return Failure(number, broken.kind, detail)
    except TooSlow:
        return Failure(number, "too slow", notes_of(draw))
    except Exception as error:  # a mistake of the program itself
        place: Any = error.__traceback__
        while place.tb_next is not None:
            place = place.tb_next
        where = f"{Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}"
        return Failure(number, f"program {type(error).__name__}", f"{where} {brief(error)}")


def notes_of(draw: Draw) -> str:
    """Return what a case has drawn, in one line."""
    return ", ".join(f"{name}={brief(value, 60)}" for name, value in draw.notes.items())


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise `TooSlow` after some seconds of the processor; in the main thread alone."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise TooSlow

    try:
        earlier = signal.signal(signal.SIGPROF, stop)
    except ValueError:  # another thread
        yield
        return
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, earlier)


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Drop what frameworks print and log."""
    logging.disable(logging.CRITICAL)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.disable(logging.NOTSET)
