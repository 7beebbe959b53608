"""The model for Darts: series, backtests, files and copies."""

from __future__ import annotations

import pickle
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.fuzz.draw import Draw
from benchmarks.fuzz.inputs.options import bad_option
from benchmarks.fuzz.inputs.values import Floats, level, some_series, spread
from benchmarks.fuzz.oracle import (
    Broken,
    Outcome,
    ask,
    must_answer,
    must_refuse,
    require,
    require_close,
)
from benchmarks.fuzz.product import NAME, Product

LEVELS = (0.05, 0.5, 0.95)
CONTEXT = 64
QUIET = {"accelerator": "cpu", "enable_progress_bar": False, "enable_model_summary": False}
FREQS = ("D", "h", "15min", "MS", "ME", "W-SUN", "B", "QS-JAN", "YS-JAN", "2h", "s")


def case(draw: Draw, product: Product) -> Outcome:
    """Ask a model, and compare with the pipeline."""
    weights = {"quantiles": 40, "median": 12, "several": 10, "backtest": 12, "copies": 8}
    kind = draw.weighted({**weights, "spoiled": 18})
    draw.note(kind=kind)
    return _KINDS[kind](draw, product)


def model(horizon: int, quantiles: bool = True, context: Any = (1, CONTEXT), **more: Any) -> Any:
    """Return a model of the tiny checkpoint in float64."""
    from darts.utils.likelihood_models import QuantileRegression

    from timer_forecaster.darts import TimerS1Model

    likelihood = QuantileRegression(list(LEVELS)) if quantiles else None
    own = {"hub_model_name": NAME, "pl_trainer_kwargs": dict(QUIET), "dtype": "float64"}
    return TimerS1Model(context, horizon, likelihood=likelihood, **{**own, **more})


@cache
def fitted(horizon: int, n_components: int, quantiles: bool = True) -> Any:
    """Return a fitted model; fitting trains nothing, so that cases share it."""
    from darts import TimeSeries

    times = pd.date_range("2024-01-01", periods=80, freq="D")
    values = np.arange(80.0 * n_components).reshape(80, n_components)
    return model(horizon, quantiles).fit(TimeSeries.from_times_and_values(times, values))


def some_components(draw: Draw, least: int = 4, components: int | None = None) -> list[Floats]:
    """Return usable components of one length, with values in their newest steps."""
    n = draw.integer(least, 90)
    found: list[Floats] = []
    while len(found) < (components or draw.pick([1, 1, 2, 3])):
        values = some_series(draw, n)
        usual = not level(values) or 1e-30 < level(values) < 1e30  # samples are in float64
        if usual and not np.isnan(values[-CONTEXT:]).all():
            found.append(values)
    return found


def as_darts(draw: Draw, components: list[Floats], dtype: str = "float64") -> Any:
    """Return a Darts series of components."""
    from darts import TimeSeries

    n, names = len(components[0]), [f"c{i}" for i in range(len(components))]
    array = np.stack(components, axis=1).astype(dtype)
    if draw.chance(0.25):
        step, start = draw.pick([1, 1, 2, 5]), draw.pick([0, 7, -3])
        index: Any = pd.RangeIndex(start, start + step * n, step)
    else:
        freq = draw.pick(FREQS)
        index = pd.date_range("2024-02-26", periods=n, freq=freq)
        draw.note(freq=freq)
    return TimeSeries.from_times_and_values(index, array, columns=names)


def quantiles(draw: Draw, product: Product) -> Outcome:
    """Ask for quantiles of one series."""
    horizon, components = draw.pick([1, 4, 9, 20]), some_components(draw)
    dtype = draw.pick(["float64", "float64", "float32"])
    series = as_darts(draw, components, dtype)
    components = list(series.values().T.astype(np.float64))
    draw.note(horizon=horizon, dtype=dtype, newest=components[0][-3:])
    outcome = ask(
        lambda: fitted(horizon, len(components)).predict(
            horizon, series=series, predict_likelihood_parameters=True
        )
    )
    must_answer(outcome)
    check(outcome.value, series, components, horizon, product, dtype)
    return outcome


def check(
    got: Any, series: Any, components: list[Floats], horizon: int, product: Product, dtype: str
) -> None:
    """Check the times, the names and the numbers of quantiles."""
    names = [f"{name}_q{one:.3f}" for name in series.components for one in LEVELS]
    require(list(got.components) == names, "names of the forecast", list(got.components))
    _check_times(got, series)
    forecast = product.pipe.predict([values[-CONTEXT:] for values in components], horizon)
    wanted = np.stack([forecast.quantile(one) for one in LEVELS], axis=-1)
    limits = np.array([_limit(values, dtype) for values in components])[:, None, None]
    numbers = got.values().reshape(horizon, len(components), len(LEVELS)).transpose(1, 0, 2)
    require_close(numbers, wanted, limits, f"law: Darts = pipeline ({dtype})")


def _limit(values: Floats, dtype: str) -> float:
    digits = 1e-6 if dtype == "float32" else 1e-13
    return 1e-5 * spread(values) + 10 * digits * level(values)


def _check_times(got: Any, series: Any) -> None:
    wanted = series.end_time() + series.freq
    if got.start_time() != wanted or got.freq != series.freq:
        raise Broken("times of the forecast", f"{got.start_time()} and not {wanted}")


def median(draw: Draw, product: Product) -> Outcome:
    """Ask for the median, without a likelihood."""
    horizon, components = draw.pick([1, 6]), some_components(draw)
    series = as_darts(draw, components)
    outcome = ask(lambda: fitted(horizon, len(components), False).predict(horizon, series=series))
    got = must_answer(outcome)
    _check_times(got, series)
    wanted = product.pipe.predict([one[-CONTEXT:] for one in components], horizon).median
    limits = np.array([_limit(values, "float64") for values in components])[:, None]
    require_close(got.values().T, wanted, limits, "law: median of Darts = pipeline")
    return outcome


def several(draw: Draw, product: Product) -> Outcome:
    """Ask for several series at once: each has the forecast that it has alone."""
    n = draw.pick([1, 2])
    groups = [some_components(draw, components=n) for _ in range(draw.integer(2, 3))]
    series = [as_darts(draw, components) for components in groups]
    outcome = ask(
        lambda: fitted(4, n).predict(4, series=series, predict_likelihood_parameters=True)
    )
    found = must_answer(outcome, "several series")
    require(len(found) == len(series), "number of forecasts", len(found))
    for got, own, components in zip(found, series, groups, strict=True):
        check(got, own, components, 4, product, "float64")
    return outcome


def backtest(draw: Draw, product: Product) -> Outcome:
    """Ask for historical forecasts: they are the forecasts of the loop."""
    components = some_components(draw, least=30)
    series, start = as_darts(draw, components), len(components[0]) - draw.integer(5, 12)
    horizon, stride = draw.pick([1, 4]), draw.integer(1, 3)
    if any(np.isnan(values[max(0, start - 20) : start]).all() for values in components):
        return quantiles(draw, product)
    draw.note(start=start, horizon=horizon, stride=stride)
    outcome = ask(
        lambda: fitted(horizon, len(components)).historical_forecasts(
            series, start=start, start_format="position", forecast_horizon=horizon, stride=stride,
            retrain=draw.pick([True, False]), last_points_only=False, verbose=False,
            predict_likelihood_parameters=True, show_warnings=False,
        )
    )  # fmt: skip
    found = must_answer(outcome, "historical forecasts")
    ends = range(start, len(series) - horizon + 1, stride)
    require(len(found) == len(ends), "number of windows", f"{len(found)}, not {len(ends)}")
    for got, end in zip(found, ends, strict=True):
        own = [values[:end] for values in components]
        check(got, series[:end], own, horizon, product, "float64")
    return outcome


def copies(draw: Draw, product: Product) -> Outcome:
    """Ask a pickle, a saved model or a new fit."""
    components = some_components(draw)
    series, way = as_darts(draw, components), draw.pick(["pickle", "save", "fit"])
    draw.note(copy=way)

    def again() -> Any:
        if way == "fit":
            own = model(4).fit(series)
        elif way == "pickle":
            own = pickle.loads(pickle.dumps(fitted(4, len(components))))  # noqa: S301
        else:
            from timer_forecaster.darts import TimerS1Model

            path = str(product.folder / "model.pt")
            fitted(4, len(components)).save(path)
            own = TimerS1Model.load(path)
        return own.predict(4, series=series, predict_likelihood_parameters=True)

    outcome = ask(again)
    check(must_answer(outcome, way), series, components, 4, product, "float64")
    return outcome


def spoiled(draw: Draw, product: Product) -> Outcome:
    """Spoil the series or a parameter: the error names it."""
    kind = draw.pick(["infinite", "option", "context", "horizon", "name", "dtype", "covariates"])
    series, names, value = as_darts(draw, [draw.rng.normal(size=40)]), [kind], None
    make, more = (lambda: fitted(4, 1)), {}
    if kind == "infinite":
        values = draw.rng.normal(size=40)
        values[draw.integer(10, 39)] = draw.pick([np.inf, -np.inf])
        series, names = as_darts(draw, [values]), ["series"]
    elif kind == "option":
        name, value = bad_option(draw)
        while name in ("context_length", "batch_size"):  # Darts' own parameters
            name, value = bad_option(draw)
        make, names = (lambda: model(4, **{name: value}).fit(series)), [name]
    elif kind == "context":
        value = draw.pick([0, -1, 2.5, "64", None, (5, 3), (0, 8), [1, 2, 3], True])
        make, names = (lambda: model(4, context=value).fit(series)), ["input_chunk_length"]
    elif kind == "horizon":
        value = draw.pick([0, -2, 1.5, "4", None])
        make, names = (lambda: model(value).fit(series)), ["output_chunk_length"]
    elif kind == "name":
        value = draw.pick(["absent", "../absent", "", 5])
        make = lambda: model(4, hub_model_name=value).fit(series)  # noqa: E731
        names = ["hub_model_name", "checkpoint", repr(value)]
    elif kind == "dtype":
        value = draw.pick(["float", 3, "int8", [], "complex64"])
        make = lambda: model(4, dtype=value).fit(series)  # noqa: E731
    else:
        more, names = {"past_covariates": series}, ["covariates"]
    draw.note(fault=kind, value=value if kind in ("context", "horizon", "name", "dtype") else "")
    outcome = ask(lambda: make().predict(4, series=series, **more))
    must_refuse(outcome, f"{kind} that cannot be used", names)
    return outcome


_KINDS: dict[str, Any] = {
    "quantiles": quantiles,
    "median": median,
    "several": several,
    "backtest": backtest,
    "copies": copies,
    "spoiled": spoiled,
}
