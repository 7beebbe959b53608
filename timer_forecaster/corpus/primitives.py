"""Building blocks of synthetic series: random numbers, seasons, trends and colored noise.

Every block works on a whole batch: parameters are (batch, 1), one per row, and values are (batch,
length). No block loops over rows or steps, and none waits for the device.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

__all__ = [
    "Draw",
    "colored_noise",
    "constant",
    "convolve",
    "fast_size",
    "first_order_gain",
    "frequencies",
    "level_shifts",
    "local_generator",
    "lookup",
    "noise",
    "outliers",
    "periods",
    "profiles",
    "season",
    "seasons",
    "segments",
    "slow_curve",
    "standardize",
    "trend",
]

TABLE = 256
"""Number of points in one cycle of a periodic profile."""

# Step pairs (inner, outer) of calendars: hours, half hours, quarters, ten and five minutes, minutes
# by day and week; days by week and year; months, quarters, weeks by year; business days; days of
# service with fewer hours.
_CALENDAR_PERIODS: tuple[tuple[float, float, float], ...] = (
    (24, 168, 5),
    (24, 8766, 1),
    (48, 336, 3),
    (96, 672, 3),
    (144, 1008, 3),
    (288, 2016, 3),
    (60, 1440, 1),
    (1440, 10080, 1),
    (7, 365.25, 4),
    (7, 30.4, 1),
    (5, 260, 1),
    (365.25, 7, 2),
    (12, 120, 4),
    (12, 84, 1),
    (4, 40, 2),
    (52.18, 13, 3),
    (6, 42, 1),
    (8, 56, 1),
    (18, 126, 1),
    (30, 360, 1),
)


class Draw:
    """A source of random numbers for a batch of rows of one length, on one device."""

    def __init__(
        self, batch: int, length: int, generator: torch.Generator, device: torch.device | str
    ) -> None:
        self.batch = batch
        self.length = length
        self.generator = generator
        self.device = torch.device(device)

    @property
    def time(self) -> Tensor:
        """Return the step numbers 0, 1, …, (1, length)."""
        return torch.arange(self.length, dtype=torch.float32, device=self.device)[None]

    def uniform(self, low: float = 0.0, high: float = 1.0, width: int = 1) -> Tensor:
        """Draw uniform numbers (batch, width)."""
        return self._empty(width).uniform_(low, high, generator=self.generator)

    def log_uniform(self, low: float, high: float, width: int = 1) -> Tensor:
        """Draw positive numbers (batch, width) with a uniform logarithm."""
        return self.uniform(math.log(low), math.log(high), width).exp_()

    def normal(self, width: int = 1) -> Tensor:
        """Draw standard normal numbers (batch, width)."""
        return self._empty(width).normal_(generator=self.generator)

    def _empty(self, width: int) -> Tensor:
        return torch.empty(self.batch, width, device=self.device)

    def chance(self, probability: float | Tensor, width: int = 1) -> Tensor:
        """Draw booleans (batch, width) that are true with the given probability."""
        return self.uniform(width=width) < probability

    def pick(self, weights: Sequence[float], width: int = 1) -> Tensor:
        """Draw indices (batch, width) in proportion to the weights."""
        bounds = constant(tuple(itertools.accumulate(weights)), self.device)
        return torch.bucketize(self.uniform(width=width) * bounds[-1], bounds[:-1], right=True)

    def among(self, values: Sequence[float], weights: Sequence[float] | None = None) -> Tensor:
        """Draw one of the values for each row, (batch, 1)."""
        index = self.pick(weights or [1.0] * len(values))
        return constant(tuple(values), self.device)[index]


@lru_cache(maxsize=256)
def constant(
    values: tuple[float, ...] | tuple[tuple[float, ...], ...], device: torch.device
) -> Tensor:
    """Keep numbers as float32 on the device: each copy to the device would wait for it."""
    return torch.tensor(values, dtype=torch.float32, device=device)


def local_generator(generator: torch.Generator, device: torch.device | str) -> torch.Generator:
    """Return the generator, or if it is on another device, one on this device seeded by it."""
    place = torch.device(device)
    if generator.device.type == place.type:
        return generator
    seed = torch.randint(2**62, (1,), generator=generator, device=generator.device)
    return torch.Generator(place).manual_seed(int(seed))


def standardize(values: Tensor) -> Tensor:
    """Scale rows to mean 0 and standard deviation 1."""
    centered = values - values.mean(dim=-1, keepdim=True)
    scale = centered.square().mean(dim=-1, keepdim=True).sqrt_()
    return centered.div_(scale.clamp_(min=1e-6))


def lookup(table: Tensor, phase: Tensor) -> Tensor:
    """Interpolate a `table` (batch, points) of one cycle linearly at `phase`, in cycles."""
    points = table.shape[1]
    position = (phase - phase.floor()).mul_(points)
    index = position.long().clamp_(max=points - 1)
    closed = torch.cat([table, table[:, :1]], dim=1)
    return torch.lerp(closed.gather(1, index), closed.gather(1, index + 1), position - index)


def fast_size(length: int) -> int:
    """Return the smallest 2**k or 3 * 2**k that is at least `length`: quick to transform."""
    power = 1 << max(0, (length - 1).bit_length())
    return 3 * power // 4 if 3 * power // 4 >= length else power


def frequencies(draw: Draw) -> Tensor:
    """Angular frequencies (1, bins) of the padded window behind `colored_noise`."""
    size = fast_size(draw.length + draw.length // 4)
    return torch.arange(size // 2 + 1, device=draw.device)[None] * (2 * math.pi / size)


def colored_noise(draw: Draw, gain: Tensor) -> Tensor:
    """Stationary Gaussian noise with amplitude spectrum `gain` (batch, bins), unit variance.

    The inverse transform of independent complex normal numbers is periodic. The cycle is a quarter
    longer than the window, so the ends of the window do not meet.
    """
    bins = gain.shape[1]
    waves = torch.view_as_complex(draw.normal(2 * bins).view(draw.batch, bins, 2))
    return standardize(torch.fft.irfft(waves * gain, n=2 * (bins - 1))[:, : draw.length])


def first_order_gain(draw: Draw, rho: Tensor) -> Tensor:
    """Amplitude spectrum of the AR(1) process, 1 / |1 - rho exp(-i w)|."""
    return (1 + rho * rho - 2 * rho * frequencies(draw).cos()).clamp_(min=1e-8).rsqrt_()


def convolve(shocks: Tensor, response: Tensor) -> Tensor:
    """Causal filter: sum over k of ``response[k] * shocks[t - k]``, both (batch, length)."""
    length = shocks.shape[1]
    size = fast_size(2 * length)
    spectrum = torch.fft.rfft(shocks, n=size) * torch.fft.rfft(response, n=size)
    return torch.fft.irfft(spectrum, n=size)[:, :length]


def noise(draw: Draw) -> Tensor:
    """White (half the rows) or AR(1) noise of unit variance, one row in five heavy-tailed."""
    rho = draw.uniform(0.0, 0.97) * draw.chance(0.5)
    values = colored_noise(draw, first_order_gain(draw, rho))
    heavy = draw.uniform(0.05, 0.2) * draw.chance(0.2)
    return values * (heavy * values.square()).clamp_(max=1.0).exp_()


def periods(draw: Draw) -> tuple[Tensor, Tensor]:
    """Inner and outer seasonal period in steps, (batch, 1) each.

    More than half of the rows follow a calendar. The other rows have an arbitrary inner period,
    whole or real, and a multiple of it as the outer period.
    """
    table = constant(_CALENDAR_PERIODS, draw.device)
    row = table[draw.pick([entry[2] for entry in _CALENDAR_PERIODS])[:, 0]]
    longest = max(8.0, draw.length / 2)
    real = draw.log_uniform(3.0, longest)
    arbitrary = torch.where(draw.chance(0.5), real.round(), real)
    multiple = arbitrary * draw.uniform(2.0, 13.0).floor()
    # A period far beyond the window would be a trend.
    known = draw.chance(0.6) & (row[:, :1] <= draw.length)
    return torch.where(known, row[:, :1], arbitrary), torch.where(known, row[:, 1:2], multiple)


def profiles(draw: Draw, weights: Sequence[float] = (5, 3, 1.5, 1, 1)) -> Tensor:
    """Tabulated cycles (batch, TABLE), mean 0 and standard deviation 1.

    Kinds, in the order of `weights`: random harmonics, one to three peaks, a hump on a flat floor
    (daylight), a pulse with sharp or soft edges, a saw tooth or triangle.
    """
    phase = torch.arange(TABLE, device=draw.device)[None] / TABLE
    circle = torch.cos(2 * math.pi * (phase - draw.uniform()))
    level = draw.uniform(-0.5, 0.7)
    hump = (circle - level).clamp(min=0).pow(draw.uniform(0.5, 2.0))
    pulse = torch.sigmoid((circle - level) * draw.log_uniform(3.0, 300.0))
    skew = draw.uniform(-0.2, 1.2).clamp_(0.004, 0.996)
    tooth = torch.where(phase < skew, phase / skew, (1 - phase) / (1 - skew))
    kinds = torch.stack([_harmonics(draw), _peaks(draw, phase), hump, pulse, tooth], dim=1)
    chosen = draw.pick(weights)[:, :, None].expand(-1, 1, TABLE)
    return standardize(kinds.gather(1, chosen)[:, 0])


def _harmonics(draw: Draw) -> Tensor:
    order = torch.arange(TABLE // 2 + 1, device=draw.device)[None]
    decay = order.clamp(min=1).pow(-draw.uniform(0.0, 2.5))
    kept = (order >= 1) & (order <= draw.log_uniform(1.0, 40.0))
    waves = torch.view_as_complex(draw.normal(TABLE + 2).view(draw.batch, -1, 2))
    return torch.fft.irfft(waves * decay * kept, n=TABLE)


def _peaks(draw: Draw, phase: Tensor) -> Tensor:
    present = draw.uniform(width=3) < constant((1.0, 0.7, 0.3), draw.device)
    heights = draw.uniform(0.3, 1.0, 3) * present
    distance = torch.cos(2 * math.pi * (phase[:, None] - draw.uniform(width=3)[:, :, None])) - 1
    bells = (draw.log_uniform(1.0, 60.0, 3)[:, :, None] * distance).exp_()
    return (heights[:, :, None] * bells).sum(dim=1)


def season(draw: Draw, period: Tensor, table: Tensor | None = None) -> Tensor:
    """Repeat a random profile with the given period (batch, 1)."""
    cycle = profiles(draw) if table is None else table
    return lookup(cycle, draw.time / period + draw.uniform())


def seasons(draw: Draw, *lengths: Tensor) -> tuple[Tensor, ...]:
    """Repeat one random profile for each period (batch, 1); all are tabulated at once."""
    wide = Draw(draw.batch * len(lengths), draw.length, draw.generator, draw.device)
    tables = profiles(wide).split(draw.batch)
    return tuple(season(draw, *pair) for pair in zip(lengths, tables, strict=True))


def slow_curve(draw: Draw) -> Tensor:
    """Draw a smooth curve with at most a few turns in the window, of order 1."""
    order = torch.arange(33, device=draw.device)[None]
    decay = order.clamp(min=1).pow(-draw.uniform(0.8, 2.0)) * (order >= 1)
    waves = torch.view_as_complex(draw.normal(66).view(draw.batch, 33, 2))
    table = standardize(torch.fft.irfft(waves * decay, n=64))
    return lookup(table, draw.uniform() + draw.time / draw.length * draw.uniform(0.1, 1.0))


def trend(draw: Draw) -> Tensor:
    """Draw a trend of range 1: straight, broken, saturating, smooth, or a mix of these."""
    time = draw.time / draw.length
    straight = time * draw.among((-1.0, 1.0))
    broken = time * draw.normal()
    for _ in range(3):
        broken = broken + draw.normal() * 2 * (time - draw.uniform(-0.2, 1.0)).clamp(min=0)
    saturating = torch.tanh((time - draw.uniform()) / draw.log_uniform(0.03, 0.5))
    total = straight * draw.chance(0.5) + broken * draw.chance(0.35) * draw.uniform(0.3, 1.5)
    total = total + saturating * draw.chance(0.2) * draw.normal()
    total = total + slow_curve(draw) * draw.chance(0.4) * draw.uniform(0.1, 0.8)
    span = total.amax(dim=1, keepdim=True) - total.amin(dim=1, keepdim=True)
    return torch.where(span > 0.01, total / span.clamp(min=0.01), straight)


def level_shifts(draw: Draw, mean_count: float = 2.0) -> Tensor:
    """Draw a step function with normal jumps, on average `mean_count` in the window."""
    jumps = draw.chance(mean_count / draw.length, draw.length)
    return torch.cumsum(jumps * draw.normal(draw.length), dim=1)


def outliers(draw: Draw, share: float = 0.1) -> Tensor:
    """Rare large values of either or one sign in a `share` of the rows, zero elsewhere."""
    rate = draw.log_uniform(0.0005, 0.01) * draw.chance(share)
    sign = draw.among((-1.0, 0.0, 1.0))
    sizes = draw.normal(draw.length).mul_(2.0)
    sizes = torch.where(sign == 0, sizes, sizes.abs() * sign)
    return sizes * draw.chance(rate, draw.length)


def segments(draw: Draw, mean_duration: Tensor) -> Tensor:
    """Assign each step the number of its segment, (batch, length), for random durations."""
    return torch.cumsum(draw.chance(1 / mean_duration, draw.length), dim=1)
