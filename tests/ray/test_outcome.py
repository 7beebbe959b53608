import pandas as pd
import pytest

from timer_forecaster.failures import SeriesWarning
from timer_forecaster.ray import Outcome
from timer_forecaster.scale import Content, PartitionAnswer, RunFolder

pytest.importorskip("pyarrow")


def test_an_outcome_sums_finished_partitions(tmp_path):
    folder = RunFolder.begin(tmp_path / "out", {})
    table, bad = pd.DataFrame({"q0.5": [1.0, 2.0]}), pd.DataFrame({"shop": ["b"], "reason": ["-"]})
    folder.write("part-000000", PartitionAnswer(table, bad), Content(3, 90, ""))
    folder.write("part-000001", PartitionAnswer(table, bad[:0]), Content(2, 50, ""))
    assert Outcome.of(folder) == Outcome(tmp_path / "out", 2, 5, 4, 1)


def test_rejected_series_are_warned_of(tmp_path):
    with pytest.warns(SeriesWarning, match="1 series of 5 ids have no answer"):
        Outcome(tmp_path, 2, 5, 4, 1).warn_of_rejected()
    Outcome(tmp_path, 2, 5, 4, 0).warn_of_rejected()
