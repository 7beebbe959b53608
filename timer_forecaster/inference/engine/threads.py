"""The threads of the library, each of which runs torch on one OpenMP thread.

torch divides each operation among OpenMP threads, which spin at a barrier after it. If another
process keeps the cores busy, each operation waits for a slice of the scheduler, and a forecast
takes ten to twenty times as long. The threads here take whole batches instead, or the experts of a
wide network, and meet once at the end. Their number is ``torch.get_num_threads()`` in the caller;
with one, everything runs in the calling thread.

OpenMP and MKL keep a number of threads for each thread. Only the numbers of threads that work for
a call are changed, until the call returns. ``torch.set_num_threads`` would also change the default
of threads that the user starts later.
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

# A symbol is looked up in this library and its dependencies, so these are the OpenMP and MKL of
# torch, not of another package. Without the first, the threads of torch are left as they are.
_torch = ctypes.CDLL(torch._C.__file__)
_set_openmp_threads = getattr(_torch, "omp_set_num_threads", None)
_set_mkl_threads = getattr(_torch, "MKL_Set_Num_Threads_Local", None)


@contextmanager
def one_openmp_thread() -> Iterator[None]:
    """Run the torch operations of the calling thread on this thread alone; affect no other."""
    before = torch.get_num_threads()  # also makes torch set up a thread that is new to it
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
    """A call that one of several threads makes, and its result."""

    def __init__(self, call: Callable[[], Result]) -> None:
        self.call = call
        self.future: Future[Result] = Future()

    def run(self) -> None:
        try:
            result = self.call()
        except BaseException as error:
            self.future.set_exception(error)
            if not isinstance(error, Exception):
                raise  # an interrupt does not wait until the result of this job is asked for
        else:
            self.future.set_result(result)


class ThreadTeam:
    """The calling thread and its helpers, for the time of one call of the library.

    No thread waits for a job that nobody has begun: the thread that hands jobs out works on them
    too, until all are taken. So jobs may hand out jobs, and helpers may be few, late or absent.

    Parameters
    ----------
    share_experts : bool
        Whether the experts of a block are handed to idle helpers.

    Attributes
    ----------
    n_helpers : int
        Number of helpers that were asked to come.
    """

    def __init__(self, share_experts: bool) -> None:
        self.n_helpers = 0
        self._expert_map = self.map_if_idle if share_experts else map
        self._untaken: list[deque[_Job[Any]]] = []  # one deque for each `map` in progress
        self._idle = 0
        self._dismissed = False
        self._changed = threading.Condition()  # guards all three

    def map(self, function: Callable[..., Result], *iterables: Iterable[Any]) -> Iterator[Result]:
        """Map as the built-in does, in any of the threads; results and errors come in order."""
        every = zip(*iterables, strict=True)
        jobs = deque(_Job(partial(function, *arguments)) for arguments in every)
        untaken = deque(islice(jobs, 1, None))  # the caller takes the first: it would only wait
        with self._changed:
            self._untaken.append(untaken)
            self._changed.notify_all()
        try:
            if jobs:
                jobs[0].run()
            while jobs:
                job = jobs.popleft()  # so that only the caller keeps its result
                while not job.future.done() and (own := _take(untaken)):
                    own.run()
                yield job.future.result()
        finally:
            with self._changed:
                self._untaken = [other for other in self._untaken if other is not untaken]

    def map_if_idle(
        self, function: Callable[..., Result], *iterables: Iterable[Any]
    ) -> Iterator[Result]:
        """Map as `map` does if a helper is idle, and in the calling thread alone if none is."""
        return self.map(function, *iterables) if self._idle else map(function, *iterables)

    def help(self) -> None:
        """Take jobs until the team is dismissed."""
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
        """Release the helpers, each after the job that it has begun.

        Jobs that nobody has begun are dropped. Jobs in progress are not waited for: after an error
        or an interrupt in one job, others may still compute for a while, and their results are
        lost.
        """
        with self._changed:
            self._dismissed = True
            self._untaken.clear()
            self._changed.notify_all()

    @contextmanager
    def mapping_experts(self) -> Iterator[None]:
        """Let the team call the experts of networks that the calling thread runs."""
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
def thread_team(device: torch.device, n_jobs: int, share_experts: bool) -> Iterator[ThreadTeam]:
    """Work as one of several threads, in inference mode and without autocast.

    Parameters
    ----------
    device : torch.device
        The device that computes; if it is not a CPU, there are no helpers.
    n_jobs : int
        Number of jobs that will be handed out.
    share_experts : bool
        Whether the experts of a block are large enough to be handed to idle helpers.

    Yields
    ------
    ThreadTeam
        Its helpers are the free threads of the process-wide pool, at most
        ``torch.get_num_threads() - 1``.
    """
    here = ThreadTeam(share_experts)
    n_helpers = torch.get_num_threads() - 1
    if device.type != "cpu" or _set_openmp_threads is None:
        n_helpers = 0
    if not share_experts:
        n_helpers = min(n_helpers, n_jobs - 1)
    autocast_off = torch.autocast(device.type, enabled=False)
    with one_openmp_thread(), torch.inference_mode(), autocast_off, here.mapping_experts():
        try:
            for _ in range(n_helpers):
                # If the process may start no thread, at its end or at a limit, the caller does
                # all the work.
                with suppress(RuntimeError):
                    _get_pool().submit(here.help)
                    here.n_helpers += 1
            yield here
        finally:
            here.dismiss()


_pool: ThreadPoolExecutor | None = None
_pool_lock = threading.Lock()


def _get_pool() -> ThreadPoolExecutor:
    """Return the pool of the process. All calls share it, however many callers there are."""
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
