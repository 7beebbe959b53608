"""Errors of workers, as the errors that they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

_OF_USER = (ValueError, TypeError, ImportError)


@contextmanager
def errors_of_workers() -> Iterator[None]:
    """Raise the error of a worker in place of Ray's error about it, if a user caused it.

    Raises
    ------
    ValueError, TypeError, ImportError
        With the message that the worker's error has.
    """
    from ray.exceptions import RayError

    try:
        yield
    except RayError as error:
        cause = _cause(error)
        if cause is None:
            raise
        raise cause from None


def _cause(error: BaseException) -> Exception | None:
    """Return the innermost error that a user caused, without what Ray adds to it."""
    found = None
    seen: BaseException | None = error
    while seen is not None:
        for kind in _OF_USER:
            if isinstance(seen, kind):
                found = kind, seen
        seen = getattr(seen, "cause", None) or seen.__cause__
    if found is None:
        return None
    kind, own = found
    return kind(*own.args[:1])
