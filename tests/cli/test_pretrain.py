from pathlib import Path

import pytest

pytest.importorskip("accelerate")
pytest.importorskip("yaml")


class Config(str):
    """A recipe of seven steps, which is read as its name."""

    steps = 7


@pytest.fixture
def asked(monkeypatch):
    """The arguments of each training, which is not done."""
    made = []

    def pretrain(config, folder, *, on_record, **options):
        made.append({"config": config, "folder": folder, **options})
        on_record({"step": 1, "loss": 0.5})
        return folder, {"step": 7}

    monkeypatch.setattr("timer_forecaster.pretraining.pretrain", pretrain)
    monkeypatch.setattr("timer_forecaster.pretraining.read_config", Config)
    return made


TIMES = {"seconds": None, "checkpoint_seconds": None}
DEFAULTS = {"device": "auto", "compile_blocks": False, "resume": True, "progress": False, **TIMES}


def test_a_run_is_named_after_its_settings(run, asked):
    code, out, err = run("pretrain", "recipes/quick.yaml")
    assert (code, err) == (0, "")
    folder = Path("runs/quick")
    assert out == f'{{"step": 1, "loss": 0.5}}\nTrained 7 steps -> {folder}\n'
    assert asked == [{"config": "recipes/quick.yaml", "folder": folder, **DEFAULTS}]


def test_options_are_passed_on(run, asked):
    words = ["--output", "here", "--device", "cpu", "--no-resume", "--compile"]
    assert run("pretrain", "quick.yaml", *words)[0] == 0
    options = {"device": "cpu", "compile_blocks": True, "resume": False, "progress": False}
    assert asked == [{"config": "quick.yaml", "folder": Path("here"), **options, **TIMES}]


def test_minutes_are_passed_on_as_seconds(run, asked):
    assert run("pretrain", "quick.yaml", "--minutes", "2", "--checkpoint-minutes", "0.5")[0] == 0
    assert (asked[0]["seconds"], asked[0]["checkpoint_seconds"]) == (120, 30)


@pytest.mark.parametrize("option", ["--minutes", "--checkpoint-minutes"])
def test_minutes_that_cannot_be_meant_are_refused_by_their_option(run, asked, option):
    code, out, err = run("pretrain", "quick.yaml", option, "0")
    assert (code, out, asked) == (2, "", [])
    assert f"{option}=0.0 must be positive and finite" in err


def test_only_the_first_process_prints_the_summary(run, asked, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    assert run("pretrain", "quick.yaml")[1] == '{"step": 1, "loss": 0.5}\n'


def test_settings_that_do_not_exist_are_one_line(run):
    code, out, err = run("pretrain", "nowhere.yaml")
    assert (code, out) == (2, "")
    assert "nowhere.yaml" in err
    assert err.count("\n") == 1
