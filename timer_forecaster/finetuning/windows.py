"""Windows to train on, and later windows to validate by."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Generator

from timer_forecaster.arrays import FloatArray
from timer_forecaster.finetuning.errors import NothingToTuneError
from timer_forecaster.inference.scaling import LEAST_RANGE, check_finite
from timer_forecaster.models.timer_s1 import TimerS1Architecture
from timer_forecaster.models.timer_s1.batches import MaskShares, TrainingBatch, make_batch

MOST_VALIDATED = 128
"""Largest number of windows that validate. They are spread evenly over series and time."""

_MASKS = MaskShares(points=0, stretch=0, patches=0)


class Split(NamedTuple):
    """Series to train on, and windows that validate."""

    training: list[FloatArray]  # series, without the steps that validate
    contexts: list[FloatArray]  # of the windows that validate
    targets: FloatArray  # (windows, steps) after each context, NaN where missing or beyond the end
    trained_series: list[int]  # number of each series to train on
    validated_series: list[int]  # number of the series of each window that validates
    training_known: Sequence[FloatArray] = ()  # columns (columns, steps) beside each series
    known: Sequence[FloatArray] = ()  # the same beside each context and its target


def split_series(
    series: Sequence[FloatArray],
    share: float,
    context_length: int,
    horizon: int,
    known: Sequence[FloatArray] | None = None,
) -> Split:
    """Cut each series in time: the newest steps validate, the others are for training.

    Parameters
    ----------
    series : sequence of ndarray, each (steps,)
    share : float
        Share of each series that validates, at least one step.
    context_length, horizon : int
        Largest numbers of steps in a context and in a target of the windows that validate.
    known : sequence of ndarray, each (columns, steps), optional
        Known columns beside each series.
    """
    training, contexts, targets, trained, validated = [], [], [], [], []
    beside: tuple[list[FloatArray], list[FloatArray]] = [], []
    for i, values in enumerate(series):
        check_finite(values, f"series[{i}]")
        if np.isnan(values).all():
            raise ValueError(f"series[{i}] holds no observed value; leave it out")
        first = int(np.isfinite(values).argmax())
        values = values[first:]
        columns = np.empty((0, len(values))) if known is None else known[i][:, first:]
        n_training = len(values) - max(1, round(share * len(values)))
        if n_training < 1:
            continue
        training.append(values[:n_training])
        trained.append(i)
        beside[0].append(columns[:, :n_training])
        step = min(horizon, len(values) - n_training)
        for origin in range(len(values) - step, n_training - 1, -step):
            contexts.append(values[max(0, origin - context_length) : origin])
            targets.append(values[origin : origin + step])
            validated.append(i)
            beside[1].append(around(columns, origin, context_length, horizon))
    kept, padded = _thinned(contexts, targets, horizon)
    numbers = trained, [validated[i] for i in kept]
    split = Split(training, [contexts[i] for i in kept], padded, *numbers)
    if known is None:
        return split
    return split._replace(training_known=beside[0], known=[beside[1][i] for i in kept])


def around(columns: FloatArray, origin: int, context_length: int, horizon: int) -> FloatArray:
    """Return columns (columns, steps) around an origin, missing beyond their end."""
    found = columns[:, max(0, origin - context_length) : origin + horizon]
    lacking = origin + horizon - columns.shape[1]
    return np.pad(found, ((0, 0), (0, max(0, lacking))), constant_values=np.nan)


def split_windows(
    contexts: Sequence[FloatArray], targets: FloatArray, share: float, context_length: int
) -> Split:
    """Cut windows by their order: the last rows validate.

    If each row is one step after the row before, the targets of the last training rows overlap
    the targets of the first rows that validate. These training rows are left out, but at most half
    of the training rows.
    """
    n_rows, horizon = targets.shape
    for i, row in enumerate(zip(contexts, targets, strict=True)):
        for name, values in zip(("contexts", "targets"), row, strict=True):
            check_finite(values, f"{name}[{i}]")
    first = n_rows - max(1, round(share * n_rows))
    n_training = max(first // 2, first - horizon + 1)
    rows = zip(contexts[:n_training], targets[:n_training], strict=True)
    training = [np.concatenate(row) for row in rows]
    cut = [values[-context_length:] for values in contexts[first:]]
    kept, padded = _thinned(cut, list(targets[first:]), horizon)
    numbers = [*range(n_training)], [first + i for i in kept]
    return Split(training, [cut[i] for i in kept], padded, *numbers)


def _thinned(
    contexts: list[FloatArray], targets: list[FloatArray], horizon: int
) -> tuple[list[int], FloatArray]:
    """Keep at most `MOST_VALIDATED` windows, all with a varying context and an observed target.

    Return their numbers and their targets.
    """
    pairs = zip(contexts, targets, strict=True)
    usable = [
        i
        for i, (context, target) in enumerate(pairs)
        if np.isfinite(target).any() and varies(context)
    ]
    n_kept = min(len(usable), MOST_VALIDATED)
    kept = [usable[i] for i in np.linspace(0, len(usable) - 1, n_kept).round().astype(int)]
    padded = np.full((n_kept, horizon), np.nan)
    for row, i in zip(padded, kept, strict=True):
        row[: len(targets[i])] = targets[i]
    return kept, padded


def varies(values: FloatArray) -> bool:
    """Whether a forecast reads the values as more than a constant; see `scaled`."""
    observed = values[np.isfinite(values)]
    if len(observed) < 2:
        return False
    peak = float(np.abs(observed).max()) or 1.0
    return bool(np.ptp(observed / peak) > LEAST_RANGE)


def _unit(values: FloatArray) -> float:
    """Return the power of two at or below the largest value: division by it rounds nothing."""
    return math.ldexp(1.0, math.frexp(np.nanmax(np.abs(values)))[1] - 1)


class WindowSampler:
    """Draws batches of windows. Their ends are spread evenly over the steps of all series.

    Parameters
    ----------
    series : sequence of ndarray, each (steps,)
        NaN where missing.
    config : TimerS1Architecture
        Architecture of the network.
    n_rows, n_patches : int
        Number of windows in a batch, and of patches in a window.
    seed : int
    device : torch.device
        Device of the batches.

    Raises
    ------
    NothingToTuneError
        If no series is long enough and varies.
    """

    def __init__(
        self,
        series: Sequence[FloatArray],
        config: TimerS1Architecture,
        n_rows: int,
        n_patches: int,
        seed: int,
        device: torch.device,
    ) -> None:
        length = config.input_token_len
        self._series = [values for values in series if len(values) > length and varies(values)]
        if not self._series:
            longest = max((len(values) for values in series), default=0)
            raise NothingToTuneError(
                "series: there is nothing to train on; one of them at least must vary, in more "
                f"than {length} steps before those that validate. The longest has {longest} there"
            )
        lengths = np.array([len(values) for values in self._series], dtype=np.float64)
        self._shares = lengths / lengths.sum()
        self._config, self._n_rows, self._steps = config, n_rows, n_patches * length
        self._random = np.random.default_rng(seed)
        self._generator = Generator(device).manual_seed(seed)
        self._device = device

    def batch(self) -> TrainingBatch:
        """Draw a batch of windows."""
        length, n_rows = self._config.input_token_len, self._n_rows
        rows = np.full((n_rows, self._steps), np.nan, dtype=np.float32)
        chosen = self._random.choice(len(self._series), n_rows, p=self._shares)
        for row, i in zip(rows, chosen, strict=True):
            values = self._series[i]
            # Series that are shorter than a window are cut into patches from different steps on.
            first = min(self._steps, len(values) - length + 1)
            end = self._random.integers(max(first, length + 1), len(values), endpoint=True)
            window = _standard(values[max(0, end - self._steps) : end])
            row[self._steps - len(window) :] = window
        series = torch.from_numpy(rows).to(self._device)
        batch = make_batch(series, length, self._generator, _MASKS)
        return batch if self._config.interior_masks else _filled(batch)


def _standard(window: FloatArray) -> FloatArray:
    """Scale a window in float64, before it is cast. One that does not vary becomes zeros.

    The statistics are relative to the window, whose squares could be too large or too small.
    """
    if not varies(window):
        return np.where(np.isnan(window), np.nan, 0.0)
    relative = window / _unit(window)
    standard: FloatArray = (relative - np.nanmean(relative)) / np.nanstd(relative)
    return standard


def _filled(batch: TrainingBatch) -> TrainingBatch:
    """Fill gaps of the inputs with the last value before, as in forecasts of such networks."""
    n_steps = batch.inputs.shape[-1] // 2
    values, flags = (part.flatten(1) for part in batch.inputs.split(n_steps, dim=-1))
    order = torch.arange(values.shape[-1], device=values.device)
    latest = torch.where(flags > 0, order, -1).cummax(-1).values  # (B, steps)
    values = values.gather(-1, latest.clamp_min(0)).masked_fill(latest < 0, 0.0)
    flags = (latest >= 0).to(flags.dtype)
    tokens = [part.unflatten(-1, (-1, n_steps)) for part in (values, flags)]
    return batch._replace(inputs=torch.cat(tokens, dim=-1))


def data_fingerprint(series: Sequence[FloatArray]) -> str:
    """Return a digest of the values of series."""
    digest = hashlib.blake2b(digest_size=16)
    for values in series:
        digest.update(len(values).to_bytes(8, "little"))
        digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()


def chunks(contexts: Sequence[FloatArray], most: int) -> list[list[int]]:
    """Group the numbers of windows of similar length, at most ``most`` in a group."""
    order = sorted(range(len(contexts)), key=lambda i: len(contexts[i]))
    return [order[start : start + most] for start in range(0, len(order), most)]
