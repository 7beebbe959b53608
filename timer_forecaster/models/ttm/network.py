"""The network of TinyTimeMixer in plain torch (arXiv 2401.03955).

Modules and parameters have the names of the released checkpoints.

Shapes in comments: B batch, T steps, C channels, P tokens, L patch length, D features, H horizon,
Q quantile levels.
"""

from __future__ import annotations

import dataclasses
from typing import cast

import torch
from torch import Tensor, nn

from timer_forecaster.models.network import Network, redraw
from timer_forecaster.models.ttm.architecture import TTMArchitecture
from timer_forecaster.models.ttm.arguments import Inputs, check_inputs
from timer_forecaster.models.ttm.channels import ForecastChannelMixing
from timer_forecaster.models.ttm.loss import point_loss, quantile_loss
from timer_forecaster.models.ttm.mixer import MixerBlock, MixerSettings
from timer_forecaster.models.ttm.quantile_head import MultiQuantileHead
from timer_forecaster.models.ttm.scaling import fit_context, statistics
from timer_forecaster.models.ttm.tokens import (
    FrequencyTokens,
    MultiScalePatcher,
    Patching,
    PositionalEncoding,
    RegisterTokens,
    prefix_of_frequency,
)


@dataclasses.dataclass
class TTMOutput:
    """The output of `TTMNetwork`.

    Attributes
    ----------
    prediction_outputs : Tensor, shape (B, H, C)
        Point forecast in the units of the data; the median where there are quantiles.
    quantile_outputs : Tensor, shape (B, Q, H, C), or None
        Quantiles, ascending.
    loss : Tensor, scalar, or None
        Loss in the units of the data; None without ``future_values``.
    loc, scale : Tensor, shape (B, 1, C)
        Location and scale of the contexts.
    backbone_hidden_state, decoder_hidden_state : Tensor, shape (B, C, P, D)
        Tokens after the backbone and after the decoder.
    hidden_states : tuple of Tensor, or None
        If asked for: the tokens as they are embedded, and after each mixer.

    Examples
    --------
    >>> import torch
    >>> from timer_forecaster.models.ttm import TTMArchitecture, TTMNetwork
    >>> network = TTMNetwork(TTMArchitecture(num_layers=1, decoder_num_layers=1)).eval()
    >>> network(torch.randn(5, 64, 2)).prediction_outputs.shape  # rows, steps, channels
    torch.Size([5, 16, 2])
    """

    prediction_outputs: Tensor
    quantile_outputs: Tensor | None
    loss: Tensor | None
    loc: Tensor
    scale: Tensor
    backbone_hidden_state: Tensor
    decoder_hidden_state: Tensor
    hidden_states: tuple[Tensor, ...] | None = None


class TTMEncoder(nn.Module):
    """Embeds patches, puts other tokens before them, and mixes all."""

    freq_mod: nn.Sequential
    add_tokens: RegisterTokens
    add_fft_tokens: FrequencyTokens
    positional_encoder: PositionalEncoding
    base_norm: nn.LayerNorm

    def __init__(self, config: TTMArchitecture) -> None:
        super().__init__()
        width, n_tokens = config.d_model, config.num_patches
        self.patcher = (
            MultiScalePatcher(config)
            if config.multi_scale
            else nn.Linear(config.patch_length, width)
        )
        parts: dict[str, nn.Module] = {}
        if config.resolution_prefix_tuning:
            parts["freq_mod"] = prefix_of_frequency(config)
        if config.register_tokens:
            parts["add_tokens"] = RegisterTokens(config.register_tokens, width)
        if config.fft_length:
            parts["add_fft_tokens"] = FrequencyTokens(config)
        if config.use_positional_encoding:
            kind = config.positional_encoding_type
            parts["positional_encoder"] = PositionalEncoding(kind, n_tokens, width)
        if config.base_norm:
            parts["base_norm"] = nn.LayerNorm(n_tokens * width, eps=config.norm_eps)
        for name, part in parts.items():
            self.add_module(name, part)
        self.mlp_mixer_encoder = MixerBlock(
            config.num_layers,
            n_tokens,
            width,
            MixerSettings.of(config, config.dropout),
            config.num_input_channels if config.mode == "mix_channel" else None,
            config.adaptive_patching_levels,
        )
        self.has = frozenset(parts)

    def forward(
        self,
        patches: Tensor,
        context: Tensor,
        frequency: Tensor | None = None,
        states: list[Tensor] | None = None,
    ) -> Tensor:
        """Map patches (B, C, patches, L) of a context (B, T, C) to tokens (B, C, P, D)."""
        tokens = self.patcher(patches)
        if "freq_mod" in self.has:
            first = self.freq_mod(frequency)[:, None, None]  # (B, 1, 1, D)
            tokens = torch.cat([first.expand(-1, tokens.shape[1], -1, -1), tokens], dim=-2)
        if "add_tokens" in self.has:
            tokens = self.add_tokens(tokens)
        if "add_fft_tokens" in self.has:
            tokens = self.add_fft_tokens(tokens, context)
        if "positional_encoder" in self.has:
            tokens = self.positional_encoder(tokens)
        if "base_norm" in self.has:
            tokens = self.base_norm(tokens.flatten(-2)).view(tokens.shape)
        if states is not None:
            states.append(tokens)
        return self.mlp_mixer_encoder(tokens, states)


class TTMBackbone(nn.Module):
    """Patches and encoder."""

    def __init__(self, config: TTMArchitecture) -> None:
        super().__init__()
        self.patching = Patching(config.patch_length)
        self.encoder = TTMEncoder(config)


class CategoryEmbedding(nn.Module):
    """Static categories as further channels."""

    def __init__(self, sizes: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.embedding_layers = nn.ModuleList(nn.Embedding(size, width) for size in sizes)

    def forward(self, categories: Tensor, n_tokens: int) -> Tensor:
        """Map categories (B, number) to channels (B, number, P, D), alike in all tokens."""
        channels = [
            layer(category)
            for layer, category in zip(self.embedding_layers, categories.unbind(1), strict=True)
        ]
        return torch.stack(channels, dim=1).unsqueeze(2).expand(-1, -1, n_tokens, -1)


class TTMDecoder(nn.Module):
    """Mixes tokens again, in another width."""

    def __init__(self, config: TTMArchitecture) -> None:
        super().__init__()
        width, sizes = config.decoder_d_model, config.categorical_vocab_size_list
        self.adapts = config.d_model != width
        self.sees_patches = config.decoder_raw_residual
        self.sees_categories = sizes is not None
        if self.adapts:
            self.adapter = nn.Linear(config.d_model, width)
        if self.sees_patches:
            self.decoder_raw_embedding = nn.Linear(config.patch_length, width)
        n_channels = None
        if config.decoder_mode == "mix_channel":
            n_channels = config.num_input_channels + len(sizes or ())
        if sizes is not None:
            self.decoder_cat_embedding_layer = CategoryEmbedding(sizes, width)
        self.decoder_block = MixerBlock(
            config.decoder_num_layers,
            config.num_patches,
            width,
            MixerSettings.of(config, config.head_dropout),
            n_channels,
            config.decoder_adaptive_patching_levels,
        )

    def forward(
        self,
        hidden: Tensor,
        patches: Tensor,
        categories: Tensor | None = None,
        states: list[Tensor] | None = None,
    ) -> Tensor:
        """Map the backbone's tokens (B, C, P, D) to those of the decoder."""
        n_channels, n_tokens = hidden.shape[1:3]
        if self.adapts:
            hidden = self.adapter(hidden)
        if self.sees_patches:
            if patches.shape[-2] < n_tokens:  # nothing beside the prefix of frequency
                zero = torch.zeros_like(patches[..., :1, :])
                patches = torch.cat([zero, patches], dim=-2)
            hidden = hidden + self.decoder_raw_embedding(patches)
        if self.sees_categories:
            static = self.decoder_cat_embedding_layer(categories, n_tokens)
            hidden = torch.cat([hidden, static.to(hidden.dtype)], dim=1)
        return self.decoder_block(hidden, states)[:, :n_channels]


class TTMHead(nn.Module):
    """Maps all tokens of a channel to its forecast, and mixes forecasts over channels."""

    def __init__(self, config: TTMArchitecture) -> None:
        super().__init__()
        self.dropout = nn.Dropout(config.head_dropout)
        n_features = config.num_patches * config.output_width
        self.base_forecast_block = nn.Linear(n_features, config.prediction_length)
        if config.enable_forecast_channel_mixing:
            self.fcm_block = ForecastChannelMixing(config)

    def forward(self, hidden: Tensor) -> Tensor:
        """Map tokens (B, C, P, D) to forecasts (B, H, C), before they are mixed."""
        return self.base_forecast_block(self.dropout(hidden.flatten(-2))).transpose(1, 2)


class TTMLayers:
    """Modules and passes that `TTMNetwork` and `TinyTimeMixerForPrediction` share."""

    backbone: TTMBackbone
    decoder: TTMDecoder
    head: TTMHead
    multi_quantile_head_block: MultiQuantileHead
    architecture: TTMArchitecture

    def _build(self, architecture: TTMArchitecture) -> None:
        if architecture.decompose:
            raise ValueError(
                f"decompose=True is a {architecture.class_name} (a '-dec-' checkpoint): its "
                "weights are two networks, and this class has one; use TTMDecomposedNetwork or "
                "TinyTimeMixerForDecomposedPrediction"
            )
        self.architecture = architecture
        self.backbone = TTMBackbone(architecture)
        if architecture.use_decoder:
            self.decoder = TTMDecoder(architecture)
        self.head = TTMHead(architecture)
        if architecture.multi_quantile_head:
            self.multi_quantile_head_block = MultiQuantileHead(architecture)

    def _parameter(self) -> Tensor:
        """Return any weight that is not quantized, for its type and device."""
        return next(cast("nn.Module", self).parameters())

    def _run(self, inputs: Inputs, with_loss: bool, states: list[Tensor] | None) -> TTMOutput:
        config = self.architecture
        past, mask = fit_context(inputs.past, inputs.past_mask, config.context_length)
        loc, scale = statistics(past, mask, config)
        context = (past - loc) / scale if config.scaler else past
        context = context.to(self._parameter().dtype)
        patches = self.backbone.patching(context)
        hidden = self.backbone.encoder(patches, context, inputs.frequency, states)
        decoded = hidden
        if config.use_decoder:
            decoded = self.decoder(hidden, patches, inputs.categories, states)
        forecast = self._forecast(decoded, past, inputs.future)
        quantiles = None
        targets = config.target_channels
        chosen = slice(None) if targets is None else list(targets)
        if config.multi_quantile_head:
            # The released implementation gives the head all channels, and fails if some are no
            # targets.
            quantiles = self.multi_quantile_head_block(forecast, decoded[:, chosen])
            quantiles = quantiles.to(scale.dtype)
        loc, scale = loc[..., chosen], scale[..., chosen]
        if quantiles is None:
            forecast = forecast.to(scale.dtype) * scale + loc
        else:
            quantiles = quantiles * scale[:, None] + loc[:, None]
            forecast = quantiles[:, quantiles.shape[1] // 2]
        loss = self._loss(inputs, forecast, quantiles) if with_loss else None
        seen = None if states is None else tuple(states)
        return TTMOutput(forecast, quantiles, loss, loc, scale, hidden, decoded, seen)

    def _forecast(self, decoded: Tensor, past: Tensor, future: Tensor | None) -> Tensor:
        """Return scaled forecasts of the targets (B, H, K), mixed over channels."""
        config = self.architecture
        forecast = self.head(decoded)
        targets = list(config.target_channels or range(past.shape[-1]))
        if len(targets) < past.shape[-1]:
            forecast = forecast[..., targets]
        forecast = forecast[:, : config.pass_length]
        if not config.enable_forecast_channel_mixing:
            return forecast
        exogenous = list(config.exogenous_channels)
        known = past.new_zeros(len(past), config.pass_length, 0)
        if exogenous and future is not None:
            known = future[:, : config.pass_length, exogenous]
        return self.head.fcm_block(forecast, past[..., targets + exogenous], known)

    def _loss(self, inputs: Inputs, forecast: Tensor, quantiles: Tensor | None) -> Tensor | None:
        """Return the loss in the units of the data; that of quantiles knows no mask."""
        config = self.architecture
        if inputs.future is None:
            return None
        channels = list(config.target_channels or range(inputs.future.shape[-1]))
        target = inputs.future[:, : config.pass_length, channels]
        if quantiles is not None:
            return quantile_loss(config, quantiles, target)
        mask = inputs.future_mask
        if mask is not None:
            mask = mask[:, : config.pass_length, channels]
        return point_loss(config, forecast, target, mask)


class TTMNetwork(TTMLayers, Network):
    """TinyTimeMixer as a plain torch module, which the forecasting pipeline runs.

    Parameters
    ----------
    architecture : TTMArchitecture
        Sizes of the network.

    Examples
    --------
    >>> import torch
    >>> from timer_forecaster.models.ttm import TTMArchitecture, TTMNetwork
    >>> sizes = TTMArchitecture(context_length=96, patch_length=12, patch_stride=12,
    ...     prediction_length=24, decoder_num_layers=1)
    >>> network = TTMNetwork(sizes).eval()
    >>> network(torch.randn(5, 96, 2)).prediction_outputs.shape
    torch.Size([5, 24, 2])
    """

    def __init__(self, architecture: TTMArchitecture) -> None:
        super().__init__()
        self._build(architecture)

    @property
    def config(self) -> TTMArchitecture:  # type: ignore[override]
        """Sizes of the network."""
        return self.architecture

    @property
    def pass_length(self) -> int:
        """Steps that one pass can forecast."""
        return self.architecture.pass_length

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw all weights as torch does.

        Parameters
        ----------
        generator : torch.Generator, optional
            Source of the random numbers. Default: torch's own.

        Examples
        --------
        >>> import torch
        >>> from timer_forecaster.models.ttm import TTMArchitecture, TTMNetwork
        >>> network = TTMNetwork(TTMArchitecture(num_layers=1, decoder_num_layers=1))
        >>> network.reset_parameters(torch.Generator().manual_seed(0))
        """
        redraw(self, generator)

    @property
    def dtype(self) -> torch.dtype:
        """Type in which the network computes."""
        return self._parameter().dtype

    @property
    def device(self) -> torch.device:
        """Device on which inputs are expected."""
        return self._parameter().device

    def forward(
        self,
        past_values: Tensor,
        future_values: Tensor | None = None,
        past_observed_mask: Tensor | None = None,
        future_observed_mask: Tensor | None = None,
        freq_token: Tensor | None = None,
        static_categorical_values: Tensor | None = None,
        output_hidden_states: bool = False,
        return_loss: bool = True,
    ) -> TTMOutput:
        """Forecast, and return the loss if the future is given.

        Parameters
        ----------
        past_values : Tensor, shape (B, T, C)
            Series in the units of the data, oldest step first. Longer ones are cut to their newest
            ``context_length`` steps. Shorter ones get zeros before them.
        future_values : Tensor, shape (B, H, C), optional
            The steps after them, for the loss, and for channels whose future is known.
        past_observed_mask, future_observed_mask : Tensor, optional
            1 where a value was observed, else 0. The first cleans location and scale alone: a
            missing value enters the network as the number that stands for it. The second has no
            effect on the loss of quantiles.
        freq_token : Tensor of int, shape (B,), optional
            Frequency of each row, for a network with ``resolution_prefix_tuning``.
        static_categorical_values : Tensor of int, shape (B, number), optional
            Categories of each row, for a network that has them.
        output_hidden_states : bool
            Whether to return the tokens after each mixer.
        return_loss : bool
            Whether to compute the loss.

        Returns
        -------
        TTMOutput

        Raises
        ------
        TypeError, ValueError
            If an argument cannot be used. The message names it.
        """
        inputs = check_inputs(
            self.architecture,
            past_values,
            future_values,
            past_observed_mask,
            future_observed_mask,
            freq_token,
            static_categorical_values,
        )
        return self._run(inputs, return_loss, [] if output_hidden_states else None)
