"""Gaussian processes with random composite kernels, drawn without a covariance matrix."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from timer_forecaster.corpus.primitives import Draw, constant, periods

__all__ = ["kernel_synth"]

MOST_KERNELS = 5
_DEGREE = 2
_CYCLE = 672  # It is a multiple of days and weeks in hours, half hours and quarters of an hour.
_BANK = (21, 3, 3, 2, 1, 3)
_PERIODIC, _SQUARED_EXPONENTIAL, _RATIONAL, _WHITE, _CONSTANT, _LINEAR = range(6)


def kernel_synth(
    batch: int, length: int, generator: torch.Generator, device: torch.device | str
) -> Tensor:
    """Gaussian processes whose kernels are random sums and products of one to five simple ones.

    KernelSynth (Ansari et al., Chronos, arXiv 2403.07815, section 4.2 and appendix A), with its
    bank: periodic (21 in 33), squared exponential, rational quadratic, linear (3 each), white (2),
    constant (1). A period comes from a calendar or is arbitrary; other parameters are continuous.

    No covariance matrix is factorized. A composite kernel is a polynomial in ``s t`` whose
    coefficients are stationary kernels ``k_m(s - t)``: sums and products act on the coefficients,
    lag by lag. The process is then the sum over m of ``t**m g_m(t)`` with independent stationary
    ``g_m``, each drawn through the Fourier transform of its kernel on a circle of more than four
    windows. On the circle a periodic kernel has a whole number of cycles (days and weeks keep their
    period, others change by at most half a cycle). Every other kernel is summed with its image from
    the other side. So sums and products stay kernels. Powers of ``s t`` above the second, which are
    products of three linear kernels, are left out.

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
    >>> tuple(kernel_synth(2, 64, torch.Generator().manual_seed(0), "cpu").shape)
    (2, 64)
    """
    draw = Draw(batch, length, generator, device)
    coefficients = composite_kernel(draw)
    time = draw.time / length
    values = torch.zeros(batch, length, device=draw.device)
    for power, kernel in enumerate(coefficients):
        values = values + time**power * stationary_process(draw, kernel)
    return values


def _circle(length: int) -> int:
    """Return the size of the circle in steps: a multiple of `_CYCLE`, more than four windows."""
    return _CYCLE * math.ceil((4 * length + 1) / _CYCLE)


def composite_kernel(draw: Draw) -> list[Tensor]:
    """Draw random sums and products of the bank's kernels, as polynomials in ``s t``.

    Returns
    -------
    list of torch.Tensor of shape (batch, half a circle + 1)
        Stationary kernels, by lag: the coefficients of 1, ``s t`` and ``(s t)**2``. Time runs from
        0 to 1 over the window.
    """
    more = draw.pick([1.0] * MOST_KERNELS)
    total = _kernel(draw)
    for number in range(1, MOST_KERNELS):
        factor = _kernel(draw)
        multiply = draw.chance(0.5)
        product = [
            sum((total[i] * factor[m - i] for i in range(m + 1)), torch.zeros_like(total[0]))
            for m in range(_DEGREE + 1)
        ]
        for m in range(_DEGREE + 1):
            combined = torch.where(multiply, product[m], total[m] + factor[m])
            total[m] = torch.where(more >= number, combined, total[m])
    return total


def _kernel(draw: Draw) -> list[Tensor]:
    """Return one kernel of the bank per row, as coefficients of 1, s t, (s t)^2."""
    circle = _circle(draw.length)
    lag = torch.arange(circle // 2 + 1, device=draw.device)[None]
    kind = draw.pick(_BANK)
    cycles = (circle / periods(draw)[0]).round().clamp(min=1.0)
    wave = torch.sin(math.pi / circle * (cycles * lag).remainder(circle))
    stationary = torch.exp(-2 * (wave / draw.log_uniform(0.5, 2.0)).square())
    for other, decay in ((_SQUARED_EXPONENTIAL, _gaussian), (_RATIONAL, _rational)):
        scale = draw.log_uniform(0.03, 1.0) * draw.length
        shape = draw.log_uniform(0.3, 10.0)
        # Summed with its image from the other side, the kernel is smooth where the circle closes.
        both = decay(lag / scale, shape) + decay((circle - lag) / scale, shape)
        stationary = torch.where(kind == other, both, stationary)
    noise = (lag == 0) * draw.log_uniform(0.01, 1.0)
    stationary = torch.where(kind == _WHITE, noise, stationary)
    offset = draw.among((0.0, 0.3, 1.0)).square() * (kind == _LINEAR)
    level = offset + (kind == _CONSTANT)
    flat = (kind == _LINEAR) | (kind == _CONSTANT)
    slope = (kind == _LINEAR) * torch.ones_like(lag)
    return [
        torch.where(flat, level, stationary),
        slope.to(stationary),
        torch.zeros_like(stationary),
    ]


def _gaussian(distance: Tensor, _: Tensor) -> Tensor:
    return torch.exp(-0.5 * distance.square())


def _rational(distance: Tensor, shape: Tensor) -> Tensor:
    return (1 + distance.square() / (2 * shape)).pow(-shape)


def stationary_process(draw: Draw, kernel: Tensor) -> Tensor:
    """Draw Gaussian processes with kernels given by lag on half a circle; return the window.

    The variances of the circle's Fourier coefficients are the kernel's transform: it diagonalizes
    the circulant covariance matrix (Dietrich and Newsam, SIAM J. Sci. Comput. 18, 1997).
    """
    half = kernel.shape[1] - 1
    variance = torch.fft.hfft(kernel, n=2 * half)[:, : half + 1].clamp_(min=0.0)
    waves = torch.view_as_complex(draw.normal(2 * half + 2).view(draw.batch, half + 1, 2))
    # Two coefficients are real; each other one stands for a pair of conjugates.
    single = constant((1.0,), draw.device)
    weight = torch.cat([single, single.new_full((half - 1,), 0.5), single])
    amplitude = (variance * weight * (2 * half)).sqrt()
    return torch.fft.irfft(waves * amplitude, n=2 * half)[:, : draw.length]
