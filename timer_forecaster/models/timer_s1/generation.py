"""The forecast of the released implementation, with its numbers.

Shapes in comments: B rows, T steps of a context, Q quantile levels, F forecast steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from timer_forecaster.checks import check_flag, check_integer
from timer_forecaster.models.timer_s1.arguments import as_contexts, check_options
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

    if TYPE_CHECKING:  # members of `TimerS1Layers`
        training: bool

        @property
        def dtype(self) -> torch.dtype:
            """See `TimerS1Layers.dtype`."""

    @torch.no_grad()
    def generate(
        self,
        inputs: Any,
        max_new_tokens: int,
        revin: bool = True,
        attention_mask: Any = None,
        **options: Any,
    ) -> Tensor:
        """Forecast as the released implementation does, with its numbers.

        A longer horizon takes several passes: after each pass the median forecast is appended to
        the context. The context grows without bound, and its keys and values are all kept.
        `timer_forecaster.ForecastPipeline` is easier to use: it scales in float64, and takes
        missing values and rows of unequal lengths.

        Parameters
        ----------
        inputs : Tensor or array-like, shape (B, T)
            Contexts, oldest step first, without missing values. Integers are read as float64.
        max_new_tokens : int
            Steps to forecast, at least 1.
        revin : bool
            Whether to normalize each row by its mean and population standard deviation, and to
            map the quantiles back. False enters the row as it is.
        attention_mask : array-like, shape (B, T), optional
            Must hide nothing.
        **options
            Options of models of text, such as ``do_sample`` and ``num_beams``. They must ask for
            nothing.

        Returns
        -------
        Tensor, shape (B, Q, max_new_tokens)
            In float32 or a wider type, whatever the dtype of the network.

        Raises
        ------
        ValueError, TypeError
            If an argument cannot be used. The message names it.
        ValueError
            If the network is in training mode and has dropout, or if the forecast is not finite.
        """
        context = as_contexts(inputs).to(self.device)
        horizon = check_integer("max_new_tokens", max_new_tokens)
        check_flag("revin", revin)
        check_options(context, attention_mask, options)
        if self.training and self.config.dropout_rate:
            raise ValueError(
                "the network is in training mode, and dropout would make forecasts random; call "
                "its method eval() before"
            )
        forecast = self._forecast(context, horizon, revin)
        if not torch.isfinite(forecast).all():
            raise ValueError(
                "the forecast is not finite: the weights are not, or the inputs are too large for "
                f"{str(forecast.dtype).removeprefix('torch.')}"
            )
        return forecast

    def _forecast(self, context: Tensor, max_new_tokens: int, revin: bool) -> Tensor:
        mean, std = torch.zeros_like(context[:, :1]), torch.ones_like(context[:, :1])
        if revin:
            context, mean, std = _normalized(context)
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


def _normalized(context: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return rows, their means, and their deviations + 1e-5 by which they are divided.

    The statistics are relative to a power of two near the largest value of the row. This changes
    no bit of them, except that squares and sums of very large or very small values stay in range.
    """
    peak = context.abs().amax(-1, keepdim=True)
    exponent = (torch.frexp(peak).exponent - 1).to(context.dtype)
    unit = torch.where(peak > 0, torch.exp2(exponent), 1.0)
    relative = context / unit
    mean = relative.mean(-1, keepdim=True)
    std = relative.std(-1, unbiased=False, keepdim=True)
    return (relative - mean) / (std + 1e-5 / unit), mean * unit, std * unit + 1e-5
