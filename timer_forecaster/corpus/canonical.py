"""Canonical signals of the Timer-S1 report, and their random sums and products."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from timer_forecaster.corpus.primitives import Draw

__all__ = ["SIGNALS", "canonical"]

SIGNALS = ("linear", "sinusoidal", "exponential", "power", "impulse", "step")


def canonical(
    batch: int, length: int, generator: torch.Generator, device: torch.device | str
) -> Tensor:
    """Random sums and products of one to four canonical signals, without noise.

    The synthetic part of TimeBench names the signals (Timer-S1 report, arXiv 2603.04791); it does
    not say how their parameters are drawn.

    Parameters
    ----------
    batch, length : int
        Number of series and of steps in each.
    generator : torch.Generator
        On the device.
    device : torch.device or str
        Where the series are made.

    Returns
    -------
    torch.Tensor of shape (batch, length)

    Examples
    --------
    >>> import torch
    >>> tuple(canonical(2, 64, torch.Generator().manual_seed(0), "cpu").shape)
    (2, 64)
    """
    draw = Draw(batch, length, generator, device)
    more = draw.pick((3, 3, 2, 1))
    total = canonical_signal(draw, draw.pick([1.0] * len(SIGNALS)))
    for number in range(1, 4):
        signal = canonical_signal(draw, draw.pick([1.0] * len(SIGNALS)))
        signal = signal * draw.log_uniform(0.2, 5.0) * draw.among((-1.0, 1.0))
        # A factor of 1 + signal modulates. A factor of the signal alone could erase the rest.
        combined = torch.where(draw.chance(0.5), total * (1 + signal), total + signal)
        total = torch.where(more >= number, combined, total)
    return total


def canonical_signal(draw: Draw, kind: Tensor) -> Tensor:
    """Signals of size 1 with random parameters, (batch, length); `kind` indexes `SIGNALS`.

    Impulses and steps come once or repeat; the other signals last for the whole window.
    """
    time = draw.time / draw.length
    period = draw.log_uniform(3.0, 2.0 * draw.length)
    phase = draw.time / period + draw.uniform()
    rate = draw.uniform(-6.0, 6.0)
    cycle = phase - phase.floor()
    shapes = (
        time * draw.among((-1.0, 1.0)),
        torch.sin(2 * math.pi * phase),
        torch.exp(rate * time - rate.clamp(min=0.0)),
        (time + 1 / draw.length).pow(draw.log_uniform(0.2, 6.0)),
        (draw.time + draw.uniform(0.0, 1e6).floor()).remainder(period.ceil()) == 0,
        cycle < draw.uniform(0.1, 0.9),
    )
    values = torch.zeros_like(phase)
    for number, shape in enumerate(shapes):
        values = torch.where(kind == number, shape.to(values), values)
    return values
