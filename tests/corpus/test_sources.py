"""Sources are read series by series, and what cannot be read is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from timer_forecaster.corpus.sources import Source, series_of, source_files


def write(file: Path, targets: list[list[float]], **columns: object) -> Path:
    names = [f"s{i}" for i in range(len(targets))]
    pd.DataFrame({"item_id": names, "target": targets, **columns}).to_parquet(file)
    return file


def test_series_come_in_their_order_with_gaps(tmp_path: Path) -> None:
    source = Source(write(tmp_path / "shop__D.parquet", [[1.0, np.nan, 3.0], [4.0, 5.0]]))
    first, second = source
    assert (first.dataset, first.item_id, second.item_id) == ("shop__D", "s0", "s1")
    np.testing.assert_array_equal(first.values, np.float32([1, np.nan, 3]))
    np.testing.assert_array_equal(second.values, np.float32([4, 5]))
    assert source.points == 5


def test_the_frequency_is_in_a_column_or_in_the_name(tmp_path: Path) -> None:
    assert Source(write(tmp_path / "shop__D.parquet", [[1.0]])).frequency == "D"
    assert Source(write(tmp_path / "other__D.parquet", [[1.0]], freq="W")).frequency == "W"


def test_many_series_are_read_in_several_batches(tmp_path: Path) -> None:
    targets = [np.full(50_000, i, dtype=np.float32) for i in range(60)]  # 12 MB
    frame = pd.DataFrame({"item_id": range(60), "target": targets})
    frame.to_parquet(tmp_path / "long__H.parquet")
    values = [series.values for series in series_of(tmp_path)]
    assert [int(row[0]) for row in values] == list(range(60))
    assert all(len(row) == 50_000 for row in values)


def test_excluded_files_are_left_out(tmp_path: Path) -> None:
    for name in ("a__D", "b__D"):
        write(tmp_path / f"{name}.parquet", [[1.0]])
    assert [file.stem for file in source_files(tmp_path, ["a__D"])] == ["b__D"]
    with pytest.raises(
        ValueError, match="exclude: there is no data set c__D; there are a__D, b__D"
    ):
        source_files(tmp_path, ["c__D"])


def test_what_is_no_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no Parquet file"):
        source_files(tmp_path)
    (tmp_path / "text__D.parquet").write_text("text")
    with pytest.raises(ValueError, match=r"text__D\.parquet cannot be read as Parquet"):
        Source(tmp_path / "text__D.parquet")
    pd.DataFrame({"target": [[1.0]]}).to_parquet(tmp_path / "bare__D.parquet")
    with pytest.raises(ValueError, match=r"bare__D\.parquet has no column item_id"):
        Source(tmp_path / "bare__D.parquet")
    for target in ([["a"]], [[[1.0], [2.0]]], [1.0]):
        frame = pd.DataFrame({"item_id": ["a"], "target": pd.Series(target)})
        frame.to_parquet(tmp_path / "odd__D.parquet")
        with pytest.raises(ValueError, match=r"odd__D\.parquet: target must be a list of numbers"):
            Source(tmp_path / "odd__D.parquet")
