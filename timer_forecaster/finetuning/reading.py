"""Series as forecasts read them, so that finetuning trains and validates what is used later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.options import ForecastOptions
from timer_forecaster.inference.profiles import LEAST_STEPS, Gate
from timer_forecaster.inference.readings import Reading
from timer_forecaster.models.network import Architecture


def series_as_read(
    series: Sequence[FloatArray],
    architecture: Architecture,
    quality: str,
    context_length: int | None = None,
) -> list[FloatArray]:
    """Return series without their long seasons, or their square roots, as forecasts read them.

    What is taken out of a step was known before it. Missing values stay missing: they are no
    targets.

    Parameters
    ----------
    series : sequence of ndarray, each (steps,)
        NaN where missing.
    architecture : Architecture
        Of the checkpoint, which says whether series are transformed.
    quality : {"fast", "best", "plain"}
        Of the forecasts.
    context_length : int, optional
        Number of newest steps that a forecast is given. 512 steps or fewer show no long season.
        Default: all steps, also where one pass of the network reads fewer.

    Returns
    -------
    list of ndarray, each (steps,)
        Of a series that is transformed, the newest 65,536 steps.

    Examples
    --------
    >>> from timer_forecaster import ForecastPipeline
    >>> config = ForecastPipeline.from_pretrained("timer-s1-mini").network.config
    >>> counts = np.random.default_rng(0).poisson(0.5, size=200).astype(float)
    >>> bool(np.allclose(series_as_read([counts], config, "fast")[0], np.sqrt(counts)))
    True
    """
    read = _reader(architecture, ForecastOptions(quality=quality, context_length=context_length))
    return [read(values).values for values in series]


def windows_as_read(
    contexts: Sequence[FloatArray],
    targets: FloatArray,
    architecture: Architecture,
    quality: str,
    context_length: int | None = None,
) -> tuple[list[FloatArray], FloatArray]:
    """Return contexts, each as its own forecast reads it, and the targets (windows, steps) after.

    The parameters are those of `series_as_read`, for contexts.
    """
    read = _reader(architecture, ForecastOptions(quality=quality, context_length=context_length))
    readings = [read(values) for values in contexts]
    after = [reading.following(row) for reading, row in zip(readings, targets, strict=True)]
    return [reading.values for reading in readings], np.array(after).reshape(targets.shape)


def _reader(
    architecture: Architecture, options: ForecastOptions
) -> Callable[[FloatArray], Reading]:
    """Return a function from a series to its reading by forecasts with some options."""
    gate = None
    if options.longest_history(architecture) > LEAST_STEPS:
        gate = Gate.of(architecture.fixed_context, near=True)  # targets lie within one pass
    return partial(_reading, gate, transforms=options.transforms(architecture))


def _reading(gate: Gate | None, values: FloatArray, transforms: bool) -> Reading:
    is_readable = np.isfinite(values).any() and not np.isinf(values).any()  # refused later
    return Reading.of(values, gate) if transforms and is_readable else Reading(values)
