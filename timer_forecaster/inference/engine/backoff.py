"""Smaller batches if memory is short."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

import numpy as np
import torch

from timer_forecaster.arrays import FloatArray


def halving(
    run: Callable[[list[int]], FloatArray], alone: Lock | None, batch: list[int]
) -> FloatArray:
    """Run a batch; if memory is short, run its halves one after the other, down to single rows.

    If several threads run a batch each, memory is short for all of them at once. So a batch that
    failed runs again whole at first, while other batches that failed wait.

    Parameters
    ----------
    run : callable (batch) -> ndarray, shape (len(batch), ...)
    alone : Lock, optional
        Held while a batch that failed runs again; all threads share it. None for a single thread,
        where a second try would change nothing.
    batch : list of int
        Indices of rows.

    Returns
    -------
    ndarray, shape (len(batch), ...)

    Raises
    ------
    MemoryError
        If memory is short for a single row.
    """
    try:
        return run(batch)
    except (MemoryError, RuntimeError) as error:
        if not _is_short_of_memory(error):
            raise
        if alone is None and len(batch) == 1:
            raise MemoryError(
                f"memory is too short to forecast one series at a time ({error}). Smaller are a "
                "shorter context_length, dtype='bfloat16' and quantized weights; on a CPU, with "
                "torch.set_num_threads(1) one batch is under way at a time"
            ) from error
    # Not in the except clause, which would keep the memory of the failed attempt alive.
    if alone is not None:
        with alone:
            return halving(run, None, batch)
    middle = len(batch) // 2
    return np.concatenate([halving(run, None, part) for part in (batch[:middle], batch[middle:])])


def _is_short_of_memory(error: Exception) -> bool:
    # torch raises a RuntimeError if memory is short on a CPU.
    kinds = (MemoryError, torch.OutOfMemoryError)
    return isinstance(error, kinds) or "DefaultCPUAllocator" in str(error)
