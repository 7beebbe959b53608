"""The overhead of frames and sktime on panels, at tiny sizes."""

import numpy as np
import pytest

pytest.importorskip("sktime")

from benchmarks import panel_doors
from benchmarks.measuring import count_calls
from timer_forecaster.models.timer_s1 import TimerS1Network

SIZES = ["--series", "3", "--steps", "24", "--horizon", "2", "--rounds", "1"]


def test_it_prints_the_ratios_of_all_panels(capsys):
    panel_doors.main(["--checkpoint", "timer-s1-test", *SIZES])
    _, names, *lines = capsys.readouterr().out.splitlines()
    assert names.split()[3:] == ["pipeline", "frame", "sktime", "sktime", "quantiles"]
    assert [line[19:30].strip() for line in lines] == ["equal", "own", "own, gaps"]
    for line in lines:
        found = [float(one.strip("()")) for one in line[30:].split()]
        seconds, ratios = found[::2], found[1::2]
        assert [one / seconds[0] for one in seconds] == pytest.approx(ratios, rel=0.25)


def test_all_ways_run_the_network_once():
    panel = panel_doors.make_panel(panel_doors.parse_arguments(SIZES), "D", "equal")
    for way in panel_doors.sides("timer-s1-test", panel, 2).values():
        assert count_calls(way, (TimerS1Network, "forecast_pass")) == [1]


def test_series_have_spans_and_gaps_of_their_own():
    arguments = panel_doors.parse_arguments(SIZES)
    panel = panel_doors.make_panel(arguments, "MS", "own, gaps")
    groups = [own for _, own in panel.frame.groupby("id")]
    assert [len(own) for own in groups] == [22, 23, 24] == [len(one) for one in panel.arrays]
    assert len({own["time"].iloc[0] for own in groups}) == 3
    np.testing.assert_array_equal(panel.indexed["y"], np.concatenate(panel.arrays))
