"""Anomalies by sktime's interface of detectors."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sktime.detection.base import BaseDetector

from timer_forecaster.arrays import FloatArray
from timer_forecaster.checkpoints.registry import TIMER_S1_SMALL
from timer_forecaster.estimators import options_of, pipeline_of
from timer_forecaster.frames.history import refuse_other_kind
from timer_forecaster.inference.anomalies import AnomalyReport
from timer_forecaster.inference.anomalies.settings import AnomalySettings
from timer_forecaster.sktime.values import as_numbers


class ForecastAnomalyDetector(BaseDetector):
    """Steps that the forecasts of a Timer-S1 or TinyTimeMixer checkpoint did not expect.

    `fit` trains nothing: it remembers rows, and `update` adds rows or replaces them. `predict`
    judges each row of its data by the forecast from the rows before it, the remembered ones
    included that are earlier than its first row. So a detector that was fitted to last month judges
    this month from its first step on. Each row is a step, whatever its time is, and a row is odd if
    one of its columns is.

    Parameters
    ----------
    model_path : str or None, default="timer-s1-small"
        A name of `timer_forecaster.list_checkpoints`, a folder in the released layout, or a hub
        id, of either family. None: random weights, see ``config``.
    level : float, default=0.99
        Share of steps that are no anomalies; see
        `timer_forecaster.ForecastPipeline.detect_anomalies`.
    horizon : int, default=1
        Steps from the end of the history to the step that is judged.
    min_history : int, default=32
        Observed values that a step needs before it to be judged.
    calibrate : {"auto", "table", "off"}, default="auto"
        Whether tail probabilities are calibrated by a table and by earlier steps of the series, by
        the table alone, or taken as they are.
    repair : bool, default=True
        Whether very odd values are missing in the histories of later steps.
    exact : bool, default=True
        False shares rows of a Timer-S1, which is faster and changes forecasts a little.
    freq : str or pandas offset, optional
        Frequency of the rows, for checkpoints that read it. Default: of the index, if it has one.
    revision : str, optional
        Branch, tag or commit of a hub id.
    context_length : int, optional
        Newest steps to forecast from.
    rollout : {"auto", "quantile", "median", "multiscale"}, default="auto"
        How to continue beyond one pass of the network.
    flip : bool, default=False
        Whether to average with the mirror image of the forecast of the negative.
    batch_size : int, optional
        Most series that enter the network at once.
    device_map : str, int, torch.device or dict, default="auto"
        A single device, such as ``"cpu"``.
    dtype : str, torch.dtype or None, default="auto"
        Type to compute in.
    config : dict or configuration, optional
        With ``model_path=None``: sizes of a network of random weights, for tests of software.
    quantization : {"int8"}, optional
        Experts in 8-bit integers.
    quantization_config : optional
        A quantization of a library of transformers.
    adapter : Adapter, str or Path, optional
        Finetuned weights.
    padding : {"mean", "released"}, default="mean"
        Values before a history that is shorter than the only context of a TinyTimeMixer.
    quality : {"fast", "best", "plain"}, default="fast"
        How much work goes into a forecast; see `timer_forecaster.ForecastPipeline.predict`.
    nonnegative : {"auto", True, False}, default="auto"
        Whether predicted quantiles are never negative; see
        `timer_forecaster.ForecastPipeline.detect_anomalies`.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from timer_forecaster.sktime import ForecastAnomalyDetector
    >>> y = pd.Series(np.random.default_rng(0).normal(size=150))
    >>> y[120] = 8.0
    >>> ForecastAnomalyDetector(level=0.999).fit_predict(y)["ilocs"].tolist()
    [120]
    """

    _tags: ClassVar[dict[str, Any]] = {
        "authors": ["timer-forecaster developers"],
        "maintainers": ["timer-forecaster developers"],
        "object_type": "detector",
        "learning_type": "unsupervised",
        "task": "anomaly_detection",
        "capability:multivariate": True,
        "capability:missing_values": True,
        "capability:update": True,
        "X_inner_mtype": "pd.DataFrame",
        "fit_is_empty": False,
    }

    covariates: str = "off"  # a field of the options that is no parameter here
    nonnegative: bool | str = "auto"  # pickles of version 0.2 have none

    def __init__(
        self,
        model_path: str | None = TIMER_S1_SMALL,
        level: float = 0.99,
        horizon: int = 1,
        min_history: int = 32,
        calibrate: str = "auto",
        repair: bool = True,
        exact: bool = True,
        freq: Any = None,
        revision: str | None = None,
        context_length: int | None = None,
        rollout: str = "auto",
        flip: bool = False,
        batch_size: int | None = None,
        device_map: Any = "auto",
        dtype: Any = "auto",
        config: Any = None,
        quantization: str | None = None,
        quantization_config: Any = None,
        adapter: Any = None,
        padding: str = "mean",
        quality: str = "fast",
        nonnegative: bool | str = "auto",
    ) -> None:
        self.model_path, self.revision = model_path, revision
        self.level, self.horizon, self.min_history = level, horizon, min_history
        self.calibrate, self.repair, self.exact, self.freq = calibrate, repair, exact, freq
        self.context_length, self.rollout, self.flip = context_length, rollout, flip
        self.batch_size, self.padding = batch_size, padding
        self.quality, self.nonnegative = quality, nonnegative
        self.device_map, self.dtype, self.config = device_map, dtype, config
        self.quantization, self.quantization_config = quantization, quantization_config
        self.adapter = adapter
        super().__init__()

    def _check_X(self, X: Any) -> pd.DataFrame:
        """Check as sktime does, but read the numbers first."""
        return super()._check_X(as_numbers(X))

    def _fit(self, X: pd.DataFrame, y: Any = None) -> ForecastAnomalyDetector:
        self._settings()
        pipeline_of(self)
        self._X = self._memory = X.copy()  # sktime joins its own with a frame in `update`
        return self

    def _update(self, X: pd.DataFrame, y: Any = None) -> ForecastAnomalyDetector:
        X, memory = self._matched(X), self._memory
        kept = memory[~memory.index.isin(X.index)]
        self._memory = pd.concat([kept, X]).sort_index()
        return self

    def _matched(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return rows with the columns of the remembered rows, in their order."""
        given, known = list(X.columns), list(self._memory.columns)
        if set(given) != set(known) and not len(given) == len(known) == 1:
            raise ValueError(f"X has the columns {given}, and fit had {known}; pass the same")
        if len(X):
            refuse_other_kind(self._memory.index, X.index, "X: times", "X in fit")
        return X.set_axis(known, axis=1) if len(known) == 1 else X[known]

    def _predict(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the places of odd rows."""
        odd = self._odd(self._report(X), len(X))
        return pd.DataFrame({"ilocs": np.flatnonzero(odd).astype(np.int64)})

    def _predict_points(self, X: Any) -> pd.DataFrame:
        """Return the places of odd rows of data that sktime has not converted."""
        return self._predict(self._check_X(X))

    def _predict_scores(self, X: pd.DataFrame) -> pd.Series:
        """Return the scores of odd rows, the ones that `predict` returns."""
        report = self._report(X)
        return pd.Series(self._oddness(report, len(X))[self._odd(report, len(X))], name="scores")

    def _transform_scores(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the score of each row, 0 where no column was judged.

        It is minus the decimal logarithm of the chance of the oddest column.
        """
        scores = self._oddness(self._report(X), len(X))
        return pd.DataFrame({"scores": scores}, index=X.index)

    def _odd(self, report: AnomalyReport, rows: int) -> FloatArray:
        return np.any([own[len(own) - rows :] for own in report.flags], axis=0)

    def _oddness(self, report: AnomalyReport, rows: int) -> FloatArray:
        newest = [np.abs(own[len(own) - rows :]) for own in report.scores]
        return np.max(np.nan_to_num(newest, nan=0.0, posinf=np.inf), axis=0)

    def _report(self, X: pd.DataFrame) -> AnomalyReport:
        """Judge the rows of X, and the remembered rows before them."""
        X = self._matched(X)
        before = self._memory.loc[self._memory.index < X.index[0]] if len(X) else self._memory[:0]
        values = np.concatenate(
            [part.to_numpy(dtype=np.float64, na_value=np.nan) for part in (before, X)]
        )
        settings, freq = self._settings(), self.freq
        if freq is None:
            freq = getattr(X.index, "freq", None)
        return pipeline_of(self).detect_anomalies(
            values.T,
            settings.level,
            horizon=settings.horizon,
            min_history=settings.min_history,
            calibrate=settings.calibrate,
            repair=settings.repair,
            exact=settings.exact,
            on_error="nan",
            freq=freq,
            **settings.options.arguments,
        )

    def _settings(self) -> AnomalySettings:
        """Return the settings that the parameters make, checked."""
        names = ("level", "horizon", "min_history", "calibrate", "repair", "exact")
        given = {name: getattr(self, name) for name in names}
        return AnomalySettings(**given, options=options_of(self))

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Return parameters for sktime's test suite: networks of random weights.

        Parameters
        ----------
        parameter_set : str
            There is one set for all purposes.

        Returns
        -------
        list of dict
        """
        few = {"min_history": 4, "level": 0.7, "context_length": 20, "device_map": "cpu"}
        return [
            {"model_path": "timer-s1-test"},
            {"model_path": "timer-s1-test", "calibrate": "table", "exact": False, **few},
            {"model_path": "ttm-test", "calibrate": "off", "repair": False, **few},
        ]
