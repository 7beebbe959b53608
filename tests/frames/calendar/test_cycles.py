"""Numbers of weeks, months or hours that begin anew are refused, not sorted."""

import numpy as np
import pandas as pd
import pytest

from timer_forecaster.failures import Failures
from timer_forecaster.frames.panel import Panel


def panel(numbers, ids=None):
    frame = pd.DataFrame({"week": numbers, "y": np.arange(len(numbers)) % 5 + 0.5})
    if ids is not None:
        frame["id"] = ids
    return Panel.of_columns(frame, "week", None if ids is None else "id", ["y"])


def cycle(first, last, start, length):
    size = last - first + 1
    return [first + (start - first + step) % size for step in range(length)]


@pytest.mark.parametrize(
    ("first", "last", "start", "length"),
    [
        (1, 52, 40, 30), (1, 53, 53, 20), (1, 12, 7, 12), (1, 12, 6, 9), (0, 23, 13, 24),
        (1, 365, 300, 200), (1, 31, 20, 28), (0, 11, 6, 12), (1, 4, 3, 4), (1, 48, 10, 47),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["int64", "int16", "Int64", str])
def test_a_cycle_that_begins_anew_is_refused(first, last, start, length, kind):
    numbers = pd.Series(cycle(first, last, start, length)).astype(kind)
    with pytest.raises(
        ValueError, match=rf"time column 'week': after data row .*, {last}, the numbers"
    ):
        panel(numbers)


def test_the_series_is_named():
    numbers = [*range(1, 31), *cycle(1, 52, 40, 30)]
    with pytest.raises(ValueError, match="id 'b': time column 'week': after data row 43, 52, "):
        panel(numbers, ["a"] * 30 + ["b"] * 30)


def test_the_advice_works():
    assert panel(range(40, 70)).grids[0].times.tolist() == list(range(40, 70))
    panel(sorted(cycle(1, 12, 7, 12)))


@pytest.mark.parametrize(
    "numbers",
    [
        list(range(1, 53)),
        list(range(52, 0, -1)),
        [*range(41, 53, 2), *range(1, 40, 2)],
        [*range(40, 51), *range(1, 40)],
        [*range(140, 153), *range(101, 140)],
        [12, 3, 5, 1, 2, 4, 7, 6, 9, 8, 11, 10],
    ],
)
def test_other_orders_of_integers_are_sorted(numbers):
    assert panel(numbers).axes[0].tolist() == sorted(numbers)


def test_the_other_series_are_forecast():
    numbers = [*range(1, 31), *cycle(1, 52, 40, 30)]
    frame = pd.DataFrame({"week": numbers, "y": np.arange(60) % 5 + 0.5})
    frame["id"] = ["a"] * 30 + ["b"] * 30
    failures = Failures("nan")
    Panel.of_columns(frame, "week", "id", ["y"], failures=failures)
    assert list(failures.by_number()) == [1]


def test_each_id_may_count_from_one():
    panel([*range(1, 53), *range(1, 53)], ["a"] * 52 + ["b"] * 52)
