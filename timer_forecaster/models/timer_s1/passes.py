"""Forecasts in one pass of the network, and how many rows to compute at once.

Shapes in comments: B batch, N tokens (patches), P patch length, D hidden size, Q quantile levels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from timer_forecaster.models.timer_s1.architecture import TimerS1Architecture
from timer_forecaster.models.timer_s1.key_values import KeyValueCache

if TYPE_CHECKING:
    from collections.abc import Iterator

    from timer_forecaster.models.timer_s1.network import Stage

_KEPT_PER_ENTERED = 4  # tokens whose keys and values are kept for each token of the budget
_MOST_KEPT = 65536  # tokens
# Hidden size up to which a CPU is fastest with few tokens: all weights stay in its caches.
_SMALL_BUDGET_UP_TO = 256


class ForecastPasses:
    """The forecasts of a network that has `TimerS1Layers`."""

    config: TimerS1Architecture

    if TYPE_CHECKING:  # members of `TimerS1Layers`

        @property
        def device(self) -> torch.device:
            """See `TimerS1Layers.device`."""

        def stages(
            self,
            patches: Tensor,
            n_serial: int | None = None,
            last_token: Tensor | None = None,
            cache: KeyValueCache | None = None,
        ) -> Iterator[Stage]:
            """See `TimerS1Layers.stages`."""

        def predict_patch(self, hidden_states: Tensor) -> Tensor:
            """See `TimerS1Layers.predict_patch`."""

    @property
    def pass_length(self) -> int:
        """Steps that one pass can forecast: ``(serial blocks + 1) * patch length``."""
        return self.config.pass_length

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
            Output of `patchify`. Rows may end with filler tokens: attention is causal, so tokens
            after ``last_token`` cannot change the forecast.
        n_patches : int
            Patches to forecast, from 1 to ``num_mtp_tokens + 1``.
        last_token : Tensor of int, shape (B,), optional
            Index of the newest token of each row. Default: N - 1 for every row.
        cache : KeyValueCache, optional
            Keeps the keys and values of a roll-out; see `TimerS1Layers.stages`.

        Returns
        -------
        Tensor, shape (B, Q, n_patches * P)

        Examples
        --------
        >>> import torch
        >>> from timer_forecaster.models.timer_s1 import TimerS1Architecture, TimerS1Network
        >>> from timer_forecaster.models.timer_s1.patches import patchify
        >>> sizes = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 16}
        >>> blocks = {"num_hidden_layers": 1, "num_mtp_tokens": 1, "num_experts": 2}
        >>> network = TimerS1Network(TimerS1Architecture(**sizes, **blocks)).eval()
        >>> patches = patchify(torch.randn(3, 64), None, 16)
        >>> network.forecast_pass(patches, 2).shape
        torch.Size([3, 9, 32])
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
        """Run `forecast_pass` on any number of rows, as many at once as `token_budget` allows."""
        at_once = max(1, self.token_budget // patches.shape[1])
        parts = zip(patches.split(at_once), last_token.split(at_once), strict=True)
        return torch.cat([self.forecast_pass(part, n_patches, at, cache) for part, at in parts])

    @property
    def token_budget(self) -> int:
        """Number of tokens from which on a larger pass is not faster on the network's device.

        On a CPU more tokens do not fit into its caches. A wide network needs more tokens on a CPU,
        because each expert must have enough of them to be worth reading its weights.
        """
        if self.device.type != "cpu":
            return 65536
        return 1536 if self.config.hidden_size <= _SMALL_BUDGET_UP_TO else 3072

    def rows_at_once(self, n_tokens: int, horizon: int, n_paths: int) -> int:
        """Return how many rows to roll out together, from the tokens that they enter and keep.

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
