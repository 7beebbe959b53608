"""Tests of `timer_forecaster.files`: whole files or none."""

import errno
import os
import signal
import subprocess
import sys

import pytest

from timer_forecaster.files import check_writable, remove_unfinished, unfinished_name, whole_file


def test_a_file_is_replaced_when_it_is_whole(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("old")
    with whole_file(file) as unfinished:
        unfinished.write_text("new")
        assert file.read_text() == "old"
        assert unfinished.suffix == ".csv"
    assert file.read_text() == "new"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (RuntimeError("no"), "no"),
        (KeyboardInterrupt(), ""),
        (OSError(errno.ENOSPC, "No space left"), r"cannot write .*a\.csv: the disk is full"),
        (OSError(errno.EIO, "broken disk"), r"cannot write .*a\.csv: broken disk"),
    ],
)
def test_a_failure_leaves_the_earlier_file(tmp_path, error, shown):
    file = tmp_path / "a.csv"
    file.write_text("old")
    expected = ValueError if isinstance(error, OSError) else type(error)
    with pytest.raises(expected, match=shown), whole_file(file) as unfinished:
        unfinished.write_text("half")
        raise error
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_the_next_writer_removes_what_a_killed_one_left(tmp_path):
    file = tmp_path / "a.csv"
    program = (
        "import sys, time; from timer_forecaster.files import whole_file\n"
        "with whole_file(sys.argv[1]) as unfinished:\n"
        "    unfinished.write_text('half'); print('ready', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", program, str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        remove_unfinished(file)
        assert len(list(tmp_path.iterdir())) == 1  # it still runs
        process.send_signal(signal.SIGKILL)
    assert not file.exists()
    with whole_file(file) as unfinished:
        unfinished.write_text("new")
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_stays_and_its_file_changes(tmp_path):
    real, link = tmp_path / "real.csv", tmp_path / "link.csv"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    with whole_file(link) as unfinished:
        unfinished.write_text("new")
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert real.stat().st_mode & 0o777 == 0o640


def test_a_device_is_written_as_it_is():
    with whole_file(os.devnull) as file:
        file.write_text("lost")
    assert not os.path.isfile(os.devnull)


def test_places_that_cannot_be_written_are_refused_by_name(tmp_path):
    with pytest.raises(ValueError, match=r"cannot write .*: it is a folder"):
        check_writable(tmp_path)
    with pytest.raises(ValueError, match=r"cannot write .*a\.csv: there is no folder .*missing"):
        check_writable(tmp_path / "missing" / "a.csv")
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(ValueError, match="there is no folder"):
        check_writable(file / "a.csv")
    check_writable(tmp_path / "a.csv")
    assert not (tmp_path / "a.csv").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_without_rights_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(ValueError, match="Permission denied"):
            check_writable(tmp_path / "a.csv")
    finally:
        tmp_path.chmod(0o700)


def test_unfinished_names_are_of_this_process(tmp_path):
    assert str(os.getpid()) in unfinished_name(tmp_path / "a.csv").name
