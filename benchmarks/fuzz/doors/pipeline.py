"""The pipeline: arrays in, quantiles out."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.fuzz.draw import Draw
from benchmarks.fuzz.inputs.containers import BAD, MAY, MUST
from benchmarks.fuzz.inputs.options import (
    as_integer,
    bad_integer,
    bad_option,
    some_horizon,
    some_options,
)
from benchmarks.fuzz.inputs.values import Floats, level, some_series, unusable
from benchmarks.fuzz.laws import (
    LAWS,
    Question,
    check_answer,
    check_constant,
    check_levels,
    tolerances,
)
from benchmarks.fuzz.oracle import (
    Outcome,
    ask,
    may_refuse,
    must_answer,
    must_refuse,
    require_close,
)
from benchmarks.fuzz.product import LONGEST, Product

_LARGEST = 1e300  # beyond, a forecast may overflow, which has to be an error


def case(draw: Draw, product: Product) -> Outcome:
    """Ask the pipeline, and compare with the laws and with the plain arrays."""
    kind = draw.weighted(
        {"law": 50, "type": 25, "unusable": 8, "option": 7, "unusual": 5, "bad": 5}
    )
    draw.note(kind=kind)
    return _KINDS[kind](draw, product)


def law(draw: Draw, product: Product) -> Outcome:
    """Ask for usable series, and compare the answer with another one."""
    series = some_batch(draw)
    horizon, options = some_horizon(draw), some_options(draw)
    outcome = answer(draw, product, series, series, horizon, options)
    if outcome.error is None:
        predict, quantiles = product.pipe.predict, outcome.value.quantiles
        name = draw.pick(LAWS)
        draw.note(law=name)
        getattr(Question(predict, series, horizon, options, quantiles), name)(draw)
        if draw.chance(0.2):
            check_levels(draw, outcome.value)
    return outcome


def some_batch(draw: Draw) -> list[Floats]:
    """Return one to four usable series."""
    series = [some_series(draw) for _ in range(draw.integer(1, draw.pick([1, 1, 2, 4])))]
    draw.note(lengths=[len(values) for values in series], newest=series[0][-3:])
    return series


def answer(
    draw: Draw, product: Product, given: Any, series: list[Floats], horizon: Any, options: Any
) -> Outcome:
    """Ask for series that are usable as far as `options` read them, and check the answer."""
    draw.note(horizon=horizon, options=options)
    pipe = product.pipe
    if draw.chance(0.05):
        pipe = product.pipeline(draw.pick(["float32", "bfloat16"]))
    outcome = ask(lambda: pipe.predict(given, horizon, **options))
    used = [values[-int(options.get("context_length", 10**6)) :] for values in series]
    fault = unread(used)
    if fault:
        must_refuse(outcome, *fault)
    elif max(map(level, series)) > _LARGEST:
        if may_refuse(outcome, "too large values", ["series"]) is None:
            return outcome
    else:
        must_answer(outcome, described(draw, options))
    if outcome.error is None:
        quantiles = check_answer(outcome.value, len(series), int(horizon))
        check_constant(used, quantiles)
        if pipe is not product.pipe:  # the laws compare answers in float64
            outcome = ask(lambda: product.pipe.predict(given, horizon, **options))
    return outcome


def described(draw: Draw, options: Any) -> str:
    """Return what is special about a question."""
    kind = type(options.get("context_length", 1)).__name__
    if kind != "int":
        return f"context_length of type {kind}"
    return str(draw.notes.get("container", "usable input"))


def unread(used: list[Floats]) -> tuple[str, list[str]] | None:
    """Return why a series cannot be forecast, and its name in the error."""
    for i, values in enumerate(used):
        if np.isnan(values[-LONGEST:]).all():
            return "no observed value", [f"series[{i}]"]
    return None


def types(draw: Draw, product: Product) -> Outcome:
    """Ask in containers that must be read, and compare with plain arrays."""
    if draw.chance(0.25):
        return table(draw, product)
    given, series, mixed = [], some_batch(draw), draw.chance(0.2)
    name = draw.pick(list(MUST))
    draw.note(container="several kinds" if mixed else name)
    for values in series:
        made = MUST[draw.pick(list(MUST)) if mixed else name](values)
        given.append(values if made is None else made)
    together: Any = tuple(given) if draw.chance(0.2) else given
    if len(given) == 1 and draw.chance(0.5):
        together = given[0]
    elif draw.chance(0.1):
        together = {f"k{i}": one for i, one in enumerate(given)}
        draw.note(container=f"dict of {draw.notes['container']}")
    return compared(draw, product, together, series)


def table(draw: Draw, product: Product) -> Outcome:
    """Ask for several series in one table of two dimensions."""
    n, rows = draw.integer(2, 80), draw.integer(1, 4)
    series = [some_series(draw, n) for _ in range(rows)]
    array = np.stack(series)
    name = draw.pick(["array", "lists", "tensor", "masked", "objects", "ragged objects", "fortran"])
    draw.note(container=f"table of {name}", shape=array.shape)
    return compared(draw, product, _as_table(name, array), series)


def _as_table(name: str, array: Floats) -> Any:
    if name == "lists":
        return array.tolist()
    if name == "tensor":
        import torch

        return torch.tensor(array)
    if name == "masked":
        return np.ma.MaskedArray(np.nan_to_num(array, nan=-9.0), mask=np.isnan(array))
    if name == "objects":
        return array.astype(object)
    if name == "ragged objects":
        ragged = np.empty(len(array), dtype=object)
        ragged[:] = list(array)
        return ragged
    return np.asfortranarray(array) if name == "fortran" else array


def compared(draw: Draw, product: Product, given: Any, series: list[Floats]) -> Outcome:
    """Ask in a container, and compare with plain arrays."""
    horizon = as_integer(draw, some_horizon(draw))
    outcome = answer(draw, product, given, series, horizon, some_options(draw))
    if outcome.error is None:
        options = draw.notes["options"]
        wanted = product.pipe.predict(series, int(horizon), **options).quantiles
        require_close(outcome.value.quantiles, wanted, tolerances(series), "law: types")
    return outcome


def unusable_series(draw: Draw, product: Product) -> Outcome:
    """Spoil one series of several: the error names it."""
    series = some_batch(draw)
    place = draw.integer(0, len(series) - 1)
    series[place], fault = unusable(draw, series[place])
    draw.note(fault=fault, place=place)
    names = [f"series[{place}]"] if len(series) > 1 else ["series"]
    given = series if len(series) > 1 or draw.chance(0.5) else series[0]
    outcome = ask(lambda: product.pipe.predict(given, some_horizon(draw)))
    must_refuse(outcome, fault, names)
    return outcome


def bad_options(draw: Draw, product: Product) -> Outcome:
    """Spoil an option: the error names it."""
    series, horizon, options = some_batch(draw), some_horizon(draw), some_options(draw)
    if draw.chance(0.4):
        name = "horizon"
        value = draw.pick([10**12, 10**20]) if draw.chance(0.05) else bad_integer(draw)
        draw.note(horizon=value)
        call = lambda: product.pipe.predict(series, value, **options)  # noqa: E731
        outcome = ask(call)
    else:
        name, value = bad_option(draw)
        draw.note(option=name, value=value)
        outcome = ask(lambda: product.pipe.predict(series, horizon, **{**options, name: value}))
    must_refuse(outcome, f"{name} that cannot be used", [name])
    return outcome


def unusual(draw: Draw, product: Product) -> Outcome:
    """Ask in an unusual container: it is read rightly or refused."""
    values, name = some_series(draw), draw.pick(list(MAY))
    made = MAY[name](values)
    if made is None:
        return law(draw, product)
    alone, horizon = draw.chance(0.5), draw.integer(1, 8)
    draw.note(container=name, alone=alone, newest=values[-3:])
    outcome = ask(lambda: product.pipe.predict(made if alone else [made], horizon))
    if level(values) > _LARGEST:
        may_refuse(outcome, "too large values", ["series"])
    elif may_refuse(outcome, f"container {name}", ["series"]) is not None:
        quantiles = check_answer(outcome.value, 1, horizon)
        wanted = product.pipe.predict(values, horizon).quantiles
        require_close(quantiles, wanted, tolerances([values]), f"law: container {name}")
    return outcome


def bad_container(draw: Draw, product: Product) -> Outcome:
    """Ask for something that is no series."""
    values, name = some_series(draw, draw.integer(3, 12)), draw.pick(list(BAD))
    made = BAD[name](values)
    if draw.chance(0.4) and name not in ("empty list", "no rows", "nested", "nested wrongly"):
        made = [values, made]
    draw.note(container=name)
    outcome = ask(lambda: product.pipe.predict(made, 4))
    must_refuse(outcome, f"container {name}", ["series"])
    return outcome


_KINDS: dict[str, Any] = {
    "law": law,
    "type": types,
    "unusable": unusable_series,
    "option": bad_options,
    "unusual": unusual,
    "bad": bad_container,
}
