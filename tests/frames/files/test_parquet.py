"""Parquet files."""

import decimal
import io
import sys

import pandas as pd
import pytest
from series_files import DAYS, VALUES, as_file, assert_read

pytest.importorskip("pyarrow")

from timer_forecaster.frames.reading import read_series

FRAME = pd.DataFrame({"time": DAYS, "load": VALUES})


def parquet_of(frame, **options):
    buffer = io.BytesIO()
    frame.to_parquet(buffer, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "frame",
    [
        FRAME,
        FRAME.set_index("time"),
        FRAME.assign(time=DAYS.strftime("%Y-%m-%d")),
        FRAME.assign(time=DAYS.strftime("%d.%m.%Y")),
        FRAME.assign(time=DAYS.date),
        FRAME.assign(load=[decimal.Decimal(str(value)) for value in VALUES]),
        FRAME.assign(load=[str(value).replace(".", ",") for value in VALUES]),
        FRAME.convert_dtypes(),
    ],
    ids=range(8),
)
@pytest.mark.parametrize("name", ["data.parquet", "data.csv"])
def test_columns_keep_their_values(frame, name, tmp_path):
    (tmp_path / name).write_bytes(parquet_of(frame))
    read = read_series(tmp_path / name, time_column="time", target_columns="load")
    assert read.frame["time"].astype("datetime64[ns]").tolist() == DAYS.tolist()
    assert read.summarized().summary.series == 1
    assert read.frame["load"].astype(float).tolist() == VALUES


def test_the_only_column_of_dates():
    assert_read(read_series(as_file(parquet_of(FRAME))))


@pytest.mark.parametrize(
    "index",
    [
        DAYS,
        DAYS.tz_localize("Asia/Tokyo"),
        pd.Index(DAYS.strftime("%Y-%m-%d")),
        pd.Index(DAYS.date),
        DAYS.to_period("D"),
    ],
    ids=["dates", "zone", "texts", "objects", "periods"],
)
def test_dates_of_an_index_without_a_name_are_the_times(index):
    read = read_series(as_file(parquet_of(pd.DataFrame({"load": VALUES}, index=index))))
    assert (read.time_column, read.target_columns) == ("time", ["load"])
    times = read.frame["time"]
    times = times.dt.to_timestamp() if times.dtype == "period[D]" else times.dt.tz_localize(None)
    assert times.tolist() == DAYS.tolist() and read.frame["load"].tolist() == VALUES


def test_dates_of_an_index_overwrite_no_column():
    frame = pd.DataFrame({"time": VALUES, "load": VALUES}, index=DAYS)
    read = read_series(as_file(parquet_of(frame)))
    assert read.time_column == "index" and read.frame["time"].tolist() == VALUES
    read = read_series(as_file(parquet_of(frame.assign(index=VALUES))))
    assert read.time_column == "index_1" and read.frame["index_1"].tolist() == DAYS.tolist()


@pytest.mark.parametrize("index", [DAYS, [3, 5, 9, 10, 11, 17, 18, 30], list("abcdefgh")])
def test_an_index_that_tells_nothing_new_is_no_column(index):
    """The dates of a column, the numbers of rows, and labels of rows."""
    frame = FRAME.set_axis(index, axis=0)
    read = read_series(as_file(parquet_of(frame)))
    assert read.frame.columns.tolist() == ["time", "load"]


def test_other_dates_of_an_index_are_named_beside_those_of_a_column():
    frame = FRAME.rename(columns={"time": "day"}).set_axis(DAYS + pd.Timedelta(hours=3), axis=0)
    with pytest.raises(ValueError, match=r"columns 'time', 'day' all hold dates.*--time-column"):
        read_series(as_file(parquet_of(frame)))
    read = read_series(as_file(parquet_of(frame)), time_column="day")
    assert read.frame["day"].tolist() == DAYS.tolist()


def test_time_zones_and_ids_keep_their_types():
    frame = FRAME.assign(time=DAYS.tz_localize("Asia/Tokyo"), id=7)
    read = read_series(as_file(parquet_of(frame)), time_column="time", id_column="id")
    assert str(read.frame["time"].dtype.tz) == "Asia/Tokyo"
    assert read.frame["id"].tolist() == [7] * 8


def test_a_damaged_file_is_named(tmp_path):
    file = tmp_path / "data.parquet"
    file.write_bytes(parquet_of(FRAME)[:-30])
    with pytest.raises(ValueError, match=f"{file}: the Parquet file is damaged"):
        read_series(file)


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    data = parquet_of(FRAME)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r'pyarrow; .*"timer-forecaster\[parquet\]"'):
        read_series(as_file(data))
