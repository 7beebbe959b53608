"""The forecast of the released implementation, with its numbers.

Shapes in comments: B rows, T steps of a context, Q quantile levels, F forecast steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from timer_forecaster.models.timer_s1.key_values import KeyValueCache
from timer_forecaster.models.timer_s1.passes import ForecastPasses
from timer_forecaster.models.timer_s1.patches import patchify


def middle_quantile(quantiles: Tensor) -> Tensor:
    """Return the median (B, F) of the quantiles (B, Q, F) of a forecast, which may cross.

    The released code uses this median, not the quantile that was predicted for the level 0.5.
    """
    ranked = quantiles.sort(dim=1).values
    n = ranked.shape[1]
    return torch.lerp(ranked[:, (n - 1) // 2], ranked[:, n // 2], 0.5)


class ReleasedGeneration(ForecastPasses):
    """The method `generate` of a network that has `TimerS1Layers`."""

    if TYPE_CHECKING:  # a member of `TimerS1Layers`

        @property
        def dtype(self) -> torch.dtype:
            """See `TimerS1Layers.dtype`."""

    @torch.no_grad()
    def generate(self, inputs: Tensor, max_new_tokens: int, revin: bool = True) -> Tensor:
        """Forecast as the released implementation does, with its numbers.

        A longer horizon takes several passes: after each pass the median forecast is appended to
        the context. The context grows without bound, and its keys and values are all kept.
        `timer_forecaster.ForecastPipeline` is easier to use: it scales in float64, and takes
        missing values and rows of unequal lengths.

        Parameters
        ----------
        inputs : Tensor, shape (B, T)
            Contexts, oldest step first, without missing values.
        max_new_tokens : int
            Steps to forecast, at least 1.
        revin : bool
            Whether to normalize each row by its mean and population standard deviation, and to
            map the quantiles back. False enters the row as it is.

        Returns
        -------
        Tensor, shape (B, Q, max_new_tokens)
            In float32 or a wider type, whatever the dtype of the network.

        Raises
        ------
        ValueError
            If an argument cannot be used.
        """
        _check_generate(inputs, max_new_tokens)
        context = inputs.to(self.device).to(torch.promote_types(inputs.dtype, torch.float32))
        mean, std = torch.zeros_like(context[:, :1]), torch.ones_like(context[:, :1])
        if revin:
            mean = context.mean(-1, keepdim=True)
            std = context.std(-1, unbiased=False, keepdim=True) + 1e-5
            context = (context - mean) / std
        n_tokens = -(-context.shape[-1] // self.config.input_token_len)
        at_once = self.rows_at_once(n_tokens, max_new_tokens, 1)
        parts = [self._generate(part, max_new_tokens) for part in context.split(at_once)]
        return torch.cat(parts) * std.unsqueeze(1) + mean.unsqueeze(1)

    def _generate(self, context: Tensor, horizon: int) -> Tensor:
        length = self.config.input_token_len
        patches = patchify(context, None, length).to(self.dtype)
        batch, n_tokens, _ = patches.shape
        last_token = torch.full((batch,), n_tokens - 1, device=patches.device)
        n_added = (horizon - 1) // self.pass_length * self.pass_length // length
        cache = KeyValueCache(last_token, n_tokens, 1, n_added) if n_added else None
        pieces: list[Tensor] = []
        for remaining in range(horizon, 0, -self.pass_length):
            n_patches = -(-min(remaining, self.pass_length) // length)
            if pieces:
                patches = patchify(middle_quantile(pieces[-1]), None, length).to(self.dtype)
                forecast = self.forecast_pass(patches, n_patches, cache=cache)
            else:
                forecast = self.forecast_contexts(patches, n_patches, last_token, cache)
            pieces.append(forecast.to(context.dtype))
        return torch.cat(pieces, dim=-1)[..., :horizon]


def _check_generate(inputs: Tensor, max_new_tokens: int) -> None:
    if inputs.ndim != 2 or inputs.shape[-1] == 0:
        raise ValueError(f"inputs has shape {tuple(inputs.shape)}; expected (batch, steps >= 1)")
    if not torch.isfinite(inputs).all():
        raise ValueError(
            "inputs holds NaN or infinite values; ForecastPipeline.predict takes missing values"
        )
    if max_new_tokens < 1:
        raise ValueError(f"max_new_tokens={max_new_tokens} must be at least 1")
