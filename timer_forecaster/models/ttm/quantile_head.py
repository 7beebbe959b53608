"""Quantiles around a point forecast, which cannot cross.

Shapes in comments: B batch, H horizon, C channels, P tokens, D features, Q levels, h hidden width.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

if TYPE_CHECKING:
    from timer_forecaster.models.ttm.architecture import TTMArchitecture


class MultiQuantileHead(nn.Module):
    """Maps a point forecast, and the tokens it was made from, to quantiles.

    Parameters
    ----------
    config : TTMArchitecture
        ``mq_use_decoder_pool`` lets the head see the tokens: their mean, or all of them through
        ``mq_decoder_d_model`` features each (``mq_cond_path``), added to the features of each step
        or put beside them (``mq_cond_mode``). With ``mq_q50_type="mean"`` the median is the point
        forecast itself.
    """

    def __init__(self, config: TTMArchitecture) -> None:
        super().__init__()
        hidden, n_levels = config.mq_hidden, len(config.quantile_levels)
        self.shifts = config.mq_q50_type == "median"
        self.eps = config.mq_eps
        self.condition = config.mq_cond_path if config.mq_use_decoder_pool else None
        self.beside = config.mq_use_decoder_pool and config.mq_cond_mode == "concat"
        self.dw = nn.Conv1d(1, 1, config.mq_kernel_size, padding="same")
        self.inorm = nn.InstanceNorm1d(1, affine=True)
        self.pw1 = nn.Conv1d(1, hidden, 1)
        self.pw2 = nn.Conv1d(2 * hidden if self.beside else hidden, n_levels, 1)
        if self.condition == "pool":
            self.dec_proj = nn.Linear(config.output_width, hidden)
        elif self.condition == "flatten":
            self.dec_tok_proj = nn.Linear(config.output_width, config.mq_decoder_d_model)
            n_features = config.num_patches * config.mq_decoder_d_model
            self.dec_flat_to_hidden = nn.Linear(n_features, hidden)

    def forward(self, forecast: Tensor, tokens: Tensor) -> Tensor:
        """Return quantiles.

        Parameters
        ----------
        forecast : Tensor, shape (B, H, C)
            Point forecasts on the scale of the network.
        tokens : Tensor, shape (B, C, P, D)
            Output of the decoder.

        Returns
        -------
        Tensor, shape (B, Q, H, C)
            Ascending.
        """
        point = forecast.transpose(1, 2).flatten(0, 1).unsqueeze(1)  # (B·C, 1, H)
        features = F.gelu(self.pw1(self.inorm(self.dw(point))))  # (B·C, h, H)
        if self.condition is not None:
            seen = self._condition(tokens).flatten(0, 1).unsqueeze(-1)  # (B·C, h, 1)
            if self.beside:
                features = torch.cat([features, seen.expand_as(features)], dim=1)
            else:
                features = features + seen
        quantiles = self._quantiles(point, self.pw2(features))  # (B·C, Q, H)
        return quantiles.unflatten(0, (len(forecast), -1)).permute(0, 2, 3, 1)

    def _condition(self, tokens: Tensor) -> Tensor:
        """Map tokens (B, C, P, D) to features (B, C, h)."""
        if self.condition == "pool":
            return self.dec_proj(tokens.mean(-2))
        return self.dec_flat_to_hidden(self.dec_tok_proj(tokens).flatten(-2))

    def _quantiles(self, point: Tensor, raw: Tensor) -> Tensor:
        """Add increments (B·C, Q, H) to the median of a point forecast (B·C, 1, H)."""
        shift, increments = raw[:, :1], F.softplus(raw[:, 1:]) + self.eps
        median = point + shift if self.shifts else point
        below, above = increments.chunk(2, dim=1)
        lower = median - below.cumsum(1)
        return torch.cat([lower.flip(1), median, median + above.cumsum(1)], dim=1)
