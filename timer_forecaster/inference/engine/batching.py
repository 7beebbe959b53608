"""Batches of rows of similar length, computed in threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from threading import Lock

import torch

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.engine.backoff import halving
from timer_forecaster.inference.engine.threads import thread_team


def token_batches(
    n_tokens: Sequence[int], rows_at_once: Callable[[int], int], batch_size: int | None
) -> Iterator[list[int]]:
    """Group rows of similar length.

    Parameters
    ----------
    n_tokens : sequence of int
        Tokens of each row.
    rows_at_once : callable
        Returns the number of rows in a batch, at least 1, for a number of tokens in a row.
    batch_size : int, optional
        Most rows in a batch. Default: no further limit.

    Yields
    ------
    list of int
        Indices of the rows of a batch, shortest first.
    """
    batch: list[int] = []
    for index in sorted(range(len(n_tokens)), key=lambda i: n_tokens[i]):
        if batch and (len(batch) >= rows_at_once(n_tokens[index]) or len(batch) == batch_size):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def fill_in_batches(
    result: FloatArray,
    run: Callable[[list[int]], FloatArray],
    batches: Sequence[list[int]],
    *,
    device: torch.device,
    share_experts: bool,
    on_batch: Callable[[int], None] | None = None,
) -> None:
    """Run a function on every batch, in several threads, and write its output.

    Parameters
    ----------
    result : ndarray, shape (n_rows, ...)
        Receives the output of each row.
    run : callable
        Returns the output (B, ...) of the rows with these indices.
    batches : sequence of list of int
        Indices of rows, in the order in which batches begin.
    device : torch.device
        The device that computes.
    share_experts : bool
        Whether threads without a batch compute experts of other threads' batches.
    on_batch : callable, optional
        Called with the number of rows after each batch.
    """
    with thread_team(device, len(batches), share_experts) as team:
        alone = Lock() if team.n_helpers and len(batches) > 1 else None
        outputs = team.map(partial(halving, run, alone), batches)
        for batch, output in zip(batches, outputs, strict=True):
            result[batch] = output
            if on_batch is not None:
                on_batch(len(batch))
