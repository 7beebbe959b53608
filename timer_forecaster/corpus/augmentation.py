"""Random changes to finished series: mixtures, distortions, flips and changes of speed.

The report's augmentations are resampling, that is down-sampling and Fourier interpolation, and
value flipping (arXiv 2603.04791). Down-sampling needs more steps than a window has: the sampler of
real series does it. Masks are drawn where batches are made, in `pretraining`.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from timer_forecaster.corpus.primitives import Draw, constant, lookup, standardize

__all__ = ["augment", "fourier_resample", "monotone_maps", "periodic_gaps", "stretch"]


def augment(series: Tensor, generator: torch.Generator, host: torch.Generator) -> Tensor:
    """Change a share of the rows at random.

    Mixtures of up to three rows (25 %), a slower speed (10 % by straight lines between the steps,
    10 % by Fourier interpolation), distortions (5 % of each kind:
    exponential, softplus, power, censoring, quantization, growing amplitude, outliers), reversed
    time (5 %), changed sign (50 %).

    Parameters
    ----------
    series : torch.Tensor of shape (batch, length)
        Finite values at any scale.
    generator : torch.Generator
        On the device of the series.
    host : torch.Generator
        On the CPU: draws the number of changed rows, so that nothing waits for the device.

    Returns
    -------
    torch.Tensor of shape (batch, length)

    Examples
    --------
    >>> import torch
    >>> make = torch.Generator().manual_seed
    >>> augment(torch.rand(4, 64), make(0), make(1)).shape
    torch.Size([4, 64])
    """
    changed = series.clone()
    mates = series[torch.randperm(len(series), generator=generator, device=series.device)]
    changes: list[tuple[float, Callable[[Draw, Tensor], Tensor]]] = [
        (0.25, lambda draw, rows: _mixture(draw, rows, mates)),
        (0.10, _slower),
        (0.10, lambda _, rows: _stretched(rows, host)),
        *((0.05, distortion) for distortion in _DISTORTIONS),
        (0.05, lambda _, rows: rows.flip(1)),
    ]
    for share, change in changes:
        count = int(share * len(series) + float(torch.rand(1, generator=host)))
        if count == 0:
            continue
        order = torch.randperm(len(series), generator=generator, device=series.device)[:count]
        draw = Draw(count, series.shape[1], generator, series.device)
        changed[order] = change(draw, changed[order])
    sign = torch.rand(len(series), 1, generator=generator, device=series.device) < 0.5
    return torch.where(sign, -changed, changed)


def _mixture(draw: Draw, rows: Tensor, mates: Tensor) -> Tensor:
    """Convex combinations of two or three standardized rows (TSMixup, arXiv 2403.07815)."""
    # Exponential weights divided by their sum are uniform on the simplex.
    weights = -draw.uniform(1e-6, 1.0, 3).log()
    third = weights[:, 2:] * draw.chance(0.5)
    total = standardize(rows) * weights[:, :1]
    total = total + standardize(mates[: draw.batch]) * weights[:, 1:2]
    return total + standardize(mates[-draw.batch :]) * third


def _slower(draw: Draw, rows: Tensor) -> Tensor:
    """Stretch the first 30 to 100 % of the row to its whole length."""
    speed = draw.uniform(0.3, 1.0)
    return lookup(rows, draw.time * speed / draw.length)


def fourier_resample(series: Tensor, length: int) -> Tensor:
    """Resample rows to another number of steps by their Fourier series; both ends stay.

    The straight line between the ends of a row is subtracted, and the rest is continued as an odd
    function: neither value nor slope jumps where the period closes. With fewer steps than before,
    frequencies that they cannot show are cut off.

    Parameters
    ----------
    series : torch.Tensor of shape (batch, steps)
        At least two steps. A row with NaN becomes NaN.
    length : int
        Steps of the result, at least two.

    Returns
    -------
    torch.Tensor of shape (batch, length)

    Examples
    --------
    >>> import torch
    >>> fourier_resample(torch.tensor([[0.0, 1.0, 2.0]]), 5)
    tensor([[0.0000, 0.5000, 1.0000, 1.5000, 2.0000]])
    """
    steps = series.shape[1]
    first, last = series[:, :1], series[:, -1:]
    rest = series - torch.lerp(first, last, torch.linspace(0, 1, steps, device=series.device))
    odd = torch.cat([rest[:, :-1], -rest[:, 1:].flip(1)], dim=1)
    waves = torch.fft.irfft(torch.fft.rfft(odd), n=2 * (length - 1))[:, :length]
    line = torch.lerp(first, last, torch.linspace(0, 1, length, device=series.device))
    return line + waves * ((length - 1) / (steps - 1))


def stretch(
    series: Tensor, share: float, generator: torch.Generator, host: torch.Generator
) -> Tensor:
    """Slow some rows down: their last quarter or more fills the row, by Fourier interpolation.

    Parameters
    ----------
    series : torch.Tensor of shape (batch, length)
        Rows with NaN in the part that would be stretched stay as they are.
    share : float
        Share of rows to stretch.
    generator : torch.Generator
        On the device of the series.
    host : torch.Generator
        On the CPU: draws the speeds, at most four in a batch.

    Returns
    -------
    torch.Tensor of shape (batch, length)

    Examples
    --------
    >>> import torch
    >>> from timer_forecaster.corpus.augmentation import stretch
    >>> seed = torch.Generator().manual_seed(0)
    >>> waves = torch.sin(torch.arange(64.0)).repeat(4, 1)
    >>> slower = stretch(waves, 0.5, seed, seed)
    >>> int((slower != waves).any(dim=1).sum())  # rows
    2
    """
    order = torch.randperm(len(series), generator=generator, device=series.device)
    chosen = order[: round(share * len(series))]
    stretched = series.clone()
    stretched[chosen] = _stretched(series[chosen], host)
    return stretched


def _stretched(rows: Tensor, host: torch.Generator) -> Tensor:
    length = rows.shape[1]
    parts = rows.tensor_split(min(4, max(1, len(rows))))
    speeds = 0.25 + 0.75 * torch.rand(len(parts), generator=host)
    results = [
        fourier_resample(part[:, -max(2, int(speed * length)) :], length)
        for part, speed in zip(parts, speeds.tolist(), strict=True)
    ]
    slow = torch.cat(results)
    return torch.where(torch.isfinite(slow), slow, rows)


def monotone_maps(windows: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Apply a monotone function to some rows: a root, a square, an exponential or softplus.

    A straight line or an even season on one scale is curved on another, and real series come on all
    scales.

    Parameters
    ----------
    windows : torch.Tensor of shape (batch, length)
        NaN where missing; it stays NaN.
    share : float
        Share of rows to change.
    generator : torch.Generator
        On the device of the windows.

    Returns
    -------
    torch.Tensor of shape (batch, length)
        Changed rows are standardized first. They increase where the row increases.

    Examples
    --------
    >>> import torch
    >>> monotone_maps(torch.rand(4, 64), 0.5, torch.Generator().manual_seed(0)).shape
    torch.Size([4, 64])
    """
    draw = Draw(len(windows), windows.shape[1], generator, windows.device)
    mean = windows.nanmean(dim=1, keepdim=True)
    scale = (windows - mean).square().nanmean(dim=1, keepdim=True).sqrt()
    standard = ((windows - mean) / scale.clamp(min=1e-12)).clamp(-16.0, 16.0)
    lowest = torch.where(standard.isnan(), torch.inf, standard).amin(dim=1, keepdim=True)
    above = standard - lowest + draw.log_uniform(0.003, 1.0)
    maps = (
        above.sqrt(),
        above.square(),
        (standard.clamp(max=6.0) * draw.uniform(0.3, 1.0)).exp(),
        torch.nn.functional.softplus(standard * draw.uniform(1.0, 5.0)),
    )
    kind = draw.pick([1.0] * len(maps))
    mapped = windows
    for number, values in enumerate(maps):
        mapped = torch.where(kind == number, values, mapped)
    return torch.where(draw.chance(share), mapped, windows)


# Steps in a cycle, and most closed steps among them: days of a week; hours, half hours and quarters
# of a day; hours of a week; any.
_GAPS = ((7, 2), (7, 2), (24, 14), (48, 28), (96, 56), (168, 64), (0, 0))


def periodic_gaps(windows: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Put periodic gaps into some rows: weekends, closed days, nights.

    Half of these rows lose the values in the gaps. In the other half the series waits: its next
    value comes after the gap, like a price that moves on open days alone.

    Parameters
    ----------
    windows : torch.Tensor of shape (batch, length)
        NaN where missing.
    share : float
        Share of rows to close.
    generator : torch.Generator
        On the device of the windows.

    Returns
    -------
    torch.Tensor of shape (batch, length)
        NaN in the gaps. Rows that would keep fewer than 12 steps stay as they are.

    Examples
    --------
    >>> import torch
    >>> gaps = periodic_gaps(torch.rand(4, 64), 1.0, torch.Generator().manual_seed(0))
    >>> bool(gaps.isnan().any())
    True
    """
    draw = Draw(len(windows), windows.shape[1], generator, windows.device)
    entry = constant(_GAPS, draw.device)[draw.pick([1.0] * len(_GAPS))[:, 0]]
    any_cycle = draw.uniform(4.0, 41.0).floor()
    known = entry[:, :1] > 0
    cycle = torch.where(known, entry[:, :1], any_cycle)
    longest = torch.where(known, entry[:, 1:], (cycle / 2).floor())
    closed = 1 + (draw.uniform() * longest).floor()
    phase = (draw.time + (draw.uniform() * cycle).floor()).remainder(cycle)
    is_open = phase >= closed
    # Counted from the end, where short series lie.
    still_open = is_open.flip(1).cumsum(dim=1).flip(1)
    waiting = windows.gather(1, (draw.length - still_open).clamp(max=draw.length - 1))
    changed = torch.where(draw.chance(0.5), waiting, windows).masked_fill(~is_open, torch.nan)
    enough = changed.isfinite().sum(dim=1, keepdim=True) >= 12
    return torch.where(draw.chance(share) & enough, changed, windows)


def _exponential(draw: Draw, rows: Tensor) -> Tensor:
    return (standardize(rows).clamp_(-4.0, 4.0) * draw.uniform(0.3, 1.0)).exp_()


def _softplus(draw: Draw, rows: Tensor) -> Tensor:
    return torch.nn.functional.softplus(standardize(rows) * draw.uniform(1.0, 5.0))


def _power(draw: Draw, rows: Tensor) -> Tensor:
    scaled = standardize(rows)
    return scaled.sign() * scaled.abs().pow(draw.uniform(0.5, 2.5))


def _censor(draw: Draw, rows: Tensor) -> Tensor:
    """Cut off above or below a level that lies within the values."""
    scaled = standardize(rows)
    level = draw.uniform(-0.3, 1.5)
    return torch.minimum(scaled, level) * draw.among((-1.0, 1.0))


def _quantize(draw: Draw, rows: Tensor) -> Tensor:
    steps = draw.log_uniform(1.0, 10.0)
    return (standardize(rows) * steps).round_()


def _growing(draw: Draw, rows: Tensor) -> Tensor:
    """Amplitude that grows or shrinks along the row."""
    growth = 1 + draw.uniform(0.0, 3.0) * draw.time / draw.length
    shrink = draw.chance(0.5)
    factor = torch.where(shrink, growth.flip(1), growth)
    return (standardize(rows) + draw.uniform(-2.0, 2.0)) * factor


def _outliers(draw: Draw, rows: Tensor) -> Tensor:
    rate = draw.log_uniform(0.001, 0.02)
    size = draw.normal(draw.length) * draw.uniform(2.0, 8.0)
    return standardize(rows) + size * draw.chance(rate, draw.length)


_DISTORTIONS: tuple[Callable[[Draw, Tensor], Tensor], ...] = (
    _exponential,
    _softplus,
    _power,
    _censor,
    _quantize,
    _growing,
    _outliers,
)
