"""Networks with an adapter share their base and forecast with the weights of the adapter."""

import gc
import threading
import weakref

import numpy as np
import pytest
import torch
from adapter_cases import (
    LAYER,
    MODEL,
    OTHER,
    WIDE,
    forecast,
    load,
    make_adapter,
    make_weights,
    merged,
    rewritten,
    tuned,
    walks,
)

from timer_forecaster import release
from timer_forecaster.adapters import adapted
from timer_forecaster.adapters.adapter import Adapter
from timer_forecaster.adapters.base import Base
from timer_forecaster.checkpoints import files as weights
from timer_forecaster.finetuning import FinetuneConfig, finetune
from timer_forecaster.inference import convert_checkpoint, memo
from timer_forecaster.models.timer_s1.layouts.experts import DeferredExpert
from timer_forecaster.models.timer_s1.targets import TARGETS
from timer_forecaster.models.ttm import targets as of_ttm


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


def test_it_is_refused_once_the_files_of_its_base_have_other_weights(tmp_path):
    adapter = make_adapter(load())
    folder = rewritten(tmp_path / "own", lambda name, value: value)
    pipe = tuned(load(folder), adapter)
    np.testing.assert_array_equal(forecast(pipe), forecast(tuned(load(), adapter)))
    others = rewritten(tmp_path / "others", lambda name, value: value * 2)
    (others / "model.safetensors").replace(folder / "model.safetensors")
    with pytest.raises(ValueError, match="whose weights are others"):
        forecast(pipe)


# "channels" adds parts; tests/finetuning/objectives/test_mixing.py has them
@pytest.mark.parametrize("target", [one for one in of_ttm.TARGETS if one != "channels"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
def test_a_mixer_forecasts_as_a_checkpoint_with_its_weights(target, dtype, tmp_path):
    pipe = load(OTHER, dtype=dtype)
    before = forecast(pipe)
    adapter = make_adapter(pipe, target)
    expected = forecast(load(merged(adapter, tmp_path / "merged", OTHER), dtype="float64"))
    found = forecast(tuned(pipe, adapter))
    least = distance(before, expected) / 3
    assert (
        distance(found, expected)
        < (min(0.05, least) if dtype == "bfloat16" else 1e-5)
        < least * 1.001
    )
    np.testing.assert_array_equal(forecast(pipe), before)


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
