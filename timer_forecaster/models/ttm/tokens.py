"""Tokens of a context: patches of one or several scales, learnt ones, frequencies.

Shapes in comments: B batch, T steps, C channels, P tokens, L patch length, D features.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

if TYPE_CHECKING:
    from timer_forecaster.models.ttm.architecture import TTMArchitecture


class Patching(nn.Module):
    """Cuts contexts into patches; the oldest steps that fill no patch are left out."""

    def __init__(self, patch_length: int) -> None:
        super().__init__()
        self.patch_length = patch_length

    def forward(self, context: Tensor) -> Tensor:
        """Map (B, T, C) to (B, C, P, L)."""
        rest = context.shape[1] % self.patch_length
        return context[:, rest:].transpose(1, 2).unflatten(-1, (-1, self.patch_length))


class MultiScalePatcher(nn.Module):
    """Embeds patches of means over 1, 2, 4, … steps, coarsest first."""

    def __init__(self, config: TTMArchitecture) -> None:
        super().__init__()
        length = config.patch_length
        self.projectors = nn.ModuleList(
            nn.Linear(length, config.d_model) for _ in range(config.scales)
        )

    def forward(self, patches: Tensor) -> Tensor:
        """Map (B, C, P, L) to (B, C, more tokens, D)."""
        length = patches.shape[-1]
        steps = patches.flatten(-2)  # (B, C, P·L)
        tokens: list[Tensor] = []
        for scale, projector in enumerate(self.projectors):
            pooled = F.avg_pool1d(steps, 2**scale)
            newest = pooled[..., pooled.shape[-1] % length :]
            tokens.insert(0, projector(newest.unflatten(-1, (-1, length))))
        return torch.cat(tokens, dim=-2)


class RegisterTokens(nn.Module):
    """Learnt tokens, put first."""

    def __init__(self, n_tokens: int, width: int) -> None:
        super().__init__()
        self.patch_tokens = nn.Parameter(torch.empty(n_tokens, width))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the tokens from a standard normal distribution."""
        nn.init.normal_(self.patch_tokens)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map (B, C, P, D) to (B, C, registers + P, D)."""
        first = self.patch_tokens.expand(*tokens.shape[:2], -1, -1)
        return torch.cat([first.to(tokens.dtype), tokens], dim=-2)


class FrequencyTokens(nn.Module):
    """Tokens for the strongest frequencies of a context, strongest first, put first.

    Frequencies are chosen by the size of floats. Where two are nearly alike, machines may choose
    differently.
    """

    def __init__(self, config: TTMArchitecture) -> None:
        super().__init__()
        self.n_tokens, width = config.fft_length, config.d_model
        self.n_bins = config.context_length // 2 + 1
        self.ignore_mean = config.fft_ignore_dc
        self.joined = config.get_one_freq_emb
        own = width
        if self.joined:
            own = max(config.fft_d_freq_min, min(config.fft_d_freq_max, width // self.n_tokens))
            self.freq_concat_proj = nn.Linear(self.n_tokens * own, width)
        if config.use_fft_embedding:
            self.freq_embedding = nn.Embedding(self.n_bins, own)
        else:
            self.freq_index_mlp = nn.Sequential(nn.Linear(1, own), nn.ReLU(), nn.Linear(own, own))
        self.embedded = config.use_fft_embedding

    def strongest(self, context: Tensor) -> Tensor:
        """Return the frequencies of contexts (B, T, C): indices (B, C, number)."""
        wide = context.transpose(1, 2)
        wide = wide if wide.dtype == torch.float64 else wide.float()
        sizes = torch.fft.rfft(wide).abs()
        first = int(self.ignore_mean)
        return sizes[..., first:].topk(self.n_tokens).indices + first

    def forward(self, tokens: Tensor, context: Tensor) -> Tensor:
        """Map tokens (B, C, P, D) to (B, C, frequencies + P, D)."""
        bins = self.strongest(context)
        if self.embedded:
            spectral = self.freq_embedding(bins)
        else:
            spectral = self.freq_index_mlp((bins / self.n_bins).unsqueeze(-1).to(tokens.dtype))
        if self.joined:
            spectral = self.freq_concat_proj(spectral.flatten(-2)).unsqueeze(-2)
        return torch.cat([spectral.to(tokens.dtype), tokens], dim=-2)


def prefix_of_frequency(config: TTMArchitecture) -> nn.Sequential:
    """Return the layers from the frequency of the series (B,) to a token (B, D)."""
    length, width = config.patch_length, config.d_model
    inner = (length + width) // 2
    return nn.Sequential(
        nn.Embedding(config.frequency_token_vocab_size, length),
        nn.Linear(length, inner),
        nn.GELU(),
        nn.Linear(inner, width),
    )


class PositionalEncoding(nn.Module):
    """A table that is added to the tokens: sines and cosines that are not trained, or trained."""

    def __init__(self, kind: str, n_tokens: int, width: int) -> None:
        super().__init__()
        self.trained = kind != "sincos"
        table = torch.empty(n_tokens, width)
        self.position_enc = nn.Parameter(table, requires_grad=self.trained)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the table from a standard normal distribution, or compute it."""
        if self.trained:
            nn.init.normal_(self.position_enc)
        else:
            with torch.no_grad():
                self.position_enc.copy_(sines(*self.position_enc.shape))

    def forward(self, tokens: Tensor) -> Tensor:
        """Map (B, C, P, D) to the same shape."""
        return tokens + self.position_enc


def sines(n_tokens: int, width: int) -> Tensor:
    """Return sines on even and cosines on odd features, of mean 0 and deviation 0.1: (P, D)."""
    position = torch.arange(n_tokens)[:, None]
    rates = torch.exp(torch.arange(0, width, 2) * -(math.log(10000.0) / width))
    table = torch.zeros(n_tokens, width)
    table[:, 0::2] = torch.sin(position * rates)
    table[:, 1::2] = torch.cos(position * rates)[:, : width // 2]
    table = table - table.mean()
    return table / (table.std() * 10)
