"""Whole series of a source."""

import pandas as pd
import pytest
from scale_cases import sales

from timer_forecaster.frames.files.options import ReadingOptions
from timer_forecaster.frames.reading import MissingColumnError
from timer_forecaster.scale import Names, SeriesSource


def frames(source, rows=100):
    return [part.read.frame for part in source.partitions(rows, 0)]


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "sales.parquet"
    sales().to_parquet(path, row_group_size=40)
    return path


def test_columns_are_found_where_only_one_can_be_meant(table):
    source = SeriesSource(table, Names("shop"))
    assert source.columns.time_column == "day"
    assert source.columns.target_columns == ["sold"]
    parts = list(source.partitions(100, 0))
    assert [part.name for part in parts][:2] == ["part-000000", "part-000001"]
    assert [part.content.series for part in parts] == [2, 2, 2]
    whole = pd.concat([part.read.frame for part in parts], ignore_index=True)
    pd.testing.assert_frame_equal(whole, sales())


def test_a_target_among_several_has_to_be_named(tmp_path):
    path = tmp_path / "sales.parquet"
    sales().assign(price=3.0).to_parquet(path)
    with pytest.raises(ValueError, match="'sold', 'price' are numeric: name those"):
        SeriesSource(path, Names("shop"))
    source = SeriesSource(path, Names("shop", target_columns="sold"))
    assert frames(source)[0].columns.tolist() == ["shop", "day", "sold"]
    source = SeriesSource(path, Names("shop", known_columns="price"))
    assert source.columns.target_columns == ["sold"]
    assert source.columns.known_columns == ["price"]


def test_ids_in_several_columns_come_back_in_them(tmp_path):
    path = tmp_path / "sales.parquet"
    sales().assign(item=lambda rows: rows["shop"].str[-1].astype(int)).to_parquet(path)
    names = Names(["shop", "item"], target_columns="sold")
    read = next(SeriesSource(path, names).partitions(10, 0)).read
    assert read.id_column == "shop item"
    again = read.with_ids(read.frame)
    assert (again["shop"][0], again["item"][0]) == ("s000", 0)


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_mixed_ids_are_refused_with_advice(tmp_path, ending):
    path = tmp_path / f"sales.{ending}"
    mixed = sales().sort_values("day", kind="stable")
    mixed.to_parquet(path) if ending == "parquet" else mixed.to_csv(path, index=False)
    source = SeriesSource(path, Names("shop"))
    with pytest.raises(ValueError, match=r"the id 's000' comes back .* must follow .* sort"):
        frames(source)
    put_right = mixed.sort_values("shop", kind="stable")
    put_right.to_parquet(path) if ending == "parquet" else put_right.to_csv(path, index=False)
    assert pd.concat(frames(SeriesSource(path, Names("shop"))))["shop"].nunique() == 6


def test_the_same_series_of_a_csv_and_of_parquet(table, tmp_path):
    csv = tmp_path / "sales.csv"
    sales().to_csv(csv, index=False)
    names = Names("shop")
    for one, other in zip(
        frames(SeriesSource(table, names)), frames(SeriesSource(csv, names)), strict=True
    ):
        one["day"] = one["day"].astype(other["day"].dtype)
        pd.testing.assert_frame_equal(one, other)


def test_wrong_names_and_files_are_refused(table, tmp_path):
    with pytest.raises(MissingColumnError, match="there is no column 'store'"):
        SeriesSource(table, Names("store"))
    with pytest.raises(ValueError, match="there is no file"):
        SeriesSource(tmp_path / "none.parquet", Names("shop"))
    with pytest.raises(ValueError, match="is for a text file, and this is a Parquet file"):
        SeriesSource(table, Names("shop"), ReadingOptions(sep=";"))
    sheet = tmp_path / "a.xlsx"
    sheet.write_bytes(b"\xd0\xcf\x11\xe0")
    with pytest.raises(ValueError, match="cannot be streamed: name a Parquet file"):
        SeriesSource(sheet, Names("shop"))
    empty = tmp_path / "empty.parquet"
    sales()[:0].to_parquet(empty)
    with pytest.raises(ValueError, match="no rows"):
        SeriesSource(empty, Names("shop"))
