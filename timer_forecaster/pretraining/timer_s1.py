"""Pre-training of Timer-S1: its batches, objective and files."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Generator, Tensor, nn

from timer_forecaster.models.timer_s1 import TimerS1Network
from timer_forecaster.models.timer_s1.batches import TrainingBatch, make_batch
from timer_forecaster.models.timer_s1.experts import MixtureOfExperts
from timer_forecaster.models.timer_s1.objective import (
    combine_terms,
    load_balance_loss,
    patch_loss,
    stage_losses,
    tokens_that_count,
)
from timer_forecaster.pretraining.config import PretrainingConfig
from timer_forecaster.pretraining.continuity import check_continuity
from timer_forecaster.pretraining.growth import Growth, grown_weights, inherited_entries
from timer_forecaster.pretraining.seeds import mix_seed
from timer_forecaster.pretraining.variants import build_network, export_network, load_weights

TERMS = ("loss", "ntp", "stp", "aux")

_SHAPES = 64  # that one function is compiled for at most


class DenseObjective(nn.Module):
    """Network and objective as one module, the form that data-parallel engines wrap.

    Parameters
    ----------
    network : TimerS1Network
        A network of `timer_forecaster.pretraining.variants`.
    bfloat16 : bool
        Compute matrix products in bfloat16; the loss is always in float32.
    device : torch.device
        The device of the batches.
    """

    # Units that FSDP shards.
    _no_split_modules: ClassVar[list[str]] = ["TimeMoEBlock", "TimeSTPBlock"]

    def __init__(self, network: TimerS1Network, bfloat16: bool, device: torch.device) -> None:
        super().__init__()
        self.network, self.autocast = network, bfloat16
        self.patch_loss = patch_loss
        # No buffer: data-parallel engines send buffers to all processes before every step.
        self.levels = torch.tensor(network.config.quantiles, device=device)

    def forward(self, batch: TrainingBatch, serial_weighting: str, n_serial: int) -> Tensor:
        """Return the terms of the objective (loss, NTP, STP, load balance) over all tokens.

        The head runs on supervised tokens alone: about half of all, by the prefix that the
        statistics are of.
        """
        config, device = self.network.config, batch.inputs.device.type
        tokens = tokens_that_count(batch.supervised)
        with torch.autocast(device, torch.bfloat16, enabled=self.autocast):
            stages = list(self.network.stages(batch.inputs, n_serial))
            counted = [stage.hidden_states.flatten(0, 1)[tokens] for stage in stages]
            predictions = [self.network.predict_patch(hidden_states) for hidden_states in counted]
        losses = stage_losses(
            predictions,
            batch.targets,
            batch.known,
            self.levels,
            config.training_loss,
            batch.supervised,
            self.patch_loss,
            tokens,
        )
        router_logits = [logits for stage in stages for logits in stage.router_logits]
        aux = load_balance_loss(router_logits, config.num_experts_per_token)
        return torch.stack(
            combine_terms(losses, aux, serial_weighting, config.router_aux_loss_coef)
        )

    def compile_parts(self) -> None:
        """Compile each block and the loss; experts whose numbers of tokens vary are left out."""
        from torch._dynamo import config as dynamo_config

        # Once for each length of window, with every kind of block.
        limit = (
            "recompile_limit" if hasattr(dynamo_config, "recompile_limit") else "cache_size_limit"
        )
        setattr(dynamo_config, limit, max(_SHAPES, getattr(dynamo_config, limit)))
        for module in self.network.modules():
            if isinstance(module, MixtureOfExperts) and module.strategy == "sorted":
                module.forward = torch.compiler.disable(module.forward)  # type: ignore[method-assign]
        for block in (*self.network.model.layers, *self.network.mtp_modules):
            block.compile(dynamic=False)
        self.patch_loss = torch.compile(patch_loss, dynamic=True)  # numbers of tokens vary


class TimerS1Family:
    """Timer-S1 in a run; see `timer_forecaster.pretraining.families.Family`."""

    terms = TERMS
    validated = ("ntp", "stp")
    unit = "tokens"
    longest_padded = 512  # most of the computation of longer ones would be wasted
    passes = 1
    muon = ("model.layers.", "mtp_modules.")

    def __init__(self, config: PretrainingConfig) -> None:
        self.config = config
        self.patch_length = config.architecture.input_token_len

    def teacher(self, device: torch.device) -> None:
        """Return None: batches have no other targets than true values."""

    def size(self, step: int, pool: int) -> tuple[int, int]:
        """Return the windows of a step and the steps of each."""
        stage, _ = self.config.locate(step)
        window = stage.window_patches[pool % len(stage.window_patches)]
        return stage.tokens_per_step // window, window * self.patch_length

    def units(self, step: int) -> int:
        """Return the patches of a step."""
        return self.config.locate(step)[0].tokens_per_step

    def held_out_steps(self) -> int:
        """Return the steps of a window of validation."""
        config = self.config
        n_patches = config.validation_patches or max(config.stages[0].window_patches)
        return (n_patches + config.architecture.num_mtp_tokens + 1) * self.patch_length

    def batch(self, windows: Tensor, generator: Generator) -> TrainingBatch:
        """Make a batch of raw windows."""
        return make_batch(windows, self.patch_length, generator, self.config.masks)

    def network(self) -> TimerS1Network:
        """Make the network of the objective."""
        return build_network(self.config.architecture, self.config.objective)

    def initial_weights(self) -> dict[str, Tensor] | None:
        """Return the weights to start from, grown if need be."""
        config, initial = self.config, self.config.initial_checkpoint
        if initial is None:
            return None
        if not isinstance(initial, Growth):
            check_continuity(initial, config.architecture)
            return load_weights(initial)
        if config.objective != "stp":
            raise ValueError(f"objective={config.objective!r} cannot grow a checkpoint; use 'stp'")
        check_continuity(initial.grow, config.architecture)
        return grown_weights(initial.grow, config.architecture, config.seed)

    def inherited_entries(self, network: nn.Module) -> dict[str, Tensor]:
        """Return which weights come from the initial checkpoint: all, unless it was grown."""
        initial = self.config.initial_checkpoint
        if isinstance(initial, Growth):
            return inherited_entries(initial.grow, self.config.architecture)
        return {n: torch.ones_like(p, dtype=torch.bool) for n, p in network.named_parameters()}

    def objective(
        self, network: TimerS1Network, device: torch.device, compiled: bool
    ) -> DenseObjective:
        """Return network and objective as one module, with the fastest kernels."""
        objective = DenseObjective(network, self.config.bfloat16, device)
        on_cpu = device.type == "cpu"
        # Half the arithmetic is faster where arithmetic takes most of the time.
        sparse = on_cpu and not self.config.bfloat16
        network.set_expert_strategy("sorted" if sparse else "dense")
        if on_cpu and self.config.bfloat16:
            network.set_attention_kernel("eager")
        if compiled:
            objective.compile_parts()
        return objective

    def depth(self, step: int) -> int:
        """Return the number of serial blocks of a step; it is equal in all processes."""
        n_serial = self.config.architecture.num_mtp_tokens
        if self.config.objective != "stp" or n_serial == 0:
            return n_serial
        random = np.random.default_rng(mix_seed(self.config.seed, 3, step))
        full = random.random() < self.config.locate(step)[0].full_depth_share
        return n_serial if full else int(random.integers(1, n_serial + 1))

    def arguments(self, step: int) -> tuple[str, int]:
        """Return the weighting of serial blocks and their number."""
        return self.config.locate(step)[0].serial_weighting, self.depth(step)

    def arguments_of_validation(self) -> tuple[str, int]:
        """Return the arguments of all serial blocks, weighted equally."""
        return "equal", self.config.architecture.num_mtp_tokens

    def leaves_out_parameters(self) -> bool:
        """Return whether some steps run only some of the serial blocks."""
        config = self.config
        return config.objective == "stp" and any(s.full_depth_share < 1 for s in config.stages)

    def export(
        self,
        network: TimerS1Network,
        weights: dict[str, Tensor],
        folder: Path,
        dtype: torch.dtype,
    ) -> None:
        """Write a checkpoint in the released layout."""
        export_network(network, weights, folder, dtype)
