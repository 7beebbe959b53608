"""Training batches from raw windows: contexts of random lengths and the steps after them.

A context is standardized by itself, its gaps are filled by straight lines, and the steps before it
are zeros, which are its mean. At inference contexts are prepared in the same way.

Shapes in comments: B batch, W steps of a window, T of a context, H of a forecast.
"""

from __future__ import annotations

import dataclasses
import math
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from timer_forecaster.models.normalizing import MAX_NORMALIZED, masked_statistics, normalized


@dataclasses.dataclass(frozen=True, kw_only=True)
class ContextSettings:
    """Lengths of contexts, and values that are hidden in them.

    Parameters
    ----------
    shortest : int
        Steps of the shortest context, at least 2. Lengths up to that of the network are uniform in
        their logarithm.
    full_share : float
        Share of rows whose context is as long as the network and the series allow.
    points, stretch : float
        Shares of rows that lose up to 40 % of their single points, or one stretch of up to a
        quarter of the context. A row loses at most one of the two.

    Examples
    --------
    >>> ContextSettings(shortest=32)
    ContextSettings(shortest=32, full_share=0.5, points=0.1, stretch=0.1)
    """

    shortest: int = 16
    full_share: float = 0.5
    points: float = 0.1
    stretch: float = 0.1

    def __post_init__(self) -> None:
        """Check the fields."""
        shares = self.full_share, self.points, self.stretch, self.points + self.stretch
        if not all(0 <= share <= 1 for share in shares):  # NaN included
            raise ValueError(
                f"contexts={dataclasses.asdict(self)} must have full_share, points and stretch "
                "between 0 and 1, and points and stretch together at most 1"
            )
        if isinstance(self.shortest, bool) or not self.shortest >= 2:
            raise ValueError(f"contexts: shortest={self.shortest!r} must be at least 2")


class ContextBatch(NamedTuple):
    """One batch of contexts and of what follows them."""

    past: Tensor  # (B, T) normalized, without gaps
    observed: Tensor  # (B, T) 1 where a value was seen, else 0
    targets: Tensor  # (B, H) normalized as the context, finite
    known: Tensor  # (B, H) bool: the target counts


def make_contexts(
    windows: Tensor,
    context_length: int,
    horizon: int,
    generator: Generator,
    settings: ContextSettings = ContextSettings(),
) -> ContextBatch:
    """Cut windows into contexts and targets, hide values, and normalize.

    The targets are the last steps of a window. From a longer window than needed, the last steps are
    left out at random. A short series, which begins late in its window, gives its last third at
    most as targets, so that a context remains.

    Parameters
    ----------
    windows : Tensor, shape (B, W)
        Raw values, NaN where missing; T + H steps or more.
    context_length, horizon : int
        Steps of the network, T and H.
    generator : torch.Generator
        Source of the random numbers, on the device of the windows.
    settings : ContextSettings
        Lengths of contexts, and hidden values.
    """
    device = windows.device
    values, room = _placed(windows, context_length, horizon, generator)
    past = values[:, :context_length]
    length = torch.minimum(_draw_lengths(len(windows), context_length, generator, settings), room)
    age = torch.arange(context_length, 0, -1, device=device)  # 1 is the newest step
    seen = past.isfinite() & (age <= length[:, None])
    seen &= ~_draw_hidden(age, length, generator, settings)
    scaled, varies = normalized(values, *masked_statistics(past, seen))
    targets = scaled[:, context_length:]
    known = targets.isfinite() & (targets.abs() <= MAX_NORMALIZED) & varies
    return ContextBatch(
        past=fill_gaps(scaled[:, :context_length], seen).float(),
        observed=seen.float(),
        targets=targets.masked_fill(~known, 0.0).float(),
        known=known,
    )


def fill_gaps(values: Tensor, seen: Tensor) -> Tensor:
    """Fill gaps by straight lines, the end by the last value seen, and the beginning by zeros.

    Parameters
    ----------
    values : Tensor, shape (B, T)
        Anything, also NaN, where nothing is seen.
    seen : Tensor of bool, shape (B, T)

    Examples
    --------
    >>> import torch
    >>> seen = torch.tensor([[False, True, False, True, False]])
    >>> fill_gaps(torch.tensor([[9.0, 1.0, 9.0, 2.0, 9.0]]), seen)
    tensor([[0.0000, 1.0000, 1.5000, 2.0000, 2.0000]])
    """
    length, values = values.shape[-1], values.masked_fill(~seen, 0.0)
    step = torch.arange(length, device=values.device)
    before = torch.where(seen, step, -1).cummax(-1).values
    after = torch.where(seen, step, length).flip(-1).cummin(-1).values.flip(-1)
    left = values.gather(-1, before.clamp_min(0))
    right = values.gather(-1, after.clamp_max(length - 1))
    part = (step - before).to(values.dtype) / (after - before).clamp_min(1)
    line = torch.where(after < length, left + (right - left) * part, left)
    return line.masked_fill(before < 0, 0.0)


def _placed(
    windows: Tensor, context_length: int, horizon: int, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Return contexts and targets in float64, (B, T + H), and the steps of each context, (B,)."""
    n_steps = windows.shape[-1]
    first = windows.isfinite().to(torch.int8).argmax(-1)
    spare = n_steps - context_length - horizon
    if spare > 0:
        uniform = torch.rand(len(windows), generator=generator, device=windows.device)
        end = n_steps - (uniform * (((n_steps - first) // 4).clamp_max(spare) + 1)).long()
    else:
        end = torch.full_like(first, n_steps)
    ahead = ((end - first) // 3).clamp(1, horizon)
    place = torch.arange(context_length + horizon, device=windows.device)
    place = place + (end - ahead - context_length)[:, None]
    values = windows.double().gather(-1, place.clamp(0, n_steps - 1))
    inside = (place >= 0) & (place < end[:, None])
    return values.masked_fill(~inside, torch.nan), end - ahead - first


def _draw_lengths(
    rows: int, longest: int, generator: Generator, settings: ContextSettings
) -> Tensor:
    """Draw lengths of contexts, (B,)."""
    uniform = torch.rand(2, rows, generator=generator, device=generator.device)
    low, high = math.log(min(settings.shortest, longest)), math.log(longest + 1)
    drawn = (low + (high - low) * uniform[0]).exp().long().clamp_max(longest)
    return torch.where(uniform[1] < settings.full_share, longest, drawn)


def _draw_hidden(
    age: Tensor, length: Tensor, generator: Generator, settings: ContextSettings
) -> Tensor:
    """Draw the steps to hide in contexts of some lengths, (B, T)."""
    device = generator.device

    def uniform(steps: int = 1) -> Tensor:
        return torch.rand(len(length), steps, generator=generator, device=device)

    choice = uniform()
    points = (uniform(len(age)) < uniform() * 0.4) & (choice < settings.points)
    newest = uniform() * length[:, None]
    oldest = newest + uniform() ** 2 * length[:, None] / 4
    stretch = (age > newest) & (age <= oldest)
    return points | (
        stretch & (choice >= settings.points) & (choice < settings.points + settings.stretch)
    )
