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


@pytest.fixture(scope="session")
def ttm() -> ForecastPipeline:
    return ForecastPipeline.from_pretrained("ttm-test", device="cpu")


@pytest.fixture(scope="session")
def ttm_points() -> ForecastPipeline:
    """A TinyTimeMixer without a quantile head."""
    sizes = {
        "model_type": "tinytimemixer",
        "context_length": 128,
        "patch_length": 16,
        "patch_stride": 16,
        "prediction_length": 32,
        "d_model": 16,
        "num_layers": 1,
        "decoder_num_layers": 1,
        "decoder_d_model": 8,
    }
    return ForecastPipeline.from_pretrained(None, config=sizes, device="cpu")


@pytest.fixture(params=["pipe", "ttm"])
def either(request) -> ForecastPipeline:
    """A pipeline of each family."""
    return request.getfixturevalue(request.param)
