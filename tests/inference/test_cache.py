"""Pickles of version 0.1 name keys by this module."""

import pickle

from timer_forecaster.checkpoints.key import NetworkKey


def test_a_key_that_version_0_1_pickled_is_read():
    key = NetworkKey("timer-s1-test", None, "cpu", "auto")
    now = pickle.dumps(key, protocol=0)
    then = now.replace(b"timer_forecaster.checkpoints.key", b"timer_forecaster.inference.cache")
    assert then != now
    assert pickle.loads(then) == key  # noqa: S301
