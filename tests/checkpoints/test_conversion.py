"""A checkpoint whose experts are written in 8 bits forecasts as one that is rounded when loaded."""

import json
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
import torch
from checkpoint_cases import MODEL, difference, load, walks
from safetensors.torch import load_file

from timer_forecaster import cli, release
from timer_forecaster.checkpoints import conversion as int8
from timer_forecaster.checkpoints.key import NetworkKey, settled_quantization
from timer_forecaster.checkpoints.loading import load_network
from timer_forecaster.checkpoints.quantization import read_config
from timer_forecaster.checkpoints.registry import find_checkpoint
from timer_forecaster.inference import convert_checkpoint
from timer_forecaster.models.timer_s1.experts import Expert
from timer_forecaster.models.timer_s1.layouts.packing import restoring


@pytest.fixture
def pipe(int8_kernel):
    return load(quantization="int8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return convert_checkpoint(MODEL, tmp_path_factory.mktemp("converted") / "net")


def test_a_converted_checkpoint_is_the_same_in_a_smaller_file(folder, pipe):
    stored = load(folder)
    assert stored.key.quantization == "int8"
    assert load(folder, quantization="int8").network is stored.network
    series = walks()
    expected = pipe.predict(series, 96).quantiles
    np.testing.assert_array_equal(stored.predict(series, 96).quantiles, expected)
    original = load_file(find_checkpoint(MODEL) / "model.safetensors")
    weights = load_file(folder / "model-00001.safetensors")
    name = "model.layers.0.ffn_layer.experts.0.up_proj.weight"
    assert weights[name].dtype == torch.int8
    restored = weights[name] * weights[f"{name}_scale"]
    assert (restored - original[name]).abs().max() < original[name].abs().max() / 200
    assert torch.equal(weights["model.norm.weight"], original["model.norm.weight"])
    assert not list(folder.parent.glob(".converting*"))


def test_shards_and_the_types_of_other_tensors(tmp_path, monkeypatch, int8_kernel):
    monkeypatch.setattr(int8, "MAX_SHARD_BYTES", 5_000)
    many = convert_checkpoint(find_checkpoint(MODEL), tmp_path / "many")
    index = json.loads((many / "model.safetensors.index.json").read_text())
    files = set(index["weight_map"].values())
    assert len(files) > 3
    assert files == {file.name for file in many.glob("*.safetensors")}
    stored = {name: tensor for file in files for name, tensor in load_file(many / file).items()}
    assert stored.keys() == index["weight_map"].keys()
    assert index["metadata"]["total_size"] == sum(tensor.nbytes for tensor in stored.values())
    assert difference(load(many), load(quantization="int8")) == 0


def test_on_other_devices_the_experts_are_plain_ones(folder):
    # a device that every machine has, although users may not name it
    key = NetworkKey.resolve(folder, None, "cpu", "auto")._replace(device="meta", quantization=None)
    assert settled_quantization(key, read_config(folder)) is None
    experts = load_network(key).model.layers[0].ffn_layer.experts
    assert {type(expert) for expert in experts} == {Expert}


def test_restored_weights_are_close(folder, monkeypatch):
    release()
    monkeypatch.setattr("timer_forecaster.checkpoints.layout.packing", restoring)
    monkeypatch.setattr("timer_forecaster.checkpoints.layout.join_experts", lambda network: None)
    restored = load(folder, dtype="float32")
    assert 0 < difference(load(), restored) < 0.01
    release()


def test_transformers_reads_it_by_the_library_of_the_format(folder):
    from transformers import CompressedTensorsConfig

    from timer_forecaster.models.timer_s1 import TimerS1ForPrediction

    try:
        import compressed_tensors  # noqa: F401
    except ImportError:
        with pytest.raises(ImportError, match="compressed-tensors"):
            TimerS1ForPrediction.from_pretrained(folder)
        pytest.skip("needs compressed-tensors; that it is named was tested")
    with pytest.warns(UserWarning, match="already has a `quantization_config`"):
        model = TimerS1ForPrediction.from_pretrained(
            folder,
            dtype=torch.float32,
            quantization_config=CompressedTensorsConfig(dequantize=True),
        )
    series = torch.from_numpy(walks(4)).float()
    expected = load().network.generate(series, 40)
    assert 0 < (model.generate(series, 40) - expected).abs().mean() < 0.01 * series.std()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"quantization_config": {"quant_method": "quanto"}}, "whose experts are stored in 8 bits"),
        ({"quantization": "int4"}, "quantization='int4' is unknown"),
    ],
)
def test_another_quantization_of_a_converted_checkpoint_is_refused(folder, options, message):
    with pytest.raises(ValueError, match=message):
        load(folder, **options)


def test_a_checkpoint_quantized_otherwise_is_refused(tmp_path, int8_kernel):
    other = copytree(find_checkpoint(MODEL), tmp_path / "net")
    config = json.loads((other / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "quanto", "weights": "int4"}
    (other / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"'int8' cannot be applied to .*quantized already"):
        load(other, quantization="int8")
    with pytest.raises(ValueError, match=r"is quantized already; name the original"):
        convert_checkpoint(other, tmp_path / "again")


@pytest.mark.parametrize(
    ("name", "output", "options", "message"),
    [
        (MODEL, ".", {}, "output '.' exists already"),
        (MODEL, "no/such/folder", {}, "there is no folder 'no/such'"),
        (MODEL, "out", {"quantization": "int4"}, "quantization='int4' is unknown"),
        (MODEL, "out", {"revision": "main"}, "revision='main' applies to hub ids"),
        ("no-such-model", "out", {}, "neither a registry name"),
    ],
)
def test_conversions_that_cannot_be_made_are_refused(
    name, output, options, message, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        convert_checkpoint(name, output, **options)
    assert not list(tmp_path.iterdir())


def test_a_conversion_that_fails_leaves_nothing(tmp_path, monkeypatch):
    def full(*arguments, **options):
        raise OSError("no space left on device")

    monkeypatch.setattr(int8, "save_file", full)
    with pytest.raises(OSError, match="no space"):
        convert_checkpoint(MODEL, tmp_path / "net")
    assert not list(tmp_path.iterdir())


def test_weights_that_do_not_fit_are_not_converted(tmp_path):
    source = copytree(find_checkpoint(MODEL), tmp_path / "net")
    config = json.loads((source / "config.json").read_text()) | {"num_mtp_tokens": 9}
    (source / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"do not fit its config\.json: missing"):
        convert_checkpoint(source, tmp_path / "out")


def write_days():
    """Write a file; give the words of a forecast of it."""
    rows = ["day,load", *(f"2024-01-{day:02d},{day % 7}" for day in range(1, 31))]
    Path("data.csv").write_text("\n".join(rows))
    return ["forecast", "data.csv", "--time-column", "day", "--horizon", "3"]


def test_commands(tmp_path, monkeypatch, capsys, int8_kernel):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["convert", MODEL, "--quantization", "int8", "--output", "small"]) == 0
    assert capsys.readouterr().out.startswith(f"Converted {MODEL} in ")
    words = write_days()
    printed = []
    for more in (["--checkpoint", MODEL, "--quantization", "int8"], ["--checkpoint", "./small"]):
        assert cli.main([*words, *more]) == 0
        printed.append(capsys.readouterr().out.splitlines()[:4])
    assert printed[0] == printed[1]
    assert cli.main(["convert", MODEL, "--output", "small"]) == 2
    assert "'small' exists already" in capsys.readouterr().err
