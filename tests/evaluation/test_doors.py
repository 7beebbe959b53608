"""One checkpoint has one score, through the pipeline, the sktime class and the Darts class."""

import functools

import numpy as np
import pandas as pd
import pytest

from timer_forecaster import ForecastPipeline
from timer_forecaster.evaluation import LEVELS, Configuration, PipelineForecaster, evaluate

MODELS = {"timer-s1-mini": "TimerS1", "ttm-test": "TinyTimeMixer"}


def through_sktime(checkpoint, contexts, horizon):
    from timer_forecaster import sktime

    cls = getattr(sktime, f"{MODELS[checkpoint]}Forecaster")
    forecasts = []
    for context in contexts:
        forecaster = cls(checkpoint).fit(pd.Series(context))
        table = forecaster.predict_quantiles(fh=range(1, horizon + 1), alpha=list(LEVELS))
        forecasts.append(table.to_numpy())
    return np.stack(forecasts)


def through_darts(checkpoint, contexts, horizon):
    from darts import TimeSeries
    from darts.utils.likelihood_models import QuantileRegression

    from timer_forecaster import darts as door

    cls = getattr(door, f"{MODELS[checkpoint]}Model")
    longest = 128 if checkpoint == "ttm-test" else 65_536
    forecasts = []
    for context in contexts:
        model = cls(
            input_chunk_length=(1, min(len(context), longest)),
            output_chunk_length=horizon,
            likelihood=QuantileRegression(list(LEVELS)),
            hub_model_name=checkpoint,
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


@pytest.mark.parametrize("checkpoint", MODELS)
@pytest.mark.parametrize(
    ("framework", "forecaster"), [("sktime", through_sktime), ("darts", through_darts)]
)
# The last is long enough for all strides of a multiscale forecast, each longer than the context.
@pytest.mark.parametrize(
    ("horizon", "gaps", "n_steps"), [(30, True, 500), (150, False, 500), (200, True, 18_000)]
)
def test_every_door_has_the_same_score(checkpoint, framework, forecaster, horizon, gaps, n_steps):
    pytest.importorskip(framework)
    configuration = configuration_of(horizon, gaps, n_steps)
    pipe = ForecastPipeline.from_pretrained(checkpoint, device="cpu")
    expected = evaluate(PipelineForecaster(pipe), configuration)
    scores = evaluate(functools.partial(forecaster, checkpoint), configuration)
    del expected["seconds"], scores["seconds"]
    assert scores == pytest.approx(expected, rel=1e-4)
