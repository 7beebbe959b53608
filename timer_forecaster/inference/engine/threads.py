"""The library's own threads, each of which runs torch on one OpenMP thread.

torch shares every operation out among OpenMP threads, which spin at a barrier after it: with a
busy neighbour on the cores each operation waits for a slice of the scheduler, and a forecast takes
ten to twenty times as long. Here threads take whole batches instead, or the experts of a wide
network, and meet once at the end. How many there are is what ``torch.get_num_threads()`` tells the
caller; with one, everything runs in the calling thread.

OpenMP and MKL keep their numbers of threads for each thread, and only those of the threads that
work for a call are changed, until it returns. ``torch.set_num_threads`` would change what threads
that the user starts later find.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from typing import Any, Generic, TypeVar

import torch

from timer_forecaster.models.timer_s1.experts import expert_map

Result = TypeVar("Result")

# A symbol of this library is looked for in all that it depends on: these are torch's own OpenMP
# and MKL, and not another package's. Without the first, torch's threads are left as they are.
_torch = ctypes.CDLL(torch._C.__file__)
_set_openmp_threads = getattr(_torch, "omp_set_num_threads", None)
_set_mkl_threads = getattr(_torch, "MKL_Set_Num_Threads_Local", None)


@contextmanager
def one_openmp_thread() -> Iterator[None]:
    """Run torch's operations of the calling thread, and of no other, on this thread alone."""
    before = torch.get_num_threads()  # which also has torch set up a thread that is new to it
    if before == 1 or _set_openmp_threads is None:
        yield
        return
    _set_openmp_threads(1)
    mkl_before = _set_mkl_threads(1) if _set_mkl_threads else 0
    try:
        yield
    finally:
        _set_openmp_threads(before)
        if _set_mkl_threads:
            _set_mkl_threads(mkl_before)


class _Job(Generic[Result]):
    """A call that one of several threads makes, and what comes of it."""

    def __init__(self, call: Callable[[], Result]) -> None:
        self.call = call
        self.future: Future[Result] = Future()

    def run(self) -> None:
        try:
            result = self.call()
        except BaseException as error:
            self.future.set_exception(error)
            if not isinstance(error, Exception):
                raise  # an interrupt does not wait for the turn of the job that it happened to hit
        else:
            self.future.set_result(result)


class Crew:
    """The calling thread and its helpers, for the time of one call of the library.

    No thread ever waits for a job that nobody has begun: the one that hands jobs out works on
    them too, until all are taken. So jobs may hand out jobs, and helpers may be few, late or none.

    Parameters
    ----------
    share_experts : bool
        Whether the experts of a block are handed to helpers that have nothing to do.

    Attributes
    ----------
    n_helpers : int
        Helpers that were asked to come.
    """

    def __init__(self, share_experts: bool) -> None:
        self.n_helpers = 0
        self._expert_map = self.map_if_idle if share_experts else map
        self._untaken: list[deque[_Job[Any]]] = []  # one for each `map` that is under way
        self._idle = 0
        self._dismissed = False
        self._changed = threading.Condition()  # guards all three

    def map(self, function: Callable[..., Result], *iterables: Iterable[Any]) -> Iterator[Result]:
        """Like the built-in function, in any of the threads; results and errors come in order."""
        every = zip(*iterables, strict=True)
        jobs = deque(_Job(partial(function, *arguments)) for arguments in every)
        untaken = deque(islice(jobs, 1, None))  # the first is the caller's, who would only wait
        with self._changed:
            self._untaken.append(untaken)
            self._changed.notify_all()
        try:
            if jobs:
                jobs[0].run()
            while jobs:
                job = jobs.popleft()  # its result is the caller's to keep
                while not job.future.done() and (own := _take(untaken)):
                    own.run()
                yield job.future.result()
        finally:
            with self._changed:
                self._untaken = [other for other in self._untaken if other is not untaken]

    def map_if_idle(
        self, function: Callable[..., Result], *iterables: Iterable[Any]
    ) -> Iterator[Result]:
        """Like `map` while a helper has nothing to do, else in the calling thread alone."""
        return self.map(function, *iterables) if self._idle else map(function, *iterables)

    def help(self) -> None:
        """Take jobs until the crew is dismissed."""
        with one_openmp_thread(), torch.inference_mode(), self.mapping_experts():
            while job := self._next_job():
                job.run()

    def _next_job(self) -> _Job[Any] | None:
        with self._changed:
            self._idle += 1
            try:
                while not self._dismissed:
                    for untaken in self._untaken:
                        if job := _take(untaken):
                            return job
                    self._changed.wait()
            finally:
                self._idle -= 1
        return None

    def dismiss(self) -> None:
        """Send the helpers away, after the job that each has begun.

        Jobs that nobody has begun are dropped. Those under way are not waited for: after an error
        or an interrupt in one job, others may still compute for a while, and what comes of them
        is lost.
        """
        with self._changed:
            self._dismissed = True
            self._untaken.clear()
            self._changed.notify_all()

    @contextmanager
    def mapping_experts(self) -> Iterator[None]:
        """Let the networks that the calling thread runs have their experts called by the crew."""
        token = expert_map.set(self._expert_map)
        try:
            yield
        finally:
            expert_map.reset(token)


def _take(untaken: deque[_Job[Any]]) -> _Job[Any] | None:
    with suppress(IndexError):  # another thread was quicker
        return untaken.popleft()
    return None


@contextmanager
def crew(device: torch.device, n_jobs: int, share_experts: bool) -> Iterator[Crew]:
    """Work as one of several threads, in inference mode and without autocast.

    Parameters
    ----------
    device : torch.device
        That the jobs compute on; on another than a CPU there are no helpers.
    n_jobs : int
        How many jobs will be handed out.
    share_experts : bool
        Whether the experts of a block are worth handing to helpers that have nothing to do.

    Yields
    ------
    Crew
        Its helpers are those threads of the process-wide pool that are free, one fewer than
        ``torch.get_num_threads()`` at most.
    """
    here = Crew(share_experts)
    n_helpers = torch.get_num_threads() - 1
    if device.type != "cpu" or _set_openmp_threads is None:
        n_helpers = 0
    if not share_experts:
        n_helpers = min(n_helpers, n_jobs - 1)
    autocast_off = torch.autocast(device.type, enabled=False)
    with one_openmp_thread(), torch.inference_mode(), autocast_off, here.mapping_experts():
        try:
            for _ in range(n_helpers):
                # Where a process may start no thread, at its end or at a limit, the caller does
                # it all.
                with suppress(RuntimeError):
                    _get_pool().submit(here.help)
                    here.n_helpers += 1
            yield here
        finally:
            here.dismiss()


_pool: ThreadPoolExecutor | None = None
_pool_lock = threading.Lock()


def _get_pool() -> ThreadPoolExecutor:
    """One pool for all calls of the process, so that many callers do not start many threads."""
    global _pool
    with _pool_lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(os.cpu_count() or 1, "timer-forecaster")
        return _pool


def _forget_pool() -> None:
    global _pool, _pool_lock
    _pool, _pool_lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)  # threads do not survive a fork
