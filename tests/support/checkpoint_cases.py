"""Checkpoints, series and comparisons that the tests of the room `checkpoints` share."""

import numpy as np

from timer_forecaster import ForecastPipeline

MODEL = "timer-s1-test"
SIZES = {
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_attention_heads": 4,
    "num_experts": 4,
    "num_hidden_layers": 1,
    "num_mtp_tokens": 1,
}


def walk(steps, seed=0):
    return np.random.default_rng(seed).normal(size=steps).cumsum()


def walks(n=12, steps=300):
    return np.random.default_rng(0).normal(size=(n, steps)).cumsum(axis=1)


def load(name=MODEL, device="cpu", **options):
    return ForecastPipeline.from_pretrained(name, device=device, **options)


def difference(pipe, other, series=None):
    """Mean distance of two pipelines' quantiles over the standard deviation of each series."""
    series = walks() if series is None else series
    first, second = (p.predict(series, 96).quantiles for p in (pipe, other))
    return np.mean(np.abs(first - second) / np.std(series, axis=1)[:, None, None])
