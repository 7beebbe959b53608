"""Calendar codes."""

import numpy as np
import pandas as pd
import pytest

from timer_forecaster.frames.stamps.codes import CODES, codes_of


def named(numbers, **options):
    found = codes_of(np.unique(numbers), **options)
    return {coded.code.name: coded for coded in found if coded.valid}


@pytest.mark.parametrize(
    "name, format, freq",
    [
        ("YYYYMMDD", "%Y%m%d", "D"),
        ("DDMMYYYY", "%d%m%Y", "D"),
        ("MMDDYYYY", "%m%d%Y", "D"),
        ("YYYYMMDDHH", "%Y%m%d%H", "h"),
        ("YYYYMMDDHHMM", "%Y%m%d%H%M", "7min"),
        ("YYYYMMDDHHMMSS", "%Y%m%d%H%M%S", "s"),
        ("YYYYMM", "%Y%m", "MS"),
        ("YYYYWW", "%G%V", "W-MON"),
        ("YYYYDDD", "%Y%j", "D"),
        ("YYMMDD", "%y%m%d", "D"),
        ("YYMM", "%y%m", "MS"),
    ],
)
def test_each_code_is_read(name, format, freq):
    dates = pd.date_range("2023-11-27" if freq != "MS" else "2023-11-01", periods=40, freq=freq)
    numbers = dates.strftime(format).astype("int64").to_numpy()
    coded = named(numbers)[name]
    assert coded.valid
    assert coded.times.sort_values().tolist() == dates.tolist()
    if coded.code.proof in ("cycle", "carry"):
        assert coded.crosses()


def test_quarters_are_read():
    coded = named([20233, 20234, 20241])["YYYYQ"]
    assert coded.times.strftime("%Y-%m-%d").tolist() == ["2023-07-01", "2023-10-01", "2024-01-01"]
    assert coded.crosses()


def test_every_code_has_a_length_and_an_example_of_a_frequency():
    for code in CODES:
        assert code.digits == len(code.name)
        assert pd.tseries.frequencies.to_offset(code.freq).n == 1


@pytest.mark.parametrize("numbers", [[0, 1, 2], [1000, 1001], [-20240101], [123456789], [999]])
def test_other_numbers_are_no_codes(numbers):
    assert named(numbers) == {}


@pytest.mark.parametrize(
    "numbers, name, whole",
    [
        (range(202001, 202013), "YYYYMM", True),
        (range(202001, 202013), "YYYYWW", False),
        (range(202001, 202012), "YYYYMM", False),
        (range(202301, 202353), "YYYYWW", True),
        (range(202001, 202054), "YYYYWW", True),
        (range(20231, 20235), "YYYYQ", True),
        (range(2023001, 2023366), "YYYYDDD", True),
        (range(2024001, 2024366), "YYYYDDD", False),
    ],
)
def test_whole_years_are_found(numbers, name, whole):
    assert named(list(numbers))[name].is_whole() == whole


def test_the_width_of_texts_decides_whether_a_zero_is_lost():
    assert list(named([1012024, 2012024])) == ["DDMMYYYY", "MMDDYYYY"]
    assert named([1012024, 2012024], width=7) == {}
    assert list(named([1012024, 2012024], width=8)) == ["DDMMYYYY", "MMDDYYYY"]


def test_a_counter_is_no_date_that_ends_with_the_year():
    assert not named(np.arange(10122000, 10122020))["DDMMYYYY"].is_certain()
    assert named([10122000, 11122000])["DDMMYYYY"].is_certain()
