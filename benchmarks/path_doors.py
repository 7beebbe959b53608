"""Joint paths of the cases of data sets, through the doors of frameworks."""

from __future__ import annotations

import logging
import warnings

import numpy as np
import pandas as pd

from benchmarks.path_cases import CONTEXT, LEAST_CONTEXT, Cases, letter_of
from timer_forecaster import ForecastPipeline

N_PATHS = 500
_CALENDAR = {"M": "MS", "Q": "QS", "A": "YS", "Y": "YS"}
"""Offsets of pandas for steps without a fixed length, by the last letter of a name."""


def by_darts(pipe: ForecastPipeline, cases: Cases) -> np.ndarray:
    """Return paths (cases, `N_PATHS`, steps) of Darts' ``predict`` with ``num_samples``."""
    from darts import TimeSeries
    from darts.utils.likelihood_models import QuantileRegression

    from timer_forecaster.darts import TimerS1Model, TinyTimeMixerModel

    warnings.simplefilter("ignore")
    for name in ("darts", "pytorch_lightning", "lightning.pytorch"):
        logging.getLogger(name).setLevel(logging.ERROR)
    horizon, checkpoint = cases.actual.shape[1], pipe.key.name
    series = [
        TimeSeries.from_times_and_values(index_of(cases, len(one)), one.astype(np.float32))
        for one in cases.histories
    ]
    kind = TinyTimeMixerModel if checkpoint.startswith("ttm") else TimerS1Model
    model = kind(
        input_chunk_length=(LEAST_CONTEXT, min(CONTEXT, pipe.network.config.max_context_length)),
        output_chunk_length=horizon,
        likelihood=QuantileRegression([level / 10 for level in range(1, 10)]),
        hub_model_name=checkpoint,
        random_state=0,
        pl_trainer_kwargs={"accelerator": "cpu", "enable_progress_bar": False},
    ).fit(series)
    found = model.predict(horizon, series=series, num_samples=N_PATHS)
    return np.array([one.all_values()[:, 0].T for one in found])


def by_sktime(pipe: ForecastPipeline, cases: Cases) -> np.ndarray:
    """Return paths (cases, `N_PATHS`, steps) of sktime's ``predict_proba(marginal=False)``."""
    from timer_forecaster.sktime import TimerS1Forecaster, TinyTimeMixerForecaster

    warnings.simplefilter("ignore")
    horizon, checkpoint = cases.actual.shape[1], pipe.key.name
    kind = TinyTimeMixerForecaster if checkpoint.startswith("ttm") else TimerS1Forecaster
    found = []
    for one in cases.histories:
        y = pd.Series(one, index_of(cases, len(one)))
        model = kind(model_path=checkpoint, n_paths=N_PATHS, random_state=0)
        paths = model.fit(y, fh=range(1, horizon + 1)).predict_proba(marginal=False)
        found.append(paths.spl.to_numpy().reshape(N_PATHS, horizon))
    return np.array(found)


DOORS = {"darts": by_darts, "sktime": by_sktime}


def index_of(cases: Cases, steps: int) -> pd.Index:
    """Return times of a series of a data set; numbers if the length of its step is unknown."""
    minutes, letter = cases.frequency.minutes, letter_of(cases.name)
    if minutes is not None:
        return pd.date_range("2000-01-01", periods=steps, freq=pd.Timedelta(minutes=minutes))
    if letter in _CALENDAR:
        return pd.date_range("1900-01-01", periods=steps, freq=_CALENDAR[letter])
    return pd.RangeIndex(steps)
