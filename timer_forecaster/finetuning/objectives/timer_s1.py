"""Losses of Timer-S1, on the normalized scale of each window, over all levels of the network.

Shapes in comments: B windows, N tokens, P patch length, Q levels, H steps ahead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from timer_forecaster.arrays import FloatArray
from timer_forecaster.finetuning.config import FinetuneConfig
from timer_forecaster.finetuning.objectives.parts import Passed, Terms, standardized
from timer_forecaster.finetuning.windows import WindowSampler
from timer_forecaster.inference.engine.timer_s1 import pad_batch
from timer_forecaster.models.columns import KnownColumn
from timer_forecaster.models.timer_s1 import TimerS1Network
from timer_forecaster.models.timer_s1.attention import pick
from timer_forecaster.models.timer_s1.batches import TrainingBatch
from timer_forecaster.models.timer_s1.experts import MixtureOfExperts
from timer_forecaster.models.timer_s1.objective import load_balance_loss, patch_loss, stage_losses
from timer_forecaster.models.timer_s1.targets import replaced_by


class Windows(NamedTuple):
    """Contexts and targets, standardized by the contexts as in a forecast."""

    patches: Tensor  # (B, N, 2 P), with filler after a shorter context
    last_token: Tensor  # (B,)
    target: Tensor  # (B, H), finite
    observed: Tensor  # (B, H) bool: whether the step counts


def make_windows(
    network: TimerS1Network, contexts: Sequence[FloatArray], targets: FloatArray
) -> Windows:
    """Standardize windows; see `timer_forecaster.finetuning.objectives.parts.standardized`."""
    length = network.config.input_token_len
    rows, target, observed = standardized(network, contexts, targets)
    n_tokens = [-(-len(row.values) // length) for row in rows]
    return Windows(
        pad_batch(network, [row.values for row in rows]),
        torch.tensor(n_tokens, device=network.device) - 1,
        target,
        observed,
    )


def window_pass(network: TimerS1Network, windows: Windows) -> Passed:
    """Forecast the steps after the contexts, in the normalized units of each context."""
    horizon = min(windows.target.shape[-1], network.pass_length)
    n_serial = -(-horizon // network.config.input_token_len) - 1
    newest = windows.last_token[:, None, None]
    pieces: list[Tensor] = []
    logits: list[Tensor] = []
    for stage in network.stages(windows.patches, n_serial):
        pieces.append(network.predict_patch(pick(stage.hidden_states, newest)[:, 0]))
        logits += stage.router_logits
    quantiles = torch.cat(pieces, dim=-1)[..., :horizon]
    return Passed(quantiles.to(torch.promote_types(torch.float32, quantiles.dtype)), logits)


def window_losses(network: TimerS1Network, quantiles: Tensor, windows: Windows) -> Tensor:
    """Return the quantile loss of each window, (B,), of the kind that the network was trained by.

    The loss is zero for a window without an observed value after the context. See
    `timer_forecaster.models.timer_s1.objective.patch_loss`.

    Parameters
    ----------
    network : TimerS1Network
    quantiles : Tensor, shape (B, Q, steps)
        Quantiles from `window_pass`.
    windows : Windows
    """
    steps = quantiles.shape[-1]
    levels = torch.tensor(network.config.quantiles, device=quantiles.device, dtype=quantiles.dtype)
    target = windows.target[:, :steps].to(quantiles.dtype)
    rows = zip(quantiles, target, windows.observed[:, :steps], strict=True)
    return torch.stack([patch_loss(*row, levels, network.config.training_loss) for row in rows])


class DenseTerms(NamedTuple):
    """The objective and its parts, all scalars."""

    loss: Tensor
    quantile: Tensor
    balance: Tensor
    router_kl: Tensor


def dense_terms(
    network: TimerS1Network,
    batch: TrainingBatch,
    n_serial: int,
    balance_loss: float,
    router_kl: float,
    base_logits: Callable[[], list[Tensor]] | None,
) -> DenseTerms:
    """Return the objective of densely supervised windows: each token predicts all its stages."""
    config = network.config
    stages = list(network.stages(batch.inputs.to(network.dtype), n_serial))
    predictions = [network.predict_patch(stage.hidden_states) for stage in stages]
    levels = torch.tensor(config.quantiles, device=batch.targets.device)
    losses = stage_losses(
        predictions, batch.targets, batch.known, levels, config.training_loss, batch.supervised
    )
    quantile = torch.stack(losses).mean()
    zero = quantile.new_zeros(())
    if base_logits is None:
        return DenseTerms(quantile, quantile, zero, zero)
    logits = [part for stage in stages for part in stage.router_logits]
    balance = load_balance_loss(logits, config.num_experts_per_token)
    divergence = routing_divergence(base_logits(), logits)
    loss = quantile + balance_loss * balance + router_kl * divergence
    return DenseTerms(loss, quantile, balance, divergence)


def routing_divergence(base: Sequence[Tensor], tuned: Sequence[Tensor]) -> Tensor:
    """Return the Kullback-Leibler divergence D(base ‖ tuned) of routings, a scalar.

    It is the mean over tokens and blocks.

    Parameters
    ----------
    base, tuned : sequence of Tensor, each (tokens, experts)
        Router logits, block by block.
    """
    parts = [
        F.kl_div(
            F.log_softmax(ours.float(), -1),
            F.log_softmax(theirs.float(), -1),
            reduction="batchmean",
            log_target=True,
        )
        for theirs, ours in zip(base, tuned, strict=True)
    ]
    return torch.stack(parts).mean()


@contextmanager
def base_routing(
    network: TimerS1Network, frozen: TimerS1Network
) -> Iterator[Callable[[], list[Tensor]]]:
    """Record the logits of the base routers for the inputs of the routers in training.

    Yields
    ------
    callable
        Returns the logits of the base routers, block by block, for the inputs since its last call.
    """
    made: list[Tensor] = []

    def recorded_for(base: Tensor) -> Callable[..., None]:
        def record(gate: nn.Module, arguments: tuple[Tensor, ...], output: Tensor) -> None:
            if torch.is_grad_enabled():  # not while validating
                made.append(F.linear(arguments[0].detach().to(base.dtype), base))

        return record

    def logits() -> list[Tensor]:
        latest = made.copy()
        made.clear()
        return latest

    pairs = zip(_routers(network), _routers(frozen), strict=True)
    handles = [
        gate.register_forward_hook(recorded_for(base.weight.detach().float()))
        for gate, base in pairs
    ]
    try:
        yield logits
    finally:
        for handle in handles:
            handle.remove()


def _routers(network: TimerS1Network) -> list[nn.Linear]:
    return [part.gate for part in network.modules() if isinstance(part, MixtureOfExperts)]


def windows_at_once(network: TimerS1Network, longest: int) -> int:
    """Return the number of windows in a pass, for contexts of at most ``longest`` steps."""
    n_tokens = -(-longest // network.config.input_token_len)
    return max(1, network.token_budget // n_tokens)


def expert_use(network: TimerS1Network, windows: Windows, logits: Sequence[Tensor]) -> FloatArray:
    """Count the routing choices of the contexts' patches, (blocks, experts)."""
    config, n_tokens = network.config, windows.patches.shape[1]
    real = torch.arange(n_tokens, device=windows.last_token.device) <= windows.last_token[:, None]
    chosen = torch.stack([part[real.flatten()] for part in logits])
    chosen = chosen.topk(config.num_experts_per_token).indices.flatten(1)  # (blocks, choices)
    counts = torch.zeros(len(logits), config.num_experts, device=chosen.device)
    counts = counts.scatter_add(1, chosen, torch.ones_like(chosen, dtype=counts.dtype))
    found: FloatArray = counts.double().cpu().numpy()
    return found


class TrainingSteps:
    """Draws windows in which each patch predicts the steps after it.

    Parameters
    ----------
    network : TimerS1Network
    series : sequence of ndarray, each (steps,)
        NaN where missing.
    config : FinetuneConfig
    context_length, horizon : int
        Most steps of a context, and steps ahead that matter: serial blocks beyond them do not run.

    Raises
    ------
    NothingToTuneError
        If no series is long enough and varies.
    """

    def __init__(
        self,
        network: TimerS1Network,
        series: Sequence[FloatArray],
        config: FinetuneConfig,
        context_length: int,
        horizon: int,
    ) -> None:
        architecture = network.config
        length = architecture.input_token_len
        self._config, self._n_serial = config, -(-horizon // length) - 1
        longest = max((len(values) for values in series), default=0)
        wanted = -(-context_length // length) + self._n_serial + 1
        most = architecture.max_context_length // length + 1
        n_patches = max(2, min(-(-longest // length), wanted, most))
        n_rows = config.windows_per_step(n_patches)
        self._sampler = WindowSampler(
            series, architecture, n_rows, n_patches, config.seed, network.device
        )

    @contextmanager
    def of(self, trained: Any) -> Iterator[Callable[[], Terms | None]]:
        """Yield a function of the losses of the next batch."""
        config = self._config
        tunes_routers = replaced_by("router", trained.parameters)
        both = trained.network, trained.frozen
        with base_routing(*both) if tunes_routers else nullcontext() as base_logits:

            def terms() -> Terms | None:
                batch = self._sampler.batch()
                if not batch.supervised.any():
                    return None
                found = dense_terms(
                    trained.network,
                    batch,
                    self._n_serial,
                    config.balance_loss,
                    config.router_kl,
                    base_logits,
                )
                return Terms(found.loss, found.quantile)

            yield terms


def new_parts(
    network: TimerS1Network,
    target: str,
    steps: TrainingSteps,
    seed: int,
    columns: Sequence[KnownColumn] = (),
) -> None:
    """Return None: no target adds a part to the network."""
