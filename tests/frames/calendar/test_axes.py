"""Axes of many series in one index."""

import numpy as np
import pandas as pd
import pytest

from timer_forecaster.frames.calendar.axes import (
    Axes,
    alike,
    chosen,
    index_of,
    last_times,
    most_common,
    sizes_of,
    stamps_of,
)
from timer_forecaster.frames.calendar.grids import (
    counted_steps,
    grids_on,
    inferred_grids,
    own_steps,
    places_on,
)
from timer_forecaster.frames.calendar.times import most_common_step, most_common_steps

DAYS = [
    pd.DatetimeIndex(["2024-01-01", "2024-01-02", "2024-01-04"]),
    pd.DatetimeIndex(["2024-03-01"]),
    pd.DatetimeIndex(["2024-01-03", "2024-01-04"]),
]


def test_each_axis_is_cut_from_the_index_of_all():
    axes = Axes(DAYS[0].append(DAYS[1:]), np.array([0, 3, 4, 6]))
    assert all(got.equals(own) for got, own in zip(axes, DAYS, strict=True))
    assert axes[-1].equals(DAYS[2]) and axes[0] is axes[0]
    assert [len(axis) for axis in axes[:2]] == sizes_of(axes)[:2] == sizes_of(DAYS)[:2] == [3, 1]
    with pytest.raises(IndexError):
        axes[3]
    assert [axis.tolist() for axis in chosen(axes, [2, 1])] == [DAYS[i].tolist() for i in (2, 1)]
    assert chosen(DAYS, [1]) == [DAYS[1]]
    day = 86_400 * 10**6
    assert (Axes.of([axis.as_unit("us") for axis in DAYS]).shortest() // day).tolist()[::2] == [
        1,
        1,
    ]


def test_axes_of_one_type_stand_together():
    axes = [DAYS[0], pd.Index([3, 4]), DAYS[1]]
    assert [(numbers.tolist(), len(same)) for numbers, same in alike(axes)] == [
        ([0, 2], 2),
        ([1], 1),
    ]
    assert alike([]) == []


def test_axes_that_end_together_share_their_last_time():
    first, other, third = last_times(Axes.of(DAYS))
    assert first is third and first.tolist() == [DAYS[0][-1]] and other.equals(DAYS[1])


def test_of_distances_that_are_equally_common_the_shortest_counts():
    assert most_common(Axes.of([pd.Index([1, 3, 4]), pd.Index([5, 9])])).tolist() == [1, 4]


@pytest.mark.parametrize(
    "times", [DAYS[0], DAYS[0].tz_localize("Asia/Tokyo"), DAYS[0].to_period("D"), pd.Index([4, 9])]
)
def test_stamps_make_the_times_again(times):
    assert index_of(stamps_of(times), times).equals(times)


# -------------------------------------------------------------- many series as one by one

FREQS = ["D", "h", "15min", "B", "W-WED", "MS", "ME", "QS", "QE-NOV", "YS", "YE", "2MS", "BMS", "C"]
CLOSED = pd.offsets.CustomBusinessDay(weekmask="Mon Tue Wed Thu Fri Sat")


def axes_of(freq, share, zone, seed):
    """Draw axes of one frequency, with spans and gaps of their own."""
    rng = np.random.default_rng(seed)
    every = pd.date_range("2019-12-30", periods=90, freq=CLOSED if freq == "C" else freq, tz=zone)
    every = every.append(every[:3] + pd.Timedelta("90min")) if share == 0.7 else every
    drawn = []
    for _ in range(9):
        start, stop = sorted(rng.choice(len(every), 2, replace=False))
        own = every[start : stop + 1]
        drawn.append(own[rng.random(len(own)) < share].append(own[:1]).unique().sort_values())
    return drawn


@pytest.mark.parametrize("freq", FREQS)
@pytest.mark.parametrize("share", [1.0, 0.9, 0.7])
@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_all_at_once_have_the_steps_and_places_of_each(freq, share, zone):
    axes = axes_of(freq, share, zone, seed=len(freq))
    joined = Axes.of(axes)
    own = [own_steps([axis])[0] for axis in axes]
    assert own_steps(joined) == own
    long = [axis for axis in axes if len(axis) > 1]
    assert most_common_steps(Axes.of(long)) == [most_common_step(axis) for axis in long]
    steps = [step or pd.offsets.Day() for step in own]
    for grid, axis, step in zip(grids_on(joined, steps), axes, steps, strict=True):
        alone = places_on(axis, step)
        assert (grid is None) == (alone is None)
        assert grid is None or grid.places.tolist() == alone.tolist()


def test_steps_are_counted_from_the_end_of_each():
    axes = Axes.of(DAYS)
    ends = pd.DatetimeIndex(["2024-01-02", "2024-01-01", "2024-01-03"])
    steps = [pd.offsets.Day(), pd.offsets.MonthBegin(), pd.offsets.BusinessMonthEnd()]
    found, counted = counted_steps(axes, ends, steps)
    assert counted.tolist() == [True, True, False]
    assert [None if one is None else one.tolist() for one in found] == [[-1, 0, 2], [2], None]


def test_series_on_several_clocks_have_their_own_grids():
    axes = [DAYS[0], DAYS[2].tz_localize("Asia/Tokyo"), DAYS[2]]
    grids = inferred_grids(axes, [0, 1, 2], str)
    assert [grid.places.tolist() for grid in grids] == [[0, 1, 3], [0, 1], [0, 1]]
    assert grids[2].axis is axes[2]
