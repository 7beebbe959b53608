"""Networks are loaded once, kept up to a bound, and freed when asked."""

import dataclasses
import shutil
import threading
import time

import numpy as np
import pytest
import torch

import timer_forecaster
from timer_forecaster import ForecastPipeline
from timer_forecaster.checkpoints import cache
from timer_forecaster.checkpoints.key import NetworkKey
from timer_forecaster.checkpoints.loading import load_plain_network
from timer_forecaster.inference import memo
from timer_forecaster.pretraining.variants import export_network


def walk(steps, seed=0):
    return np.random.default_rng(seed).normal(size=steps).cumsum()


@pytest.fixture(scope="module")
def pipe():
    return ForecastPipeline.from_pretrained("timer-s1-test", device="cpu")


def test_release_frees_and_the_next_forecast_loads_again(pipe):
    series = walk(30)
    expected = pipe.predict(series, 5).quantiles
    old = pipe.network
    timer_forecaster.release()
    assert not cache._networks
    np.testing.assert_array_equal(pipe.predict(series, 5).quantiles, expected)
    assert pipe.network is not old


def test_threads_that_start_together_load_once(monkeypatch):
    timer_forecaster.release()
    loads = []
    load = cache.load_network

    def counted(key):
        loads.append(key)
        time.sleep(0.05)
        return load(key)

    monkeypatch.setattr(cache, "load_network", counted)
    key = NetworkKey.resolve("timer-s1-test", None, "cpu", "auto")
    networks = []
    threads = [
        threading.Thread(target=lambda: networks.append(cache.get_network(key))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loads) == 1
    assert len({id(network) for network in networks}) == 1


def write(folder, seed):
    network = load_plain_network("timer-s1-test")
    network.reset_parameters(torch.Generator().manual_seed(seed))
    export_network(network, network.state_dict(), folder, torch.float32)
    return network


def test_a_folder_that_has_changed_is_loaded_again(tmp_path):
    write(tmp_path, 1)
    pipe, series = ForecastPipeline.from_pretrained(tmp_path, device="cpu"), [walk(60)]
    old, first, remembered = pipe.network, pipe.predict(series, 24), memo.predict(pipe, series, 24)
    assert pipe.network is old
    expected = write(tmp_path, 2).state_dict()
    for name, value in pipe.network.state_dict().items():
        torch.testing.assert_close(value, expected[name])
    changed = pipe.predict(series, 24).median
    assert not np.allclose(changed, first.median)
    assert not np.allclose(memo.predict(pipe, series, 24).median, remembered.median)
    np.testing.assert_array_equal(memo.predict(pipe, series, 24).median, changed)


def test_the_network_of_a_deleted_folder_stays(tmp_path):
    folder = tmp_path / "checkpoint"
    write(folder, 1)
    pipe = ForecastPipeline.from_pretrained(folder, device="cpu")
    expected = pipe.predict(walk(60), 24).median
    (folder / "model.safetensors").unlink()
    np.testing.assert_array_equal(pipe.predict(walk(60), 24).median, expected)
    shutil.rmtree(folder)
    np.testing.assert_array_equal(pipe.predict(walk(60), 24).median, expected)


def test_the_cache_stays_small(pipe):
    for dtype in ("float32", "bfloat16", "float64", "auto"):
        assert ForecastPipeline.from_pretrained("timer-s1-test", dtype=dtype, device="cpu").network
    assert len(cache._networks) <= cache.MAX_CACHED


def key_of(dtype):
    return NetworkKey.resolve("timer-s1-test", None, "cpu", dtype)


def test_the_least_recently_used_network_goes_first(monkeypatch, loads):
    monkeypatch.setattr(cache, "MAX_CACHED", 2)
    first, second, third = key_of("float32"), key_of("bfloat16"), key_of("float64")
    for key in (first, second, first, third, first):
        cache.get_network(key)
    assert loads == [first, second, third]
    cache.get_network(second)
    assert loads == [first, second, third, second]


@pytest.mark.parametrize("large", [True, False])
def test_a_network_is_forgotten_before_a_second_one_only_if_it_is_large(monkeypatch, loads, large):
    monkeypatch.setattr(cache, "is_large_in", lambda config: large)
    sizes = dataclasses.asdict(cache.get_network(key_of("auto")).config)
    random = NetworkKey.resolve(None, None, "cpu", "auto", config=sizes)
    cache.get_network(random)
    for key in (key_of("auto"), random):
        cache.forget_large(key)
        cache.get_network(key)
    assert len(loads) == (4 if large else 2)


def test_other_caches_are_emptied_with_this_one(monkeypatch):
    monkeypatch.setattr(cache, "_at_release", [])
    called = []

    @cache.at_release
    def forget():
        called.append(1)

    timer_forecaster.release()
    forget()
    assert called == [1, 1]
