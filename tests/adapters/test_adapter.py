"""Adapters: shared bases stay as they are, files are checked, and each adapter fits its base."""

import copy
import dataclasses
import gc
import json
import os
import pickle
import threading
import weakref
from shutil import copytree

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from timer_forecaster import ForecastPipeline, release
from timer_forecaster.adapters import adapted, base
from timer_forecaster.adapters import adapter as adapters
from timer_forecaster.adapters import folder as folder_format
from timer_forecaster.adapters.adapter import Adapter, as_adapter
from timer_forecaster.adapters.base import Base
from timer_forecaster.checkpoints import files as weights
from timer_forecaster.checkpoints.key import NetworkKey
from timer_forecaster.checkpoints.loading import plain_network
from timer_forecaster.checkpoints.registry import find_checkpoint
from timer_forecaster.finetuning import FinetuneConfig, finetune
from timer_forecaster.inference import convert_checkpoint, memo
from timer_forecaster.models.timer_s1 import TimerS1Architecture
from timer_forecaster.models.timer_s1.adaptation import parameter_shapes
from timer_forecaster.models.timer_s1.layouts.experts import DeferredExpert
from timer_forecaster.models.timer_s1.targets import TARGETS, replaced_by, widened_by_lora

MODEL = "timer-s1-test"
FOLDER = find_checkpoint(MODEL)
WIDE = {  # is packed for oneDNN
    "hidden_size": 256,
    "intermediate_size": 64,
    "num_attention_heads": 4,
    "num_experts": 4,
    "num_hidden_layers": 1,
    "num_mtp_tokens": 1,
}
LAYER = "model.layers.0.self_attn.q_proj"


def walks(n=3, steps=100):
    return np.random.default_rng(0).normal(size=(n, steps)).cumsum(axis=1)


def load(name=MODEL, device="cpu", **options):
    return ForecastPipeline.from_pretrained(name, device=device, **options)


def forecast(pipe, horizon=40, **options):
    return pipe.predict(walks(), horizon, **options).quantiles


def noise(shape, seed, scale=1.0):
    return scale * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def make_weights(key, target="router+head", seed=0):
    """Weights as a tuning might make them, but different enough to be seen in any forecast."""
    network = plain_network(key)
    own = {name: value.float() for name, value in network.named_parameters()}
    if target != "lora":
        return {
            name: own[name] + noise(own[name].shape, seed + i, 0.3 * float(own[name].abs().mean()))
            for i, name in enumerate(replaced_by(target, own))
        }
    made = {}
    for i, layer in enumerate(widened_by_lora(own, {"model.layers.0.ffn_layer.experts": [0, 1]})):
        n_out, n_in = own[f"{layer}.weight"].shape
        made[f"{layer}.lora_A.weight"] = noise((2, n_in), seed + i, n_in**-0.5)
        made[f"{layer}.lora_B.weight"] = noise((n_out, 2), -1 - i - seed, 0.3)
    return made


def make_adapter(pipe, target="router+head", seed=0, **record):
    return Adapter(Base.of(pipe.key), target, make_weights(pipe.key, target, seed), record)


def tuned(pipe, adapter):
    return dataclasses.replace(pipe, adapter=adapter)


def rewritten(folder, change, dtype=None):
    """A copy of the checkpoint for tests whose weights are others."""
    copytree(FOLDER, folder)
    stored = load_file(FOLDER / "model.safetensors")
    changed = {name: change(name, value) for name, value in stored.items()}
    if dtype is not None:
        changed = {name: value.to(dtype) for name, value in changed.items()}
    save_file(changed, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def merged(adapter, folder):
    """A checkpoint with the weights of an adapter in the place of its own."""

    def change(name, value):
        value = adapter.weights.get(name, value)
        layer = name.removesuffix(".weight")
        if f"{layer}.lora_A.weight" in adapter.weights:
            pair = (adapter.weights[f"{layer}.lora_{side}.weight"] for side in "BA")
            value = value + torch.mm(*pair)
        return value

    return rewritten(folder, change)


@pytest.fixture
def pipe():
    release()
    return load()


@pytest.fixture
def adapter(pipe):
    return make_adapter(pipe, scores={"crps": 0.5})


# ------------------------------------------------------------------- the forecasts of an adapter


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    ("options", "tolerance"),
    [({}, 1e-5), ({"dtype": "float64"}, 1e-5), ({"quantization": "int8"}, 2e-2)],
    ids=["float32", "float64", "int8"],
)
def test_it_forecasts_as_a_checkpoint_with_its_weights(
    target, options, tolerance, tmp_path, request
):
    if "quantization" in options:
        request.getfixturevalue("int8_kernel")
    pipe = load(**options)
    adapter = make_adapter(pipe, target)
    expected = forecast(load(merged(adapter, tmp_path / "merged"), **options))
    found = forecast(tuned(pipe, adapter))
    assert distance(found, expected) < min(tolerance, distance(forecast(pipe), expected) / 3)


def distance(one, other):
    return np.mean(np.abs(one - other)) / np.mean(np.abs(other))


@pytest.mark.parametrize("target", TARGETS)
def test_a_base_whose_experts_are_read_when_they_are_needed(
    target, tmp_path, monkeypatch, int8_kernel
):
    """And that is stored in 8 bits."""
    folder = convert_checkpoint(MODEL, tmp_path / "eight")
    pipe = load(folder)
    adapter = make_adapter(load(), target)
    expected = forecast(tuned(pipe, adapter))
    monkeypatch.setattr(weights, "DEFERRED_FROM_BYTES", 1)
    release()
    deferred = load(folder)
    kinds = {type(part) for part in deferred.network.modules()}
    assert DeferredExpert in kinds
    np.testing.assert_array_equal(forecast(tuned(deferred, adapter)), expected)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_base_that_is_packed(dtype):
    pipe = load(None, config=WIDE, dtype=dtype)
    before = forecast(pipe)
    for target in TARGETS:
        found = forecast(tuned(pipe, make_adapter(pipe, target)))
        plain = load(None, config=WIDE, dtype="float64")  # is not packed
        expected = forecast(tuned(plain, make_adapter(pipe, target)))
        assert distance(found, expected) < (1e-4 if dtype == "float32" else 0.05)
    np.testing.assert_array_equal(forecast(pipe), before)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("target", TARGETS)
def test_a_base_on_a_gpu(target):
    pipe = load(None, config=WIDE, dtype="bfloat16", device="cuda")  # is stacked
    before = forecast(pipe)
    adapter = make_adapter(load(None, config=WIDE), target)
    expected = forecast(tuned(load(None, config=WIDE, dtype="float64"), adapter))
    assert distance(forecast(tuned(pipe, adapter)), expected) < 0.05
    np.testing.assert_array_equal(forecast(pipe), before)


def test_the_identity_is_the_base(pipe):
    identity = Adapter(Base.of(pipe.key), "head", {})
    assert identity.is_identity
    assert tuned(pipe, identity).network is pipe.network
    assert load(adapter=identity).network is pipe.network


def test_any_adapters_leave_the_base_as_it_was(pipe):
    before = forecast(pipe)
    stored = {name: value.clone() for name, value in pipe.network.named_parameters()}
    for seed, target in enumerate(TARGETS * 2):
        assert not np.array_equal(forecast(tuned(pipe, make_adapter(pipe, target, seed))), before)
    np.testing.assert_array_equal(forecast(pipe), before)
    assert all(torch.equal(v, stored[name]) for name, v in pipe.network.named_parameters())


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.filterwarnings("ignore::timer_forecaster.finetuning.TuningWarning")
def test_tuning_leaves_the_base_as_it_was(pipe, target):
    before, network = forecast(pipe), pipe.network
    stored = {name: value.clone() for name, value in network.named_parameters()}
    config = FinetuneConfig(target=target, steps=2, context_length=64, learning_rate=0.01)
    finetune(pipe, walks(4, 200), config)
    assert pipe.network is network
    np.testing.assert_array_equal(forecast(pipe), before)
    assert all(torch.equal(value, stored[name]) for name, value in network.named_parameters())
    assert not any(value.requires_grad for value in network.parameters())


# ------------------------------------------------------------------------ threads and the cache


def of_pipeline(pipe, series):
    return pipe.predict(series, 20).quantiles


def of_memory(pipe, series):
    return memo.predict(pipe, series, 20).quantiles


@pytest.mark.parametrize("ask", [of_pipeline, of_memory])
@pytest.mark.parametrize("max_adapted", [32, 1])
def test_two_adapters_in_eight_threads_give_their_own_forecasts(
    pipe, ask, max_adapted, monkeypatch
):
    """Also where each pushes the other's network out of the cache."""
    two = [make_adapter(pipe, "router+head"), make_adapter(pipe, "lora")]
    pipes = [pipe, *(tuned(pipe, adapter) for adapter in two)]
    expected = [of_pipeline(one, walks()) for one in pipes]
    release()
    monkeypatch.setattr(adapted, "MAX_ADAPTED", max_adapted)
    wrong, done = [], []

    def alternate(number):
        for turn in range(6):
            which = (number + turn) % 3
            found = ask(pipes[which], walks())
            if not np.array_equal(found, expected[which]):
                wrong.append((number, turn))
        done.append(number)

    threads = [threading.Thread(target=alternate, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == list(range(8))
    assert wrong == []


@pytest.mark.parametrize("bound", ["MAX_ADAPTED", "MAX_ADAPTED_BYTES"])
def test_adapted_networks_are_kept_up_to_a_bound(pipe, bound, monkeypatch):
    size = make_adapter(pipe, "head").nbytes
    monkeypatch.setattr(adapted, bound, 2 if bound == "MAX_ADAPTED" else 3 * size - 1)
    pipes = [tuned(pipe, make_adapter(pipe, "head", seed)) for seed in range(3)]
    expected = [forecast(one) for one in pipes]
    networks = [weakref.ref(one.network) for one in pipes]  # the first one is made again
    gc.collect()
    assert sum(network() is not None for network in networks) == 2
    assert pipes[2].network is networks[2]()
    for one, before in zip(pipes, expected, strict=True):
        np.testing.assert_array_equal(forecast(one), before)


def test_equal_adapters_share_a_network_and_its_memory(pipe, calls):
    one, other = (tuned(pipe, make_adapter(pipe)) for _ in range(2))
    assert one.adapter is not other.adapter
    assert one.network is other.network
    memo.predict(one, walks(), 5)
    memo.predict(other, walks(), 5)
    memo.predict(pipe, walks(), 5)
    assert len(calls) == 2


def test_release_frees_bases_and_their_adapted_networks(pipe, adapter):
    pipes = [pipe, *(tuned(pipe, make_adapter(pipe, target)) for target in TARGETS)]
    pipes.append(tuned(pipe, Adapter(Base.of(pipe.key), "head", {})))
    for one in pipes:
        memo.predict(one, walks(), 20)
    networks = [weakref.ref(one.network) for one in pipes]
    release()
    gc.collect()
    assert [network() for network in networks] == [None] * len(pipes)


# ------------------------------------------------------------------------- which base it fits


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


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("model.norm.wait", (32,), "'model.norm.wait', which the network does not have"),
        ("model.norm.weight", (1,), r"'model.norm.weight' have the shape \(1,\)"),
        (f"{LAYER}.lora_A.weight", (2, 3), f"low-rank matrices of '{LAYER}'"),
    ],
)
def test_weights_that_do_not_belong_to_the_base_are_named(pipe, name, shape, message):
    with pytest.raises(ValueError, match=message):
        load(adapter=Adapter(Base.of(pipe.key), "norms", {name: torch.ones(shape)}))


def test_a_full_adapter_of_another_shape_is_refused(pipe):
    weights = make_weights(pipe.key, "full")
    weights["model.norm.weight"] = torch.ones(3)
    with pytest.raises(ValueError, match=r"'model.norm.weight' have the shape \(3,\)"):
        load(adapter=Adapter(Base.of(pipe.key), "full", weights))


# ---------------------------------------------------------------------------------- the object


def test_equality_is_of_base_and_weights(pipe, adapter):
    assert adapter == make_adapter(pipe, scores={"crps": 0.4})
    assert hash(adapter) == hash(make_adapter(pipe))
    assert adapter != make_adapter(pipe, seed=1)
    assert adapter != make_adapter(pipe, "head")
    assert adapter != Adapter(adapter.base._replace(signature="other"), "head", adapter.weights)
    assert adapter != "adapter"
    assert len({adapter, make_adapter(pipe), make_adapter(pipe, seed=1)}) == 2


def test_copies_are_the_adapter_and_pickles_are_equal(adapter):
    assert copy.copy(adapter) is adapter
    assert copy.deepcopy({"a": adapter})["a"] is adapter
    dumped = pickle.dumps(adapter)
    again = pickle.loads(dumped)  # noqa: S301
    assert again == adapter
    assert again.record == adapter.record
    assert len(dumped) < 1.2 * 4 * adapter.n_parameters + 10_000


def test_a_pipeline_pickles_with_its_adapter(pipe, adapter):
    one = tuned(pipe, adapter)
    assert pickle.loads(pickle.dumps(one)).network is one.network  # noqa: S301


def test_its_text_tells_what_it_is(pipe, adapter):
    assert repr(adapter) == (
        f"<Adapter 'router+head' of 'timer-s1-test': {adapter.n_parameters:,} parameters>"
    )
    base = Base("owner/name", "v1", "s")
    assert repr(Adapter(base, "lora", {})) == "<Adapter 'lora' of 'owner/name@v1': identity>"
    assert adapter.n_parameters == sum(value.numel() for value in adapter.weights.values())
    assert adapter.report is None


def test_what_it_was_made_of_can_change_without_it(pipe):
    given_weights = make_weights(pipe.key)
    record = {"scores": [1, 2]}
    adapter = Adapter(Base.of(pipe.key), "router+head", given_weights, record)
    expected = forecast(tuned(pipe, adapter))
    for value in given_weights.values():
        value.zero_()
    record["scores"].append(3)
    release()
    np.testing.assert_array_equal(forecast(tuned(pipe, adapter)), expected)
    assert adapter.record == {"scores": [1, 2]}
    with pytest.raises(TypeError, match="item assignment"):
        adapter.weights["x"] = torch.ones(1)
    with pytest.raises(TypeError, match="item assignment"):
        adapter.record["x"] = 1


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            {"target": "heads"},
            ValueError,
            r"target='heads' is unknown; use one of \('router\+head'",
        ),
        ({"weights": {"a": [1.0]}}, TypeError, r"weights\['a'\] must be a tensor"),
        ({"weights": {"a": torch.ones(2).int()}}, TypeError, r"weights\['a'\] must be a tensor of"),
        ({"weights": {"a": torch.tensor([np.nan])}}, ValueError, r"weights\['a'\] holds NaN"),
        ({"record": {"a": object()}}, TypeError, "record cannot be written as JSON"),
    ],
)
def test_what_cannot_be_an_adapter_is_refused(adapter, change, error, message):
    with pytest.raises(error, match=message):
        dataclasses.replace(adapter, **change)


# ----------------------------------------------------------------------------------- the files


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_saved_is_read_again(pipe, target, tmp_path):
    adapter = make_adapter(pipe, target, scores={"crps": 0.1 + 0.2}, curve=[[1, 2.0]])
    folder = adapter.save(tmp_path / "deep" / "adapter")
    assert sorted(path.name for path in folder.iterdir()) == ["adapter.json", "adapter.safetensors"]
    again = Adapter.load(folder)
    assert again == adapter
    assert (again.base, again.target, again.record) == (adapter.base, target, adapter.record)
    assert again.weights.keys() == adapter.weights.keys()
    assert all(torch.equal(value, adapter.weights[name]) for name, value in again.weights.items())
    size = sum(path.stat().st_size for path in folder.iterdir())
    assert size < 4 * adapter.n_parameters + 20_000
    np.testing.assert_array_equal(forecast(load(adapter=folder)), forecast(tuned(pipe, adapter)))


def test_the_file_for_the_released_size_is_small(tmp_path):
    shapes = parameter_shapes(TimerS1Architecture())
    names = replaced_by("router+head", shapes)
    weights = {name: torch.zeros(shapes[name]) for name in names}
    Adapter(Base("bytedance-research/Timer-S1", None, "s"), "router+head", weights).save(tmp_path)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 12e6


def test_the_identity_is_read_again(adapter, tmp_path):
    identity = Adapter(adapter.base, "head", {}, {"loss": float("inf")})
    again = Adapter.load(identity.save(tmp_path))
    assert again == identity
    assert again.is_identity
    assert again.record == identity.record


values = st.floats(-(2.0**100), 2.0**100, width=32)


@given(
    st.dictionaries(st.text("ab.é", min_size=1, max_size=5), st.lists(values), max_size=3),
    st.dictionaries(st.text(max_size=3), st.lists(st.integers() | st.text(max_size=3)), max_size=3),
    st.sampled_from([torch.float32, torch.float64]),
)
@settings(max_examples=15)
def test_any_weights_and_record_are_read_again(tmp_path_factory, weights, record, dtype):
    tensors = {name: torch.tensor(own, dtype=dtype) for name, own in weights.items()}
    adapter = Adapter(Base("é/b", None, "s"), "norms", tensors, record)
    again = Adapter.load(adapter.save(tmp_path_factory.mktemp("adapter")))
    assert again == adapter == pickle.loads(pickle.dumps(adapter))  # noqa: S301
    assert again.record == record
    assert {name: value.dtype for name, value in again.weights.items()} == dict.fromkeys(
        weights, dtype
    )


def damage_weights(folder):
    file = folder / "adapter.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def cut_weights(folder):
    file = folder / "adapter.safetensors"
    file.write_bytes(file.read_bytes()[:-10])


def swap_weights(folder):
    stored = load_file(folder / "adapter.safetensors")
    save_file({name: value + 1 for name, value in stored.items()}, folder / "adapter.safetensors")


def edit(**changes):
    def change(folder):
        file = folder / "adapter.json"
        record = json.loads(file.read_text()) | changes
        file.write_text(json.dumps({k: v for k, v in record.items() if v is not None}))

    return change


def write(text):
    return lambda folder: (folder / "adapter.json").write_text(text)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (damage_weights, "adapter.safetensors is not the file that adapter.json describes"),
        (swap_weights, "adapter.safetensors is not the file that adapter.json describes"),
        (cut_weights, "cannot be read: .*incomplete metadata, file not fully covered"),
        (
            lambda folder: (folder / "adapter.safetensors").write_bytes(b""),
            "cannot be read: .*header",
        ),
        (lambda folder: (folder / "adapter.safetensors").unlink(), "adapter.safetensors.*missing"),
        (lambda folder: (folder / "adapter.json").unlink(), "adapter.json.*missing"),
        (write("{"), "cannot be read: Expecting property name"),
        (write("[]"), "cannot be read"),
        (edit(format=2), "written by a newer version of timer-forecaster"),
        (edit(format=None), "adapter.json lacks 'format'"),
        (edit(base=None), "adapter.json lacks 'base'"),
        (edit(base={"name": "x"}), "cannot be read: .*missing 2 required"),
        (edit(base={"name": "x", "revision": None, "signature": "y"}), "is not the file"),
        (edit(target="heads"), "target='heads' is unknown"),
    ],
)
def test_files_that_are_damaged_or_do_not_belong_together(adapter, spoil, message, tmp_path):
    folder = adapter.save(tmp_path / "adapter")
    spoil(folder)
    with pytest.raises(ValueError, match=message):
        Adapter.load(folder)
    with pytest.raises(ValueError, match=str(folder)):
        load(adapter=folder)


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("no-such-adapter", ValueError, "'no-such-adapter' is neither a folder nor a hub id"),
        ("./no/adapter", ValueError, "'./no/adapter' is neither"),
        ("../adapter", ValueError, "'../adapter' is neither"),
        (".", ValueError, "'.' holds no adapter: adapter.safetensors and adapter.json are missing"),
        (7, TypeError, "adapter=7 must be an Adapter, or the name of a folder"),
        ({}, TypeError, r"adapter=\{\} must be an Adapter"),
    ],
)
def test_names_of_no_adapter(name, error, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for read in (Adapter.load, as_adapter):
        with pytest.raises(error, match=message):
            read(name)


def test_a_folder_has_no_revision(adapter, tmp_path):
    with pytest.raises(ValueError, match="revision='main' applies to hub ids"):
        Adapter.load(adapter.save(tmp_path), revision="main")


def test_a_writing_that_fails_leaves_what_was_there(adapter, pipe, tmp_path, monkeypatch):
    folder = adapter.save(tmp_path / "adapter")

    def fail(*arguments, **options):
        raise OSError("disk full")

    monkeypatch.setattr(folder_format, "save_file", fail)
    with pytest.raises(OSError, match="disk full"):
        make_adapter(pipe, seed=1).save(folder)
    assert Adapter.load(folder) == adapter
    assert len(list(folder.iterdir())) == 2


def test_a_folder_is_read_once_and_again_when_it_is_rewritten(pipe, adapter, tmp_path):
    folder = adapter.save(tmp_path / "adapter")
    first = as_adapter(folder)
    assert as_adapter(str(folder)) is first
    assert as_adapter(adapter) is adapter
    assert as_adapter(None) is None
    other = make_adapter(pipe, seed=1).save(folder)
    assert as_adapter(other) == make_adapter(pipe, seed=1)
    assert first == adapter  # not mapped from the file that is gone
    assert torch.equal(
        first.weights["output_patch_embedding.output_layer.bias"],
        adapter.weights["output_patch_embedding.output_layer.bias"],
    )
    os.utime(folder / "adapter.json", (1, 1))
    assert as_adapter(folder) == make_adapter(pipe, seed=1)


def test_release_forgets_what_was_read(adapter, tmp_path):
    read = as_adapter(adapter.save(tmp_path))
    release()
    assert as_adapter(tmp_path) == read
    assert as_adapter(tmp_path) is not read


def test_all_files_have_the_usual_permissions(adapter, tmp_path):
    (tmp_path / "usual").touch()
    folder = adapter.save(tmp_path / "adapter")
    modes = {file.stat().st_mode for file in folder.iterdir()}
    assert modes == {(tmp_path / "usual").stat().st_mode}


def test_tensors_that_were_changed_are_not_saved(adapter, tmp_path):
    next(iter(adapter.weights.values())).zero_()
    with pytest.raises(ValueError, match="have been changed"):
        adapter.save(tmp_path / "adapter")
    assert not (tmp_path / "adapter").exists()


def test_a_reader_between_two_replacements_tries_again(pipe, adapter, tmp_path, monkeypatch):
    other = make_adapter(pipe, seed=1).save(tmp_path / "other")
    new = [other / "adapter.safetensors"]
    folder = adapter.save(tmp_path / "adapter")
    monkeypatch.setattr(adapters, "load_file", lambda file: load_file(new.pop() if new else file))
    assert Adapter.load(folder) == adapter
    assert new == []


def test_names_of_a_folder_are_relative_to_home_and_to_where_one_is(adapter, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    adapter.save("~/mine")
    for name in ("~/mine", "mine", tmp_path / "mine"):
        assert as_adapter(name) == adapter
    assert as_adapter("mine") is as_adapter("~/mine")


def test_a_reader_never_sees_halves_of_two_adapters(pipe, tmp_path):
    """It reads one of them, or says that the two files do not belong together."""
    two = [make_adapter(pipe, "head", seed) for seed in range(2)]
    folder, stop, unexpected = two[0].save(tmp_path), threading.Event(), []

    def rewrite():
        for turn in range(40):
            two[turn % 2].save(folder)
        stop.set()

    writer = threading.Thread(target=rewrite)
    writer.start()
    while not stop.is_set():
        try:
            if Adapter.load(folder) not in two:
                unexpected.append("another adapter")
        except ValueError as error:
            if "is not the file that adapter.json describes" not in str(error):
                unexpected.append(error)
    writer.join()
    assert unexpected == []
