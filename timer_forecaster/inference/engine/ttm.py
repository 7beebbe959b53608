"""Rows as TinyTimeMixer reads them: contexts of one length in, quantiles or embeddings out.

Shapes in comments: B rows, R paths of each row, T context length, F steps of one pass, Q levels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.engine.batching import fill_in_batches
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
) -> FloatArray:
    """Forecast standardized rows.

    Parameters
    ----------
    network : TTMNetwork
        In evaluation mode.
    rows : sequence of ndarray, each (steps,)
        Standardized series, NaN where missing.
    horizon : int
        Steps to forecast.
    rollout : {"quantile", "median"}
        How to continue beyond one pass.
    batch_size : int, optional
        Most rows that enter the network at once.
    on_batch : callable
        Called with the number of rows after each batch.
    offsets : ndarray, shape (n_rows, steps of the first pass, Q), optional
        For a network without a quantile head: distances of quantiles from its forecasts. Default:
        all quantiles are the forecast.
    tokens : sequence of int, optional
        For a network that reads the frequency of rows: its token for each. Default: unknown.

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

    n_levels = len(network.config.quantiles)
    if offsets is None:
        offsets = np.zeros((len(rows), min(horizon, network.pass_length), n_levels))

    def run(batch: list[int], values: Tensor, observed: Tensor) -> Tensor:
        around = torch.from_numpy(offsets[batch]).to(values.device, torch.float32).transpose(1, 2)
        contexts = _Contexts(values, observed, tensor_of(network, tokens, batch), around)
        quantiles = _roll_out(network, contexts, horizon, n_paths)
        return quantiles.sort(dim=1).values.transpose(1, 2)

    result = room_for(len(rows), horizon, n_levels)
    _fill(result, network, rows, run, n_paths, batch_size, on_batch)
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
    """Return the output of the backbone at the newest patch of each row, (n_rows, d_model).

    Rows are standardized; tokens are as in `forecast_rows`.
    """

    def run(batch: list[int], values: Tensor, observed: Tensor) -> Tensor:
        own = tensor_of(network, tokens, batch)
        output = network(values[..., None], past_observed_mask=observed[..., None], freq_token=own)
        return output.backbone_hidden_state[:, 0, -1]

    result = np.empty((len(rows), network.config.hidden_size))
    _fill(result, network, rows, torch.inference_mode()(run))
    return result


def route_rows(network: TTMNetwork, rows: Sequence[FloatArray]) -> FloatArray:
    """Refuse: a mixer has no experts.

    Raises
    ------
    ValueError
    """
    raise ValueError(
        "a TinyTimeMixer has no experts, and so no routing; routing applies to Timer-S1, such as "
        "'timer-s1-mini'"
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
    """Write the output (B, ...) of a function of row numbers, values and masks (B, T)."""
    at_once = _ROWS_AT_ONCE.get(network.device.type, _ROWS_OF_OTHERS) // n_paths
    size = max(1, min(at_once, batch_size or at_once))
    batches = [[*range(start, min(start + size, len(rows)))] for start in range(0, len(rows), size)]

    def run_rows(batch: list[int]) -> FloatArray:
        values, observed = pad_batch(network, [rows[i] for i in batch])
        return run(batch, values, observed).cpu().double().numpy()

    fill_in_batches(
        result, run_rows, batches, device=network.device, share_experts=False, on_batch=on_batch
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

    values: Tensor  # (B, T)
    observed: Tensor  # (B, T) bool
    tokens: Tensor  # (B,) of frequencies
    offsets: Tensor  # (B, Q, F), used where the network forecasts no quantiles

    def repeated(self, n_paths: int) -> _Contexts:
        """Return each context for each of its paths."""
        return _Contexts(*(part.repeat_interleave(n_paths, dim=0) for part in self))

    def extended(self, paths: Tensor) -> _Contexts:
        """Return the newest steps of contexts that paths (B, F) continue."""
        length = self.values.shape[1]
        values = torch.cat([self.values, paths.to(self.values.dtype)], dim=1)
        observed = torch.cat([self.observed, torch.ones_like(paths, dtype=torch.bool)], dim=1)
        return self._replace(values=values[:, -length:], observed=observed[:, -length:])


@torch.inference_mode()
def _roll_out(network: TTMNetwork, contexts: _Contexts, horizon: int, n_paths: int) -> Tensor:
    """Return quantiles (B, Q, horizon); each pass reads the contexts and what paths have added."""
    levels = network.config.quantiles
    pieces: list[Tensor] = []
    for remaining in range(horizon, 0, -network.pass_length):
        forecast = _one_pass(network, contexts)
        if pieces and n_paths > 1:
            forecast = mixed(levels, forecast, n_paths)
        pieces.append(forecast[..., :remaining])
        if remaining > network.pass_length:
            if len(pieces) == 1 and n_paths > 1:
                contexts = contexts.repeated(n_paths)
            paths = continuations(levels, forecast, n_paths).flatten(0, 1)  # (B R, F)
            contexts = contexts.extended(paths)
    return torch.cat(pieces, dim=-1)


def _one_pass(network: TTMNetwork, contexts: _Contexts) -> Tensor:
    """Return quantiles (B, Q, F), in float32 or wider, of contexts (B, T)."""
    values, observed, tokens, offsets = contexts
    output = network(values[..., None], past_observed_mask=observed[..., None], freq_token=tokens)
    if output.quantile_outputs is None:
        point = output.prediction_outputs[:, : offsets.shape[-1], 0]
        quantiles = point[:, None] + offsets
    else:
        quantiles = output.quantile_outputs[..., 0]
    return quantiles.to(torch.promote_types(quantiles.dtype, torch.float32))
