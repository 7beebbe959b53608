"""The rows of text files."""

import gzip
import subprocess

import pandas as pd
import pytest
from scale_cases import sales

from timer_forecaster.frames.files.options import ReadingOptions
from timer_forecaster.frames.reading import read_series
from timer_forecaster.scale import Names, SeriesSource
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


def written(path, stamps, **more):
    rows = [pd.DataFrame({"id": name, "t": stamps, "y": 1.5, **more}) for name in "abc"]
    pd.concat(rows).to_csv(path, index=False)


def times_of(path, block, monkeypatch, **options):
    """Return the times of series that are read in blocks, and those that are read as a whole."""
    monkeypatch.setattr(TextRows.__init__, "__defaults__", (block,))
    names = Names("id", "t", "y")
    source = SeriesSource(path, names, ReadingOptions(**options))
    parts = list(source.partitions(10_000, 1))
    assert not any(len(part.rejected) for part in parts)
    whole = read_series(path, options=ReadingOptions(**options), **names.arguments)
    return pd.concat([part.read.frame["t"] for part in parts]), whole.frame["t"]


@pytest.mark.parametrize("backward", [False, True])
def test_a_block_may_begin_between_two_hours_of_one_name(tmp_path, monkeypatch, backward):
    hours = pd.date_range("2024-10-26 20:00", periods=12, freq="h", tz="Europe/Berlin")
    stamps = hours[::-1] if backward else hours
    written(tmp_path / "a.csv", stamps.strftime("%Y-%m-%d %H:%M"))
    for lines in range(2, 12):  # of 23 signs
        found, whole = times_of(
            tmp_path / "a.csv", 23 * lines, monkeypatch, timezone="Europe/Berlin"
        )
        assert found.tolist() == whole.tolist() == [*stamps] * 3


def test_the_first_block_may_show_the_clock_of_utc(tmp_path, monkeypatch):
    winter, autumn = (
        pd.date_range(start, periods=hours, freq="h", tz="Europe/London")
        for start, hours in (("2024-01-01", 60), ("2024-10-26 20:00", 12))
    )
    series = {"a": winter, **dict.fromkeys("bcdefgh", autumn)}
    rows = [
        pd.DataFrame({"id": name, "t": hours.strftime("%Y-%m-%d %H:%M"), "y": 1.5})
        for name, hours in series.items()
    ]
    pd.concat(rows).to_csv(tmp_path / "a.csv", index=False)
    found, _ = times_of(tmp_path / "a.csv", 400, monkeypatch, timezone="Europe/London")
    assert found.tolist() == [hour for hours in series.values() for hour in hours]


def test_a_fault_in_the_first_block_leaves_the_hours_of_the_others(tmp_path, monkeypatch):
    hours = pd.date_range("2024-10-26 20:00", periods=12, freq="h", tz="Europe/Berlin")
    written(tmp_path / "a.csv", hours.strftime("%Y-%m-%d %H:%M"))
    text = (tmp_path / "a.csv").read_text().replace("b,2024-10-26 20:00", "b,2024-10-26 soon ")
    (tmp_path / "a.csv").write_text(text)
    # The first block ends between the two hours of c: it is read up to the end of a 31st line.
    monkeypatch.setattr(TextRows.__init__, "__defaults__", (23 * 30,))
    options = ReadingOptions(timezone="Europe/Berlin")
    source = SeriesSource(tmp_path / "a.csv", Names("id", "t", "y"), options)
    (part,) = source.partitions(10_000, 1)
    assert part.rejected["id"].tolist() == ["b"]
    assert part.read.frame["t"].tolist() == [*hours] * 2


def test_seconds_from_1970_are_instants_in_each_block(tmp_path, monkeypatch):
    hours = pd.date_range("2024-10-26 20:00", periods=12, freq="h", tz="Europe/Berlin")
    written(tmp_path / "a.csv", [int(hour.timestamp()) for hour in hours])
    found, _ = times_of(tmp_path / "a.csv", 100, monkeypatch, timezone="Europe/Berlin")
    assert found.tolist() == [*hours] * 3


def test_later_blocks_have_the_order_of_day_and_month_of_the_first(tmp_path, monkeypatch):
    days = pd.date_range("2024-01-20", periods=24)  # to 12 February
    written(tmp_path / "a.csv", days.strftime("%d/%m/%Y"))
    found, whole = times_of(tmp_path / "a.csv", 17 * 12 - 1, monkeypatch)  # 12 lines
    assert found.tolist() == whole.tolist() == [*days] * 3


def test_blocks_that_are_read_in_different_ways_are_refused(tmp_path):
    hours = pd.date_range("2024-03-29", periods=96, freq="h", tz="Europe/Berlin")
    written(tmp_path / "a.csv", hours.strftime("%Y-%m-%dT%H:%M:%S%z"))
    columns = {**COLUMNS, "time_column": ["t"], "id_column": ["id"], "target_columns": ["y"]}
    with pytest.raises(ValueError, match=r"a\.csv: column 't' .* line \d+ on.*\(--timezone\)"):
        read(tmp_path / "a.csv", columns=columns)
    found = read(tmp_path / "a.csv", columns=columns, timezone="Europe/Berlin")
    assert found["t"].tolist() == [*hours] * 3


def test_labels_that_are_numbers_in_some_blocks_are_named_as_categories(tmp_path):
    days = pd.date_range("2024-01-20", periods=20).strftime("%Y-%m-%d")
    written(tmp_path / "a.csv", days)
    frame = pd.read_csv(tmp_path / "a.csv").assign(kind=["1"] * 40 + ["A"] * 20)
    frame.to_csv(tmp_path / "a.csv", index=False)
    columns = {"time_column": ["t"], "id_column": ["id"], "target_columns": ["y"]}
    columns |= {"known_columns": ["kind"]}
    with pytest.raises(ValueError, match=r"column 'kind' is read as .*\(--categories\) if it"):
        read(tmp_path / "a.csv", 200, columns)
    found = read(tmp_path / "a.csv", 200, {**columns, "categories": ["kind"]})
    assert found["kind"].tolist() == frame["kind"].tolist()


def test_columns_that_nobody_names_may_change_from_block_to_block(tmp_path, monkeypatch):
    days = pd.date_range("2024-01-20", periods=20).strftime("%Y-%m-%d")
    written(tmp_path / "a.csv", days, note=["7"] * 10 + ["seven"] * 10)
    found, whole = times_of(tmp_path / "a.csv", 200, monkeypatch)
    assert found.tolist() == whole.tolist()


def test_an_empty_column_of_a_block_has_the_type_of_the_others(tmp_path):
    days = pd.date_range("2024-01-20", periods=20).strftime("%Y-%m-%d")
    columns = {"time_column": ["t"], "id_column": ["id"], "target_columns": ["y"]}
    for empty in (slice(0, 30), slice(30, 60)):
        written(tmp_path / "a.csv", days)
        frame = pd.read_csv(tmp_path / "a.csv").assign(promo="yes")
        frame.loc[frame.index[empty], "promo"] = None
        frame.to_csv(tmp_path / "a.csv", index=False)
        found = read(tmp_path / "a.csv", 200, {**columns, "known_columns": ["promo"]})
        assert found["promo"].isna().tolist() == frame["promo"].isna().tolist()
        assert found["promo"].dropna().unique().tolist() == ["yes"]
