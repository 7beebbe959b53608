"""Smaller batches where memory is short."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def halving(
    run: Callable[[list[int], int | None], FloatArray],
    batch: list[int],
    most_rows: int | None,
) -> FloatArray:
    """Run a batch, and if memory is short try again with half as many rows at once, down to one.

    Parameters
    ----------
    run : callable (batch, most_rows) -> ndarray, shape (len(batch), ...)
        Runs rows; of what it makes of them, no more than ``most_rows`` may need memory at once.
    batch : list of int
        Indices of rows.
    most_rows : int, optional
        What to begin with. Default: no bound.

    Returns
    -------
    ndarray, shape (len(batch), ...)

    Raises
    ------
    MemoryError
        If memory is short for a single row.
    """
    try:
        return run(batch, most_rows)
    except (MemoryError, RuntimeError) as error:
        if not _is_short_of_memory(error):
            raise
        if most_rows == 1:
            raise MemoryError(
                f"memory is too short to forecast one series at a time ({error}). Smaller are a "
                "shorter context_length, dtype='bfloat16' and quantised weights; on a CPU, with "
                "torch.set_num_threads(1) one batch is under way at a time"
            ) from error
    # Outside of the except clause, which keeps alive what the failed attempt had allocated.
    half = max(1, min(len(batch), most_rows or len(batch)) // 2)
    parts = [batch[start : start + half] for start in range(0, len(batch), half)]
    return np.concatenate([halving(run, part, half) for part in parts])


def _is_short_of_memory(error: Exception) -> bool:
    # torch has no type of its own for want of memory on a CPU.
    kinds = (MemoryError, torch.OutOfMemoryError)
    return isinstance(error, kinds) or "DefaultCPUAllocator" in str(error)
