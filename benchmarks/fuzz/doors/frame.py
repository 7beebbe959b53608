"""Frames: ``predict_frame`` on long and wide frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.fuzz.draw import Draw
from benchmarks.fuzz.inputs.options import as_integer, bad_integer, bad_levels, some_levels
from benchmarks.fuzz.inputs.tables import Truth, some_table
from benchmarks.fuzz.inputs.times import same_times
from benchmarks.fuzz.laws import tolerance
from benchmarks.fuzz.oracle import (
    Broken,
    Outcome,
    ask,
    brief,
    may_refuse,
    must_answer,
    must_refuse,
    require,
    require_close,
    require_equal,
)
from benchmarks.fuzz.product import Product


def case(draw: Draw, product: Product) -> Outcome:
    """Ask for the forecast of a frame, and compare with arrays and times."""
    kind = draw.weighted(
        {"usable": 52, "spoiled": 25, "future": 8, "codes": 8, "one row": 3, "unasked": 4}
    )
    draw.note(kind=kind)
    return _KINDS[kind](draw, product)


def usable(draw: Draw, product: Product) -> Outcome:
    """Ask for a usable frame."""
    horizon, levels = draw.integer(1, 12), some_levels(draw)
    truth = some_table(draw, horizon)
    frame, arguments = _with_types(draw, truth), truth.arguments()
    if truth.freq is not None and draw.chance(0.3):
        arguments["freq"] = truth.freq
    if draw.chance(0.2):
        frame = _with_index(draw, frame, truth)
    elif draw.chance(0.2):
        frame, arguments = _in_library(draw, frame, truth, arguments)
    draw.note(horizon=horizon, freq=arguments.get("freq"))
    steps = as_integer(draw, horizon)
    outcome = ask(lambda: product.pipe.predict_frame(frame, steps, levels=levels, **arguments))
    what = described(truth, draw.notes["type"])
    if draw.notes["type"] != "objects of periods":
        must_answer(outcome, what)
    if may_refuse(outcome, what, [repr(truth.time)]) is not None:
        check_table(outcome.value, truth, levels, product, what)
    return outcome


def described(truth: Truth, kind: str) -> str:
    """Return what is special about the times of a frame."""
    if truth.label.startswith("closed"):
        return truth.label
    return (
        truth.label if kind == "stamps" else f"{kind} in a zone" * ("zone" in truth.label) or kind
    )


def check_table(
    table: Any, truth: Truth, levels: list[float], product: Product, what: str = "frame"
) -> None:
    """Check the columns, ids, targets, times and numbers of a forecast."""
    horizon = len(next(iter(truth.clocks.values())).future)
    names = [] if truth.id_column is None else [truth.id_column]
    columns = [*names, "target", truth.time, *(f"q{level:.12g}" for level in levels)]
    require_equal(list(table.columns), columns, "frame: columns")
    n_series = len(truth.ids) * len(truth.targets)
    require(len(table) == n_series * horizon, "frame: number of rows", f"{len(table)}")
    if truth.id_column is not None:
        wanted = [key for key in truth.ids for _ in range(len(truth.targets) * horizon)]
        require_equal(table[truth.id_column], wanted, "frame: ids")
    targets = [name for _ in truth.ids for name in truth.targets for _ in range(horizon)]
    require_equal(table["target"], targets, "frame: targets")
    check_times(table, truth, horizon, what)
    check_numbers(table, truth, levels, product, what)


def check_times(table: Any, truth: Truth, horizon: int, what: str) -> None:
    """Check that the times of a forecast continue the times of each series."""
    got = pd.Index(table[truth.time])
    for i, (key, _target) in enumerate((k, t) for k in truth.ids for t in truth.targets):
        own, wanted = got[i * horizon : (i + 1) * horizon], truth.clocks[key].future
        if not same_times(own, wanted):
            raise Broken(f"times: {what}", f"{list(own[:3])}, not {list(wanted[:3])}")


def check_numbers(
    table: Any, truth: Truth, levels: list[float], product: Product, what: str
) -> None:
    """Check that the numbers of a forecast are the forecast of the arrays."""
    series = truth.series()
    horizon = len(table) // len(series)
    forecast = product.pipe.predict(series, horizon)
    for level in levels:
        got = table[f"q{level:.12g}"].to_numpy().reshape(len(series), horizon)
        wanted = forecast.quantile(level)
        limits = np.array([10 * tolerance(values) for values in series])[:, None]
        require_close(got, wanted, limits, f"law: frame = arrays ({what})")


def _with_types(draw: Draw, truth: Truth) -> pd.DataFrame:
    """Give a target another type that holds its values."""
    frame, name = truth.frame.copy(), draw.pick(truth.targets)
    kind = draw.pick(["as it is", "as it is", "Float64", "object", "double[pyarrow]", "None"])
    if kind == "object":
        frame[name] = frame[name].astype(object)
    elif kind == "None":
        frame[name] = pd.Series([None if np.isnan(v) else v for v in frame[name]], dtype=object)
    elif kind != "as it is":
        frame[name] = frame[name].astype(kind)
    draw.note(target_type=kind)
    return frame


def _with_index(draw: Draw, frame: pd.DataFrame, truth: Truth) -> pd.DataFrame:
    """Move the time, and perhaps the id, to the index."""
    draw.note(index=True)
    if truth.id_column is not None and draw.chance(0.5):
        return frame.set_index([truth.id_column, truth.time])
    return frame.set_index(truth.time)


def _in_library(
    draw: Draw, frame: pd.DataFrame, truth: Truth, arguments: dict[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """Return the frame as a table of another library, or with names of two levels."""
    library = draw.pick(["pyarrow", "xarray", "two levels"])
    if library == "two levels":
        draw.note(library=library)
        return _of_two_levels(frame, truth, arguments)
    plain = all(isinstance(name, str) for name in frame.columns)
    same = len({type(key) for key in truth.ids}) == 1
    odd = ("categories", "periods", "objects of periods", "objects of stamps", "datetimes")
    if not plain or not same or draw.notes["type"] in odd or draw.notes["target_type"] == "object":
        return frame, arguments
    draw.note(library=library)
    if library == "pyarrow":
        import pyarrow as pa

        return pa.Table.from_pandas(frame), arguments
    import xarray as xr

    columns = {name: ("row", frame[name].to_numpy()) for name in frame.columns}
    return xr.Dataset(columns), arguments


def _of_two_levels(
    frame: pd.DataFrame, truth: Truth, arguments: dict[str, Any]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the frame with names such as ``("load", "A")``, and the others in the first level."""
    new = {name: (name, "A") for name in truth.targets}
    names = [new.get(name, (name, "")) for name in frame.columns]
    frame = frame.set_axis(pd.MultiIndex.from_tuples(names), axis=1)
    truth.targets = list(new.values())
    truth.values = {(key, new[name]): own for (key, name), own in truth.values.items()}
    return frame, {**arguments, "target_columns": truth.targets}


def future(draw: Draw, product: Product) -> Outcome:
    """Leave the newest values empty: they are what is asked for, or refused by name."""
    horizon, levels = draw.integer(1, 6), [0.5]
    truth = some_table(
        draw, horizon, kind=draw.pick(["fixed", "calendar", "integer"]), gaps=False, types=False
    )
    frame, count = truth.frame.copy(), draw.integer(1, 5)
    chosen = truth.targets if draw.chance(0.5) else [draw.pick(truth.targets)]
    draw.note(empty=chosen, count=count)
    ends = {key: clock.history[-count] for key, clock in truth.clocks.items()}
    keys = [None] * len(frame) if truth.id_column is None else list(frame[truth.id_column])
    times = _places(truth, frame)
    late = np.array([times[i] >= ends[key] for i, key in enumerate(keys)])
    frame.loc[late, chosen] = np.nan
    outcome = ask(
        lambda: product.pipe.predict_frame(frame, horizon, levels=levels, **truth.arguments())
    )
    for key in truth.ids:
        for target in chosen:
            truth.values[key, target][-count:] = np.nan
    empty = [k for k, values in truth.values.items() if np.isnan(values).all()]
    if empty:
        must_refuse(outcome, "no value before the future rows", map(repr, chosen))
    else:
        must_answer(outcome, "future rows")
        _check_future(outcome.value, truth, horizon, product)
    return outcome


def _places(truth: Truth, frame: pd.DataFrame) -> list[Any]:
    """Return the times of a frame's rows as the type of the clocks."""
    clock = next(iter(truth.clocks.values()))
    if isinstance(clock.history, pd.DatetimeIndex):
        return list(pd.to_datetime(pd.Series(list(frame[truth.time]))))
    return [int(one) for one in frame[truth.time]]


def _check_future(table: Any, truth: Truth, horizon: int, product: Product) -> None:
    """Check that each forecast continues its series after the last observed value."""
    got, short = pd.Index(table[truth.time]), {}
    for i, (key, target) in enumerate((k, t) for k in truth.ids for t in truth.targets):
        clock, values = truth.clocks[key], truth.values[key, target]
        times = clock.history.append(clock.future)
        start = int(np.flatnonzero(~np.isnan(values))[-1]) + 1
        short[key, target] = values[:start]
        own, wanted = got[i * horizon : (i + 1) * horizon], times[start : start + horizon]
        if list(own) != list(wanted):
            raise Broken("future rows: wrong times", f"{list(own[:2])}, not {list(wanted[:2])}")
    truth.values = short
    check_numbers(table, truth, [0.5], product, "future rows")


def unasked(draw: Draw, product: Product) -> Outcome:
    """Name no target: parts of the date, row numbers and constants are not forecast."""
    times = pd.date_range("2023-11-20", periods=draw.integer(40, 90), freq=draw.pick(["h", "D"]))
    n = len(times)
    columns: dict[str, Any] = {
        "year": times.year, "month": times.month, "day": times.day, "weekday": times.dayofweek,
        "hour": times.hour, "row": np.arange(n), "number": np.arange(1, n + 1),
        "constant": np.full(n, 3.5), "empty": np.full(n, np.nan),
    }  # fmt: skip
    if draw.chance(0.2):
        return _attribute(draw, product, times)
    name = draw.pick(list(columns))
    frame = pd.DataFrame({"t": times, "y": draw.rng.normal(size=n).round(3), name: columns[name]})
    frame = frame[[frame.columns[i] for i in draw.order(3)]]
    draw.note(name=name, n=n)
    outcome = ask(lambda: product.pipe.predict_frame(frame, 2, time_column="t"))
    must_answer(outcome, f"unasked {name}")
    require(set(outcome.value["target"]) == {"y"}, f"unasked: {name} is forecast")
    told = any(repr(name) in message for message in outcome.warnings)
    require(told or name == "empty", f"unasked: {name} is left out silently")
    return outcome


def _attribute(draw: Draw, product: Product, times: pd.DatetimeIndex) -> Outcome:
    """Name no target of a frame with ids: a number that each id has one of is not forecast."""
    n, ids = len(times), draw.pick([["a", "b"], [7, 3, 5]])
    sizes = dict(zip(ids, draw.rng.permutation(len(ids)) * 10.5 + 3, strict=True))
    parts = [
        pd.DataFrame({"id": key, "t": times, "size": sizes[key], "y": draw.rng.normal(size=n)})
        for key in ids
    ]
    frame = pd.concat(parts)
    draw.note(name="attribute", ids=ids)
    outcome = ask(
        lambda: product.pipe.predict_frame(frame, 2, time_column="t", id_column="id", levels=[0.5])
    )
    table = must_answer(outcome, "attribute of ids")
    require(set(table["target"]) == {"y"}, "unasked: an attribute of ids is forecast")
    told = any("'size'" in message for message in outcome.warnings)
    require(told, "unasked: an attribute of ids is left out silently")
    return outcome


CODES = {
    "%Y%m%d": "D", "%Y%m": "MS", "%Y": "YS", "%Y%m%d%H": "h", "%Y%m%d%H%M": "15min",
    "%Y%m%d%H%M%S": "h", "%Y%j": "D", "%G%V": "W-MON", "%y%m%d": "D", "%y%m": "MS",
    "%d%m%Y": "D", "%m%d%Y": "D", "quarter": "QS-JAN", "seconds": "h", "milliseconds": "D",
}  # fmt: skip
TEXTS = {
    "%d.%m.%Y": "D", "%m/%d/%Y": "D", "%d %b %Y": "D", "%b %d, %Y": "D", "%b-%y": "MS",
    "%B %Y": "MS", "%Y-%m": "MS", "%Y/%m/%d": "D", "%Y-%m-%dT%H:%M:%SZ": "h",
    "%m/%d/%Y %I:%M %p": "h", "%d.%m.%y": "D", "%YQ": "QS-JAN", "%Y-W": "W-MON",
    "%d-%b-%Y": "D", "%Y.%m.%d": "D", "%d/%m/%Y %H:%M": "h", "%A, %d %B %Y": "D",
    "%Y-%m-%d %H": "h", "%m/%Y": "MS", "%Y%m%dT%H%M%S": "h", "%d%b%Y": "D", "%b %Y": "MS",
    "%H:%M:%S": "h", "%b %d": "D", "%B": "MS", "%d.%m.": "D", "%A": "D",
}  # fmt: skip
SURE = (
    "%Y%m%d", "%Y%m%d%H", "%Y%m%d%H%M", "%Y%m%d%H%M%S", "%d %b %Y", "%b %d, %Y", "%B %Y", "%Y-%m",
    "%Y/%m/%d", "%Y-%m-%dT%H:%M:%SZ", "%YQ", "%Y-W", "%d-%b-%Y", "%b %Y",
)  # fmt: skip
"""Notations that have one reading, whatever the dates."""

WITHOUT_DATE = ("%H:%M:%S", "%b %d", "%B", "%d.%m.", "%A")
"""Notations that lack the day or the year: nothing can be counted on."""


def codes(draw: Draw, product: Product) -> Outcome:
    """Ask for times in a notation: they are read as dates, counted on rightly, or refused."""
    notation = draw.pick([*CODES, *TEXTS])
    freq = {**CODES, **TEXTS}[notation]
    n, horizon = draw.integer(15, 50), draw.integer(1, 20)
    start = draw.pick(["2024-01-01", "2023-11-01", "2022-02-01"])
    times = pd.date_range(start, periods=n + horizon, freq=freq)
    written = write_times(times, notation)
    if notation in WITHOUT_DATE and len(set(written[:n])) < n:
        written = written[:5] * 1
        n, times = 4, times[: 4 + horizon]
    column: Any = written[:n]
    if notation in CODES and draw.chance(0.6):
        column = [int(text) for text in column]
    frame = pd.DataFrame({"t": column, "y": np.round(draw.rng.normal(size=n), 2)})
    draw.note(notation=notation, n=n, horizon=horizon, integers=isinstance(column[0], int))
    outcome = ask(lambda: product.pipe.predict_frame(frame, horizon, time_column="t"))
    fault = f"notation {notation}"
    if notation in WITHOUT_DATE:
        must_refuse(outcome, fault, ["t"])
        return outcome
    if notation in SURE:
        must_answer(outcome, fault)
    if may_refuse(outcome, fault, ["'t'", "time", "freq"]) is not None:
        _check_codes(list(outcome.value["t"]), times[n:], notation)
    return outcome


def write_times(times: pd.DatetimeIndex, notation: str) -> list[str]:
    """Write times in a notation."""
    if notation == "%YQ":
        return [f"{time.year}Q{time.quarter}" for time in times]
    if notation == "quarter":
        return [f"{time.year}{time.quarter}" for time in times]
    if notation in ("seconds", "milliseconds"):
        unit = {"seconds": "s", "milliseconds": "ms"}[notation]
        return [str(number) for number in times.as_unit(unit).asi8]
    if notation == "%Y-W":
        return ["{}-W{:02}".format(*time.isocalendar()[:2]) for time in times]
    return list(times.strftime(notation))


def _check_codes(got: list[Any], wanted: pd.DatetimeIndex, notation: str) -> None:
    """Accept dates, periods that begin with them, or the same codes as integers."""
    right = list(wanted)
    if isinstance(got[0], (int, np.integer)):
        right = [int(text) for text in write_times(wanted, notation)]
    elif isinstance(got[0], pd.Period):
        got = [period.start_time for period in got]
    elif got[0].tz is not None:
        got = [time.tz_localize(None) for time in got]
    bad = [i for i, (one, other) in enumerate(zip(got, right, strict=True)) if one != other]
    if bad:
        raise Broken(f"times: notation {notation}", f"{got[bad[0]]}, not {right[bad[0]]}")


def one_row(draw: Draw, product: Product) -> Outcome:
    """Ask for few rows: with ``freq`` they are forecast, without it one row is refused."""
    horizon, n = draw.integer(1, 4), draw.integer(1, 3)
    freq = draw.pick(["h", "D", "MS", "W-MON"])
    times = pd.date_range("2024-01-01", periods=n + horizon, freq=freq)
    frame = pd.DataFrame({"t": times[:n], "y": draw.rng.normal(size=n)})
    given = draw.pick([None, freq])
    draw.note(n=n, freq=freq, given=given)
    outcome = ask(lambda: product.pipe.predict_frame(frame, horizon, time_column="t", freq=given))
    if given is not None:
        must_answer(outcome, "few rows with freq")
    elif n == 1:
        must_refuse(outcome, "one row without freq", ["freq"])
    elif may_refuse(outcome, "few rows", ["freq", "'t'"]) is None:
        return outcome
    if outcome.error is None and (given is not None or freq in ("h", "D")):
        require(list(outcome.value["t"]) == list(times[n:]), f"times: few rows of {freq}")
    return outcome


Spoil = Callable[[Draw, Truth, dict[str, Any]], tuple[str, list[Any]]]


def _bad_value(draw: Draw, truth: Truth, question: dict[str, Any]) -> tuple[str, list[Any]]:
    name = draw.pick(truth.targets)
    row, value = draw.integer(0, len(truth.frame) - 1), draw.pick([np.inf, -np.inf])
    question["frame"][name] = question["frame"][name].astype(float)
    question["frame"].iloc[row, list(question["frame"].columns).index(name)] = value
    return "an infinite value", [repr(name)]


def _bad_type(draw: Draw, truth: Truth, question: dict[str, Any]) -> tuple[str, list[Any]]:
    name, n = draw.pick(truth.targets), len(truth.frame)
    kinds = {
        "complex": np.arange(n) + 1j,
        "durations": pd.to_timedelta(np.arange(n), unit="h"),
        "Arrow durations": pd.Series(pd.to_timedelta(np.arange(n), unit="h")).astype(
            "duration[ns][pyarrow]"
        ).array,
        "dates": pd.date_range("2024-01-01", periods=n),
        "Arrow dates": pd.Series(pd.date_range("2024-01-01", periods=n)).astype(
            "date32[pyarrow]"
        ).array,
        "objects of dates": pd.Series(pd.date_range("2024", periods=n)).astype(object).array,
        "objects of durations": pd.Series(pd.to_timedelta(np.arange(n), "h")).astype(object).array,
        "texts": np.array(["x"] * n, dtype=object),
        "one text": np.array([*map(str, range(n - 1)), "closed"], dtype=object),
        "lists": pd.Series([[1.0, 2.0]] * n),
        "periods": pd.period_range("2024", periods=n, freq="D"),
    }  # fmt: skip
    kind = draw.pick(list(kinds))
    question["frame"][name] = kinds[kind]
    return f"a target of {kind}", [repr(name)]


def _empty_target(draw: Draw, truth: Truth, question: dict[str, Any]) -> tuple[str, list[Any]]:
    name = draw.pick(truth.targets)
    question["frame"][name] = draw.pick([np.nan, None])
    return "a target without values", [repr(name)]


def _missing_time(draw: Draw, truth: Truth, question: dict[str, Any]) -> tuple[str, list[Any]]:
    row = draw.integer(0, len(truth.frame) - 1)
    column = question["frame"][truth.time].astype(object)
    column.iloc[row] = None
    question["frame"][truth.time] = column
    return "a row without time", [repr(truth.time)]


def _repeated_time(draw: Draw, truth: Truth, question: dict[str, Any]) -> tuple[str, list[Any]]:
    frame = question["frame"]
    row = draw.integer(0, len(frame) - 1)
    question["frame"] = pd.concat([frame, frame.iloc[[row]]], ignore_index=True)
    return "a time that is there twice", ["more than once", "twice", "repeated", "duplicate"]


def _bad_time(draw: Draw, truth: Truth, question: dict[str, Any]) -> tuple[str, list[Any]]:
    n = len(truth.frame)
    kinds: dict[str, Any] = {
        "texts": [f"day {i}" for i in range(n)],
        "booleans": [i % 2 == 0 for i in range(n)],
        "fractions": np.arange(n) + 0.5,
        "infinite": np.where(np.arange(n) == 3, np.inf, np.arange(n)),
        "durations": pd.to_timedelta(np.arange(n), unit="h"),
        "complex": np.arange(n) + 1j,
        "lists": [[i] for i in range(n)],
        "mixed": [*range(n - 1), "2024-01-01"],
        "too large": [10**30 + i for i in range(n)],
        "impossible dates": ["2024-02-30"] * n,
    }
    kind = draw.pick(list(kinds))
    question["frame"][truth.time] = pd.Series(kinds[kind], index=question["frame"].index)
    return f"times of {kind}", [repr(truth.time), "time"]


def _absent_column(draw: Draw, truth: Truth, question: dict[str, Any]) -> tuple[str, list[Any]]:
    name = draw.pick(["time_column", "id_column", "target_columns"])
    value = draw.pick(["absent", ("no", "such"), 99])
    question[name] = [value] if name == "target_columns" else value
    return f"{name} that is not there", [name]


def _bad_argument(draw: Draw, truth: Truth, question: dict[str, Any]) -> tuple[str, list[Any]]:
    name = draw.pick(["levels", "horizon", "freq", "target_columns", "frame", "time_column"])
    if name == "levels":
        question[name] = bad_levels(draw)
    elif name == "horizon":
        question[name] = bad_integer(draw)
    elif name == "freq":
        question[name] = draw.pick(
            ["nonsense", "-1D", 0, -3, 2.5, [], "", "0h", object(), "1 fortnight"]
        )
    elif name == "target_columns":
        twice = [truth.targets[0]] * 2
        question[name] = draw.pick([[], twice, 5.5, [None], {}, [truth.time], "", np.nan, [[1]]])
    elif name == "frame":
        question[name] = draw.pick([None, [1, 2], {"a": [1]}, np.zeros((3, 2)), "data.csv", 5])
    else:
        question[name] = draw.pick([None, np.nan, [], [truth.time], {}, 1.5, "", b"time"])
    draw.note(argument=name, value=question[name] if name != "frame" else "")
    return f"{name} that cannot be used", [name]


def _no_rows(draw: Draw, truth: Truth, question: dict[str, Any]) -> tuple[str, list[Any]]:
    question["frame"] = question["frame"].iloc[:0]
    return "no rows", ["frame", "rows"]


def _same_names(draw: Draw, truth: Truth, question: dict[str, Any]) -> tuple[str, list[Any]]:
    frame = question["frame"]
    name = draw.pick(list(frame.columns))
    question["frame"] = pd.concat([frame, frame[[name]]], axis=1)
    return "a column that is there twice", [repr(name)]


def _no_id(draw: Draw, truth: Truth, question: dict[str, Any]) -> tuple[str, list[Any]]:
    if truth.id_column is None:
        question["id_column"] = truth.time
        return "the time as id", ["id_column"]
    column = question["frame"][truth.id_column].astype(object)
    column.iloc[draw.integer(0, len(column) - 1)] = draw.pick([None, np.nan])
    question["frame"][truth.id_column] = column
    return "a row without id", [repr(truth.id_column)]


def _irregular(draw: Draw, truth: Truth, question: dict[str, Any]) -> tuple[str, list[Any]]:
    n = len(question["frame"])
    minutes = np.cumsum(draw.rng.permutation(np.arange(1, n + 1)) * 7 + 1)
    question["frame"][truth.time] = pd.Timestamp("2024-01-01") + pd.to_timedelta(
        minutes, unit="min"
    )
    question["id_column"] = None
    return "irregular times", ["freq", repr(truth.time)]


SPOILS: tuple[Spoil, ...] = (
    _bad_value, _bad_type, _bad_type, _empty_target, _missing_time, _repeated_time, _bad_time,
    _absent_column, _bad_argument, _bad_argument, _no_rows, _same_names, _no_id, _irregular,
)  # fmt: skip


def spoiled(draw: Draw, product: Product) -> Outcome:
    """Spoil one thing of a question: the error names it."""
    truth = some_table(
        draw, 3, kind=draw.pick(["fixed", "calendar", "integer", "period"]), types=False
    )
    question = {"frame": truth.frame.copy(), "horizon": 3, **truth.arguments()}
    spoil = draw.pick(SPOILS)
    fault, names = spoil(draw, truth, question)
    draw.note(fault=fault)
    outcome = ask(lambda: product.pipe.predict_frame(**question))
    draw.note(answer=brief(outcome.value, 80))
    must_refuse(outcome, fault, names)
    return outcome


_KINDS: dict[str, Any] = {
    "usable": usable,
    "spoiled": spoiled,
    "future": future,
    "codes": codes,
    "one row": one_row,
    "unasked": unasked,
}
