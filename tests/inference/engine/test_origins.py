"""Several origins of one row equal forecasts of the rows that end there."""

import numpy as np

from timer_forecaster import ForecastPipeline
from timer_forecaster.inference.engine.origins import forecast_origins
from timer_forecaster.inference.engine.timer_s1 import forecast_rows


def test_each_origin_equals_the_forecast_of_the_shorter_row():
    network = ForecastPipeline.from_pretrained("timer-s1-test", device="cpu").network
    patch, horizon = network.config.input_token_len, network.pass_length - 1
    random = np.random.default_rng(0)
    rows = [random.normal(size=steps) for steps in (5 * patch, 7 * patch + 3)]
    back = [[0, 2 * patch], [patch]]
    found = forecast_origins(network, rows, back, horizon)
    for row, steps, own in zip(rows, back, found, strict=True):
        cut = [row[: len(row) - step] for step in steps]
        expected = forecast_rows(network, cut, horizon, "median", None, lambda n: None)
        np.testing.assert_allclose(own, expected, atol=1e-5)
    assert forecast_origins(network, [], [], 4) == []
