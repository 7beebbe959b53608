"""Tables on disk, in the format of their name."""

import gzip
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from timer_forecaster.frames.files.saving import check_table_name, check_table_rows, save_table

TIMES = pd.date_range("2024-03-30 22:00", periods=4, freq="h")
TABLE = pd.DataFrame({"id": ["007", "NA", "a,b", "ü"], "time": TIMES, "q0.5": [1e-9, 2.5, -3, 1e9]})
READERS = {
    ".csv": pd.read_csv,
    ".tsv": lambda path, **o: pd.read_csv(path, sep="\t", **o),
    ".csv.gz": pd.read_csv,
    ".csv.bz2": pd.read_csv,
    ".csv.xz": pd.read_csv,
    ".csv.zip": pd.read_csv,
    ".CSV": pd.read_csv,
    ".tsv.gz": lambda path, **o: pd.read_csv(path, sep="\t", **o),
}


@pytest.mark.parametrize("suffix", READERS)
def test_texts(suffix, tmp_path):
    path = tmp_path / f"forecast.v2{suffix}"
    check_table_name(path)
    assert save_table(TABLE, path) == ""
    options = {"dtype": {"id": str}, "keep_default_na": False, "parse_dates": ["time"]}
    table = READERS[suffix](path, **options)
    assert table["id"].tolist() == TABLE["id"].tolist()
    assert table["time"].tolist() == TIMES.tolist()
    np.testing.assert_allclose(table["q0.5"], TABLE["q0.5"], rtol=1e-9)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_the_same_table_makes_the_same_packed_bytes(tmp_path):
    for name in ("a.csv.gz", "b.csv.gz"):
        save_table(TABLE, tmp_path / name)
    first, second = ((tmp_path / name).read_bytes() for name in ("a.csv.gz", "b.csv.gz"))
    assert first == second
    assert gzip.decompress(first).startswith(b"id,time,q0.5\n")


def test_json(tmp_path):
    save_table(TABLE, tmp_path / "a.json")
    records = json.loads((tmp_path / "a.json").read_text())
    assert records[0] == {"id": "007", "time": "2024-03-30T22:00:00", "q0.5": 1e-9}
    assert len(records) == 4


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_parquet(zone, tmp_path):
    pytest.importorskip("pyarrow")
    table = TABLE.assign(time=TIMES.tz_localize(zone))
    check_table_name(tmp_path / "a.parquet")
    save_table(table, tmp_path / "a.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "a.parquet"), table, check_dtype=False)


def test_excel(tmp_path):
    pytest.importorskip("openpyxl")
    check_table_name(tmp_path / "a.xlsx")
    assert save_table(TABLE, tmp_path / "a.xlsx") == ""
    table = pd.read_excel(tmp_path / "a.xlsx", dtype={"id": str}, keep_default_na=False)
    assert table["id"].tolist() == TABLE["id"].tolist()
    assert table["time"].tolist() == TIMES.tolist()


def test_excel_has_no_time_zones(tmp_path):
    pytest.importorskip("openpyxl")
    times = pd.date_range("2024-10-27 00:00", periods=4, freq="h", tz="UTC").tz_convert(
        "Europe/Paris"
    )
    note = save_table(TABLE.assign(time=times), tmp_path / "a.xlsx")
    assert note == "Excel has no time zones: 'time' is written as text with offsets"
    written = pd.read_excel(tmp_path / "a.xlsx")["time"]
    assert written.nunique() == 4  # 02:00 is there twice on the clock
    assert pd.to_datetime(written, utc=True).tolist() == times.tz_convert("UTC").tolist()


def test_the_standard_output(capsys):
    check_table_name(Path("-"))
    save_table(TABLE, Path("-"))
    assert capsys.readouterr().out.startswith("id,time,q0.5\n007,2024-03-30 22:00:00,1e-09\n")


@pytest.mark.parametrize(
    "name",
    ["a", "a.txt", "a.xls", "a.parquet.gz", "a.gz", "a.csv.rar", "a.ods", ".csv.", "a.feather"],
)
def test_other_names_are_refused(name):
    with pytest.raises(ValueError, match=r"cannot write .*: its name must end in \.csv, "):
        check_table_name(Path(name))


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [("a.parquet", "pyarrow", "parquet"), ("a.xlsx", "openpyxl", "excel")],
)
def test_missing_packages_are_named_with_their_extra(name, package, extra, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf'{package}; .*"timer-forecaster\[{extra}\]"'):
        check_table_name(Path(name))


def test_a_sheet_has_an_end():
    check_table_rows(Path("a.xlsx"), 1_048_575)
    check_table_rows(Path("a.csv"), 9_999_999)
    with pytest.raises(ValueError, match="a sheet has 1,048,575 rows, and the table 1,048,576"):
        check_table_rows(Path("a.xlsx"), 1_048_576)
