"""Families of synthetic series.

Each family is a function of (batch, length, generator, device) that returns (batch, length) float32
values at any scale. Families overlap on purpose: together they must cover every shape of real
series.
"""

from __future__ import annotations

import calendar
import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from timer_forecaster.corpus.canonical import canonical
from timer_forecaster.corpus.causal import temporal_causal
from timer_forecaster.corpus.kernels import kernel_synth
from timer_forecaster.corpus.primitives import (
    Draw,
    colored_noise,
    constant,
    convolve,
    fast_size,
    first_order_gain,
    frequencies,
    level_shifts,
    lookup,
    noise,
    outliers,
    periods,
    profiles,
    season,
    seasons,
    segments,
    slow_curve,
    standardize,
    trend,
)

__all__ = ["FAMILIES", "Family"]

Family = Callable[[int, int, torch.Generator, torch.device | str], Tensor]


def composite(
    batch: int, length: int, generator: torch.Generator, device: torch.device | str
) -> Tensor:
    """Trend, one or two seasons of slowly varying amplitude, noise, shifts and outliers.

    A third of the rows combine them multiplicatively: amplitude and noise grow with the level.
    """
    draw = Draw(batch, length, generator, device)
    inner, outer = periods(draw)
    swell = 1 + draw.uniform(0.0, 0.6) * draw.chance(0.5) * slow_curve(draw)
    fast, slow = seasons(draw, inner, outer)
    signal = fast * swell * draw.log_uniform(0.3, 2.0) * draw.chance(0.9)
    signal = signal + slow * draw.log_uniform(0.2, 2.0) * draw.chance(0.6)
    signal = signal + trend(draw) * draw.log_uniform(0.3, 8.0) * draw.chance(0.6)
    signal = signal + level_shifts(draw) * draw.chance(0.1)
    loudness = draw.log_uniform(0.03, 1.2) * (1 + draw.chance(0.15) * slow_curve(draw).abs())
    values = signal + loudness * noise(draw) + outliers(draw)
    exponent = standardize(values).clamp_(-6.0, 6.0) * draw.log_uniform(0.1, 1.0)
    return torch.where(draw.chance(0.33), exponent.exp(), values)


def exponential_smoothing(
    batch: int, length: int, generator: torch.Generator, device: torch.device | str
) -> Tensor:
    """Innovation state-space models (error, damped trend, season), and seasonal random walks.

    With additive errors the model is linear in them, with the impulse response
    ``c_j = alpha + beta (phi + ... + phi^j) + gamma [j mod m = 0]``, c_0 = 1 (Hyndman et al. 2008,
    Forecasting with Exponential Smoothing, section 10.2): one convolution replaces the recursion.
    """
    draw = Draw(batch, length, generator, device)
    time = draw.time
    period = periods(draw)[0].round()
    pure = draw.chance(0.15)  # seasonal random walk
    alpha = torch.where(pure, 0.0, draw.log_uniform(0.01, 1.0))
    phi = draw.uniform(0.8, 0.998)
    beta = alpha * draw.log_uniform(0.002, 0.2) * draw.chance(0.4)
    gamma = torch.where(pure, 1.0, draw.log_uniform(0.005, 0.5) * draw.chance(0.7))
    damped = phi * (1 - phi.pow(time)) / (1 - phi)
    response = alpha + beta * damped + gamma * (time.remainder(period) == 0)
    response = torch.where(time == 0, 1.0, response)
    shocks = convolve(draw.normal(length), response)
    loudness = draw.log_uniform(0.02, 1.0)
    start = season(draw, period) * draw.chance(0.85) + damped * draw.normal() * 0.02
    values = start + shocks * loudness
    exponent = standardize(values).clamp_(-6.0, 6.0) * draw.log_uniform(0.1, 0.8)
    return torch.where(draw.chance(0.3), exponent.exp(), values)


def clean_periodic(
    batch: int, length: int, generator: torch.Generator, device: torch.device | str
) -> Tensor:
    """One or two periodic profiles, sometimes modulated, with little or no noise."""
    draw = Draw(batch, length, generator, device)
    inner, outer = periods(draw)
    table = profiles(draw, (4, 2, 1, 2, 2))
    carrier = season(draw, inner, table)
    second = season(draw, outer)
    added = carrier + second * draw.log_uniform(0.1, 2.0) * draw.chance(0.4)
    values = torch.where(draw.chance(0.15), carrier * (second + 1), added)
    swell = 1 + draw.uniform(0.0, 0.8) * draw.chance(0.2) * slow_curve(draw)
    drift = trend(draw) * draw.log_uniform(0.3, 5.0) * draw.chance(0.2)
    loudness = draw.log_uniform(0.003, 0.1) * draw.chance(0.6)
    return values * swell + drift + loudness * draw.normal(length)


def integrated(
    batch: int, length: int, generator: torch.Generator, device: torch.device | str
) -> Tensor:
    """Random walks with drift, heavy tails, persistence, jumps; geometric ones; mean reversion."""
    draw = Draw(batch, length, generator, device)
    walk = torch.cumsum(noise(draw) + draw.normal() * 0.05, dim=1) / math.sqrt(length)
    walk = walk + level_shifts(draw) * 0.5 * draw.chance(0.15)
    rho = 1 - draw.log_uniform(0.001, 0.1)
    reverting = colored_noise(draw, first_order_gain(draw, rho))
    values = torch.where(draw.chance(0.25), reverting, walk)
    values = values + draw.normal(length) * draw.log_uniform(0.003, 0.3) * draw.chance(0.3)
    exponent = standardize(values).clamp_(-6.0, 6.0) * draw.log_uniform(0.03, 0.8)
    return torch.where(draw.chance(0.35), exponent.exp(), values)


def spectral(
    batch: int, length: int, generator: torch.Generator, device: torch.device | str
) -> Tensor:
    """Gaussian processes drawn by their spectrum: power laws, smooth and quasi-periodic kernels."""
    draw = Draw(batch, length, generator, device)
    omega = frequencies(draw)
    rough = omega.clamp(min=2 * math.pi / fast_size(length + length // 4)).pow(
        -draw.uniform(0.0, 2.5)
    )
    scale = draw.log_uniform(2.0, max(8.0, length / 4))
    smooth = torch.exp(-0.5 * (omega * scale).square())
    matern = (1 + (omega * scale).square()).pow(-draw.uniform(1.0, 3.0))
    cycles = omega / (2 * math.pi / periods(draw)[0])
    harmonic = cycles.round().clamp(min=1.0)
    width = draw.log_uniform(0.001, 0.05)
    lines = torch.exp(-0.5 * ((cycles - harmonic) / width).square())
    lines = lines * harmonic.pow(-draw.uniform(1.0, 4.0)) * (harmonic <= 10)
    power = torch.zeros_like(rough)
    for part, chance in ((rough, 0.4), (smooth, 0.3), (matern, 0.4), (lines, 0.5)):
        share = draw.log_uniform(0.1, 1.0) * draw.chance(chance) + 1e-4
        power = power + share * part / part.sum(dim=1, keepdim=True).clamp(min=1e-12)
    return colored_noise(draw, power.sqrt())


def counts(
    batch: int, length: int, generator: torch.Generator, device: torch.device | str
) -> Tensor:
    """Poisson counts with seasonal, trending and over-dispersed rates; intermittent demand."""
    draw = Draw(batch, length, generator, device)
    inner, outer = periods(draw)
    fast, slow = seasons(draw, inner, outer)
    pattern = fast * draw.uniform(0.0, 0.8) + trend(draw) * draw.normal()
    pattern = pattern + slow * draw.uniform(0.0, 0.5) * draw.chance(0.4)
    spread = draw.uniform(0.2, 1.0) * draw.chance(0.4)
    pattern = pattern + draw.normal(length) * spread
    rate = draw.log_uniform(0.05, 200.0) * pattern.clamp_(-4.0, 3.0).exp_()
    values = torch.poisson(rate, generator=generator)
    # Croston's demand model: rare occasions of random size.
    sporadic = draw.chance(draw.log_uniform(0.02, 0.7), length) * (values + 1)
    return torch.where(draw.chance(0.25), sporadic, values)


def regimes(
    batch: int, length: int, generator: torch.Generator, device: torch.device | str
) -> Tensor:
    """AR(2) cycles; in half the rows a hidden state switches between two of them."""
    draw = Draw(batch, length, generator, device)
    first, second = _second_order(draw), _second_order(draw)
    second = second * draw.log_uniform(0.2, 5.0) + draw.normal() * 2
    state = segments(draw, draw.log_uniform(10.0, float(length))).remainder(2)
    state = state * draw.chance(0.5)
    return torch.where(state == 1, second, first) + trend(draw) * 3 * draw.chance(0.2)


def _second_order(draw: Draw) -> Tensor:
    """AR(2) noise with poles r exp(+-i theta): 1 / |(1 - z_1 B)(1 - z_2 B)|."""
    radius = 1 - draw.log_uniform(0.001, 0.5)
    theta = 2 * math.pi / draw.log_uniform(3.0, max(8.0, draw.length / 3))
    omega = frequencies(draw)
    square = 1 + radius * radius
    upper = (square - 2 * radius * (omega - theta).cos()).clamp_(min=1e-8)
    lower = (square - 2 * radius * (omega + theta).cos()).clamp_(min=1e-8)
    return colored_noise(draw, (upper * lower).rsqrt())


def spikes(
    batch: int, length: int, generator: torch.Generator, device: torch.device | str
) -> Tensor:
    """Pulses at regular or jittered times over a quiet base: bells, decays, blocks."""
    draw = Draw(batch, length, generator, device)
    period = draw.log_uniform(6.0, max(12.0, length / 3))
    phase = draw.time / period + draw.uniform()
    event = phase.long().remainder(512)
    jitter = (draw.uniform(-0.4, 0.4, 512) * draw.uniform() * draw.chance(0.6)).gather(1, event)
    distance = (phase - phase.floor() - 0.5 + jitter) * period
    width = period * draw.log_uniform(0.01, 0.15) + 0.5
    bell = torch.exp(-0.5 * (distance / width).square())
    decay = torch.exp(-distance.clamp(min=0) / width) * (distance >= 0)
    block = (distance.abs() < width).float()
    kind = draw.pick((1, 1, 1))
    shape = torch.where(kind == 0, bell, torch.where(kind == 1, decay, block))
    size = 1 + draw.uniform(0.0, 0.6) * draw.normal(512) * draw.chance(0.7)
    size = size * draw.chance(draw.among((1.0, 0.8, 0.4)), 512)
    base = noise(draw) * draw.log_uniform(0.005, 0.3) + trend(draw) * draw.chance(0.2)
    return shape * size.gather(1, event) * draw.among((-1.0, 1.0), (1, 4)) + base


def trend_only(
    batch: int, length: int, generator: torch.Generator, device: torch.device | str
) -> Tensor:
    """Trends, also exponential, with little noise."""
    draw = Draw(batch, length, generator, device)
    path = trend(draw)
    growth = (path * draw.uniform(0.3, 4.0)).exp()
    values = torch.where(draw.chance(0.3), growth, path)
    loudness = draw.log_uniform(0.001, 0.1) * draw.chance(0.8)
    return standardize(values) + loudness * noise(draw)


def calendar_days(
    batch: int, length: int, generator: torch.Generator, device: torch.device | str
) -> Tensor:
    """Days of a week, with a profile within the day, holidays and a year.

    Working days and free days have different profiles and levels; holidays look like free days.
    Three rows in fourteen are daily.
    """
    draw = Draw(batch, length, generator, device)
    steps = draw.among((1, 24, 48, 96, 144, 288), (3, 5, 2, 2, 1, 1))
    day = draw.time / steps + draw.uniform(0.0, 365.0)
    weekday = day.long().remainder(7)
    holiday = draw.chance(draw.uniform(0.0, 0.05), 366)
    is_holiday = holiday.gather(1, day.long().remainder(366))
    free = (weekday >= 7 - draw.among((0, 1, 2), (1, 1, 4))) | is_holiday
    work, rest = profiles(Draw(2 * batch, length, generator, device)).split(batch)
    rest = torch.lerp(work, rest, draw.uniform())
    within = torch.where(free, lookup(rest, day), lookup(work, day)) * (steps > 1)
    level = draw.normal() * free + (draw.normal(7) * draw.uniform(0.0, 0.5)).gather(1, weekday)
    pattern = within * draw.log_uniform(0.3, 2.0) + level * draw.log_uniform(0.1, 1.5)
    year = season(draw, steps * 365.25) * draw.log_uniform(0.1, 2.0) * draw.chance(0.7)
    rest_of = trend(draw) * draw.uniform(0.0, 2.0) * draw.chance(0.5)
    values = pattern + year + rest_of + noise(draw) * draw.log_uniform(0.03, 0.6)
    values = values + outliers(draw)
    exponent = standardize(values).clamp_(-5.0, 5.0) * draw.log_uniform(0.1, 1.2)
    return torch.where(draw.chance(0.5), exponent.exp(), values)


def calendar_months(
    batch: int, length: int, generator: torch.Generator, device: torch.device | str
) -> Tensor:
    """Monthly totals: a growing level, twelve factors, numbers of working and of free days."""
    draw = Draw(batch, length, generator, device)
    month = (draw.time + draw.uniform(0.0, 336.0)).long()
    days = constant(_month_days(), draw.device)[month.remainder(336)]
    activity = days[..., 0] + draw.uniform(0.0, 1.5) * days[..., 1]
    factors = (draw.normal(12) * draw.log_uniform(0.02, 0.4)).gather(1, month.remainder(12))
    # Over long windows a random walk in the factors lets the season evolve.
    level = trend(draw) * draw.uniform(0.2, 2.5) + slow_curve(draw) * draw.uniform(0.0, 0.3)
    drift = torch.cumsum(draw.normal(length), dim=1) * draw.log_uniform(0.002, 0.03)
    error = draw.normal(length) * draw.log_uniform(0.005, 0.15)
    change = 1 + draw.uniform(0.0, 0.7) * slow_curve(draw)
    exponent = level + factors * change + drift + error
    return exponent.clamp_(-6.0, 6.0).exp_() * activity


@lru_cache(maxsize=1)
def _month_days() -> tuple[tuple[float, float], ...]:
    """Working and free days of the 336 months after which the Gregorian weekdays repeat."""
    rows = []
    for index in range(336):
        first, days = calendar.monthrange(2001 + index // 12, index % 12 + 1)
        working = sum((first + day) % 7 < 5 for day in range(days))
        rows.append((float(working), float(days - working)))
    return tuple(rows)


def multiplicative_seasons(
    batch: int, length: int, generator: torch.Generator, device: torch.device | str
) -> Tensor:
    """Growth times season with little noise, like monthly, quarterly and weekly sales.

    The factors of the season may change with the years. A third of the rows have damped or broken
    trends instead of steady growth.
    """
    draw = Draw(batch, length, generator, device)
    period = draw.among((4, 12, 52, 7, 13, 24, 6), (2, 6, 2, 2, 0.5, 1.5, 0.5))
    years = draw.time / period
    steady = years * draw.normal() * draw.log_uniform(0.005, 0.1)
    path = torch.where(draw.chance(0.33), trend(draw) * draw.uniform(0.2, 2.0), steady)
    step = (draw.time + (draw.uniform() * period).floor()).remainder(period).long()
    factors = draw.normal(52) * draw.log_uniform(0.02, 0.5)
    smooth = season(draw, period) * draw.log_uniform(0.02, 0.5)
    cycle = torch.where(draw.chance(0.6), factors.gather(1, step), smooth)
    swell = 1 + draw.uniform(-0.5, 0.5) * draw.time / length * draw.chance(0.5)
    wander = torch.cumsum(draw.normal(length), dim=1) * draw.log_uniform(0.001, 0.02)
    wander = wander * draw.chance(0.5)
    error = draw.normal(length) * _low_noise(draw) * cycle.std(dim=1, keepdim=True)
    return (path + cycle * swell + wander + error).clamp_(-8.0, 8.0).exp_()


def even_seasons(
    batch: int, length: int, generator: torch.Generator, device: torch.device | str
) -> Tensor:
    """Repeat a season of 3 to 40 steps, all equally often, some with a trend or a second season."""
    draw = Draw(batch, length, generator, device)
    whole = draw.uniform(3.0, 41.0).floor()
    period = torch.where(draw.chance(0.8), whole, whole + draw.uniform(-0.5, 0.5))
    fast, slow = seasons(draw, period, period * draw.uniform(2.0, 13.0).floor())
    swell = 1 + draw.uniform(0.0, 0.5) * draw.chance(0.4) * slow_curve(draw)
    signal = fast * swell + slow * draw.log_uniform(0.2, 1.5) * draw.chance(0.5)
    drift = trend(draw) * draw.log_uniform(0.3, 6.0) * draw.chance(0.6)
    return signal + drift + noise(draw) * _low_noise(draw)


def _low_noise(draw: Draw) -> Tensor:
    """Draw the deviation of noise relative to a season: low in two rows of five."""
    low, high = draw.log_uniform(0.02, 0.12), draw.log_uniform(0.12, 1.0)
    return torch.where(draw.chance(0.4), low, high)


def reverting(
    batch: int, length: int, generator: torch.Generator, device: torch.device | str
) -> Tensor:
    """Mean reversion whose level, speed and noise switch between a few regimes.

    Between switches the noise is an Ornstein-Uhlenbeck process, drawn by its spectrum, or nearly
    white, like the load of a server. After a switch the series moves to the new level at a speed
    that the row keeps.
    """
    draw = Draw(batch, length, generator, device)
    duration = draw.log_uniform(12.0, max(24.0, float(length)))
    segment = segments(draw, duration).remainder(128)
    kinds = (draw.uniform(width=128) * draw.among((2, 3, 5, 128))).floor().long()
    regime = kinds.gather(1, segment)
    level = (draw.normal(128) * draw.log_uniform(0.3, 6.0)).gather(1, regime)
    loudness = (draw.normal(128) * draw.uniform(0.0, 1.0)).exp().gather(1, regime)
    slow = 1 - draw.log_uniform(0.003, 0.3)
    fast = draw.uniform(0.0, 0.9)
    calm = colored_noise(draw, first_order_gain(draw, slow))
    quick = colored_noise(draw, first_order_gain(draw, fast))
    is_quick = draw.chance(0.5, 128).gather(1, regime)
    lag = draw.log_uniform(0.3, 20.0)
    first = level[:, :1]
    approach = torch.exp(-draw.time / lag) * (1 - torch.exp(-1 / lag))
    level = first + convolve(level - first, approach)
    daily = season(draw, periods(draw)[0]) * draw.log_uniform(0.1, 1.5) * draw.chance(0.4)
    values = level + loudness * torch.where(is_quick, quick, calm) + daily + outliers(draw)
    exponent = standardize(values).clamp_(-5.0, 5.0) * draw.log_uniform(0.1, 1.0)
    return torch.where(draw.chance(0.35), exponent.exp(), values)


def daylight(
    batch: int, length: int, generator: torch.Generator, device: torch.device | str
) -> Tensor:
    """Solar power: nothing at night, a hump by day whose width follows the year, passing clouds."""
    draw = Draw(batch, length, generator, device)
    # A short window must still see the day.
    steps = draw.among((24, 48, 96, 144, 288), (4, 2, 2, 1, 1)).clamp(max=length // 2)
    day = draw.time / steps + draw.uniform(0.0, 365.0)
    year = torch.cos(2 * math.pi * day / 365.25)
    threshold = draw.uniform(-0.1, 0.2) + draw.uniform(0.0, 0.4) * year
    height = (-torch.cos(2 * math.pi * day) - threshold).clamp_(min=0)
    clear = height.pow(draw.uniform(0.7, 1.6))
    daily = draw.normal(366).gather(1, day.long().remainder(366))
    rho = draw.uniform(0.6, 0.97)
    cloud = colored_noise(draw, first_order_gain(draw, rho)) * draw.uniform(0.0, 1.5)
    sky = torch.sigmoid(daily * draw.uniform(0.0, 2.0) + cloud + draw.uniform(0.0, 2.0))
    capped = torch.minimum(clear * sky, draw.uniform(0.3, 1.5))
    return capped * draw.log_uniform(1.0, 1000.0)


def machines(
    batch: int, length: int, generator: torch.Generator, device: torch.device | str
) -> Tensor:
    """Machine loads: on and off by cycle, schedule or chance, some with a slow response."""
    draw = Draw(batch, length, generator, device)
    period = draw.log_uniform(6.0, max(12.0, length / 4))
    wander = torch.cumsum(draw.normal(length), dim=1) / period
    phase = draw.time / period + wander * draw.log_uniform(0.01, 0.5) * draw.chance(0.5)
    phase = phase + draw.uniform() + 100.0
    cycling = (phase - phase.floor()) < draw.uniform(0.1, 0.9)
    segment = segments(draw, period)
    switching = segment.remainder(2) == 0
    on = torch.where(draw.chance(0.6), cycling, switching)
    hours, drift = seasons(draw, periods(draw)[0], period * 10)
    schedule = hours > draw.uniform(-0.5, 0.5)
    on = on & (schedule | draw.chance(0.6))
    level = 1 + draw.normal(64) * draw.uniform(0.0, 0.5) * draw.chance(0.5)
    power = on * level.gather(1, segment.remainder(64))
    lag = draw.log_uniform(0.5, 30.0)
    slow = convolve(power, torch.exp(-draw.time / lag) * (1 - torch.exp(-1 / lag)))
    power = torch.where(draw.chance(0.4), slow, power)
    ripple = draw.normal(length) * (on * draw.log_uniform(0.005, 0.2) + draw.uniform(0.0, 0.02))
    return power + ripple + drift * 0.3 * draw.chance(0.3)


def steps(
    batch: int, length: int, generator: torch.Generator, device: torch.device | str
) -> Tensor:
    """Segments of constant, sloping or oscillating values, with some noise."""
    draw = Draw(batch, length, generator, device)
    duration = draw.log_uniform(8.0, max(16.0, length / 3))
    segment = segments(draw, duration).remainder(256)
    levels = draw.normal(256)
    # Few distinct levels are typical of tariffs and set points.
    coarse = (levels * draw.uniform(0.7, 2.0)).round()
    level = torch.where(draw.chance(0.4), coarse, levels).gather(1, segment)
    slope = (draw.normal(256) * draw.chance(0.3, 256)).gather(1, segment)
    ramp = slope * (draw.time / duration).remainder(1.0) * draw.chance(0.4)
    swing = draw.chance(0.3, 256).gather(1, segment) * season(draw, periods(draw)[0])
    values = level + ramp + swing * draw.uniform(0.2, 1.0) * draw.chance(0.4)
    return values + noise(draw) * draw.log_uniform(0.003, 0.4)


def causal(
    batch: int, length: int, generator: torch.Generator, device: torch.device | str
) -> Tensor:
    """Random non-linear mixes of lagged root series (after CauKer)."""
    draw = Draw(batch, length, generator, device)
    rho = 1 - draw.log_uniform(0.002, 0.5)
    roots = torch.stack(
        [
            colored_noise(draw, first_order_gain(draw, rho)),
            season(draw, periods(draw)[0]),
            standardize(trend(draw) + 0.3 * level_shifts(draw)),
            _second_order(draw),
        ],
        dim=1,
    )
    nodes = torch.stack([_mix(draw, roots) for _ in range(3)], dim=1)
    return standardize(_mix(draw, nodes)) + noise(draw) * draw.log_uniform(0.01, 0.5)


def _mix(draw: Draw, parents: Tensor) -> Tensor:
    """One node: a non-linear function of a weighted sum of lagged parents (batch, k, length)."""
    count = parents.shape[1]
    longest = min(64.0, draw.length / 8)
    lag = draw.uniform(0.0, longest, count).square().div(longest).long()[:, :, None]
    index = (torch.arange(draw.length, device=draw.device) - lag).clamp_(min=0)
    weight = draw.normal(count) * draw.chance(0.7, count) + 0.01
    total = standardize((parents.gather(2, index) * weight[:, :, None]).sum(dim=1))
    shifted = total * draw.uniform(0.5, 2.0) + draw.normal()
    kind = draw.pick((3, 1, 1, 1, 1, 1))
    result = torch.where(kind == 0, total, torch.tanh(shifted))
    result = torch.where(kind == 2, shifted.clamp(min=0), result)
    result = torch.where(kind == 3, shifted.abs(), result)
    result = torch.where(kind == 4, torch.sin(2 * shifted), result)
    return torch.where(kind == 5, shifted * parents[:, 0], result)


def volatility(
    batch: int, length: int, generator: torch.Generator, device: torch.device | str
) -> Tensor:
    """Stochastic volatility: returns, their size, the volatility itself, or the price."""
    draw = Draw(batch, length, generator, device)
    rho = 1 - draw.log_uniform(0.003, 0.1)
    logarithm = colored_noise(draw, first_order_gain(draw, rho)) * draw.uniform(0.4, 1.3)
    loudness = (logarithm + season(draw, periods(draw)[0]) * 0.5 * draw.chance(0.2)).exp()
    returns = loudness * draw.normal(length)
    price = torch.cumsum(returns, dim=1) / math.sqrt(length) * draw.log_uniform(0.05, 0.5)
    observed = loudness * (1 + 0.1 * draw.normal(length))
    kind = draw.pick((1, 1, 1, 2))
    values = torch.where(kind == 0, returns, returns.abs())
    values = torch.where(kind == 2, observed, values)
    return torch.where(kind == 3, price.clamp(-8.0, 8.0).exp(), values)


def chaos(
    batch: int, length: int, generator: torch.Generator, device: torch.device | str
) -> Tensor:
    """Pieces of chaotic trajectories (Lorenz, Roessler, Mackey-Glass) at random speeds."""
    draw = Draw(batch, length, generator, device)
    bank = _trajectories(draw.device)
    index = (draw.uniform()[:, 0] * len(bank)).long().clamp_(max=len(bank) - 1)
    speed = draw.log_uniform(0.1, 1.0) * min(1.0, 0.5 * bank.shape[1] / length)
    start = draw.uniform(0.0, 0.49) * bank.shape[1]
    # The table is not periodic: half of it at most is read, from its first half on.
    values = lookup(bank[index], (start + draw.time * speed) / bank.shape[1])
    return values + draw.normal(length) * draw.log_uniform(0.003, 0.3) * draw.chance(0.5)


@lru_cache(maxsize=4)
def _trajectories(device: torch.device, points: int = 4096, copies: int = 16) -> Tensor:
    """Standardized trajectories (7 * copies, points), float32, of seeded initial states."""
    rng = np.random.default_rng(0)
    lorenz, roessler = rng.normal(size=(2, 3, copies))
    delays, pace = 40, 4  # one point in four is kept
    glass = np.abs(rng.normal(1.0, 0.2, size=(points * pace + delays, copies)))
    path = np.empty((points, 7, copies))
    for step in range(points * pace):
        x, y, z = lorenz
        lorenz = lorenz + 0.01 * np.stack([10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z])
        u, v, w = roessler
        roessler = roessler + 0.03 * np.stack([-v - w, u + 0.2 * v, 0.2 + w * (u - 5.7)])
        late, now = glass[step], glass[step + delays - 1]
        glass[step + delays] = now + 0.4 * (0.2 * late / (1 + late**10) - 0.1 * now)
        path[step // pace] = np.concatenate([lorenz, roessler, glass[step + delays][None]])
    flat = path.reshape(points, -1).T
    flat = (flat - flat.mean(axis=1, keepdims=True)) / flat.std(axis=1, keepdims=True)
    return torch.from_numpy(flat.astype(np.float32)).to(device)


FAMILIES: dict[str, tuple[Family, float]] = {
    "composite": (composite, 0.32),
    "exponential_smoothing": (exponential_smoothing, 0.14),
    "clean_periodic": (clean_periodic, 0.13),
    "integrated": (integrated, 0.11),
    "calendar_days": (calendar_days, 0.12),
    "spectral": (spectral, 0.09),
    "counts": (counts, 0.07),
    "regimes": (regimes, 0.06),
    "causal": (causal, 0.06),
    "spikes": (spikes, 0.04),
    "trend_only": (trend_only, 0.04),
    "machines": (machines, 0.04),
    "volatility": (volatility, 0.04),
    "steps": (steps, 0.03),
    "daylight": (daylight, 0.03),
    "calendar_months": (calendar_months, 0.03),
    "chaos": (chaos, 0.02),
    "multiplicative_seasons": (multiplicative_seasons, 0.10),
    "even_seasons": (even_seasons, 0.10),
    "reverting": (reverting, 0.12),
    "kernel_synth": (kernel_synth, 0.06),
    "temporal_causal": (temporal_causal, 0.05),
    "canonical": (canonical, 0.04),
}
"""Function and weight of each family by name. Weights need not sum to 1."""
