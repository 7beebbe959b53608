"""`Memory`, in `frames/history.py`: the newest steps of a frame and the labels of its rows."""

import numpy as np
import pandas as pd
import pytest

from timer_forecaster.frames.history import Memory, shifted
from timer_forecaster.frames.panel import Panel


def days(n, start="2024-01-01", value=0.0):
    times = pd.date_range(start, periods=n, name="day")
    return pd.DataFrame({"a": value + np.arange(n), "b": value - np.arange(n)}, times)


def panel(**parts):
    return pd.concat(parts, names=["shop"])


def test_a_frame_is_remembered_with_its_labels():
    for y in (days(5), panel(x=days(5), w=days(3, "2024-01-04"))):
        pd.testing.assert_frame_equal(Memory.of(y, 10).frame(), y, check_freq=False)


def test_only_the_newest_steps_are_remembered():
    memory = Memory.of(panel(x=days(5), w=days(3)), 2)
    expected = panel(x=days(5)[-2:], w=days(3)[-2:])
    pd.testing.assert_frame_equal(memory.frame(), expected, check_freq=False)


def test_absent_times_are_missing_values():
    frame = Memory.of(days(5).drop(days(5).index[2]), 10).frame()
    assert frame["a"].isna().tolist() == [False, False, True, False, False]


def test_an_update_extends_known_instances_and_appends_new_ones():
    first = Memory.of(panel(x=days(4), w=days(4)), 10)
    later = first.updated(panel(v=days(3), w=days(6)[4:]), 10)
    expected = panel(x=days(4), w=pd.concat([days(4), days(6)[4:]]), v=days(3))
    pd.testing.assert_frame_equal(later.frame(), expected, check_freq=False)
    pd.testing.assert_frame_equal(
        first.frame(), panel(x=days(4), w=days(4)), check_freq=False
    )  # the memory before the update is unchanged


def test_columns_are_matched_by_name_and_a_single_one_by_place():
    y = days(4)
    pd.testing.assert_frame_equal(Memory.of(y, 9).matched(y[["b", "a"]]), y)
    single = y[["a"]]
    assert Memory.of(single, 9).matched(y[["b"]]).columns.tolist() == ["b"]


@pytest.mark.parametrize(
    "y",
    [days(2)[["a"]], days(2).rename(columns={"a": "c"}), panel(x=days(2))],
    ids=["a column less", "another column", "a panel"],
)
def test_other_columns_or_index_levels_are_refused(y):
    with pytest.raises(ValueError, match=r"it needs \['a', 'b'\] and 1, as in fit"):
        Memory.of(days(4), 9).matched(y)


def test_the_next_time_follows_the_latest_instance():
    counted = {key: days(n).set_axis(range(n)) for key, n in (("x", 4), ("w", 7))}
    assert Memory.of(panel(**counted), 9).next_time() == 7
    with pytest.raises(ValueError, match="y is an array, which has no times"):
        Memory.of(days(4), 9).next_time()


@pytest.mark.parametrize("join", [lambda y: y, lambda y: panel(x=y, w=y)])
def test_integer_times_are_shifted(join):
    y = join(days(3).set_axis(range(3)))
    moved = shifted(y, 5)
    assert moved.index.get_level_values(-1).tolist() == [5, 6, 7] * (len(y) // 3)
    np.testing.assert_array_equal(moved, y)


def test_the_step_is_common_only_if_all_instances_share_it():
    memory = Memory.of(panel(x=days(4), w=days(4)), 9)
    assert memory.common_step() == pd.offsets.Day()
    history = memory.histories["w"]._replace(step=pd.offsets.Hour())
    mixed = memory._replace(histories={**memory.histories, "w": history})
    assert mixed.common_step() is None


def test_steps_are_counted_from_the_end_of_each_instance():
    memory = Memory.of(panel(x=days(4), w=days(6)), 9)
    steps = memory.steps_of(Panel.of(panel(w=days(5)[3:], x=days(5)[3:])), "y: times")
    assert {key: own.tolist() for key, own in steps.items()} == {"w": [-2, -1], "x": [0, 1]}
    with pytest.raises(ValueError, match="y, instance 'v' is not known"):
        memory.steps_of(Panel.of(panel(v=days(2))), "y: times")
    with pytest.raises(ValueError, match=r"y: times .* whole steps of D"):
        memory.steps_of(Panel.of(panel(x=days(2, "2024-01-01 06:00"))), "y: times")


def test_rows_are_labeled_by_instance_and_time():
    times = [pd.DatetimeIndex(["2024-01-05"]), pd.DatetimeIndex(["2024-01-07", "2024-01-08"])]
    labels = Memory.of(panel(x=days(4), w=days(6)), 9).labeled(times)
    assert labels.tolist() == [("x", times[0][0]), ("w", times[1][0]), ("w", times[1][1])]
    assert labels.names == ["shop", "day"]
    assert Memory.of(days(4), 9).labeled(times[:1]).name == "day"
