"""Batches do not look ahead, and a run trains, resumes and writes a checkpoint that loads."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from timer_forecaster import ForecastPipeline
from timer_forecaster.corpus.shards import build
from timer_forecaster.models.timer_s1 import TimerS1Architecture, TimerS1Network
from timer_forecaster.pretraining import (
    Muon,
    Pretraining,
    PretrainingConfig,
    build_optimizers,
    make_batch,
)
from timer_forecaster.pretraining.__main__ import MINI, main
from timer_forecaster.pretraining.batches import align_start, mix_windows
from timer_forecaster.pretraining.optimizer import orthogonalise

SMALL = TimerS1Architecture(
    hidden_size=16,
    intermediate_size=32,
    num_hidden_layers=1,
    num_mtp_tokens=2,
    num_attention_heads=2,
    num_experts=4,
    dropout_rate=0.0,
    training_loss="pinball",
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def windows(rows=64, patches=12, seed=0):
    return torch.randn(rows, patches * 16, generator=generator(seed)).cumsum(-1) * 5 + 100


@pytest.fixture
def config():
    return PretrainingConfig(
        architecture=SMALL,
        steps=40,
        tokens_per_step=128,
        window_patches=8,
        long_window_patches=16,
        warmup_steps=5,
        learning_rate=5e-3,
        full_depth_share=0.5,
    )


@pytest.fixture
def packed(tmp_path):
    folder = tmp_path / "parquet"
    folder.mkdir()
    rows = [np.sin(np.arange(400) / (3 + i)).astype("float32") for i in range(5)]
    pd.DataFrame({"item_id": list("abcde"), "start": None, "freq": "H", "target": rows}).to_parquet(
        folder / "waves__H.parquet"
    )
    build(folder, tmp_path / "corpus")
    return tmp_path / "corpus"


def test_statistics_come_from_before_every_supervised_target():
    series = windows()
    batch = make_batch(series, 16, generator(3))
    first = batch.supervised.float().argmax(-1)  # token whose patch ends the statistics' prefix
    for row in range(len(series)):
        if not batch.supervised[row].any():
            continue
        changed = series.clone()
        after = (int(first[row]) + 1) * 16
        changed[row, after:] += 1000.0
        other = make_batch(changed, 16, generator(3))
        token = int(first[row])
        torch.testing.assert_close(batch.inputs[row, : token + 1], other.inputs[row, : token + 1])


def test_hidden_values_do_not_reach_the_inputs_but_stay_targets():
    batch = make_batch(windows(512), 16, generator())
    values, flags = batch.inputs.split(16, dim=-1)
    assert (values[flags == 0] == 0).all()
    hidden = (flags == 0) & batch.known[:, :-1]
    assert 0.005 < hidden.float().mean() < 0.2
    assert batch.known.float().mean() > 0.95  # all but values far off a short prefix's scale


def test_inputs_are_standardised_by_the_prefix():
    series = windows(256)
    batch = make_batch(series, 16, generator())
    values, flags = batch.inputs.split(16, dim=-1)
    tokens = batch.supervised.float().argmax(-1)
    for row in range(0, 256, 16):
        seen = flags[row, : int(tokens[row]) + 1] > 0
        prefix = values[row, : int(tokens[row]) + 1][seen]
        if batch.supervised[row].any():
            assert abs(prefix.mean()) < 1e-3
            assert abs(prefix.std(unbiased=False) - 1) < 1e-3


def test_rows_start_with_an_observed_patch():
    series = torch.arange(64.0).repeat(2, 1)
    series[0, :40] = torch.nan
    moved = align_start(series, 16)
    assert moved[0, :8].isnan().all() and moved[0, 8] == 40 and moved[0, 32:].isnan().all()
    torch.testing.assert_close(moved[1], series[1])


def test_constant_and_empty_rows_are_not_supervised():
    series = torch.full((3, 64), 7.0)
    series[1] = torch.nan
    batch = make_batch(series, 16, generator())
    assert not batch.supervised.any()
    assert torch.isfinite(batch.inputs).all() and torch.isfinite(batch.targets).all()


def test_mixed_windows_are_finite_mixes():
    series = windows(40)
    series[:5, :30] = torch.nan
    mixed = mix_windows(series, 1.0, generator())
    assert (mixed[5:] != series[5:]).any()
    assert torch.equal(mix_windows(series, 0.0, generator()).nan_to_num(), series.nan_to_num())
    assert not mixed.isinf().any()


@pytest.mark.parametrize("shape", [(3, 16, 16), (2, 32, 8), (2, 8, 32)])
def test_orthogonalised_updates_have_singular_values_near_one(shape):
    matrices = torch.randn(*shape, generator=generator())
    values = torch.linalg.svdvals(orthogonalise(matrices).float())
    assert values.min() > 0.4 and values.max() < 1.4


def test_muon_batched_by_shape_equals_one_by_one():
    torch.manual_seed(0)
    together = [torch.nn.Parameter(torch.randn(8, 8)) for _ in range(3)]
    alone = [torch.nn.Parameter(p.detach().clone()) for p in together]
    optimizers = [Muon(together, lr=0.1), *[Muon([p], lr=0.1) for p in alone]]
    for _ in range(3):
        for a, b in zip(together, alone, strict=True):
            a.grad = torch.randn(8, 8)
            b.grad = a.grad.clone()
        for optimizer in optimizers:
            optimizer.step()
    for a, b in zip(together, alone, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-2, atol=1e-3)


def test_every_parameter_has_exactly_one_optimizer():
    network = TimerS1Network(SMALL)
    groups = [g["params"] for o in build_optimizers(network, 1e-3) for g in o.param_groups]
    assigned = [id(p) for group in groups for p in group]
    assert sorted(assigned) == sorted(id(p) for p in network.parameters())
    routers = {id(block.ffn_layer.gate.weight) for block in network.model.layers}
    assert routers <= {id(p) for p in groups[1]}


def test_learning_rate_warms_up_stays_and_decays(config):
    rates = [config.learning_rate_at(step) for step in range(config.steps)]
    assert rates[0] == pytest.approx(config.learning_rate / 5)
    assert rates[10] == rates[25] == config.learning_rate
    assert rates[-1] < 0.15 * config.learning_rate
    assert np.diff(rates[26:]).max() < 0


def test_a_run_learns_and_logs(config, packed, tmp_path):
    run = Pretraining(config, tmp_path / "run", torch.device("cpu"), packed, packed)
    before = run.validate()
    records = []
    run.run(records.append)
    assert run.validate()["validation_ntp"] < 0.9 * before["validation_ntp"]
    assert [record["step"] for record in records] == [40]
    logged = (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    assert json.loads(logged[-1])["validation_ntp"] == records[-1]["validation_ntp"]


def test_a_killed_run_resumes_to_the_same_weights(config, packed, tmp_path):
    whole = Pretraining(config, tmp_path / "whole", torch.device("cpu"), packed)
    whole.run()
    first = Pretraining(config, tmp_path / "parts", torch.device("cpu"), packed)
    while first.step < 17:
        first.train_step()
        first.step += 1
    first.save()
    second = Pretraining(config, tmp_path / "parts", torch.device("cpu"), packed)
    assert second.step == 17
    second.run()
    for a, b in zip(whole.network.parameters(), second.network.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-6)


def test_a_run_is_not_resumed_with_other_settings(config, packed, tmp_path):
    Pretraining(config, tmp_path / "run", torch.device("cpu"), packed).save()
    other = dataclasses.replace(config, learning_rate=1.0, seed=3)
    with pytest.raises(ValueError, match="learning_rate', 'seed"):
        Pretraining(other, tmp_path / "run", torch.device("cpu"), packed)
    longer = dataclasses.replace(config, steps=99)
    assert Pretraining(longer, tmp_path / "run", torch.device("cpu"), packed).step == 0


def test_batches_depend_on_seed_and_step_alone(config, packed, tmp_path):
    run = Pretraining(config, tmp_path, torch.device("cpu"), packed)
    batch = run.draw_batch(3)
    run.draw_batch(35)
    assert torch.equal(run.draw_batch(3).inputs, batch.inputs)
    assert not torch.equal(run.draw_batch(4).inputs, batch.inputs)
    assert run.draw_batch(32).inputs.shape[1] == config.long_window_patches - 1


@pytest.mark.slow
def test_command_writes_a_checkpoint_that_forecasts(packed, tmp_path, monkeypatch):
    out = tmp_path / "out"
    options = "--steps 2 --tokens-per-step 128 --window-patches 8 --long-window-patches 16"
    main([str(out), *options.split(), "--real", str(packed), "--device", "cpu"])
    pipe = ForecastPipeline.from_pretrained(out)
    assert pipe.network.config.num_mtp_tokens == MINI.num_mtp_tokens
    assert np.isfinite(pipe.predict(np.arange(50.0), 20).quantiles).all()
    assert json.loads((Path(out) / "training.json").read_text())["steps"] == 2


@pytest.mark.slow
def test_two_processes_average_their_gradients(packed, tmp_path):
    out = tmp_path / "out"
    options = "--steps 2 --tokens-per-step 128 --window-patches 8 --long-window-patches 16"
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    training = ["-m", "timer_forecaster.pretraining", str(out), *options.split()]
    subprocess.run(
        [*launcher, *training, "--real", str(packed), "--device", "cpu", "--threads", "1"],
        check=True,
        capture_output=True,
    )
    alone = tmp_path / "alone"
    main([str(alone), *options.split(), "--real", str(packed), "--device", "cpu"])
    together, single = (load_file(folder / "model.safetensors") for folder in (out, alone))
    assert any(not torch.equal(together[name], single[name]) for name in single)
    assert len((out / "log.jsonl").read_text().splitlines()) == 1  # one process logs
