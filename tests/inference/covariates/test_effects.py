"""Effects of columns on the logarithmic scale."""

import numpy as np

from timer_forecaster import ForecastPipeline


def test_the_effect_of_a_factor_is_its_share_of_the_forecast():
    pipe = ForecastPipeline.from_pretrained("timer-s1-mini", device="cpu")
    random = np.random.default_rng(0)
    event = (random.random(260) < 0.3).astype(float)
    event[-8:] = [0, 1, 0, 1, 0, 1, 0, 1]
    walk = np.exp(np.cumsum(0.1 * random.normal(size=252)))
    series = walk * np.exp(0.7 * event[:252] + 0.02 * random.normal(size=252))
    forecast = pipe.predict(series, 8, known=[{"event": event}], covariates="always")
    effect, median = forecast.covariates.effects[0][0], forecast.median[0]
    share = event[:252].mean()
    found = effect / median
    np.testing.assert_allclose(found[1::2], -np.expm1(-0.7 * (1 - share)), atol=0.15)
    np.testing.assert_allclose(found[::2], -np.expm1(0.7 * share), atol=0.15)
