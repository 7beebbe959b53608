"""Mixers: MLPs and gates along the features, the tokens or the channels, and blocks of them.

Shapes in comments: B batch, C channels, P tokens, D features.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from torch import Tensor, nn

from timer_forecaster.models.ttm.levels import level_factors
from timer_forecaster.models.ttm.products import along, gelu, plus, times

if TYPE_CHECKING:
    from timer_forecaster.models.ttm.architecture import TTMArchitecture


class MixerSettings(NamedTuple):
    """Settings that all mixers of a block share."""

    expansion: int
    dropout: float
    gate: str | None
    gate_groups: int
    batch_norm: bool
    norm_eps: float
    attention_heads: int  # 0 is no attention

    @classmethod
    def of(
        cls, config: TTMArchitecture, dropout: float, gated: bool | None = None
    ) -> MixerSettings:
        """Return the settings of an architecture."""
        gated = config.gated_attn if gated is None else gated
        return cls(
            expansion=config.expansion_factor,
            dropout=dropout,
            gate=config.gate_mode if gated else None,
            gate_groups=config.gate_groups,
            batch_norm="batch" in config.norm_mlp.lower(),
            norm_eps=config.norm_eps,
            attention_heads=config.self_attn_heads if config.self_attn else 0,
        )


class BatchNormOfFeatures(nn.Module):
    """A batch norm of the last dimension."""

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.batchnorm = nn.BatchNorm1d(width, eps=eps)

    def forward(self, hidden: Tensor) -> Tensor:
        """Normalize (..., D)."""
        return self.batchnorm(hidden.flatten(0, -2)).view(hidden.shape)


class Norm(nn.Module):
    """The norm before a mixer."""

    def __init__(self, width: int, settings: MixerSettings) -> None:
        super().__init__()
        kind = BatchNormOfFeatures if settings.batch_norm else nn.LayerNorm
        self.norm = kind(width, eps=settings.norm_eps)

    def forward(self, hidden: Tensor) -> Tensor:
        """Normalize (..., D)."""
        return self.norm(hidden)


class MLP(nn.Module):
    """Two linear layers along one dimension of n entries, with a GELU between them."""

    def __init__(self, n: int, settings: MixerSettings) -> None:
        super().__init__()
        self.fc1 = nn.Linear(n, n * settings.expansion)
        self.dropout1 = nn.Dropout(settings.dropout)
        self.fc2 = nn.Linear(n * settings.expansion, n)
        self.dropout2 = nn.Dropout(settings.dropout)

    def forward(self, hidden: Tensor, dim: int) -> Tensor:
        """Map (..., n) along the last dimension, or (..., n, D) along the one before it."""
        inner = self.dropout1(gelu(along(self.fc1, hidden, dim)))
        return self.dropout2(along(self.fc2, inner, dim))


class Gate(nn.Module):
    """Weights for n entries of one dimension, computed from all of them.

    Parameters
    ----------
    n : int
        Number of entries.
    kind : {"softmax", "sigmoid", "glu", "group_sigmoid"}
        ``"glu"`` returns two linear maps of the input, one times the sigmoid of the other. The
        other kinds return the input times its weights.
    groups : int
        Most groups of ``"group_sigmoid"``; all entries of a group have one weight.
    """

    def __init__(self, n: int, kind: str, groups: int = 8) -> None:
        super().__init__()
        self.attn_layer = nn.Linear(n, 2 * n if kind == "glu" else n)
        self.kind = kind
        self.groups = max(g for g in range(1, min(groups, n) + 1) if n % g == 0)

    def forward(self, hidden: Tensor, dim: int) -> Tensor:
        """Weigh entries of a tensor that nobody else reads, along dimension -1 or -2."""
        logits = along(self.attn_layer, hidden, dim)
        if self.kind == "glu":
            values, weights = logits.chunk(2, dim)
            return values * weights.sigmoid()
        return times(hidden, self._weights(logits, dim))

    def _weights(self, logits: Tensor, dim: int) -> Tensor:
        if self.kind == "softmax":
            return logits.softmax(dim)
        if self.kind == "sigmoid":
            return logits.sigmoid()
        grouped = logits.unflatten(dim, (self.groups, -1))
        means = grouped.mean(-1 if dim == -1 else -2, keepdim=True)
        return means.sigmoid().expand_as(grouped).flatten(*((-2, -1) if dim == -1 else (-3, -2)))


def make_gate(n: int, settings: MixerSettings) -> Gate | None:
    """Return the gate of n entries, or None where the settings have none."""
    return None if settings.gate is None else Gate(n, settings.gate, settings.gate_groups)


class Attention(nn.Module):
    """Multi-head attention among the tokens of each channel."""

    def __init__(self, width: int, settings: MixerSettings) -> None:
        super().__init__()
        self.heads = settings.attention_heads
        self.dropout = settings.dropout
        self.k_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.q_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, hidden: Tensor) -> Tensor:
        """Map (..., P, D) to the same shape."""
        query, key, value = (
            part(hidden).unflatten(-1, (self.heads, -1)).transpose(-3, -2)
            for part in (self.q_proj, self.k_proj, self.v_proj)
        )
        mixed = nn.functional.scaled_dot_product_attention(
            query, key, value, dropout_p=self.dropout if self.training else 0.0
        )
        return self.out_proj(mixed.transpose(-3, -2).flatten(-2))


class PatchMixer(nn.Module):
    """Mixes the tokens of each channel: MLP, then gate, and attention beside both."""

    def __init__(self, n_tokens: int, width: int, settings: MixerSettings) -> None:
        super().__init__()
        self.norm = Norm(width, settings)
        self.mlp = MLP(n_tokens, settings)
        self.gating_block = make_gate(n_tokens, settings)
        if settings.attention_heads:
            self.self_attn_layer = Attention(width, settings)
            self.norm_attn = Norm(width, settings)
        self.attends = settings.attention_heads > 0

    def forward(self, hidden: Tensor) -> Tensor:
        """Map (B, C, P, D) to the same shape."""
        normed = self.norm(hidden)
        mixed = self.mlp(normed, -2)
        if self.gating_block is not None:
            mixed = self.gating_block(mixed, -2)
        if self.attends:
            attended = self.self_attn_layer(normed.flatten(0, -3)).view(hidden.shape)
            mixed = self.norm_attn(mixed + attended)
        return plus(mixed, hidden)


class FeatureMixer(nn.Module):
    """Mixes the features of each token: MLP, then gate."""

    def __init__(self, width: int, settings: MixerSettings) -> None:
        super().__init__()
        self.norm = Norm(width, settings)
        self.mlp = MLP(width, settings)
        self.gating_block = make_gate(width, settings)

    def forward(self, hidden: Tensor) -> Tensor:
        """Map (B, C, P, D) to the same shape."""
        mixed = self.mlp(self.norm(hidden), -1)
        if self.gating_block is not None:
            mixed = self.gating_block(mixed, -1)
        return plus(mixed, hidden)


class ChannelFeatureMixer(nn.Module):
    """Mixes the channels of each token: gate, then MLP."""

    def __init__(self, n_channels: int, width: int, settings: MixerSettings) -> None:
        super().__init__()
        self.norm = Norm(width, settings)
        self.mlp = MLP(n_channels, settings)
        self.gating_block = make_gate(n_channels, settings)

    def forward(self, hidden: Tensor) -> Tensor:
        """Map (B, C, P, D) to the same shape."""
        mixed = self.norm(hidden).flatten(-2)  # (B, C, P·D)
        if self.gating_block is not None:
            mixed = self.gating_block(mixed, -2)
        return plus(self.mlp(mixed, -2).view(hidden.shape), hidden)


class MixerLayer(nn.Module):
    """Mixes channels (where ``n_channels`` is given), then tokens, then features."""

    def __init__(
        self, n_tokens: int, width: int, settings: MixerSettings, n_channels: int | None = None
    ) -> None:
        super().__init__()
        mixers: dict[str, nn.Module] = {}
        if n_channels is not None:
            mixers["channel_feature_mixer"] = ChannelFeatureMixer(n_channels, width, settings)
        if n_tokens > 1:
            mixers["patch_mixer"] = PatchMixer(n_tokens, width, settings)
        mixers["feature_mixer"] = FeatureMixer(width, settings)
        for name, mixer in mixers.items():
            self.add_module(name, mixer)
        self.order = tuple(mixers)

    def forward(self, hidden: Tensor) -> Tensor:
        """Map (B, C, P, D) to the same shape."""
        for name in self.order:
            hidden = getattr(self, name)(hidden)
        return hidden


class LevelBlock(nn.Module):
    """Mixer layers on tokens that are cut into ``factor`` finer ones."""

    def __init__(
        self,
        n_layers: int,
        n_tokens: int,
        width: int,
        factor: int,
        settings: MixerSettings,
        n_channels: int | None,
    ) -> None:
        super().__init__()
        self.factor = factor
        self.mixer_layers = nn.ModuleList(
            MixerLayer(n_tokens * factor, width // factor, settings, n_channels)
            for _ in range(n_layers)
        )

    def forward(self, hidden: Tensor) -> Tensor:
        """Map (B, C, P, D) to the same shape."""
        shape = hidden.shape
        hidden = hidden.reshape(*shape[:-2], shape[-2] * self.factor, shape[-1] // self.factor)
        for layer in self.mixer_layers:
            hidden = layer(hidden)
        return hidden.reshape(shape)


class MixerBlock(nn.Module):
    """Mixer layers, or a block of them at each level from the finest tokens to whole ones."""

    def __init__(
        self,
        n_layers: int,
        n_tokens: int,
        width: int,
        settings: MixerSettings,
        n_channels: int | None = None,
        levels: int = 0,
    ) -> None:
        super().__init__()
        self.mixers = nn.ModuleList(
            [
                LevelBlock(n_layers, n_tokens, width, factor, settings, n_channels)
                for factor in level_factors(width, levels)
            ]
            if levels
            else [MixerLayer(n_tokens, width, settings, n_channels) for _ in range(n_layers)]
        )

    def forward(self, hidden: Tensor, states: list[Tensor] | None = None) -> Tensor:
        """Map (B, C, P, D) to the same shape; ``states`` gets the output of each mixer."""
        for mixer in self.mixers:
            hidden = mixer(hidden)
            if states is not None:
                states.append(hidden)
        return hidden
