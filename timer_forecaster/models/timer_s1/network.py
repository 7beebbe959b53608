"""Timer-S1 in plain torch (arXiv 2603.04791, section 3; released checkpoint's layout).

Shapes in comments: B batch, N tokens (patches), P patch length, D hidden size, H heads,
Q quantile levels, S serial blocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from timer_forecaster.models.timer_s1.architecture import TimerS1Architecture, validate_architecture
from timer_forecaster.models.timer_s1.attention import (
    ATTENTION_KERNELS,
    GatedAttention,
    pick,
    rotary_tables,
)
from timer_forecaster.models.timer_s1.experts import EXPERT_STRATEGIES, Expert, MixtureOfExperts
from timer_forecaster.models.timer_s1.key_values import KeyValueCache, Rotary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


_KEPT_PER_ENTERED = 4  # tokens whose keys and values are kept for each in the budget of a pass
_MOST_KEPT = 65536  # tokens
# Hidden size up to which few tokens at once are best on a CPU: all weights stay in its caches.
_SMALL_BUDGET_UP_TO = 256


class RMSNorm(nn.Module):
    """Root-mean-square norm whose epsilon is added *after* the square root."""

    def __init__(self, hidden_size: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(hidden_size))
        self.eps = eps

    def forward(self, hidden_states: Tensor) -> Tensor:
        """Normalise the last dimension, in float32."""
        x = hidden_states.float()
        # Unlike that of a square root, this norm's gradient is finite at an all-zero token.
        rms = torch.linalg.vector_norm(x, dim=-1, keepdim=True) * x.shape[-1] ** -0.5
        x = x / (rms + self.eps)
        # A tuned weight is float32 in networks of any type, and not to be rounded away.
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
        """Map (B, N, D) to the same shape, and give the router logits (B·N, experts).

        With ``newest``, indices (B, 1, 1), only these tokens' outputs are computed: (B, 1, D) and
        (B, experts). They attend to no token after themselves, as ever. With a cache, the tokens
        follow those that it was given before.
        """
        attended = self.self_attn(self.norm1(hidden_states), rotary, newest, cache)
        hidden_states = pick(hidden_states, newest) + attended
        mixed, router_logits = self.ffn_layer(self.norm2(hidden_states))
        return hidden_states + mixed, router_logits


class TimeSTPBlock(nn.Module):
    """Serial block: joins the last block's output with the patch embeddings, one patch further."""

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
        """Map the last block's output (B, N, D) to this block's, and give its router logits.

        See `TimeMoEBlock.forward` for the other arguments.
        """
        joined = torch.cat([self.norm_hidden(hidden_states), self.norm_embeds(embeddings)], dim=-1)
        projected = self.projection_matrix(joined)
        hidden_states, router_logits = self.layer(projected, rotary, newest, cache)
        return self.norm(hidden_states), router_logits


class TimerS1Backbone(nn.Module):
    """Patch embedding and main blocks; the names are those of the released checkpoint."""

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

    hidden_states: Tensor  # (B, N, D), or (B, 1, D) of each row's newest token
    router_logits: tuple[Tensor, ...]  # of the stage's blocks, each (B·N, experts)


def patchify(values: Tensor, observed: Tensor | None, patch_length: int) -> Tensor:
    """Cut rows into patches of values and of observation flags.

    Rows are padded on the left with zeros, flagged as not observed, to a whole number of patches;
    values that are not observed are replaced by zero.

    Parameters
    ----------
    values : Tensor, shape (B, T)
        Normalised series.
    observed : Tensor of bool, shape (B, T), or None
        False where a value is missing. None: all are observed.
    patch_length : int
        Steps in a patch, P.

    Returns
    -------
    Tensor, shape (B, ceil(T / P), 2 P)
    """
    flags = torch.ones_like(values) if observed is None else observed.to(values.dtype)
    if observed is not None:
        values = values.masked_fill(~observed, 0.0)
    pad = -values.shape[-1] % patch_length
    tokens = [F.pad(x, (pad, 0)).unflatten(-1, (-1, patch_length)) for x in (values, flags)]
    return torch.cat(tokens, dim=-1)


def middle_quantile(quantiles: Tensor) -> Tensor:
    """Median of the quantiles (B, Q, F) of a forecast, which may cross, (B, F).

    The released code takes this, rather than the quantile that was predicted for the level 0.5.
    """
    ranked = quantiles.sort(dim=1).values
    n = ranked.shape[1]
    return torch.lerp(ranked[:, (n - 1) // 2], ranked[:, n // 2], 0.5)


class TimerS1Layers:
    """What `TimerS1Network` and its transformers twin share: the modules and the passes."""

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
        """Type that is computed in: of a norm, as quantised weights have types of their own.

        Tuned weights have, too: an adapted network computes in the type of the one it was.
        """
        return self._adapted_dtype or self.model.norm.weight.dtype

    @property
    def device(self) -> torch.device:
        """Where inputs are expected."""
        return self.model.norm.weight.device

    @property
    def pass_length(self) -> int:
        """Steps that one pass can forecast: ``(serial blocks + 1) * patch length``."""
        return (self.config.num_mtp_tokens + 1) * self.config.input_token_len

    @property
    def token_budget(self) -> int:
        """Most tokens worth entering at once: what fills the caches of a CPU, or a GPU.

        Wide networks need more of them on a CPU, to be worth reading an expert's weights for.
        """
        if self.device.type != "cpu":
            return 65536
        return 1536 if self.config.hidden_size <= _SMALL_BUDGET_UP_TO else 3072

    def rows_at_once(self, n_tokens: int, horizon: int, n_paths: int) -> int:
        """Most rows worth rolling out together, by the tokens that enter and those that are kept.

        Parameters
        ----------
        n_tokens : int
            Tokens of a context.
        horizon : int
            Steps to forecast.
        n_paths : int
            Paths that continue each row.
        """
        n_extensions = (horizon - 1) // self.pass_length
        if n_extensions == 0:
            return max(1, self.token_budget // n_tokens)
        per_pass = self.pass_length // self.config.input_token_len
        n_added = n_extensions * per_pass
        most_kept = min(_KEPT_PER_ENTERED * self.token_budget, _MOST_KEPT)
        kept = most_kept // (n_tokens + n_paths * n_added)
        entered = self.token_budget // (n_paths * per_pass)
        return max(1, min(kept, entered))

    def set_expert_strategy(self, name: str) -> None:
        """Choose how experts are executed in every block.

        Parameters
        ----------
        name : {"sorted", "dense"}
            A key of `timer_forecaster.models.timer_s1.experts.EXPERT_STRATEGIES`.

        Raises
        ------
        ValueError
            If there is no such strategy, or the experts are laid out for forecasts on one device,
            which leaves no choice.
        """
        _check_choice(name, EXPERT_STRATEGIES)
        for block in self._blocks():
            experts = block.ffn_layer.experts
            if not isinstance(experts, nn.ModuleList) or not all(
                isinstance(expert, Expert) for expert in experts
            ):
                raise ValueError(
                    f"expert strategy {name!r} needs plain experts, and those of this network are "
                    "laid out for forecasts on its device; "
                    "timer_forecaster.inference.load_plain_network gives a network of plain ones"
                )
        for block in self._blocks():
            block.ffn_layer.strategy = name

    def set_attention_kernel(self, name: str) -> None:
        """Choose how attention is computed in every block.

        Parameters
        ----------
        name : {"fastest", "sdpa", "eager"}
            `fastest_attention`, torch's fused kernel, or `eager_attention`.
        """
        _check_choice(name, ATTENTION_KERNELS)
        for block in self._blocks():
            block.self_attn.kernel = name

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
            Output of `patchify`, in the network's dtype.
        n_serial : int, optional
            How many serial blocks to run. Default: all.
        last_token : Tensor of int, shape (B,), optional
            Give the hidden states of this token of each row alone, (B, 1, D). The last block
            that runs then computes no others, nor their router logits. Default: of all tokens.
        cache : KeyValueCache, optional
            Keeps the keys and values of a roll-out. The first passes with it enter the contexts
            of all rows; later ones enter the tokens that follow those of the passes before, and
            run no serial block that the first did not run.

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
        """Rotary tables of the tokens that enter; those of a whole roll-out are computed once."""
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
        """Turn hidden states (..., D) into quantiles of one patch (..., Q, P)."""
        quantiles = self.output_patch_embedding(hidden_states)
        return quantiles.unflatten(-1, (len(self.config.quantiles), self.config.input_token_len))

    def forecast_pass(
        self,
        patches: Tensor,
        n_patches: int,
        last_token: Tensor | None = None,
        cache: KeyValueCache | None = None,
    ) -> Tensor:
        """Forecast the next patches of every row in one pass.

        Parameters
        ----------
        patches : Tensor, shape (B, N, 2 P)
            Output of `patchify`. Rows may be followed by filler tokens: attention is causal, so
            what comes after ``last_token`` cannot reach it.
        n_patches : int
            Patches to forecast, from 1 to ``num_mtp_tokens + 1``.
        last_token : Tensor of int, shape (B,), optional
            Index of each row's newest token. Default: N - 1 for every row.
        cache : KeyValueCache, optional
            Keeps the keys and values of a roll-out; see `stages`.

        Returns
        -------
        Tensor, shape (B, Q, n_patches * P)
        """
        batch, n_tokens, _ = patches.shape
        if last_token is None:
            last_token = torch.full((batch,), n_tokens - 1, device=patches.device)
        outputs = [
            self.predict_patch(stage.hidden_states[:, 0])
            for stage in self.stages(patches, n_patches - 1, last_token, cache)
        ]
        return torch.cat(outputs, dim=-1)

    def forecast_contexts(
        self,
        patches: Tensor,
        n_patches: int,
        last_token: Tensor,
        cache: KeyValueCache | None = None,
    ) -> Tensor:
        """Do `forecast_pass` with any number of rows, as many at once as `token_budget` allows."""
        at_once = max(1, self.token_budget // patches.shape[1])
        parts = zip(patches.split(at_once), last_token.split(at_once), strict=True)
        return torch.cat([self.forecast_pass(part, n_patches, at, cache) for part, at in parts])

    @torch.no_grad()
    def generate(self, inputs: Tensor, max_new_tokens: int, revin: bool = True) -> Tensor:
        """Forecast as the released implementation does, with its numbers.

        Beyond one pass the median forecast is appended to the context and another pass is run; the
        context grows without bound, and the keys and values of all of it are kept.
        `timer_forecaster.ForecastPipeline` is the friendlier door: it scales in float64 and takes
        missing values and rows of unequal lengths.

        Parameters
        ----------
        inputs : Tensor, shape (B, T)
            Contexts, old to new, without missing values.
        max_new_tokens : int
            Steps to forecast, at least 1.
        revin : bool
            Normalise each row by its mean and population standard deviation, and map the
            quantiles back. False feeds the row as it is.

        Returns
        -------
        Tensor, shape (B, Q, max_new_tokens)
            In float32 or wider, whatever the network's dtype.
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


def _check_choice(name: str, choices: Mapping[str, object]) -> None:
    if name not in choices:
        raise ValueError(f"name={name!r} is unknown; choose one of {sorted(choices)}")


def _check_generate(inputs: Tensor, max_new_tokens: int) -> None:
    if inputs.ndim != 2 or inputs.shape[-1] == 0:
        raise ValueError(f"inputs has shape {tuple(inputs.shape)}; expected (batch, steps >= 1)")
    if not torch.isfinite(inputs).all():
        raise ValueError(
            "inputs holds NaN or infinite values; ForecastPipeline.predict takes missing values"
        )
    if max_new_tokens < 1:
        raise ValueError(f"max_new_tokens={max_new_tokens} must be at least 1")


class TimerS1Network(TimerS1Layers, nn.Module):
    """Timer-S1 as a plain torch module: what the forecasting pipeline runs.

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

    def __init__(self, config: TimerS1Architecture) -> None:
        super().__init__()
        self.config = config
        self._build(config)
        if self.device.type != "meta":  # there is nothing to draw, and torch would take seconds
            self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw linear weights from a normal distribution; biases are zero, norm weights one.

        Only the embedding's last bias is drawn too: a wholly masked patch must not embed to
        exactly zero, where the norms multiply gradients by a million.

        Parameters
        ----------
        generator : torch.Generator, optional
            Source of the random numbers. Default: torch's own.
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
