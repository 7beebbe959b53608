import subprocess
import sys
from pathlib import Path

import pytest

from timer_forecaster import cli
from timer_forecaster.cli import pretrain


def test_a_loss_that_is_not_finite_is_one_line(run, monkeypatch):
    def diverge(arguments):
        raise FloatingPointError("the loss is nan")

    monkeypatch.setattr(pretrain, "run", diverge)
    assert run("pretrain", "run.yaml") == (2, "", "timer-forecaster: error: the loss is nan\n")


HEAVY = ("torch", "transformers", "matplotlib", "timer_forecaster.finetuning.tuner")


@pytest.mark.parametrize(
    "command", [[], ["forecast"], ["finetune"], ["evaluate"], ["pretrain"], ["corpus", "build"]]
)
def test_help_is_quick(command):
    program = (
        "import contextlib, sys; from timer_forecaster import cli\n"
        f"with contextlib.suppress(SystemExit): cli.main({[*command, '--help']})\n"
        f"sys.exit([name for name in {HEAVY} if name in sys.modules] or None)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: ")


def test_python_m_is_the_command():
    required = ["--time-column", "t", "--horizon", "2"]
    done = subprocess.run(
        [sys.executable, "-m", "timer_forecaster", "forecast", "nowhere.csv", *required],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("timer-forecaster: error: ")
    assert "nowhere.csv" in done.stderr


def test_every_command_is_listed_and_has_a_module(run, capsys):
    with pytest.raises(SystemExit):
        run("--help")
    listed = capsys.readouterr().out
    folder = Path(cli.__file__).parent
    commands = {file.stem for file in folder.glob("*.py")} - {
        "__init__",
        "common",
        "output",
        "settings",
        "table",
    }
    for command in commands:
        assert f"    {command} " in listed or f"    {command}\n" in listed
        with pytest.raises(SystemExit) as exit_:
            run(command, "--help")
        assert exit_.value.code == 0
        assert capsys.readouterr().out.startswith(f"usage: timer-forecaster {command}")


def test_a_command_that_does_not_exist_is_refused(run, capsys):
    with pytest.raises(SystemExit) as exit_:
        run("predict")
    assert exit_.value.code == 2
    assert "invalid choice: 'predict'" in capsys.readouterr().err
