"""The rows of Parquet files."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scale_cases import sales

from timer_forecaster.scale.parquet import ParquetRows


def rows_of(source, columns):
    return pa.concat_tables([batch.table for batch in source.batches(columns)]).to_pandas()


def test_row_groups_and_files_follow_each_other(tmp_path):
    frame = sales(12)
    frame.to_parquet(tmp_path / "one.parquet", row_group_size=50)
    folder = tmp_path / "many"
    folder.mkdir()
    for number, start in enumerate(range(0, len(frame), 45)):  # part-10 comes after part-9
        frame[start : start + 45].to_parquet(folder / f"part-{number}.parquet")
    (folder / "_SUCCESS").touch()
    (folder / ".part-0.parquet.crc").touch()
    for path in (tmp_path / "one.parquet", folder):
        source = ParquetRows(path)
        assert source.total == len(frame)
        pd.testing.assert_frame_equal(rows_of(source, ["shop", "sold"]), frame[["shop", "sold"]])
        assert [batch.done for batch in source.batches(["shop"])][-1] == len(frame)
        assert source.head().column_names == ["shop", "day", "sold"]
    assert len(source.described()["data"]) > 10
    assert source.described()["data"][9][0] == "part-9.parquet"


def test_memory_does_not_grow_with_the_row_groups_that_were_read(tmp_path):
    values = np.random.default_rng(0).normal(size=2_000_000)
    pd.DataFrame({"y": values}).to_parquet(tmp_path / "one.parquet", row_group_size=20_000)
    before = pa.total_allocated_bytes()
    held = []
    for batch in ParquetRows(tmp_path / "one.parquet").batches(["y"]):
        del batch
        held.append(pa.total_allocated_bytes() - before)
    assert max(held) < values.nbytes / 4  # three quarters of the file, by one reader for all


def test_names_of_folders_are_columns(tmp_path):
    for shop in (7, 8):
        folder = tmp_path / f"shop={shop}"
        folder.mkdir()
        pd.DataFrame({"sold": [1.0, shop]}).to_parquet(folder / "a.parquet")
    found = rows_of(ParquetRows(tmp_path), ["shop", "sold"])
    assert found["shop"].tolist() == [7, 7, 8, 8]
    assert found["sold"].tolist() == [1.0, 7.0, 1.0, 8.0]


def test_a_column_that_a_file_lacks_is_missing_in_it(tmp_path):
    pd.DataFrame({"a": [1], "b": [2.0]}).to_parquet(tmp_path / "0.parquet")
    pd.DataFrame({"a": [3]}).to_parquet(tmp_path / "1.parquet")
    assert rows_of(ParquetRows(tmp_path), ["a", "b"])["b"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("first", "other"),
    [
        ([7], ["007"]),
        (pd.to_datetime(["2024-01-01 12:00"]), pd.to_datetime(["2024-01-01 12:00+09:00"])),
        (pd.to_datetime(["2024-01-01 12:00+09:00"]), pd.to_datetime(["2024-01-01 12:00"])),
        ([True], [3]),
    ],
    ids=["ids", "zone later", "zone first", "truth"],
)
def test_a_file_whose_column_means_something_else_is_refused(tmp_path, first, other):
    pd.DataFrame({"a": first}).to_parquet(tmp_path / "0.parquet")
    pd.DataFrame({"a": other}).to_parquet(tmp_path / "1.parquet")
    with pytest.raises(ValueError, match=r"1\.parquet .*column 'a' is .* in the first file"):
        rows_of(ParquetRows(tmp_path), ["a"])


def test_types_of_one_kind_are_those_of_the_first_file(tmp_path):
    days = pd.to_datetime(["2024-01-01"])
    pd.DataFrame({"a": [1.5], "b": ["x"], "c": days}).to_parquet(tmp_path / "0.parquet")
    same = pd.DataFrame({"a": [2], "b": pd.Categorical(["y"]), "c": days.as_unit("s")})
    same.to_parquet(tmp_path / "1.parquet")
    found = rows_of(ParquetRows(tmp_path), ["a", "b", "c"])
    assert found["a"].tolist() == [1.5, 2.0]
    assert found["b"].tolist() == ["x", "y"]
    assert found["c"].nunique() == 1


def test_a_column_that_is_empty_in_the_first_file_has_the_type_of_a_later_one(tmp_path):
    for number, values in enumerate(([None], [None], ["x"], [None])):
        pd.DataFrame({"a": pd.Series(values, dtype=object)}).to_parquet(
            tmp_path / f"{number}.parquet"
        )
    found = rows_of(ParquetRows(tmp_path), ["a"])["a"]
    assert found.isna().tolist() == [True, True, False, True]
    assert found[2] == "x"


def test_dates_in_an_index_without_a_name_are_a_column(tmp_path):
    frame = sales(2).set_index("day")
    for given, name in ((frame, "time"), (frame.assign(time=1), "index")):
        given.rename_axis(None).to_parquet(tmp_path / "one.parquet")
        source = ParquetRows(tmp_path / "one.parquet")
        assert name in source.head().column_names
        assert rows_of(source, [name])[name].tolist() == frame.index.tolist()
    frame.reset_index()[::2].to_parquet(tmp_path / "one.parquet")  # an index that tells nothing
    assert ParquetRows(tmp_path / "one.parquet").head().column_names == ["day", "shop", "sold"]


def test_what_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ValueError, match="holds no Parquet file"):
        ParquetRows(tmp_path)
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "0.parquet")
    pd.DataFrame({"a": ["x"]}).to_parquet(tmp_path / "1.parquet")
    with pytest.raises(ValueError, match=r"1\.parquet cannot be read as Parquet"):
        rows_of(ParquetRows(tmp_path), ["a"])
    (tmp_path / "0.parquet").write_bytes(b"PAR1")
    with pytest.raises(ValueError, match=r"0\.parquet"):
        ParquetRows(tmp_path)


def test_sorting_is_explained(tmp_path):
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "0.parquet")
    assert "sort the rows by 'a', 'b'" in ParquetRows(tmp_path).sorting(["a", "b"])
