"""Every program explains itself, and every command that a page names exists."""

import re
import runpy
import sys

import pytest
from places import ROOT

NEEDS = {
    "anomalies": ("pyarrow",),
    "anomaly_rates": ("pyarrow",),
    "anomaly_table": ("pyarrow",),
    "darts_backtest": ("darts",),
    "finetuning": ("pyarrow",),
    "gpu_run": ("accelerate", "pyarrow"),
    "ray_scale": ("pyarrow", "ray"),
    "panel_doors": ("sktime",),
}
FOLDER = ROOT / "benchmarks"
PROGRAMS = sorted(
    [path.parent.name for path in FOLDER.glob("*/__main__.py")]
    + [path.stem for path in FOLDER.glob("*.py") if "__main__" in path.read_text(encoding="utf-8")]
)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SOURCES = [*PAGES, *sorted(FOLDER.rglob("*.py"))]


def test_programs_are_found():
    assert {"speed", "finetuning", "finetuning_memory"} <= set(PROGRAMS)
    assert "measuring" not in PROGRAMS


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.filterwarnings("ignore:.*found in sys.modules:RuntimeWarning")
def test_a_program_explains_itself(name, monkeypatch, capsys):
    for package in NEEDS.get(name, ()):
        pytest.importorskip(package)
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as end:
        runpy.run_module(f"benchmarks.{name}", run_name="__main__", alter_sys=True)
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: python -m benchmarks.{name} ")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_commands_name_programs(path):
    text = path.read_text(encoding="utf-8")
    assert "python benchmarks/" not in text
    assert set(re.findall(r"python -m benchmarks\.(\w+)", text)) <= {*PROGRAMS, "NAME"}


def test_every_program_is_on_a_page():
    named = {
        name
        for page in PAGES
        for name in re.findall(r"python -m benchmarks\.(\w+)", page.read_text(encoding="utf-8"))
    }
    assert named == set(PROGRAMS)
