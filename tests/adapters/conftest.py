"""Fixtures of tests of adapters."""

import pytest
from adapter_cases import load, make_adapter

from timer_forecaster import release


@pytest.fixture
def pipe():
    release()
    return load()


@pytest.fixture
def adapter(pipe):
    return make_adapter(pipe, scores={"crps": 0.5})
