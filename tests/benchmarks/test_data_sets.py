"""Names of the data sets of a folder."""

from benchmarks.data_sets import not_held_out
from timer_forecaster.corpus.held_out import HELD_OUT


def test_held_out_data_sets_are_left_out(tmp_path):
    for name in (HELD_OUT[0], HELD_OUT[-1], "walks__H", "daily__D"):
        (tmp_path / f"{name}.parquet").touch()
    assert not_held_out(tmp_path) == ["daily__D", "walks__H"]
