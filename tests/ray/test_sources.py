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
    assert one.described(4) == other.described(4)
    assert one.described(4)["columns of data"]["sold"] == "double"


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
    source = Source.of(files, "data", COLUMNS)
    with pytest.raises(ValueError, match="future says nothing without known_columns"):
        source.with_future(files, SeriesColumns("day", "shop", ["sold"]))
