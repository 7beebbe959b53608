"""A network that reads series without their long season, or as square roots, and bridges gaps."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.fuzz.draw import Draw
from benchmarks.fuzz.inputs.values import Floats
from benchmarks.fuzz.laws import Question, check_answer, tolerances
from benchmarks.fuzz.oracle import Outcome, ask, must_answer, require_close
from benchmarks.fuzz.product import LONGEST, ONE_PASS, Product

_RELATIVE = 1e-6
"""Of the differences that rounding may make: long seasons are found by sums over many steps."""

_NEWEST = 8  # steps of a series that are searched for anomalies


def case(draw: Draw, product: Product) -> Outcome:
    """Forecast series, and compare with another way to the same forecast."""
    series = [_some_series(draw) for _ in range(draw.pick([1, 1, 2, 3]))]
    horizon, options = draw.pick([1, 5, ONE_PASS, ONE_PASS + 1, 90]), _some_options(draw)
    name = draw.pick([*_LAWS, *_WAYS])
    draw.note(law=name, horizon=horizon, options=options, lengths=[len(one) for one in series])
    predict = product.transforming.predict
    outcome = ask(lambda: predict(series, horizon, **options))
    quantiles = check_answer(must_answer(outcome), len(series), horizon)
    question = Question(predict, series, horizon, options, quantiles)
    if name in _LAWS:
        getattr(question, name)(draw)
    else:
        _WAYS[name](draw, product, question)
    return outcome


def _some_series(draw: Draw) -> Floats:
    """Return a series with a long season, counts, a walk or loads, with gaps or without."""
    steps = draw.pick([60, 300, 520, 700, 1200, 2500])
    kind, random = draw.pick(list(_KINDS)), draw.rng
    values = np.asarray(_KINDS[kind](steps, random), dtype=np.float64)
    gaps = draw.weighted({"none": 50, "points": 25, "closed": 15, "end": 10})
    if gaps == "points":
        values[random.random(steps) < 0.05] = np.nan
    elif gaps == "closed":
        values[np.arange(steps) % 7 >= 5] = np.nan
    elif gaps == "end":
        values[-draw.integer(1, 40) :] = np.nan
    values[[0, -50]] = 2.0  # so that each context has a value
    draw.note(kind=kind, gaps=gaps)
    return values


def _season(steps: int, random: np.random.Generator) -> Floats:
    week = np.resize(random.normal(size=random.choice([96, 168, 200])) * 5, steps)
    day = np.sin(np.arange(steps) * 2 * np.pi / 24) * 5
    return 20 + week + random.integers(2) * day + random.normal(size=steps) / 2


_KINDS: dict[str, Any] = {
    "season": _season,
    "counts": lambda steps, random: random.poisson(0.7, size=steps),
    "loads": lambda steps, random: np.abs(random.normal(size=steps)) ** 3,
    "walk": lambda steps, random: random.normal(size=steps).cumsum(),
}


def _some_options(draw: Draw) -> dict[str, Any]:
    options: dict[str, Any] = {"quality": draw.pick(["fast", "best", "plain"])}
    options["rollout"] = draw.pick(["auto", "median", "quantile", "multiscale"])
    if draw.chance(0.2):
        options["flip"] = True
    if draw.chance(0.2):
        options["context_length"] = draw.pick([60, 600])
    return options


def _cut(draw: Draw, product: Product, question: Question) -> None:
    """Check that a forecast depends on no more steps than the package says."""
    from timer_forecaster.inference.gaps import newest_read
    from timer_forecaster.inference.options import ForecastOptions

    how = ForecastOptions(**question.options)
    cut = newest_read(question.series, product.transforming.network, question.horizon, how)
    allowed = tolerances(question.series, _RELATIVE)
    require_close(question.again(cut), question.quantiles, allowed, "law: steps read")


def _remembered(draw: Draw, product: Product, question: Question) -> None:
    """Check that the memory of forecasts answers as the network does, whatever it was asked."""
    from timer_forecaster.inference import memo
    from timer_forecaster.inference.options import ForecastOptions

    pipe, how = product.transforming, ForecastOptions(**question.options)
    late = [np.r_[np.full(draw.integer(1, 300), np.nan), values] for values in question.series]
    memo.predict(pipe, late, question.horizon, how)
    found = memo.predict(pipe, question.series, question.horizon, how).quantiles
    allowed = tolerances(question.series, _RELATIVE)
    require_close(found, question.quantiles, allowed, "law: memory")


def _searched(draw: Draw, product: Product, question: Question) -> None:
    """Check that a search for anomalies has the forecasts of each step."""
    pipe, values = product.transforming, question.series[0]
    reads = min(question.options.get("context_length", LONGEST), LONGEST) - _NEWEST
    seen = int(np.isfinite(values[:-_NEWEST][-reads:]).sum())
    how = {"calibrate": "off", "repair": False, "min_history": max(1, seen - _NEWEST)}
    medians = pipe.detect_anomalies(values, **how, **question.options).medians[0]
    for step in range(len(values) - _NEWEST, len(values)):
        if np.isfinite(values[step]):
            one = question.again([values[:step]], 1)
            found = one[0, 0, one.shape[-1] // 2]
            allowed = tolerances([values], 1e-5)[0, 0]
            require_close(medians[step : step + 1], np.array([found]), allowed, "law: anomalies")


def _after_a_gap(draw: Draw, product: Product, question: Question) -> None:
    """Check that the forecast after a gap at the end is the rest of a longer one."""
    values, gap = question.series[0], draw.integer(1, 8)
    is_plain = question.options["quality"] == "plain" or "context_length" in question.options
    if is_plain or np.isnan(values[-1]) or question.horizon + gap > ONE_PASS:
        question.repeat(draw)
        return
    longer = question.again([values], question.horizon + gap)
    found = question.again([np.r_[values, np.full(gap, np.nan)]])
    allowed = tolerances([values], _RELATIVE)
    require_close(found, longer[:, gap:], allowed, "law: gap at the end")


_LAWS = ("scale", "batch", "alone", "start", "context", "repeat")
"""Names of the laws of all networks that hold here too: a level decides how a series is read."""

_WAYS: dict[str, Any] = {
    "cut": _cut,
    "remembered": _remembered,
    "searched": _searched,
    "after a gap": _after_a_gap,
}
