"""Forecasts from several tokens of each row in one pass: attention is causal.

A row that a network has read holds the forecast from each of its tokens. Shapes in comments: B
rows, O origins, Q levels.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.engine.batching import fill_in_batches, token_batches
from timer_forecaster.inference.engine.timer_s1 import SHARES_EXPERTS_FROM, pad_batch
from timer_forecaster.models.timer_s1 import TimerS1Network


def forecast_origins(
    network: TimerS1Network,
    rows: Sequence[FloatArray],
    steps_back: Sequence[Sequence[int]],
    horizon: int,
) -> list[FloatArray]:
    """Forecast standardized rows from several of their steps.

    Parameters
    ----------
    network : TimerS1Network
        In evaluation mode.
    rows : sequence of ndarray, each (steps,)
        Standardized series, NaN where missing.
    steps_back : sequence of sequence of int
        For each row, numbers of newest steps that the forecasts do not see. Each is a multiple of
        the patch length.
    horizon : int
        Steps to forecast, at most one pass.

    Returns
    -------
    list of ndarray, each of shape (origins, horizon, Q)
        Quantiles, not decreasing along the levels.
    """
    if not rows:
        return []
    config = network.config
    length = config.input_token_len
    n_patches = -(-horizon // length)
    n_tokens = [-(-len(row) // length) for row in rows]
    most = max(map(len, steps_back))
    token = np.zeros((len(rows), most), dtype=np.int64)  # filled up with token 0
    for i, back in enumerate(steps_back):
        token[i, : len(back)] = [max(0, n_tokens[i] - 1 - step // length) for step in back]
    result = np.empty((len(rows), most, horizon, len(config.quantiles)))

    def run(batch: list[int]) -> FloatArray:
        patches = pad_batch(network, [rows[i] for i in batch])
        at = torch.from_numpy(token[batch]).to(network.device)[..., None]  # (B, O, 1)
        outputs = []
        for stage in network.stages(patches, n_patches - 1):
            hidden = stage.hidden_states
            picked = hidden.gather(1, at.expand(-1, -1, hidden.shape[-1])).flatten(0, 1)
            outputs.append(network.predict_patch(picked))
        quantiles = torch.cat(outputs, dim=-1)[:, :, :horizon].sort(dim=1).values
        quantiles = quantiles.unflatten(0, at.shape[:2])  # (B, O, Q, horizon)
        return quantiles.transpose(2, 3).cpu().double().numpy()

    at_once = partial(network.rows_at_once, horizon=1, n_paths=1)
    batches = [*token_batches(n_tokens, at_once, None)]
    batches.reverse()  # the longest first, as in a forecast
    fill_in_batches(
        result,
        run,
        batches,
        device=network.device,
        share_experts=config.hidden_size >= SHARES_EXPERTS_FROM,
    )
    return [result[i, : len(back)] for i, back in enumerate(steps_back)]
