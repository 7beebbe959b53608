"""A series that spoils a partition is rejected alone."""

import numpy as np
import pandas as pd
import pytest
from scale_cases import in_memory, sales, with_bad

from timer_forecaster.scale import ForecastTask, SeriesColumns, answer_partition
from timer_forecaster.scale.answering import joined

TASK = ForecastTask(SeriesColumns("day", "shop", ["sold"]), 3)


@pytest.mark.parametrize("shop", ["s000", "s003", "s005"])
@pytest.mark.parametrize("value", ["not a day", "2024-13-45"])
def test_a_time_that_cannot_be_read_costs_one_series(pipe, shop, value):
    frame = sales().assign(day=lambda rows: rows["day"].dt.strftime("%Y-%m-%d"))
    first = frame.index[frame["shop"] == shop][0]
    frame.loc[first, "day"] = value
    answer = answer_partition(pipe, frame, TASK)
    assert answer.rejected["shop"].tolist() == [shop]
    assert "time column 'day'" in answer.rejected["reason"][0]
    expected = in_memory(pipe, frame[frame["shop"] != shop], 3)
    pd.testing.assert_frame_equal(answer.table, expected)


def test_series_alone_and_together_have_the_same_answer(pipe):
    frame = with_bad(sales())
    whole = answer_partition(pipe, frame, TASK)
    parts = [answer_partition(pipe, part, TASK) for _, part in frame.groupby("shop", sort=False)]
    pd.testing.assert_frame_equal(joined([part.table for part in parts]), whole.table)
    pd.testing.assert_frame_equal(joined([part.rejected for part in parts]), whole.rejected)


def test_a_partition_without_any_answer_is_rejected(pipe):
    empty = sales(3).assign(sold=np.nan)
    answer = answer_partition(pipe, empty, TASK)
    assert answer.table.empty
    assert answer.rejected["reason"].tolist() == ["has no value"] * 3


def test_a_row_without_an_id_costs_this_row(pipe):
    frame = sales(3)
    frame.loc[len(frame)] = [None, frame["day"][0], 3.0]
    answer = answer_partition(pipe, frame, TASK)
    assert answer.table["shop"].nunique() == 3
    assert answer.rejected["reason"][0].endswith("has no id")


def test_a_task_that_cannot_be_done_is_an_error(pipe):
    with pytest.raises(ValueError, match="there is no column 'price'"):
        answer_partition(pipe, sales(3), ForecastTask(SeriesColumns("day", "shop", ["price"]), 3))
    with pytest.raises(ValueError, match="time column 'day'"):
        answer_partition(pipe, sales(3).assign(day="soon"), TASK)


def test_other_errors_are_not_taken_for_bad_series(pipe, monkeypatch):
    def fail(*_, **__):
        raise MemoryError

    monkeypatch.setattr(type(pipe), "predict_frame", fail)
    with pytest.raises(MemoryError):
        answer_partition(pipe, sales(2), TASK)
