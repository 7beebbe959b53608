"""The long frame of a forecast."""

import numpy as np
import pandas as pd
import pytest
from stub_pipeline import StubPipeline, frame_of, hourly

from timer_forecaster.frames.long import (
    PATH_COLUMNS,
    check_free,
    column_name,
    level_columns,
    long_frame,
    path_frame,
    series_of,
)
from timer_forecaster.frames.panel import Panel


@pytest.fixture
def pipeline():
    return StubPipeline()


def test_long_frame_in_one_call(pipeline):
    days = pd.date_range("2024-01-01", periods=5, freq="D")
    frame = pd.DataFrame(
        {
            "shop": ["b"] * 5 + ["a"] * 4,
            "time": [*days, *days[1:]],
            "sold": np.arange(9.0),
            "note": "x",
        }
    ).sample(frac=1, random_state=3)
    frame = pd.concat([frame[frame["shop"] == "b"], frame[frame["shop"] == "a"]])
    forecast = pipeline.predict_frame(
        frame, 2, time_column="time", id_column="shop", levels=[0.05, 0.5], batch_size=7
    )
    assert forecast.columns.tolist() == ["shop", "target", "time", "q0.05", "q0.5"]
    assert forecast["shop"].tolist() == ["b", "b", "a", "a"]
    assert forecast["time"].tolist() == [*pd.date_range("2024-01-06", periods=2)] * 2
    np.testing.assert_allclose(forecast["q0.5"], [5.5, 6.5, 9.5, 10.5])
    [(series, options)] = pipeline.calls
    assert [values.tolist() for values in series] == [[0, 1, 2, 3, 4], [5, 6, 7, 8]]
    assert options == {
        "context_length": None,
        "rollout": "auto",
        "flip": False,
        "batch_size": 7,
        "progress": False,
        "covariates": "auto",
        "padding": "mean",
        "quality": "fast",
        "nonnegative": "auto",
        "freq": [pd.offsets.Day()] * 2,
    }


def test_long_and_wide_together(pipeline):
    frame = pd.concat([frame_of(range(5)).assign(id=i, z=10.0 * i) for i in (3, 1)])
    forecast = pipeline.predict_frame(frame, 1, time_column="time", id_column="id")
    assert forecast["id"].tolist() == [3, 3, 1, 1]
    assert forecast["id"].dtype == frame["id"].dtype
    assert forecast["target"].tolist() == ["y", "z"] * 2
    np.testing.assert_allclose(forecast["q0.5"], [5.5, 31.5, 5.5, 11.5])


@pytest.mark.parametrize(
    "frame, options, message",
    [
        (hourly(target=1), {"id_column": "target"}, "rename yours"),
        (hourly(), {"levels": [0.1, 1.0]}, "levels: 1.0 must lie inside"),
        (hourly(), {"levels": [0.1, 0.1]}, "each once"),
        (hourly(), {"levels": []}, "at least one level"),
    ],
)
def test_errors_say_what_was_given_and_what_works(pipeline, frame, options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        pipeline.predict_frame(frame, 2, **{"time_column": "time", **options})
    assert pipeline.calls == []


@pytest.mark.parametrize("column", ["q0.5", "target"])
def test_columns_that_the_forecast_needs_are_not_taken_over(column):
    frame = pd.DataFrame({"t": range(5), column: list("aaaaa"), "y": [1.0, 2, 3, 4, 5]})
    with pytest.raises(ValueError, match=f"id_column='{column}'"):
        StubPipeline().predict_frame(frame, 2, time_column="t", id_column=column)


def test_columns_of_levels_have_short_names():
    assert [column_name(level) for level in (0.1, 0.05, 1 / 3)] == [
        "q0.1",
        "q0.05",
        "q0.333333333333",
    ]
    columns = level_columns([0.9, 0.1], time_column="t", id_column=None)
    assert list(columns.items()) == [("q0.9", 0.9), ("q0.1", 0.1)]


def test_each_row_has_its_own_future():
    frame = pd.concat(
        [
            frame_of([1, 2, 3]).assign(id="a"),
            frame_of([10, 20, 30]).assign(id="b"),
            frame_of([2, 3]).assign(id="c"),
        ]
    ).assign(z=1.0)
    panel = Panel.of_columns(frame, "time", "id")
    values = np.arange(12.0).reshape(6, 2)
    forecast = long_frame(panel, {"q0.5": values, "q0.9": values + 1})
    assert forecast.columns.tolist() == ["id", "target", "time", "q0.5", "q0.9"]
    assert forecast["id"].tolist() == ["a"] * 4 + ["b"] * 4 + ["c"] * 4
    assert forecast["target"].tolist() == ["y", "y", "z", "z"] * 3
    assert forecast["time"].tolist() == [4, 5, 4, 5, 40, 50, 40, 50, 4, 5, 4, 5]
    assert forecast["q0.5"].tolist() == list(range(12))


@pytest.mark.parametrize(
    "times",
    [
        pd.date_range("2024-01-01", periods=4, tz="Europe/Paris").as_unit("s"),
        pd.period_range("2024-01", periods=4, freq="M"),
    ],
    ids=["dates", "periods"],
)
@pytest.mark.parametrize("ids", ["category", "int32", "str"])
def test_types_of_ids_and_times_are_kept(pipeline, times, ids):
    frame = frame_of(times).assign(id=pd.Series([1] * 4).astype(ids))
    forecast = pipeline.predict_frame(frame, 2, time_column="time", id_column="id")
    assert forecast["time"].dtype == frame["time"].dtype
    assert forecast["id"].dtype == frame["id"].dtype


def test_series_of_a_frame_are_the_ones_that_are_forecast(pipeline):
    frame = pd.concat([frame_of([1, 2, 4]).assign(id=i, z=7.0) for i in (3, 1)])
    pipeline.predict_frame(frame, 1, time_column="time", id_column="id")
    forecast_from = pipeline.calls[0][0]
    given = series_of(frame, time_column="time", id_column="id")
    np.testing.assert_equal(given, forecast_from)
    np.testing.assert_equal(given[0], [0, 1, np.nan, 2])


def test_a_frame_of_paths_has_the_times_of_a_forecast():
    times = pd.date_range("2024-01-30", periods=3, freq="D")
    frame = pd.DataFrame({"id": ["b"] * 3 + ["a"] * 3, "day": [*times, *(times - times.freq)]})
    panel = Panel.of_columns(frame.assign(x=1.0, y=2.0), "day", "id", None, None)
    paths = np.arange(4 * 5 * 2.0).reshape(4, 5, 2)  # of four series
    found = path_frame(panel, paths)
    assert found.columns.tolist() == ["id", "target", "path", "day", "value"]
    assert found["value"].tolist() == list(range(40))
    expected = long_frame(panel, {"q0.5": paths[:, 3]})
    third = found[found["path"] == 3].drop(columns="path").reset_index(drop=True)
    pd.testing.assert_frame_equal(third, expected.rename(columns={"q0.5": "value"}))


@pytest.mark.parametrize("name", ["target", "path", "value"])
def test_names_of_columns_of_paths_are_taken(name):
    with pytest.raises(ValueError, match=f"time_column={name!r}"):
        check_free(PATH_COLUMNS, time_column=name, id_column=None)
    with pytest.raises(ValueError, match=f"id_column={name!r}"):
        check_free(PATH_COLUMNS, time_column="day", id_column=name)
    check_free(PATH_COLUMNS, time_column="q0.5", id_column="id")
