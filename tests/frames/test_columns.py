"""The columns of a frame: their names, and the values in them."""

import numpy as np
import pandas as pd
import pytest
from stub_pipeline import StubPipeline, frame_of, hourly

from timer_forecaster.frames.columns import chosen_targets, read_ids, read_numbers, with_columns


@pytest.fixture
def pipeline():
    return StubPipeline()


def test_wide_frame_forecasts_every_numeric_column(pipeline):
    frame = frame_of(pd.date_range("2024-01-01", periods=4, freq="h")).assign(z=[1, 2, None, 9])
    frame["kind"] = "x"
    forecast = pipeline.predict_frame(frame, 2, time_column="time")
    assert forecast["target"].tolist() == ["y", "y", "z", "z"]
    np.testing.assert_allclose(forecast["q0.1"], [4.1, 5.1, 10.1, 11.1])
    one = pipeline.predict_frame(frame, 2, time_column="time", target_columns="z")
    assert one["target"].unique().tolist() == ["z"]


def test_time_may_be_the_index(pipeline):
    frame = frame_of(pd.date_range("2024-01-01", periods=4, freq="h")).set_index("time")
    assert len(pipeline.predict_frame(frame, 2, time_column="time")) == 2
    assert frame.index.name == "time"


@pytest.mark.parametrize(
    "frame, options, message",
    [
        ([1, 2], {}, "frame must be a pandas.DataFrame, not list"),
        (hourly(), {"time_column": "date"}, r"time_column: .* 'date'; there are \['time', 'y'\]"),
        (hourly(), {"id_column": "shop"}, r"id_column: .* 'shop'; there are \['time', 'y'\]"),
        (hourly(), {"target_columns": ["x"]}, "target_columns: there is no column 'x'"),
        (hourly(), {"target_columns": ["time"]}, "'time' is the time or the id column"),
        (hourly(), {"target_columns": []}, "name at least one column"),
        (hourly(), {"target_columns": [["y"]]}, r"target_columns: \['y'\] is no name of a column"),
        (hourly(), {"target_columns": ["y", {}]}, "target_columns: {} is no name of a column"),
        (hourly(), {"id_column": "time"}, "id_column and time_column are both 'time'"),
        (pd.concat([hourly(), hourly()[["y"]]], axis=1), {}, "column 'y' is there more than once"),
        (hourly()[["time"]], {}, "is numeric"),
        (hourly().iloc[:0], {}, "no rows"),
        (hourly(id=["a", None, "a", "a"]), {"id_column": "id"}, "data row 2 has no id"),
        (hourly(y=["1", "2", "3;5", "4"]), {"target_columns": ["y"]}, "data row 3, '3;5', is not"),
        (hourly(y=[1, 2, np.inf, 4]), {}, "data row 3, .*inf.*, is not a finite number"),
    ],
)
def test_errors_say_what_was_given_and_what_works(pipeline, frame, options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        pipeline.predict_frame(frame, 2, **{"time_column": "time", **options})
    assert pipeline.calls == []


def test_several_columns_of_ids_are_joined_as_advised(pipeline):
    frame = pd.concat([hourly(store="b", item=1), hourly(store="b", item=2)])
    options = {"time_column": "time", "target_columns": "y"}
    with pytest.raises(TypeError, match="must be the name of one column; join them") as caught:
        pipeline.predict_frame(frame, 1, id_column=["store", "item"], **options)
    how, named = str(caught.value).split("join them: ")[1].split(", with id_column=")
    joined = eval(how, {"frame": frame})  # noqa: S307
    forecast = pipeline.predict_frame(joined, 1, id_column=eval(named), **options)  # noqa: S307
    assert forecast["store item"].tolist() == ["b / 1", "b / 2"]
    levels = frame.set_index(["store", "item"])
    with pytest.raises(TypeError, match="join them") as caught:
        pipeline.predict_frame(levels, 1, id_column=["store", "item"], **options)
    how = str(caught.value).split("join them: ")[1].split(", with id_column=")[0]
    joined = eval(how, {"frame": levels})  # noqa: S307
    again = pipeline.predict_frame(joined, 1, id_column="store item", **options)
    pd.testing.assert_frame_equal(again, forecast)
    with pytest.raises(TypeError, match="join them to one column of times"):
        pipeline.predict_frame(frame, 1, time_column=["time", "item"])


@pytest.mark.parametrize(("asked", "error"), [("time", ValueError), (None, TypeError)])
def test_an_index_of_times_without_a_name_is_named_as_advised(pipeline, asked, error):
    frame = frame_of(pd.date_range("2024-01-01", periods=4, freq="h")).set_index("time")
    frame = frame.rename_axis(None)
    with pytest.raises(error, match="the index, which has no name: give ") as caught:
        pipeline.predict_frame(frame, 2, time_column=asked)
    how, named = str(caught.value).split("give ")[1].split(", with time_column=")
    named_frame = eval(how, {"frame": frame})  # noqa: S307
    assert len(pipeline.predict_frame(named_frame, 2, time_column=eval(named))) == 2  # noqa: S307
    with pytest.raises(error, match="the times are the index: time_column='at'"):
        pipeline.predict_frame(frame.rename_axis("at"), 2, time_column=asked)


def test_time_and_id_may_be_index_levels(pipeline):
    frame = pd.concat([hourly(id="b"), hourly(id="a")]).set_index(["id", "time"])
    forecast = pipeline.predict_frame(frame, 1, time_column="time", id_column="id")
    assert forecast["id"].tolist() == ["b", "a"]


def test_targets_are_the_numeric_columns_in_their_order():
    frame = hourly(z=1, id=7, gap=pd.Timedelta(hours=1), note="x")
    assert chosen_targets(frame, None, "time", "id") == ["y", "z"]
    assert chosen_targets(frame, "z", "time", "id") == ["z"]
    assert chosen_targets(frame, ("z", "y"), "time", None) == ["z", "y"]


@pytest.mark.parametrize("dtype", ["object", "category", "str", "int64", "datetime64[ns, UTC]"])
def test_ids_keep_their_order_and_type(dtype):
    values = [20, 10, 20] if dtype == "int64" else ["2024-01-02", "2024-01-01", "2024-01-02"]
    column = pd.Series(values).astype(dtype)
    number, ids = read_ids(column, "id")
    assert number.tolist() == [0, 1, 0]
    assert ids.tolist() == column[:2].tolist()
    assert ids.dtype == column.dtype


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([1, None, 3], dtype="Int64"),
        pd.Series([1.0, np.nan, 3.0]),
        pd.Series(["1", None, " 3"]),
        pd.Series([1, None, 3], dtype=object),
    ],
    ids=["nullable", "floats", "texts", "objects"],
)
def test_numbers_are_read_with_their_gaps(column):
    np.testing.assert_array_equal(read_numbers(column, "y"), [1, np.nan, 3])


@pytest.mark.parametrize("names", [["time"], ["id"], ["id", "time"]], ids=str)
def test_a_level_that_equals_its_column_is_used(names):
    days = pd.date_range("2024-01-01", periods=3)
    frame = pd.DataFrame({"id": list("aab"), "time": days, "y": 1.0})
    given = frame.set_index(names, drop=False)
    pd.testing.assert_frame_equal(with_columns(given, "time", "id").reset_index(drop=True), frame)


@pytest.mark.parametrize("name", ["time", "id"])
def test_a_level_that_differs_from_its_column_is_refused(name):
    days = pd.date_range("2024-01-01", periods=3)
    frame = pd.DataFrame({"id": list("aab"), "time": days, "y": 1.0})
    given = frame.set_index(name, drop=False)
    given[name] = given[name].to_numpy()[::-1]
    with pytest.raises(ValueError, match=f"'{name}' is the name of an index level and of a column"):
        with_columns(given, "time", "id")
    dropped = given.reset_index(level=name, drop=True)  # as advised
    assert with_columns(dropped, "time", "id")[name].tolist() == given[name].tolist()


@pytest.mark.parametrize("names", [(7, 0), (1, 0), (0, 1), (-3, 2.5), ("id", ("a", "b"))], ids=str)
@pytest.mark.parametrize("n_levels", [1, 2])
def test_a_name_of_a_level_is_no_place(names, n_levels):
    id_column, time = names
    days = pd.date_range("2024-01-01", periods=3)
    frame = pd.DataFrame([list("aab"), days, [1.0, 2.0, 4.0]]).T
    frame.columns = pd.Index([id_column, time, "y"], dtype=object, tupleize_cols=False)
    levels = [frame[time], frame[id_column]][:n_levels]
    given = frame.copy()
    given.index = pd.Index(levels[0]) if n_levels == 1 else pd.MultiIndex.from_arrays(levels)
    given.index.names = [time, id_column][:n_levels]
    for drop in (True, False):
        own = given.drop(columns=given.index.names) if drop else given
        found = with_columns(own, time, id_column)
        assert found[time].tolist() == list(days)
        assert found[id_column].tolist() == list("aab")
    given[time] = given[time].to_numpy()[::-1]
    with pytest.raises(ValueError, match=r"frame\.rename_axis\(index=\[.*\]\)") as caught:
        with_columns(given, time, id_column)
    advice = str(caught.value).rpartition(" by ")[2]
    renamed = eval(advice, {"frame": given})  # noqa: S307
    assert with_columns(renamed, time, id_column)[time].tolist() == list(days[::-1])


@pytest.mark.parametrize("name", [[], ["day"], {"a": 1}, {"day"}])
@pytest.mark.parametrize("role", ["time_column", "id_column"])
def test_a_role_that_names_no_column_is_named(role, name):
    names = {"time_column": "day", "id_column": None, role: name}
    with pytest.raises(TypeError, match=f"{role}=.* must be the name of one column"):
        with_columns(pd.DataFrame({"day": [1, 2], "y": [1.0, 2.0]}), **names)


def test_times_must_be_named():
    frame = pd.DataFrame({"day": [1, 2], "y": [1.0, 2.0]})
    with pytest.raises(TypeError, match="time_column=None: name the column of the times"):
        with_columns(frame, None, None)
