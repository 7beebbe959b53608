"""A backtest on disk."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from timer_forecaster.backtesting import backtest, outputs


@pytest.fixture(scope="module")
def result(pipe):
    return backtest(pipe, np.sin(np.arange(60.0)), 5, windows=2)


def test_a_folder_has_all_tables_and_no_parts(result, tmp_path):
    folder = tmp_path / "results"
    parts = outputs.parts_of(folder)
    outputs.check_output(folder)
    parts.mkdir()
    assert outputs.write(result, folder, lambda table: table.assign(more=1)) == []
    names = sorted(path.name for path in folder.iterdir())
    assert [name.partition(".")[0] for name in names] == [
        *["by_step", "forecasts", "leaderboard", "scores"]
    ]
    assert (pd.read_csv(folder / "scores.csv")["more"] == 1).all()


def test_outputs_are_checked_before_the_work(tmp_path):
    with pytest.raises(ValueError, match="there is no folder"):
        outputs.check_output(tmp_path / "none" / "out.csv")
    with pytest.raises(ValueError, match=r"out\.doc"):
        outputs.check_output(tmp_path / "out.doc")
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="file"):
        outputs.check_output(tmp_path / "file")
    assert outputs.parts_of(Path("-")) is outputs.parts_of(None) is None
