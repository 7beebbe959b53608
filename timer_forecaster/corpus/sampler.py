"""The hybrid sampler: a queue of active shards on disk, windows of their series in memory."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from timer_forecaster.corpus.curation import MIN_OBSERVED
from timer_forecaster.corpus.manifest import Manifest, ShardEntry
from timer_forecaster.corpus.shards import digest
from timer_forecaster.corpus.sources import batches, flattened

__all__ = ["ShardSampler"]

Integers = npt.NDArray[np.int64]

MAX_FACTOR = 8
"""Largest number of steps that are averaged into a step of a down-sampled window."""


class _Rows(NamedTuple):
    """Rows of shards in memory."""

    start: npt.NDArray[np.int64]  # place of the first point in the memory of values
    length: npt.NDArray[np.int64]
    weight: npt.NDArray[np.float64]  # probability of a draw


class ShardSampler:
    """Draws random windows of the series of a corpus, at bounded memory for any size of it.

    At any time a few shards are *active*: they are in memory, at four bytes a point. An epoch of
    the queue is a random order of all shards. Every `draws_per_shard` draws, the next shard of the
    queue replaces the oldest active one. A draw picks a data set of the active shards in proportion
    to ``points ** tempering`` (points of the whole corpus), a series of it in proportion to its
    length, and a window of it uniformly.

    The result of `sample` depends on the corpus, the seed and the arguments alone, not on earlier
    draws. A shard that is missing, or has another SHA-256 than the manifest says, is named in a
    warning, entered in `skipped` and left out of the queue. So two processes draw the same windows
    if the same shards are sound in both.

    Parameters
    ----------
    folder : path
        A corpus written by `build`.
    seed : int
        Seed of the queue and of all draws.
    active_shards : int
        Number of shards in memory. They take ``4 * active_shards * (points of the largest shard)``
        bytes.
    draws_per_shard : int
        Draws between two changes of the active shards. Loading a shard of 50 MB takes half a
        second or so, in the draw that needs it.
    tempering : float
        1: all points are equally likely; 0: all data sets are.
    device : torch.device or str
        Where the shards are held and windows are made. Random numbers are drawn on the CPU: windows
        are the same on every device.

    Raises
    ------
    ValueError
        If the folder is not a corpus, or an argument is out of range.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import pandas as pd
    >>> from timer_forecaster.corpus.sampler import ShardSampler
    >>> from timer_forecaster.corpus.shards import build
    >>> Path("source").mkdir()
    >>> waves = [np.sin(np.arange(200.0) / period) for period in (3, 4, 5)]
    >>> table = pd.DataFrame({"item_id": ["a", "b", "c"], "target": waves})
    >>> table.to_parquet("source/waves__D.parquet")
    >>> _ = build("source", "corpus")
    >>> ShardSampler("corpus", seed=0).sample(batch_size=8, length=64, index=0).shape
    torch.Size([8, 64])
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        seed: int = 0,
        active_shards: int = 8,
        draws_per_shard: int = 256,
        tempering: float = 0.5,
        device: torch.device | str = "cpu",
    ) -> None:
        _check_least(1, active_shards=active_shards, draws_per_shard=draws_per_shard)
        self.folder, self.seed, self.device = Path(folder), seed, torch.device(device)
        manifest = Manifest.read(folder)
        if not manifest.shards:
            raise ValueError(f"folder={str(folder)!r} holds a corpus without shards")
        self.skipped: dict[str, str] = {}
        self.names = tuple(entry.name for entry in manifest.datasets if entry.series)
        self.points = manifest.points
        self._n_series = manifest.series
        self._shards = manifest.shards
        self._draws_per_shard = draws_per_shard
        # The probability of a row is proportional to its length times the weight of its data set.
        self._weight = {
            entry.name: entry.points ** (tempering - 1.0)
            for entry in manifest.datasets
            if entry.points
        }
        self._slots = min(active_shards, len(self._shards))
        self._slot_points = max(shard.points for shard in self._shards)
        self._values = torch.empty(self._slots * self._slot_points, device=self.device)
        self._loaded: dict[int, tuple[int, _Rows]] = {}  # shard: (slot, rows)
        self._active: tuple[int, ...] = ()
        self._rows = _joined([])

    def __len__(self) -> int:
        """Count the series."""
        return self._n_series

    def active(self, index: int) -> tuple[str, ...]:
        """Return the sound shards that draw number `index` takes windows from.

        :meta private:
        """
        return tuple(self._shards[number].name for number in self._wanted(index))

    def sample(
        self, batch_size: int, length: int, index: int, downsample: float = 0.3, flip: float = 0.5
    ) -> Tensor:
        """Draw windows.

        Parameters
        ----------
        batch_size, length : int
            Number of rows and of steps in each.
        index : int
            Number of the draw, from 0: the step of a training run, for example. Draws of near-by
            numbers share their shards.
        downsample : float
            Share of rows whose steps are means of 2 to 8 original steps, where the series is long
            enough.
        flip : float
            Share of rows with their sign changed.

        Returns
        -------
        torch.Tensor of shape (batch_size, length), float32
            On the sampler's device; NaN where a step is missing and before the start of a series
            shorter than the window. Constant and hardly observed windows are avoided.

        Raises
        ------
        ValueError
            If an argument is out of range, or no shard at all can be read.

        Examples
        --------
        Draws of a training run do not depend on those before them:

        >>> from pathlib import Path
        >>> import numpy as np
        >>> import pandas as pd
        >>> from timer_forecaster.corpus.sampler import ShardSampler
        >>> from timer_forecaster.corpus.shards import build
        >>> Path("files").mkdir()
        >>> waves = [np.sin(np.arange(200.0) / period) for period in (3, 4, 5)]
        >>> table = pd.DataFrame({"item_id": ["a", "b", "c"], "target": waves})
        >>> table.to_parquet("files/waves__D.parquet")
        >>> _ = build("files", "shards")
        >>> first, again = ShardSampler("shards", seed=0), ShardSampler("shards", seed=0)
        >>> _ = first.sample(8, 64, index=0)
        >>> bool((first.sample(8, 64, index=1) == again.sample(8, 64, index=1)).all())
        True
        """
        _check_least(1, batch_size=batch_size, length=length)
        _check_least(0, index=index)
        self._activate(index)
        random = np.random.default_rng([self.seed, index])
        # Windows without variation are useless: draw some more and keep the best.
        drawn = batch_size + max(8, batch_size // 8)
        rows = self._draw_rows(drawn, random)
        factor = self._draw_factors(rows, length, downsample, random)
        first = self._draw_starts(rows, length * factor, random)
        windows = self._read(rows, first, factor, length)
        windows = torch.where(self._placed(random.random((drawn, 1)) < flip), -windows, windows)
        # Ranks of random numbers shuffle the rows; poor rows come last.
        rank = self._placed(random.random(drawn, np.float32)) + _is_poor(windows)
        return windows[torch.argsort(rank, stable=True)[:batch_size]]

    def _draw_rows(self, count: int, random: np.random.Generator) -> Integers:
        share = np.cumsum(self._rows.weight)
        rows = np.searchsorted(share, random.random(count) * share[-1], side="right")
        return np.minimum(rows, len(share) - 1)

    def _draw_factors(
        self, rows: Integers, length: int, downsample: float, random: np.random.Generator
    ) -> Integers:
        """Draw the number of steps of the series in one step of each window."""
        wanted = random.integers(2, MAX_FACTOR, len(rows), endpoint=True)
        wanted[round(downsample * len(rows)) :] = 1
        return np.minimum(wanted, np.maximum(self._rows.length[rows] // length, 1))

    def _draw_starts(self, rows: Integers, span: Integers, random: np.random.Generator) -> Integers:
        """Draw the first steps of windows of `span` steps; negative where the series is shorter."""
        room = self._rows.length[rows] - span
        start = (random.random(len(rows)) * (room + 1)).astype(np.int64)
        return np.where(room > 0, np.minimum(start, room), room)

    def _read(self, rows: Integers, first: Integers, factor: Integers, length: int) -> Tensor:
        """Return means over `factor` steps of each row from its first step; NaN before it."""
        total = torch.zeros(len(rows), length, device=self.device)
        count = torch.zeros_like(total)
        steps = torch.arange(length, device=self.device)
        for offset in range(int(factor.max())):
            chosen = np.flatnonzero(factor > offset)
            begin, pace, base = (
                self._placed(values[chosen])[:, None]
                for values in (first + offset, factor, self._rows.start[rows])
            )
            step = begin + pace * steps
            values = self._values[base + step.clamp(min=0)]
            observed = torch.isfinite(values) & (step >= 0)
            place = self._placed(chosen)
            total[place] += torch.where(observed, values, 0.0)
            count[place] += observed
        return total / count  # 0 / 0 = NaN: all steps missing

    def _placed(self, values: npt.NDArray[Any]) -> Tensor:
        return torch.from_numpy(values).to(self.device, non_blocking=True)

    def _wanted(self, index: int) -> tuple[int, ...]:
        """Return the shards of a draw: the next sound shards of the queue, each once."""
        total = len(self._shards)
        sound = total - len(self.skipped)
        if sound == 0:
            raise ValueError(f"no shard of {str(self.folder)!r} can be read: {self.skipped}")
        wanted: dict[int, None] = {}
        for position in itertools.count(index // self._draws_per_shard):
            number = int(_queue_order(self.seed, position // total, total)[position % total])
            if self._shards[number].name not in self.skipped:
                wanted[number] = None
            if len(wanted) == min(self._slots, sound):
                break
        return tuple(wanted)

    def _activate(self, index: int) -> None:
        """Load the shards of a draw, and free the others."""
        while (wanted := self._wanted(index)) != self._active:
            for number in self._loaded.keys() - set(wanted):
                del self._loaded[number]
            # An unreadable shard changes the wanted ones.
            if all(number in self._loaded or self._load(number) for number in wanted):
                # Sorted, so that the order of loading does not matter.
                self._rows = _joined([self._loaded[number][1] for number in sorted(wanted)])
                self._active = wanted

    def _load(self, number: int) -> bool:
        """Load a shard into a free slot; if that fails, skip it from now on."""
        shard = self._shards[number]
        taken = {slot for slot, _ in self._loaded.values()}
        slot = next(slot for slot in range(self._slots) if slot not in taken)
        try:
            self._loaded[number] = slot, self._read_shard(shard, slot * self._slot_points)
        except (OSError, pa.ArrowException) as error:
            self.skipped[shard.name] = " ".join(str(error).split())
            warnings.warn(
                f"shard {shard.name} of {str(self.folder)!r} is skipped: "
                f"{self.skipped[shard.name]}",
                stacklevel=5,  # the caller of `sample`
            )
            return False
        return True

    def _read_shard(self, shard: ShardEntry, start: int) -> _Rows:
        """Read a shard into the memory that begins at `start`."""
        file = self.folder / shard.name
        if not file.is_file():
            raise FileNotFoundError("the file is missing")
        if digest(file) != shard.sha256:
            raise OSError("its SHA-256 is not the manifest's: it was truncated or changed")
        names: list[str] = []
        lengths = []
        end = start
        for batch in batches(pq.ParquetFile(file), shard.points, ["dataset", "target"]):
            values, length = flattened(batch.column("target"))
            self._values[end : end + len(values)] = torch.tensor(values)
            end += len(values)
            names += batch.column("dataset").to_pylist()
            lengths.append(length)
        length = np.concatenate(lengths)
        weight = length * np.array([self._weight[name] for name in names])
        return _Rows(start + np.cumsum(length) - length, length, weight)


def _check_least(least: int, **arguments: int) -> None:
    for name, value in arguments.items():
        if value < least:
            raise ValueError(f"{name}={value!r} must be at least {least}")


def _joined(parts: Sequence[_Rows]) -> _Rows:
    empty = _Rows(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    return _Rows(*(np.concatenate(columns) for columns in zip(empty, *parts, strict=True)))


@lru_cache(maxsize=2)
def _queue_order(seed: int, epoch: int, count: int) -> Integers:
    """Return the order of the shards in an epoch of the queue."""
    return np.random.default_rng([seed, epoch, count]).permutation(count)


def _is_poor(windows: Tensor) -> Tensor:
    """Return which rows are constant or hardly observed."""
    observed = torch.isfinite(windows)
    high = torch.where(observed, windows, -torch.inf).amax(dim=1)
    low = torch.where(observed, windows, torch.inf).amin(dim=1)
    return ~(high > low) | (observed.sum(dim=1) < MIN_OBSERVED)
