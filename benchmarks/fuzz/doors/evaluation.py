"""The evaluation: scores of small tables, and its runner on tiny data sets."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.fuzz.draw import Draw
from benchmarks.fuzz.inputs.values import Floats, some_series
from benchmarks.fuzz.oracle import (
    Outcome,
    ask,
    must_answer,
    must_refuse,
    require,
    require_close,
)
from benchmarks.fuzz.product import LEVELS, Product


def case(draw: Draw, product: Product) -> Outcome:
    """Score forecasts, and compare with plain loops."""
    kind = draw.weighted({"scores": 60, "folder": 15, "bad scores": 10, "bad folder": 15})
    draw.note(kind=kind)
    return _KINDS[kind](draw, product)


def some_forecasts(draw: Draw) -> tuple[Floats, Floats, Floats]:
    """Return targets with missing values, ordered quantiles, and scales of windows."""
    n, horizon = draw.integer(1, 4), draw.integer(1, 5)
    scale = 10.0 ** draw.integer(-3, 6)
    targets = draw.rng.normal(size=(n, horizon)) * scale
    if draw.chance(0.3):
        targets = np.round(targets / scale) * scale
    targets[draw.rng.random((n, horizon)) < draw.pick([0, 0.2, 0.6])] = np.nan
    quantiles = np.sort(draw.rng.normal(size=(n, horizon, len(LEVELS))) * scale, axis=-1)
    scales = np.abs(draw.rng.normal(size=n)) * scale
    scales[draw.rng.random(n) < 0.1] = draw.pick([0.0, np.nan])
    return targets, quantiles, scales


def _mean(numbers: list[float]) -> float:
    return float(np.mean(numbers)) if numbers else float("nan")


def looped(targets: Floats, quantiles: Floats, scales: Floats) -> dict[str, float]:
    """Return the scores by loops over the points, as their definitions say."""
    points = [(i, j) for i, j in np.ndindex(targets.shape) if not np.isnan(targets[i, j])]
    losses = dict.fromkeys(LEVELS, 0.0)
    mase, mape, smape, total = [], [], [], 0.0
    for i, j in points:
        y, own = targets[i, j], quantiles[i, j]
        middle = own[LEVELS.index(0.5)]
        total += abs(y)
        for level, f in zip(LEVELS, own, strict=True):
            losses[level] += 2 * (level * (y - f) if y >= f else (1 - level) * (f - y))
        if scales[i] > 0:
            mase.append(abs(y - middle) / scales[i])
        if y != 0:
            mape.append(abs(y - middle) / abs(y))
        if abs(y) + abs(middle) > 0:
            smape.append(2 * abs(y - middle) / (abs(y) + abs(middle)))
    found = {"mase": _mean(mase), "mape": _mean(mape), "smape": _mean(smape)}
    if not points:
        return {**found, "weighted_quantile_loss": float("nan")}
    mean = sum(losses.values()) / len(LEVELS)
    return {**found, "weighted_quantile_loss": mean / total if total else float("inf")}


def scores(draw: Draw, product: Product) -> Outcome:
    """Score a small table, and compare with loops."""
    from timer_forecaster import evaluation

    targets, quantiles, scales = some_forecasts(draw)
    name = draw.pick(["mase", "mape", "smape", "weighted_quantile_loss"])
    median = quantiles[..., LEVELS.index(0.5)]
    arguments = {"mase": (targets, median, scales), "weighted_quantile_loss": (targets, quantiles)}
    given: Any = arguments.get(name, (targets, median))
    if draw.chance(0.3):
        given = tuple(one.tolist() for one in given)
        draw.note(lists=True)
    draw.note(score=name, shape=targets.shape)
    outcome = ask(lambda: getattr(evaluation, name)(*given))
    got = must_answer(outcome, name)
    wanted = looped(targets, quantiles, scales)[name]
    if np.isinf(wanted):  # all observed targets are zero
        require(not np.isfinite(got), f"law: {name}", got)
        return outcome
    require_close(got, wanted, 1e-9 * abs(wanted) + 1e-300, f"law: {name}")
    return outcome


def bad_scores(draw: Draw, product: Product) -> Outcome:
    """Score infinite targets or tables of other shapes: the error names them."""
    from timer_forecaster import evaluation

    targets, quantiles, _ = some_forecasts(draw)
    kind = draw.pick(["infinite targets", "levels", "rows", "texts"])
    if kind == "infinite targets":
        targets[0, 0] = draw.pick([np.inf, -np.inf])
    elif kind == "levels":
        quantiles = quantiles[..., :5]
    elif kind == "rows":
        quantiles = np.concatenate([quantiles, quantiles])
    else:
        targets = targets.astype(str).astype(object) + "x"
    draw.note(fault=kind)
    outcome = ask(lambda: evaluation.weighted_quantile_loss(targets, quantiles))
    must_refuse(outcome, f"scores of {kind}", ["targets", "quantiles"])
    return outcome


def write_set(draw: Draw, product: Product, series: list[Any] | None = None, **change: Any) -> str:
    """Write a tiny data set, and return the name of its file."""
    freq = change.get("freq", "D")
    made = series or [some_series(draw, draw.integer(100, 160)) for _ in range(draw.integer(1, 3))]
    frame = pd.DataFrame({"freq": [freq] * len(made), "target": [list(one) for one in made]})
    name = change.get("name", "tiny__D.parquet")
    frame.drop(columns=change.get("drop", [])).to_parquet(product.folder / name)
    return str(name)


def folder(draw: Draw, product: Product) -> Outcome:
    """Score the pipeline on a folder; a second run resumes with the same scores."""
    from timer_forecaster.evaluation import PipelineForecaster, evaluate_gift_eval

    values = [_moderate(draw) for _ in range(draw.integer(1, 3))]
    write_set(draw, product, values)
    output = product.folder / "results.csv" if draw.chance(0.5) else None
    forecaster = PipelineForecaster(product.pipe)

    def run() -> Any:
        return evaluate_gift_eval({"ours": forecaster}, product.folder, output=output)

    outcome = ask(run)
    table = must_answer(outcome, "a tiny data set")
    require(set(table["model"]) == {"ours", "seasonal_naive"}, "models of the table")
    numbers = table.filter(like="eval_metrics/")
    counted = numbers.notna().to_numpy()
    require(np.isfinite(numbers.to_numpy()[counted]).all(), "finite scores", numbers)
    again = must_answer(ask(run), "the second run")
    columns = [name for name in table.columns if name != "seconds"]
    same = np.allclose(
        again[columns].select_dtypes("number").astype(float),
        table[columns].select_dtypes("number").astype(float), rtol=1e-9, equal_nan=True,
    )  # fmt: skip
    require(same, "law: a second run has the same scores")
    return outcome


def _moderate(draw: Draw) -> Floats:
    """Return a series that varies, of common size, for which all scores are finite."""
    n = draw.integer(100, 160)
    values = draw.rng.normal(size=n).cumsum() + draw.pick([0.0, 50.0])
    values[draw.rng.random(n) < draw.pick([0.0, 0.1])] = np.nan
    return values


def bad_folder(draw: Draw, product: Product) -> Outcome:
    """Spoil the folder or the forecaster: the error names it."""
    from timer_forecaster.evaluation import PipelineForecaster, evaluate_gift_eval

    kinds = ["infinite", "short", "freq", "no target", "no file", "name", "bytes", "terms",
             "configurations", "nan forecast", "shape of forecast", "no forecaster", "texts",
             "output"]  # fmt: skip
    kind, values, names = draw.pick(kinds), _moderate(draw), ["tiny"]
    forecaster: Any = PipelineForecaster(product.pipe)
    options: dict[str, Any] = {}
    if kind == "infinite":
        values[draw.integer(0, len(values) - 1)] = np.inf
        names.append("series[")
        write_set(draw, product, [values])
    elif kind == "no file":
        names = [str(product.folder)]
    elif kind in ("short", "freq", "no target", "name", "bytes", "texts"):
        names += _spoil_set(draw, product, kind, values)
    else:
        write_set(draw, product, [values])
        forecaster, options, names = _spoil_question(draw, product, kind, forecaster)
    draw.note(fault=kind)
    outcome = ask(lambda: evaluate_gift_eval({"ours": forecaster}, product.folder, **options))
    must_refuse(outcome, f"evaluation: {kind}", names)
    return outcome


def _spoil_set(draw: Draw, product: Product, kind: str, values: Floats) -> list[str]:
    """Write a data set that cannot be used, and return its names."""
    if kind == "short":
        write_set(draw, product, [values[: draw.integer(0, 6)]])
    elif kind == "freq":
        write_set(draw, product, [values], freq=draw.pick(["", "fortnight", None, "7"]))
        return ["freq"]
    elif kind == "no target":
        write_set(draw, product, [values], drop=[draw.pick(["target", "freq"])])
    elif kind == "name":
        write_set(draw, product, [values], name="nameless.parquet")
        return ["nameless.parquet"]
    elif kind == "texts":
        frame = pd.DataFrame({"freq": ["D"], "target": [draw.pick([["a", "b"], 3, "x"])]})
        frame.to_parquet(product.folder / "tiny__D.parquet")
    else:
        (product.folder / "tiny__D.parquet").write_bytes(
            draw.pick([b"", b"PAR1", draw.rng.bytes(100), json.dumps({}).encode()])
        )
    return []


def _spoil_question(
    draw: Draw, product: Product, kind: str, forecaster: Any
) -> tuple[Any, dict[str, Any], list[str]]:
    """Return a forecaster, options, and the names of what is wrong with them."""
    if kind == "terms":
        return forecaster, {"terms": draw.pick([["shorter"], [""], [3]])}, ["terms"]
    if kind == "configurations":
        return (
            forecaster,
            {"configurations": draw.pick([["absent"], ["tiny/H"]])},
            ["configuration"],
        )
    if kind == "nan forecast":
        bad = lambda contexts, horizon: np.full((len(contexts), horizon, 9), np.nan)  # noqa: E731
        return bad, {}, ["forecaster", "forecast"]
    if kind == "shape of forecast":
        return (lambda contexts, horizon: np.zeros((len(contexts), 9))), {}, ["forecast", "shape"]
    if kind == "output":
        output = draw.pick([product.folder, product.folder / "no" / "such.csv"])
        return forecaster, {"output": output}, [str(output), "output"]
    return draw.pick([None, 3, "naive", product.pipe]), {}, ["forecaster"]


_KINDS: dict[str, Any] = {
    "scores": scores,
    "folder": folder,
    "bad scores": bad_scores,
    "bad folder": bad_folder,
}
