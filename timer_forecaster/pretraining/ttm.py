"""Pre-training of TinyTimeMixer: its batches, objective and files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import ClassVar

import torch
from torch import Generator, Tensor, nn

from timer_forecaster.checkpoints.loading import load_plain_network
from timer_forecaster.checkpoints.writing import write_checkpoint
from timer_forecaster.models.ttm.batches import ContextBatch, make_contexts
from timer_forecaster.models.ttm.network import TTMNetwork
from timer_forecaster.models.ttm.objective import quantile_distance, quantile_terms
from timer_forecaster.pretraining.continuity import check_continuity
from timer_forecaster.pretraining.teacher import TaughtBatch, Teacher
from timer_forecaster.pretraining.ttm_config import TTMPretrainingConfig


class QuantileObjective(nn.Module):
    """Network and objective as one module, the form that data-parallel engines wrap.

    Parameters
    ----------
    network : TTMNetwork
        A network with a quantile head.
    bfloat16 : bool
        Compute matrix products in bfloat16; the loss is always in float32.
    device : torch.device
        The device of the batches.
    teacher_share : float
        Weight of the distance to the teacher, in batches that have its quantiles.
    """

    # Units that FSDP shards.
    _no_split_modules: ClassVar[list[str]] = ["MixerLayer"]

    def __init__(
        self,
        network: TTMNetwork,
        bfloat16: bool,
        device: torch.device,
        teacher_share: float = 0.0,
    ) -> None:
        super().__init__()
        self.network, self.autocast, self.teacher_share = network, bfloat16, teacher_share
        # No buffer: data-parallel engines send buffers to all processes before every step.
        self.levels = torch.tensor(network.architecture.quantile_levels, device=device)

    def forward(self, batch: ContextBatch | TaughtBatch) -> Tensor:
        """Return the terms of the objective (loss, point) over all known targets."""
        with torch.autocast(batch.past.device.type, torch.bfloat16, enabled=self.autocast):
            output = self.network(
                batch.past.unsqueeze(-1), past_observed_mask=batch.observed.unsqueeze(-1)
            )
        quantiles = output.quantile_outputs.squeeze(-1).float()
        loss, point = quantile_terms(quantiles, batch.targets, batch.known, self.levels)
        if isinstance(batch, TaughtBatch):
            distance = quantile_distance(quantiles, batch.taught, batch.known)
            loss = torch.lerp(loss, distance, self.teacher_share)
        return torch.stack((loss, point))

    def compile_parts(self) -> None:
        """Compile the mixers, where nearly all of the time is spent."""
        self.network.backbone.encoder.mlp_mixer_encoder.compile(dynamic=False)
        if self.network.architecture.use_decoder:
            self.network.decoder.decoder_block.compile(dynamic=False)


class TTMFamily:
    """TinyTimeMixer in a run; see `timer_forecaster.pretraining.families.Family`."""

    terms = ("loss", "point")
    validated = ("loss", "point")
    unit = "windows"
    longest_padded = sys.maxsize  # contexts of all lengths cost the same
    muon = ("backbone.encoder.mlp_mixer_encoder.", "decoder.decoder_block.")

    def __init__(self, config: TTMPretrainingConfig) -> None:
        self.config, self.architecture = config, config.architecture
        self.passes = config.passes

    def teacher(self, device: torch.device) -> Teacher | None:
        """Return the checkpoint that adds targets to batches, if there is one."""
        if self.config.teacher is None:
            return None
        levels = self.architecture.quantile_levels
        return Teacher(self.config.teacher.checkpoint, levels, device)

    def size(self, step: int, pool: int) -> tuple[int, int]:
        """Return the windows of a step and the steps of each."""
        spare = self.architecture.pass_length if self.passes > 1 else 0
        return self.units(step), self.held_out_steps() + spare

    def units(self, step: int) -> int:
        """Return the windows of a step."""
        return self.config.locate(step)[0].windows_per_step

    def held_out_steps(self) -> int:
        """Return the steps of a window: context and forecast."""
        return self.architecture.context_length + self.architecture.pass_length

    def batch(self, windows: Tensor, generator: Generator) -> ContextBatch:
        """Make a batch of raw windows."""
        sizes = self.architecture
        return make_contexts(
            windows, sizes.context_length, sizes.pass_length, generator, self.config.contexts
        )

    def network(self) -> TTMNetwork:
        """Make the network."""
        return TTMNetwork(self.architecture)

    def initial_weights(self) -> dict[str, Tensor] | None:
        """Return the weights to start from, in float32."""
        initial = self.config.initial_checkpoint
        if initial is None:
            return None
        check_continuity(initial, self.architecture)
        return load_plain_network(initial).state_dict()

    def inherited_entries(self, network: nn.Module) -> dict[str, Tensor]:
        """Return which weights come from the initial checkpoint: all."""
        return {n: torch.ones_like(p, dtype=torch.bool) for n, p in network.named_parameters()}

    def objective(
        self, network: TTMNetwork, device: torch.device, compiled: bool
    ) -> QuantileObjective:
        """Return network and objective as one module."""
        teacher = self.config.teacher
        share = 0.0 if teacher is None else teacher.share
        objective = QuantileObjective(network, self.config.bfloat16, device, share)
        if compiled:
            objective.compile_parts()
        return objective

    def arguments(self, step: int) -> tuple[()]:
        """Return nothing: the objective is the same in all steps."""
        return ()

    def arguments_of_validation(self) -> tuple[()]:
        """Return nothing: the objective is the same in validation."""
        return ()

    def leaves_out_parameters(self) -> bool:
        """Return False: each step uses the whole network."""
        return False

    def export(
        self, network: TTMNetwork, weights: dict[str, Tensor], folder: Path, dtype: torch.dtype
    ) -> None:
        """Write ``config.json`` and ``model.safetensors`` in the released layout.

        Each file is complete or absent, whenever the process is killed.
        """
        write_checkpoint(folder, network.architecture.to_dict(), weights, dtype)
