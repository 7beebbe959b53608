"""Adapters do not change, are read as they were written, and damaged files are refused."""

import copy
import dataclasses
import json
import os
import pickle
import threading

import numpy as np
import pytest
import torch
from adapter_cases import (
    forecast,
    load,
    make_adapter,
    make_weights,
    tuned,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from timer_forecaster import release
from timer_forecaster.adapters import adapter as adapters
from timer_forecaster.adapters.adapter import Adapter, as_adapter
from timer_forecaster.adapters.base import Base
from timer_forecaster.models.timer_s1 import TimerS1Architecture
from timer_forecaster.models.timer_s1.adaptation import parameter_shapes
from timer_forecaster.models.timer_s1.targets import TARGETS, replaced_by


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
        (
            {"architecture": {"a": object()}},
            TypeError,
            "architecture cannot be written as JSON",
        ),
    ],
)
def test_what_cannot_be_an_adapter_is_refused(adapter, change, error, message):
    with pytest.raises(error, match=message):
        dataclasses.replace(adapter, **change)


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


def test_a_changed_architecture_is_part_of_the_adapter(adapter, tmp_path):
    changed = dataclasses.replace(adapter, architecture={"levels": (0.1, 0.9)})
    assert changed != adapter
    assert changed.architecture == {"levels": [0.1, 0.9]}
    assert Adapter.load(changed.save(tmp_path / "adapter")) == changed
    assert pickle.loads(pickle.dumps(changed)).architecture == changed.architecture  # noqa: S301
    with pytest.raises(TypeError, match="item assignment"):
        changed.architecture["x"] = 1
    plain = json.loads((adapter.save(tmp_path / "plain") / "adapter.json").read_text())
    assert "architecture" not in plain
