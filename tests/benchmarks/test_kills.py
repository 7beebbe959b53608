"""The program finds files that a kill damages, and finds nothing where files are whole."""

import json
import os
from pathlib import Path

import pytest

from timer_forecaster.files import whole_file

if not hasattr(os, "fork"):
    pytest.skip("this system does not fork", allow_module_level=True)

from benchmarks.kills import __main__ as program
from benchmarks.kills.cases import Case, cases
from benchmarks.kills.killing import run


def read(folder):
    path = folder / "out.json"
    return json.loads(path.read_text()) if path.exists() else None


def write_in_place():
    with open("out.json", "w") as file:
        file.write('{"new": ')
        file.flush()
        Path("mark").touch()  # a moment between two parts
        Path("mark").unlink()
        file.write("1}")
    return 0


def write_whole():
    with whole_file("out.json") as unfinished:
        unfinished.write_text('{"new": 1}')
    return 0


def write_earlier():
    Path("out.json").write_text('{"old": 1}')
    return 0


def check(work, root, **options):
    case = Case("example", work, read, write_earlier)
    return program.check_all([case], root, 0, True, **options)[0]


def test_a_file_that_is_written_in_place_is_found_damaged(tmp_path):
    row = check(write_in_place, tmp_path)
    assert row["damaged"] == row["problems"] == 2  # of three operations, the first is harmless
    assert row["earlier"] == 1


def test_whole_files_are_found_whole(tmp_path):
    row = check(write_whole, tmp_path)
    assert row["operations"] == row["earlier"] + row["new"] > 3
    assert row["problems"] == 0


def test_files_that_are_left_over_are_found(tmp_path):
    def leave():
        Path(f"left-{os.getpid()}").touch()
        return write_whole()

    assert check(leave, tmp_path)["problems"] > 0


def test_a_run_that_was_stopped_goes_on(tmp_path):
    notes = tmp_path / "kills.jsonl"
    first = check(write_whole, tmp_path, output=notes)
    lines = notes.read_text().splitlines(keepends=True)
    notes.write_text("".join(lines[:-1]))
    assert check(write_whole, tmp_path, output=notes) | {"seconds": 0} == first | {"seconds": 0}
    assert notes.read_text().splitlines(keepends=True) == lines


def test_a_process_is_killed_after_a_time(tmp_path):
    import time

    ended = run(lambda: time.sleep(60) or 0, tmp_path, tmp_path / "log", seconds=0.2)
    assert ended.killed
    assert ended.seconds < 50
    ended = run(lambda: print("said") or 3, tmp_path, tmp_path / "log")
    assert (ended.killed, ended.status, ended.output) == (False, 3, "said\n")


def test_a_command_that_refuses_is_left_out(tmp_path, capsys):
    assert program.check_all([Case("x", lambda: 2, read)], tmp_path, 1, True) == []
    assert "left out: x" in capsys.readouterr().err


def test_every_command_that_writes_is_a_case():
    names = " ".join(case.name for case in cases())
    for command in (
        "forecast",
        "backtest",
        "finetune",
        "convert",
        "corpus build",
        "evaluate",
        "pretrain",
    ):
        assert command in names


def test_the_program_prints_a_table(capsys):
    assert program.main(["--cases", "Adapter.save", "--moments", "1", "--no-points"]) == 0
    assert "| Adapter.save |" in capsys.readouterr().out
