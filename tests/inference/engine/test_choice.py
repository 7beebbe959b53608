"""The engine of a network is the engine of its family."""

import pytest

from timer_forecaster import ForecastPipeline
from timer_forecaster.inference.engine import timer_s1, ttm
from timer_forecaster.inference.engine.choice import Engine, engine_of


@pytest.mark.parametrize(("name", "module"), [("timer-s1-test", timer_s1), ("ttm-test", ttm)])
def test_each_family_has_its_engine(name, module):
    network = ForecastPipeline.from_pretrained(name, device="cpu").network
    engine = engine_of(network)
    assert engine is module
    assert all(callable(getattr(engine, function)) for function in Engine.__annotations__)
