"""Titles, comments, and files without a header."""

import pytest
from series_files import VALUES, as_file, assert_read, text_of

from timer_forecaster.frames.files.options import ReadingOptions
from timer_forecaster.frames.reading import MissingColumnError, read_series

TITLES = [
    "Sales of the north\n",
    "Sales of the north\nExported: 2024-03-01 12:00\n\n",
    "Sales of the north,\n,\n",
    '"Sales, of the north"\n\n\n',
    "\n\n",
    "# made by a program\n",
    "# one, two\n# three\n\n",
    "sep=,\n",
]


@pytest.mark.parametrize("named", [{}, {"time_column": "time"}])
@pytest.mark.parametrize("titles", TITLES)
def test_titles_and_comments_are_skipped(titles, named):
    assert_read(read_series(as_file(titles + text_of()), **named))


def test_what_is_skipped_is_counted():
    read = read_series(as_file("A title\n# a comment\n\n" + text_of() + "\n# end\n,\n  \n"))
    assert_read(read)
    skipped = {kind: count for kind, count in read.report.skipped.items() if count}
    assert skipped == {"title row": 1, "comment line": 2, "blank line": 3, "empty row": 1}


@pytest.mark.parametrize("mark", ["#", "# "])
def test_a_comment_above_the_data_can_be_the_header(mark):
    assert_read(read_series(as_file(mark + text_of())))
    read = read_series(as_file(mark + "step,load\n1,5.5\n2,6.5\n"), time_column="step")
    assert read.frame["load"].tolist() == [5.5, 6.5]


@pytest.mark.parametrize("dates", ["%Y-%m-%d", "%d.%m.%Y", "%Y-%m-%dT00:00:00", "%m/%d/%Y"])
def test_a_file_without_a_header(dates):
    text = text_of(dates=dates).split("\n", 1)[1]
    for named in ({}, {"time_column": "1"}, {"time_column": "1", "target_columns": "2"}):
        read = read_series(as_file(text), **named)
        assert_read(read, "1", "2")
        assert "no header" in read.report.format


def test_a_file_without_a_header_where_one_is_said_to_be_missing():
    text = "".join(f"{n},{value}\n" for n, value in enumerate(VALUES, 1))
    options = ReadingOptions(no_header=True)
    read = read_series(as_file(text), time_column="1", options=options)
    assert read.frame["2"].tolist() == VALUES


@pytest.mark.parametrize(
    "names",
    [
        "shop,2024-01-01,2024-01-02,2024-01-03",
        "shop,01.01.2024,02.01.2024,03.01.2024",
        "Country,Code,1990,1991,1992,1993",
        "shop,Jan-24,Feb-24,Mar-24,Apr-24",
        "shop,2024-01,2024-02,2024-03",
        "shop,2024Q1,2024Q2,2024Q3",
        "shop,2024-01-01 00:00,2024-01-01 01:00,2024-01-01 02:00",
    ],
)
@pytest.mark.parametrize("named", [{}, {"time_column": "shop"}, {"id_column": "shop"}])
def test_dates_as_names_of_columns_are_refused(names, named):
    row = ",".join(["a", *"1234567"][: names.count(",") + 1])
    with pytest.raises(ValueError, match=r"its columns are dates \(.*melt"):
        read_series(as_file(f"{names}\n{row}\n{row}\n"), **named)


def test_years_as_some_names_are_no_dates():
    text = text_of(names=("time", "2023"))
    assert_read(read_series(as_file(text)), load="2023")


def test_spaces_around_names_are_left_off():
    assert_read(read_series(as_file(text_of(names=(" time ", " load "))), time_column="time"))


def test_a_name_that_is_there_twice():
    header, *lines = text_of().splitlines()
    rows = [f"{line},{-value}" for line, value in zip(lines, VALUES, strict=True)]
    text = "\n".join([header + ",load", *rows])
    read = read_series(as_file(text), time_column="time")
    assert read.target_columns == ["load", "load.1"]
    with pytest.raises(ValueError, match="target_columns: column 'load' is there more than once"):
        read_series(as_file(text), time_column="time", target_columns="load")
    one = read_series(as_file(text), time_column="time", target_columns="load.1")
    assert one.frame["load.1"].tolist() == [-value for value in VALUES]


def test_a_wrong_name_is_told_with_the_right_ones():
    for titles in TITLES:
        with pytest.raises(MissingColumnError, match="no column 'date'; there are time, load"):
            read_series(as_file(titles + text_of()), time_column="date")
