import pytest

from timer_forecaster import ForecastPipeline


@pytest.fixture(scope="session")
def pipe():
    """A tiny network in float64, where the batch of a series makes no difference."""
    return ForecastPipeline.from_pretrained("timer-s1-test", device="cpu", dtype="float64")
