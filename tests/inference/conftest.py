"""Networks that the tests of forecasts share."""

import pytest

from timer_forecaster import ForecastPipeline


@pytest.fixture(scope="session", params=["timer-s1-test", "ttm-test"])
def pipe(request):
    return ForecastPipeline.from_pretrained(request.param, device="cpu")


@pytest.fixture(scope="session")
def timer_s1():
    return ForecastPipeline.from_pretrained("timer-s1-test", device="cpu")


@pytest.fixture(scope="session")
def mini():
    return ForecastPipeline.from_pretrained("timer-s1-mini", device="cpu")


@pytest.fixture(scope="session")
def ttm():
    return ForecastPipeline.from_pretrained("ttm-test", device="cpu")


@pytest.fixture(scope="session", params=["timer-s1-small", "timer-s1-mini", "ttm-mini"])
def embedded(request):
    return ForecastPipeline.from_pretrained(request.param, device="cpu")
