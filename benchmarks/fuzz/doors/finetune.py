"""Finetuning: one or two steps on odd series, and odd settings."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np

from benchmarks.fuzz.draw import Draw
from benchmarks.fuzz.inputs.containers import BAD, MUST
from benchmarks.fuzz.inputs.options import as_integer, bad_integer
from benchmarks.fuzz.inputs.values import Floats, some_series, unusable
from benchmarks.fuzz.laws import check_answer
from benchmarks.fuzz.oracle import (
    Outcome,
    ask,
    may_refuse,
    must_answer,
    must_refuse,
    require,
)
from benchmarks.fuzz.product import NAME, Product

TARGETS = ("router+head", "head", "router", "norms", "lora", "full")


def case(draw: Draw, product: Product) -> Outcome:
    """Finetune, and look at the weights and at the forecasts."""
    kind = draw.weighted({"usable": 22, "odd": 10, "windows": 8, "series": 25, "settings": 35})
    draw.note(kind=kind)
    return _KINDS[kind](draw, product)


def settings(draw: Draw, **change: Any) -> Any:
    """Return settings of a short finetuning."""
    from timer_forecaster.finetuning import FinetuneConfig

    values = {
        "steps": draw.integer(1, 2),
        "batch_size": 2,
        "context_length": draw.pick([16, 32]),
        "horizon": draw.pick([1, 5, 16]),
        "target": draw.pick(TARGETS),
    }
    if draw.chance(0.3):
        values = {name: _typed(draw, value) for name, value in values.items()}
    draw.note(settings={**values, **change})
    return FinetuneConfig(**{**values, **change})


def _typed(draw: Draw, value: Any) -> Any:
    return as_integer(draw, value) if isinstance(value, int) else value


def tune(product: Product, series: Any, config: Any) -> Any:
    """Return the adapter of a finetuning."""
    from timer_forecaster.finetuning import finetune

    return finetune(product.pipeline("float32"), series, config)


def check_adapter(draw: Draw, adapter: Any, product: Product) -> None:
    """Check that weights and forecasts are finite, and that the checkpoint stays as it was."""
    from timer_forecaster import ForecastPipeline

    for name, weight in adapter.weights.items():
        require(bool(weight.isfinite().all()), "weights are not finite", name)
    require(adapter.report is not None, "no report")
    probe = np.sin(np.arange(40) / 3)
    if draw.chance(0.2):
        tuned = ForecastPipeline.from_pretrained(NAME, device="cpu", adapter=adapter)
        check_answer(tuned.predict(probe, 8), 1, 8)
    before = _probe_forecast(product, probe)
    now = product.pipeline("float32").predict(probe, 8).quantiles
    require((now == before).all(), "law: the checkpoint stays as it was")


_KNOWN: dict[int, Floats] = {}


def _probe_forecast(product: Product, probe: Floats) -> Floats:
    """Return the forecast of the checkpoint in the first case."""
    if id(product) not in _KNOWN:
        _KNOWN[id(product)] = product.pipeline("float32").predict(probe, 8).quantiles
    return _KNOWN[id(product)]


def long_series(draw: Draw) -> list[Floats]:
    """Return series that vary and are long enough for any settings here."""
    made = []
    for _ in range(draw.integer(1, 3)):
        n = draw.integer(90, 140)
        values = np.sin(np.arange(n) / draw.number(1, 5)) + draw.rng.normal(size=n) / 5
        values *= 10.0 ** draw.pick([0, 0, 3, -5, 100, -100, 170, -170])
        values[draw.rng.random(n) < draw.pick([0, 0.1])] = np.nan
        made.append(values)
    return made


def usable(draw: Draw, product: Product) -> Outcome:
    """Finetune on usable series: the scale has no influence."""
    product_series, config = long_series(draw), settings(draw)
    name = draw.pick(list(MUST))
    given: Any = [MUST[name](values) for values in product_series]
    given = [one if made is None else made for made, one in zip(given, product_series, strict=True)]
    draw.note(container=name, levels=[float(np.nanmax(one)) for one in product_series])
    _probe_forecast(product, np.sin(np.arange(40) / 3))
    outcome = ask(lambda: tune(product, given, config))
    adapter = must_answer(outcome, f"finetune: {name}")
    check_adapter(draw, adapter, product)
    if draw.chance(0.3):
        factor = draw.pick([2.0**40, 2.0**-40])
        other = ask(lambda: tune(product, [values * factor for values in product_series], config))
        same = must_answer(other, "finetune at another scale")
        require(same == adapter, "law: finetuning does not depend on the scale")
    return outcome


def odd(draw: Draw, product: Product) -> Outcome:
    """Finetune on any series: rightly, or refused by name."""
    series = [some_series(draw) for _ in range(draw.integer(1, 3))]
    draw.note(lengths=[len(values) for values in series], newest=series[0][-3:])
    config = settings(draw)
    outcome = ask(lambda: tune(product, series, config))
    if may_refuse(outcome, "odd series", ["series"]) is not None:
        check_adapter(draw, outcome.value, product)
    return outcome


def windows(draw: Draw, product: Product) -> Outcome:
    """Finetune on windows."""
    from timer_forecaster.finetuning import finetune_windows

    n, horizon = draw.integer(6, 20), draw.integer(1, 16)
    rows = [np.sin(np.arange(24) / 2 + i) + draw.rng.normal(size=24) / 9 for i in range(n)]
    targets = draw.rng.normal(size=(n, horizon))
    fault = draw.pick(["", "", "rows", "texts", "infinite context", "infinite target", "empty"])
    names = ["targets", "contexts", "series"]
    if fault == "rows":
        targets = targets[1:]
    elif fault == "texts":
        targets = targets.astype(str).astype(object) + "x"
    elif fault == "infinite context":
        rows[draw.integer(0, n - 1)][3] = np.inf
    elif fault == "infinite target":
        targets[draw.integer(0, n - 1), 0] = np.inf
    elif fault == "empty":
        rows, targets = rows[:0], targets[:0]
    draw.note(fault=fault, rows=n, horizon=horizon)
    config = settings(draw, horizon=None)
    pipe = product.pipeline("float32")
    outcome = ask(lambda: finetune_windows(pipe, rows, targets, config))
    if fault:
        must_refuse(outcome, f"windows: {fault}", names)
    else:
        check_adapter(draw, must_answer(outcome, "windows"), product)
    return outcome


def bad_series(draw: Draw, product: Product) -> Outcome:
    """Spoil the series: the error names it."""
    series: Any = long_series(draw)
    if draw.chance(0.5):
        place = draw.integer(0, len(series) - 1)
        series[place], fault = unusable(draw, series[place])
        names = [f"series[{place}]"] if fault == "an infinite value" else ["series"]
        if fault != "an infinite value":
            series = series[place : place + 1]
    else:
        fault = draw.pick(list(BAD))
        series, names = BAD[fault](np.arange(60.0)), ["series"]
    draw.note(fault=fault)
    outcome = ask(lambda: tune(product, series, settings(draw)))
    must_refuse(outcome, f"finetune: {fault}", names)
    return outcome


RATES = ("learning_rate", "validation", "balance_loss", "router_kl", "weight_decay")
COUNTS = ("steps", "batch_size", "context_length", "horizon", "patience", "seed", "lora_rank")


def bad_settings(draw: Draw, product: Product) -> Outcome:
    """Spoil a setting: the error names it."""
    name = draw.pick([*RATES, *COUNTS, "target", "config", "pipe"])
    if name in ("config", "pipe"):
        value = draw.pick([3, "head", {"steps": 1}, [], object()])
        question = {"config": settings(draw), name: value}
        outcome = ask(lambda: _tune_with(product, question))
    else:
        value = bad_setting(draw, name)
        outcome = ask(lambda: tune(product, long_series(draw), settings(draw, **{name: value})))
    draw.note(setting=name, value=value)
    must_refuse(outcome, f"setting {name}", [name])
    return outcome


def _tune_with(product: Product, question: dict[str, Any]) -> Any:
    from timer_forecaster.finetuning import finetune

    pipe = question.pop("pipe", product.pipeline("float32"))
    return finetune(pipe, np.arange(90.0) % 7, **question)


def bad_setting(draw: Draw, name: str) -> Any:
    """Return a value that a setting cannot have."""
    if name == "target":
        return draw.pick(["", "heads", 3, ["head"], "HEAD", b"head"])
    if name in RATES:
        values = [-1, "0.1", np.nan, np.inf, [0.1], True, 1j, Decimal("-0.1"), -1e-9, -np.inf]
        return draw.pick(values)
    value = bad_integer(draw)
    while name == "seed" and isinstance(value, (int, np.integer)) and value == 0:
        value = bad_integer(draw)  # a seed may be 0
    return value


_KINDS: dict[str, Any] = {
    "usable": usable,
    "odd": odd,
    "windows": windows,
    "series": bad_series,
    "settings": bad_settings,
}
