"""The forecaster for sktime: series, panels and hierarchies."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.fuzz.draw import Draw
from benchmarks.fuzz.inputs.options import bad_integer, bad_option
from benchmarks.fuzz.inputs.times import Clock, same_times, some_clock
from benchmarks.fuzz.inputs.values import Floats, some_series
from benchmarks.fuzz.laws import tolerance
from benchmarks.fuzz.oracle import (
    Broken,
    Outcome,
    ask,
    may_refuse,
    must_answer,
    must_refuse,
    require,
    require_close,
    require_equal,
)
from benchmarks.fuzz.product import NAME, Product

CLOCKS = {"fixed": 30, "calendar": 25, "zone": 12, "period": 15, "integer": 10, "closed": 4}


@dataclass
class Fitted:
    """The data of a forecaster, and all that is known of them.

    Parameters
    ----------
    y : pandas object
    clock : Clock
    series : list of ndarray
        Values on the grid, the variables of the first instance first.
    columns : list
        Names of the variables; empty for a Series.
    instances : list
        Keys of the instances; empty for a single series.
    cuts : list of int
        Steps by which each instance ends before the clock.
    """

    y: Any
    clock: Clock
    series: list[Floats]
    columns: list[Any]
    instances: list[Any]
    cuts: list[int] = field(default_factory=list)


def case(draw: Draw, product: Product) -> Outcome:
    """Ask a forecaster, and compare with the pipeline."""
    weights = {"point": 35, "quantiles": 15, "copies": 10, "update": 12, "in-sample": 8}
    kind = draw.weighted({**weights, "spoiled": 20})
    draw.note(kind=kind)
    return _KINDS[kind](draw, product)


def forecaster(**parameters: Any) -> Any:
    """Return a forecaster of the tiny checkpoint in float64."""
    from timer_forecaster.sktime import TimerS1Forecaster

    return TimerS1Forecaster(**{"model_path": NAME, "dtype": "float64", **parameters})


def some_y(draw: Draw, horizon: int, layout: str | None = None, kind: str | None = None) -> Fitted:
    """Return usable data."""
    layout = layout or draw.weighted({"Series": 5, "frame": 3, "panel": 2, "hierarchy": 1})
    clock = some_clock(draw, draw.integer(14, 50), horizon, kind or draw.weighted(CLOCKS))
    draw.note(layout=layout, times=clock.label, n=len(clock.history))
    n = len(clock.history)
    if layout == "Series":
        series = [some_series(draw, n)]
        name = draw.pick([None, "y", 3])
        return Fitted(pd.Series(series[0], clock.history, name=name), clock, series, [], [])
    columns: list[Any] = draw.pick([["a"], ["a", "b"], ["x", "y", "z"]])
    keys: list[Any] = [()]
    if layout == "panel":
        keys = draw.pick([["k1", "k2"], [3, 1], ["b", "a"]])
    elif layout == "hierarchy":
        keys = [("r1", "s1"), ("r1", "s2"), ("r2", "s1")]
    unequal = layout in ("panel", "hierarchy") and draw.chance(0.4)
    cuts = [draw.integer(0, 3) if unequal else 0 for _ in keys]
    series, parts = [], []
    for cut in cuts:
        own = [some_series(draw, n - cut) for _ in columns]
        series += own
        parts.append(pd.DataFrame(dict(zip(columns, own, strict=True)), clock.history[: n - cut]))
    if layout == "frame":
        return Fitted(parts[0], clock, series, columns, [])
    names = ["id"] if layout == "panel" else ["region", "shop"]
    y = pd.concat(parts, keys=keys, names=[*names, "time"])
    draw.note(cuts=cuts)
    return Fitted(y, clock, series, columns, keys, cuts)


def with_gaps(draw: Draw, data: Fitted) -> None:
    """Leave out some rows of a series: they are missing values."""
    if data.instances or data.clock.freq is None or not draw.chance(0.25):
        return
    kept = draw.rng.random(len(data.y)) > 0.12
    kept[:4] = kept[-4:] = True
    if any(np.isnan(values[kept]).all() for values in data.series):
        return
    for values in data.series:
        values[~kept] = np.nan
    data.y = data.y[kept]
    draw.note(gaps=int((~kept).sum()))


def some_fh(draw: Draw, data: Fitted, horizon: int) -> tuple[Any, np.ndarray]:
    """Return a horizon in some form, and its steps."""
    from sktime.forecasting.base import ForecastingHorizon

    steps = np.arange(1, horizon + 1)
    if draw.chance(0.4):
        steps = np.sort(draw.rng.choice(steps, draw.integer(1, horizon), replace=False))
    form = draw.pick(["list", "array", "absolute", "range", "horizon", "scalar"])
    draw.note(fh=form, steps=steps)
    if form == "scalar":  # sktime reads it as all steps up to it
        return int(steps[-1]), np.arange(1, steps[-1] + 1)
    if form == "absolute" and not data.instances:
        return ForecastingHorizon(data.clock.future[steps - 1], is_relative=False), steps
    if form == "range":
        return range(1, int(steps[-1]) + 1), np.arange(1, steps[-1] + 1)
    if form == "horizon":
        return ForecastingHorizon(steps, is_relative=True), steps
    return (steps.tolist() if form == "list" else steps), steps


def point(draw: Draw, product: Product) -> Outcome:
    """Ask for the median."""
    horizon = draw.integer(1, 20)
    data = some_y(draw, horizon)
    with_gaps(draw, data)
    fh, steps = some_fh(draw, data, horizon)
    outcome = ask(lambda: forecaster().fit(data.y).predict(fh=fh))
    if answered(outcome, data):
        absolute = draw.notes["fh"] == "absolute" and not data.instances
        check_point(outcome.value, data, steps, product, absolute)
    return outcome


def answered(outcome: Outcome, data: Fitted, what: str = "") -> bool:
    """Whether there is an answer; integers that count by more than one may be refused."""
    label = f"{what}{data.clock.label}"
    if data.clock.label.startswith("integers by") and data.clock.freq != 1:
        return may_refuse(outcome, label, ["step"]) is not None
    must_answer(outcome, label)
    return True


def check_point(
    table: Any, data: Fitted, steps: np.ndarray, product: Product, absolute: bool = False
) -> None:
    """Check the type, the index and the numbers of a point forecast."""
    what = data.clock.label
    require(type(table) is type(data.y), f"type of the forecast: {what}", type(table).__name__)
    check_index(table, data, steps, absolute)
    if data.columns:
        require_equal(table.columns, data.columns, "columns of the forecast")
    else:
        require(table.name == data.y.name, "name of the forecast", table.name)
    forecast = product.pipe.predict(data.series, int(steps[-1]))
    check_values(table, forecast.median[:, steps - 1], data, f"law: sktime = pipeline ({what})")


def check_values(table: Any, wanted: Floats, data: Fitted, kind: str) -> None:
    """Compare a table with forecasts (n_series, steps)."""
    n_columns = max(1, len(data.columns))
    got = np.asarray(table, dtype=np.float64).reshape(-1, wanted.shape[1], n_columns)
    got = got.transpose(0, 2, 1).reshape(wanted.shape)
    limits = np.array([10 * tolerance(values) for values in data.series])[:, None]
    require_close(got, wanted, limits, kind)


def check_index(table: Any, data: Fitted, steps: np.ndarray, absolute: bool = False) -> None:
    """Check that the times of a forecast continue the times of the data."""
    if data.instances:
        keys = [key for key in data.instances for _ in steps]
        require_equal(table.index.droplevel(-1), keys, "instances of the forecast")
    times = data.clock.history.append(data.clock.future)
    for i, cut in enumerate(data.cuts or [0]):
        own = table.index[i * len(steps) : (i + 1) * len(steps)]
        own = own.get_level_values(-1) if data.instances else own
        wanted = times[len(data.clock.history) - cut + steps - 1]
        if not same_times(own, wanted):
            raise Broken(f"times: {data.clock.label}", f"{list(own[:3])}, not {list(wanted[:3])}")
    check_freq(table, data, steps, absolute)


def check_freq(table: Any, data: Fitted, steps: np.ndarray, absolute: bool) -> None:
    """Check that the index keeps its ``freq``, where sktime's own forecasters keep it.

    Times that are asked for are returned as they are.
    """
    index = data.y.index
    if absolute:
        return
    if data.instances or getattr(index, "freq", None) is None or getattr(index, "tz", None):
        return
    if len(steps) > 2 and (np.diff(steps) == 1).all():
        require(table.index.freq == index.freq, "freq of the forecast is kept", table.index.freq)


def quantiles(draw: Draw, product: Product) -> Outcome:
    """Ask for quantiles, intervals and variances."""
    horizon = draw.integer(1, 8)
    data = some_y(draw, horizon, kind=draw.pick(["fixed", "integer", "period"]))
    alpha = draw.pick([[0.1, 0.5, 0.9], [0.05], [0.5, 0.01, 0.99]])
    steps = np.arange(1, horizon + 1)
    outcome = ask(lambda: forecaster().fit(data.y, fh=steps))
    if not answered(outcome, data, "fit: "):
        return outcome
    fitted = outcome.value
    table = must_answer(ask(lambda: fitted.predict_quantiles(alpha=alpha)), "predict_quantiles")
    forecast = product.pipe.predict(data.series, horizon)
    n_columns = max(1, len(data.columns))
    for i, level in enumerate(alpha):
        own = table.iloc[:, [i + len(alpha) * column for column in range(n_columns)]]
        check_values(own, forecast.quantile(level), data, "law: quantiles of sktime = pipeline")
    coverage = draw.pick([0.5, 0.9])
    table = must_answer(ask(lambda: fitted.predict_interval(coverage=coverage)), "predict_interval")
    low, high = forecast.interval(coverage)
    check_values(table.iloc[:, ::2], low, data, "law: intervals of sktime = pipeline")
    check_values(table.iloc[:, 1::2], high, data, "law: intervals of sktime = pipeline")
    variance = ask(lambda: fitted.predict_var())
    if np.abs(forecast.quantiles).max() > 1e140:
        may_refuse(variance, "predict_var of large values", ["series"])
    else:
        numbers = np.asarray(must_answer(variance, "predict_var"), dtype=np.float64)
        require(bool((numbers >= 0).all()), "variance of sktime", numbers)
    return outcome


def copies(draw: Draw, product: Product) -> Outcome:
    """Ask a copy or a pickle of a fitted forecaster."""
    data = some_y(draw, 3)
    way = draw.pick(["pickle", "deepcopy", "clone", "refit", "repeat"])
    draw.note(copy=way)
    outcome = ask(lambda: forecaster().fit(data.y, fh=[1, 2, 3]))
    if not answered(outcome, data, "fit: "):
        return outcome
    fitted = outcome.value

    def again() -> Any:
        if way == "pickle":
            return pickle.loads(pickle.dumps(fitted)).predict()  # noqa: S301
        if way == "deepcopy":
            return copy.deepcopy(fitted).predict()
        if way == "repeat":
            fitted.predict()
            return fitted.predict()
        other = fitted.clone() if way == "clone" else fitted
        return other.fit(data.y, fh=[1, 2, 3]).predict()

    table = must_answer(ask(again), f"{way}: {data.clock.label}")
    check_point(table, data, np.array([1, 2, 3]), product)
    return outcome


def update(draw: Draw, product: Product) -> Outcome:
    """Fit to the older part of the data, and update with the rest."""
    kinds = ["fixed", "calendar", "zone", "period", "integer"]
    data = some_y(draw, 3, layout=draw.pick(["Series", "frame"]), kind=draw.pick(kinds))
    cut = draw.integer(10, len(data.y) - 1)
    if any(np.isnan(values[:cut]).all() for values in data.series):
        return point(draw, product)
    parts = [data.y.iloc[:cut], data.y.iloc[cut:]]
    if draw.chance(0.2):
        parts[1] = data.y.iloc[cut - 3 :]  # overlaps
    flag = draw.chance(0.5)
    draw.note(cut=cut, update_params=flag)

    def updated() -> Any:
        fitted = forecaster().fit(parts[0], fh=[1, 2, 3])
        fitted.update(parts[1], update_params=flag)
        return fitted.predict()

    outcome = ask(updated)
    if answered(outcome, data, "update: "):
        check_point(outcome.value, data, np.array([1, 2, 3]), product)
    return outcome


def in_sample(draw: Draw, product: Product) -> Outcome:
    """Ask for steps up to the cutoff: one-step forecasts from the steps before."""
    data = some_y(draw, 2, layout="Series", kind=draw.pick(["fixed", "integer", "period"]))
    values, back = data.series[0], draw.integer(0, 6)
    fh = sorted({-back, 0, *([1] if draw.chance(0.4) else [])})
    draw.note(fh=fh)
    outcome = ask(lambda: forecaster().fit(data.y).predict(fh=fh))
    if not answered(outcome, data, "in-sample: "):
        return outcome
    for step, got in zip(fh, np.asarray(outcome.value, dtype=np.float64), strict=True):
        before = values[: len(values) + step - 1] if step < 1 else values
        if np.isnan(before).all():
            require(np.isnan(got), "in-sample step without a value before it", got)
            continue
        wanted = product.pipe.predict(before, 1).median[0, 0]
        require_close(got, wanted, 10 * tolerance(values), "law: in-sample steps")
    return outcome


def _bad_y(draw: Draw, data: Fitted) -> tuple[str, Any, list[str]]:
    """Return data that cannot be used, what is wrong with them, and its names."""
    y = data.y.copy()
    n = len(y)
    kinds: dict[str, Any] = {
        "infinite": lambda: y.where(np.arange(n) != n // 2, np.inf),
        "durations": lambda: pd.Series(pd.to_timedelta(np.arange(n), "h"), y.index),
        "dates": lambda: pd.Series(pd.date_range("2024", periods=n), y.index),
        "complex": lambda: pd.Series(np.arange(n) + 1j, y.index),
        "texts": lambda: pd.Series(["x"] * n, y.index),
        "no value": lambda: y * np.nan,
        "no rows": lambda: y.iloc[:0],
        "a time twice": lambda: pd.concat([y, y.iloc[-1:]]),
        "a text": lambda: "y",
        "a number": lambda: 3.0,
        "irregular": lambda: pd.Series(
            np.asarray(y),
            pd.Timestamp("2024") + pd.to_timedelta(np.cumsum(np.arange(n) ** 2), "min"),
        ),
    }
    kind = draw.pick(list(kinds))
    return f"y: {kind}", kinds[kind](), ["y", "frequency", "time"]


def _bad_question(draw: Draw) -> tuple[str, dict[str, Any], Any, list[str]]:
    """Return a question that cannot be answered: parameters of the class, method, names."""
    kind = draw.pick(
        ["option", "point", "alpha", "coverage", "fh", "tuning", "model_path", "dtype"]
    )
    if kind == "option":
        name, value = bad_option(draw)
        return name, {name: value}, None, [name]
    if kind in ("point", "tuning", "model_path", "dtype"):
        value = draw.pick(["nonsense", 3.5, [1], b"mean", True, "../absent", ""])
        names = [kind, "checkpoint"] if kind == "model_path" else [kind]
        return kind, {kind: value}, None, names
    if kind == "fh":
        value = draw.pick([["a"], [1.5], "soon", [None], {}, [np.nan], [], bad_integer(draw)])
        array = np.asarray(value)
        ok = array.size > 0 and array.dtype.kind in "ium"  # integers, durations
        value = "soon" if ok else value
        return kind, {}, lambda fitted: fitted.predict(fh=value), ["fh", "horizon", "Horizon"]
    bad = draw.pick([[0.0], [1.5], [-0.1], ["x"], [np.nan], [None]])
    name = "predict_quantiles" if kind == "alpha" else "predict_interval"
    return (
        kind,
        {},
        lambda fitted: getattr(fitted, name)(fh=[1], **{kind: bad}),
        [kind, "level", "alpha"],
    )


def spoiled(draw: Draw, product: Product) -> Outcome:
    """Spoil the data or the question: the error names it."""
    data = some_y(draw, 2, layout="Series", kind="fixed")
    if draw.chance(0.5):
        fault, y, names = _bad_y(draw, data)
        outcome = ask(lambda: forecaster().fit(y, fh=[1]).predict())
    else:
        fault, parameters, method, names = _bad_question(draw)
        draw.note(parameters=parameters)
        ask_it = method or (lambda fitted: fitted.predict(fh=[1]))
        outcome = ask(lambda: ask_it(forecaster(**parameters).fit(data.y)))
    draw.note(fault=fault)
    must_refuse(outcome, fault, names)
    return outcome


_KINDS: dict[str, Any] = {
    "point": point,
    "quantiles": quantiles,
    "copies": copies,
    "update": update,
    "in-sample": in_sample,
    "spoiled": spoiled,
}
