"""The average of the weights, and inherited weights that are held back."""

import json

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from timer_forecaster.pretraining import PretrainingConfig, pretrain, trainer
from timer_forecaster.pretraining.averaging import InheritedWeights, WeightAverage


def test_the_average_follows_its_formula():
    layer = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        layer.weight.fill_(0.0)
    average, expected = WeightAverage(layer, 0.5), 0.0
    for step, value in enumerate([1.0, -2.0, 4.0, 0.5, 3.0, 3.0, 7.0, 1.0, 2.0, 5.0], start=1):
        with torch.no_grad():
            layer.weight.fill_(value)
        average.update()
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * value
    with average.in_place():
        assert layer.weight.item() == pytest.approx(expected)
    assert layer.weight.item() == 5.0


def test_the_weights_come_back_after_an_error():
    layer = nn.Linear(1, 1)
    average = WeightAverage(layer, 0.9)
    with torch.no_grad():
        layer.weight.fill_(9.0)
    with pytest.raises(KeyError), average.in_place():
        raise KeyError
    assert layer.weight.item() == 9.0


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_inherited_entries_go_a_part_of_the_way(optimizer):
    from timer_forecaster.models.timer_s1 import TimerS1Architecture, TimerS1Network
    from timer_forecaster.pretraining import build_optimizers

    sizes = TimerS1Architecture(
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_mtp_tokens=1,
        num_attention_heads=2,
        num_experts=2,
    )
    moved = []
    for factor in (1.0, 0.25):
        torch.manual_seed(0)
        network = TimerS1Network(sizes)
        weight = network.model.layers[0].self_attn.q_proj.weight
        mask = torch.zeros_like(weight, dtype=torch.bool)
        mask[:8] = True
        inherited = InheritedWeights(network, {"model.layers.0.self_attn.q_proj.weight": mask})
        before = weight.detach().clone()
        optimizers = build_optimizers(network, optimizer, 0.01)
        network.forecast_pass(torch.ones(2, 4, 32), 2).square().sum().backward()
        with inherited.held_back(factor):
            for one in optimizers:
                one.param_groups[0]["lr"] = 1e-2
                one.step()
        moved.append((weight - before).detach())
    free, held = moved
    assert free[:8].abs().min() > 0
    torch.testing.assert_close(held[:8], 0.25 * free[:8], atol=1e-7, rtol=1e-3)
    torch.testing.assert_close(held[8:], free[8:])


class Killed(BaseException):
    """Stands for a signal."""


def averaging(settings):
    stage = settings["stages"][0] | {"inherited_learning_rate": 0.1}
    return PretrainingConfig.from_mapping(
        settings
        | {
            "ema_decay": 0.9,
            "stages": [stage, settings["stages"][1]],
            "validation_rows": 8,
        }
    )


@pytest.fixture
def inheriting(settings, straight):
    """Settings of a run that goes on from another one's weights."""
    return averaging(settings | {"initial_checkpoint": str(straight.folder), "seed": 1})


def test_a_run_validates_and_exports_the_average(inheriting, tmp_path):
    folder, metrics = pretrain(inheriting, tmp_path, device="cpu")
    assert metrics["averaged_ntp"] != metrics["validation_ntp"]
    raw = load_file(folder / "stages" / "second" / "model.safetensors")
    average = load_file(folder / "stages" / "second" / "averaged" / "model.safetensors")
    assert not torch.equal(raw["model.norm.weight"], average["model.norm.weight"])
    assert raw.keys() == average.keys()
    released = load_file(folder / "averaged" / "model.safetensors")
    assert all(torch.equal(released[name], value.bfloat16()) for name, value in average.items())
    assert json.loads((folder / "averaged" / "config.json").read_text())["hidden_size"] == 16


def test_a_killed_run_goes_on_with_the_same_average(inheriting, tmp_path, monkeypatch):
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    pretrain(inheriting, whole, device="cpu")

    def kill(record):
        if record["step"] >= 10:
            raise Killed

    with pytest.raises(Killed):
        pretrain(inheriting, stopped, device="cpu", on_record=kill)
    pretrain(inheriting, stopped, device="cpu")
    for name in ("", "averaged"):
        files = [f / "stages" / "second" / name / "model.safetensors" for f in (whole, stopped)]
        one, other = map(load_file, files)
        assert all(torch.equal(one[key], other[key]) for key in one)


def test_held_back_weights_move_less(settings, straight, tmp_path):
    start = load_file(straight.folder / "model.safetensors")
    distances = []
    for factor in (1.0, 0.01):
        stage = settings["stages"][0] | {"inherited_learning_rate": factor, "steps": 4}
        values = {"initial_checkpoint": str(straight.folder), "seed": 1, "stages": [stage]}
        folder, _ = pretrain(
            PretrainingConfig.from_mapping(settings | values), tmp_path / str(factor), device="cpu"
        )
        end = load_file(folder / "stages" / "first" / "model.safetensors")
        distances.append(sum((end[n] - v.float()).square().sum() for n, v in start.items()) ** 0.5)
    assert distances[1] < 0.8 * distances[0]


def test_a_held_back_stage_keeps_its_length(inheriting):
    saved = trainer._plain(inheriting)
    longer = trainer._plain(inheriting)
    longer["stages"][0]["steps"] += 1
    with pytest.raises(ValueError, match=r"stages\[0\]"):
        trainer._check_same_run(PretrainingConfig.from_mapping(longer), saved, 4, "run")


def test_settings_of_an_older_version_have_the_defaults(settings):
    config = PretrainingConfig.from_mapping(settings)
    saved = trainer._plain(config)
    del saved["ema_decay"], saved["stages"][0]["inherited_learning_rate"]
    trainer._check_same_run(config, saved, 4, "run")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ema_decay": 1.0}, "ema_decay=1.0 must lie between 0 and 1"),
        ({"validation_rows": 0}, "validation_rows=0 must be at least 1"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, changes, message):
    with pytest.raises(ValueError, match=message):
        PretrainingConfig.from_mapping(settings | changes)


def test_there_must_be_something_to_inherit(settings):
    settings["stages"][0]["inherited_learning_rate"] = 0.1
    with pytest.raises(ValueError, match="needs an initial_checkpoint to inherit from"):
        PretrainingConfig.from_mapping(settings)
