"""The rows of text files."""

import gzip
import subprocess

import pandas as pd
import pytest
from scale_cases import sales

from timer_forecaster.frames.files.options import ReadingOptions
from timer_forecaster.frames.reading import read_series
from timer_forecaster.scale.text import TextRows

COLUMNS = {"time_column": ["day"], "id_column": ["shop"], "target_columns": ["sold"]}


def read(path, block=1000, columns=COLUMNS, **options):
    rows = TextRows(path, columns, ReadingOptions(**options), block)
    head = rows.head()
    rows, names = rows.settled(head), head.column_names
    return pd.concat([batch.table.to_pandas() for batch in rows.batches(names)], ignore_index=True)


@pytest.mark.parametrize("block", [900, 1 << 20])
@pytest.mark.parametrize("style", [{"sep": ","}, {"sep": ";", "decimal": ","}, {"sep": "\t"}])
def test_blocks_make_the_table_of_the_whole_file(tmp_path, style, block):
    path = tmp_path / "sales.csv"
    sales(2).round({"sold": 3}).to_csv(path, index=False, **style)
    whole = read_series(path, **COLUMNS).frame
    pd.testing.assert_frame_equal(read(path, block), whole)


def test_a_column_without_values_does_not_hide_the_decimal_sign(tmp_path):
    path = tmp_path / "sales.csv"
    frame = sales(2).round({"sold": 3}).assign(empty="")
    frame.to_csv(path, index=False, sep=";")
    assert read(path)["sold"].tolist() == frame["sold"].tolist()


def test_quotes_marks_and_packed_files_are_read(tmp_path):
    text = '\ufeffshop,day,note,sold\n"a, b",2024-01-01,"two\nlines",3\n007,2024-01-02,,4\n'
    plain, packed = tmp_path / "a.csv", tmp_path / "a.csv.gz"
    plain.write_text(text, encoding="utf-8")
    packed.write_bytes(gzip.compress(text.encode()))
    for path in (plain, packed):
        assert read(path, 1)["shop"].tolist() == ["a, b", "007"]
    assert TextRows(plain, COLUMNS, ReadingOptions()).total == len(text.encode())
    assert TextRows(packed, COLUMNS, ReadingOptions()).total is None


def test_several_columns_of_ids_stay_apart(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("shop,item,date,hour,sold\na,1,2024-01-01,0,3\na,1,2024-01-01,1,4\n")
    columns = {"time_column": ["date", "hour"], "id_column": ["shop", "item"]}
    found = read(path, columns=columns | {"target_columns": ["sold"]})
    assert found["item"].tolist() == ["1", "1"]
    assert found["date hour"].dt.hour.tolist() == [0, 1]


def test_an_error_says_where_its_lines_begin(tmp_path):
    path = tmp_path / "a.csv"
    lines = ["shop,day,sold", *(f"a,2024-01-{day:02},1" for day in range(1, 20)), "a,2024-01-20"]
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(ValueError, match=r"a\.csv: in the lines from line \d+ on.* has 2 fields"):
        read(path, block=30)


def test_an_encoding_of_two_bytes_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("shop,day,sold\na,2024-01-01,1\n", encoding="utf-16")
    with pytest.raises(ValueError, match="write it in UTF-8"):
        TextRows(path, COLUMNS, ReadingOptions())


def advised(path, columns=COLUMNS, **options):
    """Return the command in the advice about mixed ids, as the command line prints it."""
    advice = TextRows(path, columns, ReadingOptions(**options)).sorting(columns["id_column"])
    return " ".join(advice.split()).split("`")[1]


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_command_that_sorts_works(tmp_path, sign):
    path = tmp_path / "all sales.csv"
    mixed = sales(2).round({"sold": 3}).sort_values("day", kind="stable").assign(note="a b")
    mixed[["day", "note", "shop", "sold"]].to_csv(path, index=False, sep=sign)
    subprocess.run(["bash", "-c", advised(path)], cwd=tmp_path, check=True)  # noqa: S607
    ordered = read(tmp_path / "sorted.csv")
    expected = sales(2).round({"sold": 3})
    pd.testing.assert_series_equal(ordered["sold"], expected["sold"])
    assert ordered["shop"].tolist() == expected["shop"].tolist()


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_the_python_that_sorts_quoted_fields_works(tmp_path, monkeypatch, sign):
    path = tmp_path / "a.csv"
    mixed = sales(2).round({"sold": 3}).sort_values("day", kind="stable")
    mixed = mixed.assign(note=f"to Lyon{sign} NA", shop="0" + mixed["shop"].str[1:], empty="")
    mixed[["note", "day", "shop", "empty", "sold"]].to_csv(path, index=False, sep=sign)
    monkeypatch.chdir(tmp_path)
    exec(f"import pandas; {advised(path)}", {})  # noqa: S102
    ordered = read(tmp_path / "sorted.csv")
    expected = sales(2).round({"sold": 3})
    pd.testing.assert_series_equal(ordered["sold"], expected["sold"])
    assert ordered["shop"].unique().tolist() == ["0000", "0001"]
    assert ordered["note"].unique().tolist() == [f"to Lyon{sign} NA"]


def test_quoted_fields_below_titles_are_sorted_by_another_program(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('Sales\n\nshop,day,sold\n"a, b",2024-01-01,3\nc,2024-01-01,3\n')
    rows = TextRows(path, COLUMNS, ReadingOptions())
    advice = "sort its rows by shop with a program that reads quotation marks"
    assert rows.sorting(["shop"]) == advice
