import numpy as np
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
def spiked():
    """A season with noise, and a spike of eight deviations at step 100."""
    y = np.sin(np.arange(130) / 3) + 0.3 * np.random.default_rng(3).normal(size=130)
    y[100] += 2.4
    return y
