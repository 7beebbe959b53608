"""The only column of dates."""

import pytest
from series_files import DAYS, VALUES, as_file, assert_read, text_of

from timer_forecaster.frames.reading import read_series


@pytest.mark.parametrize(
    "dates", ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d %b %Y", "%Y-%m-%dT%H:%M:%S", "%Y/%m/%d %H:%M"]
)
def test_dates_in_any_form_are_found(dates):
    assert_read(read_series(as_file(text_of(dates=dates))))


@pytest.mark.parametrize("values", [["x"], ["12,5"], ["1.5 kWh"], ["A-17"], ["10.5.1"], [""]])
def test_other_texts_are_no_dates(values):
    header, *rows = text_of(";").splitlines()
    text = "\n".join([f"{header};other", *[f"{row};{values[0]}" for row in rows]])
    assert_read(read_series(as_file(text), target_columns="load"))


@pytest.mark.parametrize(
    ("texts", "first"),
    [
        ("2023Q4 2024Q1 2024Q2", "2023-10-01"),
        ("2024-W05 2024-W06 2024-W07", "2024-01-29"),
        ("Dec-23 Jan-24 Feb-24 Mar-24", "2023-12-01"),
        ("2024M01 2024M02 2024M03", "2024-01-01"),
    ],
)
def test_months_quarters_and_weeks_are_found(texts, first):
    text = "\n".join(["p,sold", *(f"{one},{n}.5" for n, one in enumerate(texts.split()))])
    read = read_series(as_file(text))
    assert read.time_column == "p"
    assert str(read.frame["p"].iloc[0].date()) == first


def test_dates_go_before_codes_that_look_like_periods():
    rows = [f"{day:%Y-%m-%d},24Q{n % 4 + 1},{n}.5" for n, day in enumerate(DAYS)]
    assert read_series(as_file("\n".join(["at,code,load", *rows]))).time_column == "at"


def test_whole_numbers_may_be_values():
    with pytest.raises(ValueError, match="no column of p, sold holds dates"):
        read_series(as_file("p,sold\n202401,5\n202402,6\n"))


def test_several_columns_of_dates_are_refused():
    rows = [f"{day:%Y-%m-%d},{day:%d.%m.%Y},{v}" for day, v in zip(DAYS, VALUES, strict=True)]
    text = "\n".join(["from,to,load", *rows])
    with pytest.raises(ValueError, match=r"columns 'from', 'to' all hold dates.*--time-column"):
        read_series(as_file(text))
    assert_read(read_series(as_file(text), time_column="from"), "from")
    assert_read(read_series(as_file(text), id_column="to"), "from")


def test_a_file_without_dates_is_refused():
    with pytest.raises(ValueError, match=r"no column of step, load holds dates.*--time-column"):
        read_series(as_file("step,load\n1,5\n2,6\n"))
