"""The regressor for scikit-learn, and windows of series."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.fuzz.draw import Draw
from benchmarks.fuzz.inputs.containers import BAD, MAY, MUST
from benchmarks.fuzz.inputs.options import as_integer, bad_integer, bad_levels, bad_option
from benchmarks.fuzz.inputs.values import Floats, some_series
from benchmarks.fuzz.laws import tolerance
from benchmarks.fuzz.oracle import (
    Outcome,
    ask,
    may_refuse,
    must_answer,
    must_refuse,
    require,
    require_close,
)
from benchmarks.fuzz.product import NAME, Product


def case(draw: Draw, product: Product) -> Outcome:
    """Ask the regressor or for windows, and compare with the pipeline or with loops."""
    weights = {"regressor": 40, "windows": 25, "unusual": 8, "bad windows": 12, "spoiled": 15}
    kind = draw.weighted(weights)
    draw.note(kind=kind)
    return _KINDS[kind](draw, product)


def regressor(**parameters: Any) -> Any:
    """Return a regressor of the tiny checkpoint in float64."""
    from timer_forecaster.sklearn import TimerS1Regressor

    return TimerS1Regressor(**{"model_path": NAME, "dtype": "float64", **parameters})


def some_rows(draw: Draw) -> Floats:
    """Return usable rows of windows."""
    n = draw.integer(2, 60)
    return np.stack([some_series(draw, n) for _ in range(draw.integer(1, 5))])


def _tensor(rows: Floats) -> Any:
    import torch

    return torch.tensor(rows)


def _masked(rows: Floats) -> Any:
    return np.ma.MaskedArray(np.nan_to_num(rows, nan=777.0), mask=np.isnan(rows))


TABLES: dict[str, tuple[bool, Any]] = {
    "array": (True, lambda rows: rows),
    "lists": (True, lambda rows: rows.tolist()),
    "frame": (True, lambda rows: pd.DataFrame(rows)),
    "named frame": (True, lambda rows: pd.DataFrame(rows).add_prefix("c")),
    "objects": (True, lambda rows: rows.astype(object)),
    "nullable frame": (True, lambda rows: pd.DataFrame(rows).astype("Float64")),
    "list of Series": (True, lambda rows: [pd.Series(row) for row in rows]),
    "fortran": (True, np.asfortranarray),
    "masked": (True, _masked),
    "Arrow frame": (False, lambda rows: pd.DataFrame(rows).astype("double[pyarrow]")),
    "tensor": (False, _tensor),
}  # fmt: skip
"""Tables of rows, and whether they must be read."""


def regress(draw: Draw, product: Product) -> Outcome:
    """Fit and predict, and compare with the pipeline."""
    rows, horizon = some_rows(draw), draw.integer(1, 8)
    name = draw.pick(list(TABLES))
    must, make = TABLES[name]
    targets: Any = draw.rng.normal(size=(len(rows), horizon))
    targets = targets[:, 0] if horizon == 1 and draw.chance(0.5) else targets
    level = draw.pick(["median", "mean", 0.1, 0.73])
    draw.note(table=name, shape=rows.shape, horizon=horizon, point=level)
    outcome = ask(
        lambda: _copied(draw, regressor(point=level).fit(make(rows), targets)).predict(make(rows))
    )
    if must:
        must_answer(outcome, f"table: {name}")
    if may_refuse(outcome, f"table: {name}", ["X"]) is None:
        return outcome
    require(outcome.value.shape == targets.shape, "shape of predictions", outcome.value.shape)
    forecast = product.pipe.predict(list(rows), horizon)
    wanted = forecast.quantile(level) if isinstance(level, float) else getattr(forecast, level)
    limits = np.array([10 * tolerance(row) for row in rows])[:, None]
    got = outcome.value.reshape(wanted.shape)
    require_close(got, wanted, limits, f"law: sklearn = pipeline ({name})")
    return outcome


def _copied(draw: Draw, fitted: Any) -> Any:
    """Return a fitted regressor, or a copy of it."""
    way = draw.pick(["same", "same", "pickle", "deepcopy"])
    if way == "pickle":
        return pickle.loads(pickle.dumps(fitted))  # noqa: S301
    return copy.deepcopy(fitted) if way == "deepcopy" else fitted


def windows(draw: Draw, product: Product) -> Outcome:
    """Cut windows, and compare with a loop."""
    length, horizon, step = draw.integer(1, 12), draw.integer(1, 5), draw.integer(1, 6)
    least = draw.pick([None, None, draw.integer(1, length)])
    needed = (least or length) + horizon
    series = [some_series(draw, needed + draw.integer(0, 25)) for _ in range(draw.integer(1, 3))]
    name = draw.pick(list(MUST))
    given = [MUST[name](values) for values in series]
    given = [one if made is None else made for made, one in zip(given, series, strict=True)]
    draw.note(container=name, length=length, horizon=horizon, step=step, min_history=least)
    question = [as_integer(draw, value) for value in (length, horizon, step)]
    outcome = ask(lambda: _cut(given, question, min_history=least, return_groups=True))
    kinds = {type(value).__name__ for value in question} - {"int"}
    X, y, groups = must_answer(outcome, f"windows of {name}, {'/'.join(sorted(kinds)) or 'int'}")
    wanted = _loop(series, length, horizon, step, least or length)
    for got, own in zip((X, y, groups), wanted, strict=True):
        require(np.array_equal(got, own, equal_nan=True), f"law: windows of {name}")
    return outcome


def _cut(given: Any, question: list[Any], **options: Any) -> Any:
    from timer_forecaster.sklearn import make_windows

    return make_windows(given, *question, **options)


def _loop(
    series: list[Floats], length: int, horizon: int, step: int, least: int
) -> tuple[Floats, Floats, Any]:
    """Cut windows one by one; the last one ends ``horizon`` steps before the end."""
    X, y, groups = [], [], []
    for number, values in enumerate(series):
        ends = list(range(len(values) - horizon, least - 1, -step))[::-1]
        for end in ends:
            window = values[max(0, end - length) : end]
            X.append(np.concatenate([np.full(length - len(window), np.nan), window]))
            y.append(values[end : end + horizon])
            groups.append(number)
    return np.array(X), np.array(y), np.array(groups)


def unusual(draw: Draw, product: Product) -> Outcome:
    """Cut windows of an unusual container: rightly, or refused by name."""
    values, name = some_series(draw, draw.integer(8, 30)), draw.pick(list(MAY))
    made = MAY[name](values)
    if made is None:
        return windows(draw, product)
    draw.note(container=name)
    outcome = ask(lambda: _cut(made, [4, 2, 1]))
    if may_refuse(outcome, f"container {name}", ["series"]) is not None:
        wanted = _loop([values], 4, 2, 1, 4)
        for got, own in zip(outcome.value, wanted, strict=False):
            require(np.array_equal(got, own, equal_nan=True), f"law: windows of {name}")
    return outcome


def bad_windows(draw: Draw, product: Product) -> Outcome:
    """Spoil a question for windows: the error names it."""
    values = some_series(draw, 20)
    question: dict[str, Any] = {"series": values, "window_length": 4, "horizon": 2, "step": 1}
    name = draw.pick(
        ["series", "window_length", "horizon", "step", "min_history", "infinite", "short"]
    )
    fault = f"{name} that cannot be used"
    if name == "series":
        container = draw.pick(list(BAD))
        fault, question["series"] = f"container {container}", BAD[container](values)
    elif name == "infinite":
        question["series"] = np.append(values, np.inf)
    elif name == "short":
        question["series"] = values[: draw.integer(0, 5)]
    else:
        question[name] = draw.pick([bad_integer(draw), 5 if name == "min_history" else 0])
    draw.note(fault=fault, value=question.get(name, ""))
    if name == "min_history" and question[name] is None:
        return windows(draw, product)
    outcome = ask(lambda: _cut(question.pop("series"), [], **question))
    must_refuse(outcome, fault, [name if name in question else "series"])
    return outcome


def spoiled(draw: Draw, product: Product) -> Outcome:
    """Spoil X, y or a parameter of the regressor: the error names it."""
    X, y = np.round(draw.rng.normal(size=(4, 10)), 2), draw.rng.normal(size=(4, 2))
    bad_X: Any = X.copy()
    kinds = ["infinite", "empty row", "features", "texts", "complex", "durations", "y", "option",
             "point", "levels", "dates", "three dimensions"]  # fmt: skip
    kind = draw.pick(kinds)
    names, call = ["X"], lambda model: model.predict(bad_X)
    if kind == "infinite":
        bad_X[1, 3] = np.inf
    elif kind == "empty row":
        bad_X[2] = np.nan
    elif kind in ("option", "point", "y", "levels"):
        return _spoiled_argument(draw, kind, X, y)
    else:
        bad_X = {
            "features": X[:, :5],
            "texts": X.astype(str).astype(object) + "x",
            "complex": X + 1j,
            "durations": pd.DataFrame(X).apply(lambda c: pd.to_timedelta(c, unit="h")),
            "dates": pd.DataFrame({i: pd.date_range("2024", periods=4) for i in range(10)}),
            "three dimensions": np.zeros((2, 2, 10)),
        }[kind]
        names = ["X", "features", "array", "data", "dtype", "convert", "complex"]
    draw.note(fault=kind)
    outcome = ask(lambda: call(regressor().fit(X, y)))
    must_refuse(outcome, f"X: {kind}", names)
    return outcome


def _spoiled_argument(draw: Draw, kind: str, X: Floats, y: Floats) -> Outcome:
    parameters: dict[str, Any] = {}
    names, bad_y, call = [kind], y, lambda model: model.predict(X)
    if kind == "option":
        name, value = bad_option(draw)
        parameters, names = {name: value}, [name]
    elif kind == "point":
        parameters = {"point": draw.pick([0, 1.0, 2, "avg", None, [0.5], np.nan, True])}
    elif kind == "levels":
        levels = bad_levels(draw)
        while levels == [0.5, 0.5]:  # the regressor takes a level twice
            levels = bad_levels(draw)
        parameters, call = {}, lambda model: model.predict_quantiles(X, levels)
        draw.note(levels=levels)
    else:
        bad_y = draw.pick(
            [y[:3], y.astype(str).astype(object) + "x", None, np.where(y > 0, np.inf, y)]
        )
        names = ["y", "inconsistent", "convert", "Input"]
    draw.note(fault=kind, parameters=parameters)
    outcome = ask(lambda: call(regressor(**parameters).fit(X, bad_y)))
    must_refuse(outcome, f"{names[0]} that cannot be used", names)
    return outcome


_KINDS: dict[str, Any] = {
    "regressor": regress,
    "windows": windows,
    "unusual": unusual,
    "bad windows": bad_windows,
    "spoiled": spoiled,
}
