"""Losses of TinyTimeMixer, on the scale of each context, over all levels of the network.

The loss of a step is twice the pinball loss, averaged over the levels. For a checkpoint without a
quantile head all levels have the same forecast, and the loss is the absolute error.

Shapes in comments: B windows, T context length, Q levels, H steps ahead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from timer_forecaster.arrays import FloatArray
from timer_forecaster.finetuning.config import FinetuneConfig
from timer_forecaster.finetuning.errors import NothingToTuneError
from timer_forecaster.finetuning.objectives.mixing import channel_mixing
from timer_forecaster.finetuning.objectives.parts import Passed, Terms, standardized
from timer_forecaster.finetuning.objectives.quantile_head import NewParts, quantile_head
from timer_forecaster.finetuning.windows import around, varies
from timer_forecaster.inference.engine.known import KnownSteps, pad_known
from timer_forecaster.inference.engine.ttm import pad_batch, quantiles_of, tensor_of
from timer_forecaster.inference.frequency import Frequency, tokens_of
from timer_forecaster.models.columns import KnownColumn
from timer_forecaster.models.ttm import TTMNetwork
from timer_forecaster.models.ttm.loss import pinball

_FEWEST_STEPS = 4  # of a series to train on
_AT_ONCE = 96  # windows, as in forecasts

expert_use = None
"""A mixer has no experts."""


class Windows(NamedTuple):
    """Contexts and targets, standardized by the contexts as in a forecast."""

    values: Tensor  # (B, T), zero before a shorter context
    seen: Tensor  # (B, T) bool: whether the step was observed
    target: Tensor  # (B, H), finite
    observed: Tensor  # (B, H) bool: whether the step counts
    tokens: Tensor  # (B,) of frequencies; only some networks read them
    known: KnownSteps | None = None  # columns beside them


def make_windows(
    network: TTMNetwork,
    contexts: Sequence[FloatArray],
    targets: FloatArray,
    frequencies: Sequence[Frequency] | None = None,
    known: Sequence[FloatArray] | None = None,
) -> Windows:
    """Standardize windows; see `timer_forecaster.finetuning.objectives.parts.standardized`.

    A network that reads the frequencies of series takes the contexts without one as unknown.
    `known` has columns (columns, steps of the context and of the target) beside each window.
    """
    rows, target, observed = standardized(network, contexts, targets)
    values = pad_batch(network, [row.values for row in rows])
    tokens = None if frequencies is None else tokens_of(network.config, frequencies)
    read = tensor_of(network, tokens, range(len(rows)))
    columns = None if known is None else pad_known(network, known, targets.shape[1])
    return Windows(*values, target, observed, read, columns)


def window_pass(network: TTMNetwork, windows: Windows) -> Passed:
    """Forecast the steps after the contexts, in the normalized units of each context."""
    contexts = windows.values[:, None], windows.seen[:, None]
    quantiles = quantiles_of(network, *contexts, windows.tokens, windows.known)[:, 0]
    quantiles = quantiles.expand(-1, len(network.config.quantiles), -1)
    return Passed(quantiles[..., : windows.target.shape[-1]], [])


def _step_losses(network: TTMNetwork, quantiles: Tensor, windows: Windows) -> Tensor:
    """Return the loss of each step (B, H), observed or not."""
    levels = torch.tensor(network.config.quantiles, device=quantiles.device, dtype=quantiles.dtype)
    target = windows.target[:, None, : quantiles.shape[-1]].to(quantiles.dtype)
    return 2 * pinball(target - quantiles, levels[:, None]).mean(1)


def window_losses(network: TTMNetwork, quantiles: Tensor, windows: Windows) -> Tensor:
    """Return the mean loss of the steps of each window, (B,).

    The loss is zero for a window without an observed value after the context.

    Parameters
    ----------
    network : TTMNetwork
    quantiles : Tensor, shape (B, Q, steps)
        Quantiles from `window_pass`.
    windows : Windows
        ``observed`` may hold weights of steps.
    """
    weights = windows.observed[:, : quantiles.shape[-1]].to(quantiles.dtype)
    total = weights.sum(-1).clamp_min(torch.finfo(weights.dtype).tiny)
    return (_step_losses(network, quantiles, windows) * weights).sum(-1) / total


def windows_at_once(network: TTMNetwork, longest: int) -> int:
    """Return the number of windows in a pass."""
    return _AT_ONCE


class TrainingSteps:
    """Draws windows as forecasts will read them. Their ends are spread evenly over all series.

    Parameters
    ----------
    network : TTMNetwork
    series : sequence of ndarray, each (steps,)
        NaN where missing.
    config : FinetuneConfig
    context_length, horizon : int
        Most steps of a context, and of a target.
    frequencies : sequence of Frequency, optional
        Of each series, for a network that reads them.
    known : sequence of ndarray, each (columns, steps), optional
        Known columns beside each series.

    Raises
    ------
    NothingToTuneError
        If no series is long enough and varies.
    """

    def __init__(
        self,
        network: TTMNetwork,
        series: Sequence[FloatArray],
        config: FinetuneConfig,
        context_length: int,
        horizon: int,
        frequencies: Sequence[Frequency] | None = None,
        known: Sequence[FloatArray] | None = None,
    ) -> None:
        usable = [i for i, one in enumerate(series) if len(one) >= _FEWEST_STEPS and varies(one)]
        self._series = [series[i] for i in usable]
        self._frequencies = None if frequencies is None else [frequencies[i] for i in usable]
        self._known = None if known is None else [known[i] for i in usable]
        if not self._series:
            longest = max((len(values) for values in series), default=0)
            raise NothingToTuneError(
                "series: there is nothing to train on; one of them at least must vary, in "
                f"{_FEWEST_STEPS} steps or more before those that validate. The longest has "
                f"{longest} there"
            )
        lengths = np.array([len(values) for values in self._series], dtype=np.float64)
        self._shares = lengths / lengths.sum()
        self._network, self._context_length, self._horizon = network, context_length, horizon
        self._n_rows = config.windows_per_step(network.config.base_patches)
        self._random = np.random.default_rng(config.seed)

    def windows(self) -> Windows:
        """Draw a batch of windows."""
        contexts, columns = [], []
        targets = np.full((self._n_rows, self._horizon), np.nan)
        chosen = self._random.choice(len(self._series), self._n_rows, p=self._shares)
        for target, i in zip(targets, chosen, strict=True):
            values = self._series[i]
            # Series that are shorter than a context are cut at different steps too.
            first = min(self._context_length, len(values) // 2)
            last = len(values) - max(1, min(self._horizon, (len(values) - first) // 2))
            end = self._random.integers(first, last, endpoint=True)
            context, after = values[max(0, end - self._context_length) : end], values[end:]
            contexts.append(context if np.isfinite(context).any() else np.zeros(1))
            target[: len(after)] = after[: self._horizon]
            if self._known is not None:
                beside = around(self._known[i], int(end), self._context_length, self._horizon)
                columns.append(beside)
        own = None if self._frequencies is None else [self._frequencies[i] for i in chosen]
        return make_windows(self._network, contexts, targets, own, columns or None)

    @contextmanager
    def of(self, trained: Any) -> Iterator[Callable[[], Terms | None]]:
        """Yield a function of the losses of the next batch; each observed step counts the same."""

        def terms() -> Terms | None:
            windows = self.windows()
            if not windows.observed.any():
                return None
            quantiles = window_pass(trained.network, windows).quantiles
            losses = _step_losses(trained.network, quantiles, windows)
            loss = losses[windows.observed[:, : losses.shape[-1]]].mean()
            return Terms(loss, loss)

        yield terms


@torch.no_grad()
def new_parts(
    network: TTMNetwork,
    target: str,
    steps: TrainingSteps,
    seed: int,
    columns: Sequence[KnownColumn] = (),
) -> NewParts | None:
    """Return the parts that a target adds to a network; None if it adds none.

    A quantile head starts with the quantiles of the errors of the network in windows to train on.
    Mixers of channels read known columns.
    """
    if target == "channels":
        return channel_mixing(network, columns, seed)
    if target != "quantile-head" or network.config.forecasts_quantiles:
        return None
    errors = []
    for _ in range(4):
        windows = steps.windows()
        point = window_pass(network, windows).quantiles[:, 0]
        errors.append((windows.target[:, : point.shape[-1]] - point)[windows.observed])
    return quantile_head(network.config, torch.cat(errors), seed)
