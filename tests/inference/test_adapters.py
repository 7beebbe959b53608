"""Pickles of version 0.1 name adapters by this module."""

import pickle

import torch

from timer_forecaster.adapters import Adapter, Base


def test_an_adapter_that_version_0_1_pickled_is_read():
    base = Base("owner/name", None, "signature")
    adapter = Adapter(base, "norms", {"model.norm.weight": torch.ones(3)}, {"note": 1})
    now = pickle.dumps(adapter, protocol=0)
    then = now
    for module in (b"timer_forecaster.adapters.adapter", b"timer_forecaster.adapters.base"):
        assert module in then
        then = then.replace(module, b"timer_forecaster.inference.adapters")
    again = pickle.loads(then)  # noqa: S301
    assert again == adapter
    assert again.base == base
    assert again.record == adapter.record
