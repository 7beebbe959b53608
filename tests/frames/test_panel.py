"""Panels: frames cut by columns or by index."""

import numpy as np
import pandas as pd
import pytest
from stub_pipeline import StubPipeline, frame_of, hourly

from timer_forecaster.frames.history import extended
from timer_forecaster.frames.panel import Panel, label


@pytest.fixture
def pipeline():
    return StubPipeline()


# ------------------------------------------------------------------------- by columns


def test_frame_is_not_changed(pipeline):
    frame = frame_of(["2024-01-03", "2024-01-01", "2024-01-02"])
    before = frame.copy(deep=True)
    pipeline.predict_frame(frame, 2, time_column="time")
    pd.testing.assert_frame_equal(frame, before)


def test_many_series_are_one_call(pipeline):
    times = pd.date_range("2024-01-01", periods=200, freq="h")
    frame = pd.DataFrame(
        {
            "id": np.repeat(np.arange(1000), 200),
            "time": np.tile(times, 1000),
            "y": np.arange(200_000.0),
        }
    )
    forecast = pipeline.predict_frame(frame, 24, time_column="time", id_column="id")
    assert len(forecast) == 24_000
    assert len(pipeline.calls) == 1


@pytest.mark.parametrize(
    "frame, options, message",
    [
        (hourly(time=[1, 2, 2, 3]), {}, "the time 2 is there more than once"),
        (hourly(y=np.nan), {}, "target 'y' has no value"),
    ],
)
def test_errors_say_what_was_given_and_what_works(pipeline, frame, options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        pipeline.predict_frame(frame, 2, **{"time_column": "time", **options})
    assert pipeline.calls == []


def test_errors_name_the_series(pipeline):
    frame = pd.concat([frame_of([1, 2, 3]).assign(id="a"), frame_of([1, 2, 2]).assign(id="b")])
    with pytest.raises(ValueError, match="id 'b': the time 2 is there more than once"):
        pipeline.predict_frame(frame, 2, time_column="time", id_column="id")


def long_frame():
    """Two ids of the same times and one of others, in mixed rows; y counts, z has a gap."""
    days = pd.date_range("2024-01-01", periods=4)
    times = {"b": days, "a": days, "c": days[1:]}
    frame = pd.concat([frame_of(axis).assign(id=key) for key, axis in times.items()])
    frame["z"] = np.arange(11.0)
    return frame.reset_index(drop=True).take([10, 3, 1, 7, 5, 0, 2, 4, 6, 8, 9])


def test_ids_with_the_same_times_share_an_axis():
    frame = long_frame()
    panel = Panel.of_columns(frame, "time", "id")
    assert (panel.names, panel.columns) == (["id", "time"], ["y", "z"])
    assert panel.keys == panel.instances.tolist() == ["c", "b", "a"]
    assert panel.axis == [0, 1, 1]
    assert [len(axis) for axis in panel.axes] == [3, 4]
    for key, number, rows, values in zip(
        panel.keys, panel.axis, panel.rows, panel.values, strict=True
    ):
        own = frame[frame["id"] == key].sort_values("time")
        assert panel.axes[number].tolist() == own["time"].tolist()
        pd.testing.assert_frame_equal(frame.iloc[rows], own)
        np.testing.assert_array_equal(values, own[["y", "z"]].to_numpy().T)


def test_a_frame_without_ids_is_one_instance():
    panel = Panel.of_columns(hourly(), "time")
    assert (panel.names, panel.instances, panel.keys) == (["time"], None, [()])


def test_series_lie_on_their_grids():
    frame = pd.concat([frame_of([1, 2, 4]).assign(id="a"), frame_of([3, 5]).assign(id="b")])
    by_one = Panel.of_columns(frame, "time", "id", freq=1).series()
    np.testing.assert_equal(
        [list(values) for values in by_one], [[0, 1, np.nan, 2], [0, np.nan, 1]]
    )
    by_itself = Panel.of_columns(frame, "time", "id").series()
    np.testing.assert_equal([list(values) for values in by_itself], [[0, 1, np.nan, 2], [0, 1]])


# ---------------------------------------------------------------- rows of the future


def with_future(freq, n=30, empty=5):
    frame = frame_of(pd.date_range("2024-01-01", periods=n, freq=freq))
    frame.loc[n - empty :, "y"] = np.nan
    return frame


@pytest.mark.parametrize("freq", ["D", "h", "MS", "W-WED", "B", "QE", "15min"])
@pytest.mark.parametrize("zone", [None, "Europe/Paris"])
def test_a_forecast_starts_after_the_last_observed_value(pipeline, freq, zone):
    frame = with_future(freq)
    frame["time"] = frame["time"].dt.tz_localize(zone)
    forecast = pipeline.predict_frame(frame, 5, time_column="time")
    assert forecast["time"].tolist() == frame["time"].tolist()[-5:]
    assert pipeline.calls[0][0][0].tolist() == list(range(25))
    longer = pipeline.predict_frame(frame, 7, time_column="time")
    assert longer["time"].tolist()[:5] == frame["time"].tolist()[-5:]


@pytest.mark.parametrize(
    "times", [range(0, 60, 2), pd.period_range("2024-01", periods=30, freq="M")]
)
def test_integers_and_periods_have_a_future_too(pipeline, times):
    frame = frame_of(times)
    frame.loc[27:, "y"] = np.nan
    forecast = pipeline.predict_frame(frame, 3, time_column="time")
    assert forecast["time"].tolist() == frame["time"].tolist()[-3:]


def test_each_target_of_a_wide_frame_has_its_own_end(pipeline):
    frame = with_future("D").assign(z=np.cos(np.arange(30)), w=np.sin(np.arange(30)))
    frame.loc[[3, 28, 29], "w"] = np.nan
    forecast = pipeline.predict_frame(frame, 2, time_column="time")
    starts = forecast.groupby("target", sort=False)["time"].first().dt.day
    assert starts.to_dict() == {"y": 26, "z": 31, "w": 29}
    assert [len(values) for values in pipeline.calls[0][0]] == [25, 30, 28]


def test_each_id_of_a_long_frame_has_its_own_end(pipeline):
    frame = pd.concat(
        [
            with_future("D", empty=n).assign(id=key, z=np.sin(np.arange(30)))
            for key, n in {"b": 3, "a": 0}.items()
        ]
    )
    forecast = pipeline.predict_frame(frame, 1, time_column="time", id_column="id")
    assert forecast["time"].dt.day.tolist() == [28, 31, 31, 31]


def test_gaps_before_the_last_value_stay_missing(pipeline):
    frame = with_future("D")
    frame.loc[[0, 7, 23], "y"] = np.nan
    forecast = pipeline.predict_frame(frame.drop(index=[8, 26]), 1, time_column="time")
    assert forecast["time"][0] == pd.Timestamp("2024-01-26")
    [series] = pipeline.calls[0][0]
    assert np.flatnonzero(np.isnan(series)).tolist() == [0, 7, 8, 23]


def test_a_future_on_closed_days_opens_them(pipeline):
    """Rows of Sundays ask for Sundays, where none was observed."""
    days = pd.date_range("2024-01-01", periods=100)
    frame = frame_of(days[(days.dayofweek != 6) | (days > "2024-03-31")])
    frame.loc[frame["time"] > "2024-03-31", "y"] = np.nan
    forecast = pipeline.predict_frame(frame, 9, time_column="time")
    assert forecast["time"].tolist() == list(pd.date_range("2024-03-31", periods=9))


def test_a_series_without_a_value_is_named():
    frame = pd.concat([hourly(id="a", z=1.0), hourly(id="b", z=np.nan)])
    with pytest.raises(ValueError, match=r"^id 'b': target 'z' has no value"):
        Panel.of_columns(frame, "time", "id")


# --------------------------------------------------------------------------- by index


def indexed():
    """The frame of `long_frame`, indexed; rows of an instance must ascend in time."""
    return long_frame().sort_values("time", kind="stable").set_index(["id", "time"])


def test_both_constructors_cut_alike():
    frame = indexed()
    by_index, by_columns = Panel.of(frame), Panel.of_columns(frame, "time", "id")
    for name in ("names", "columns", "keys", "axis"):
        assert getattr(by_index, name) == getattr(by_columns, name)
    assert by_index.instances.equals(by_columns.instances)
    for name in ("axes", "rows", "values"):
        for one, other in zip(getattr(by_index, name), getattr(by_columns, name), strict=True):
            np.testing.assert_array_equal(one, other)
    assert by_index.grids == []


def test_a_series_is_a_panel_of_one_instance():
    frame = pd.DataFrame({"y": [1, None, 3]}, index=pd.RangeIndex(3, name="t"), dtype="Float64")
    panel = Panel.of(frame)
    assert (panel.names, panel.instances, panel.keys, panel.axis) == (["t"], None, [()], [0])
    assert panel.axes[0] is frame.index
    np.testing.assert_array_equal(panel.values[0], [[1, np.nan, 3]])


def test_an_instance_may_have_several_levels():
    index = pd.MultiIndex.from_product([["x", "w"], [2, 1], range(3)], names=["a", "b", "t"])
    panel = Panel.of(pd.DataFrame({"y": np.arange(12.0)}, index=index))
    assert panel.keys == [("x", 2), ("x", 1), ("w", 2), ("w", 1)]
    assert panel.instances.names == ["a", "b"]
    assert panel.axis == [0, 0, 0, 0]
    np.testing.assert_array_equal(panel.values[2], [[6, 7, 8]])


def test_the_step_of_an_index_is_kept():
    days = pd.date_range("2024-01-01", periods=2)
    frame = pd.DataFrame({"y": [1.0, 2.0]}, pd.MultiIndex.from_product([["a"], days]))
    assert Panel.of(frame).axes[0].freq == days.freq  # else two times would show no step


@pytest.mark.parametrize(
    "y, index, message",
    [
        ([1.0, np.inf], [0, 1], "y is infinite at 1 in column 'y'; use NaN"),
        ([1.0, 2.0], [("a", 0), (None, 1)], "y has a row without an instance or a time"),
        ([1.0, 2.0], [("a", 0), ("a", None)], "y has a row without an instance or a time"),
    ],
)
def test_frames_that_cannot_be_cut_are_refused(y, index, message):
    index = pd.MultiIndex.from_tuples(index) if isinstance(index[0], tuple) else index
    with pytest.raises(ValueError, match=message):
        Panel.of(pd.DataFrame({"y": y}, index=index))


def test_errors_name_the_first_instance_with_the_times():
    assert (label(()), label("a")) == ("y", "y, instance 'a'")
    index = pd.MultiIndex.from_product([["b", "a"], [0, 0]])
    panel = Panel.of(pd.DataFrame({"y": np.arange(4.0)}, index=index))
    assert panel.axis_label(0) == "y, instance 'b'"
    with pytest.raises(ValueError, match=r"^y, instance 'b': time 0 is there more than once"):
        extended({}, panel, 10)
