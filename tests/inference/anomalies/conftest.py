import numpy as np
import pytest


@pytest.fixture(scope="session")
def spiked():
    """A season with noise, and a spike of eight deviations at step 100."""
    y = np.sin(np.arange(130) / 3) + 0.3 * np.random.default_rng(3).normal(size=130)
    y[100] += 2.4
    return y
