"""Frequencies as arguments."""

import pandas as pd
import pytest

from timer_forecaster.inference.frequency import UNKNOWN, Frequency, as_frequencies, tokens_of
from timer_forecaster.models.ttm import TTMArchitecture


def test_one_frequency_is_of_all_series_and_a_list_of_each():
    hour, day = pd.tseries.frequencies.to_offset("h"), "D"
    assert [one.minutes for one in as_frequencies(hour, 2)] == [60, 60]
    found = as_frequencies([hour, day, None, 1, "MS"], 5)
    assert [one.minutes for one in found] == [60, 1_440, None, None, None]
    assert [one.name for one in found] == ["h", "D", None, None, "MS"]
    assert as_frequencies(None, 2) == [UNKNOWN, UNKNOWN]
    assert as_frequencies(found, 5) == found


@pytest.mark.parametrize(
    ("freq", "error", "message"),
    [
        ("hourly", ValueError, "freq='hourly' is not a pandas frequency"),
        (["h", "often"], ValueError, "freq='often'"),
        (["h"], ValueError, "freq has 1 frequencies for 2 series"),
        (True, TypeError, "freq=True must be a text"),
        (0, ValueError, "freq=0 must be at least 1"),
        (pd.offsets.Hour(-1), ValueError, "freq='-1h' runs backwards"),
        ([None, pd.offsets.MonthBegin(0)], ValueError, "freq='0MS' runs backwards, or stands"),
        (1.5, TypeError, r"freq=1\.5 must be a text"),
        ({"a": "h"}, TypeError, "freq={'a': 'h'} must be a text"),
    ],
)
def test_what_is_no_frequency_is_refused_by_name(freq, error, message):
    with pytest.raises(error, match=message):
        as_frequencies(freq, 2)


def test_a_stride_makes_a_frequency_coarser():
    hour = Frequency("h", 60.0)
    assert hour.coarser(24).minutes == 1_440
    assert Frequency("MS").coarser(12) == Frequency("MS")
    config = TTMArchitecture(resolution_prefix_tuning=True, frequency_token_vocab_size=10)
    assert tokens_of(config, [hour, hour.coarser(2), hour.coarser(24), UNKNOWN]) == [7, 0, 8, 0]
