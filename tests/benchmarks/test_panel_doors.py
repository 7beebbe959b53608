"""The overhead of frames and sktime on panels, at tiny sizes."""

import numpy as np
import pytest

pytest.importorskip("sktime")

from benchmarks import panel_doors

SIZES = ["--series", "3", "--steps", "24", "--horizon", "2", "--rounds", "1"]


def test_it_prints_the_ratios_of_all_panels(capsys):
    panel_doors.main(["--checkpoint", "timer-s1-test", *SIZES])
    _, names, *lines = capsys.readouterr().out.splitlines()
    assert names.split()[-4:] == ["frame", "ratio", "sktime", "ratio"]
    assert [line[19:31].strip() for line in lines] == ["equal", "own", "own, gaps"]
    for line in lines:
        pipeline, frame, sktime, *ratios = map(float, line[31:].split())
        assert [frame / pipeline, sktime / pipeline] == pytest.approx(ratios, rel=0.25)


def test_series_have_spans_and_gaps_of_their_own():
    arguments = panel_doors.parse_arguments(SIZES)
    panel = panel_doors.make_panel(arguments, "MS", "own, gaps")
    groups = [own for _, own in panel.frame.groupby("id")]
    assert [len(own) for own in groups] == [22, 23, 24] == [len(one) for one in panel.arrays]
    assert len({own["time"].iloc[0] for own in groups}) == 3
    np.testing.assert_array_equal(panel.indexed["y"], np.concatenate(panel.arrays))
