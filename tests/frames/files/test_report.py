"""The reading report."""

import pandas as pd
import pytest
from series_files import as_file, text_of

from timer_forecaster.frames.files.report import SeriesSummary
from timer_forecaster.frames.reading import read_series


def test_the_whole_report():
    rows = "".join(
        f"{shop};{day:%d.%m.%Y};{sold};2024;x\n"
        for shop, start in (("007", "2024-01-10"), ("NA", "2024-01-12"))
        for day, sold in zip(
            pd.date_range(start, periods=8), "3,5 4 - 5 6 7,25 8 9".split(), strict=True
        )
    )
    text = "Sales\n\nshop;day;sold;year;note\n" + rows + ";;;;\n"
    read = read_series(as_file(text), time_column="day", id_column="shop")
    assert str(read.summarized()).splitlines() == [
        "standard input: 16 rows of data; text separated by semicolon, UTF-8",
        "  skipped: 1 title row, 1 blank line, 1 empty row",
        "  times: 'day' ('10.01.2024' is 2024-01-10)",
        "  ids: 'shop'",
        "  targets: 'sold' (decimal ',', '-' is missing (2 rows))",
        "  not forecast: 'year' (the year of the time), 'note' (text, such as 'x')",
        "  series: 2 series, step D, from 2024-01-10 to 2024-01-19, 2 of 16 steps without a value "
        "(12 %)",
    ]


def test_a_plain_file():
    read = read_series(as_file(text_of()))
    assert str(read.summarized()).splitlines() == [
        "standard input: 8 rows of data; text separated by comma, UTF-8",
        "  times: 'time'",
        "  targets: 'load'",
        "  series: 1 series, step D, from 2024-01-10 to 2024-01-17, no gaps",
    ]


def test_rows_of_the_future_are_no_part_of_the_span():
    read = read_series(as_file(text_of() + "2024-01-18,\n2024-01-19,\n"))
    assert str(read.summarized()).splitlines()[-1] == (
        "  series: 1 series, step D, from 2024-01-10 to 2024-01-17, no gaps; 1 with rows after the "
        "last value, forecast from there"
    )


def test_a_column_that_ends_early_is_counted():
    rows = text_of().splitlines()
    text = "\n".join([rows[0] + ",b", *(row + f",{n % 3}" for n, row in enumerate(rows[1:6]))])
    text += "\n" + "\n".join(row + "," for row in rows[6:]) + "\n"
    summary = read_series(as_file(text)).summarized().summary
    assert (summary.series, summary.ended, summary.last) == (2, 1, "2024-01-17")


def test_series_of_different_steps():
    rows = [f"a,{day},1.5" for day in pd.date_range("2024-01-01", periods=5)]
    rows += [f"b,{day},1.5" for day in pd.date_range("2024-01-01", periods=5, freq="h")]
    text = "\n".join(["id,time,load", *rows])
    summary = read_series(as_file(text), time_column="time", id_column="id").summarized().summary
    assert summary.steps == {"D": 1, "h": 1}
    assert "steps D (1 series), h (1 series), from 2024-01-01 to 2024-01-05, no" in str(summary)


def test_the_only_column_is_forecast_with_a_doubt():
    rows = "".join(
        f"{day:%Y-%m-%d},{n}\n" for n, day in enumerate(pd.date_range("2024", periods=9))
    )
    read = read_series(as_file("time,level\n" + rows))
    assert "'level' (although row numbers: there is no other)" in str(read.report)


def test_many_columns_are_cut_short():
    names = [f"c{n}" for n in range(40)]
    row = ",".join(["1.5"] * 40)
    rows = [f"{day:%Y-%m-%d},{row}" for day in pd.date_range("2024", periods=3)]
    report = str(read_series(as_file("\n".join([",".join(["time", *names]), *rows]))).report)
    assert "'c11' and 28 more" in report


def test_series_that_cannot_be_forecast_are_no_part_of_the_summary():
    days = [f"a,{day},1.5" for day in pd.date_range("2024-01-01", periods=5)]
    twice = ["b,2030-01-01,1", "b,2030-01-01,2"]
    read = read_series(as_file("\n".join(["id,time,load", *days, *twice])), id_column="id")
    assert str(read.summarized()).splitlines()[-1] == (
        "  series: 1 series, step D, from 2024-01-01 to 2024-01-05, no gaps"
    )
    read = read_series(as_file(text_of()))
    assert read.summarized("W").summary is None
    assert "series" not in str(read.summarized("W"))


@pytest.mark.parametrize(
    ("missing", "length", "share"),
    [(1, 3, "33"), (1, 200, "0.5"), (999, 1000, "over 99"), (1, 10**6, "under 0.01")],
)
def test_shares_have_no_exponent(missing, length, share):
    summary = SeriesSummary(1, {"D": 1}, "2024-01-01", "2024-02-01", length, missing)
    assert str(summary).endswith(f" steps without a value ({share} %)")
