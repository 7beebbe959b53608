import numpy as np
import pandas as pd
import pytest

from timer_forecaster.failures import Failures
from timer_forecaster.frames.beside import Beside
from timer_forecaster.frames.history import Memory

DAYS = pd.date_range("2024-01-01", periods=12)


def frame(start, stop, **columns):
    return pd.DataFrame({name: list(values) for name, values in columns.items()}, DAYS[start:stop])


def memory(start, stop):
    return Memory.of(frame(start, stop, y=np.arange(start, stop, dtype=float)), 100)


def tables(beside, X, memory, *steps):
    return beside.tables(X, memory, {(): np.array(steps)}, Failures())[()]


def test_columns_stand_on_the_steps_of_the_series():
    series = memory(2, 6)
    beside = Beside.of(frame(0, 8, a=range(8), b="uvuvuvwu"), series, 1)
    np.testing.assert_array_equal(beside.values[()][0], [2, 3, 4, 5, 6])  # one step beyond
    known, past = tables(beside, frame(6, 10, a=range(60, 100, 10)), series, 1, 3)
    np.testing.assert_array_equal(known["a"], [2, 3, 4, 5, 60, 70, 80])
    assert past["b"].tolist() == ["u", "v", "u", "v"]


def test_rows_of_the_forecast_fill_steps_without_a_value():
    series = memory(0, 4)
    beside = Beside.of(frame(0, 4, a=[0, np.nan, 2, 3]), series, 9)
    known, _ = tables(beside, frame(0, 5, a=range(10, 15)), series, 1)
    np.testing.assert_array_equal(known["a"], [0, 11, 2, 3, 14])


@pytest.mark.parametrize(("start", "stop"), [(4, 6), (6, 8), (1, 3)])
def test_an_update_moves_the_columns_with_the_series(start, stop):
    before = memory(0, 4)
    beside = Beside.of(frame(0, 4, a=range(4)), before, 9)
    after = before.updated(frame(start, stop, y=[1.0] * (stop - start)), 5)
    beside = beside.updated(frame(start, stop, a=range(start, stop)), before, after, 9)
    times = after.histories[()].times()
    expected = [DAYS.get_loc(t) if t < DAYS[4] or t >= DAYS[start] else np.nan for t in times]
    n_steps = len(times)
    np.testing.assert_array_equal(beside.values[()][0, :n_steps], expected)


def test_labels_of_categories_are_joined():
    before = memory(0, 4)
    beside = Beside.of(frame(0, 4, a="xyxy"), before, 9)
    after = before.updated(frame(4, 6, y=[1.0, 1.0]), 100)
    beside = beside.updated(frame(4, 6, a=["z", None]), before, after, 9)
    known, _ = tables(beside, frame(6, 8, a="wz"), after, 2)
    assert known["a"].tolist() == ["x", "y", "x", "y", "z", None, "w", "z"]


def test_refusals():
    series = memory(0, 4)
    beside = Beside.of(frame(0, 4, a=range(4)), series, 9)
    with pytest.raises(ValueError, match=r"columns \['b'\], which fit never saw; it saw \['a'\]"):
        tables(beside, frame(4, 5, b=[1]), series, 1)
    with pytest.raises(ValueError, match="X has no row at 2024-01-06 00:00:00"):
        tables(beside, frame(4, 5, a=[1]), series, 1, 2, 3)
    with pytest.raises(TypeError, match="'a' holds categories, and held numbers in fit"):
        tables(beside, frame(4, 5, a=["u"]), series, 1)
    with pytest.raises(ValueError, match="infinite at 2024-01-05"):
        tables(beside, frame(4, 5, a=[np.inf]), series, 1)
    failures = Failures("nan")
    assert beside.tables(frame(4, 5, a=[1]), series, {(): np.array([2])}, failures) == {}
    assert list(failures.reasons) == [()]
