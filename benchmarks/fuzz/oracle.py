"""Right answers and good errors: what passes, and what fails.

A question is asked by `ask`. The case then says what has to come: `must_answer` where the input is
fine, `must_refuse` where it cannot be used, and `may_refuse` where a careful reader may do both. A
refusal is a ValueError, TypeError or ImportError that names the part of the input that is wrong.
"""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

REFUSALS = (ValueError, TypeError, ImportError)
"""Errors that the package documents."""


class Broken(Exception):
    """A case that fails.

    Parameters
    ----------
    kind : str
        Short name of the kind of failure, by which the table counts.
    detail : str
        Numbers or messages of this case.
    """

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind, self.detail = kind, detail


@dataclass
class Outcome:
    """The answer to a question, or the error in its place."""

    value: Any = None
    error: Exception | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Name of the outcome in the table."""
        return "answer" if self.error is None else type(self.error).__name__


def ask(call: Callable[[], Any], also: tuple[type[Exception], ...] = ()) -> Outcome:
    """Ask a question; an error that is no documented refusal is a failure.

    Parameters
    ----------
    call : callable
        The question.
    also : tuple of types
        Further errors that count as refusals.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            outcome = Outcome(value=call())
        except (*REFUSALS, *also) as error:
            outcome = Outcome(error=error)
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{place.filename.rpartition('/')[2]}:{place.lineno}"
            raise Broken(f"traceback {type(error).__name__}", f"{where}: {error}") from error
    outcome.warnings = [str(one.message) for one in caught]
    return outcome


def must_answer(outcome: Outcome, what: str = "usable input") -> Any:
    """Return the answer; a refusal is a failure."""
    if outcome.error is not None:
        raise Broken(f"refused: {what}", brief(outcome.error)) from outcome.error
    return outcome.value


def must_refuse(outcome: Outcome, fault: str, names: Iterable[Any]) -> None:
    """Pass if there is an error that holds one of the names; all else is a failure."""
    if outcome.error is None:
        raise Broken(f"answered: {fault}", brief(outcome.value))
    check_named(outcome.error, fault, names)


def may_refuse(outcome: Outcome, fault: str, names: Iterable[Any]) -> Any:
    """Return the answer, or None for an error that holds one of the names."""
    if outcome.error is None:
        return outcome.value
    check_named(outcome.error, fault, names)
    return None


def check_named(error: Exception, fault: str, names: Iterable[Any]) -> None:
    """Fail if an error holds none of the names."""
    names = [str(name) for name in names]
    if not any(name in str(error) for name in names):
        raise Broken(f"names nothing: {fault}", f"{brief(error)} has none of {names}") from error


def brief(value: Any, most: int = 200) -> str:
    """Return a value in one short line."""
    try:
        text = f"{type(value).__name__}: {value}" if isinstance(value, Exception) else repr(value)
    except Exception as error:  # a value that cannot be shown must not hide the failure
        text = f"a {type(value).__name__} whose repr raises {type(error).__name__}"
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[:most]}…"


def require(holds: Any, kind: str, detail: Any = "") -> None:
    """Fail unless a condition holds."""
    if not holds:
        raise Broken(kind, detail if isinstance(detail, str) else brief(detail))


def require_close(got: Any, wanted: Any, tolerance: Any, kind: str) -> None:
    """Fail if two arrays differ by more than a tolerance, or in their shapes.

    Parameters
    ----------
    got, wanted : array-like of one shape
    tolerance : array-like
        Largest difference, in the units of the arrays.
    kind : str
        Name of the failure.
    """
    got, wanted = np.asarray(got, dtype=np.float64), np.asarray(wanted, dtype=np.float64)
    require(got.shape == wanted.shape, kind, f"shapes {got.shape} and {wanted.shape}")
    both_missing = np.isnan(got) & np.isnan(wanted)
    with np.errstate(over="ignore", invalid="ignore"):
        far = ~(np.abs(got - wanted) <= tolerance) & ~both_missing & (got != wanted)
    if far.any():
        place = tuple(int(i) for i in np.argwhere(far)[0])
        allowed = np.broadcast_to(tolerance, got.shape)[place]
        raise Broken(kind, f"at {place}: {got[place]!r}, not {wanted[place]!r} ± {allowed:.3g}")


def require_equal(got: Sequence[Any], wanted: Sequence[Any], kind: str) -> None:
    """Fail if two sequences differ; the detail is the first place where they do."""
    got, wanted = list(got), list(wanted)
    require(len(got) == len(wanted), kind, f"{len(got)} and not {len(wanted)}")
    for place, (one, other) in enumerate(zip(got, wanted, strict=True)):
        require(one == other, kind, f"at {place}: {brief(one)}, not {brief(other)}")
