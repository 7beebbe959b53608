"""Runs learn, log, stop and go on: a run that was killed ends as one that was not."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from shutil import copytree

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from accelerate import Accelerator
from safetensors.torch import load_file

from timer_forecaster import cli
from timer_forecaster.corpus.shards import build
from timer_forecaster.models.timer_s1 import TimerS1Network
from timer_forecaster.models.timer_s1.batches import make_batch
from timer_forecaster.pretraining import PretrainingConfig, load_pipeline, pretrain, trainer
from timer_forecaster.pretraining.data import BatchSource
from timer_forecaster.pretraining.variants import build_network, export_network

TINY = 1e-60  # a learning rate that is zero in the type of the weights
RESULTS = ("step", "stage", "loss", "ntp", "stp", "aux", "learning_rate", "validation_stp")
COMMAND = "import sys; from timer_forecaster.cli import main; sys.exit(main())"


def curve(folder):
    """What the log says of the results, not of the time they took."""
    records = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [[record.get(name) for name in RESULTS] for record in records]


def weights(folder):
    return load_file(folder / "stages" / "second" / "model.safetensors")


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


class Killed(BaseException):
    """Stands for a signal in tests that stay in their process."""


def test_a_run_logs_learns_and_keeps_what_it_trained(straight):
    folder, metrics = straight
    records = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert records[-1] == metrics
    assert [record["step"] for record in records] == list(range(2, 25, 2))
    assert [record["stage"] for record in records] == ["first"] * 7 + ["second"] * 5
    validated = {record["step"]: record for record in records if "validation_ntp" in record}
    assert sorted(validated) == [4, 8, 12, 14, 16, 20, 24]
    assert metrics["validation_ntp"] < 0.9 * validated[4]["validation_ntp"]
    for record in records:
        assert 0 < record["data_share"] < 1 and record["tokens_per_second"] > 0
    assert sorted(path.name for path in (folder / "stages").iterdir()) == ["first", "second"]
    assert sorted(p.name for p in (folder / "checkpoints").iterdir()) == [
        "step-000000020",
        "step-000000024",
    ]
    released = load_file(folder / "model.safetensors")
    assert all(torch.equal(released[k], v.bfloat16()) for k, v in weights(folder).items())
    forecast = load_pipeline(folder, "cpu").predict(np.arange(50.0), 60)
    assert np.isfinite(forecast.quantiles).all()


def test_the_settings_of_a_run_can_be_run_again(straight, config):
    text = (straight.folder / "pretraining.yaml").read_text()
    assert PretrainingConfig.from_mapping(yaml.safe_load(text)) == config


def test_a_finished_run_stays_as_it_is(straight, config):
    before = weights(straight.folder)
    again = pretrain(config, straight.folder, device="cpu")
    assert again.metrics == straight.metrics
    assert same(weights(straight.folder), before)


def test_a_finished_run_without_its_log_says_its_steps(straight, config, tmp_path):
    folder = copytree(straight.folder, tmp_path / "run")
    (folder / "log.jsonl").unlink()
    assert pretrain(config, folder, device="cpu").metrics == {"step": config.steps}


@pytest.mark.parametrize("step", [1, 13])
def test_a_run_stopped_at_any_step_goes_on_to_the_same_losses(
    config, straight, tmp_path, monkeypatch, step
):
    train_step = trainer._Run._train_step

    def stop(run):
        if run.step == step:
            raise Killed
        return train_step(run)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(trainer._Run, "_train_step", stop)
        pretrain(config, tmp_path, device="cpu")
    with (tmp_path / "log.jsonl").open("a") as log:
        log.write('{"step": 8, "lo')  # as a kill in the middle of a line leaves it
    pretrain(config, tmp_path, device="cpu")
    assert curve(tmp_path) == curve(straight.folder)
    assert same(weights(tmp_path), weights(straight.folder))


def test_a_run_stopped_while_it_writes_a_checkpoint_takes_the_one_before(
    config, straight, tmp_path, monkeypatch
):
    save_state = Accelerator.save_state

    def stop(accelerator, folder):
        save_state(accelerator, folder)
        if "000000012" in folder:
            (tmp_path / "checkpoints" / "step-000000012.partial" / "optimizer.bin").unlink()
            raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Accelerator, "save_state", stop)
        pretrain(config, tmp_path, device="cpu")
    pretrain(config, tmp_path, device="cpu")
    assert curve(tmp_path) == curve(straight.folder)
    assert same(weights(tmp_path), weights(straight.folder))


def test_a_truncated_checkpoint_is_named_and_the_one_before_is_taken(
    settings, straight, tmp_path, caplog
):
    config = PretrainingConfig.from_mapping(settings)
    pretrain(config, tmp_path, device="cpu")
    file = tmp_path / "checkpoints" / "step-000000024" / "optimizer.bin"
    file.write_bytes(file.read_bytes()[:-1000])
    pretrain(config, tmp_path, device="cpu")
    assert "step-000000024 is broken (optimizer.bin is not what was written)" in caplog.text
    assert curve(tmp_path) == curve(straight.folder)
    assert same(weights(tmp_path), weights(straight.folder))


@pytest.mark.slow
def test_killed_processes_leave_a_run_that_ends_the_same(settings, straight, tmp_path):
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(settings))
    command = [sys.executable, "-c", COMMAND, "pretrain", "run.yaml", "--output", "run"]
    choice = np.random.default_rng()
    for _ in range(2):
        process = subprocess.Popen(
            [*command, "--device", "cpu"],
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        log = tmp_path / "run" / "log.jsonl"
        seen, wanted = curve(log.parent) if log.exists() else [], choice.integers(5)
        while process.poll() is None:
            if log.exists() and len(log.read_text().splitlines()) > len(seen) + wanted:
                time.sleep(choice.random() * 0.2)
                process.send_signal(signal.SIGKILL)
                process.wait()
            time.sleep(0.02)  # or the wait takes as much of the CPU as the run
    pretrain(PretrainingConfig.from_mapping(settings), tmp_path / "run", device="cpu")
    assert curve(tmp_path / "run") == curve(straight.folder)
    assert same(weights(tmp_path / "run"), weights(straight.folder))


def test_a_run_does_not_go_on_with_other_settings(settings, straight):
    changed = settings | {"seed": 3, "optimizer": {"weight_decay": 0.5}}
    with pytest.raises(ValueError, match=r"step 24 with other settings of \['optimizer', 'seed'\]"):
        pretrain(PretrainingConfig.from_mapping(changed), straight.folder, device="cpu")
    settings["stages"][0]["learning_rate"] = 1.0
    with pytest.raises(ValueError, match=r"\['stages\[0\]'\]"):
        pretrain(PretrainingConfig.from_mapping(settings), straight.folder, device="cpu")
    with pytest.raises(
        ValueError, match=r"'checkpoints/step-000000024'.* of a run; choose another"
    ):
        pretrain(
            PretrainingConfig.from_mapping(settings), straight.folder, device="cpu", resume=False
        )


def test_stages_that_have_not_begun_may_change(settings, tmp_path):
    first, second = settings["stages"]
    alone = PretrainingConfig.from_mapping(settings | {"stages": [first]})
    pretrain(alone, tmp_path, device="cpu")
    longer = [first | {"steps": 16}, second | {"steps": 2}]
    both = PretrainingConfig.from_mapping(settings | {"stages": longer})
    assert pretrain(both, tmp_path, device="cpu").metrics["step"] == 18


def test_a_stage_cannot_become_shorter_than_what_was_done_of_it(settings, tmp_path):
    first, second = settings["stages"]
    begun = PretrainingConfig.from_mapping(settings | {"stages": [first | {"steps": 4}]})
    pretrain(begun, tmp_path, device="cpu")
    shorter = PretrainingConfig.from_mapping(settings | {"stages": [first | {"steps": 3}, second]})
    with pytest.raises(ValueError, match=r"at step 4 with other settings of \['stages\[0\]'\]"):
        pretrain(shorter, tmp_path, device="cpu")


@pytest.mark.parametrize("name", ["log.jsonl", "model.safetensors", "checkpoints/step-1.partial"])
def test_a_folder_with_any_part_of_a_run_can_be_refused(config, tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    with pytest.raises(ValueError, match=f"holds .*{name}.* of a run; choose another folder"):
        pretrain(config, tmp_path, device="cpu", resume=False)
    assert (tmp_path / name).read_bytes() == b""


def test_a_stage_can_start_from_the_weights_of_another(settings, straight, tmp_path):
    kept = straight.folder / "stages" / "first"
    stage = settings["stages"][1] | {"steps": 2, "learning_rate": TINY, "final_learning_rate": 0.0}
    settings |= {"stages": [stage], "initial_checkpoint": str(kept)}
    folder, _ = pretrain(PretrainingConfig.from_mapping(settings), tmp_path, device="cpu")
    assert same(weights(folder), load_file(kept / "model.safetensors"))
    settings["stages"] = [stage, stage | {"name": "third"}]
    (kept.parent / "first").rename(kept.parent / "gone")
    try:
        config = PretrainingConfig.from_mapping(settings)
        assert pretrain(config, folder, device="cpu").metrics["step"] == 4
    finally:
        (kept.parent / "gone").rename(kept)
    other = PretrainingConfig.from_mapping(settings | {"objective": "ntp"})
    with pytest.raises(ValueError, match="does not fit the architecture and objective 'ntp'"):
        pretrain(other, tmp_path / "other", device="cpu")


@pytest.mark.parametrize("objective", ["stp", "mtp"])
def test_a_run_can_start_from_a_wide_checkpoint(settings, tmp_path, objective):
    settings["architecture"] |= {"hidden_size": 256, "num_mtp_tokens": 1, "num_experts": 2}
    stage = settings["stages"][1] | {"steps": 1, "learning_rate": TINY, "final_learning_rate": 0.0}
    settings |= {"stages": [stage], "objective": objective}
    network = build_network(PretrainingConfig.from_mapping(settings).architecture, objective)
    export_network(network, network.state_dict(), tmp_path / "wide", torch.float32)
    settings |= {"initial_checkpoint": str(tmp_path / "wide")}
    config = PretrainingConfig.from_mapping(settings)
    folder, _ = pretrain(config, tmp_path / "run", device="cpu")
    assert same(weights(folder), network.state_dict())


@pytest.mark.parametrize("objective", ["ntp", "mtp"])
def test_other_objectives_learn(settings, tmp_path, objective):
    settings |= {"objective": objective, "bfloat16": True, "gradient_accumulation": 2}
    settings["stages"] = settings["stages"][:1]
    records = []
    folder, metrics = pretrain(
        PretrainingConfig.from_mapping(settings), tmp_path, device="cpu", on_record=records.append
    )
    assert metrics["validation_ntp"] < 0.95 * records[1]["validation_ntp"]
    assert (metrics["stp"] > 0) == (objective == "mtp")
    assert np.isfinite(load_pipeline(folder, "cpu").predict(np.arange(50.0), 40).quantiles).all()


def test_accumulated_gradients_are_those_of_the_whole_batch(settings, tmp_path, monkeypatch):
    # With all tokens supervised in every row, the mean of the parts' losses is that of the whole.
    def dense(windows, *arguments):
        batch = make_batch(windows, *arguments)
        return batch._replace(
            known=torch.ones_like(batch.known), supervised=torch.ones_like(batch.supervised)
        )

    monkeypatch.setattr("timer_forecaster.pretraining.timer_s1.make_batch", dense)
    settings["architecture"] |= {"dropout_rate": 0.0, "router_aux_loss_coef": 0.0}
    settings |= {"stages": [settings["stages"][0]], "optimizer": {"name": "adamw"}}
    metrics = [
        pretrain(
            PretrainingConfig.from_mapping(settings | {"gradient_accumulation": parts}),
            tmp_path / str(parts),
            device="cpu",
        ).metrics
        for parts in (1, 4)
    ]
    assert metrics[1]["loss"] == pytest.approx(metrics[0]["loss"], rel=1e-4)
    assert metrics[1]["validation_stp"] == pytest.approx(metrics[0]["validation_stp"], rel=1e-4)


def test_a_loss_that_is_not_finite_stops_the_run(config, tmp_path, monkeypatch):
    predict_patch = TimerS1Network.predict_patch
    monkeypatch.setattr(
        TimerS1Network, "predict_patch", lambda network, h: predict_patch(network, h) * torch.nan
    )
    with pytest.raises(FloatingPointError, match="the loss is nan in the steps up to 2"):
        pretrain(config, tmp_path, device="cpu")


def test_the_step_of_the_first_loss_that_is_not_finite_is_named(settings, tmp_path, monkeypatch):
    train_step, calls = trainer._Run._train_step, []

    def ruined(run):
        calls.append(1)
        return train_step(run) * (torch.nan if len(calls) >= 7 else 1.0)

    monkeypatch.setattr(trainer._Run, "_train_step", ruined)
    config = PretrainingConfig.from_mapping(settings | {"log_every": 4})
    with pytest.raises(FloatingPointError, match="steps up to 8, first in step 7;"):
        pretrain(config, tmp_path, device="cpu")
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-000000004"]
    saved = load_file(tmp_path / "model.safetensors")
    assert all(torch.isfinite(value).all() for value in saved.values())


def test_weights_that_a_step_has_ruined_are_not_saved(config, tmp_path, monkeypatch):
    train_step = trainer._Run._train_step

    def ruined(run):
        terms = train_step(run)
        if run.step == 7:  # the loss of this step, the eighth, is finite
            with torch.no_grad():
                run.network.model.norm.weight.fill_(torch.inf)
        return terms

    monkeypatch.setattr(trainer._Run, "_train_step", ruined)
    with pytest.raises(FloatingPointError, match="weights are not finite after step 8"):
        pretrain(config, tmp_path, device="cpu")
    monkeypatch.undo()
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-000000004"]
    saved = load_file(tmp_path / "model.safetensors")
    assert all(torch.isfinite(value).all() for value in saved.values())
    assert pretrain(config, tmp_path, device="cpu").metrics["step"] == config.steps


def test_a_run_stopped_by_time_keeps_a_checkpoint_and_goes_on_to_the_same_losses(
    config, straight, tmp_path
):
    stopped = pretrain(config, tmp_path, device="cpu", seconds=1e-9)
    assert stopped.metrics["step"] == 1 and "validation_ntp" in stopped.metrics
    pretrain(config, tmp_path, device="cpu")
    assert same(weights(tmp_path), weights(straight.folder))


def test_checkpoints_are_written_by_time_too(settings, tmp_path):
    settings["stages"] = [settings["stages"][0] | {"steps": 3}]
    config, seen = PretrainingConfig.from_mapping(settings), []
    pretrain(config, tmp_path, device="cpu", checkpoint_seconds=1e-9, on_checkpoint=seen.append)
    assert seen == [tmp_path] * 3


@pytest.mark.parametrize("name", ["seconds", "checkpoint_seconds"])
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_times_that_cannot_be_meant_are_named(config, tmp_path, name, value):
    with pytest.raises(ValueError, match=f"{name}={value} must be positive and finite"):
        pretrain(config, tmp_path, device="cpu", **{name: value})
    assert not list(tmp_path.iterdir())


@pytest.mark.gpu
@pytest.mark.parametrize("compiled", [False, True])
def test_a_run_learns_and_goes_on_on_a_gpu(settings, tmp_path, compiled):
    settings |= {"bfloat16": True, "ema_decay": 0.9}
    config = PretrainingConfig.from_mapping(settings)
    records = []
    options = {"device": "cuda", "compile_blocks": compiled, "on_record": records.append}
    pretrain(config, tmp_path, seconds=1e-9, **options)
    folder, metrics = pretrain(config, tmp_path, **options)
    assert metrics["step"] == config.steps
    assert metrics["validation_ntp"] < 0.9 * records[0]["validation_ntp"]
    assert np.isfinite(load_pipeline(folder, "cuda").predict(np.arange(50.0), 60).quantiles).all()


def test_the_random_state_of_the_caller_is_left_alone(settings, tmp_path):
    settings["stages"] = [settings["stages"][0] | {"steps": 1, "warmup_steps": 0}]
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    pretrain(PretrainingConfig.from_mapping(settings), tmp_path, device="cpu")
    assert torch.equal(torch.rand(1), expected)


def test_arguments_that_cannot_be_used_are_named(config, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="device='gpu' is not one of"):
        pretrain(config, tmp_path, device="gpu")
    monkeypatch.setattr(Accelerator, "distributed_type", "FSDP")
    with pytest.raises(ValueError, match="optimizer: name 'muon' needs whole matrices"):
        pretrain(config, tmp_path, device="cpu")


def test_the_command_trains(settings, tmp_path, capsys):
    settings["stages"] = [settings["stages"][0] | {"steps": 2, "warmup_steps": 0}]
    file = tmp_path / "quick.yaml"
    file.write_text(yaml.safe_dump(settings))
    words = ["pretrain", str(file), "--output", str(tmp_path / "out"), "--device", "cpu"]
    assert cli.main(words) == 0
    record, summary = capsys.readouterr().out.splitlines()
    assert json.loads(record)["step"] == 2
    assert summary == f"Trained 2 steps -> {tmp_path / 'out'}"
    assert cli.main([*words, "--minutes", "1e-9"]) == 0  # nothing is left to do
    assert cli.main([*words, "--no-resume"]) == 2
    assert "of a run; choose another folder, or resume it" in capsys.readouterr().err


def test_the_command_says_how_to_continue(settings, tmp_path, capsys):
    file = tmp_path / "quick.yaml"
    file.write_text(yaml.safe_dump(settings))
    words = ["pretrain", str(file), "--output", str(tmp_path / "out"), "--device", "cpu"]
    assert cli.main([*words, "--minutes", "1e-9", "--checkpoint-minutes", "1"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        f"Trained 1 steps of 24; the same command continues -> {tmp_path / 'out'}"
    )


@pytest.mark.slow
def test_two_processes_average_the_gradients_of_their_batches(settings, tmp_path, monkeypatch):
    settings["stages"] = [settings["stages"][0] | {"steps": 6}]
    settings["architecture"] |= {"dropout_rate": 0.0}
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(settings))
    (tmp_path / "train.py").write_text(COMMAND)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command = ["train.py", "pretrain", "run.yaml", "--output", "both", "--device", "cpu"]
    subprocess.run(
        [*launcher, *command],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
    )
    config = PretrainingConfig.from_mapping(settings)
    sources = [BatchSource(config, torch.device("cpu"), rank, 2) for rank in range(2)]
    parts = [[s.batch(step)[0] for s in sources] for step in range(config.steps)]
    monkeypatch.setattr(BatchSource, "batch", lambda source, step: parts[step])
    accumulating = dataclasses.replace(config, gradient_accumulation=2)
    alone = pretrain(accumulating, tmp_path / "alone", device="cpu").folder
    both, expected = curve(tmp_path / "both"), curve(alone)
    assert [record[0] for record in both] == [2, 4, 6]  # one process logs
    for record, other in zip(both, expected, strict=True):
        np.testing.assert_allclose(record[2:6], other[2:6], rtol=1e-4)
    longer = dataclasses.replace(config, stages=(dataclasses.replace(config.stages[0], steps=8),))
    monkeypatch.setattr(BatchSource, "batch", lambda source, step: parts[0][:1])
    assert pretrain(longer, tmp_path / "both", device="cpu").metrics["step"] == 8


@pytest.fixture
def corpus(tmp_path):
    """A corpus of several shards."""
    source = tmp_path / "source"
    source.mkdir()
    waves = [np.sin(np.arange(400) / (3 + i)).astype("float32") for i in range(40)]
    names = [f"wave-{i}" for i in range(40)]
    frame = pd.DataFrame({"item_id": names, "start": None, "freq": "H", "target": waves})
    frame.to_parquet(source / "waves__H.parquet")
    build(source, tmp_path / "corpus", (), (), shard_megabytes=0.02)
    return tmp_path / "corpus"


def test_a_broken_shard_is_named_and_counted_and_the_run_goes_on(settings, tmp_path, corpus):
    first, *others = sorted(corpus.glob("*.parquet"))
    assert others
    first.write_bytes(first.read_bytes()[:-10])
    settings["data"] |= {"corpus": str(corpus), "real_share": 0.5}
    settings |= {"validation_corpus": str(corpus)}
    settings["stages"] = [settings["stages"][0] | {"steps": 4}]
    config = PretrainingConfig.from_mapping(settings)
    with pytest.warns(match=first.name):
        metrics = pretrain(config, tmp_path / "run", device="cpu").metrics
    assert metrics["skipped_shards"] == 1 and np.isfinite(metrics["validation_stp"])


def test_a_run_does_not_go_on_with_another_corpus_in_the_same_place(settings, tmp_path, corpus):
    first, second = (stage | {"steps": 2, "warmup_steps": 0} for stage in settings["stages"])
    second["data"] = {"corpus": str(corpus), "real_share": 0.5}
    begun = settings | {"stages": [first]}
    pretrain(PretrainingConfig.from_mapping(begun), tmp_path / "run", device="cpu")
    both = PretrainingConfig.from_mapping(settings | {"stages": [first, second]})
    manifest = corpus / "manifest.json"
    manifest.write_text(manifest.read_text() + "\n")  # before anything is drawn from it
    assert pretrain(both, tmp_path / "run", device="cpu").metrics["step"] == 4
    manifest.write_text(manifest.read_text() + "\n")
    with pytest.raises(ValueError, match=r"the manifests of .*corpus.* are not those that the run"):
        pretrain(both, tmp_path / "run", device="cpu")
