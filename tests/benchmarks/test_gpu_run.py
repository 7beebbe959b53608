"""A rehearsal on the CPU with a tiny network: what is trained, handed over and reported."""

import argparse
import json
import subprocess

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

pytest.importorskip("accelerate")
pytest.importorskip("pyarrow")

from benchmarks.gpu_run import __main__ as program
from benchmarks.gpu_run import checks, probe, settings, training
from benchmarks.gpu_run.files import divided, hand_over
from benchmarks.gpu_run.probe import Speed, pays
from benchmarks.gpu_run.report import Report
from timer_forecaster.pretraining import clock, load_pipeline, read_config

ARCHITECTURE = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_mtp_tokens": 1,
    "num_attention_heads": 2,
    "num_experts": 2,
    "num_experts_per_token": 1,
    "dropout_rate": 0.0,
    "max_context_length": 512,
    "interior_masks": True,
    "training_loss": "pinball",
}
STAGE = {"tokens_per_step": 64, "window_patches": [8, 4], "learning_rate": 1e-3}
RECIPE = {
    "architecture": ARCHITECTURE,
    "initial_checkpoint": {"grow": "timer-s1-test"},
    "data": {"families": {"integrated": 1}},
    "validation_rows": 4,
    "ema_decay": 0.9,
    "stages": [
        {"name": "growth", "steps": 20, "inherited_learning_rate": 0.1, **STAGE},
        {"name": "constant", "steps": 30, **STAGE},
    ],
    "pool_steps": 2,
    "log_every": 4,
    "checkpoint_every": 20,
}
TINY = ["--tokens-per-step", "64", "--warmup-steps", "2", "--growth-steps", "3"]


class Ticking:
    """A clock that goes on by the same time at each look, however busy the machine is."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        self.now += 0.1
        return self.now


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory):
    """The folder of a whole run, without the checks."""
    folder = tmp_path_factory.mktemp("rehearsal")
    (folder / "recipe.yaml").write_text(yaml.safe_dump(RECIPE))
    words = ["--output", folder / "out", "--settings", folder / "recipe.yaml", "--device", "cpu"]
    words += ["--minutes", 0.05, "--checks-minutes", 0, "--compile", "no", "--probe-steps", 2]
    words += ["--checkpoint-seconds", 1, "--file-megabytes", 0.01, *TINY]
    with pytest.MonkeyPatch.context() as patch:
        ticking = Ticking()
        for module in (program, probe, training, clock):
            patch.setattr(module, "time", ticking)
        program.main([str(word) for word in words])
    return folder / "out"


def test_the_run_grows_trains_and_decays(rehearsal):
    records = [json.loads(line) for line in (rehearsal / "log.jsonl").read_text().splitlines()]
    assert list(dict.fromkeys(record["stage"] for record in records)) == [
        "growth",
        "constant",
        "decay",
    ]
    report = (rehearsal / "report.md").read_text()
    assert "Start: ntp" in report and "Eager: " in report
    assert "| averaged_ntp | averaged_stp |" in report
    assert f"{records[-1]['step']} steps of 64 patches" in report


def test_files_are_small_and_load(rehearsal):
    assert {path.name for path in rehearsal.iterdir()} == {
        *("raw", "averaged", "log.jsonl", "pretraining.yaml", "report.md")
    }
    values = np.arange(50.0)
    forecasts = []
    for name in ("raw", "averaged"):
        shards = list((rehearsal / name).glob("*.safetensors"))
        assert len(shards) > 1
        assert all(shard.stat().st_size <= 10_000 for shard in shards)
        forecasts.append(load_pipeline(rehearsal / name, "cpu").predict(values, 16).quantiles)
    assert np.isfinite(forecasts).all()
    assert not np.array_equal(*forecasts)


def arguments(tmp_path, **changed):
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(RECIPE))
    given = ["--output", str(tmp_path), "--settings", str(tmp_path / "recipe.yaml"), *TINY]
    return argparse.Namespace(**vars(program.parse_arguments(given)) | changed)


def test_settings_are_those_of_the_recipe_with_other_stages(tmp_path):
    config = settings.settings_of(arguments(tmp_path))
    growth, steady = config.stages
    assert (growth.name, growth.steps, growth.warmup_steps) == ("growth", 3, 2)
    assert growth.inherited_learning_rate == 0.1
    assert (steady.name, steady.warmup_steps, steady.learning_rate) == ("constant", 0, 3e-3)
    assert steady.window_patches == (8, 4)
    assert config.bfloat16 and config.seed == 1
    recipe = read_config(tmp_path / "recipe.yaml")
    assert (config.data, config.architecture) == (recipe.data, recipe.architecture)
    decayed = settings.with_decay(config, 100, 40)
    assert [stage.steps for stage in decayed.stages] == [3, 97, 40]
    assert decayed.stages[2].learning_rate_at(39) == pytest.approx(3e-3 * (1 - 0.98 * 39 / 40))


def test_a_trained_checkpoint_is_continued_without_growth(tmp_path):
    config = settings.settings_of(arguments(tmp_path, start="runs/small", device="cpu"))
    assert config.initial_checkpoint == "runs/small"
    assert [stage.name for stage in config.stages] == ["constant"]
    assert config.stages[0].warmup_steps == 2
    assert not config.bfloat16
    assert [stage.steps for stage in settings.with_decay(config, 1, 5).stages] == [2, 5]


def test_the_default_settings_fit_the_batch_of_a_gpu_and_keep_the_data_of_the_recipe(tmp_path):
    config = settings.settings_of(program.parse_arguments(["--output", str(tmp_path)]))
    assert config.stages[-1].tokens_per_step == 131_072
    assert config.data == read_config("timer-s1-small").data
    assert config.architecture.transforms_series


def test_the_recipe_of_another_family_is_refused(tmp_path):
    with pytest.raises(ValueError, match="another family"):
        settings.settings_of(arguments(tmp_path, settings="ttm-mini"))


@pytest.mark.parametrize(
    ("first_seconds", "rate", "expected"), [(10.0, 200.0, True), (30.0, 200.0, False)]
)
def test_compiling_pays_if_it_makes_more_steps(first_seconds, rate, expected):
    assert pays(Speed(1.0, 100.0), Speed(first_seconds, rate), 200.0, 5) == expected


def test_a_compiler_that_fails_is_reported_and_not_used(tmp_path, monkeypatch, capsys):
    def steps(config, device, compiled, folder, end):
        if compiled:
            raise RuntimeError("no compiler\nat all")
        return Speed(1.0, 100.0), {"validation_ntp": 0.25, "step": 2}

    monkeypatch.setattr(probe, "_steps", steps)
    given = arguments(tmp_path)
    config = settings.settings_of(given)
    assert not probe.probe(config, given, tmp_path, 1e9, Report(tmp_path / "out"))
    assert "Start: ntp 0.2500" in capsys.readouterr().out
    assert "Compiled: fails (no compiler)" in (tmp_path / "out" / "report.md").read_text()


def test_weights_are_divided_in_their_order():
    sizes = {"a": 1000, "b": 1000, "c": 5000, "d": 500}
    weights = {name: torch.zeros(size) for name, size in sizes.items()}
    assert [list(shard) for shard in divided(weights, 10_000)] == [["a", "b"], ["c"], ["d"]]
    assert [list(shard) for shard in divided(weights, 100_000)] == [list("abcd")]


def test_small_weights_are_one_file(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    for name in ("log.jsonl", "pretraining.yaml", "config.json"):
        (run / name).write_text("{}")
    save_file({"a": torch.ones(3)}, run / "model.safetensors")
    hand_over(run, tmp_path / "out", 16.0)
    assert not (tmp_path / "out" / "averaged").exists()
    assert [path.name for path in sorted((tmp_path / "out" / "raw").iterdir())] == [
        *("config.json", "model.safetensors")
    ]
    assert load_file(tmp_path / "out" / "raw" / "model.safetensors")["a"].tolist() == [1, 1, 1]


def test_checks_run_in_the_time_that_is_left(tmp_path, monkeypatch):
    asked = []

    def run(command, timeout, **options):
        asked.append(command)
        if "pytest" in command:
            raise subprocess.TimeoutExpired(command, timeout, output=b"3 passed so far")
        return subprocess.CompletedProcess(command, 0, stdout="| a table |")

    monkeypatch.setattr(checks.subprocess, "run", run)
    monkeypatch.setattr(checks.time, "monotonic", lambda: 100.0)
    words = ["--output", str(tmp_path), "--minutes", "1", "--checks-minutes", "1"]
    program.main([*words, "--work", str(tmp_path / "work")])
    report = (tmp_path / "report.md").read_text()
    assert "Tests that need a GPU: stopped after 60 s\n\n3 passed so far" in report
    assert "status 0\n\n| a table |" in report
    tests, speed = asked
    assert "tests/pretraining/test_trainer.py" in tests and "-m" in tests
    assert "benchmarks.speed" in speed and "gpu" in speed
    asked.clear()
    checks.report_tests(100.5, Report(tmp_path / "late"))
    assert not asked
    assert "not run" in (tmp_path / "late" / "report.md").read_text()


def test_checks_are_a_part_of_the_time(tmp_path, capsys):
    with pytest.raises(SystemExit):
        program.parse_arguments(["--output", str(tmp_path), "--minutes", "1"])
    assert "--checks-minutes is a part of --minutes" in capsys.readouterr().err
