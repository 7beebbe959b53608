"""Score your own models beside Timer-S1 as GIFT-Eval does: one of sktime and one of Darts."""

import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from darts import TimeSeries
from darts.models import ExponentialSmoothing
from sktime.forecasting.theta import ThetaForecaster

from timer_forecaster import ForecastPipeline
from timer_forecaster.evaluation import (
    LEVELS,
    PipelineForecaster,
    aggregate,
    evaluate_gift_eval,
    fill_missing,
    report,
)
from timer_forecaster.plotting import plot_aggregates

warnings.filterwarnings("ignore", category=FutureWarning, module="sktime")  # on a new default


# A forecaster is a function from contexts (1-D arrays, NaN = missing) to quantiles (n, horizon, 9).
# If it has a parameter named configuration, it gets the configuration as well.
def sktime_theta(contexts, horizon, configuration):
    """Return the quantiles of sktime's Theta method."""
    forecasts = []
    for context in contexts:
        model = ThetaForecaster(sp=configuration.seasonality)
        model.fit(pd.Series(fill_missing(context)), fh=range(1, horizon + 1))
        forecasts.append(model.predict_quantiles(alpha=list(LEVELS)).to_numpy())
    return np.stack(forecasts)


def darts_smoothing(contexts, horizon, configuration):
    """Return the quantiles of Darts' exponential smoothing."""
    forecasts = []
    for context in contexts:
        model = ExponentialSmoothing(seasonal_periods=configuration.seasonality, random_state=0)
        model.fit(TimeSeries.from_values(fill_missing(context)))
        forecasts.append(model.predict(horizon, num_samples=300).quantile(list(LEVELS)).values())
    return np.stack(forecasts)


# Any text that you change when you change the forecaster. With it, a later run reuses the results
# on disk, if it writes to the same file.
sktime_theta.settings = "ThetaForecaster"
darts_smoothing.settings = "ExponentialSmoothing, 300 samples"

# Your own data: one file <dataset>__<frequency>.parquet for each data set, one row for each series.
folder = Path(tempfile.mkdtemp())  # keep yours beside your data
data = folder / "my_benchmark"
data.mkdir()
load = pd.read_csv(Path(__file__).parent / "french_load.csv")["load_mw"]
pd.DataFrame({"freq": ["h"], "target": [load.to_numpy()]}).to_parquet(
    data / "french_load__H.parquet"
)

pipe = ForecastPipeline.from_pretrained("timer-s1-small")
results = evaluate_gift_eval(
    {
        "timer-s1-small": PipelineForecaster(pipe),
        "Theta (sktime)": sktime_theta,
        "ETS (Darts)": darts_smoothing,
    },
    data,
    terms=["short"],
    output=folder / "my_results.csv",
    progress=True,
)
print(report(results))

means = aggregate(results).drop("short", level="group")  # the only term: its panel is that of all
figure = plot_aggregates(means, own=["timer-s1-small"])
figure.savefig(folder / "my_results.png", dpi=150)
print(f"scores and picture: {folder}")
