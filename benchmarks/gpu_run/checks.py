"""The checks that need a GPU: tests and the table of speed, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.gpu_run.report import Report
from benchmarks.places import ROOT

MARK = "mark.gpu"
SLICE = "num_hidden_layers=3,num_mtp_tokens=2"
"""The released network at an eighth of its depth, which is written in a few seconds."""


def report_tests(end: float, report: Report) -> None:
    """Run the tests marked ``gpu``, from the files that have one."""
    files = [str(path.relative_to(ROOT)) for path in gpu_test_files()]
    command = ["-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "-m", "gpu", *files]
    _run("Tests that need a GPU", command, end, report)


def gpu_test_files() -> list[Path]:
    """Return the files of tests with the mark; collecting all others would take minutes."""
    paths = sorted((ROOT / "tests").rglob("test_*.py"))
    return [path for path in paths if f"pytest.{MARK}" in path.read_text(encoding="utf-8")]


def report_speed(end: float, work: Path, report: Report) -> None:
    """Run the part ``gpu`` of the program of speed."""
    options = ["--only", "gpu", "--rounds", "1", "--sizes", SLICE, "--work", str(work / "speed")]
    _run(f"Speed, {SLICE}", ["-m", "benchmarks.speed", *options], end, report)


def _run(title: str, arguments: Sequence[str], end: float, report: Report) -> None:
    """Run a program of Python in the time that is left, and report what it printed."""
    left = end - time.monotonic()
    if left < 1:
        report(f"{title}: not run, no time was left")
        return
    try:
        done = subprocess.run(  # noqa: S603
            [sys.executable, *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=left,
            check=False,
        )
    except subprocess.TimeoutExpired as expired:
        printed = expired.stdout.decode() if isinstance(expired.stdout, bytes) else expired.stdout
        report(f"{title}: stopped after {left:.0f} s\n\n{printed or ''}")
        return
    report(f"{title}: status {done.returncode}\n\n{done.stdout}")
