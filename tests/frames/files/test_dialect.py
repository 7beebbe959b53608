"""Encodings and separators are found out, or given."""

import pytest
from series_files import as_file, assert_read, text_of

from timer_forecaster.frames.files.options import ReadingOptions
from timer_forecaster.frames.reading import read_series

SIGNS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", " ": "space", "   ": "space"}


@pytest.mark.parametrize("named", [{}, {"time_column": "time"}])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("sign", SIGNS)
def test_separators_are_found(sign, end, named):
    read = read_series(as_file(text_of(sign, end=end)), **named)
    assert_read(read)
    assert f"separated by {SIGNS[sign]}" in read.report.format


@pytest.mark.parametrize("sign", [";", "\t", "|", " "])
def test_decimal_commas_do_not_separate(sign):
    assert_read(read_series(as_file(text_of(sign, decimal=",", dates="%d.%m.%Y"))))


@pytest.mark.parametrize("sep", ["#", "~", ":", "!"])
def test_other_separators_are_given(sep):
    text = text_of(sep)
    assert_read(read_series(as_file(text), options=ReadingOptions(sep=sep), time_column="time"))


@pytest.mark.parametrize("name", ["semicolon", "Tab", "pipe", "space", r"\t"])
def test_separators_have_names(name):
    sign = ReadingOptions(sep=name).sep
    assert_read(read_series(as_file(text_of(sign)), options=ReadingOptions(sep=name)))


@pytest.mark.parametrize("named", [{}, {"time_column": "zeit"}])
@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"],
)
def test_encodings_are_found(encoding, named):
    text = text_of(";", names=("zeit", "Wärme")).encode(encoding)
    assert_read(read_series(as_file(text), **named), "zeit", "Wärme")


def test_a_sign_of_another_encoding_far_below_is_found(tmp_path):
    rows = "".join(f"{n},{n % 7}.5,x\n" for n in range(60_000))
    file = tmp_path / "data.csv"
    file.write_bytes(f"step,load,note\n{rows}60000,3.5,größer\n".encode("cp1252"))
    read = read_series(file, time_column="step")
    assert read.frame["note"].iloc[-1] == "größer"
    assert "CP1252" in read.report.format
    with pytest.raises(ValueError, match=r"data\.csv: it is not written in utf-8"):
        read_series(file, time_column="step", options=ReadingOptions(encoding="utf-8"))


def test_an_encoding_can_be_given():
    text = text_of(names=("time", "łódź")).encode("cp1250")
    read = read_series(as_file(text), options=ReadingOptions(encoding="cp1250"))
    assert_read(read, load="łódź")


def test_a_field_that_holds_other_separators():
    lines = text_of().splitlines()
    text = "a;b|c," + lines[0] + "\n" + "".join(f"x;y|z w,{line}\n" for line in lines[1:])
    assert_read(read_series(as_file(text)))
