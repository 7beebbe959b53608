"""A pipeline without a network, for tests of frames."""

from typing import ClassVar

import numpy as np
import pandas as pd

from timer_forecaster import ForecastPipeline


class StubForecast:
    """Quantile of every step: last observed value + step + level."""

    failures: ClassVar = {}

    def __init__(self, last, horizon):
        self.n_series = len(last)
        self.base = np.asarray(last)[:, None] + np.arange(1, horizon + 1)

    def quantile(self, level):
        return self.base + level


class StubPipeline:
    """Predicts stub forecasts, and keeps what it was asked."""

    predict_frame = ForecastPipeline.predict_frame

    def __init__(self):
        self.calls = []

    def check_row(self, columns, holder, noun):
        """Take any number of series."""

    def predict(self, series, horizon, **options):
        self.calls.append((series, options))
        return StubForecast([values[~np.isnan(values)][-1] for values in series], horizon)


def frame_of(times, name="time"):
    return pd.DataFrame({name: times, "y": np.arange(len(times), dtype=float)})


def hourly(**columns):
    return frame_of(pd.date_range("2024-01-01", periods=4, freq="h")).assign(**columns)


def forecast_times(pipeline, times, horizon=3, **options):
    return pipeline.predict_frame(frame_of(times), horizon, time_column="time", **options)["time"]
