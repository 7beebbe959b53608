"""Tests of `timer_forecaster.files`: whole files or none."""

import errno
import os
import signal
import subprocess
import sys

import pytest

from timer_forecaster.files import (
    UnwritableError,
    check_new_folder,
    check_writable,
    left_unfinished,
    make_folder,
    remove_unfinished,
    unfinished_name,
    whole_file,
    whole_folder,
    whole_pair,
)


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


def test_what_an_earlier_process_of_the_same_number_left_is_removed(tmp_path):
    """In a container every process may have the number 1."""
    file = tmp_path / "a.csv"
    left = unfinished_name(file)
    left.write_text("half")
    with whole_file(file) as unfinished:
        unfinished.write_text("new")
        with whole_file(file) as other:  # of another thread, say
            other.write_text("newer")
            assert unfinished.exists()
    assert list(tmp_path.iterdir()) == [file]


def test_names_that_are_nearly_as_long_as_a_name_may_be(tmp_path):
    file = tmp_path / f"{'ä' * 110}.csv.gz"
    with whole_file(file) as unfinished:
        assert unfinished.name.endswith(".csv.gz")
        unfinished.write_text("new")
    assert list(tmp_path.iterdir()) == [file]


def test_errors_name_the_path_as_it_was_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"cannot write no/a\.csv: there is no folder no$"):
        check_writable("no/a.csv")


def test_an_error_of_reading_is_not_one_of_writing(tmp_path):
    with pytest.raises(FileNotFoundError, match="elsewhere"), whole_file(tmp_path / "a.csv"):
        (tmp_path / "elsewhere").read_text()


def test_a_folder_appears_when_it_is_whole(tmp_path):
    for folder in (tmp_path / "new", tmp_path / "empty"):
        if folder.name == "empty":
            folder.mkdir(mode=0o750)
        with whole_folder(folder) as unfinished:
            (unfinished / "deep").mkdir()
            (unfinished / "deep" / "a").write_text("a")
            assert not (folder / "deep").exists()
        assert (folder / "deep" / "a").read_text() == "a"
    assert folder.stat().st_mode & 0o777 == 0o750
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "new"]


@pytest.mark.parametrize("error", [RuntimeError("no"), KeyboardInterrupt("no"), OSError("no")])
def test_a_folder_that_fails_leaves_nothing(tmp_path, error):
    with pytest.raises((type(error), UnwritableError), match="no"):
        with whole_folder(tmp_path / "new") as unfinished:
            (unfinished / "a").write_text("half")
            raise error
    assert list(tmp_path.iterdir()) == []


def test_folders_that_cannot_be_made_are_refused_by_name(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="file: it is a file"):
        check_new_folder(tmp_path / "file")
    with pytest.raises(ValueError, match="it exists and holds files"):
        check_new_folder(tmp_path)
    with pytest.raises(ValueError, match="there is no folder"):
        check_new_folder(tmp_path / "a" / "b")
    with pytest.raises(ValueError, match=r"cannot write .*b: "):
        make_folder(tmp_path / "file" / "b")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(ValueError, match=r"the working folder.*a new folder inside it"):
        check_new_folder(".")
    check_new_folder("inside")
    assert list((tmp_path / "here").iterdir()) == []


def write_pair(folder, word):
    with whole_pair(folder / "a.bin", folder / "a.json") as (first, second):
        first.write_text(word)
        second.write_text(word)


def test_a_pair_is_replaced_and_nothing_else_is_left(tmp_path):
    for word in ("old", "new"):
        write_pair(tmp_path, word)
        assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
            "a.bin": word,
            "a.json": word,
        }


@pytest.mark.parametrize("stop", [1, 2])
def test_a_pair_that_stops_between_two_renames_keeps_the_second_file(tmp_path, monkeypatch, stop):
    write_pair(tmp_path, "old")
    replace, calls = os.replace, []

    def stopped(source, target, **options):
        calls.append(target)
        if len(calls) == stop:
            raise KeyboardInterrupt
        return replace(source, target, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", stopped)
        with pytest.raises(KeyboardInterrupt):
            write_pair(tmp_path, "new")
    first = (tmp_path / "a.bin").read_text()
    assert first == ("old" if stop == 1 else "new")
    seconds = [tmp_path / "a.json", *left_unfinished(tmp_path / "a.json")]
    assert first in [path.read_text() for path in seconds]
    write_pair(tmp_path, "newer")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.bin", "a.json"]
