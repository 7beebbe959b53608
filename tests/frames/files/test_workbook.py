"""Excel workbooks."""

import datetime
import sys

import pandas as pd
import pytest
from series_files import DAYS, VALUES, as_file, assert_read, workbook_of

pytest.importorskip("openpyxl")

from timer_forecaster.frames.files.options import ReadingOptions
from timer_forecaster.frames.reading import read_series

ROWS = [[day.to_pydatetime(), value] for day, value in zip(DAYS, VALUES, strict=True)]
TABLE = [["time", "load"], *ROWS]
INFO = [["about", "value"], ["author", "me"], ["year", "x"]]


def read(_sheet=None, _no_header=None, *, time_column=None, **sheets):
    options = ReadingOptions(sheet=_sheet, no_header=_no_header)
    return read_series(as_file(workbook_of(**sheets)), time_column=time_column, options=options)


@pytest.mark.parametrize("name", ["data.xlsx", "data.csv", "data"])
def test_a_workbook_is_read_whatever_its_name(name, tmp_path):
    (tmp_path / name).write_bytes(workbook_of(Data=TABLE))
    assert_read(read_series(tmp_path / name))


@pytest.mark.parametrize("titles", [[["A title"]], [["A title"], [None], [None, None]], [[None]]])
@pytest.mark.parametrize("time_column", [None, "time"])
def test_titles_above_the_header(titles, time_column):
    assert_read(read(Data=[*titles, *TABLE], time_column=time_column))


def test_dates_and_numbers_that_are_texts():
    rows = [[f"{d:%d.%m.%Y}", str(v).replace(".", ",")] for d, v in zip(DAYS, VALUES, strict=True)]
    assert_read(read(Data=[TABLE[0], *rows]))


@pytest.mark.parametrize("mark", ["n/a", "-", "?", "", None])
def test_marks_of_missing_values_among_numbers(mark):
    rows = [[day, mark if n == 3 else value] for n, (day, value) in enumerate(ROWS)]
    values = read(Data=[TABLE[0], *rows]).frame["load"].tolist()
    assert values[:3] == VALUES[:3]
    assert pd.isna(values[3])


@pytest.mark.parametrize(
    ("sheets", "options", "message"),
    [
        ({"Data": []}, {}, "the file is empty"),
        ({"Data": [], "More": [[None]]}, {"time_column": "time"}, "the file is empty"),
        ({"Data": TABLE, "Empty": []}, {"_sheet": "Empty"}, "sheet 'Empty' is empty"),
        ({"Data": TABLE[:1]}, {}, "there are no rows of data"),
    ],
)
def test_a_workbook_without_rows(sheets, options, message):
    with pytest.raises(ValueError, match=message):
        read(**options, **sheets)


def test_empty_rows_and_columns():
    rows = [[*row, None] for row in TABLE]
    assert_read(read(Data=[*rows, [None] * 3, [None, "", None]]))


def test_the_sheet_is_the_only_one_with_the_columns():
    found = read(Info=INFO, Data=TABLE, time_column="time")
    assert_read(found)
    assert "sheet 'Data', not sheets Info" in found.report.format
    assert_read(read(Data=TABLE, Empty=[[None]]))


@pytest.mark.parametrize("sheet", ["Second", "1"])
def test_the_sheet_can_be_named(sheet):
    other = [["time", "load"], *[[day, -value] for day, value in ROWS]]
    assert_read(read(sheet, First=other, Second=TABLE))


def test_sheets_that_may_all_be_meant_are_refused():
    with pytest.raises(ValueError, match="sheets 'First', 'Second' all may hold the series"):
        read(First=TABLE, Second=TABLE, time_column="time")
    with pytest.raises(ValueError, match="sheet='Third': there is no such sheet; there are First"):
        read("Third", First=TABLE)


def test_ids_of_several_types_of_cells_are_texts():
    rows = [[*row, 7 if n % 2 else "007"] for n, row in enumerate(ROWS)]
    frame = read_series(
        as_file(workbook_of(Data=[[*TABLE[0], "shop"], *rows])),
        time_column="time",
        id_column="shop",
    ).frame
    assert frame["shop"].tolist() == ["007", "7"] * 4


def test_dates_and_clock_times_in_two_columns():
    rows = [[datetime.date(2024, 1, 1), datetime.time(hour, 30), hour * 2.5] for hour in range(8)]
    found = read(Data=[["day", "at", "load"], *rows], time_column=["day", "at"])
    expected = pd.date_range("2024-01-01 00:30", periods=8, freq="h")
    assert found.frame["day at"].tolist() == expected.tolist()


def test_dates_as_names_of_columns_are_refused():
    with pytest.raises(ValueError, match="its columns are dates"):
        read(Data=[["shop", *[row[0] for row in ROWS]], ["a", *VALUES]], time_column="shop")


def test_a_sheet_without_a_header():
    assert_read(read(None, True, Data=ROWS), "1", "2")


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    data = workbook_of(Data=TABLE)
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(ImportError, match=r'openpyxl; .*"timer-forecaster\[excel\]"'):
        read_series(as_file(data))


def test_an_old_workbook_needs_a_package_of_its_own():
    try:
        import xlrd  # noqa: F401
    except ImportError:
        with pytest.raises(ImportError, match="pip install xlrd, or save it as"):
            read_series(as_file(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000)))


def test_a_damaged_workbook_is_named(tmp_path):
    file = tmp_path / "data.xlsx"
    file.write_bytes(workbook_of(Data=TABLE)[:-200])
    with pytest.raises(ValueError, match=f"{file}: "):
        read_series(file)
