"""Compare Timer-S1 with Darts' own models on the same windows of three data sets."""

import logging
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from darts import TimeSeries
from darts.metrics import mase
from darts.models import ExponentialSmoothing, LightGBMModel, Theta
from matplotlib import pyplot

from timer_forecaster.darts import TimerS1Model

logging.captureWarnings(True)
logging.disable(logging.WARNING)  # Lightning and statsmodels log lines in each fit

folder = Path(__file__).parent
load = pd.concat(
    pd.read_csv(folder / name, index_col="time", parse_dates=True)
    for name in ("french_load.csv", "french_load_next_week.csv")
)
retail = pd.read_csv(folder / "australian_retail.csv", header=[0, 1], index_col=0)["Victoria"]
retail.index = pd.PeriodIndex(retail.index, freq="M").to_timestamp()
gasoline = pd.read_csv(folder / "us_gasoline.csv", index_col="week", parse_dates=True)

# For each data set: its series, the steps of a season, the steps to forecast, and the number of
# windows. Windows follow each other without overlap and end with the data.
data_sets = {
    "French load, hourly": ([TimeSeries.from_dataframe(load)], 168, 24, 7),
    "Australian retail, monthly": ([TimeSeries.from_series(retail[i]) for i in retail], 12, 12, 5),
    "US gasoline, weekly": ([TimeSeries.from_dataframe(gasoline)], 52, 13, 8),
}


def models_for(season, horizon):
    """Return the models with default settings. All except Timer-S1 need the season."""
    return {
        "ExponentialSmoothing": ExponentialSmoothing(seasonal_periods=season),
        "Theta": Theta(seasonality_period=season),
        "LightGBM": LightGBMModel(
            lags=season,
            output_chunk_length=horizon,
            multi_models=False,  # one model for all steps: one for each takes minutes
            verbose=-1,
            n_jobs=1,
            random_state=0,
        ),
        "Timer-S1": TimerS1Model(
            input_chunk_length=(1, 4096),
            output_chunk_length=horizon,
            pl_trainer_kwargs={"accelerator": "cpu", "enable_progress_bar": False},
        ),
    }


figure, axes = pyplot.subplots(len(data_sets), figsize=(10, 7.5), layout="constrained")
scores, seconds = pd.DataFrame(), pd.DataFrame()
for (title, (series, season, horizon, windows)), axis in zip(data_sets.items(), axes, strict=True):
    for name, model in models_for(season, horizon).items():
        start = time.perf_counter()
        forecasts = model.historical_forecasts(  # by default, Darts fits a model for each window
            series,
            start=-windows * horizon,
            start_format="position",
            forecast_horizon=horizon,
            stride=horizon,
            last_points_only=False,
        )
        seconds.loc[name, title] = time.perf_counter() - start
        errors = model.backtest(
            series,
            historical_forecasts=forecasts,
            last_points_only=False,
            metric=mase,
            metric_kwargs={"m": season},
        )
        scores.loc[name, title] = np.mean(errors)
        newest = forecasts[0][-1].to_series()
        axis.plot(newest, label=f"{name}: {scores.loc[name, title]:.2f}")
    axis.plot(series[0][-4 * horizon :].to_series(), "k:", label="what happened")
    axis.set_title(f"{title}: the newest window, and the MASE of all", loc="left")
    axis.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    axis.spines[["top", "right"]].set_visible(False)

# MASE: errors relative to the in-sample errors of the seasonal naive forecast.
print(scores.round(3).assign(**{"seconds for all": seconds.sum(axis=1).round(1)}).to_string())
picture = Path(tempfile.mkdtemp(), "darts_backtest.png")
figure.savefig(picture, dpi=120)
print(f"picture: {picture}")
