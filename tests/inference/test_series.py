"""Containers of users become series: one float64 array each."""

import numpy as np
import odd_series
import pandas as pd
import pyarrow as pa
import pytest
import scipy.sparse
import torch
import xarray as xr

from timer_forecaster.inference.series import as_series, key_of

NAN = np.nan


@pytest.mark.parametrize(
    "series",
    [
        [1, 2.5, None],
        (1, 2.5, NAN),
        np.array([1, 2.5, NAN], dtype=np.float32),
        np.ma.masked_values([1, 2.5, -9], -9),
        pd.Series([1, 2.5, pd.NA], dtype="Float64"),
        torch.tensor([1, 2.5, NAN], dtype=torch.bfloat16),
        np.array([1, 2.5, None], dtype=object),
    ],
    ids=["list", "tuple", "float32", "masked", "nullable", "bfloat16", "objects"],
)
def test_one_series_or_several_of_any_kind(series):
    for given_as in (series, [series], [series, series]):
        found = as_series(given_as)
        assert len(found) == (1 if given_as is series else len(given_as))
        for values in found:
            assert values.dtype == np.float64
            np.testing.assert_array_equal(values, [1, 2.5, NAN])


def test_rows_of_an_array_are_series_of_their_own():
    assert [values.tolist() for values in as_series(np.eye(2))] == [[1, 0], [0, 1]]


@pytest.mark.parametrize(
    ("series", "error", "message"),
    [
        (np.empty((0, 4)), ValueError, r"series has shape \(0, 4\)"),
        (np.float64(3), ValueError, r"series has shape \(\)"),
        (pd.DataFrame({"a": [1.0]}), TypeError, r"series.to_numpy\(\).T if each column"),
        ([[1.0], ["x"]], TypeError, r"series\[1\] must hold real numbers"),
        ([[1.0], [[1.0]]], ValueError, r"series\[1\] has shape \(1, 1\)"),
    ],
)
def test_input_that_holds_no_series_is_refused(series, error, message):
    with pytest.raises(error, match=message):
        as_series(series)


@pytest.mark.parametrize("name", odd_series.ONE_SERIES)
def test_containers_of_one_series(name):
    (found,) = as_series(odd_series.ONE_SERIES[name]())
    np.testing.assert_array_equal(found, odd_series.VALUES)


@pytest.mark.parametrize("name", odd_series.ONE_SERIES_WITH_GAP)
def test_containers_with_a_missing_value(name):
    for series in (
        odd_series.ONE_SERIES_WITH_GAP[name](),
        [odd_series.ONE_SERIES_WITH_GAP[name]()],
    ):
        (found,) = as_series(series)
        np.testing.assert_array_equal(found, odd_series.with_gap(NAN))


@pytest.mark.parametrize("name", odd_series.TWO_SERIES)
def test_containers_of_series_of_two_lengths(name):
    found = as_series(odd_series.TWO_SERIES[name]())
    assert [values.tolist() for values in found] == odd_series.TWO


@pytest.mark.parametrize("name", odd_series.NO_NUMBERS)
def test_values_that_are_no_numbers(name):
    make, words = odd_series.NO_NUMBERS[name]
    with pytest.raises(TypeError, match=words):
        as_series(make())
    with pytest.raises(TypeError, match=rf"series\[1\].*{words}"):
        as_series([[1.0], make()])


def panel():
    index = pd.MultiIndex.from_product([["b", "a"], range(20)], names=["id", "t"])
    return pd.Series(np.arange(40.0), index)


FRAME = pd.DataFrame({"b": np.arange(20.0), "a": np.arange(20.0) ** 2})
ADVICE = {
    "frame": (lambda: FRAME, "series.to_numpy().T"),
    "frame with missing values": (lambda: FRAME.convert_dtypes(), "series.to_numpy().T"),
    "frame of polars": (lambda: odd_series.PolarsFrame(FRAME), "series.to_numpy().T"),
    "lazy frame of polars": (
        lambda: odd_series.PolarsLazyFrame(FRAME),
        "series.collect().to_numpy().T",
    ),
    "table of pyarrow": (lambda: pa.Table.from_pandas(FRAME), "series.to_pandas().to_numpy().T"),
    "Dataset": (lambda: xr.Dataset({"NAME": ("time", np.arange(20.0))}), "series['NAME']"),
    "unclear DataArray": (
        lambda: xr.DataArray(FRAME.to_numpy(), dims=("first", "second")),
        "series.transpose(..., 'first').to_numpy()",
    ),
    "panel": (panel, "[one for _, one in series.groupby(level=0)]"),
    "panel, if it is one series": (panel, "series.to_numpy()"),
    "groups": (lambda: panel().groupby("id"), "[one for _, one in series]"),
    "entry of gluonts": (lambda: {"start": "2024", "target": np.arange(9.0)}, "series['target']"),
    "dict of numbers": (lambda: {"a": 1.0, "b": 2.0}, "list(series.values())"),
    "sparse matrix": (lambda: scipy.sparse.csr_matrix(np.eye(3)), "series.toarray()"),
    "newest first": (
        lambda: pd.Series(range(9), pd.date_range("2024", periods=9)[::-1]),
        "series.sort_index()",
    ),
}


@pytest.mark.parametrize("name", ADVICE)
def test_containers_of_several_readings_are_refused_with_advice_that_works(name):
    make, advice = ADVICE[name]
    with pytest.raises((TypeError, ValueError)) as caught:
        as_series(make())
    assert advice in str(caught.value)
    followed = eval(advice, {"series": make()})  # noqa: S307
    assert all(len(values) for values in as_series(followed))


def test_a_series_of_darts_is_refused_with_advice_that_works():
    darts = pytest.importorskip("darts")
    series = darts.TimeSeries.from_values(FRAME.to_numpy())
    with pytest.raises(TypeError, match=r"series is a TimeSeries; pass series.values\(\).T"):
        as_series(series)
    assert [values.tolist() for values in as_series(series.values().T)] == FRAME.T.values.tolist()
    with pytest.raises(TypeError, match=r"series\[0\] is a TimeSeries; pass series\[0\].values"):
        as_series([series])


def test_a_data_array_has_its_series_along_the_times():
    days = pd.date_range("2024-01-01", periods=20)
    for dims in (("day", "shop"), ("shop", "day")):
        values = FRAME.to_numpy() if dims[0] == "day" else FRAME.to_numpy().T
        found = as_series(xr.DataArray(values, {"day": days}, dims))
        assert [one.tolist() for one in found] == FRAME.T.values.tolist()
    named = xr.DataArray(FRAME.to_numpy(), dims=("time", "shop"))
    assert len(as_series(named)) == 2


@pytest.mark.parametrize(
    "series", [{1.0, 2.0}, "12", b"12", bytearray(b"12"), None, [], {}, iter([])]
)
def test_what_has_no_order_or_no_series(series):
    with pytest.raises((TypeError, ValueError), match="series"):
        as_series(series)


@pytest.mark.parametrize(
    "index",
    [
        pd.date_range("2024-01-01", periods=9),
        pd.period_range("2024-01", periods=9, freq="M"),
        pd.to_timedelta(range(9), unit="h"),
    ],
)
def test_times_run_forwards(index):
    as_series(pd.Series(range(9), index))
    for backwards in (index[::-1], index[[0, 5, 1, 2, 3, 4, 6, 7, 8]]):
        if backwards[0] > backwards[-1] or not isinstance(index, pd.TimedeltaIndex):
            with pytest.raises(ValueError, match="times that run backwards"):
                as_series(pd.Series(range(9), backwards))


def test_a_column_is_refused_with_advice_that_works():
    column = np.arange(9.0)[:, None]
    with pytest.raises(ValueError, match=r"9 series of one step each; pass series.ravel\(\)"):
        as_series(column)
    assert len(as_series(column.ravel())) == 1
    assert len(as_series(list(column))) == 9
    assert len(as_series(column[:1])) == 1


def test_an_error_names_the_function_that_takes_frames():
    with pytest.raises(TypeError, match=r"or use predict_frame$"):
        as_series(FRAME, door="predict_frame")
    with pytest.raises(TypeError, match=r"if each column is a series$"):
        as_series(FRAME)


# --- the number that stands for a series --------------------------------------------------------


def test_equal_series_have_equal_keys():
    series = np.random.default_rng(0).normal(size=200) * 1e3
    key = key_of(series)
    assert 0 <= key < 2**64
    assert key_of(series[::-1][::-1]) == key
    assert key_of(np.append([np.nan, np.nan], series)) == key
    assert key_of(series * (1 + 2e-16)) == key  # as after a text file
    assert key_of(np.float64([f"{value:.17g}" for value in series])) == key
    assert key_of(np.array([0.0, 1.0])) == key_of(np.array([-0.0, 1.0]))
    payload = np.frombuffer(np.uint64([0x7FF8_0000_0000_0001]).tobytes(), dtype=float)
    assert key_of(np.concatenate([[1.0], payload])) == key_of(np.array([1.0, np.nan]))


def test_other_series_have_other_keys():
    series = np.random.default_rng(0).normal(size=200)
    holes = series.copy()
    holes[5] = np.nan
    changed = series.copy()
    changed[7] += 1e-4
    others = [
        series,
        2 * series,
        series * 1e-300,
        series * 1e300,
        -series,
        series + 1,
        series + 1e9,
        changed + 1e9,
        series[1:],
        series[:-1],
        series[::-1],
        holes,
        changed,
        np.append(series, np.inf),
        np.empty(0),
        np.full(3, np.nan),
    ]
    assert len({key_of(one) for one in others}) == len(others)
