"""Tables of other libraries as frames, and names of several levels."""

import decimal
import fractions

import numpy as np
import odd_series
import pandas as pd
import pyarrow as pa
import pytest
import xarray as xr
from stub_pipeline import StubPipeline

from timer_forecaster.frames.containers import as_frame, names_of, refuse_unreal
from timer_forecaster.frames.long import series_of

DAYS = pd.date_range("2024-01-01", periods=len(odd_series.VALUES), name="day")
FRAME = pd.DataFrame({"day": DAYS, "sold": odd_series.VALUES})


def dataset():
    coordinates = {"day": DAYS, "latitude": 52.5, "holiday": ("day", np.arange(len(DAYS)))}
    return xr.Dataset({"sold": ("day", odd_series.VALUES)}, coordinates)


class Modin:
    """A frame of a library that is not known by name."""

    def to_pandas(self):
        return FRAME


TABLES = {
    "pandas": lambda: FRAME,
    "time in the index": lambda: FRAME.set_index("day"),
    "Series": lambda: FRAME.set_index("day")["sold"],
    "polars.DataFrame": lambda: odd_series.PolarsFrame(FRAME),
    "polars.LazyFrame": lambda: odd_series.PolarsLazyFrame(FRAME),
    "pyarrow.Table": lambda: pa.Table.from_pandas(FRAME),
    "pyarrow.RecordBatch": lambda: pa.RecordBatch.from_pandas(FRAME),
    "Arrow dates": lambda: pa.table({"day": pa.array(DAYS.date), "sold": odd_series.VALUES}),
    "Arrow stream": lambda: odd_series.ArrowStream(pa.Table.from_pandas(FRAME)),
    "to_pandas": Modin,
    "Dataset": dataset,
    "DataArray": lambda: dataset()["sold"],
    "Decimal": lambda: FRAME.assign(sold=[decimal.Decimal(v) for v in odd_series.VALUES]),
    "Fraction": lambda: FRAME.assign(sold=[fractions.Fraction(v) for v in odd_series.VALUES]),
    "Arrow decimals": lambda: FRAME.assign(
        sold=pd.Series(odd_series.ONE_SERIES["Arrow decimals"]())
    ),
    "nullable": lambda: FRAME.astype({"sold": "Float64"}),
    "Arrow-typed": lambda: FRAME.astype({"sold": "double[pyarrow]"}),
    "sparse": lambda: FRAME.astype({"sold": pd.SparseDtype(float)}),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_frames(name):
    (values,) = series_of(TABLES[name](), time_column="day")
    np.testing.assert_array_equal(values, odd_series.VALUES)
    forecast = StubPipeline().predict_frame(TABLES[name](), 2, time_column="day")
    assert forecast["target"].tolist() == ["sold", "sold"]
    assert forecast["day"].astype(str).tolist() == ["2024-02-10", "2024-02-11"]


def test_a_series_of_darts_is_a_frame():
    darts = pytest.importorskip("darts")
    wide = FRAME.assign(lent=FRAME["sold"] * 2).set_index("day")
    series = darts.TimeSeries.from_dataframe(wide)
    found = series_of(series, time_column="day", target_columns="lent")
    np.testing.assert_array_equal(found[0], wide["lent"])
    nameless = darts.TimeSeries.from_dataframe(wide.rename_axis(None))
    found = series_of(nameless, time_column="time", target_columns="lent")
    np.testing.assert_array_equal(found[0], wide["lent"])


def test_dimensions_of_xarray_are_times_and_ids():
    values = np.stack([odd_series.VALUES, np.square(odd_series.VALUES)], axis=1)
    array = xr.DataArray(values, {"day": DAYS, "shop": ["b", "a"]}, ("day", "shop"))
    found = series_of(array, time_column="day", id_column="shop")
    assert [one.tolist() for one in found] == values.T.tolist()
    with pytest.raises(ValueError, match="name the id column"):
        series_of(array, time_column="day")


def test_coordinates_of_xarray_are_no_targets_unless_they_are_named():
    assert as_frame(dataset()).columns.tolist() == ["sold"]
    assert set(as_frame(dataset(), ["holiday"]).columns) == {"holiday", "sold"}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([1, 2], "not list; make one by pd.DataFrame"),
        ({"day": [1], "sold": [2]}, "not dict; make one by pd.DataFrame"),
        (np.zeros((2, 2)), "not ndarray; make one by pd.DataFrame"),
        ("file.csv", "not str"),
        (None, "not NoneType"),
    ],
)
def test_what_is_no_table(table, message):
    with pytest.raises(TypeError, match=f"frame must be a pandas.DataFrame, {message}"):
        series_of(table, time_column="day")


PRICES = pd.concat(
    {("Close", "A"): FRAME.set_index("day")["sold"], ("Open", "A"): FRAME.set_index("day")["sold"]},
    axis=1,
)
NAMED = {
    "levels of columns": (PRICES, None, [("Close", "A"), ("Open", "A")]),
    "one of them": (PRICES, ("Open", "A"), [("Open", "A")]),
    "several of them": (PRICES, [("Open", "A"), ("Close", "A")], [("Open", "A"), ("Close", "A")]),
    "time among the columns": (PRICES.reset_index(), None, [("Close", "A"), ("Open", "A")]),
    "empty second level": (
        pd.concat({"Close": FRAME.set_index("day")}, axis=1).rename(columns={"sold": ""}, level=1),
        ("Close", ""),
        ["Close"],
    ),
    "tuple in one level": (FRAME.rename(columns={"sold": ("a", "b")}), ("a", "b"), [("a", "b")]),
    "names in a tuple": (FRAME.assign(a=1.0, b=2.0), ("a", "b"), ["a", "b"]),
    "names in an Index": (FRAME.assign(a=1.0), pd.Index(["a", "sold"]), ["a", "sold"]),
    "integer": (FRAME.rename(columns={"sold": 1}), 1, [1]),
    "zero": (FRAME.rename(columns={"sold": 0}), 0, [0]),
    "time stamp": (FRAME.rename(columns={"sold": DAYS[0]}), DAYS[0], [DAYS[0]]),
}


@pytest.mark.parametrize("name", NAMED)
def test_names_of_columns(name):
    frame, given, expected = NAMED[name]
    forecast = StubPipeline().predict_frame(frame, 1, time_column="day", target_columns=given)
    assert forecast["target"].tolist() == expected


def test_the_names_of_pandas_stay_usable():
    frame = PRICES.reset_index()
    assert frame.columns[0] == ("day", "")
    assert len(series_of(frame, time_column="day")) == 2
    assert len(series_of(frame, time_column=("day", ""))) == 2
    with pytest.raises(ValueError, match=r"no column 'Close'; there are .*\('Close', 'A'\)"):
        series_of(frame, time_column="day", target_columns="Close")
    with pytest.raises(ValueError, match="target_columns: there is no column 7"):
        series_of(frame, time_column="day", target_columns=7)


def test_equal_names_are_refused_by_name():
    twice = PRICES.set_axis(pd.MultiIndex.from_tuples([("a", "b")] * 2), axis=1)
    with pytest.raises(ValueError, match=r"column \('a', 'b'\) is there more than once"):
        series_of(twice, time_column="day")
    lent = PRICES.set_axis(pd.MultiIndex.from_tuples([("a", ""), ("a", "x")]), axis=1)
    assert as_frame(lent).columns.tolist() == ["a", ("a", "x")]


def test_ids_and_times_keep_their_values():
    ids = [decimal.Decimal(1)] * 20 + [decimal.Decimal(2)] * 20
    frame = FRAME.assign(shop=ids)
    forecast = StubPipeline().predict_frame(frame, 1, time_column="day", id_column="shop")
    assert forecast["shop"].tolist() == [decimal.Decimal(1), decimal.Decimal(2)]
    assert as_frame(FRAME) is FRAME


COLUMNS = [
    name
    for name, (make, _) in odd_series.NO_NUMBERS.items()
    if len(make()) == len(DAYS) and "text" not in name and name not in ("bytes", "complex tensor")
]


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_that_are_no_numbers_are_refused_by_name(name):
    make, _ = odd_series.NO_NUMBERS[name]
    values = make()  # pandas itself fails on some lists, unless they are objects
    other = pd.Series(values, dtype=object) if isinstance(values, list) else values
    frame = FRAME.assign(other=other)
    with pytest.raises((TypeError, ValueError), match="target 'other'"):
        series_of(frame, time_column="day", target_columns=["other"])


@pytest.mark.parametrize("values", [odd_series.with_gap(2j), np.array(odd_series.VALUES) + 1j])
def test_complex_columns_are_never_cut_to_their_real_parts(values):
    frame = pd.DataFrame({"day": DAYS, "wave": values})
    with pytest.raises((TypeError, ValueError), match="wave"):
        series_of(frame, time_column="day")


def test_a_column_of_lists_is_refused():
    frame = FRAME.assign(lists=[[1.0, 2.0]] * len(FRAME))
    for lists in (
        frame["lists"],
        pd.Series(frame["lists"].tolist(), dtype=pd.ArrowDtype(pa.list_(pa.float64()))),
    ):
        with pytest.raises(
            TypeError, match=r"target 'lists': data row 1, .* is an array or a list"
        ):
            series_of(FRAME.assign(lists=lists), time_column="day", target_columns="lists")


def test_helpers():
    refuse_unreal(pd.Series(["1", "x", None]), "target 'text'")
    refuse_unreal(pd.Series([1, None], dtype="Int8"), "target 'count'")
    with pytest.raises(TypeError, match=r"target 'd' holds durations .* pd.Timedelta\('1h'\)"):
        refuse_unreal(pd.Series(odd_series.DURATIONS), "target 'd'")
    assert names_of("ab", pd.Index(["a", "b"])) == ["ab"]
    assert names_of(["a"], pd.Index(["a"])) == ["a"]


def test_advice_for_durations_works():
    frame = FRAME.assign(lasted=odd_series.DURATIONS)
    hours = frame["lasted"] / pd.Timedelta("1h")
    (values,) = series_of(frame.assign(lasted=hours), time_column="day", target_columns="lasted")
    np.testing.assert_allclose(values * 3600, odd_series.VALUES)
