"""One checkpoint has one score, through the pipeline, the sktime class and the Darts class."""

import numpy as np
import pandas as pd
import pytest

from timer_forecaster import ForecastPipeline
from timer_forecaster.evaluation import LEVELS, Configuration, PipelineForecaster, evaluate

CHECKPOINT = "timer-s1-mini"


def through_sktime(contexts, horizon):
    from timer_forecaster.sktime import TimerS1Forecaster

    forecasts = []
    for context in contexts:
        forecaster = TimerS1Forecaster(CHECKPOINT).fit(pd.Series(context))
        table = forecaster.predict_quantiles(fh=range(1, horizon + 1), alpha=list(LEVELS))
        forecasts.append(table.to_numpy())
    return np.stack(forecasts)


def through_darts(contexts, horizon):
    from darts import TimeSeries
    from darts.utils.likelihood_models import QuantileRegression

    from timer_forecaster.darts import TimerS1Model

    forecasts = []
    for context in contexts:
        model = TimerS1Model(
            input_chunk_length=len(context),
            output_chunk_length=horizon,
            likelihood=QuantileRegression(list(LEVELS)),
        )
        model.fit(TimeSeries.from_values(context))
        forecasts.append(model.predict(horizon, predict_likelihood_parameters=True).values())
    return np.stack(forecasts)


def configuration_of(horizon, gaps, n_steps):
    random = np.random.default_rng(0)
    step = np.arange(n_steps)
    series = [
        level + 8 * np.sin(step * 2 * np.pi / 24 + level) + random.normal(size=n_steps)
        for level in (0.0, 50.0, 1e4)
    ]
    if gaps:
        series[1][100:110] = np.nan
    return Configuration("waves/H/short", "H", horizon, 2, 24, series)


@pytest.mark.parametrize(
    ("framework", "forecaster"), [("sktime", through_sktime), ("darts", through_darts)]
)
# The last is long enough for all strides of a multiscale forecast, each longer than the context.
@pytest.mark.parametrize(
    ("horizon", "gaps", "n_steps"), [(30, True, 500), (150, False, 500), (200, True, 18_000)]
)
def test_every_door_has_the_same_score(framework, forecaster, horizon, gaps, n_steps):
    pytest.importorskip(framework)
    configuration = configuration_of(horizon, gaps, n_steps)
    pipe = ForecastPipeline.from_pretrained(CHECKPOINT, device="cpu")
    expected = evaluate(PipelineForecaster(pipe), configuration)
    scores = evaluate(forecaster, configuration)
    del expected["seconds"], scores["seconds"]
    assert scores == pytest.approx(expected, rel=1e-4)
