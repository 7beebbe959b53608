import numpy as np
import pytest

from timer_forecaster import ForecastPipeline


@pytest.fixture(scope="session")
def pipe() -> ForecastPipeline:
    return ForecastPipeline.from_pretrained("timer-s1-test", device="cpu")


@pytest.fixture(scope="session")
def waves() -> list[np.ndarray]:
    """Twelve noisy waves of one period, of 300 to 400 steps."""
    random = np.random.default_rng(0)
    lengths = np.linspace(300, 400, 12).astype(int)
    return [
        np.sin(np.arange(n) / 4 + random.uniform(0, 6)) + random.normal(size=n) / 10
        for n in lengths
    ]
