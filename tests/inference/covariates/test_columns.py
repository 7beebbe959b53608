"""Tables of covariates: containers, alignment, categories and errors by name."""

import functools

import numpy as np
import pandas as pd
import pytest

from timer_forecaster import ForecastPipeline
from timer_forecaster.backtesting import backtest
from timer_forecaster.failures import Failures
from timer_forecaster.inference.covariates.columns import as_covariates


def known_of(table, length=5, horizon=2, categories=()):
    return as_covariates([table], None, categories, [length], horizon, Failures())[0].known


@pytest.mark.parametrize(
    "table",
    [
        np.arange(7.0)[:, None],
        np.arange(7.0),
        {0: list(range(7))},
        pd.DataFrame({0: np.arange(7)}),
        pd.DataFrame({0: pd.array(range(7), dtype="Int64")}),
    ],
)
def test_containers_read_alike(table):
    (column,) = known_of(table)
    assert column.name == 0 and column.labels is None
    np.testing.assert_array_equal(column.values, np.arange(7.0))


def test_tables_end_with_the_horizon():
    (longer,) = known_of(np.arange(9.0))
    np.testing.assert_array_equal(longer.values, np.arange(2.0, 9.0))
    (shorter,) = known_of(np.arange(4.0))
    np.testing.assert_array_equal(shorter.values, [np.nan, np.nan, np.nan, 0, 1, 2, 3])


@pytest.mark.parametrize(
    "values",
    [
        pd.Series(["b", None, "a", "b", "a", "b", "a"]),
        pd.Series(["b", None, "a", "b", "a", "b", "a"], dtype="category"),
        pd.Series(["b", None, "a", "b", "a", "b", "a"], dtype="string"),
        np.array(["b", None, "a", "b", "a", "b", "a"], dtype=object),
    ],
)
def test_texts_are_categories(values):
    (column,) = known_of({"kind": values})
    assert column.labels == ("a", "b")
    np.testing.assert_array_equal(column.values, [1, np.nan, 0, 1, 0, 1, 0])


def test_numbers_are_categories_where_they_are_named():
    (column,) = known_of({"store": [7, 7, 9, 9, 7, 7, 9]}, categories=["store"])
    assert column.labels == ("7", "9")


@pytest.mark.parametrize(
    ("known", "past", "words"),
    [
        ([np.arange(1.0)], None, r"known\[0\] column 0 has 1 rows; .* 2 steps"),
        ([np.r_[np.arange(5.0), np.nan, np.nan]], None, r"column 0 has no value in the horizon"),
        ([{"x": [1, 2, 3, 4, 5, np.inf, 2]}], None, r"known\[0\] column 'x' is infinite at row 5"),
        ([{"x": np.arange(7.0)}], [{"x": np.arange(5.0)}], "column 'x' .* in known and in past"),
        ([np.zeros((2, 2, 2))], None, r"known\[0\] has shape \(2, 2, 2\)"),
        ([np.arange(7.0)] * 2, None, "known has 2 tables for 1 series"),
        ([pd.DataFrame(np.ones((7, 2)), columns=["a", "a"])], None, "two columns 'a'"),
    ],
)
def test_errors_name_the_column(known, past, words):
    pipe = ForecastPipeline.from_pretrained("timer-s1-test", device="cpu")
    with pytest.raises(ValueError, match=words):
        pipe.predict(np.arange(5.0) ** 2, 2, known=known, past=past)


def test_types_are_refused_by_name():
    pipe = ForecastPipeline.from_pretrained("timer-s1-test", device="cpu")
    with pytest.raises(TypeError, match="known has type str"):
        pipe.predict(np.arange(5.0), 2, known="price")
    with pytest.raises(TypeError, match=r"known\[0\] column 'day'.*dates"):
        pipe.predict(np.arange(5.0), 2, known=[{"day": pd.date_range("2024", periods=7)}])
    with pytest.raises(ValueError, match=r"categories=.'shop'. are no columns"):
        pipe.predict(np.arange(5.0), 2, known=[{"x": np.arange(7.0)}], categories=["shop"])


def test_columns_of_a_table_have_the_same_rows():
    words = r"known\[0\] column 'b' has 5 rows, and column 'a' has 7; give all columns"
    with pytest.raises(ValueError, match=words):
        known_of({"a": np.arange(7.0), "b": np.arange(5.0)})
    days = pd.date_range("2024-01-01", periods=7)
    a, b = pd.Series(np.arange(7.0), days), pd.Series(np.arange(5.0), days[2:])
    np.testing.assert_array_equal(known_of({"a": a, "b": b})[1].values[2:], b)
    with pytest.raises(ValueError, match=words):
        known_of({"a": a, "b": b.set_axis(days[:5])})


def test_names_of_categories_are_checked_at_each_door():
    pipe = ForecastPipeline.from_pretrained("timer-s1-test", device="cpu")
    random = np.random.default_rng(0)
    y = random.normal(size=40)
    known = {"code": random.integers(0, 3, size=45)}
    for given in ([y, y], [["q", "w"], y]):
        with pytest.raises(ValueError, match=r"categories=\['kode'\] are no columns.*'code'"):
            pipe.predict(given, 5, known=[known] * 2, categories=["kode"], on_error="nan")
    found = [pipe.predict(y, 5, known=known, categories=one) for one in ("code", ["code"])]
    np.testing.assert_array_equal(found[0].quantiles, found[1].quantiles)
    for alone in ({"categories": ["x"]}, {"categories": "x"}, {"cycles": ["x"]}):
        words = rf"{next(iter(alone))}=.* is for covariates, and there are none"
        for door in (pipe.predict, functools.partial(backtest, pipe)):
            with pytest.raises(ValueError, match=words):
                door(y, 5, **alone)
        with pytest.raises(ValueError, match=words):
            pipe.detect_anomalies(y, **alone)
