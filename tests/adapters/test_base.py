"""An adapter fits the checkpoint that was tuned, copies of it, and no other."""

import json
from shutil import copytree

import numpy as np
import pytest
import torch
from adapter_cases import (
    FOLDER,
    MODEL,
    OTHER,
    WIDE,
    forecast,
    load,
    make_adapter,
    rewritten,
    tuned,
)
from safetensors.torch import load_file, save_file

from timer_forecaster.adapters import base
from timer_forecaster.adapters.adapter import Adapter
from timer_forecaster.checkpoints.key import NetworkKey
from timer_forecaster.inference import convert_checkpoint


def test_another_checkpoint_is_refused(pipe, adapter):
    mini = load("timer-s1-mini")
    with pytest.raises(ValueError, match="tuned on 'timer-s1-test', and this is 'timer-s1-mini'"):
        load("timer-s1-mini", adapter=adapter)
    with pytest.raises(ValueError, match="whose weights are others"):
        forecast(tuned(mini, adapter))
    with pytest.raises(ValueError, match="tuned on 'timer-s1-test', and this is 'untrained'"):
        load(None, config=WIDE, adapter=adapter)
    with pytest.raises(ValueError, match="whose weights are others"):  # even if it changes nothing
        load("timer-s1-mini", adapter=Adapter(adapter.base, "head", {}))


def test_random_networks_are_told_apart():
    adapter = make_adapter(load(None, config=WIDE))
    assert load(None, config=WIDE, dtype="float64", adapter=adapter).adapter == adapter
    with pytest.raises(ValueError, match="whose weights are others"):
        load(None, config=WIDE | {"num_experts": 2}, adapter=adapter)


@pytest.mark.parametrize(
    "part", ["ffn_layer.gate.weight", "q_proj.weight", "norm1.weight", "embed_layer", "bias"]
)
def test_another_training_of_the_same_network_is_refused(adapter, part, tmp_path):
    """Such as another revision, wherever its weights differ."""

    def change(name, value):
        return value * 1.1 + 0.01 if part in name else value

    with pytest.raises(ValueError, match="whose weights are others"):
        load(rewritten(tmp_path / "net", change), adapter=adapter)


def test_other_values_far_inside_a_large_tensor_are_refused(adapter, tmp_path):
    def change(name, value):
        if not name.endswith("o_proj.weight"):
            return value
        return torch.cat([value[: len(value) // 2], -value[len(value) // 2 :]])

    with pytest.raises(ValueError, match="whose weights are others"):
        load(rewritten(tmp_path / "net", change), adapter=adapter)


@pytest.mark.parametrize(
    ("field", "value", "same"),
    [
        ("num_experts_per_token", None, False),
        ("rope_theta", 500.0, False),
        ("preferred_rollout", "median", True),
        ("dropout_rate", 0.5, True),
    ],
)
def test_another_way_to_compute_with_the_weights_is_refused(adapter, field, value, same, tmp_path):
    folder = copytree(FOLDER, tmp_path / "net")
    config = json.loads((folder / "config.json").read_text())
    if value is None:
        value = 1 if config["num_experts_per_token"] > 1 else 2
    config[field] = value
    (folder / "config.json").write_text(json.dumps(config))
    key = NetworkKey.resolve(folder, None, "cpu", "float32")
    if same:
        adapter.check_base(key)
    else:
        with pytest.raises(ValueError, match="whose weights are others"):
            adapter.check_base(key)


def test_the_base_is_read_once_and_again_when_it_changes(adapter, tmp_path, monkeypatch):
    folder = copytree(FOLDER, tmp_path / "net")
    key = NetworkKey.resolve(folder, None, "cpu", "float32")
    read, reads = base.read_tensors, []
    monkeypatch.setattr(base, "read_tensors", lambda *given: reads.append(1) or read(*given))
    for _ in range(3):
        adapter.check_base(key)
    assert len(reads) == 1
    other = rewritten(tmp_path / "other", lambda name, value: value + 1)
    (other / "model.safetensors").replace(folder / "model.safetensors")
    with pytest.raises(ValueError, match="whose weights are others"):
        adapter.check_base(key)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_copies_of_the_checkpoint_are_accepted(adapter, dtype, tmp_path):
    """Under another name, and in another type."""
    folder = rewritten(tmp_path / "net", lambda name, value: value.bfloat16(), dtype)
    as_rounded = rewritten(tmp_path / "rounded", lambda name, value: value.bfloat16())
    own = make_adapter(load(as_rounded))
    expected = forecast(load(as_rounded, adapter=own))
    np.testing.assert_array_equal(forecast(load(folder, adapter=own)), expected)
    assert load(copytree(FOLDER, tmp_path / "copy"), adapter=adapter).adapter is adapter


def test_copies_in_shards_and_in_eight_bits_are_accepted(adapter, tmp_path, int8_kernel):
    stored = list(load_file(FOLDER / "model.safetensors").items())
    folder = tmp_path / "shards"
    folder.mkdir()
    (folder / "config.json").write_text((FOLDER / "config.json").read_text())
    files = {}
    for i in range(3):
        save_file(dict(stored[i::3]), folder / f"part-{i}.safetensors")
        files |= {name: f"part-{i}.safetensors" for name, _ in stored[i::3]}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": files}))
    np.testing.assert_array_equal(
        forecast(load(folder, adapter=adapter)), forecast(load(adapter=adapter))
    )
    assert load(convert_checkpoint(MODEL, tmp_path / "eight"), adapter=adapter)
    assert load(quantization="int8", adapter=adapter)


def test_an_adapter_of_a_mixer_fits_its_checkpoint_and_copies_alone(adapter, tmp_path):
    own = make_adapter(load(OTHER), "decoder+head")
    for name in (MODEL, None):
        sizes = {} if name else {"config": {"model_type": "tinytimemixer"}}
        with pytest.raises(ValueError, match="the adapter was tuned on 'ttm-test', and this is"):
            load(name, adapter=own, **sizes)
    with pytest.raises(ValueError, match="tuned on 'timer-s1-test', and this is 'ttm-test'"):
        load(OTHER, adapter=adapter)
    for i, dtype in enumerate((torch.float32, torch.bfloat16)):
        copy = rewritten(tmp_path / str(i), lambda name, value: value, dtype, name=OTHER)
        np.testing.assert_array_equal(
            forecast(load(copy, adapter=own)), forecast(load(OTHER, adapter=own))
        )
    for part in ("patcher.weight", "norm.norm.weight", "head", "mlp.fc1.bias"):

        def change(name, value, part=part):
            return value * 1.1 + 0.01 if part in name else value

        with pytest.raises(ValueError, match="whose weights are others"):
            load(rewritten(tmp_path / part, change, name=OTHER), adapter=own)


@pytest.mark.parametrize(
    ("field", "value", "same"), [("norm_eps", 1e-3, False), ("dropout", 0.3, True)]
)
def test_another_way_to_compute_with_a_mixer_is_refused(field, value, same, tmp_path):
    own = make_adapter(load(OTHER), "norms")
    folder = rewritten(tmp_path / "net", lambda name, value: value, name=OTHER)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, field: value}))
    key = NetworkKey.resolve(folder, None, "cpu", "float32")
    if same:
        own.check_base(key)
    else:
        with pytest.raises(ValueError, match="whose weights are others"):
            own.check_base(key)
