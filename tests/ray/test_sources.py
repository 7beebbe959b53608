import numpy as np
import pandas as pd
import pytest

from timer_forecaster.ray.sources import Source
from timer_forecaster.scale import SeriesColumns

pa = pytest.importorskip("pyarrow")

COLUMNS = ["shop", "day", "sold"]


def test_files_of_a_folder_are_one_source(local_ray, files, sales):
    one, other = (Source.of(given, "data", COLUMNS) for given in (files, sorted(files.iterdir())))
    assert one.rows == other.rows == len(sales)
    assert one.schema.names == COLUMNS
    assert one.described("data") == other.described("data")
    assert one.described("data")["columns of data"]["sold"] == "double"


def test_a_dataset_is_a_source(local_ray, sales):
    dataset = local_ray.data.from_pandas(sales.assign(other=1))
    source = Source.of(dataset, "data", COLUMNS)
    assert source.rows == len(sales)
    assert source.schema.names == COLUMNS
    assert source.schema.field("sold").type == pa.float64()


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (pd.DataFrame(), "data is a DataFrame: .*ray.data.from_pandas"),
        ([1], "data is a list"),
        ("nowhere.parquet", "data: there is no nowhere.parquet"),
    ],
)
def test_other_data_are_refused(data, error):
    pytest.importorskip("ray.data")
    with pytest.raises((ValueError, TypeError), match=error):
        Source.of(data, "data", COLUMNS)


def test_an_absent_column_is_named(local_ray, files):
    with pytest.raises(ValueError, match=r"data has no column 'price'; its columns: .*'sold'"):
        Source.of(files, "data", [*COLUMNS, "price"])


def test_data_without_rows_are_refused(local_ray, tmp_path):
    pd.DataFrame({name: [] for name in COLUMNS}).to_parquet(tmp_path / "none.parquet")
    with pytest.raises(ValueError, match="data has no rows"):
        Source.of(tmp_path, "data", COLUMNS)


def test_a_future_needs_known_columns(local_ray, files):
    with pytest.raises(ValueError, match="future says nothing without known_columns"):
        Source.of_future(files, SeriesColumns("day", "shop", ["sold"]))


def test_a_future_of_other_types_is_refused(local_ray):
    days = pd.date_range("2024-01-01", periods=3)
    data = pd.DataFrame({"shop": "a", "day": days, "sold": [1.0, 2.0, np.nan], "price": 1.0})
    columns = SeriesColumns("day", "shop", ["sold"], known_columns=["price"])
    source = Source.of(local_ray.data.from_pandas(data), "data", columns.names)
    zoned = data.assign(day=days.tz_localize("America/New_York"))
    arrow = local_ray.data.from_arrow(pa.Table.from_pandas(zoned))
    for later in (arrow, local_ray.data.from_pandas(zoned)):
        future = Source.of_future(later, columns)
        with pytest.raises(ValueError, match=r"future: column 'day' is timestamp.*New_York.* data"):
            source.with_future(future)


def test_types_of_pandas_that_ray_does_not_tell_are_known(local_ray):
    days = pd.date_range("2024-01-01", periods=2, tz="Europe/Berlin")
    shops, kinds = pd.Series(["a", "a"], dtype=object), pd.Categorical(["x", "y"])
    frame = pd.DataFrame({"shop": shops, "day": days, "sold": [1.0, 2.0], "kind": kinds})
    columns = SeriesColumns("day", "shop", ["sold"], known_columns=["kind"])
    source = Source.of(local_ray.data.from_pandas(frame), "data", columns.names)
    assert source.schema.field("day").type.tz == "Europe/Berlin"
    later = frame.assign(day=days + pd.Timedelta("2D"))
    future = Source.of_future(local_ray.data.from_pandas(later), columns)
    found = source.with_future(future).to_pandas()
    assert found["shop"].tolist() == ["a"] * 4
    assert found["day"].tolist() == [*days, *later["day"]]
    assert found["kind"].tolist() == ["x", "y"] * 2
