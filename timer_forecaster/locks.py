"""Locks that a forked process can take.

A fork copies the memory of a process and only one of its threads. A lock that another thread held
at that moment would stay locked in the child for ever.
"""

from __future__ import annotations

import os
import threading
from types import TracebackType
from weakref import WeakSet


class RenewedLock:
    """A lock that is free in a forked process, whoever held it in the parent.

    It is for memories that are whole between any two of their operations, such as dictionaries.

    Examples
    --------
    >>> lock = RenewedLock()
    >>> with lock:
    ...     lock.locked()
    True
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        _all.add(self)

    def locked(self) -> bool:
        """Whether a thread holds the lock."""
        return self._lock.locked()

    def __enter__(self) -> None:
        """Wait for the lock, and hold it."""
        self._lock.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give the lock back, unless a fork has freed it."""
        if self._lock.locked():
            self._lock.release()

    def _renew(self) -> None:
        self._lock = threading.Lock()


_all: WeakSet[RenewedLock] = WeakSet()


def _renew_all() -> None:
    for lock in list(_all):
        lock._renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
