"""Forecasts mixed over channels, with channels whose future is known.

Shapes in comments: B batch, H horizon, K targets, E exogenous channels, W steps of a window.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from timer_forecaster.models.ttm.mixer import Gate, MixerBlock, MixerSettings

if TYPE_CHECKING:
    from timer_forecaster.models.ttm.architecture import TTMArchitecture


class ForecastChannelMixing(nn.Module):
    """Adds to each step of a forecast a function of all channels around that step.

    The forecasts are on the scale of the network. The known future, and the past values that are
    put before the forecast, are **as they are given**: standardize them before.

    Parameters
    ----------
    config : TTMArchitecture
        ``fcm_context_length`` is the number of steps on either side. ``fcm_prepend_past`` puts
        the newest steps of the context before the forecast, else zeros.
        ``fcm_prepend_past_offset`` leaves out so many newest ones. ``fcm_use_mixer`` mixes
        channels in mixer layers first, and ``fcm_gated_attn`` puts gates in all of it.
    """

    def __init__(self, config: TTMArchitecture) -> None:
        super().__init__()
        self.context, self.offset = config.fcm_context_length, config.fcm_prepend_past_offset or 0
        self.sees_past = config.fcm_prepend_past
        self.uses_mixer = config.fcm_use_mixer
        n_targets, n_channels = config.n_targets, config.n_targets + len(config.exogenous_channels)
        width = 2 * self.context + 1
        if self.uses_mixer:
            self.fcm_embedding = nn.Linear(width, 2 * width)
            width *= 2
            settings = MixerSettings.of(config, config.dropout, gated=config.fcm_gated_attn)
            self.exog_mixer = MixerBlock(config.fcm_mix_layers, n_channels, width, settings)
        self.mlp = nn.Linear(n_channels * width, n_targets)
        self.fcm_gating_block: Gate | None = None
        if config.fcm_gated_attn:
            self.fcm_gating_block = Gate(n_channels * width, config.gate_mode, config.gate_groups)

    def forward(self, forecast: Tensor, past: Tensor, known: Tensor) -> Tensor:
        """Mix forecasts.

        Parameters
        ----------
        forecast : Tensor, shape (B, H, K)
            Forecasts of the targets, on the scale of the network.
        past : Tensor, shape (B, T, K + E)
            The context, of targets and then of exogenous channels, as it was given.
        known : Tensor, shape (B, H, E)
            The future of the exogenous channels.

        Returns
        -------
        Tensor, shape (B, H, K)
        """
        channels = torch.cat([forecast, known.to(forecast.dtype)], dim=-1)
        mixed = self._windows(channels, past.to(forecast.dtype))  # (B, H, K + E, W)
        if self.uses_mixer:
            mixed = self.exog_mixer(self.fcm_embedding(mixed))
        mixed = mixed.flatten(-2)
        if self.fcm_gating_block is not None:
            mixed = self.fcm_gating_block(mixed, -1)
        return self.mlp(mixed) + forecast

    def _windows(self, channels: Tensor, past: Tensor) -> Tensor:
        """Return the steps around each step, in memory of their own."""
        if self.context == 0:
            return channels.unsqueeze(-1)
        before = past[:, past.shape[1] - self.context - self.offset :][:, : self.context]
        if not self.sees_past:
            before = torch.zeros_like(before)
        steps = F.pad(torch.cat([before, channels], dim=1), (0, 0, 0, self.context))
        return steps.unfold(1, 2 * self.context + 1, 1).contiguous()
