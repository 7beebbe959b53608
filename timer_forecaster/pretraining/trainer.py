"""The training loop: two stages, warm-up, constant rate, linear decay; resumable."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from safetensors.torch import save_file
from torch import Generator, Tensor

from timer_forecaster.corpus.sampler import ShardSampler
from timer_forecaster.corpus.synthetic import SyntheticSeries
from timer_forecaster.models.timer_s1 import TimerS1Architecture, TimerS1Network
from timer_forecaster.models.timer_s1.objective import (
    LossTerms,
    combine_terms,
    load_balance_loss,
    patch_loss,
    stage_losses,
)

from .batches import TrainingBatch, make_batch, mix_windows
from .optimizer import build_optimizers

POOL_STEPS = 32
"""Steps whose series are drawn together."""

REAL_MIX_SHARE = 0.3
"""Share of real windows that are mixed with another one."""


@dataclasses.dataclass(kw_only=True)
class PretrainingConfig:
    """Everything that decides what a run computes.

    Parameters
    ----------
    architecture : TimerS1Architecture
        The network to train.
    steps : int
        Optimiser steps.
    tokens_per_step : int
        Patches in the batch of one process.
    window_patches, long_window_patches : int
        Length of the training windows in the first stage, and of every second batch in the
        second (long-context extension).
    second_stage : float
        Share of the steps after which the second stage begins: serial block j is weighted by
        1 / sqrt(j) and the learning rate decays linearly (report, section 4).
    learning_rate, final_learning_rate_share, weight_decay, warmup_steps, clip_norm
        Optimiser settings; the rate falls to ``final_learning_rate_share`` of its value.
    real_share : float
        Share of rows drawn from real series, if a corpus of them is given.
    full_depth_share : float
        Share of steps that run all serial blocks; the others run a random number of them, which
        trains the near blocks at less cost.
    bfloat16 : bool
        Compute matrix products in bfloat16 (autocast).
    seed : int
        Seeds weights, data and masks.
    """

    architecture: TimerS1Architecture
    steps: int
    tokens_per_step: int = 32768
    window_patches: int = 128
    long_window_patches: int = 256
    second_stage: float = 0.65
    learning_rate: float = 3e-3
    final_learning_rate_share: float = 0.02
    weight_decay: float = 0.01
    warmup_steps: int = 300
    clip_norm: float = 1.0
    real_share: float = 0.3
    full_depth_share: float = 1.0
    bfloat16: bool = True
    seed: int = 0

    def learning_rate_at(self, step: int) -> float:
        """Learning rate of a step: linear warm-up, constant, linear decay."""
        decay_start = self.second_stage * self.steps
        decayed = max(0.0, step - decay_start) / max(1.0, self.steps - decay_start)
        share = 1 - (1 - self.final_learning_rate_share) * decayed
        return self.learning_rate * min(1.0, (step + 1) / self.warmup_steps) * share


class Pretraining:
    """One training run in a folder, which it can be resumed from.

    Where `torch.distributed` is initialised, every process draws batches of its own and the
    gradients are averaged; the first process logs and saves.

    Parameters
    ----------
    config : PretrainingConfig
        What to compute.
    folder : Path
        Receives ``log.jsonl``, ``state.pt`` (to resume) and ``model.safetensors``.
    device : torch.device
        Where to train.
    real_pack, validation_pack : Path, optional
        Folders written by ``timer-forecaster corpus build``: series to train on, and
        series to watch the loss on.
    compile_blocks : bool
        Compile each block with ``torch.compile``; worth it on a GPU.
    """

    def __init__(
        self,
        config: PretrainingConfig,
        folder: Path,
        device: torch.device,
        real_pack: Path | None = None,
        validation_pack: Path | None = None,
        compile_blocks: bool = False,
    ) -> None:
        self.config, self.folder, self.device = config, folder, device
        self.rank, self.n_processes = 0, 1
        if dist.is_initialized():
            self.rank, self.n_processes = dist.get_rank(), dist.get_world_size()
        torch.manual_seed(config.seed)
        self.network = TimerS1Network(config.architecture).to(device)
        self.network.set_expert_strategy("dense")
        self.optimizers = build_optimizers(self.network, config.learning_rate, config.weight_decay)
        self.levels = torch.tensor(config.architecture.quantiles, device=device)
        self.synthetic = SyntheticSeries()
        self.real = ShardSampler(real_pack, seed=config.seed, device=device) if real_pack else None
        self.validation = self._validation_batch(validation_pack) if validation_pack else None
        self.patch_loss = patch_loss
        if device.type == "cpu" and config.bfloat16:
            self.network.set_attention_kernel("eager")
        self.step = 0
        self._pool: tuple[int, Tensor] = (-1, torch.empty(0))
        if compile_blocks:
            self._compile()
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / "state.pt").exists():
            self._resume()

    def run(self, on_log: Callable[[dict[str, float]], None] | None = None) -> None:
        """Train to the last step, logging every 100 and saving every 500 steps."""
        started, sums = time.monotonic(), torch.zeros(4, device=self.device)
        logged = self.step
        while self.step < self.config.steps:
            sums += torch.stack([term.detach() for term in self.train_step()])
            self.step += 1
            if self.rank == 0 and (self.step % 100 == 0 or self.step == self.config.steps):
                record = self._log_record(sums / (self.step - logged), time.monotonic() - started)
                started, sums = time.monotonic(), torch.zeros(4, device=self.device)
                logged = self.step
                with (self.folder / "log.jsonl").open("a") as log:
                    log.write(json.dumps(record) + "\n")
                if on_log is not None:
                    on_log(record)
            if self.rank == 0 and (self.step % 500 == 0 or self.step == self.config.steps):
                self.save()

    def train_step(self) -> LossTerms:
        """Draw one batch and update the network."""
        config = self.config
        second = self.step >= config.second_stage * config.steps
        batch = self.draw_batch(self.step)
        torch.manual_seed(_mix(config.seed, 4, self.step * self.n_processes + self.rank))  # dropout
        self.network.train()
        terms = self.loss(batch, "inverse_sqrt" if second else "equal", self.draw_depth(self.step))
        terms.loss.backward()
        self._average_gradients()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), config.clip_norm)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = config.learning_rate_at(self.step)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        return terms

    def _average_gradients(self) -> None:
        if self.n_processes == 1:
            return
        gradients = [p.grad for p in self.network.parameters() if p.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(flat)
        for gradient, mean in zip(
            gradients, flat.split([gradient.numel() for gradient in gradients]), strict=True
        ):
            gradient.copy_(mean.view_as(gradient) / self.n_processes)

    def draw_batch(self, step: int) -> TrainingBatch:
        """Batch of a step, which depends on the seed and the step alone.

        Series are drawn for a block of steps at once, since drawing few costs as much as
        drawing many. In the second stage every other block has long windows.
        """
        config, patch_length = self.config, self.config.architecture.input_token_len
        block = step // POOL_STEPS
        second = block * POOL_STEPS >= config.second_stage * config.steps
        window = config.long_window_patches if second and block % 2 else config.window_patches
        rows = config.tokens_per_step // window
        if self._pool[0] != block:
            self._pool = block, self._draw_pool(rows * POOL_STEPS, window * patch_length, block)
        start = step % POOL_STEPS * rows
        number = step * self.n_processes + self.rank
        generator = Generator(self.device).manual_seed(_mix(config.seed, 1, number))
        return make_batch(self._pool[1][start : start + rows], patch_length, generator)

    def draw_depth(self, step: int) -> int:
        """Draw how many serial blocks a step runs."""
        n_serial = self.config.architecture.num_mtp_tokens
        random = np.random.default_rng(_mix(self.config.seed, 3, step))
        full = random.random() < self.config.full_depth_share
        return n_serial if full else int(random.integers(1, n_serial + 1))

    def _draw_pool(self, rows: int, length: int, block: int) -> Tensor:
        """Synthetic and real windows in random order, (rows, length)."""
        index = block * self.n_processes + self.rank
        seed = _mix(self.config.seed, 2, index)
        n_real = round(rows * self.config.real_share) if self.real is not None else 0
        host = Generator().manual_seed(seed)
        parts = [self.synthetic.sample(rows - n_real, length, host, self.device)]
        generator = Generator(self.device).manual_seed(seed)
        if self.real is not None and n_real:
            windows = self.real.sample(n_real, length, index)
            parts.append(mix_windows(windows, REAL_MIX_SHARE, generator))
        order = torch.randperm(rows, generator=generator, device=self.device)
        return torch.cat(parts)[order]

    def loss(
        self, batch: TrainingBatch, serial_weighting: str, n_serial: int | None = None
    ) -> LossTerms:
        """Densely supervised objective of a batch, of the first serial blocks or of all."""
        config = self.config.architecture
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.bfloat16):
            stages = list(self.network.stages(batch.inputs, n_serial))
            predictions = [self.network.predict_patch(stage.hidden_states) for stage in stages]
        losses = stage_losses(
            predictions,
            batch.targets,
            batch.known,
            self.levels,
            config.training_loss,
            batch.supervised,
            self.patch_loss,
        )
        router_logits = [logits for stage in stages for logits in stage.router_logits]
        aux = load_balance_loss(router_logits, config.num_experts_per_token)
        return combine_terms(losses, aux, serial_weighting, config.router_aux_loss_coef)

    def _validation_batch(self, pack: Path) -> Tensor:
        length = (
            self.config.window_patches + self.config.architecture.num_mtp_tokens + 1
        ) * self.config.architecture.input_token_len
        return ShardSampler(pack, seed=12345, device=self.device).sample(256, length, 0)

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Plain quantile loss on windows of the validation pack, of the first and all patches."""
        if self.validation is None:
            return {}
        self.network.eval()
        generator = Generator(self.device).manual_seed(1)
        length = self.config.architecture.input_token_len
        batch = make_batch(self.validation, length, generator)
        terms = self.loss(batch, "equal")
        return {"validation_ntp": terms.ntp.item(), "validation_stp": terms.stp.item()}

    def _log_record(self, means: Tensor, seconds: float) -> dict[str, float]:
        names = ("loss", "ntp", "stp", "aux")
        record: dict[str, float] = {"step": self.step}
        record |= dict(zip(names, means.tolist(), strict=True))
        record["learning_rate"] = self.config.learning_rate_at(self.step - 1)
        record["seconds"] = seconds
        if self.step % 500 == 0 or self.step == self.config.steps:
            record |= self.validate()
        return record

    def save(self) -> None:
        """Write the network, and all that is needed to go on from here."""
        state = {
            "step": self.step,
            "config": dataclasses.asdict(self.config),
            "network": self.network.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
        }
        partial = self.folder / "state.pt.partial"
        torch.save(state, partial)
        partial.replace(self.folder / "state.pt")
        weights = {
            name: value.to(torch.bfloat16).contiguous().cpu()
            for name, value in self.network.state_dict().items()
        }
        save_file(weights, self.folder / "model.safetensors", metadata={"format": "pt"})

    def _resume(self) -> None:
        state = torch.load(self.folder / "state.pt", map_location=self.device, weights_only=True)
        self._check_same_run(state["config"])
        self.step = state["step"]
        self.network.load_state_dict(state["network"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)

    def _check_same_run(self, saved: dict[str, Any]) -> None:
        """Refuse to go on with other settings; the number of steps alone may change."""
        now = dataclasses.asdict(self.config)
        differ = sorted(name for name in now if name != "steps" and now[name] != saved.get(name))
        if differ:
            raise ValueError(
                f"{self.folder} holds a run with other settings of {differ}; resume it with its "
                "own settings or choose another folder"
            )

    def _compile(self) -> None:
        for block in (*self.network.model.layers, *self.network.mtp_modules):
            block.compile(dynamic=False)
        self.patch_loss = torch.compile(patch_loss, dynamic=False)


def _mix(seed: int, purpose: int, index: int) -> int:
    """Seed of one draw, from the run's seed, what is drawn and its number."""
    return int(np.random.SeedSequence([seed, purpose, index]).generate_state(1, np.uint64)[0] >> 2)
