"""Batches of a run: what is drawn depends on the seed, the step and the process alone."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Generator, Tensor

from timer_forecaster.corpus.synthetic import SyntheticSeries
from timer_forecaster.models.timer_s1.batches import TrainingBatch, make_batch
from timer_forecaster.pretraining.config import DataMix, PretrainingConfig, Stage
from timer_forecaster.pretraining.mixing import mix_windows

VALIDATION_ROWS = 256

DRAWS_PER_SHARD = 4
"""Draws from a corpus between two changes of its active shards.

A draw is a pool: the windows of `PretrainingConfig.pool_steps` steps, numbered in twos, of all
processes. By itself a process so loads a shard every other pool, which costs little beside training
on 64 steps of windows, and a run of a few hundred pools sees hundreds of shards.
"""


class WindowSampler(Protocol):
    """What a corpus of real series has to offer."""

    skipped: dict[str, str]  # shards that cannot be read, and why

    def sample(
        self, batch_size: int, length: int, index: int, downsample: float = ..., flip: float = ...
    ) -> Tensor:
        """Windows (batch_size, length), NaN where missing, the same for the same arguments."""


def open_corpus(folder: str, seed: int, device: torch.device) -> WindowSampler:
    """Open a folder of shards."""
    from timer_forecaster.corpus.sampler import ShardSampler

    return ShardSampler(folder, seed=seed, draws_per_shard=DRAWS_PER_SHARD, device=device)


def identify_corpus(folder: str) -> str:
    """SHA-256 of a corpus's manifest, which lists those of all its shards."""
    from timer_forecaster.corpus.manifest import MANIFEST_NAME
    from timer_forecaster.corpus.shards import digest

    return digest(Path(folder) / MANIFEST_NAME)


class BatchSource:
    """Draws the batches of one process.

    Windows are drawn in pools for several steps at once, on the device that trains.

    Parameters
    ----------
    config : PretrainingConfig
        What to draw.
    device : torch.device
        Where.
    rank, n_processes : int
        Number of this process, and how many there are: each draws windows of its own.

    Attributes
    ----------
    seconds : float
        Time spent drawing so far.
    """

    def __init__(
        self, config: PretrainingConfig, device: torch.device, rank: int = 0, n_processes: int = 1
    ) -> None:
        self.config, self.device = config, device
        self.rank, self.n_processes = rank, n_processes
        self.seconds = 0.0
        self._pool: tuple[int, Tensor] = (-1, torch.empty(0))
        # All of them now, so that a wrong name is told before the first step.
        self._corpora = {
            folder: open_corpus(folder, config.seed, device)
            for folder in config.corpora(config.steps)
        }

    def batch(self, step: int) -> list[TrainingBatch]:
        """Batch of a step, in as many equal parts as gradients are accumulated over."""
        started = time.perf_counter()
        config = self.config
        stage, step_in_stage = config.locate(step)
        pool, step_in_pool = divmod(step_in_stage, config.pool_steps)
        window = stage.window_patches[pool % len(stage.window_patches)]
        n_rows = stage.tokens_per_step // window
        first_step = step - step_in_pool
        if self._pool[0] != first_step:
            length = window * config.architecture.input_token_len
            rows = n_rows * config.pool_steps
            self._pool = first_step, self._draw_pool(stage, rows, length, first_step)
        windows = self._pool[1][step_in_pool * n_rows : (step_in_pool + 1) * n_rows]
        generator = self._generator(1, step, self.device)
        batch = make_batch(windows, config.architecture.input_token_len, generator, config.masks)
        size = n_rows // config.gradient_accumulation
        parts = zip(*(tensor.split(size) for tensor in batch), strict=True)
        self.seconds += time.perf_counter() - started
        return [TrainingBatch(*part) for part in parts]

    @property
    def skipped_shards(self) -> int:
        """Shards that could not be read so far."""
        return sum(len(corpus.skipped) for corpus in self._corpora.values())

    def depth(self, step: int) -> int:
        """How many serial blocks a step runs; the same in every process."""
        n_serial = self.config.architecture.num_mtp_tokens
        if self.config.objective != "stp" or n_serial == 0:
            return n_serial
        random = np.random.default_rng(mix_seed(self.config.seed, 3, step))
        full = random.random() < self.config.locate(step)[0].full_depth_share
        return n_serial if full else int(random.integers(1, n_serial + 1))

    def validation(self) -> TrainingBatch:
        """Held-out windows, which neither the step nor the process changes."""
        config = self.config
        patch_length = config.architecture.input_token_len
        n_patches = max(config.stages[0].window_patches) + config.architecture.num_mtp_tokens + 1
        length = n_patches * patch_length
        if config.validation_corpus is None:
            synthetic = SyntheticSeries(config.data.families)
            host = Generator().manual_seed(mix_seed(config.seed, 5, 0))
            windows = synthetic.sample(VALIDATION_ROWS, length, host, self.device)
        else:
            held_out = open_corpus(config.validation_corpus, 0, self.device)
            windows = held_out.sample(VALIDATION_ROWS, length, 0, downsample=0.0, flip=0.0)
        generator = Generator(self.device).manual_seed(1)
        return make_batch(windows, patch_length, generator, config.masks)

    def _draw_pool(self, stage: Stage, rows: int, length: int, first_step: int) -> Tensor:
        """Windows of several steps in random order, (rows, length)."""
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
        """Pools drawn before the one that begins with a step: corpora go on by pools, not steps."""
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
            synthetic = SyntheticSeries(mix.families, mix.synthetic_augmentation)
            parts.append(synthetic.sample(rows - n_real, length, host, self.device))
        if n_real and mix.corpus is not None:
            corpus = self._corpora[mix.corpus]
            windows = corpus.sample(n_real, length, number, mix.downsample, mix.flip)
            parts.append(mix_windows(windows.to(self.device), mix.mix_share, generator))
        return torch.cat(parts)

    def _generator(self, purpose: int, step: int, device: torch.device) -> Generator:
        number = step * self.n_processes + self.rank
        return Generator(device).manual_seed(mix_seed(self.config.seed, purpose, number))


def mix_seed(seed: int, purpose: int, index: int) -> int:
    """Seed of one draw, from the run's seed, what is drawn and its number."""
    return int(np.random.SeedSequence([seed, purpose, index]).generate_state(1, np.uint64)[0] >> 2)
