"""Series that follow a known column, and their tuning."""

import functools

import numpy as np

from timer_forecaster import ForecastPipeline
from timer_forecaster.finetuning import FinetuneConfig, finetune

HORIZON = 32
CONFIG = FinetuneConfig(target="channels", steps=80)


@functools.cache
def season_and_price(n_series=4, steps=500, seed=0):
    """Return series y = season + 3 x(t), of which the last 32 steps are ahead, and their x."""
    random, time = np.random.default_rng(seed), np.arange(steps)
    price = random.normal(5, 2, size=(n_series, steps))
    phase = random.uniform(0, 6, size=(n_series, 1))
    season = 10 + 4 * np.sin(2 * np.pi * time / 24 + phase)
    return season + 3 * price + random.normal(0, 0.2, size=(n_series, steps)), price


def tables(price):
    return [{"price": own} for own in price]


@functools.cache
def tuned(name="ttm-test"):
    """Return a pipeline with an adapter that reads the price."""
    pipe = ForecastPipeline.from_pretrained(name, device="cpu")
    series, price = season_and_price()
    adapter = finetune(pipe, series[:, :-HORIZON], CONFIG, known=tables(price[:, :-HORIZON]))
    return ForecastPipeline(pipe.key, adapter)


def weighted_loss(forecast, actual):
    """Return the mean weighted quantile loss of a forecast of several series."""
    error, levels = actual[..., None] - forecast.quantiles, np.array(forecast.levels)
    return 2 * np.maximum(levels * error, (levels - 1) * error).mean() / np.abs(actual).mean()
