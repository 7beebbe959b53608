"""Windows of covariates beside windows of series."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sklearn")

from timer_forecaster.sklearn import make_windows

N, L, H = 12, 4, 2
SERIES = np.arange(N, dtype=float)
PRICE = 100 + SERIES
DAYS = pd.date_range("2024-01-01", periods=N)


def made(known=None, past=None, series=SERIES, **options):
    return make_windows(series, L, H, known=known, past=past, **options)


@pytest.mark.parametrize("options", [{}, {"step": 3}, {"min_history": 1, "step": 2}])
def test_columns_lie_at_their_steps(options):
    plain, expected = made(**options)
    X, y = made({"price": PRICE}, pd.DataFrame({"rain": -SERIES, "wind": SERIES}), **options)
    assert X.columns.tolist() == [
        *(f"target[{step}]" for step in range(-L, 0)),
        *(f"price[{step}]" for step in range(-L, 0)),
        "price[+1]",
        "price[+2]",
        *(f"rain[{step}]" for step in range(-L, 0)),
        *(f"wind[{step}]" for step in range(-L, 0)),
    ]
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(X.filter(like="target"), plain)
    np.testing.assert_array_equal(X.filter(like="price") - 100, np.hstack([plain, y]))
    np.testing.assert_array_equal(X.filter(like="rain"), -plain)
    np.testing.assert_array_equal(X.filter(like="wind"), plain)


def test_tables_of_several_series():
    series = [SERIES, SERIES[:7] + 50]
    tables = [{"price": PRICE, "deal": SERIES}, pd.DataFrame({"deal": SERIES[:7], "price": 1.0})]
    X, _, groups = made(tables, series=series, return_groups=True)
    assert groups.tolist() == [0] * 7 + [1] * 2
    np.testing.assert_array_equal(X["price[+1]"], [*PRICE[4:11], 1, 1])
    np.testing.assert_array_equal(X["deal[+1]"], [*SERIES[4:11], 4, 5])


def test_texts_and_categories_stay_such():
    store = pd.Categorical(list("abc") * 4, categories=list("dcba"))
    table = {"store": store, "event": ["fair", None] * 6, "open": SERIES > 3, "n": [None, 3] * 6}
    X, _ = made(table, min_history=1)
    assert X["store[-1]"].dtype.categories.tolist() == list("dcba")
    assert X["store[-1]"].tolist() == list("abcabcabca")
    assert X["store[-4]"].isna().tolist() == [True] * 3 + [False] * 7
    assert X["event[+1]"].fillna("none").tolist() == ["none", "fair"] * 5
    assert X["open[+1]"].tolist() == [False] * 3 + [True] * 7
    np.testing.assert_array_equal(X["n[+1]"], [3, np.nan] * 5)
    two, _ = made([{"store": store}, {"store": pd.Categorical(["z"] * N)}], series=[SERIES] * 2)
    assert two["store[+1]"].tolist() == [*"bcabcab", *"zzzzzzz"]
    both, _ = made([{"store": store}, {"store": ["z"] * N}], series=[SERIES] * 2)
    assert both["store[+1]"].tolist() == two["store[+1]"].tolist()


@pytest.mark.parametrize(
    "table",
    [
        {"price": PRICE},
        {"price": PRICE.tolist()},
        {"price": pd.Series(PRICE, DAYS)},
        pd.DataFrame({"price": PRICE}, DAYS),
        pd.DataFrame({"price": PRICE}, DAYS).astype("Float64"),
        pd.DataFrame({"price": PRICE}, DAYS).astype(object),
        [pd.DataFrame({"price": PRICE}, DAYS)],
    ],
)
def test_containers(table):
    for series in (pd.Series(SERIES, DAYS), [pd.Series(SERIES, DAYS)], SERIES):
        X, _ = made(table, series=series)
        np.testing.assert_array_equal(X["price[-4]"], PRICE[:7])


def test_tables_of_polars():
    polars = pytest.importorskip("polars")
    X, _ = made(polars.DataFrame({"price": PRICE}), series=pd.Series(SERIES, DAYS))
    np.testing.assert_array_equal(X["price[-4]"], PRICE[:7])


def test_missing_values_at_the_end_of_a_series_make_a_row_to_forecast():
    series = np.append(SERIES, [np.nan] * H)
    X, y = made({"price": np.arange(N + H)}, series=series)
    assert X.iloc[-1].filter(like="target").tolist() == SERIES[-L:].tolist()
    assert X.iloc[-1].filter(like="+").tolist() == [N, N + 1]
    assert np.isnan(y[-1]).all()


@pytest.mark.parametrize(
    "tables, error, message",
    [
        ({"known": PRICE}, TypeError, "known has type ndarray; pass a frame"),
        ({"past": "price"}, TypeError, "past has type str; pass a frame"),
        ({"known": [PRICE]}, TypeError, r"known\[0\] has type ndarray; pass a frame"),
        ({"known": [{"price": PRICE}] * 2}, ValueError, "known has 2 tables for 1 series"),
        (
            {"known": {"price": PRICE[1:]}},
            ValueError,
            "column 'price' has 11 rows and its series 1",
        ),
        ({"known": {0: PRICE}}, TypeError, "known has a column 0; names of columns must be texts"),
        ({"past": {"target": PRICE}}, ValueError, "past has a column 'target', as the series is"),
        ({"known": {"x": PRICE}, "past": {"x": PRICE}}, ValueError, "'x' is in known and in past"),
        ({"known": {"x": PRICE * np.inf}}, ValueError, "known column 'x' is infinite at step 0"),
        ({"known": {"day": DAYS}}, TypeError, "known column 'day' must hold real numbers"),
        ({"known": {"day": DAYS - DAYS[0]}}, TypeError, "known column 'day' must hold real numb"),
        ({"known": {"x": [1, "a"] * 6, "y": [DAYS[0], 1] * 6}}, TypeError, "known column 'y' must"),
        (
            {"known": pd.DataFrame([[1, 2]] * N, columns=["x", "x"])},
            ValueError,
            "known has two columns 'x'",
        ),
        (
            {"known": [{"x": PRICE}, {"z": PRICE}], "series": [SERIES] * 2},
            ValueError,
            r"known\[1\] has the columns \['z'\], and known\[0\] has \['x'\]",
        ),
        (
            {"known": pd.DataFrame({"x": PRICE}, DAYS[::-1]), "series": pd.Series(SERIES, DAYS)},
            ValueError,
            "'x' and its series have different indexes, 2024-01-12",
        ),
        (
            {
                "past": [{"x": PRICE}, {"x": pd.Series(PRICE)}],
                "series": [pd.Series(SERIES, DAYS)] * 2,
            },
            ValueError,
            r"past\[1\] column 'x' and its series have different indexes",
        ),
    ],
)
def test_tables_that_do_not_fit_are_named(tables, error, message):
    with pytest.raises(error, match=message):
        made(**tables)
