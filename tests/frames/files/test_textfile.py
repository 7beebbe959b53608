"""Rows whose number of fields is not the header's."""

import numpy as np
import pandas as pd
import pytest
from series_files import DAYS, VALUES, as_file, assert_read, text_of

from timer_forecaster.frames.files.options import ReadingOptions
from timer_forecaster.frames.reading import read_series

HEADER, *ROWS = text_of().splitlines()


def lines(header, rows):
    return "\n".join([header, *rows, ""])


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
@pytest.mark.parametrize("tail", [1, 2, 5])
@pytest.mark.parametrize("header_too", [True, False])
@pytest.mark.parametrize("on_disk", [True, False])
def test_separators_at_the_end_shift_no_column(sign, tail, header_too, on_disk, tmp_path):
    header, rows = text_of(sign).split("\n", 1)
    text = header + sign * tail * header_too + "\n" + rows.replace("\n", sign * tail + "\n")
    file = as_file(text)
    if on_disk:
        file = tmp_path / "data.csv"
        file.write_text(text)
    read = read_series(file, time_column="time")
    assert_read(read)
    assert read.report.skipped["separator at the end of a row"] == len(VALUES)


def test_only_the_header_ends_in_a_separator():
    assert_read(read_series(as_file(lines(HEADER + ",", ROWS))))


def test_some_rows_end_in_a_separator():
    read = read_series(as_file(lines(HEADER, [*ROWS[:3], ROWS[3] + ",", *ROWS[4:]])))
    assert_read(read)


@pytest.mark.parametrize(
    ("row", "fields"),
    [("2024-01-13", 1), ("2024-01-13,5,6", 3), ("2024-01-13,5,,x", 4), ("Source: us", 1)],
)
@pytest.mark.parametrize("place", [0, 3, 8])
@pytest.mark.parametrize("above", ["", "# a comment\n", "A title\n\n"])
def test_rows_with_too_few_or_too_many_fields_are_named_with_their_line(row, fields, place, above):
    rows = [*ROWS[:place], row, *ROWS[place:]]
    line = above.count("\n") + place + 2
    with pytest.raises(ValueError, match=f"line {line} has {fields} fields, and there are 2"):
        read_series(as_file(above + lines(HEADER, rows)), time_column="time")


def test_a_field_too_many_is_never_taken_for_an_index():
    rows = [f"{n},{row}" for n, row in enumerate(ROWS)]
    with pytest.raises(ValueError, match="line 2 has 3 fields, and there are 2 columns"):
        read_series(as_file(lines(HEADER, rows)), time_column="time")


def test_decimal_commas_without_quotes_in_a_file_of_commas():
    with pytest.raises(ValueError, match="put fields that hold the separator ',' in double quotes"):
        read_series(as_file(text_of(",", decimal=",")), time_column="time")


@pytest.mark.parametrize(
    "tail", [",\n", ",\n,\n,\n", "\n\n", "  \n \n", " , \n", '"",""\n', ",\n\n,\n# end\n"]
)
@pytest.mark.parametrize("middle", [True, False])
def test_empty_rows_do_not_stop_anything(tail, middle):
    rows = text_of().splitlines(keepends=True)
    text = "".join([*rows[:4], tail, *rows[4:]]) if middle else "".join(rows) + tail
    read = read_series(as_file(text))
    assert_read(read)
    assert sum(read.report.skipped.values()) == tail.count("\n")


def test_whole_numbers_stay_whole_beside_empty_rows():
    read = read_series(as_file("time,n\n2024-01-01,5\n2024-01-02,7\n,\n"))
    assert read.frame["n"].dtype == np.int64


def test_a_row_without_a_time_but_with_a_value_is_refused():
    with pytest.raises(ValueError, match="time column 'time': data row 9 has no time"):
        read_series(as_file(text_of() + ",5\n"), time_column="time")


def test_empty_columns_are_left_out_and_told():
    text = lines("time,,load,x,", [row.replace(",", ",,") + ",," for row in ROWS])
    read = read_series(as_file(text))
    assert_read(read)
    assert read.report.left_out == {"x": "it is empty"}
    assert read.report.skipped["empty column without a name"] == 1


def test_quoted_fields():
    rows = [f'"a, ""b""\n{n}","{row[:10]}","{row[11:]}"' for n, row in enumerate(ROWS)]
    read = read_series(as_file(lines('note,"time","load"', rows)))
    assert_read(read)
    assert read.frame["note"].tolist()[1] == 'a, "b"\n1'


def test_fields_after_a_space():
    assert_read(read_series(as_file(text_of(", "))))
    text = text_of().replace(",", ', "').replace("\n", '"\n')
    assert_read(read_series(as_file(text.replace('load"', "load").replace('"load', "load"))))


@pytest.mark.parametrize("sign", [";", "\t", "|"])
def test_points_that_may_separate_thousands_are_decided_by_the_file(sign):
    def read(loads, prices=None, **options):
        columns = {"time": DAYS.strftime("%d.%m.%Y"), "load": loads}
        frame = pd.DataFrame(columns if prices is None else {**columns, "price": prices})
        text = frame.to_csv(sep=sign, index=False)
        return read_series(as_file(text), time_column="time", options=ReadingOptions(**options))

    loads = ["1.234", "2.345", "987", "1.100", "5.000", "3.210", "4.321", "6.543"]
    thousands = [1234, 2345, 987, 1100, 5000, 3210, 4321, 6543]
    assert read(loads, ["3,5"] * 7 + ["4,25"]).frame["load"].tolist() == thousands
    assert read(loads, ["3.5"] * 7 + ["4.25"]).frame["load"].tolist()[0] == 1.234
    assert read(loads, decimal=",").frame["load"].tolist() == thousands
    assert read(loads, thousands=".").frame["load"].tolist() == thousands
    assert read(loads, decimal=".").frame["load"].tolist()[0] == 1.234
    assert read([*loads[:7], "0.543"]).frame["load"].tolist()[0] == 1.234
    assert read([*loads[:7], "1.5"]).frame["load"].tolist()[0] == 1.234
    with pytest.raises(ValueError, match=r"can be 1234 or 1.234.*--decimal.*--thousands"):
        read(loads)


def test_points_are_decimal_signs_in_a_file_of_commas():
    text = "time,load\n2024-01-01,1.234\n2024-01-02,2.345\n"
    assert read_series(as_file(text)).frame["load"].tolist() == [1.234, 2.345]


def test_a_column_of_numbers_with_a_text_far_below():
    rows = "".join(f"{n},{n % 7}.125\n" for n in range(300_000))
    text = f'step,load\n{rows}300000,"1,5"\n'
    with pytest.raises(ValueError, match="target 'load': data row 300001, '1,5'"):
        read_series(as_file(text), time_column="step", target_columns="load")


def _file(separator, quote, **columns):
    rows = zip(*columns.values(), strict=True)
    body = [
        separator.join([f"{day:%Y-%m-%d}", *(f"{quote}{text}{quote}" for text in row)])
        for day, row in zip(DAYS, rows, strict=False)
    ]
    return as_file(lines(separator.join(["time", *columns]), body))


SALES = ["1", "2", "1.000", "3", "", "5"]
OTHERS = {
    "1.000 and small numbers": (SALES, [1, 2, 1000, 3, np.nan, 5]),
    "1.000 alone": (["1.000"] * 6, [1000] * 6),
    "1.250": (["1.250", "7", "2.000", "8", "9", "1"], [1250, 7, 2000, 8, 9, 1]),
}


@pytest.mark.parametrize("case", OTHERS)
@pytest.mark.parametrize(("separator", "quote"), [(";", ""), ("\t", ""), (";", '"'), (",", '"')])
@pytest.mark.parametrize("targets", [None, ["sales"]])
def test_a_decimal_comma_elsewhere_makes_points_thousands(case, separator, quote, targets):
    sales, right = OTHERS[case]
    prices = ["0,2", "0,3", "1,55", "7,5", "3,5", "2"]
    file = _file(separator, quote, sales=sales, price=prices)
    read = read_series(file, time_column="time", target_columns=targets)
    np.testing.assert_array_equal(read.frame["sales"], right)


@pytest.mark.parametrize("separator", [";", "\t", "|"])
@pytest.mark.parametrize("case", OTHERS)
def test_points_that_nothing_decides_are_refused(case, separator):
    file = _file(separator, "", sales=OTHERS[case][0])
    with pytest.raises(ValueError, match=r"target 'sales': data row .* and no row decides"):
        read_series(file, time_column="time", target_columns="sales")


@pytest.mark.parametrize(
    "texts", [["1.0", "2.0", "", "3.0"], ["5.00", "2.000"], ["0.500", "1.000"]]
)
def test_whole_numbers_with_a_point_are_read_where_it_can_only_be_decimal(texts):
    read = read_series(_file(";", "", sales=texts), time_column="time")
    right = [float(text or "nan") for text in texts]
    np.testing.assert_array_equal(read.frame["sales"], right)


def test_points_are_decimal_in_a_file_separated_by_commas():
    read = read_series(_file(",", '"', a=["1.250", "1.000"], b=["1,250", "2,000"]))
    assert read.frame["a"].tolist() == [1.25, 1]
    assert read.frame["b"].tolist() == [1250, 2000]


@pytest.mark.parametrize("comment", ["", "# checked by hand\n", "#\n#a\n"])
@pytest.mark.parametrize("ids", [["a", "#1"], ["#1", "a"], ["#1", "#2"], ["# 1", "b"]])
def test_ids_that_begin_like_a_comment_lose_no_row(ids, comment):
    rows = [
        f"{key},{day:%Y-%m-%d},{v}\n" for key in ids for day, v in zip(DAYS, VALUES, strict=True)
    ]
    text = "store,time,load\n" + rows[0] + comment + "".join(rows[1:])
    read = read_series(as_file(text), time_column="time", id_column="store")
    assert read.frame["store"].tolist() == [key for key in ids for _ in DAYS]
    assert read.frame["load"].tolist() == VALUES * 2
    assert read.report.skipped["comment line"] == comment.count("\n")


def test_a_comment_with_an_open_quotation_mark_swallows_no_rows():
    text = lines(HEADER, [*ROWS[:3], '# so-called, see above, "peak', *ROWS[3:]])
    with pytest.raises(ValueError, match="line 5, a comment, has a quotation mark"):
        read_series(as_file(text), time_column="time")
