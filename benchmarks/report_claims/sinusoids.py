"""Errors of forecasts of sinusoids, by period."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.report_claims.scale import Scale
from timer_forecaster import ForecastPipeline
from timer_forecaster.arrays import FloatArray
from timer_forecaster.pretraining import load_pipeline

PHASES = 8
NEAR_PATCH = (15.0, 15.75, 16.0, 16.25, 17.0)
"""Periods close to the length of a patch, in steps."""


def sinusoid_curves(checkpoint: str, out: Path, scale: Scale) -> dict[str, dict[str, FloatArray]]:
    """Return the errors by period of a checkpoint, and the mean of the networks trained here."""
    periods = np.union1d(np.geomspace(4, 256, scale.n_periods), NEAR_PATCH)
    curves = {
        checkpoint: sinusoid_errors(ForecastPipeline.from_pretrained(checkpoint), periods, 1024)
    }
    weights = sorted((out / "runs").glob("stp-[0-9]*/stages/equal"))
    if weights:
        context = scale.context(scale.window)
        each = [sinusoid_errors(load_pipeline(path, "cpu"), periods, context) for path in weights]
        means = {name: np.mean([one[name] for one in each], axis=0) for name in each[0]}
        curves["STP, trained here"] = means
    return curves


def sinusoid_errors(
    pipe: ForecastPipeline, periods: FloatArray, context: int
) -> dict[str, FloatArray]:
    """Return the mean absolute error of the median over one pass by period, in amplitudes.

    A forecast of zero has an error of 2 / π.

    Returns
    -------
    dict
        ``"period"``: the periods. ``"pass"``: the steps of one pass. ``"clean"``: the errors.
        ``"noisy"``: the errors with noise of a tenth of the amplitude on the context.
    """
    horizon = pipe.network.pass_length
    step = np.arange(context + horizon)
    phase = np.arange(PHASES)[:, None] / PHASES
    waves = np.sin(2 * np.pi * (step / periods[:, None, None] + phase))  # (periods, phases, steps)
    noise = np.random.default_rng(0).normal(scale=0.1, size=waves.shape)
    errors = {"period": periods, "pass": np.array([horizon])}
    for name, series in (("clean", waves), ("noisy", waves + noise)):
        rows = series[..., :context].reshape(-1, context)
        median = pipe.predict(rows, horizon, rollout="median").median.reshape(*waves.shape[:2], -1)
        errors[name] = np.abs(median - waves[..., context:]).mean(axis=(1, 2))
    return errors
