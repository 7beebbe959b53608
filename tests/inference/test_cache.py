"""Pickles of version 0.1 name keys by this module, and programs written for it name functions."""

import pickle

import timer_forecaster.checkpoints.cache
import timer_forecaster.checkpoints.loading
from timer_forecaster.checkpoints.key import NetworkKey
from timer_forecaster.inference import cache


def test_a_key_that_version_0_1_pickled_is_read():
    key = NetworkKey("timer-s1-test", None, "cpu", "auto")
    now = pickle.dumps(key, protocol=0)
    then = now.replace(b"timer_forecaster.checkpoints.key", b"timer_forecaster.inference.cache")
    assert then != now
    assert pickle.loads(then) == key  # noqa: S301


def test_the_names_of_version_0_1_are_the_present_functions():
    assert cache.NetworkKey is NetworkKey
    assert cache.get_network is timer_forecaster.checkpoints.cache.get_network
    assert cache.load_network is timer_forecaster.checkpoints.loading.load_network
    assert cache.release is timer_forecaster.release
