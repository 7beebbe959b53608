"""Numbers as tables write them: one reading for the whole column, or none."""

import numpy as np
import pandas as pd
import pytest

from timer_forecaster.frames.numerals import UnreadableNumberError, read_numerals


def read(texts, **signs):
    values, _ = read_numerals(pd.Series(texts, dtype=object), **signs)
    return values


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["5,018.86", "716"], [5018.86, 716]),
        (["1.234,56", "7"], [1234.56, 7]),
        (["1,234,567", "1,234"], [1234567, 1234]),
        (["1.234.567", "1.234"], [1234567, 1234]),
        (["1,234", "12,5"], [1.234, 12.5]),
        (["1.234", "12,5"], [1234, 12.5]),
        (["1,234", "12.5"], [1234, 12.5]),
        (["0,123", "1,234"], [0.123, 1.234]),
        (["1,2345", "1,234"], [1.2345, 1.234]),
        (["1234,567", "1,234"], [1234.567, 1.234]),
        (["3,5", "4"], [3.5, 4]),
        (["12,34,567.8", "1,00,000"], [1234567.8, 100000]),
        (["1 234,5", "7"], [1234.5, 7]),
        (["1\u00a0234", "999"], [1234, 999]),
        (["1\u202f234,5", "2\u2009345,6"], [1234.5, 2345.6]),
        (["1'234.50", "1\u2019000"], [1234.5, 1000]),
        (["1_000", "5"], [1000, 5]),
        (["$ 5", "$1,000.50"], [5, 1000.5]),
        (["€5", "-€6"], [5, -6]),
        (["5 €", "6,5 €"], [5, 6.5]),
        (["USD 5", "USD 6"], [5, 6]),
        (["R$ 5", "R$ 6"], [5, 6]),
        (["5 %", "12.5 %"], [5, 12.5]),
        (["5%", "-3%"], [5, -3]),
        (["5 kWh", "1.5kWh"], [5, 1.5]),
        (["5 km/h", "6 km/h"], [5, 6]),
        (["5 m³", "6 m³"], [5, 6]),
        (["5 m2", "6 m2"], [5, 6]),
        (["20°C", "-3,5°C"], [20, -3.5]),
        (["(3)", "4"], [-3, 4]),
        (["($1,200.5)", "$4"], [-1200.5, 4]),
        (["\u22125", "+3"], [-5, 3]),
        (["5-", "3"], [-5, 3]),
        (["1e5", "2,5E-3"], [1e5, 2.5e-3]),
        ([" 5 ", "\t6"], [5, 6]),
        (["007", "8"], [7, 8]),
        ([".5", "1."], [0.5, 1]),
        (["-", "5"], [np.nan, 5]),
        (["?", "n/a", "N/A", "na", "—", "#DIV/0!", "null", "", "5"], [np.nan] * 8 + [5]),
        (["-", "?"], [np.nan, np.nan]),
        ([None, "5,5", 6, 7.25], [np.nan, 5.5, 6, 7.25]),
        ([1.234, "1,5"], [1.234, 1.5]),
    ],
    ids=str,
)
def test_a_column_with_one_reading_is_read(texts, values):
    np.testing.assert_allclose(read(texts), values, rtol=1e-15)


@pytest.mark.parametrize(
    ("texts", "row", "reason"),
    [
        (["5", "1,234", "987"], 2, "can be 1234 or 1.234, and no row decides"),
        (["1.234 €", "987 €"], 1, "can be 1234 or 1.234"),
        (["1,234", "1234"], 1, "can be 1234 or 1.234"),
        (["1.234", "5,678"], 1, "can be 1234 or 1.234"),
        (["-1,234"], 1, "can be 1234 or 1.234"),
    ],
    ids=str,
)
def test_a_column_with_two_readings_is_refused(texts, row, reason):
    with pytest.raises(UnreadableNumberError, match=f"^data row {row}, .*{reason}") as caught:
        read(texts)
    assert caught.value.ambiguous


@pytest.mark.parametrize(
    ("texts", "row"),
    [
        (["5", "n.n.", "6"], 2),
        (["5 %", "7"], 2),
        (["$5", "€6", "$7"], 2),
        (["5 kWh", "6 MWh", "7 kWh"], 2),
        (["1,5", "2,5", "3.5"], 3),
        (["1.2.2023", "2.3.2024"], 1),
        (["2024-01-01"], 1),
        (["10:30", "11:30"], 1),
        (["1 2"], 1),
        (["1,23,4"], 1),
        (["1 234.567,8"], 1),
        (["5k", "6k"], 1),
        (["5 M", "6 M"], 1),
        (["1st", "2nd"], 2),
        (["4th", "5th"], 1),
        (["7 PM", "8 PM"], 1),
        (["1 Jan", "2 Jan"], 1),
        (["Q1", "Q2"], 1),
        (["SKU 5", "SKU 6"], 1),
        (["(3", "4"], 1),
        (["(-3)", "4"], 1),
        (["--3"], 1),
        (["inf", "5"], 1),
        (["1e999", "5"], 1),
        (["(3)", "-"], 2),
        ([5, ["a"], "6,5"], 2),
    ],
    ids=str,
)
def test_what_is_no_number_is_named_with_its_row(texts, row):
    with pytest.raises(UnreadableNumberError, match=f"^data row {row}, ") as caught:
        read(texts)
    assert not caught.value.ambiguous
    assert caught.value.row == row - 1


@pytest.mark.parametrize(
    ("texts", "signs", "value"),
    [
        (["1,234"], {"decimal": ","}, 1.234),
        (["1,234"], {"decimal": "."}, 1234),
        (["1,234"], {"thousands": ","}, 1234),
        (["1.234"], {"decimal": ","}, 1234),
        (["1.234"], {"thousands": "."}, 1234),
        (["1.234"], {"decimal": "."}, 1.234),
        (["1 234"], {"thousands": " ", "decimal": ","}, 1234),
    ],
    ids=str,
)
def test_signs_that_are_given_decide(texts, signs, value):
    assert read(texts, **signs).tolist() == [value]


def test_numbers_against_the_given_signs_are_refused():
    with pytest.raises(UnreadableNumberError, match=r"'1\.5', is not a number with decimal ','"):
        read(["2,5", "1.5"], decimal=",")


@pytest.mark.parametrize(
    ("decimal", "thousands", "digits"), [(",", "", 2), (",", ".", 2), (".", ",", 2), (",", "", 3)]
)
def test_many_numbers_are_read_as_few_are(decimal, thousands, digits):
    numbers = np.random.default_rng(0).normal(0, 9999, size=3000).round(digits)
    numbers[0] = 123456.5  # decides, also among numbers of three digits
    texts = [f"{x:,.{digits}f}" if thousands else f"{x:.{digits}f}" for x in numbers]
    swap = str.maketrans({",": thousands, ".": decimal})
    values, notation = read_numerals(pd.Series([text.translate(swap) for text in texts]))
    np.testing.assert_allclose(values, numbers, rtol=1e-15)
    assert (notation.decimal, notation.thousands) == (decimal, thousands)


def test_many_numbers_with_two_readings_are_refused():
    texts = pd.Series([f"{n // 1000},{n % 1000:03d}" for n in range(1000, 5000)])
    with pytest.raises(UnreadableNumberError, match="no row decides"):
        read_numerals(texts)


def test_the_notation_says_what_was_left_off():
    _, notation = read_numerals(pd.Series(["1.000,5 kWh", "?", "?", "-"]))
    expected = "decimal ',', thousands '.', 'kWh' left off, '?' is missing (2 rows), "
    assert str(notation) == expected + "'-' is missing (1 rows)"
