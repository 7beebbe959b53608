"""The verbs of an sktime forecaster, in terms of a pipeline and a memory of series.

This file translates: sktime's calls into a `ForecastPipeline`, a `Memory` and `ForecastOptions`,
and a `Forecast` into frames. The forecasts themselves are made in `timer_forecaster.inference`.
"""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import sktime
from packaging.version import Version
from sktime.datatypes import convert_to

from timer_forecaster.arrays import FloatArray
from timer_forecaster.checks import check_choice, check_integer
from timer_forecaster.estimators import check_parameters, options_of, pipeline_of, tuning_of
from timer_forecaster.failures import ON_ERROR
from timer_forecaster.frames.history import Memory, shifted
from timer_forecaster.inference import Forecast
from timer_forecaster.inference.covariates.warning import warn_of_covariates
from timer_forecaster.inference.sampling.seeds import generator_of
from timer_forecaster.inference.steps import forecast_rows, steps_to_remember
from timer_forecaster.sktime.exogenous import refuse_array
from timer_forecaster.sktime.horizons import with_freq
from timer_forecaster.sktime.panels import PANELS
from timer_forecaster.sktime.probabilistic import N_PATHS, ProbabilisticForecaster
from timer_forecaster.sktime.values import as_numbers

POINTS = ("median", "mean")
PANDAS = ["pd.DataFrame", *PANELS]
_WITHOUT_TIMES = ("np.ndarray", "numpy3D")


class PipelineForecaster(ProbabilisticForecaster):
    """Base of the forecasters: all that does not depend on the network.

    A subclass has, as parameters of its constructor, those that `timer_forecaster.estimators`
    reads, and ``point`` and ``on_error``, which `TimerS1Forecaster` describes.

    Notes
    -----
    *Memory*. `fit` remembers the newest steps of each series: 65,536, or ``context_length`` if it
    is larger. Times that are absent from a regular index are missing values. Days of the week and
    hours that never occur in the y of `fit` are no steps, unless its index has a ``freq``;
    `timer_forecaster.frames.calendar.opening` has the rule. `update` extends the
    memory, whatever ``update_params`` is. Arrays have no times: an array in `update` continues the
    series. An update that ends before the remembered series do moves the cutoff back, as sktime
    defines it; all later steps are then forgotten.

    *X* is remembered by instance and time, as far as y is. Steps without a row of X are missing.
    `predict` reads columns of its X over the horizon, and columns that only `fit` had with a
    delay of the horizon. `pretrain` ignores X, and so does finetuning in `fit`, except with
    ``target="channels"``, which reads the X of `fit`.

    *Weights*. A fitted forecaster holds none. They are loaded at the first forecast into a cache
    of the process, which keeps four networks and which `timer_forecaster.release` empties. Copies
    and pickles hold the remembered steps, 8 bytes each, and the finetuned weights.

    *Forecasts*. All instances and variables are forecast in one batch, each from its own values
    and its own end, which is the last index of y, as sktime defines the cutoff: missing values at
    the end count as steps. The forecast of one context is remembered beside the weights, and
    answers every question about it: points, quantiles, intervals, variances and distributions.

    *Joint distributions*. ``predict_proba(marginal=False)`` holds joint paths over the steps of the
    horizon, and costs no further run of the network. Its `sample` draws whole paths. Variables and
    instances are independent of each other, and so are in-sample steps.

    *In-sample steps* are one-step forecasts, each from the steps before it, in one batch. They
    cost a forecast for each step, and are NaN where no value was observed before. They are made
    from y alone; with X, a warning says so.

    *Finetuning*. `pretrain` reads the newest steps of each series that `fit` would remember.
    Called again, it goes on from ``adapter_``. Later fits, clones, copies and pickles keep
    ``adapter_``, as sktime defines it; `set_params` resets it. The horizon in ``tuning`` is the
    number of steps ahead to train, whatever ``fh`` is. `update` never finetunes.
    """

    _tags: ClassVar[dict[str, Any]] = {
        "authors": ["timer-forecaster developers"],
        "maintainers": ["timer-forecaster developers"],
        "y_inner_mtype": PANDAS,
        "X_inner_mtype": PANDAS,
        "capability:multivariate": True,
        "capability:exogenous": True,
        "capability:categorical_in_X": True,
        "capability:non_contiguous_X": True,
        "capability:insample": True,
        "capability:pred_int": True,
        "capability:pred_int:insample": True,
        "capability:missing_values": True,
        "capability:update": True,
        "capability:pretrain": True,
        "capability:random_state": True,  # joint paths
        "property:randomness": "derandomized",
        "capability:unequal_length": True,
        "requires-fh-in-fit": False,
        "X-y-must-have-same-index": False,
    }
    # False is the default from sktime 1.3 on: the memory here is enough. Before 1.2 sktime kept no
    # cutoff without the data.
    _config: ClassVar[dict[str, Any]] = {
        "remember_data": Version(sktime.__version__).release < (1, 2)
    }

    verbose: bool = False  # whether finetuning shows a progress bar; a parameter of some classes

    def __post_init__(self) -> None:
        """Set the attributes that sktime reads but creates with ``remember_data`` alone."""
        self._y = None
        self._X = None

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore a pickle; one of version 0.1 has the parts of the memory as four attributes."""
        if "_histories" in state:
            names = ("_histories", "_instances", "_columns", "_index_names")
            state["_memory"] = Memory(*(state.pop(name) for name in names))
        if "covariates" not in state:  # of a version that could not use X
            state = state | {"exogenous": None} if state.get("exogenous") == "raise" else state
        # version 0.1 had none of these
        later: dict[str, Any] = {"on_error": "raise", "covariates": "auto", "padding": "mean"}
        later["_beside"] = None
        later |= {"n_paths": N_PATHS, "random_state": None, "quality": "plain"}
        later["nonnegative"] = "auto"  # nor had version 0.2 this one
        self.__dict__.update(later | state)

    def _fit(self, y: pd.DataFrame, X: pd.DataFrame | None, fh: Any) -> PipelineForecaster:
        self._check_parameters()
        if y.empty:
            raise ValueError("y is empty; a forecast needs at least one observed value")
        self._remember(Memory.of(y, self._length(), self.on_error))
        self._remember_X(X, self._length())
        if self._tunes_in_fit():
            self._tune(self._memory, self._X_to_tune())
        return self

    def _tunes_in_fit(self) -> bool:
        """Whether a fit will finetune; sktime has removed by then all but pretrained attributes."""
        return tuning_of(self) is not None and not hasattr(self, "adapter_")

    def _pretrain(self, y: pd.DataFrame, X: None = None, fh: Any = None) -> PipelineForecaster:
        """Finetune to every series of a panel, from the adapter so far."""
        self._check_parameters()
        if X is not None and not self._ignores_X():
            warn_of_covariates("pretrain: the network is finetuned to y alone, without X")
        self._tune(Memory.of(y, self._length(), self.on_error))
        # sktime itself would not count an attribute that a fit had made before
        self._pretrained_attrs = ["adapter_"]
        return self

    def _tune(self, memory: Memory, known: Any = None) -> None:
        from timer_forecaster.estimators import tuned
        from timer_forecaster.finetuning import finetune

        histories = memory.histories.values()
        series = [values for history in histories for values in history.values]
        steps = [history.step for history in histories for _ in history.values]
        tune = partial(finetune, known=known, progress=self.verbose, freq=steps)
        self.adapter_ = tuned(self, tune, series)

    def _update(
        self, y: pd.DataFrame, X: pd.DataFrame | None = None, update_params: bool = True
    ) -> PipelineForecaster:
        y = self._memory.matched(y)
        # sktime labels by its latest y, whose columns may stand in another order
        self._y_metadata["feature_names"] = self._memory.columns.to_list()
        if self._y_metadata["mtype"] in _WITHOUT_TIMES:
            y = shifted(y, self._memory.next_time(), self._memory.integer_step())
            self._set_cutoff_from_y(y)
        memory = self._memory.updated(y, self._length(), self.on_error)
        self._beside = self._beside_after(X, memory, self._length())
        self._remember(memory)
        return self

    def _remember(self, memory: Memory) -> None:
        """Keep a memory; show sktime the frequency of its times if sktime found none."""
        self._memory = memory
        cutoff, step = self.cutoff, memory.common_step()
        if isinstance(cutoff, pd.DatetimeIndex) and cutoff.freq is None:
            self._set_cutoff(with_freq(cutoff, step))

    def _length(self) -> int:
        """Return the number of newest steps of each series to remember."""
        return steps_to_remember(options_of(self))

    def _check_parameters(self) -> None:
        check_choice("point", self.point, POINTS)
        self._check_exogenous()
        check_choice("on_error", self.on_error, ON_ERROR)
        check_integer("n_paths", self.n_paths)
        generator_of(self.random_state)
        check_parameters(self)

    def _check_X_y(self, X: Any = None, y: Any = None, **options: Any) -> Any:
        """Check as sktime does, but read the numbers of y first."""
        return super()._check_X_y(X=X, y=as_numbers(y), **options)

    def _predict(self, fh: Any, X: pd.DataFrame | None) -> pd.DataFrame:
        forecast, index = self._forecast(fh, X)
        return pd.DataFrame(self._points(forecast), index=index, columns=self._memory.columns)

    def _points(self, forecast: Forecast) -> FloatArray:
        return forecast.mean if self.point == "mean" else forecast.median

    def predict_residuals(self, y: Any = None, X: Any = None) -> Any:
        """Subtract forecasts from observed values.

        Remembered steps are forecast one step ahead, each from the steps before it. Later steps
        are forecast from the end.

        Parameters
        ----------
        y : time series in an sktime format, optional
            Observed values. Default: all steps that the forecaster remembers.
        X : time series in an sktime format, optional
            Rows of X at the later steps. Remembered steps are forecast without X.

        Returns
        -------
        time series in the format of the latest y
            NaN where no value was observed at the step or before it.
        """
        self.check_is_fitted()
        memory, X_inner = self._memory, self._check_X(X)
        frame = memory.frame() if y is None else memory.matched(convert_to(y, PANDAS))
        covariates = self._covariates(X_inner, self._memory.reaches_beyond(frame))
        forecast = forecast_rows(
            pipeline_of(self), memory, frame, options_of(self), "y", covariates
        )
        observed = frame.to_numpy(dtype=np.float64, na_value=np.nan)
        residuals = pd.DataFrame(
            observed - self._points(forecast), index=frame.index, columns=memory.columns
        )
        mtype = self._y_metadata["mtype"]
        return convert_to(residuals, mtype, store=self._converter_store_y, store_behaviour="freeze")

    def update_predict_single(
        self, y: Any = None, fh: Any = None, X: Any = None, update_params: bool = True
    ) -> Any:
        """Extend the memory, then forecast.

        Parameters and result are the same as in
        `sktime.forecasting.base.BaseForecaster.update_predict_single`.
        """
        refuse_array(X)
        # sktime would label by its inner frame from here on, and count arrays from 0
        return self.update(y, X, update_params).predict(fh, X)
