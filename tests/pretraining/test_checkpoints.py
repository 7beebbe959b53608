"""A checkpoint is there as a whole or not at all; what the disk spoilt is found out."""

import json

import pytest

from timer_forecaster.pretraining.checkpoints import CheckpointFolder


@pytest.fixture
def checkpoints(tmp_path):
    return CheckpointFolder(tmp_path / "checkpoints")


def write(checkpoints, step):
    checkpoints.clear(step)
    partial = checkpoints.partial(step)
    (partial / "weights").write_bytes(bytes(1000))
    (partial / "shards").mkdir()
    (partial / "shards" / "0").write_text(str(step))
    return checkpoints.seal(step, {"seed": step})


def names(checkpoints):
    return sorted(path.name for path in checkpoints.folder.iterdir())


def test_the_newest_is_found_and_two_are_kept(checkpoints):
    assert checkpoints.newest(pytest.fail) is None
    for step in (5, 10, 99, 1000):
        write(checkpoints, step)
    assert names(checkpoints) == ["step-000000099", "step-000001000"]
    path, step, record = checkpoints.newest(pytest.fail)
    assert (step, record) == (1000, {"seed": 1000})
    assert (path / "shards" / "0").read_text() == "1000"


def test_one_that_was_being_written_does_not_count_and_is_cleared(checkpoints):
    write(checkpoints, 1)
    checkpoints.clear(2)
    (checkpoints.partial(2) / "weights").write_bytes(bytes(10))
    assert checkpoints.newest(pytest.fail)[1] == 1
    write(checkpoints, 3)
    assert names(checkpoints) == ["step-000000001", "step-000000003"]


def truncate(path):
    (path / "weights").write_bytes(bytes(999))


def change(path):
    (path / "weights").write_bytes(bytes(999) + b"x")


def lose(path):
    (path / "shards" / "0").unlink()


def cut_list(path):
    content = (path / "checkpoint.json").read_text()
    (path / "checkpoint.json").write_text(content[: len(content) // 2])


def empty_list(path):
    (path / "checkpoint.json").write_text(json.dumps({"step": 2}))


@pytest.mark.parametrize("spoil", [truncate, change, lose, cut_list, empty_list])
def test_a_broken_one_is_named_and_the_one_before_is_taken(checkpoints, spoil):
    write(checkpoints, 1)
    spoil(write(checkpoints, 2))
    told = []
    assert checkpoints.newest(told.append)[1] == 1
    assert len(told) == 1 and "step-000000002 is broken" in told[0]
    assert write(checkpoints, 2).exists()  # the way forward is not blocked by it
    assert checkpoints.newest(pytest.fail)[1] == 2


def test_broken_ones_alone_are_not_taken_for_none(checkpoints):
    cut_list(write(checkpoints, 1))
    told = []
    with pytest.raises(ValueError, match="are broken; delete them to start from the beginning"):
        checkpoints.newest(told.append)
    assert len(told) == 1


@pytest.mark.parametrize("error", [OSError(28, "No space"), RuntimeError("file write failed")])
def test_a_checkpoint_that_cannot_be_written_is_named_and_the_one_before_stays(tmp_path, error):
    folder = CheckpointFolder(tmp_path)
    folder.clear(1)
    folder.seal(1, {})
    with pytest.raises(ValueError, match=r"checkpoint of step 2 .*the run resumes from it"):
        with folder.writing(2):
            folder.clear(2)
            raise error
    assert folder.newest(print)[1] == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_what_killed_processes_left_is_tidied(tmp_path):
    folder = CheckpointFolder(tmp_path)
    for step in range(3):
        folder.clear(step)
        folder.partial(step).rename(tmp_path / f"step-{step:09d}")
    folder.clear(7)
    folder.tidy()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-000000001", "step-000000002"]
