"""Beyond one pass: the forecast of a pass extends the context of the next one.

Shapes in comments: B rows, R paths of each row, N tokens, M tokens that each path has added,
P patch length, Q levels, F steps of one pass.
"""

from __future__ import annotations

import torch
from torch import Tensor

from timer_forecaster.inference.engine.paths import continuations, mixed, paths_of
from timer_forecaster.models.timer_s1 import TimerS1Network
from timer_forecaster.models.timer_s1.key_values import KeyValueCache
from timer_forecaster.models.timer_s1.patches import patchify


def rows_to_roll_out(network: TimerS1Network, horizon: int, rollout: str, n_tokens: int) -> int:
    """Return the most rows to roll out together, whatever the horizon.

    Parameters
    ----------
    network : TimerS1Network
    horizon : int
        Steps to forecast.
    rollout : {"quantile", "median"}
        The paths that extend the context.
    n_tokens : int
        Tokens of a context.
    """
    limits, n_paths = _Limits(network), paths_of(rollout)
    # A row keeps the most tokens if its paths share no part of the context and are the longest.
    most_added = (n_paths * limits.most - n_tokens) // n_paths
    n_passes = 1 + max(1, most_added // limits.per_pass)
    return network.rows_at_once(n_tokens, min(horizon, n_passes * network.pass_length), n_paths)


@torch.inference_mode()
def roll_out(
    network: TimerS1Network,
    patches: Tensor,
    last_token: Tensor,
    horizon: int,
    rollout: str,
) -> Tensor:
    """Forecast rows in as many passes as the horizon needs.

    After each pass, paths extend the context: the median for ``"median"``, as in the released
    implementation, or `N_PATHS` equally probable quantiles for ``"quantile"``. The forecasts that
    the next pass makes after each path are mixed with equal weights, so that uncertainty about
    earlier steps widens the forecast of later ones.

    A context grows up to a quarter beyond the longest that the network reads, and is then cut back
    to its newest part.

    Parameters
    ----------
    network : TimerS1Network
        In evaluation mode.
    patches : Tensor, shape (B, N, 2 P)
        Contexts, each followed by filler.
    last_token : Tensor of int, shape (B,)
        Newest token of each context.
    horizon : int
        Steps to forecast.
    rollout : {"quantile", "median"}
        The paths that extend the context.

    Returns
    -------
    Tensor, shape (B, Q, horizon)
        In float32, or in float64 if the network computes in it.
    """
    n_paths = paths_of(rollout)
    dtype = torch.promote_types(patches.dtype, torch.float32)
    result = patches.new_empty(len(patches), len(network.config.quantiles), horizon, dtype=dtype)
    for rows in _group_by_cuts(network, last_token, horizon):
        last = last_token[rows]
        contexts = _Contexts(network, patches[rows, : int(last.max()) + 1], last, n_paths)
        result[rows] = _roll_out_together(network, contexts, horizon, n_paths)
    return result


def _roll_out_together(
    network: TimerS1Network, contexts: _Contexts, horizon: int, n_paths: int
) -> Tensor:
    """Return quantiles (B, Q, horizon) of rows that are cut back together."""
    pieces: list[Tensor] = []
    for remaining in range(horizon, 0, -network.pass_length):
        forecast = contexts.forecast(remaining)
        if pieces and n_paths > 1:
            forecast = mixed(network.config.quantiles, forecast, n_paths)  # (B, Q, F)
        pieces.append(forecast[..., :remaining])
        if remaining > network.pass_length:
            paths = continuations(network.config.quantiles, forecast, n_paths)
            contexts.extend(paths.flatten(0, 1))
    return torch.cat(pieces, dim=-1)


class _Limits:
    """Sizes of a roll-out in tokens: one pass, a context that is cut back, the longest context."""

    def __init__(self, network: TimerS1Network) -> None:
        steps, length = network.config.max_context_length, network.config.input_token_len
        self.per_pass = network.pass_length // length
        self.kept = steps // length
        self.most = (steps + steps // 4) // length


def _group_by_cuts(network: TimerS1Network, last_token: Tensor, horizon: int) -> list[Tensor]:
    """Return groups of rows, by index, that are cut back before the same passes."""
    limits = _Limits(network)
    n_extensions = (horizon - 1) // network.pass_length
    that_fit = ((limits.most - 1 - last_token) // limits.per_pass).clamp_max(n_extensions)
    return [(that_fit == number).nonzero()[:, 0] for number in that_fit.unique()]


class _Contexts:
    """The input of the network for some rows: their contexts, and the tokens of their paths.

    Parameters
    ----------
    network : TimerS1Network
    shared : Tensor, shape (B, N, 2 P)
        Contexts, each followed by filler. They reach the most tokens in the same pass.
    last_token : Tensor of int, shape (B,)
        Newest token of each context.
    n_paths : int
        Paths that continue each context.
    """

    def __init__(
        self, network: TimerS1Network, shared: Tensor, last_token: Tensor, n_paths: int
    ) -> None:
        self._network = network
        self._limits = _Limits(network)
        self._shared = shared
        self._last_token = last_token
        self._n_paths = n_paths
        self._added = shared.new_empty(len(shared) * n_paths, 0, shared.shape[2])  # (B R, M, 2 P)
        self._cache: KeyValueCache | None = None

    def forecast(self, remaining: int) -> Tensor:
        """Run a pass of up to `remaining` steps: quantiles (B, Q, F), later (B R, Q, F)."""
        length = self._network.config.input_token_len
        n_patches = -(-min(remaining, self._network.pass_length) // length)
        if self._cache is None:
            forecast = self._enter_all(n_patches, (remaining - 1) // self._network.pass_length)
        else:
            new = self._added[:, -self._limits.per_pass :]
            forecast = self._network.forecast_pass(new, n_patches, cache=self._cache)
        return forecast.to(torch.promote_types(forecast.dtype, torch.float32))

    def _enter_all(self, n_patches: int, n_extensions: int) -> Tensor:
        """Run all tokens; keep their keys and values if there are extensions before a cut."""
        room = max(0, self._limits.most - self._n_tokens) // self._limits.per_pass
        capacity = self._added.shape[1] + min(n_extensions, room) * self._limits.per_pass
        shared, last_token, added = self._shared, self._last_token, self._added
        if capacity:
            self._cache = KeyValueCache(last_token, shared.shape[1], self._n_paths, capacity)
        forecast = self._network.forecast_contexts(shared, n_patches, last_token, self._cache)
        if added.shape[1]:
            forecast = self._network.forecast_pass(added, n_patches, cache=self._cache)
        return forecast

    @property
    def _n_tokens(self) -> int:
        """Number of tokens of the longest context."""
        return self._shared.shape[1] + self._added.shape[1]

    def extend(self, paths: Tensor) -> None:
        """Continue each path by forecasts (B R, F)."""
        new = patchify(paths, None, self._network.config.input_token_len)
        self._added = torch.cat([self._added, new.to(self._added.dtype)], dim=1)
        if self._n_tokens > self._limits.most:
            self._cut_back()

    def _cut_back(self) -> None:
        """Keep the newest tokens alone, whose positions begin at zero again.

        If there is a single path, or if the paths share no tokens any more, the tokens of the
        paths become contexts.
        """
        n_added = min(self._added.shape[1], self._limits.kept)
        n_shared = self._limits.kept - n_added
        first = self._last_token + 1 - n_shared
        window = first[:, None] + torch.arange(n_shared, device=first.device)
        self._shared = self._shared.take_along_dim(window.unsqueeze(-1), dim=1)
        self._added = self._added[:, -n_added:]
        if self._n_paths == 1 or n_shared == 0:
            shared = self._shared.repeat_interleave(self._n_paths, dim=0)
            self._shared = torch.cat([shared, self._added], dim=1)
            self._added, self._n_paths = self._added[:, :0], 1
        self._last_token = self._last_token.new_full(
            (len(self._shared),), self._shared.shape[1] - 1
        )
        self._cache = None
