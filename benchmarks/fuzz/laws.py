"""Laws that every forecast obeys, as docs/guarantees.md and the docstrings state them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.fuzz.draw import Draw
from benchmarks.fuzz.inputs.values import Floats, level, spread
from benchmarks.fuzz.oracle import ask, brief, must_answer, require, require_close
from benchmarks.fuzz.product import LEVELS, LONGEST, ONE_PASS

Predict = Callable[..., Any]
"""A question like `ForecastPipeline.predict`."""

_EPS = float(np.finfo(np.float64).eps)
_LARGE, _SMALL = 1e290, 1e-280  # beyond, products overflow, or lose digits


def tolerance(values: Floats, relative: float = 1e-8) -> float:
    """Return the difference that rounding may make in the forecast of a series."""
    return relative * spread(values) + 1e4 * _EPS * level(values) + 5e-322


def tolerances(series: Sequence[Floats], relative: float = 1e-8) -> Floats:
    """Return the tolerances of several series, (n, 1, 1)."""
    return np.array([tolerance(values, relative) for values in series])[:, None, None]


def check_answer(forecast: Any, n_series: int, horizon: int) -> Floats:
    """Check that a forecast is finite, of the right shape and ordered; return its quantiles."""
    quantiles = np.asarray(forecast.quantiles)
    shape = (n_series, horizon, len(LEVELS))
    require(quantiles.shape == shape, "law: shape", f"{quantiles.shape}, not {shape}")
    require(np.isfinite(quantiles).all(), "law: finite")
    with np.errstate(over="ignore"):
        require((np.diff(quantiles, axis=-1) >= 0).all(), "law: ordered")
    require(np.allclose(forecast.levels, LEVELS), "law: levels", forecast.levels)
    return quantiles


def check_constant(series: Sequence[Floats], quantiles: Floats) -> None:
    """Check that a constant series is its own forecast."""
    for values, own in zip(series, quantiles, strict=True):
        observed = values[~np.isnan(values)]
        if len(observed) and (observed == observed[0]).all():
            require((own == observed[0]).all(), "law: constant", f"{observed[0]!r}: {own.min()!r}")


class Question:
    """A question to the pipeline, its answer, and the laws that relate it to other questions.

    Parameters
    ----------
    predict : callable
    series : list of ndarray
        The series as float64 arrays.
    horizon : int
    options : mapping
    quantiles : ndarray, shape (n_series, horizon, levels)
        The answer.
    """

    def __init__(
        self,
        predict: Predict,
        series: list[Floats],
        horizon: int,
        options: Mapping[str, Any],
        quantiles: Floats,
    ) -> None:
        self.predict, self.series, self.horizon = predict, series, horizon
        self.options, self.quantiles = dict(options), quantiles

    def again(self, series: Any, horizon: int | None = None, **options: Any) -> Floats:
        """Return the quantiles of a question that differs in some points."""
        options, horizon = {**self.options, **options}, horizon or self.horizon
        outcome = ask(lambda: self.predict(series, horizon, **options))
        return np.asarray(must_answer(outcome, "input changed by a law").quantiles)

    def scale(self, draw: Draw) -> None:
        """Check that a factor changes the forecast by the same factor."""
        factor = draw.pick([2.0**-30, 1e-9, 1e6, 1 / 3, 1e-100, 1e100])
        largest = max(level(values) for values in self.series) * factor
        smallest = min((spread(values) or 1.0) for values in self.series) * min(factor, 1.0)
        if largest > _LARGE or smallest < _SMALL or self._hard():
            return self.repeat(draw)
        got = self.again([values * factor for values in self.series])
        wanted = self.quantiles * factor
        require_close(got, wanted, tolerances(self.series) * factor, "law: scale")

    def shift(self, draw: Draw) -> None:
        """Check that an added constant moves the forecast by the same constant."""
        sizes = [spread(values) for values in self.series]
        if self._hard() or not all(1e-200 < size < 1e200 for size in sizes):
            return self.repeat(draw)
        offset = draw.pick([1.0, 1e3, -1e5]) * max(sizes)
        moved = [values + offset for values in self.series]
        if any(spread(values) < 1e-9 * level(values) for values in moved):
            return self.repeat(draw)
        allowed = 10 * np.maximum(tolerances(self.series), tolerances(moved))
        require_close(self.again(moved), self.quantiles + offset, allowed, "law: level")

    def _hard(self) -> bool:
        """Whether a series is so far from zero that it has too few digits, or is constant."""
        return any(
            spread(values) < 1e-9 * level(values) or not level(values) for values in self.series
        )

    def batch(self, draw: Draw) -> None:
        """Check that other series, and their order, have no influence."""
        other = [np.sin(np.arange(draw.integer(3, 60))), np.full(4, 7.0)]
        order = draw.order(len(self.series) + 2)
        together = [[*self.series, *other][i] for i in order]
        got = self.again(together)[np.argsort(order)][: len(self.series)]
        require_close(got, self.quantiles, tolerances(self.series), "law: batch")

    def alone(self, draw: Draw) -> None:
        """Check that a series alone has the forecast that it has among others."""
        place = draw.integer(0, len(self.series) - 1)
        own = self.series[place : place + 1]
        wanted = self.quantiles[place : place + 1]
        require_close(self.again(own), wanted, tolerances(own), "law: alone")

    def start(self, draw: Draw) -> None:
        """Check that missing values at the start have no influence."""
        count = draw.integer(1, 40)
        longer = [np.concatenate([np.full(count, np.nan), values]) for values in self.series]
        require_close(self.again(longer), self.quantiles, tolerances(self.series), "law: start")

    def context(self, draw: Draw) -> None:
        """Check that ``context_length`` is the same as the newest steps."""
        length = draw.integer(1, 80)
        newest = [values[-length:] for values in self.series]
        if any(np.isnan(values).all() for values in newest):
            return self.repeat(draw)
        got = self.again(self.series, context_length=length)
        wanted = self.again(newest, context_length=None)
        require_close(got, wanted, tolerances(newest), "law: context_length")

    def newest(self, draw: Draw) -> None:
        """Check that steps beyond the longest context have no influence within one pass."""
        if self.horizon > ONE_PASS:
            return self.batch(draw)
        older = draw.rng.normal(size=40) * max(map(spread, self.series), default=1.0)
        full = [np.concatenate([older, np.resize(one, LONGEST)]) for one in self.series]
        newest = self.options.get("context_length") or LONGEST
        if any(np.isnan(one[-newest:]).all() for one in full):
            return self.repeat(draw)
        got, wanted = self.again(full), self.again([one[-LONGEST:] for one in full])
        require_close(got, wanted, tolerances(full), "law: newest steps")

    def prefix(self, draw: Draw) -> None:
        """Check that a shorter horizon within one pass has the same first steps."""
        rollout = self.options.get("rollout", "auto")
        if self.horizon > ONE_PASS and rollout not in ("quantile", "median", "auto"):
            return self.repeat(draw)
        steps = draw.integer(1, min(self.horizon, ONE_PASS))
        wanted = self.quantiles[:, :steps]
        require_close(
            self.again(self.series, steps), wanted, tolerances(self.series), "law: first steps"
        )

    def mirror(self, draw: Draw) -> None:
        """Check that with ``flip`` the forecast of the negative is the mirror image."""
        options = {**self.options, "flip": True}
        positive = self.again(self.series, **options)
        negative = self.again([-values for values in self.series], **options)
        require_close(
            -negative[..., ::-1], positive, tolerances(self.series), "law: flip is symmetric"
        )

    def repeat(self, draw: Draw) -> None:
        """Check that the same question has the same answer."""
        require((self.again(self.series) == self.quantiles).all(), "law: deterministic")


LAWS = (
    "scale",
    "shift",
    "batch",
    "alone",
    "start",
    "context",
    "newest",
    "prefix",
    "mirror",
    "repeat",
)
"""Names of the laws that relate two questions."""


def check_levels(draw: Draw, forecast: Any) -> None:
    """Check quantiles at any level, intervals, moments and samples."""
    quantiles = forecast.quantiles
    largest = float(np.abs(quantiles).max(initial=0.0))
    if largest > _LARGE:
        return
    levels = np.sort(np.append(draw.rng.random(4) * 0.998 + 0.001, [0.5, 0.1]))
    values = np.stack([forecast.quantile(float(one)) for one in levels])
    require(np.isfinite(values).all(), "levels: finite")
    slack = 1e-12 * largest
    require((np.diff(values, axis=0) >= -slack).all(), "levels: cross", levels)
    low, high = forecast.interval(draw.number(0.01, 0.99))
    require((low <= high + slack).all(), "levels: interval")
    require((forecast.median == forecast.quantile(0.5)).all(), "levels: median")
    require(np.isfinite(forecast.mean).all(), "levels: mean is not finite", brief(forecast.mean))
    if largest < 1e140:
        require((forecast.variance >= 0).all(), "levels: variance", brief(forecast.variance))
    samples = forecast.sample(3, random_state=1)
    require(samples.shape == (3, *quantiles.shape[:2]), "levels: shape of samples")
    require(np.isfinite(samples).all(), "levels: samples are not finite")
    require((samples == forecast.sample(3, random_state=1)).all(), "levels: samples repeat")
