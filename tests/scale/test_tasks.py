"""What a pipeline is asked about a partition."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scale_cases import in_memory, sales, with_bad

from timer_forecaster.inference.options import ForecastOptions
from timer_forecaster.scale import BacktestTask, ForecastTask, PathsTask, SeriesColumns

COLUMNS = SeriesColumns("day", "shop", ["sold"])
TASKS = [
    ForecastTask(COLUMNS, 3),
    PathsTask(COLUMNS, 3, paths=2),
    BacktestTask(COLUMNS, 3, windows=2),
]


def name_of(task):
    return type(task).__name__


@pytest.mark.parametrize("task", TASKS, ids=name_of)
def test_an_answer_has_a_row_for_each_series_that_can_be_answered(pipe, task):
    frame = with_bad(sales(2))
    answer = task.answer(pipe, frame)
    assert answer.table["shop"].unique().tolist() == ["s000", "s001"]
    assert len(answer.table) == 2 * task.rows_of_series()
    assert answer.rejected["shop"].tolist() == ["t-empty", "t-twice"]
    assert answer.rejected["target"].unique().tolist() == ["sold"]
    assert "no value" in answer.rejected["reason"][0]
    assert "more than once" in answer.rejected["reason"][1]


def test_a_forecast_is_that_of_the_frame(pipe):
    frame = sales(3)
    task = ForecastTask(COLUMNS, 4, levels=(0.2, 0.5), options=ForecastOptions(flip=True))
    expected = in_memory(pipe, frame, 4, levels=(0.2, 0.5), flip=True)
    answer = task.answer(pipe, frame)
    pd.testing.assert_frame_equal(answer.table, expected)
    assert answer.rejected.columns.tolist() == ["shop", "target", "reason"]
    assert answer.rejected.empty


def test_paths_and_windows_are_those_of_the_frame(pipe):
    frame = sales(2)
    names = {"time_column": "day", "id_column": "shop", "target_columns": ["sold"]}
    paths = pipe.sample_paths_frame(frame, 3, 2, random_state=7, **names)
    answer = PathsTask(COLUMNS, 3, paths=2, seed=7).answer(pipe, frame)
    pd.testing.assert_frame_equal(answer.table, paths)
    windows = pipe.backtest_frame(frame, 3, windows=2, levels=[0.5], **names).forecasts
    answer = BacktestTask(COLUMNS, 3, windows=2, levels=[0.5]).answer(pipe, frame)
    pd.testing.assert_frame_equal(answer.table, windows)


def test_covariates_take_part(pipe):
    frame = sales(2).assign(price=lambda rows: np.arange(len(rows)) % 5.0)
    frame.loc[frame["day"] > "2024-02-15", "sold"] = np.nan  # two days of the future
    columns = SeriesColumns("day", "shop", ["sold"], known_columns=["price"])
    assert columns.names == ["shop", "day", "sold", "price"]
    task = ForecastTask(columns, 2, options=ForecastOptions(covariates="always"))
    options = {"known_columns": ["price"], "covariates": "always"}
    expected = in_memory(pipe, frame, 2, target_columns=["sold"], **options)
    pd.testing.assert_frame_equal(task.answer(pipe, frame).table, expected)


@pytest.mark.parametrize("task", TASKS, ids=name_of)
def test_tasks_travel_to_other_processes(task):
    assert pickle.loads(pickle.dumps(task)) == task  # noqa: S301
    assert task.described()["task"] == name_of(task)
    assert task.described()["horizon"] == 3
    assert task.described()["time_column"] == "day"


def test_settings_are_refused_before_a_series_is_read():
    with pytest.raises(ValueError, match="horizon=0"):
        ForecastTask(COLUMNS, 0)
    with pytest.raises(ValueError, match="levels"):
        ForecastTask(COLUMNS, 1, levels=[0.5, 0.5])
    with pytest.raises(ValueError, match="paths=0"):
        PathsTask(COLUMNS, 1, 0)
    with pytest.raises(ValueError, match="has a column of that name"):
        PathsTask(SeriesColumns("value", "shop", ["sold"]), 1, 2)
    with pytest.raises(ValueError, match="windows=0"):
        BacktestTask(COLUMNS, 1, windows=0)


def test_no_reason_speaks_of_the_number_of_a_row(pipe):
    frame = sales(2)
    frame.loc[3, "sold"] = np.inf
    reason = ForecastTask(COLUMNS, 1).answer(pipe, frame).rejected["reason"][0]
    assert reason.startswith("a row, inf, is not a finite number")
