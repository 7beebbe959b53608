"""All series of a source, partition by partition."""

import pandas as pd
import pytest
from scale_cases import in_memory, sales, with_bad

from timer_forecaster.scale import ForecastTask, Names, SeriesSource, stream
from timer_forecaster.scale.folder import RunFolder


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "sales.parquet"
    with_bad(sales(9)).to_parquet(path, row_group_size=70)
    return path


def run(pipe, path, output, horizon=3, rows=150):
    source = SeriesSource(path, Names("shop"))
    return stream(pipe, source, ForecastTask(source.columns, horizon), output, partition_rows=rows)


@pytest.mark.parametrize("rows", [1, 150, 10_000])
def test_the_answer_is_that_of_the_whole_table(pipe, table, tmp_path, rows):
    totals = run(pipe, table, tmp_path / "out", rows=rows)
    expected = in_memory(pipe, pd.read_parquet(table), 3)
    found = pd.read_parquet(tmp_path / "out" / "forecast")
    pd.testing.assert_frame_equal(found, expected)
    assert totals == (11, len(pd.read_parquet(table)), 27, 2)
    rejected = pd.read_parquet(tmp_path / "out" / "rejected")
    assert rejected["shop"].tolist() == ["t-empty", "t-twice"]


def test_finished_partitions_are_not_answered_again(pipe, table, tmp_path, monkeypatch):
    first = run(pipe, table, tmp_path / "out")
    part = tmp_path / "out" / "finished" / "part-000001.json"
    part.unlink()
    asked = []
    original = ForecastTask.answer

    def answer(task, pipeline, frame):
        asked.append(frame["shop"].unique().tolist())
        return original(task, pipeline, frame)

    monkeypatch.setattr(ForecastTask, "answer", answer)
    assert run(pipe, table, tmp_path / "out") == first
    assert asked == [["s003", "s004", "s005"]]


def test_a_run_with_other_settings_or_data_is_refused(pipe, table, tmp_path):
    run(pipe, table, tmp_path / "out")
    with pytest.raises(ValueError, match="another run: horizon was 3, is 4"):
        run(pipe, table, tmp_path / "out", horizon=4)
    with pytest.raises(ValueError, match="partition_rows was 150, is 151"):
        run(pipe, table, tmp_path / "out", rows=151)
    changed = with_bad(sales(9))
    changed.loc[0, "sold"] = 0.125
    changed.to_parquet(table, row_group_size=70)
    with pytest.raises(ValueError, match=r"another run: data|about other data"):
        run(pipe, table, tmp_path / "out")


@pytest.mark.parametrize("stop", [0, 2])
def test_a_stopped_run_goes_on(pipe, table, tmp_path, monkeypatch, stop):
    write = RunFolder.write

    def interrupted(self, name, answer, content):
        if name == f"part-{stop:06}":
            raise KeyboardInterrupt
        return write(self, name, answer, content)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(RunFolder, "write", interrupted)
        run(pipe, table, tmp_path / "out")
    assert len(list((tmp_path / "out").glob("finished/*"))) == stop
    assert run(pipe, table, tmp_path / "out") == run(pipe, table, tmp_path / "whole")
    files = [path for path in (tmp_path / "whole").rglob("*") if path.is_file()]
    for file in files:
        other = tmp_path / "out" / file.relative_to(tmp_path / "whole")
        assert other.read_bytes() == file.read_bytes()
    assert len(files) == len([path for path in (tmp_path / "out").rglob("*") if path.is_file()])
