"""The folder of a run."""

import pandas as pd
import pytest

from timer_forecaster.scale import PartitionAnswer
from timer_forecaster.scale.folder import Content, RunFolder

IDENTITY = {"horizon": "3", "checkpoint": '"ab"'}
CONTENT = Content(1, 60, "7f")
NONE = pd.DataFrame(columns=["shop", "target", "reason"])


def table(shop="a", day="2024-01-01"):
    return pd.DataFrame({"shop": [shop], "day": [pd.Timestamp(day)], "q0.5": [1.0]})


def rejected(shop="b"):
    return pd.DataFrame({"shop": [shop], "target": ["sold"], "reason": ["has no value"]})


def test_answers_are_read_as_one_table(tmp_path):
    run = RunFolder.begin(tmp_path / "new" / "out", IDENTITY)
    run.write("part-000001", PartitionAnswer(table("b"), rejected("c")), CONTENT)
    assert run.first_rejected()["shop"].tolist() == ["c"]
    run.write("part-000000", PartitionAnswer(table("a"), NONE), CONTENT)
    assert pd.read_parquet(run.path / "forecast")["shop"].tolist() == ["a", "b"]
    assert pd.read_parquet(run.path / "rejected")["reason"].tolist() == ["has no value"]
    assert [one.rejected for one in run.all_finished()] == [0, 1]


def test_a_partition_is_finished_when_all_of_it_is_written(tmp_path, monkeypatch):
    run = RunFolder.begin(tmp_path, IDENTITY)
    with monkeypatch.context() as patch:
        patch.setattr("timer_forecaster.scale.folder.FINISHED", "gone\0")
        with pytest.raises(ValueError):
            run.write("part-000000", PartitionAnswer(table(), rejected()), CONTENT)
    again = RunFolder.begin(tmp_path, IDENTITY)
    assert again.finished("part-000000") is None
    written = again.write("part-000000", PartitionAnswer(table("z"), NONE), CONTENT)
    assert again.finished("part-000000", CONTENT) == written
    assert pd.read_parquet(tmp_path / "forecast")["shop"].tolist() == ["z"]
    assert again.first_rejected() is None  # what the stopped write left is gone


def test_other_runs_are_refused(tmp_path):
    run = RunFolder.begin(tmp_path, IDENTITY)
    run.write("part-000000", PartitionAnswer(table(), NONE), CONTENT)
    with pytest.raises(ValueError, match=r'another run: checkpoint was "ab", is "cd"; remove'):
        RunFolder.begin(tmp_path, IDENTITY | {"checkpoint": '"cd"'})
    with pytest.raises(ValueError, match="flip was not there, is true"):
        RunFolder.begin(tmp_path, IDENTITY | {"flip": "true"})
    with pytest.raises(ValueError, match="part-000000 about other data: 60 rows of 1 series then"):
        run.finished("part-000000", Content(1, 60, "80"))


def test_a_run_without_answers_gives_way(tmp_path):
    other = IDENTITY | {"checkpoint": '"cd"'}
    RunFolder.begin(tmp_path, other)
    run = RunFolder.begin(tmp_path, IDENTITY)
    run.write("part-000000", PartitionAnswer(table(), NONE), CONTENT)
    (tmp_path / "finished" / "part-000000.json").unlink()  # as a process that was killed leaves it
    with pytest.raises(ValueError, match="another run"):
        RunFolder.begin(tmp_path, other)
    assert RunFolder.begin(tmp_path, IDENTITY).finished("part-000000") is None


def test_a_folder_with_other_files_is_refused(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ValueError, match=r"holds notes\.txt and no manifest\.json"):
        RunFolder.begin(tmp_path, IDENTITY)
    (tmp_path / "notes.txt").rename(tmp_path / ".notes")
    RunFolder.begin(tmp_path, IDENTITY)


def test_broken_files_are_named(tmp_path):
    run = RunFolder.begin(tmp_path, IDENTITY)
    run.write("part-000000", PartitionAnswer(table(), NONE), CONTENT)
    file = tmp_path / "finished" / "part-000000.json"
    file.write_text("{}")
    with pytest.raises(ValueError, match=r"part-000000\.json cannot be read"):
        run.finished("part-000000")
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(ValueError, match=r"manifest\.json cannot be read"):
        RunFolder.begin(tmp_path, IDENTITY)


def test_columns_of_other_types_are_refused(tmp_path):
    run = RunFolder.begin(tmp_path, IDENTITY)
    run.write("part-000000", PartitionAnswer(table(), NONE), CONTENT)
    other = PartitionAnswer(table().assign(day=7), NONE)
    with pytest.raises(ValueError, match=r"'day' is int64, and timestamp.* in part-000000"):
        run.write("part-000001", other, CONTENT)
    assert run.finished("part-000001") is None


def test_the_content_of_a_partition_is_its_values_in_order():
    frame = pd.DataFrame({"shop": ["a", "a", None], "sold": [1.0, 2.0, 3.0]})
    content = Content.of(frame, "shop")
    assert (content.series, content.rows) == (2, 3)
    assert Content.of(frame.copy().set_axis([5, 6, 7]), "shop") == content
    for other in (frame[::-1], frame.assign(sold=[1.0, 2.0, 4.0]), frame[:2]):
        assert Content.of(other, "shop") != content
