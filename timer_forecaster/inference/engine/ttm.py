"""Rows as TinyTimeMixer reads them: contexts of one length in, quantiles or embeddings out.

Shapes in comments: B rows, K series of a row, E known columns, R paths of each row, T context
length, F steps of one pass, N steps of all passes, Q levels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.channels import grouped, width_of
from timer_forecaster.inference.engine.batching import fill_in_batches
from timer_forecaster.inference.engine.known import KnownSteps, pad_known
from timer_forecaster.inference.engine.paths import continuations, mixed, paths_of
from timer_forecaster.inference.outcome import room_for
from timer_forecaster.inference.scaling import in_units, scaled
from timer_forecaster.models.ttm import TTMNetwork
from timer_forecaster.models.ttm.batches import fill_gaps
from timer_forecaster.models.ttm.frequencies import UNKNOWN

_ROWS_AT_ONCE = {"cpu": 96}  # of 64 to 128 rows: more do not fit into the caches of a CPU
_ROWS_OF_OTHERS = 4096


def forecast_rows(
    network: TTMNetwork,
    rows: Sequence[FloatArray],
    horizon: int,
    rollout: str,
    batch_size: int | None,
    on_batch: Callable[[int], None],
    offsets: FloatArray | None = None,
    tokens: Sequence[int] | None = None,
    known: Sequence[FloatArray] | None = None,
) -> FloatArray:
    """Forecast standardized rows.

    Parameters
    ----------
    network : TTMNetwork
        In evaluation mode.
    rows : sequence of ndarray, each (steps,)
        Standardized series, NaN where missing. A network of so many channels reads as many
        consecutive ones as one row.
    horizon : int
        Steps to forecast.
    rollout : {"quantile", "median"}
        How to continue beyond one pass.
    batch_size : int, optional
        Most rows that enter the network at once.
    on_batch : callable
        Called with the number of series after each batch.
    offsets : ndarray, shape (n_rows, steps of the first pass, Q), optional
        For a network without a quantile head: distances of quantiles from its forecasts. Default:
        all quantiles are the forecast.
    tokens : sequence of int, optional
        For a network that reads the frequency of rows: its token for each. Default: unknown.
    known : sequence of ndarray, each (E, steps + horizon), optional
        Standardized columns beside each row of the network, NaN where missing.

    Returns
    -------
    ndarray, shape (n_rows, horizon, Q)
        Quantiles, not decreasing along the levels.

    Raises
    ------
    ValueError
        If the horizon is so long that the quantiles cannot be held.
    """
    n_paths = paths_of(rollout) if horizon > network.pass_length else 1

    n_levels, width = len(network.config.quantiles), width_of(network.config)
    result = room_for(len(rows), horizon, n_levels)
    if offsets is None:
        offsets = np.zeros((len(rows), min(horizon, network.pass_length), n_levels))
    by_row = offsets.reshape(-1, width, *offsets.shape[1:])  # (rows, K, steps, Q)

    def run(batch: list[int], values: Tensor, observed: Tensor) -> Tensor:
        around = torch.from_numpy(by_row[batch]).to(values.device, torch.float32).transpose(2, 3)
        own = None if known is None else pad_known(network, [known[i] for i in batch], horizon)
        read = tensor_of(network, tokens, batch)
        quantiles = _roll_out(
            network, _Contexts(values, observed, around, read, own), horizon, n_paths
        )
        return quantiles.sort(dim=2).values.transpose(2, 3)

    filled = result.reshape(-1, width, horizon, n_levels)  # a view
    _fill(filled, network, rows, run, n_paths, batch_size, on_batch)
    return result


def forecast_origins(
    network: TTMNetwork,
    rows: Sequence[FloatArray],
    steps_back: Sequence[Sequence[int]],
    horizon: int,
    tokens: Sequence[int] | None = None,
) -> list[FloatArray]:
    """Forecast standardized rows from several of their steps, each of which is a row of its own.

    Parameters
    ----------
    network : TTMNetwork
        In evaluation mode.
    rows : sequence of ndarray, each (steps,)
        Standardized series, NaN where missing.
    steps_back : sequence of sequence of int
        For each row, numbers of newest steps that the forecasts do not see.
    horizon : int
        Steps to forecast, at most one pass.
    tokens : sequence of int, optional
        As in `forecast_rows`.

    Returns
    -------
    list of ndarray, each of shape (origins, horizon, Q)
    """
    if not rows:
        return []
    cut = [
        row[: len(row) - step] for row, back in zip(rows, steps_back, strict=True) for step in back
    ]
    found = np.zeros((len(cut), horizon, len(network.config.quantiles)))
    seen = [i for i, row in enumerate(cut) if np.isfinite(row).any()]  # else: the mean of the row
    own = [scaled(cut[i], network.config.max_context_length, interior_masks=True) for i in seen]
    varying = [place for place, row in enumerate(own) if row.scale > 0]
    inputs = [own[place].values for place in varying]
    if tokens is not None:
        each = [token for token, back in zip(tokens, steps_back, strict=True) for _ in back]
        tokens = [each[seen[place]] for place in varying]
    given = inputs, horizon, "median", None, lambda n: None
    quantiles = forecast_rows(network, *given, tokens=tokens)
    if seen:
        found[seen] = in_units(own, quantiles)
    return np.split(found, np.cumsum([len(back) for back in steps_back])[:-1])


def embed_rows(
    network: TTMNetwork, rows: Sequence[FloatArray], tokens: Sequence[int] | None = None
) -> FloatArray:
    """Return the output of the backbone at the newest patch of each series, (n_rows, d_model).

    Series are standardized; tokens are as in `forecast_rows`. The backbone of a network that reads
    known columns does not mix them with series, so that zeros stand for them.
    """
    n_known, width = len(network.config.known_columns), width_of(network.config)

    def run(batch: list[int], values: Tensor, observed: Tensor) -> Tensor:
        none = [np.zeros((n_known, network.pass_length))] * len(batch)
        known = pad_known(network, none, network.pass_length) if n_known else None
        output = _output(network, values, observed, tensor_of(network, tokens, batch), known)
        return output.backbone_hidden_state[:, :width, -1]

    result = np.empty((len(rows), network.config.hidden_size))
    by_row = result.reshape(-1, width, result.shape[1])  # a view
    _fill(by_row, network, rows, torch.inference_mode()(run))
    return result


def route_rows(network: TTMNetwork, rows: Sequence[FloatArray]) -> FloatArray:
    """Refuse: a mixer has no experts.

    Raises
    ------
    ValueError
    """
    raise ValueError(
        "a TinyTimeMixer has no experts, and so no routing; routing applies to Timer-S1, such as "
        "'timer-s1-small'"
    )


def _fill(
    result: FloatArray,
    network: TTMNetwork,
    rows: Sequence[FloatArray],
    run: Callable[[list[int], Tensor, Tensor], Tensor],
    n_paths: int = 1,
    batch_size: int | None = None,
    on_batch: Callable[[int], None] | None = None,
) -> None:
    """Write the output (B, K, ...) of a function of row numbers, values and masks (B, K, T)."""
    width = width_of(network.config)
    by_row, n_channels = grouped(rows, width), width + len(network.config.known_columns)
    at_once = _ROWS_AT_ONCE.get(network.device.type, _ROWS_OF_OTHERS) // (n_paths * n_channels)
    size = max(1, min(at_once, batch_size or at_once))
    batches = [[*part] for part in grouped(range(len(by_row)), size)]

    def run_rows(batch: list[int]) -> FloatArray:
        flat = pad_batch(network, [one for i in batch for one in by_row[i]])
        values, observed = (part.unflatten(0, (-1, width)) for part in flat)
        return run(batch, values, observed).cpu().double().numpy()

    fill_in_batches(
        result,
        run_rows,
        batches,
        device=network.device,
        share_experts=False,
        on_batch=on_batch and (lambda n_rows: on_batch(n_rows * width)),
    )


def pad_batch(network: TTMNetwork, rows: Sequence[FloatArray]) -> tuple[Tensor, Tensor]:
    """Return values and masks (B, T): zeros, the mean of a row, go before short rows.

    Missing values take the line between their neighbors, since a mask alone would leave a zero.
    """
    length = network.config.max_context_length
    double = network.dtype == torch.float64
    values = np.full((len(rows), length), np.nan, dtype=np.float64 if double else np.float32)
    for i, row in enumerate(rows):
        row = row[-length:]
        values[i, length - len(row) :] = row
    there = torch.from_numpy(values).to(network.device)
    observed = ~there.isnan()
    return fill_gaps(there, observed).to(network.dtype), observed


def tensor_of(network: TTMNetwork, tokens: Sequence[int] | None, batch: Sequence[int]) -> Tensor:
    """Return the tokens of a batch, which other networks than those with a prefix ignore."""
    own = [UNKNOWN] * len(batch) if tokens is None else [tokens[i] for i in batch]
    return torch.tensor(own, dtype=torch.long, device=network.device)


class _Contexts(NamedTuple):
    """Contexts of rows, or of the paths of rows."""

    values: Tensor  # (B, K, T)
    observed: Tensor  # (B, K, T) bool
    offsets: Tensor  # (B, K, Q, F), used where the network forecasts no quantiles
    tokens: Tensor  # (B,) of frequencies; only some networks read them
    known: KnownSteps | None = None

    def repeated(self, n_paths: int) -> _Contexts:
        """Return each context for each of its paths."""
        known = self.known and KnownSteps(*_repeated(self.known, n_paths))
        values, observed, offsets, tokens = _repeated(self[:-1], n_paths)
        return _Contexts(values, observed, offsets, tokens, known)

    def extended(self, paths: Tensor) -> _Contexts:
        """Return the newest steps of contexts that paths (B, K, F) continue."""
        length, steps = self.values.shape[-1], paths.shape[-1]
        values = torch.cat([self.values, paths.to(self.values.dtype)], dim=-1)
        observed = torch.cat([self.observed, torch.ones_like(paths, dtype=torch.bool)], dim=-1)
        known = self.known and KnownSteps(*(part[..., steps:] for part in self.known))
        newest = values[..., -length:], observed[..., -length:]
        return _Contexts(*newest, self.offsets, self.tokens, known)


def _repeated(parts: Iterable[Any], n_times: int) -> list[Tensor]:
    """Repeat each row of tensors (B, ...)."""
    return [part.repeat_interleave(n_times, dim=0) for part in parts]


@torch.inference_mode()
def _roll_out(network: TTMNetwork, contexts: _Contexts, horizon: int, n_paths: int) -> Tensor:
    """Return quantiles (B, K, Q, horizon); each pass reads contexts and what paths have added.

    A path takes the same part of the quantiles of all series of a row.
    """
    levels, n_series = network.config.quantiles, contexts.values.shape[1]
    pieces: list[Tensor] = []
    for remaining in range(horizon, 0, -network.pass_length):
        forecast = _one_pass(network, contexts)
        if pieces and n_paths > 1:
            paths = forecast.unflatten(0, (-1, n_paths)).transpose(1, 2).flatten(0, 2)
            forecast = mixed(levels, paths, n_paths).unflatten(0, (-1, n_series))
        pieces.append(forecast[..., :remaining])
        if remaining > network.pass_length:
            if len(pieces) == 1 and n_paths > 1:
                contexts = contexts.repeated(n_paths)
            paths = continuations(levels, forecast.flatten(0, 1), n_paths)  # (B K, R, F)
            paths = paths.unflatten(0, (-1, n_series)).transpose(1, 2).flatten(0, 1)
            contexts = contexts.extended(paths)  # (B R, K, F)
    return torch.cat(pieces, dim=-1)


def _one_pass(network: TTMNetwork, contexts: _Contexts) -> Tensor:
    """Return quantiles (B, K, Q, F), in float32 or wider, of contexts."""
    values, observed, offsets, tokens, known = contexts
    quantiles = quantiles_of(network, values, observed, tokens, known)
    if quantiles.shape[2] == 1:
        quantiles = quantiles[..., : offsets.shape[-1]] + offsets
    return quantiles


def quantiles_of(
    network: TTMNetwork,
    values: Tensor,
    observed: Tensor,
    tokens: Tensor | None = None,
    known: KnownSteps | None = None,
) -> Tensor:
    """Return quantiles (B, K, Q, F), in float32 or wider, from one pass of the network.

    A network without a quantile head has one, its forecast.

    Parameters
    ----------
    network : TTMNetwork
    values, observed : Tensor, shape (B, K, T)
        Contexts without gaps, and whether a value was observed.
    tokens : Tensor, shape (B,), optional
        Of the frequencies of rows; only some networks read them.
    known : KnownSteps, optional
        Columns beside them, over the context and at least one pass.
    """
    output = _output(network, values, observed, tokens, known)
    if output.quantile_outputs is None:
        quantiles = output.prediction_outputs.transpose(1, 2).unsqueeze(2)
    else:
        quantiles = output.quantile_outputs.permute(0, 3, 1, 2)
    return quantiles.to(torch.promote_types(quantiles.dtype, torch.float32))


def _output(
    network: TTMNetwork,
    values: Tensor,
    observed: Tensor,
    tokens: Tensor | None,
    known: KnownSteps | None,
) -> Any:
    """Return the output of a pass; see `quantiles_of`."""
    if known is None:
        seen = observed.transpose(1, 2)
        return network(values.transpose(1, 2), past_observed_mask=seen, freq_token=tokens)
    length, steps = values.shape[-1], network.pass_length
    past = torch.cat([values, known.values[..., :length]], dim=1)
    seen = torch.cat([observed, known.seen[..., :length]], dim=1)
    future = known.values[..., length : length + steps]
    future = torch.cat([future.new_zeros(*values.shape[:2], steps), future], dim=1)
    return network(
        past.transpose(1, 2),
        future.transpose(1, 2),
        past_observed_mask=seen.transpose(1, 2),
        freq_token=tokens,
        return_loss=False,
    )
