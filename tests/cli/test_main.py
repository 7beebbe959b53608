import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from timer_forecaster import cli
from timer_forecaster.checkpoints.registry import find_checkpoint
from timer_forecaster.cli import pretrain


def test_a_loss_that_is_not_finite_is_one_line(run, monkeypatch):
    def diverge(arguments):
        raise FloatingPointError("the loss is nan")

    monkeypatch.setattr(pretrain, "run", diverge)
    assert run("pretrain", "run.yaml") == (2, "", "timer-forecaster: error: the loss is nan\n")


@pytest.mark.parametrize("error", [TypeError, OSError, ImportError, OverflowError])
def test_no_error_of_an_input_is_a_traceback(run, monkeypatch, error):
    def fail(arguments):
        raise error("a\nb")

    monkeypatch.setattr(pretrain, "run", fail)
    assert run("pretrain", "run.yaml") == (2, "", "timer-forecaster: error: a b\n")


def test_ctrl_c_is_one_line(run, monkeypatch):
    def interrupt(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(pretrain, "run", interrupt)
    assert run("pretrain", "run.yaml") == (130, "", "timer-forecaster: interrupted\n")


def test_a_signal_of_ctrl_c_ends_the_command_in_one_line(tmp_path):
    (tmp_path / "slow.py").write_text(
        "import os, signal, sys, time\nfrom timer_forecaster import cli\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # ignored in the background
        "from timer_forecaster.cli import checkpoints\n"
        "def run(arguments):\n    os.kill(os.getpid(), signal.SIGINT)\n    time.sleep(60)\n"
        "checkpoints.run = run\nsys.exit(cli.main(['checkpoints']))"
    )
    done = subprocess.run([sys.executable, tmp_path / "slow.py"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (130, "timer-forecaster: interrupted\n")


@pytest.mark.parametrize("words", [["checkpoints"], ["--help"], ["forecast", "--help"]])
def test_a_reader_that_goes_is_no_error(words):
    command = [sys.executable, "-m", "timer_forecaster", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert said == ""
    assert process.wait() in ((141,) if words == ["checkpoints"] else (0, 141))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "model.safetensors").write_text(""), "is empty"),
        (lambda folder: (folder / "model.safetensors").unlink(), "holds no model.safetensors"),
        (lambda folder: (folder / "config.json").write_text("[]"), "it is a list"),
        (lambda folder: (folder / "config.json").unlink(), "holds no config.json"),
    ],
)
def test_broken_checkpoints_and_adapters_are_one_line(run, tmp_path, spoil, said):
    folder = shutil.copytree(find_checkpoint("timer-s1-test"), tmp_path / "net")
    spoil(folder)
    Path("a.csv").write_text("t,y\n1,1\n2,2\n3,3\n")
    words = ["forecast", "a.csv", "--time-column", "t", "--horizon", 2, "--quiet"]
    for options in (["--checkpoint", folder], ["--checkpoint", folder, "--quantization", "int8"]):
        code, out, err = run(*words, *options)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert said in err
        assert "net" in err
    code, out, err = run(*words, "--checkpoint", "timer-s1-test", "--adapter", folder)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "holds no adapter" in err


HEAVY = ("torch", "transformers", "matplotlib", "timer_forecaster.finetuning.tuner")


COMMANDS = [
    "",
    "forecast",
    "anomalies",
    "backtest",
    "finetune",
    "evaluate",
    "pretrain",
    "corpus build",
]


def test_help_is_quick():
    program = (
        "import contextlib, sys; from timer_forecaster import cli\n"
        f"for words in {COMMANDS}:\n"
        "    with contextlib.suppress(SystemExit): cli.main([*words.split(), '--help'])\n"
        f"    loaded = [name for name in {HEAVY} if name in sys.modules]\n"
        "    if loaded: sys.exit(f'{words}: {loaded}')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    usages = [line for line in done.stdout.splitlines() if line.startswith("usage: ")]
    assert len(usages) == len(COMMANDS)
    for words, usage in zip(COMMANDS, usages, strict=True):
        assert usage.startswith(f"usage: timer-forecaster {words}".rstrip())


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
        "covariates",
        "help",
        "output",
        "paths",
        "report",
        "settings",
        "streaming",
        "table",
        "windows",
        "words",
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
