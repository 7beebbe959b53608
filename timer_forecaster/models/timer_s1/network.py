"""The network of Timer-S1 in plain torch (arXiv 2603.04791, section 3).

Modules and parameters have the names of the released checkpoint.

Shapes in comments: B batch, N tokens (patches), P patch length, D hidden size, Q quantile levels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from timer_forecaster.models.network import Network
from timer_forecaster.models.timer_s1.architecture import TimerS1Architecture, validate_architecture
from timer_forecaster.models.timer_s1.attention import GatedAttention, pick, rotary_tables
from timer_forecaster.models.timer_s1.execution import ExecutionChoice
from timer_forecaster.models.timer_s1.experts import MixtureOfExperts
from timer_forecaster.models.timer_s1.generation import ReleasedGeneration
from timer_forecaster.models.timer_s1.key_values import KeyValueCache, Rotary

if TYPE_CHECKING:
    from collections.abc import Iterator


class RMSNorm(nn.Module):
    """Root-mean-square norm whose epsilon is added *after* the square root."""

    def __init__(self, hidden_size: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(hidden_size))
        self.eps = eps

    def forward(self, hidden_states: Tensor) -> Tensor:
        """Normalize the last dimension, in float32."""
        x = hidden_states.float()
        # The gradient of this norm is finite at a token of zeros; a square root's is not.
        rms = torch.linalg.vector_norm(x, dim=-1, keepdim=True) * x.shape[-1] ** -0.5
        x = x / (rms + self.eps)
        # A tuned weight is in float32 in networks of any type, and must not be rounded.
        return (self.weight * x.to(self.weight.dtype)).to(hidden_states.dtype)


class ResidualMLP(nn.Module):
    """``output_layer(dropout(silu(hidden_layer(x)))) + residual_layer(x)``."""

    def __init__(self, in_size: int, hidden_size: int, out_size: int, dropout: float) -> None:
        super().__init__()
        self.hidden_layer = nn.Linear(in_size, hidden_size)
        self.output_layer = nn.Linear(hidden_size, out_size)
        self.residual_layer = nn.Linear(in_size, out_size)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., in size) to (..., out size)."""
        hidden = self.output_layer(F.silu(self.hidden_layer(x)))
        return self.dropout(hidden) + self.residual_layer(x)


class TimeMoEBlock(nn.Module):
    """Pre-norm transformer block: attention, then a mixture of experts."""

    def __init__(self, config: TimerS1Architecture) -> None:
        super().__init__()
        self.self_attn = GatedAttention(config)
        self.ffn_layer = MixtureOfExperts(config)
        self.norm1 = RMSNorm(config.hidden_size)
        self.norm2 = RMSNorm(config.hidden_size)

    def forward(
        self,
        hidden_states: Tensor,
        rotary: Rotary,
        newest: Tensor | None = None,
        cache: KeyValueCache | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Map (B, N, D) to the same shape, and return the router logits (B·N, experts) too.

        With ``newest``, indices (B, 1, 1), only the outputs of these tokens are computed:
        (B, 1, D) and (B, experts). A token never attends to later tokens. With a cache, the
        tokens follow the tokens of earlier passes.
        """
        attended = self.self_attn(self.norm1(hidden_states), rotary, newest, cache)
        hidden_states = pick(hidden_states, newest) + attended
        mixed, router_logits = self.ffn_layer(self.norm2(hidden_states))
        return hidden_states + mixed, router_logits


class TimeSTPBlock(nn.Module):
    """Serial block: predicts one patch further, from the block before it and the embeddings."""

    def __init__(self, config: TimerS1Architecture) -> None:
        super().__init__()
        size = config.hidden_size
        self.norm_hidden = RMSNorm(size)
        self.norm_embeds = RMSNorm(size)
        self.projection_matrix = nn.Linear(2 * size, size, bias=False)
        self.layer = TimeMoEBlock(config)
        self.norm = RMSNorm(size)

    def forward(
        self,
        hidden_states: Tensor,
        embeddings: Tensor,
        rotary: Rotary,
        newest: Tensor | None = None,
        cache: KeyValueCache | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Map the output (B, N, D) of the block before to this block's, and return router logits.

        `TimeMoEBlock.forward` explains the other arguments.
        """
        joined = torch.cat([self.norm_hidden(hidden_states), self.norm_embeds(embeddings)], dim=-1)
        projected = self.projection_matrix(joined)
        hidden_states, router_logits = self.layer(projected, rotary, newest, cache)
        return self.norm(hidden_states), router_logits


class TimerS1Backbone(nn.Module):
    """Patch embedding and main blocks."""

    def __init__(self, config: TimerS1Architecture) -> None:
        super().__init__()
        self.embed_layer = ResidualMLP(
            2 * config.input_token_len,
            config.intermediate_size,
            config.hidden_size,
            config.dropout_rate,
        )
        self.layers = nn.ModuleList(TimeMoEBlock(config) for _ in range(config.num_hidden_layers))
        self.norm = RMSNorm(config.hidden_size)


class Stage(NamedTuple):
    """Output of the main blocks (stage 0) or of one serial block (stage j)."""

    hidden_states: Tensor  # (B, N, D), or (B, 1, D) for the newest token of each row
    router_logits: tuple[Tensor, ...]  # for each block of the stage, (B·N, experts)


class TimerS1Layers(ExecutionChoice, ReleasedGeneration):
    """Modules and passes that `TimerS1Network` and `TimerS1ForPrediction` share."""

    model: TimerS1Backbone
    output_patch_embedding: ResidualMLP
    mtp_modules: nn.ModuleList
    config: TimerS1Architecture
    _adapted_dtype: torch.dtype | None = None

    def _build(self, config: TimerS1Architecture) -> None:
        validate_architecture(config)
        self.model = TimerS1Backbone(config)
        self.output_patch_embedding = ResidualMLP(
            config.hidden_size,
            config.hidden_size,
            len(config.quantiles) * config.input_token_len,
            config.dropout_rate,
        )
        self.mtp_modules = nn.ModuleList(TimeSTPBlock(config) for _ in range(config.num_mtp_tokens))

    @property
    def dtype(self) -> torch.dtype:
        """Type in which the network computes.

        It is the type of a norm: quantized weights have other types, and so have tuned weights.
        An adapted network computes in the type of its base.
        """
        return self._adapted_dtype or self.model.norm.weight.dtype

    @property
    def device(self) -> torch.device:
        """Device on which inputs are expected."""
        return self.model.norm.weight.device

    def _blocks(self) -> list[TimeMoEBlock]:
        blocks = (*self.model.layers, *(serial.layer for serial in self.mtp_modules))
        return cast("list[TimeMoEBlock]", list(blocks))

    def stages(
        self,
        patches: Tensor,
        n_serial: int | None = None,
        last_token: Tensor | None = None,
        cache: KeyValueCache | None = None,
    ) -> Iterator[Stage]:
        """Run the main blocks, then one serial block after the other.

        Parameters
        ----------
        patches : Tensor, shape (B, N, 2 P)
            Output of `timer_forecaster.models.timer_s1.patches.patchify`, in the network's dtype.
        n_serial : int, optional
            Number of serial blocks to run. Default: all.
        last_token : Tensor of int, shape (B,), optional
            Index of the only token of each row whose hidden states are returned, (B, 1, D). The
            last block that runs then computes no other token. Default: all tokens are returned.
        cache : KeyValueCache, optional
            Keeps the keys and values of a roll-out. The first passes with it enter the contexts
            of all rows. Each later pass enters the tokens that follow, and runs no serial block
            that the first passes did not run.

        Yields
        ------
        Stage
            Stage j predicts, at token i, patch i + j + 1.
        """
        embeddings = self.model.embed_layer(patches)  # (B, N, D)
        rotary = self._rotary(embeddings, cache)
        newest = None if last_token is None else last_token.long()[:, None, None]
        serial = self.mtp_modules[:n_serial]
        last = [*self.model.layers, *serial][-1]
        hidden_states, router_logits = embeddings, []
        for block in self.model.layers:
            only = newest if block is last else None
            hidden_states, logits = block(hidden_states, rotary, only, cache)
            router_logits.append(logits)
        hidden_states = self.model.norm(hidden_states)
        yield Stage(pick(hidden_states, newest), tuple(router_logits))
        for block in serial:
            only = newest if block is last else None
            hidden_states, logits = block(hidden_states, embeddings, rotary, only, cache)
            yield Stage(pick(hidden_states, newest), (logits,))

    def _rotary(self, embeddings: Tensor, cache: KeyValueCache | None) -> Rotary:
        """Return the rotary tables of the new tokens; a roll-out computes all its tables once."""
        batch, n_tokens, size = embeddings.shape
        if cache is not None and cache.rotary is not None:
            return cache.enter(batch, n_tokens)
        tables = rotary_tables(
            n_tokens if cache is None else cache.n_tokens + cache.capacity,
            size // self.config.num_attention_heads,
            self.config.rope_theta,
            embeddings.device,
            embeddings.dtype,
        )
        if cache is None:
            return tables
        cache.rotary = tables
        return cache.enter(batch, n_tokens)

    def predict_patch(self, hidden_states: Tensor) -> Tensor:
        """Map hidden states (..., D) to quantiles of one patch (..., Q, P)."""
        quantiles = self.output_patch_embedding(hidden_states)
        return quantiles.unflatten(-1, (len(self.config.quantiles), self.config.input_token_len))


class TimerS1Network(TimerS1Layers, Network):
    """Timer-S1 as a plain torch module, which the forecasting pipeline runs.

    Parameters
    ----------
    config : TimerS1Architecture
        Sizes of the network.

    Examples
    --------
    >>> import torch
    >>> from timer_forecaster.models.timer_s1 import TimerS1Architecture, TimerS1Network
    >>> sizes = TimerS1Architecture(hidden_size=32, intermediate_size=64, num_hidden_layers=1,
    ...     num_mtp_tokens=2, num_attention_heads=2, num_experts=4)
    >>> network = TimerS1Network(sizes).eval()
    >>> network.generate(torch.randn(5, 100), max_new_tokens=40).shape
    torch.Size([5, 9, 40])
    """

    config: TimerS1Architecture

    def __init__(self, config: TimerS1Architecture) -> None:
        super().__init__()
        self.config = config
        self._build(config)
        if self.device.type != "meta":  # no weights to draw, and torch would take seconds
            self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw linear weights from a normal distribution; set biases to zero, norm weights to one.

        The last bias of the embedding is drawn too: a patch without any observed value must not
        embed to exactly zero, where the norms multiply gradients by a million.

        Parameters
        ----------
        generator : torch.Generator, optional
            Source of the random numbers. Default: torch's own.

        Examples
        --------
        >>> import torch
        >>> from timer_forecaster.models.timer_s1 import TimerS1Architecture, TimerS1Network
        >>> sizes = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 16}
        >>> blocks = {"num_hidden_layers": 1, "num_mtp_tokens": 1, "num_experts": 2}
        >>> network = TimerS1Network(TimerS1Architecture(**sizes, **blocks))
        >>> network.reset_parameters(torch.Generator().manual_seed(0))
        """
        std = self.config.initializer_range
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            elif parameter.ndim == 1:
                nn.init.ones_(parameter)
            else:
                nn.init.normal_(parameter, std=std, generator=generator)
        bias = self.model.embed_layer.output_layer.bias
        nn.init.normal_(bias, std=std, generator=generator)
