"""The rolling check as users see it: models of noise get no weight, whatever the network."""

import numpy as np
import pytest

from timer_forecaster import ForecastPipeline


@pytest.mark.parametrize("name", ["timer-s1-test", "timer-s1-mini"])
def test_columns_of_noise_change_little(name):
    pipe = ForecastPipeline.from_pretrained(name, device="cpu")
    random = np.random.default_rng(0)
    series = [10 + np.sin(np.arange(200) / 4) + 0.1 * random.normal(size=200) for _ in range(4)]
    noise = [random.normal(size=(208, 3)) for _ in series]
    forecast = pipe.predict(series, 8, known=noise)
    assert forecast.covariates.weights[:, 0].mean() > (0.5 if name == "timer-s1-mini" else 0)
    assert (forecast.covariates.windows >= 5).all()
    if name == "timer-s1-mini":
        plain = pipe.predict(series, 8)
        np.testing.assert_allclose(forecast.median, plain.median, atol=0.3)
