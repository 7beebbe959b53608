"""Runs of a TinyTimeMixer learn, stop and go on, as those of Timer-S1 do."""

import json

import pytest
import torch
from safetensors.torch import load_file
from torch import Generator

from timer_forecaster.models.ttm.architecture import TTMArchitecture
from timer_forecaster.models.ttm.network import TTMNetwork
from timer_forecaster.pretraining import TTMPretrainingConfig, pretrain, trainer
from timer_forecaster.pretraining.data import BatchSource
from timer_forecaster.pretraining.ttm import TTMFamily

TINY = 1e-60  # a learning rate that is zero in the type of the weights
RESULTS = ("step", "stage", "loss", "point", "learning_rate", "validation_loss", "averaged_loss")


def curve(folder):
    """Return the results in the log, without times."""
    records = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [[record.get(name) for name in RESULTS] for record in records]


def weights(folder, inside=""):
    return load_file(folder / "stages" / "second" / inside / "model.safetensors")


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[n], other[n]) for n in one)


def test_a_run_learns(straight_ttm):
    folder, metrics = straight_ttm
    records = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    validated = [record for record in records if "validation_loss" in record]
    assert [record["step"] for record in validated] == [4, 8, 12, 14, 16, 20, 24]
    assert metrics["validation_loss"] < 0.95 * validated[0]["validation_loss"]
    assert metrics["averaged_point"] < validated[0]["averaged_point"]
    assert all(record["windows_per_second"] > 0 for record in records)


@pytest.mark.parametrize("inside", ["", "averaged"])
def test_checkpoints_are_in_the_released_layout(straight_ttm, inside):
    folder = straight_ttm.folder / inside
    architecture = TTMArchitecture.from_config_file(folder / "config.json")
    values = json.loads((folder / "config.json").read_text())
    assert values["architectures"] == ["TinyTimeMixerForPrediction"]
    assert (values["num_patches"], values["torch_dtype"]) == (4, "bfloat16")
    stored = load_file(folder / "model.safetensors")
    network = TTMNetwork(architecture)
    network.load_state_dict({name: value.float() for name, value in stored.items()})
    exact = weights(straight_ttm.folder, inside)
    assert same(stored, {name: value.bfloat16() for name, value in exact.items()})
    quantiles = network.eval()(torch.randn(2, 64, 1)).quantile_outputs
    assert quantiles.shape == (2, 9, 16, 1) and (quantiles.diff(dim=1) > 0).all()


@pytest.mark.parametrize("step", [1, 13])
def test_a_stopped_run_goes_on_to_the_same_losses(
    ttm_settings, straight_ttm, tmp_path, monkeypatch, step
):
    config = TTMPretrainingConfig.from_mapping(ttm_settings)
    train_step = trainer._Run._train_step

    def stop(run):
        if run.step == step:
            raise KeyboardInterrupt
        return train_step(run)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(trainer._Run, "_train_step", stop)
        pretrain(config, tmp_path, device="cpu")
    pretrain(config, tmp_path, device="cpu")
    assert curve(tmp_path) == curve(straight_ttm.folder)
    for inside in ("", "averaged"):
        assert same(weights(tmp_path, inside), weights(straight_ttm.folder, inside))


def test_the_decay_may_begin_at_any_time(ttm_settings, tmp_path):
    first, second = ttm_settings["stages"]
    ttm_settings["stages"] = [first | {"steps": 500, "warmup_steps": 3}, second]

    def stop(record):
        if record["step"] == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pretrain(
            TTMPretrainingConfig.from_mapping(ttm_settings),
            tmp_path,
            device="cpu",
            on_record=stop,
        )
    ttm_settings["stages"] = [first | {"steps": 10}, second | {"steps": 4}]
    last = pretrain(TTMPretrainingConfig.from_mapping(ttm_settings), tmp_path, device="cpu")
    assert (last.metrics["step"], last.metrics["stage"]) == (14, "second")


def test_a_run_does_not_go_on_with_other_settings_or_another_family(
    ttm_settings, settings, straight_ttm
):
    from timer_forecaster.pretraining import PretrainingConfig

    changed = ttm_settings | {"contexts": {"full_share": 0.1}}
    with pytest.raises(ValueError, match=r"step 24 with other settings of \['contexts'\]"):
        pretrain(TTMPretrainingConfig.from_mapping(changed), straight_ttm.folder, device="cpu")
    with pytest.raises(ValueError, match=r"step 24 with other settings of \['model'\]"):
        pretrain(PretrainingConfig.from_mapping(settings), straight_ttm.folder, device="cpu")


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_a_run_can_start_from_a_checkpoint(ttm_settings, straight_ttm, tmp_path, name):
    start = straight_ttm.folder / "stages" / "first"
    stage = ttm_settings["stages"][0] | {"steps": 1, "learning_rate": TINY, "warmup_steps": 0}
    ttm_settings |= {"stages": [stage], "initial_checkpoint": str(start)}
    ttm_settings["optimizer"] = {"name": name}
    folder, _ = pretrain(TTMPretrainingConfig.from_mapping(ttm_settings), tmp_path, device="cpu")
    kept = load_file(folder / "stages" / "first" / "model.safetensors")
    assert same(kept, load_file(start / "model.safetensors"))
    ttm_settings["architecture"]["d_model"] = 64
    wider = TTMPretrainingConfig.from_mapping(ttm_settings)
    with pytest.raises(ValueError, match="does not fit the architecture: "):
        pretrain(wider, tmp_path / "wider", device="cpu")


def test_batches_depend_on_seed_and_step_alone(ttm_settings):
    config = TTMPretrainingConfig.from_mapping(ttm_settings | {"gradient_accumulation": 2})
    source = BatchSource(config, torch.device("cpu"))
    forward = [source.batch(step) for step in range(6)]
    assert all([part.past.shape == (16, 64) for part in parts] == [True] * 2 for parts in forward)
    again = BatchSource(config, torch.device("cpu")).batch(3)
    assert torch.equal(again[1].past, forward[3][1].past)
    assert not torch.equal(forward[3][0].past, forward[2][0].past)


def test_windows_are_used_twice_and_cut_anew(ttm_settings):
    ttm_settings["contexts"] = {"full_share": 1.0, "points": 0.0, "stretch": 0.0}
    source = BatchSource(TTMPretrainingConfig.from_mapping(ttm_settings), torch.device("cpu"))
    pools, batches = [], []
    for step in range(4):
        batches.append(source.batch(step)[0])
        pools.append(source._pool[1])
    assert all(pool is pools[0] for pool in pools) and pools[0].shape == (64, 96)
    assert not torch.equal(batches[0].past, batches[2].past)


def test_short_synthetic_series_come_in_long_windows(ttm_settings):
    ttm_settings["data"] |= {"short_share": 1.0}
    ttm_settings["contexts"] = {"full_share": 1.0, "points": 0.0, "stretch": 0.0}
    (batch,) = BatchSource(
        TTMPretrainingConfig.from_mapping(ttm_settings), torch.device("cpu")
    ).batch(0)
    assert (batch.observed.sum(-1) < 64).any() and batch.known.any(-1).all()


def test_compiled_mixers_give_the_same_loss(ttm_settings):
    family = TTMFamily(TTMPretrainingConfig.from_mapping(ttm_settings))
    batch = family.batch(torch.randn(8, 80), Generator().manual_seed(0))
    objective = family.objective(family.network(), torch.device("cpu"), compiled=False).eval()
    plain = objective(batch)
    objective.compile_parts()
    torch.testing.assert_close(objective(batch), plain)
