"""Timer-S1 as an sktime forecaster.

This module translates: pandas containers to arrays and their future times, forecasts back to
frames. What is forecast is up to `timer_forecaster.inference`.
"""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from typing import Any, ClassVar, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from packaging.version import Version
from pandas.tseries.offsets import BaseOffset

from timer_forecaster.checks import check_choice, check_flag
from timer_forecaster.extras import missing_extra

try:
    import sktime
    from sktime.datatypes import convert_to
    from sktime.forecasting.base import BaseForecaster
    from sktime.forecasting.model_evaluation import evaluate as sktime_evaluate
    from sktime.split import ExpandingWindowSplitter
    from sktime.utils.validation.forecasting import check_fh
except ImportError as error:
    what = "timer_forecaster.sktime needs sktime 1.1 or newer"
    raise ImportError(missing_extra(what, "sktime")) from error

from timer_forecaster.estimators import check_pipeline, check_tuning, options_of, pipeline_of
from timer_forecaster.finetuning.config import FinetuneConfig
from timer_forecaster.frames.history import Histories, History, extended, steps_after, times_at
from timer_forecaster.frames.panel import Panel, label
from timer_forecaster.inference import Forecast, ForecastPipeline, memo
from timer_forecaster.inference.multiscale import LOOK_BACK
from timer_forecaster.inference.options import ForecastOptions

__all__ = ["TimerS1Forecaster", "evaluate"]

POINTS = ("median", "mean")
EXOGENOUS = ("raise", "warn")
# As far back as any forecast reads: older steps are forgotten.
MEMORY = LOOK_BACK
_PANDAS = ["pd.DataFrame", "pd-multiindex", "pd_multiindex_hier"]
_IN_PROCESS = (None, "None", "threading")
_WITHOUT_TIMES = ("np.ndarray", "numpy3D")


class TimerS1Forecaster(BaseForecaster):
    """Probabilistic forecasts from a Timer-S1 checkpoint, zero-shot or tuned.

    `fit` only remembers the newest steps of each series; it trains nothing unless ``tuning`` asks
    for it. `pretrain` tunes to a panel beforehand. All instances of a panel or hierarchy, and all
    variables, are forecast in one batched computation, each by itself and from its own end.
    `update` extends what is remembered, whatever ``update_params`` says.
    Missing values need no imputation, and time stamps that are absent from a regular index are
    missing values too. Arrays have no times: those of an update count on.

    A fitted forecaster holds no weights: they are loaded at the first forecast into a cache of
    the process, which keeps four networks and which `timer_forecaster.release` empties. Copies and
    pickles hold the remembered steps, 8 bytes each, and what was tuned, and share the weights. What
    is asked about one context again, for a point, an interval or a distribution, is answered from
    the one forecast, which is remembered beside the weights.

    Parameters
    ----------
    model_path : str or None, default="timer-s1-mini"
        A name of `timer_forecaster.list_checkpoints`, a folder in the released layout, or a hub
        id such as ``"bytedance-research/Timer-S1"``. None: random weights, see ``config``.
    revision : str, optional
        Branch, tag or commit of a hub id.
    context_length : int, optional
        Newest steps of each series to forecast from; see
        `timer_forecaster.ForecastPipeline.predict`. At most 65,536 steps are remembered where this
        does not ask for more.
    point : {"median", "mean"}, default="median"
        What `predict` returns: the median, which minimises the absolute error, or the mean of
        the predicted distribution, tails included, which minimises the squared error.
    rollout : {"auto", "quantile", "median", "multiscale"}, default="auto"
        How to go on beyond one pass; see `timer_forecaster.ForecastPipeline.predict`.
    flip : bool, default=False
        Average with the mirror image of the negative's forecast, at twice the cost.
    batch_size : int, optional
        Most series that enter the network at once. Default: by a budget of tokens.
    device_map : str, int, torch.device or dict, default="auto"
        Device such as ``"cpu"``, ``"cuda:1"``, 1 or ``{"": "cuda:1"}``. ``"auto"`` takes a GPU if
        there is one, and the CPU for ``quantization="int8"``. A network is not spread over several
        devices.
    dtype : str, torch.dtype or None, default="auto"
        Type to compute in. ``"auto"`` or None: the stored type from 10⁹ parameters on; bfloat16
        for other wide networks (hidden size 256 and more) that are stored in it, where the device
        is fast at it; else float32. Series are scaled in float64 whatever it is.
    exogenous : {"raise", "warn"}, default="raise"
        What happens to an ``X``, which no forecast here can use: an error, or a warning that it is
        ignored, for comparison beside forecasters that use it.
    config : dict, TimerS1Config or TimerS1Architecture, optional
        With ``model_path=None``: sizes of a network of random weights, which are the same each
        time and **not trained**. Its forecasts mean nothing; it serves tests of software.
    quantization_config : optional
        A quantisation of a transformers library for the weights of ``model_path``; see
        `timer_forecaster.ForecastPipeline.from_pretrained`.
    deterministic : bool, default=False
        Either value, for users of sktime's own class: forecasts depend on the input alone.
    quantization : {"int8"}, optional
        ``"int8"`` computes the experts in 8-bit integers on a CPU: half the memory of
        bfloat16 and, in wide networks, less time; see
        `timer_forecaster.ForecastPipeline.from_pretrained`.
    adapter : timer_forecaster.finetuning.Adapter, str or Path, optional
        What a tuning of this checkpoint has made, or the folder or hub id of it. Forecasts are made
        with it, and a tuning here starts from it.
    tuning : timer_forecaster.finetuning.FinetuneConfig, optional
        How to tune. `fit` then tunes to y, all series and variables together, unless `pretrain` has
        done so before; `pretrain` tunes by it or, if it is None, by the default settings. Its
        ``context_length`` is by default the one above.

    Attributes
    ----------
    adapter_ : timer_forecaster.finetuning.Adapter
        What `pretrain` or `fit` has tuned; not there if neither has. Forecasts are made with it, in
        place of ``adapter``.

    Notes
    -----
    `pretrain` reads the newest steps of each series that `fit` would remember. Called again, it
    goes on from ``adapter_``, which later fits, clones, copies and pickles keep, as sktime defines
    it; `set_params` resets it. The horizon in ``tuning`` says how far ahead is trained, whatever
    ``fh`` is. `update` extends what is remembered and never tunes, whatever ``update_params`` says.

    The constructor takes the names of sktime's own class, ``forward_kwargs`` excepted: the one
    that it could hold, ``{"revin": True}``, is what is always done.

    Any quantile level in (0, 1) can be asked for; see `timer_forecaster.Forecast`.

    In-sample steps are one-step forecasts, each from the steps before it, in one batch; they are
    NaN where nothing was observed before. That costs a forecast for each step.

    An update that ends before the remembered series do moves the cutoff back, as sktime defines
    it; what lies after the new cutoff is then forgotten.

    References
    ----------
    .. [1] Timer-S1: A Billion-Scale Time Series Foundation Model with Serial Scaling,
       arXiv:2603.04791.

    Examples
    --------
    >>> from sktime.datasets import load_airline
    >>> from timer_forecaster.sktime import TimerS1Forecaster
    >>> y = load_airline()
    >>> forecaster = TimerS1Forecaster().fit(y, fh=range(1, 13))
    >>> forecaster.predict().index[0]
    Period('1961-01', 'M')
    >>> forecaster.predict_interval(coverage=0.8).shape
    (12, 2)
    """

    _tags: ClassVar[dict[str, Any]] = {
        "authors": ["timer-forecaster developers"],
        "maintainers": ["timer-forecaster developers"],
        "y_inner_mtype": _PANDAS,
        "X_inner_mtype": _PANDAS,
        "capability:multivariate": True,
        "capability:exogenous": False,
        "capability:insample": True,
        "capability:pred_int": True,
        "capability:pred_int:insample": True,
        "capability:missing_values": True,
        "capability:update": True,
        "capability:pretrain": True,
        "capability:unequal_length": True,
        "requires-fh-in-fit": False,
        "X-y-must-have-same-index": False,
    }
    # The default from sktime 1.3 on: the context is remembered here, and once. Before 1.2 sktime
    # kept no cutoff without the data.
    _config: ClassVar[dict[str, Any]] = {
        "remember_data": Version(sktime.__version__).release < (1, 2)
    }

    def __init__(
        self,
        model_path: str | None = "timer-s1-mini",
        revision: str | None = None,
        context_length: int | None = None,
        point: str = "median",
        rollout: str = "auto",
        flip: bool = False,
        batch_size: int | None = None,
        device_map: Any = "auto",
        dtype: Any = "auto",
        exogenous: str = "raise",
        config: Any = None,
        quantization_config: Any = None,
        deterministic: bool = False,
        quantization: str | None = None,
        adapter: Any = None,
        tuning: FinetuneConfig | None = None,
    ) -> None:
        self.model_path = model_path
        self.revision = revision
        self.context_length = context_length
        self.point = point
        self.rollout = rollout
        self.flip = flip
        self.batch_size = batch_size
        self.device_map = device_map
        self.dtype = dtype
        self.exogenous = exogenous
        self.config = config
        self.quantization_config = quantization_config
        self.deterministic = deterministic
        self.quantization = quantization
        self.adapter = adapter
        self.tuning = tuning
        super().__init__()

    def __post_init__(self) -> None:
        """Provide what sktime's base class reads but creates with ``remember_data`` alone."""
        self._y = None
        self._X = None

    def _fit(self, y: pd.DataFrame, X: None, fh: Any) -> TimerS1Forecaster:
        self._check_parameters()
        if y.empty:
            raise ValueError("y is empty; a forecast needs at least one observed value")
        self._columns = y.columns
        self._index_names = list(y.index.names)
        self._instances: pd.Index | None = None
        self._histories: Histories = {}
        self._remember(y)
        if self._tunes_in_fit():
            self._tune(self._histories)
        return self

    def _tunes_in_fit(self) -> bool:
        """Tell before a fit, at which sktime drops what was learnt but for that in `pretrain`."""
        return self.tuning is not None and not hasattr(self, "adapter_")

    def _pretrain(self, y: pd.DataFrame, X: None = None, fh: Any = None) -> TimerS1Forecaster:
        """Tune to every series of a panel; again, and it goes on from the adapter so far."""
        self._check_parameters()
        self._tune(extended({}, Panel.of(y), self._memory()))
        # sktime itself would not count an attribute that a fit had made before
        self._pretrained_attrs = ["adapter_"]
        return self

    def _tune(self, histories: Histories) -> None:
        from timer_forecaster.estimators import tuned
        from timer_forecaster.finetuning import finetune

        series = [values for history in histories.values() for values in history.values]
        self.adapter_ = tuned(self, finetune, series)

    def _update(
        self, y: pd.DataFrame, X: None = None, update_params: bool = True
    ) -> TimerS1Forecaster:
        y = self._matched(y)
        # sktime labels by its latest y, whose columns may stand in another order
        self._y_metadata["feature_names"] = self._columns.to_list()
        if self._y_metadata["mtype"] in _WITHOUT_TIMES:
            y = _shifted(y, self._next_time())
            self._set_cutoff_from_y(y)
        self._remember(y)
        return self

    def _next_time(self) -> int:
        """Time at which an array continues what is remembered: arrays count on."""
        ends = [history.end for history in self._histories.values()]
        if not pd.api.types.is_integer_dtype(ends[0]):
            raise ValueError(
                f"y is an array, which has no times; those of y in fit are {ends[0].dtype}: "
                "pass a pandas object with such an index"
            )
        return 1 + max(int(end[0]) for end in ends)

    def _matched(self, y: pd.DataFrame) -> pd.DataFrame:
        """Return later values with the columns of those in fit."""
        given, fitted = y.columns, self._columns
        same = set(given) == set(fitted) or len(given) == len(fitted) == 1
        if not same or y.index.nlevels != len(self._index_names):
            raise ValueError(
                f"y has columns {list(given)} and {y.index.nlevels} index levels; it needs "
                f"{list(fitted)} and {len(self._index_names)}, as in fit"
            )
        return y[fitted] if len(fitted) > 1 else y

    def _remember(self, y: pd.DataFrame) -> None:
        """Extend the histories by new values, and add those of new instances."""
        panel = Panel.of(y)
        known = self._histories
        self._histories = extended(known, panel, self._memory())
        if panel.instances is not None:
            new = [i for i, key in enumerate(panel.keys) if key not in known]
            added = panel.instances.take(new)
            self._instances = added if self._instances is None else self._instances.append(added)
        self._set_cutoff(_with_step(self.cutoff, self._histories.values()))

    def _memory(self) -> int:
        """Newest steps of each series that are read."""
        return max(MEMORY, self.context_length or 0)

    def _check_parameters(self) -> None:
        for name, choices in (("point", POINTS), ("exogenous", EXOGENOUS)):
            check_choice(name, getattr(self, name), choices)
        check_flag("deterministic", self.deterministic)
        options_of(self)
        check_tuning(self.tuning)
        check_pipeline(self)

    def _check_X_y(self, X: Any = None, y: Any = None, **options: Any) -> Any:
        """Check as sktime does, which then drops X as the tag says; here it is not silent."""
        checked = super()._check_X_y(X=X, y=y, **options)
        if X is not None:
            message = f"X: {type(self).__name__} forecasts from y alone and cannot use X"
            if self.exogenous == "raise":
                raise ValueError(f"{message}; leave X out, or have it ignored by exogenous='warn'")
            warnings.warn(f"{message}; it is ignored", stacklevel=3)
        return checked

    def _predict(self, fh: Any, X: None) -> pd.DataFrame:
        forecast, index = self._forecast(fh)
        return pd.DataFrame(self._points(forecast), index=index, columns=self._columns)

    def _predict_quantiles(self, fh: Any, X: None, alpha: list[float]) -> pd.DataFrame:
        forecast, index = self._forecast(fh)
        values = np.stack([forecast.quantile(level) for level in alpha], axis=-1)
        columns = pd.MultiIndex.from_product([self._columns, alpha])
        return pd.DataFrame(values.reshape(len(values), -1), index=index, columns=columns)

    def _predict_var(self, fh: Any, X: None = None, cov: bool = False) -> pd.DataFrame:
        if cov:
            raise ValueError("cov=True: steps are forecast one by one; leave cov out for variances")
        forecast, index = self._forecast(fh)
        return pd.DataFrame(forecast.variance, index=index, columns=self._columns)

    def _predict_proba(self, fh: Any, X: None, marginal: bool = True) -> Any:
        from timer_forecaster.skpro import QuantileFunction

        if not marginal:
            raise ValueError("marginal=False: steps are forecast one by one, not jointly")
        forecast, index = self._forecast(fh)
        return QuantileFunction(
            forecast.quantiles, forecast.levels, index=index, columns=self._columns
        )

    def predict_residuals(self, y: Any = None, X: Any = None) -> Any:
        """Subtract forecasts from observed values.

        Those of steps that the forecaster remembers are one-step forecasts from the steps before,
        those of later steps reach from the end.

        Parameters
        ----------
        y : time series in an sktime format, optional
            Observed values. Default: all steps that the forecaster remembers.
        X : None
            Not used.

        Returns
        -------
        time series in the format of the latest y
            NaN where no value was observed, or none before.
        """
        self.check_is_fitted()
        self._check_X(X)
        frame = self._remembered() if y is None else self._matched(convert_to(y, _PANDAS))
        panel = Panel.of(frame)
        for key in panel.keys:
            if key not in self._histories:
                raise ValueError(f"{label(key)} is not known; update with it, or leave it out")
        steps = {
            key: steps_after(self._histories[key], panel.axes[axis], "y: times")
            for key, axis in zip(panel.keys, panel.axis, strict=True)
        }
        expected = np.empty((len(frame), len(self._columns)))
        expected[np.concatenate(panel.rows)] = self._points(self._forecast_steps(steps, "y"))
        observed = frame.to_numpy(dtype=np.float64, na_value=np.nan)
        residuals = pd.DataFrame(observed - expected, index=frame.index, columns=self._columns)
        mtype = self._y_metadata["mtype"]
        return convert_to(residuals, mtype, store=self._converter_store_y, store_behaviour="freeze")

    def update_predict(
        self,
        y: Any,
        cv: Any = None,
        X: Any = None,
        update_params: bool = True,
        reset_forecaster: bool = True,
    ) -> Any:
        """Forecast from every window of a splitter, all windows in one batch.

        Parameters and result are those of `sktime.forecasting.base.BaseForecaster.update_predict`.
        """
        self.check_is_fitted()
        if isinstance(y, np.ndarray):
            raise TypeError(
                "y is an array, whose windows have no times; pass a pandas object with an index, "
                "or call update and predict"
            )
        cv = ExpandingWindowSplitter(initial_window=1) if cv is None else cv
        frame = convert_to(y, _PANDAS)
        copy = deepcopy(self)
        self._prefetch((copy.update(frame.iloc[window]) for window, _ in cv.split(frame)), cv.fh)
        return super().update_predict(y, cv, X, update_params, reset_forecaster)

    def update_predict_single(
        self, y: Any = None, fh: Any = None, X: Any = None, update_params: bool = True
    ) -> Any:
        """Extend the context, then forecast.

        Parameters and result are those of
        `sktime.forecasting.base.BaseForecaster.update_predict_single`.
        """
        if isinstance(y, np.ndarray):  # sktime would forget here that arrays count on
            return self.update(y, X, update_params).predict(fh, X)
        return super().update_predict_single(y, fh, X, update_params)

    def _prefetch(self, states: Iterable[TimerS1Forecaster], fh: Any) -> None:
        """Make the forecasts of copies in several states in one batch, for them to recall."""
        memo.prefetch(
            pipeline_of(self),
            (question for copy in states for question in copy._questions(fh)),
            options_of(self),
        )

    def _questions(self, fh: Any) -> Iterator[memo.Question]:
        """Say what `predict` will ask for, leaving in-sample steps out."""
        asked = self._wanted(check_fh(fh, freq=self._cutoff))
        horizon = max(int(steps.max()) for steps, _ in asked)
        if horizon > 0:
            contexts = self._contexts(self._histories)
            yield [values.copy() for values in contexts], horizon  # states share no memory

    def _points(self, forecast: Forecast) -> NDArray[np.float64]:
        return forecast.mean if self.point == "mean" else forecast.median

    def _remembered(self) -> pd.DataFrame:
        """Every step that is remembered, as a frame like y."""
        histories = self._histories.values()
        index = self._labelled([history.times() for history in histories])
        values = np.concatenate([history.values for history in histories], axis=1)
        return pd.DataFrame(values.T, index=index, columns=self._columns)

    def _forecast(self, fh: Any) -> tuple[Forecast, pd.Index]:
        """Forecast what a horizon asks for, and say which rows that makes."""
        wanted = self._wanted(fh)
        steps = dict(zip(self._histories, [steps for steps, _ in wanted], strict=True))
        return self._forecast_steps(steps, "fh"), self._labelled([times for _, times in wanted])

    def _wanted(self, fh: Any) -> list[tuple[NDArray[np.intp], pd.Index]]:
        """Return the steps and times that a horizon asks of each instance."""
        known: dict[int, tuple[NDArray[np.intp], pd.Index]] = {}
        for history in self._histories.values():
            if id(history.end) not in known:  # instances that end together share it
                known[id(history.end)] = _wanted_steps(fh, history)
        return [known[id(history.end)] for history in self._histories.values()]

    def _labelled(self, times: Sequence[pd.Index]) -> pd.Index:
        """Index rows by instance and time, the times of each instance given."""
        if self._instances is None:
            return times[0].rename(self._index_names[0])
        outer = self._instances.repeat([len(own) for own in times])
        levels = [outer.get_level_values(i) for i in range(outer.nlevels)]
        inner = times[0].append(list(times[1:]))
        return pd.MultiIndex.from_arrays([*levels, inner], names=self._index_names)

    def _forecast_steps(
        self, steps: Mapping[Hashable, NDArray[np.intp]], argument: str
    ) -> Forecast:
        """Forecast steps of instances, counted from the end of each, which is step 0.

        Steps from 1 on are forecast from the end, earlier ones each from the steps before it.
        The argument that asks for them is named in errors.

        Returns
        -------
        Forecast
            Its quantiles are of shape (rows, variables, Q), the rows those of the instances in
            turn; NaN for steps before which nothing was observed.
        """
        histories = [self._histories[key] for key in steps]
        self._check_reach(steps, argument)
        pipeline, options = pipeline_of(self), options_of(self)
        levels = pipeline.network.config.quantiles
        instance = np.repeat(range(len(steps)), [len(own) for own in steps.values()])
        step = np.concatenate(list(steps.values()))
        ahead = step > 0
        quantiles = np.empty((len(step), len(self._columns), len(levels)))
        if ahead.any():
            contexts = self._contexts(steps)
            forecast = memo.predict(pipeline, contexts, int(step.max()), options)
            shape = len(histories), len(self._columns), -1, len(levels)
            future = forecast.quantiles.reshape(shape)
            quantiles[ahead] = future[instance[ahead], :, step[ahead] - 1]
        if not ahead.all():
            past = zip(instance[~ahead], step[~ahead], strict=True)
            windows = [window for i, at in past for window in _known_before(histories[i], at)]
            quantiles[~ahead] = _one_step(pipeline, windows, options).reshape(
                -1, *quantiles.shape[1:]
            )
        return Forecast(quantiles, levels)

    def _check_reach(self, steps: Mapping[Hashable, NDArray[np.intp]], argument: str) -> None:
        """Refuse a step that lies before everything that is remembered."""
        starts = {key: 1 - self._histories[key].values.shape[1] for key in steps}
        if all(own.min() < starts[key] for key, own in steps.items()):
            key, own = next(iter(steps.items()))
            raise ValueError(
                f"{argument}: step {own.min()} lies before {self._histories[key].times()[0]}, the "
                f"first that is remembered of {label(key)}"
            )

    def _contexts(self, keys: Iterable[Hashable]) -> list[NDArray[np.float64]]:
        """Cut every variable of instances to the newest steps that any forecast can read.

        One of which nothing was observed in what the network reads in a pass is refused.
        """
        config = pipeline_of(self).network.config
        options = options_of(self)
        longest, newest = options.longest_history(config), options.longest_context(config)
        contexts: list[NDArray[np.float64]] = []
        for key in keys:
            values = self._histories[key].values
            empty = np.isnan(values[:, -newest:]).all(axis=1)
            if empty.any():
                raise ValueError(
                    f"{label(key)}: no value of column {self._columns[int(empty.argmax())]!r} was "
                    f"observed in the newest {newest} steps, which a forecast is made from"
                )
            contexts += list(values[:, -longest:])
        return contexts

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Parameters for sktime's test suite: small random networks of the nine released levels.

        Parameters
        ----------
        parameter_set : str
            There is one set for all purposes.

        Returns
        -------
        list of dict
        """
        sizes = {
            "input_token_len": 4,  # so that the suite's short panels can be tuned to
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_attention_heads": 4,
            "num_experts": 4,
            "num_hidden_layers": 1,
            "num_mtp_tokens": 1,
        }
        options = {
            "context_length": 20,
            "point": "mean",
            "rollout": "median",
            "batch_size": 3,
            "device_map": "cpu",
            "dtype": "float64",
        }
        brief = FinetuneConfig(steps=1, batch_size=2, context_length=32)
        sets: list[dict[str, Any]] = [
            {"model_path": "timer-s1-test"},
            {"model_path": "timer-s1-test", "tuning": brief, **options},
            {"model_path": None, "config": sizes, "tuning": brief, "deterministic": True},
        ]
        # sktime's suite hands an X to every forecaster, whether its tags say that it uses X or not
        return [{**own, "exogenous": "warn"} for own in sets]


def evaluate(
    forecaster: TimerS1Forecaster,
    cv: Any,
    y: Any,
    X: Any = None,
    strategy: str = "refit",
    **options: Any,
) -> pd.DataFrame:
    """Evaluate as sktime does, with the forecasts of all folds made in one batch.

    The result is that of `sktime.forecasting.model_evaluation.evaluate`, up to the rounding of the
    batch; the times in it are those of recalling a forecast. Worker processes (backends "loky",
    "multiprocessing", "dask", "ray") do not share memory, so that their folds are forecast one by
    one, and so are those of a forecaster that is tuned in `fit`, whose networks differ.

    Parameters
    ----------
    forecaster : TimerS1Forecaster
    cv, y, X, strategy, **options
        As `sktime.forecasting.model_evaluation.evaluate` takes them.

    Returns
    -------
    pandas.DataFrame
        A row per fold.

    Raises
    ------
    TypeError
        If the forecaster is another; sktime's function serves those.

    Examples
    --------
    >>> from sktime.datasets import load_airline
    >>> from sktime.split import ExpandingWindowSplitter
    >>> from timer_forecaster.sktime import TimerS1Forecaster, evaluate
    >>> cv = ExpandingWindowSplitter(fh=[1, 2, 3], initial_window=100, step_length=10)
    >>> len(evaluate(TimerS1Forecaster(), cv, load_airline()))
    5
    """
    if not isinstance(forecaster, TimerS1Forecaster):
        raise TypeError(
            f"forecaster is a {type(forecaster).__name__}, not a TimerS1Forecaster; "
            "use sktime.forecasting.model_evaluation.evaluate"
        )
    if options.get("backend") in _IN_PROCESS and options.get("cv_global") is None:
        # What fails here fails again below, where error_score says what becomes of it.
        with suppress(Exception):
            copy = forecaster.clone()
            if not copy._tunes_in_fit():
                copy._prefetch(_fold_by_fold(copy, cv, y, strategy), cv.fh)
    return sktime_evaluate(forecaster, cv, y, X, strategy, **options)


def _fold_by_fold(
    forecaster: TimerS1Forecaster, cv: Any, y: Any, strategy: str
) -> Iterator[TimerS1Forecaster]:
    """Fit or update with the training data of each fold in turn."""
    for i, (train, _) in enumerate(cv.split_series(convert_to(y, _PANDAS))):
        yield forecaster.fit(train) if i == 0 or strategy == "refit" else forecaster.update(train)


def _shifted(y: pd.DataFrame, by: int) -> pd.DataFrame:
    """Move integer times; what came as an array counts from 0 and continues what is known."""
    if isinstance(y.index, pd.MultiIndex):
        return y.set_axis(y.index.set_levels(list(y.index.levels[-1] + by), level=-1))
    return y.set_axis(y.index + by)


def _wanted_steps(fh: Any, history: History) -> tuple[NDArray[np.intp], pd.Index]:
    """Return the steps that a horizon asks of an instance, 0 for its end, and their times."""
    wanted = fh.to_pandas()
    if fh.is_relative and pd.api.types.is_integer_dtype(wanted):
        steps = wanted.to_numpy(dtype=np.intp)
        return steps, times_at(history, steps)
    if not fh.is_relative:
        return steps_after(history, wanted, "fh: times"), wanted
    if not isinstance(history.end, pd.DatetimeIndex):
        raise ValueError(
            f"fh holds time differences and y's times are {history.end.dtype}; give whole steps"
        )
    times = pd.DatetimeIndex([history.end[0] + by for by in wanted])
    return steps_after(history, times, "fh: times"), times


def _known_before(history: History, step: int) -> NDArray[np.float64]:
    """Return what was known of each variable before a step that is not after the end."""
    return history.values[:, : max(0, history.values.shape[1] - 1 + step)]


def _one_step(
    pipeline: ForecastPipeline, windows: Sequence[NDArray[np.float64]], options: ForecastOptions
) -> NDArray[np.float64]:
    """Quantiles (windows, Q) of the step after each window; NaN where it shows no value."""
    config = pipeline.network.config
    newest = options.longest_context(config)
    cut = [window[-newest:] for window in windows]
    shown = [i for i, window in enumerate(cut) if not np.isnan(window).all()]
    quantiles = np.full((len(cut), len(config.quantiles)), np.nan)
    if shown:
        forecast = memo.predict(pipeline, [cut[i] for i in shown], 1, options)
        quantiles[shown] = forecast.quantiles[:, 0]
    return quantiles


def _with_step(cutoff: pd.Index, histories: Iterable[History]) -> pd.Index:
    """Tell sktime the frequency where it saw none and all instances have the same."""
    steps = {history.step for history in histories}
    if isinstance(cutoff, pd.DatetimeIndex) and cutoff.freq is None and len(steps) == 1:
        return pd.DatetimeIndex(cutoff, freq=cast(BaseOffset, steps.pop()))
    return cutoff
