"""Broken checkpoints are one ValueError with folder, file and remedy, in every loader."""

import json
import re
import subprocess
import sys
from shutil import copytree

import pytest
import torch
from safetensors.torch import load_file, save_file

from timer_forecaster import ForecastPipeline, release
from timer_forecaster.adapters import Base
from timer_forecaster.checkpoints import files as reading
from timer_forecaster.checkpoints.conversion import convert_checkpoint
from timer_forecaster.checkpoints.key import NetworkKey
from timer_forecaster.checkpoints.loading import load_network, load_plain_network
from timer_forecaster.checkpoints.registry import find_checkpoint
from timer_forecaster.checkpoints.tensors import check_finite, tensor_files

FOLDER = find_checkpoint("timer-s1-test")
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
NORM = "model.norm.weight"
EXPERT = "model.layers.0.ffn_layer.experts.1.up_proj.weight"


@pytest.fixture
def folder(tmp_path):
    yield copytree(FOLDER, tmp_path / "net")
    release()


def text(content, name=WEIGHTS):
    return lambda folder: (folder / name).write_text(content)


def cut(part):
    def change(folder):
        content = (folder / WEIGHTS).read_bytes()
        (folder / WEIGHTS).write_bytes(content[: int(part * len(content))])

    return change


def tensors(change):
    def spoil(folder):
        stored = load_file(folder / WEIGHTS)
        change(stored)
        (folder / WEIGHTS).unlink()
        save_file(stored, folder / WEIGHTS)

    return spoil


def renamed(name):
    return lambda folder: (folder / WEIGHTS).rename(folder / name)


def missing(folder):
    (folder / WEIGHTS).unlink()


def index(files):
    def spoil(folder):
        stored = tensor_files(folder)
        (folder / INDEX).write_text(json.dumps({"weight_map": files(stored)}))

    return spoil


def set_to(name, value):
    return tensors(lambda stored: stored.update({name: value(stored[name])}))


BROKEN = {
    "pointer": (text(POINTER), r"safetensors cannot be read: .*git lfs pull"),
    "empty": (text(""), r"safetensors is empty: download"),
    "web page": (text("<!DOCTYPE html><html>" * 9), "is a web page"),
    "cut at half": (cut(0.5), "is cut off, damaged"),
    "cut in the header": (cut(0.01), "is cut off, damaged"),
    "cut at the end": (cut(0.999), "is cut off, damaged"),
    "no weights": (missing, r"holds no model\.safetensors: download or copy it"),
    "bin": (renamed("pytorch_model.bin"), "but pytorch_model.bin, .*convert it"),
    "pt": (renamed("weights.pt"), r"but weights\.pt, .*\*\.pt"),
    "another name": (renamed("a.safetensors"), r"but \['a\.safetensors'\]: .*rename"),
    "missing tensor": (tensors(lambda stored: stored.pop(NORM)), rf"missing \['{NORM}'\]"),
    "further tensor": (
        tensors(lambda stored: stored.update(more=torch.ones(1))),
        r"unexpected \['more'\]",
    ),
    "shape": (
        set_to(NORM, lambda value: value[:-1]),
        rf"shapes of 1 .*{NORM} in .* \[15\], not \[16\]",
    ),
    "shape of an expert": (set_to(EXPERT, lambda value: value.T.contiguous()), re.escape(EXPERT)),
    "number of axes": (set_to(NORM, lambda value: value[None]), r"\[1, 16\], not \[16\]"),
    "integers": (set_to(NORM, lambda value: value.int()), "is of type I32; store weights as"),
    "truth values": (set_to(EXPERT, lambda value: value > 0), "is of type BOOL"),
    "NaN": (set_to(NORM, lambda value: value * torch.nan), rf"NaN or infinite in '{NORM}'"),
    "one NaN": (
        set_to(EXPERT, lambda value: value.index_fill(0, torch.tensor(1), torch.nan)),
        EXPERT,
    ),
    "infinite": (set_to(EXPERT, lambda value: value / 0), "NaN or infinite"),
    "index is no JSON": (text("{", INDEX), r"index\.json cannot be read: Expecting"),
    "index is a list": (text("[]", INDEX), r"index\.json .* it is a list"),
    "index is a pointer": (text(POINTER, INDEX), "git lfs pull"),
    "index without files": (text("{}", INDEX), "lacks 'weight_map'"),
    "index of numbers": (index(lambda files: dict.fromkeys(files, 7)), "lacks 'weight_map'"),
    "index to nowhere": (
        index(lambda files: dict.fromkeys(files, "b.safetensors")),
        r"b\.safetensors is missing",
    ),
    "index to the parent": (
        index(lambda files: dict.fromkeys(files, "../net/model.safetensors")),
        "which is no file of safetensors inside the folder",
    ),
    "index to the root": (
        index(lambda files: dict.fromkeys(files, "/etc/passwd")),
        "'/etc/passwd', which",
    ),
    "index to another kind": (
        index(lambda files: dict.fromkeys(files, "config.json")),
        "'config.json', which",
    ),
    "index of other tensors": (index(lambda files: files | {"a": WEIGHTS}), r"unexpected \['a'\]"),
    "index of a wrong file": (
        lambda folder: (
            save_file({"a": torch.ones(1)}, folder / "b.safetensors"),
            index(lambda files: files | {NORM: "b.safetensors"})(folder),
        ),
        r"b\.safetensors cannot be read: .*model\.norm\.weight",
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_checkpoint_is_refused_by_name(folder, kind, monkeypatch, tmp_path):
    spoil, said = BROKEN[kind]
    spoil(folder)
    loaders = (
        lambda: ForecastPipeline.from_pretrained(folder, device="cpu").predict([1.0, 2, 3], 2),
        lambda: load_plain_network(folder),
        lambda: convert_checkpoint(folder, tmp_path / "converted"),
    )
    for load in loaders:
        with pytest.raises(ValueError, match=said) as caught:
            load()
        assert str(folder) in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["net"]


@pytest.mark.parametrize("kind", [kind for kind in BROKEN if "index" not in kind and kind != "bin"])
@pytest.mark.parametrize("deferred", [False, True])
def test_packed_and_deferred_experts_are_checked_too(folder, kind, deferred):
    spoil, said = BROKEN[kind]
    spoil(folder)
    with torch.device("meta"):
        network = load_network_of(FOLDER)
    with pytest.raises(ValueError, match=said) as caught:
        reading.fill(network, folder, lambda expert: expert, deferred)
        for part in list(network.modules()):
            if hasattr(part, "made"):
                part.made()
    assert str(folder) in str(caught.value)


def load_network_of(folder):
    from timer_forecaster.models.timer_s1 import TimerS1Architecture, TimerS1Network

    return TimerS1Network(TimerS1Architecture.from_config_file(folder / "config.json"))


def converted(tmp_path):
    folder = convert_checkpoint("timer-s1-test", tmp_path / "int8")
    return folder, folder / "model-00001.safetensors"


@pytest.mark.parametrize("part", [0, 0.3, 0.99])
def test_8_bits_that_are_cut_off_are_refused(tmp_path, int8_kernel, part):
    folder, file = converted(tmp_path)
    content = file.read_bytes()
    file.write_bytes(content[: int(part * len(content))])
    for load in (
        lambda: load_network(NetworkKey.resolve(folder, None, "cpu", "auto")),
        lambda: load_plain_network(folder),
    ):
        with pytest.raises(ValueError, match=rf"{re.escape(str(file))} cannot be read"):
            load()


@pytest.mark.parametrize("change", [lambda value: value.float(), lambda value: value[:, :-1]])
def test_8_bits_of_another_type_or_shape_are_refused(tmp_path, int8_kernel, change):
    folder, file = converted(tmp_path)
    stored = load_file(file)
    stored[EXPERT] = change(stored[EXPERT]).contiguous()
    file.unlink()
    save_file(stored, file)
    with pytest.raises(ValueError, match=re.escape(EXPERT)):
        load_network(NetworkKey.resolve(folder, None, "cpu", "auto"))


CONFIGS = {
    "text": ({"hidden_size": "16"}, "hidden_size='16' must be an integer"),
    "zero": ({"hidden_size": 0}, "hidden_size=0 must be at least 1"),
    "negative": ({"num_experts": -2}, "num_experts=-2 must be at least 1"),
    "true": ({"num_hidden_layers": True}, "num_hidden_layers=True must be an integer"),
    "fraction": ({"input_token_len": 16.0}, "input_token_len=16.0 must be an integer"),
    "null": ({"num_attention_heads": None}, "num_attention_heads=None must be an integer"),
    "heads": ({"num_attention_heads": 3}, "must be a multiple of twice num_attention_heads=3"),
    "experts": ({"num_experts_per_token": 9}, "must lie between 1 and num_experts=2"),
    "enormous": ({"hidden_size": 10**15}, "must be at most"),
    "levels null": ({"quantiles": None}, "quantiles=None must be a list"),
    "levels text": ({"quantiles": "0.1"}, "quantiles='0.1' must be a list"),
    "levels of texts": ({"quantiles": ["0.1", "0.9"]}, "quantiles=.* inside"),
    "levels unsorted": ({"quantiles": [0.5, 0.1, 0.9]}, "ascending"),
    "levels outside": ({"quantiles": [0.0, 0.5, 1.0]}, "inside"),
    "levels NaN": ({"quantiles": [0.1, float("nan")]}, "inside"),
    "three levels": ({"quantiles": [0.1, 0.5, 0.9]}, "do not fit its config.json in the shapes"),
    "theta 0": ({"rope_theta": 0}, "rope_theta=0 must be above 0"),
    "theta negative": ({"rope_theta": -1e4}, "rope_theta"),
    "theta NaN": ({"rope_theta": float("nan")}, "rope_theta=nan"),
    "theta infinite": ({"rope_theta": float("inf")}, "rope_theta=inf"),
    "theta text": ({"rope_theta": "1e4"}, "rope_theta='1e4' must be a number"),
    "dropout": ({"dropout_rate": 1.5}, "dropout_rate=1.5"),
    "deviation": ({"initializer_range": -1}, "initializer_range=-1"),
    "flag": ({"interior_masks": "no"}, "interior_masks='no' must be True or False"),
    "roll-out": ({"preferred_rollout": 3}, "preferred_rollout=3 is unknown"),
    "context": ({"max_context_length": 3}, "max_context_length=3 must be at least one patch"),
    "blocks": ({"num_hidden_layers": 10**6}, "num_hidden_layers"),
    "more experts": ({"num_experts": 10**6}, "num_experts"),
    "wider": ({"hidden_size": 32}, "do not fit its config.json in the shapes"),
    "quantization": ({"quantization_config": "int8"}, "quantization_config='int8'"),
}


@pytest.mark.parametrize("kind", CONFIGS)
def test_values_that_cannot_be_meant_are_refused(folder, kind):
    changes, said = CONFIGS[kind]
    values = json.loads((folder / "config.json").read_text()) | changes
    (folder / "config.json").write_text(json.dumps(values))
    for load in (
        lambda: load_network(NetworkKey.resolve(folder, None, "cpu", "float32")),
        lambda: load_plain_network(folder),
    ):
        with pytest.raises(ValueError, match=said) as caught:
            load()
        assert str(folder) in str(caught.value)
        assert "take config.json" in str(caught.value)


@pytest.mark.parametrize(
    "name", ["hidden_size", "quantiles", "rope_theta", "num_experts_per_token", "input_token_len"]
)
def test_fields_that_are_left_out_are_named(folder, name):
    values = json.loads((folder / "config.json").read_text())
    del values[name]
    (folder / "config.json").write_text(json.dumps(values))
    for load in (
        load_plain_network,
        lambda folder: Base.of(NetworkKey.resolve(folder, None, "cpu", None)),
    ):
        with pytest.raises(ValueError, match=rf"net/config\.json lacks {name}; take config\.json"):
            load(folder)


def test_the_advice_for_another_format_works(folder):
    stored = load_file(folder / WEIGHTS)
    (folder / WEIGHTS).unlink()
    torch.save(dict(list(stored.items())[:5]), folder / "pytorch_model-1.bin")
    torch.save(dict(list(stored.items())[5:]), folder / "pytorch_model-2.bin")
    with pytest.raises(ValueError, match="convert it once in this folder: ") as caught:
        load_plain_network(folder)
    program = str(caught.value).partition("in this folder: ")[2]
    subprocess.run([sys.executable, "-c", program], cwd=folder, check=True)
    assert load_plain_network(folder).state_dict().keys() == stored.keys()


def test_of_large_tensors_some_values_are_looked_at(folder):
    check_finite(folder, {"a": WEIGHTS}, {"a": torch.ones(2**21)})
    with pytest.raises(ValueError, match="NaN or infinite in 'a'"):
        check_finite(folder, {"a": WEIGHTS}, {"a": torch.full((2**21,), torch.nan)})


def test_links_of_the_hubs_cache_are_followed(folder, tmp_path):
    (tmp_path / "blobs").mkdir()
    for file in list(folder.iterdir()):
        file.rename(tmp_path / "blobs" / file.name)
        file.symlink_to(tmp_path / "blobs" / file.name)
    assert load_plain_network(folder)
    (tmp_path / "blobs" / WEIGHTS).unlink()
    with pytest.raises(ValueError, match="is a link to a file that is gone"):
        load_plain_network(folder)
