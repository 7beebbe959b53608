"""Gaussian processes have the covariance of their kernels."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from timer_forecaster.corpus.kernels import composite_kernel, kernel_synth, stationary_process
from timer_forecaster.corpus.primitives import Draw


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("seed", range(6))
def test_composite_kernels_are_the_covariance_of_what_is_drawn(seed: int) -> None:
    length, rows = 48, 8_000
    coefficients = composite_kernel(Draw(1, length, generator(seed), "cpu"))
    time = np.arange(length) / length
    lag = np.abs(np.subtract.outer(np.arange(length), np.arange(length)))
    kernel = sum(
        np.outer(time, time) ** power * k[0].double().numpy()[lag]
        for power, k in enumerate(coefficients)
    )
    assert np.linalg.eigvalsh(kernel).min() > -1e-4 * np.trace(kernel)
    draw = Draw(rows, length, generator(seed + 100), "cpu")
    parts = [stationary_process(draw, k.expand(rows, -1)).double() for k in coefficients]
    values = sum(torch.from_numpy(time) ** m * part for m, part in enumerate(parts)).numpy()
    error = np.abs(values.T @ values / rows - kernel).max() / kernel.diagonal().max()
    assert error < 5 / rows**0.5
    kurtosis = (values**4).mean(0) / (values**2).mean(0) ** 2
    np.testing.assert_allclose(kurtosis[1:], 3, atol=0.3)


def test_kernel_synth_mixes_what_the_bank_holds() -> None:
    x = kernel_synth(600, 512, generator(), "cpu").double().numpy()
    x = x[x.std(1) > 0]
    assert len(x) > 580
    assert 0.4 < (x[:, 0] > 0).mean() < 0.6
    x = x / x.std(1, keepdims=True)
    day = np.abs(x[:, 24:] - x[:, :-24]).max(axis=1) < 1e-2
    rough = np.abs(np.diff(x)).mean(1)
    assert 0.03 < day.mean() < 0.3  # exactly periodic by 24 steps
    assert (rough < 0.05).mean() > 0.1  # smooth
    assert (rough > 0.7).mean() > 0.1  # white or of short period
    half = (x[:, 256:].std(1) / x[:, :256].std(1))[~day]
    assert (half > 2).mean() > 0.05  # a linear kernel lets the spread grow
