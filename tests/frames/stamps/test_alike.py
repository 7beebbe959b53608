"""Times of the future, read as the times of the history are."""

import pandas as pd
import pytest

from timer_forecaster.frames.files.joined import joined_times
from timer_forecaster.frames.stamps import parse_times
from timer_forecaster.frames.stamps.alike import parse_alike


def read(before, after):
    def parse(columns):
        return parse_times(columns["t"], "t")

    before, after = pd.DataFrame({"t": before}), pd.DataFrame({"t": after})
    return parse_alike(after, before, parse(before), parse, "future")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (["30/12/2024", "31/12/2024"], ["01/02/2025"], "2025-02-01"),
        (["12/30/2024", "12/31/2024"], ["01/02/2025"], "2025-01-02"),
        (["2024-12-31"], ["2025-01-02"], "2025-01-02"),
        ([202311, 202312, 202401], [202402], "2024-02-01"),
        (["2024-12-31"], pd.to_datetime(["2025-01-02"]), "2025-01-02"),
    ],
)
def test_the_history_decides(before, after, expected):
    assert read(before, after).tolist() == [pd.Timestamp(expected)]


def test_several_columns():
    def parse(columns):
        return joined_times([columns["d"], columns["h"]], ["d", "h"], parse_times)

    before = pd.DataFrame({"d": ["30/12/2024", "31/12/2024"], "h": [23, 0]})
    for hours in ([5], ["5"]):  # texts beside numbers are read alone
        after = pd.DataFrame({"d": ["13/01/2025"], "h": hours})
        found = parse_alike(after, before, parse(before), parse)
        assert found.tolist() == [pd.Timestamp("2025-01-13 05:00")]
    after = pd.DataFrame({"d": ["01/02/2025"], "h": [5]})  # the history has the day first
    found = parse_alike(after, before, parse(before), parse)
    assert found.tolist() == [pd.Timestamp("2025-02-01 05:00")]
    after = pd.DataFrame({"d": ["12/31/2025"], "h": [5]})
    with pytest.raises(ValueError, match=r"^its times, such as '12/31/2025 5', .* '30/12/2024 23'"):
        parse_alike(after, before, parse(before), parse)


def test_numbers_count_on():
    assert read([0, 1, 2], [3, 4]).tolist() == [3, 4]
    assert read([0, 1, 2], ["3", "4"]).tolist() == [3, 4]


def test_zones_are_converted():
    before = pd.Series(pd.date_range("2024-01-01", periods=3, tz="Europe/Berlin"))
    after = pd.Series(pd.date_range("2024-01-03 23:00", periods=1, tz="UTC"))
    assert read(before, after).astype(str).tolist() == ["2024-01-04 00:00:00+01:00"]


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (["30/12/2024", "31/12/2024"], ["12/31/2025"], "written in another way"),
        (["2024-12-31"], ["31.12.2024"], "written in another way"),
        (["2024-12-31"], ["x"], "future: time column 't': data row 1"),
        (["2024-12-31"], [1], "integers"),
        (
            pd.period_range("2024-01", periods=2, freq="M"),
            pd.to_datetime(["2024-03-01"]),
            "periods",
        ),
    ],
)
def test_refused(before, after, message):
    with pytest.raises(ValueError, match=message):
        read(before, after)
