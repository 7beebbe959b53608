"""A column of hours or clock times beside a column of dates."""

import re

import numpy as np
import pandas as pd
import pytest
from series_files import as_file
from stub_pipeline import StubPipeline

from timer_forecaster.frames.reading import read_series

HOURS = pd.date_range("2024-01-01", periods=72, freq="h")


def table(kind):
    """Dates beside a clock; the values are whole numbers from 0 to 24 too."""
    days, hours = HOURS.strftime("%d.%m.%Y"), HOURS.hour
    clock = {
        "hours": hours,
        "hours to 24": hours + 1,
        "texts": HOURS.strftime("%H:%M"),
        "times": HOURS.time,
    }[kind]
    sold = np.random.default_rng(0).integers(0, 25, len(HOURS))
    return pd.DataFrame({"date": days, "sold": sold, "the hour": clock})


@pytest.mark.parametrize("kind", ["hours", "hours to 24", "texts", "times"])
@pytest.mark.parametrize("by_id", [False, True])
def test_both_columns_are_named_and_can_be_read(kind, by_id):
    frame = table(kind)
    ids = {}
    if by_id:
        frame = pd.concat([frame.assign(id="a"), frame.assign(id="b")])
        ids = {"id_column": "id"}
    frame["date"] = pd.to_datetime(frame["date"], dayfirst=True)
    with pytest.raises(ValueError, match="2024-01-01 00:00:00 is there more than once") as caught:
        StubPipeline().predict_frame(frame, 2, time_column="date", target_columns=["sold"], **ids)
    assert "(--time-column date 'the hour')" in str(caught.value)
    named = eval(re.search(r"time_column=(\[.*?\])", str(caught.value))[1])  # noqa: S307
    text = frame.to_csv(index=False)
    read = read_series(as_file(text), time_column=named, **ids)
    shift = pd.Timedelta(hours=int(kind == "hours to 24"))
    assert read.frame[read.time_column].iloc[:72].tolist() == (HOURS + shift).tolist()


@pytest.mark.parametrize("values", [[3, 5, 4, 8, 2, 1], [25, 26, 25, 26, 25, 26], [1.5, 2] * 3])
def test_other_columns_are_no_clocks(values):
    days = pd.to_datetime(["2024-01-01", "2024-01-01", *pd.date_range("2024-01-02", periods=4)])
    frame = pd.DataFrame({"date": days, "sold": values})
    with pytest.raises(ValueError, match="aggregate such rows"):
        StubPipeline().predict_frame(frame, 2, time_column="date")


def test_hours_that_do_not_tell_rows_apart_are_not_named():
    frame = pd.concat([table("hours")] * 2)
    frame["date"] = pd.to_datetime(frame["date"], dayfirst=True)
    with pytest.raises(ValueError, match="aggregate such rows"):
        StubPipeline().predict_frame(frame, 2, time_column="date", target_columns=["sold"])
