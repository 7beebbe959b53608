"""Pickles of version 0.1 name histories by this module."""

import pickle
import pickletools

from timer_forecaster.frames.history import History


def test_the_class_that_version_0_1_pickled_is_read():
    now = pickle.dumps(History, protocol=0)
    then = now.replace(b"timer_forecaster.frames.history", b"timer_forecaster.inference.histories")
    assert any(
        "inference.histories" in str(argument) for _, argument, _ in pickletools.genops(then)
    )
    assert pickle.loads(then) is History  # noqa: S301
