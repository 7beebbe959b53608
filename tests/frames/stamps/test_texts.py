"""Columns of texts."""

import pandas as pd
import pytest
from stub_pipeline import StubPipeline, forecast_times

from timer_forecaster.frames.stamps.texts import TextOptions, read_texts

MONTH_NAMES = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def read(texts, **options):
    return read_texts(pd.Series(list(texts), dtype=object), "t", TextOptions(**options))


@pytest.mark.parametrize(
    "texts, last",
    [
        (["2024-02-28", "2024-02-29"], "2024-02-29"),
        (["2024/2/28", "2024/2/29"], "2024-02-29"),
        (["2024.02.28", "2024.02.29"], "2024-02-29"),
        (["28.02.2024", "29.02.2024"], "2024-02-29"),
        (["28. 2. 2024", "1. 3. 2024"], "2024-03-01"),
        (["2/28/2024", "2/29/2024"], "2024-02-29"),
        (["28-02-24", "29-02-24", "01-03-24"], "2024-03-01"),
        (["23-12-30", "23-12-31", "24-01-01"], "2024-01-01"),
        (["28 February 2024", "29 Feb 2024"], "2024-02-29"),
        (["Sept 9, 2024", "September 10, 2024"], "2024-09-10"),
        (["31st May 2024", "1st June 2024"], "2024-06-01"),
        (["Feb. 28, 2024", "Feb. 29, 2024"], "2024-02-29"),
        (["2024-Feb-28", "2024-Feb-29"], "2024-02-29"),
        (["30-Jan-24", "31-Jan-24", "01-Feb-24"], "2024-02-01"),
        (["Thu, 29 Feb 2024 10:00:00 GMT"], "2024-02-29 10:00+00:00"),
        (["Thu Feb 29 10:00:00 2024"], "2024-02-29 10:00"),
        (["2024-060"], "2024-02-29"),
        (["20240229T1030", "20240229T1130"], "2024-02-29 11:30"),
        (["2024-02-29T10:00:00,25"], "2024-02-29 10:00:00.25"),
        (["2024-02-29 10:00:00.123456789"], "2024-02-29 10:00:00.123456789"),
        (["13/1/2024 12:00:00 AM", "13/1/2024 12:30:00 PM"], "2024-01-13 12:30"),
        (["1/31/2024", "1/31/2024 1:05 a.m."], "2024-01-31 01:05"),
        (["31.01.2024 23:00", "31.01.2024 24:00"], "2024-02-01"),
        (["2024-02-29 5 PM"], "2024-02-29 17:00"),
        (["1500-02-28", "1500-03-01"], "1500-03-01"),
        (["2023-Q4", "2024-Q1"], "2024-01-01"),
        (["2024Q1"], "2024-01-01"),
        (["Q1 2024", "Q2 2024"], "2024-04-01"),
        (["4Q23", "1Q24"], "2024-01-01"),
        (["2024W05", "2024W06"], "2024-02-05"),
        (["2024-W05"], "2024-01-29"),
        (["2024-W05-3"], "2024-01-31"),
        (["W5 2024"], "2024-01-29"),
        (["2023M12", "2024M01"], "2024-01-01"),
        (["Jan 2024", "February 2024"], "2024-02-01"),
        (["Jan'24"], "2024-01-01"),
        (["01/2024", "02/2024"], "2024-02-01"),
        (["2024/01", "2024/02"], "2024-02-01"),
        (["2024-1", "2024-2"], "2024-02-01"),
        (["Nov-23", "Dec-23", "Jan-24"], "2024-01-01"),
        (["23-Nov", "23-Dec", "24-Jan"], "2024-01-01"),
        (["Jan-99", "Feb-99"], "1999-02-01"),
        (["Jan-00", "Feb-00"], "2000-02-01"),
        (["Jan-31", "Feb-31"], "2031-02-01"),
        ([f"{name}-24" for name in MONTH_NAMES], "2024-12-01"),
        (["2024-01-01 00:00+01:00"], "2023-12-31 23:00+00:00"),
        (["2024-01-01T00:00Z"], "2024-01-01 00:00+00:00"),
        (["01/13/2024 10:00 +0100"], "2024-01-13 09:00+00:00"),
    ],
)
def test_texts_are_read(texts, last):
    assert read(texts).iloc[-1] == pd.Timestamp(last)


@pytest.mark.parametrize(
    "texts, why",
    [
        (["January", "February"], "'January', has no year"),
        (["Jan 1", "Jan 2"], "'Jan 1', has no year"),
        (["1-Jan", "2-Jan"], "'1-Jan', has no year"),
        (["1/24", "2/24"], "'1/24', has no year"),
        (["01.01.", "02.01."], "'01.01.', has no year"),
        (["Jan 1 12:00"], "'Jan 1 12:00', has no year"),
        (["00:00:00", "01:00:00"], "'00:00:00', has a time of the day and no date"),
        (["12:30"], "'12:30', has a time of the day and no date"),
        (["5 pm"], "'5 pm', has a time of the day and no date"),
        (["Mon", "Tue"], "'Mon', is a weekday and no date"),
        (["today", "now"], "'today', cannot be read"),
        (["2024-01-01", "now"], "'now', cannot be read"),
        (["Jan-24", "Feb-24", "Mar-24"], "'Jan-24', can be a month and a year, or a day"),
        (["Jan 01", "Jan 02"], "'Jan 01', can be a month and a year, or a day"),
        (["24-Jan", "24-Feb"], "'24-Jan', can be a month and a year, or a day"),
        (["1. Januar 2024"], "'Januar' is no English name of a month"),
        (["3 janvier 2024"], "'janvier' is no English name of a month"),
        (["02 enero 2024"], "'enero' is no English name of a month"),
        (["01. März 2024"], "'März' is no English name of a month"),
        (["2024年1月1日"], "is no English name of a month"),
        (["2024-01-01 00:00 CET"], "'CET' is no offset from UTC"),
        (["2024-01-01 00:00 Europe/Berlin"], "'Europe/Berlin' is no offset from UTC"),
        (["Tue, 01 Jan 2024"], "'Tue, 01 Jan 2024', cannot be read"),
        (["2024-01-01 13:00 PM"], "'2024-01-01 13:00 PM', cannot be read"),
        (["2024-02-28", "2024-02-30"], "'2024-02-30', cannot be read"),
        (["2024-W53"], "'2024-W53', cannot be read"),
        (["2024-Q5"], "'2024-Q5', cannot be read"),
        (["2024-01-01", "02/03/2024"], "'02/03/2024', cannot be read"),
        (["2024-01-01", "2024-01-01 00:00Z"], "'2024-01-01', has no offset"),
        (["23-01-05", "23-01-06", "23-01-07"], "'23-01-05', can be day first or year first"),
        (["01.02.2024", "02.02.2024"], "'01.02.2024', can be month first or day first"),
    ],
)
def test_texts_that_are_no_dates_are_refused_by_name(texts, why):
    with pytest.raises(ValueError, match=rf"^time column 't': data row \d, .*{why}"):
        read(texts)


def swapped(times):
    return [f"{time.day:02}/{time.month:02}/{time.year}" for time in times]


@pytest.mark.parametrize("freq", ["MS", "QS", "h", "YS"])
@pytest.mark.parametrize("gap", [False, True])
def test_the_regular_order_of_day_and_month_is_read(freq, gap):
    times = pd.date_range("2020-01-01", periods=48, freq=freq)
    times = times.delete([7, 30]) if gap else times
    clock = times.strftime(" %H:%M") if freq == "h" else ""
    texts = pd.Series(swapped(times)) + clock
    if freq == "YS":  # the first of January is the same in both orders
        assert read(texts).tolist() == times.tolist()
    else:
        assert read(texts).tolist() == times.tolist()
    american = pd.Series(times.strftime("%m/%d/%Y")) + clock
    assert read(american).tolist() == times.tolist()


def test_an_order_that_two_frequencies_fit_is_refused_and_the_advice_works():
    texts = [f"01/{month:02}/2023" for month in range(1, 13)]
    with pytest.raises(ValueError, match=r"freq='D' or freq='MS'.*dayfirst or date_format"):
        read(texts)
    assert read(texts, freq="MS").iloc[-1] == pd.Timestamp("2023-12-01")
    assert read(texts, freq="D").iloc[-1] == pd.Timestamp("2023-01-12")
    assert read(texts, dayfirst=True).iloc[-1] == pd.Timestamp("2023-12-01")
    assert read(texts, date_format="%m/%d/%Y").iloc[-1] == pd.Timestamp("2023-01-12")
    assert forecast_times(StubPipeline(), texts, 1, freq="MS").iloc[0] == pd.Timestamp("2024-01-01")


def test_the_advice_on_months_with_two_digits_works():
    texts = ["Jan-24", "Feb-24", "Mar-24"]
    with pytest.raises(ValueError, match="date_format, as '%b-%y'"):
        read(texts)
    assert read(texts, date_format="%b-%y").iloc[-1] == pd.Timestamp("2024-03-01")


@pytest.mark.parametrize(
    "texts, freq, last",
    [
        (["2024Q1", "2024Q2"], "QE", "2024-06-30"),
        (["2024-01", "2024-02"], "MS", "2024-02-01"),
        (["Jan 2024", "Feb 2024"], "ME", "2024-02-29"),
        (["2024-W05", "2024-W06"], "W-SUN", "2024-02-11"),
    ],
)
def test_periods_end_where_the_frequency_says(texts, freq, last):
    assert read(texts, freq=freq).iloc[-1] == pd.Timestamp(last)
