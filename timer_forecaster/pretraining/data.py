"""Batches of a run. They depend on the seed, the step and the process alone."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from timer_forecaster.corpus.augmentation import monotone_maps, periodic_gaps
from timer_forecaster.corpus.synthetic import SyntheticSeries
from timer_forecaster.pretraining.families import Family, family_of
from timer_forecaster.pretraining.mixing import mix_windows
from timer_forecaster.pretraining.run_settings import DataMix, RunSettings, StageSchedule
from timer_forecaster.pretraining.seeds import mix_seed
from timer_forecaster.pretraining.teacher import TaughtBatch, Teacher, mirrored

SHORT_STEPS = (24, 400)
"""Lengths of the shortest and of the longest short series."""

_LENGTHS_AT_ONCE = 4
"""Number of different lengths among short series that are drawn together."""

DRAWS_PER_SHARD = 4
"""Draws from a corpus between two changes of its active shards.

A draw is a pool: the windows of `PretrainingConfig.pool_steps` steps. Pools of all processes are
numbered in twos. So a single process loads a shard every other pool. This costs little beside
64 steps of training, and a run of a few hundred pools sees hundreds of shards.
"""


class WindowSampler(Protocol):
    """A corpus of real series, as a source of windows."""

    skipped: dict[str, str]  # unreadable shards, with the reason

    def sample(
        self, batch_size: int, length: int, index: int, downsample: float = ..., flip: float = ...
    ) -> Tensor:
        """Return windows (batch_size, length), NaN where missing, equal for equal arguments."""


def open_corpus(folder: str, seed: int, device: torch.device) -> WindowSampler:
    """Open a folder of shards."""
    from timer_forecaster.corpus.sampler import ShardSampler

    return ShardSampler(folder, seed=seed, draws_per_shard=DRAWS_PER_SHARD, device=device)


def identify_corpus(folder: str) -> str:
    """Return the SHA-256 of the manifest of a corpus, which has the SHA-256 of every shard."""
    from timer_forecaster.corpus.manifest import MANIFEST_NAME
    from timer_forecaster.corpus.shards import digest

    return digest(Path(folder) / MANIFEST_NAME)


class BatchSource:
    """Draws the batches of one process.

    Windows are drawn in pools for several steps at once, on the device that trains.

    Parameters
    ----------
    config : PretrainingConfig or TTMPretrainingConfig
        Settings of the run.
    device : torch.device
        The device of the batches.
    rank, n_processes : int
        Number of this process, and number of processes. Each process draws other windows.
    family : Family, optional
        The family of the network. Default: that of the settings.

    Attributes
    ----------
    seconds : float
        Time spent drawing so far.
    """

    def __init__(
        self,
        config: RunSettings[Any],
        device: torch.device,
        rank: int = 0,
        n_processes: int = 1,
        family: Family | None = None,
    ) -> None:
        self.config, self.device = config, device
        self.family = family_of(config) if family is None else family
        self.rank, self.n_processes = rank, n_processes
        self.seconds = 0.0
        self._pool: tuple[int, Tensor] = (-1, torch.empty(0))
        self._teacher = self.family.teacher(device)
        self._taught: dict[int, TaughtBatch] = {}  # batches of the pool, by their first step
        # All corpora are opened now, so that a wrong name is an error before the first step.
        self._corpora = {
            folder: open_corpus(folder, config.seed, device)
            for folder in config.corpora(config.steps)
        }

    def batch(self, step: int) -> list[Any]:
        """Return the batch of a step, in one equal part per accumulation of gradients."""
        started = time.perf_counter()
        config = self.config
        stage, step_in_stage = config.locate(step)
        pool, step_in_pool = divmod(step_in_stage, config.pool_steps)
        n_rows, length = self.family.size(step, pool)
        first_step = step - step_in_pool
        n_steps = config.pool_steps // self.family.passes
        if self._pool[0] != first_step:
            rows = n_rows * n_steps
            self._pool = first_step, self._draw_pool(stage, rows, length, first_step)
            self._taught.clear()
        n_passes, place = divmod(step_in_pool, n_steps)
        windows = self._pool[1][place * n_rows : (place + 1) * n_rows]
        if self._teacher is None:
            batch = self.family.batch(windows, self._generator(1, step, self.device))
        else:
            batch = self._taught_batch(self._teacher, windows, first_step + place, n_passes)
        size = n_rows // config.gradient_accumulation
        parts = zip(*(tensor.split(size) for tensor in batch), strict=True)
        self.seconds += time.perf_counter() - started
        return [type(batch)(*part) for part in parts]

    def _taught_batch(
        self, teacher: Teacher, windows: Tensor, step: int, n_passes: int
    ) -> TaughtBatch:
        """Return the batch that was first used in a step, after a number of passes."""
        if step not in self._taught:
            batch: Any = self.family.batch(windows, self._generator(1, step, self.device))
            self._taught[step] = teacher.label(batch)
        taught = self._taught[step]
        return mirrored(taught) if n_passes % 2 else taught

    @property
    def skipped_shards(self) -> int:
        """Number of shards that could not be read so far."""
        return sum(len(corpus.skipped) for corpus in self._corpora.values())

    def validation(self) -> Any:
        """Return held-out windows, equal for all steps and processes."""
        (batch,) = self.validations().values()
        return batch

    def validations(self) -> dict[str, Any]:
        """Return the held-out windows of each validation corpus by name; one corpus has none."""
        config = self.config
        named = config.validation_corpus
        folders = named if isinstance(named, dict) else {"": named}
        batches = {}
        for name, folder in folders.items():
            windows = self._held_out_windows(
                folder, config.validation_rows, self.family.held_out_steps()
            )
            batches[name] = self.family.batch(windows, Generator(self.device).manual_seed(1))
        return batches

    def _held_out_windows(self, folder: str | None, rows: int, length: int) -> Tensor:
        if folder is not None:
            held_out = open_corpus(folder, 0, self.device)
            return held_out.sample(rows, length, 0, downsample=0.0, flip=0.0)
        synthetic = SyntheticSeries(self.config.data.families)
        host = Generator().manual_seed(mix_seed(self.config.seed, 5, 0))
        return synthetic.sample(rows, length, host, self.device)

    def _draw_pool(self, stage: StageSchedule, rows: int, length: int, first_step: int) -> Tensor:
        """Return windows of several steps in random order, (rows, length)."""
        n_revisited = round(rows * stage.revisit_share)
        own = stage.data or self.config.data
        mixes = [(own, rows - n_revisited), (self.config.data, n_revisited)]
        host = self._generator(2, first_step, torch.device("cpu"))
        generator = self._generator(2, first_step, self.device)
        number = 2 * (self._pool_number(first_step) * self.n_processes + self.rank)
        parts = [
            self._draw_mix(mix, count, length, host, generator, number + i)
            for i, (mix, count) in enumerate(mixes)
            if count
        ]
        order = torch.randperm(rows, generator=generator, device=self.device)
        pool = torch.cat(parts)[order]
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)  # so that the time counts as drawing
        return pool

    def _pool_number(self, first_step: int) -> int:
        """Return the number of pools before the pool of a step; corpora count pools, not steps."""
        number, size = 0, self.config.pool_steps
        for stage in self.config.stages:
            if first_step < stage.steps:
                return number + first_step // size
            number += -(-stage.steps // size)
            first_step -= stage.steps
        return number

    def _draw_mix(
        self,
        mix: DataMix,
        rows: int,
        length: int,
        host: Generator,
        generator: Generator,
        number: int,
    ) -> Tensor:
        n_real = round(rows * mix.real_share)
        parts = []
        if n_real < rows:
            parts.append(self._draw_synthetic(mix, rows - n_real, length, host))
        if n_real and mix.corpus is not None:
            corpus = self._corpora[mix.corpus]
            windows = corpus.sample(n_real, length, number, mix.downsample, mix.flip)
            mixed = mix_windows(windows.to(self.device), mix.mix_share, generator)
            parts.append(self._shortened(mix, mixed, generator))
        windows = torch.cat(parts)
        if mix.map_share:
            windows = monotone_maps(windows, mix.map_share, generator)
        return periodic_gaps(windows, mix.gap_share, generator) if mix.gap_share else windows

    def _draw_synthetic(self, mix: DataMix, rows: int, length: int, host: Generator) -> Tensor:
        """Return synthetic windows; short ones are whole series of a few different lengths."""
        synthetic = SyntheticSeries(mix.families, mix.synthetic_augmentation)
        n_short = round(rows * mix.short_share) if length <= self.family.longest_padded else 0
        parts = []
        if n_short < rows:
            parts.append(synthetic.sample(rows - n_short, length, host, self.device))
        if n_short:
            for part in torch.arange(n_short).tensor_split(min(_LENGTHS_AT_ONCE, n_short)):
                short = int(_draw_lengths(1, length, host))
                drawn = synthetic.sample(len(part), short, host, self.device)
                parts.append(F.pad(drawn, (length - short, 0), value=torch.nan))
        return torch.cat(parts)

    def _shortened(self, mix: DataMix, windows: Tensor, generator: Generator) -> Tensor:
        """Cut a share of windows to their newest steps."""
        rows, length = windows.shape
        n_short = round(rows * mix.short_share) if length <= self.family.longest_padded else 0
        kept = _draw_lengths(rows, length, generator)
        kept[n_short:] = length
        steps_to_end = torch.arange(length, 0, -1, device=windows.device)
        return windows.masked_fill(steps_to_end > kept[:, None], torch.nan)

    def _generator(self, purpose: int, step: int, device: torch.device) -> Generator:
        number = step * self.n_processes + self.rank
        return Generator(device).manual_seed(mix_seed(self.config.seed, purpose, number))


def _draw_lengths(rows: int, longest: int, generator: Generator) -> Tensor:
    """Draw lengths of short series, (rows,), uniform in their logarithm."""
    low, high = math.log(SHORT_STEPS[0]), math.log(min(SHORT_STEPS[1], longest))
    uniform = torch.rand(rows, generator=generator, device=generator.device)
    return (low + (high - low) * uniform).exp().long().clamp_max(longest)
