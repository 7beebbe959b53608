"""Timer-S1 as an sktime forecaster.

This module translates: pandas containers to arrays and their future times, forecasts back to
frames. What is forecast is up to `timer_forecaster.inference`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, ClassVar, NamedTuple, cast

import numpy as np
import pandas as pd
import sktime
from numpy.typing import NDArray
from packaging.version import Version
from pandas.tseries.offsets import BaseOffset
from sktime.forecasting.base import BaseForecaster

from timer_forecaster.inference import Forecast, ForecastPipeline
from timer_forecaster.inference.cache import NetworkKey
from timer_forecaster.inference.multiscale import LOOK_BACK
from timer_forecaster.inference.pipeline import ROLLOUT_CHOICES
from timer_forecaster.inference.times import (
    Step,
    evident_grid,
    future_times,
    regular_grid,
    regular_step,
)

__all__ = ["TimerS1Forecaster"]

FloatArray = NDArray[np.float64]

POINTS = ("median", "mean")
# The longest context of a released checkpoint: older steps are forgotten.
MEMORY = LOOK_BACK
_PANDAS = ["pd.DataFrame", "pd-multiindex", "pd_multiindex_hier"]
_WITHOUT_TIMES = ("np.ndarray", "numpy3D")


class TimerS1Forecaster(BaseForecaster):
    """Zero-shot probabilistic forecasts from a Timer-S1 checkpoint.

    `fit` only remembers the newest steps of each series; nothing is trained. All instances of a
    panel or hierarchy, and all variables, are forecast in one batched computation, each by itself
    and from its own end. `update` extends what is remembered, whatever ``update_params`` says.
    Missing values need no imputation, and time stamps that are absent from a regular index are
    missing values too.

    A fitted forecaster holds no weights: they are loaded at the first forecast into a cache of
    the process, which `timer_forecaster.release` empties. Copies and pickles are small, and all
    share the weights.

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
        there is one. A network is not spread over several devices.
    dtype : str, torch.dtype or None, default="auto"
        Type to compute in. ``"auto"`` or None: float32, or the stored type for networks of more
        than 10⁹ parameters. Series are scaled in float64 whatever it is.
    config : dict, TimerS1Config or TimerS1Architecture, optional
        With ``model_path=None``: sizes of a network of random weights, which are the same each
        time and **not trained**. Its forecasts mean nothing; it serves tests of software.
    quantization_config : optional
        A quantisation of a transformers library for the weights of ``model_path``; see
        `timer_forecaster.ForecastPipeline.from_pretrained`.
    deterministic : bool, default=False
        Either value, for users of sktime's own class: forecasts depend on the input alone.

    Notes
    -----
    The constructor takes the names of sktime's own class, ``forward_kwargs`` excepted: the one
    that it could hold, ``{"revin": True}``, is what is always done.

    Any quantile level in (0, 1) can be asked for; see `timer_forecaster.Forecast`.
    `predict_var` and `predict_proba` are sktime's defaults: a normal distribution with the
    interquartile range of the forecast, about the point forecast. The quantiles know more.

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
        "capability:insample": False,
        "capability:pred_int": True,
        "capability:pred_int:insample": False,
        "capability:missing_values": True,
        "capability:update": True,
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
        config: Any = None,
        quantization_config: Any = None,
        deterministic: bool = False,
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
        self.config = config
        self.quantization_config = quantization_config
        self.deterministic = deterministic
        super().__init__()

    def __post_init__(self) -> None:
        """Provide what sktime's base class reads but creates with ``remember_data`` alone."""
        self._y = None
        self._X = None

    def _fit(self, y: pd.DataFrame, X: None, fh: Any) -> TimerS1Forecaster:
        self._check_parameters()
        self._columns = y.columns
        self._index_names = list(y.index.names)
        self._instances: pd.Index | None = None
        self._contexts: dict[Hashable, _Context] = {}
        self._remember(y)
        return self

    def _update(
        self, y: pd.DataFrame, X: None = None, update_params: bool = True
    ) -> TimerS1Forecaster:
        given, fitted = y.columns, self._columns
        same = set(given) == set(fitted) or len(given) == len(fitted) == 1
        if not same or y.index.nlevels != len(self._index_names):
            raise ValueError(
                f"y has columns {list(given)} and {y.index.nlevels} index levels; to update, it "
                f"needs {list(fitted)} and {len(self._index_names)}, as in fit"
            )
        y = y[fitted] if len(fitted) > 1 else y
        # sktime labels by its latest y, whose columns may stand in another order
        self._y_metadata["feature_names"] = fitted.to_list()
        if self._y_metadata["mtype"] in _WITHOUT_TIMES:
            y = _shifted(y, 1 + max(int(context.end[0]) for context in self._contexts.values()))
            self._set_cutoff_from_y(y)
        self._remember(y)
        return self

    def _remember(self, y: pd.DataFrame) -> None:
        """Extend the contexts by new values, and add those of new instances."""
        panel = _Panel.of(y)
        new = [i for i, key in enumerate(panel.keys) if key not in self._contexts]
        contexts = self._contexts | _new_contexts(panel, new, self._contexts.values())
        self._contexts = contexts | _extended(panel, contexts, self.context_length or MEMORY)
        if panel.instances is not None:
            added = panel.instances.take(new)
            self._instances = added if self._instances is None else self._instances.append(added)
        self._set_cutoff(_with_step(self.cutoff, self._contexts.values()))

    def _check_parameters(self) -> None:
        for name, choices in (("point", POINTS), ("rollout", ROLLOUT_CHOICES)):
            value = getattr(self, name)
            if value not in choices:
                raise ValueError(f"{name}={value!r} is unknown; use one of {choices}")
        for name in ("context_length", "batch_size"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, (int, np.integer)) and value >= 1):
                raise ValueError(f"{name}={value!r} must be an integer of at least 1, or None")
        if not isinstance(self.deterministic, bool):
            raise TypeError(f"deterministic={self.deterministic!r} must be True or False")
        NetworkKey.resolve(
            self.model_path,
            self.revision,
            self.device_map,
            self.dtype,
            self.config,
            self.quantization_config,
        )

    def _predict(self, fh: Any, X: None) -> pd.DataFrame:
        forecast, horizon = self._forecast(fh)
        values = forecast.mean if self.point == "mean" else forecast.median
        return pd.DataFrame(horizon.rows(values), index=horizon.labels, columns=self._columns)

    def _predict_quantiles(self, fh: Any, X: None, alpha: list[float]) -> pd.DataFrame:
        forecast, horizon = self._forecast(fh)
        values = np.stack([horizon.rows(forecast.quantile(level)) for level in alpha], axis=-1)
        return pd.DataFrame(
            values.reshape(len(values), -1),  # (rows, variables * levels)
            index=horizon.labels,
            columns=pd.MultiIndex.from_product([self._columns, alpha]),
        )

    def _forecast(self, fh: Any) -> tuple[Forecast, _Horizon]:
        """Forecast every variable of every instance in one call of the pipeline."""
        contexts = list(self._contexts.values())
        horizon = _horizon(fh, contexts, self._instances, self._index_names)
        pipeline = ForecastPipeline.from_pretrained(
            self.model_path,
            revision=self.revision,
            device=self.device_map,
            dtype=self.dtype,
            config=self.config,
            quantization_config=self.quantization_config,
        )
        forecast = pipeline.predict(
            [series for context in contexts for series in context.values],
            int(horizon.steps.max()),
            context_length=self.context_length,
            rollout=self.rollout,
            flip=self.flip,
            batch_size=self.batch_size,
        )
        return forecast, horizon

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
        return [
            {"model_path": "timer-s1-test"},
            {
                "model_path": "timer-s1-test",
                "context_length": 20,
                "point": "mean",
                "rollout": "median",
                "batch_size": 3,
                "device_map": "cpu",
                "dtype": "float64",
            },
            {
                "model_path": None,
                "config": {
                    "hidden_size": 16,
                    "intermediate_size": 16,
                    "num_attention_heads": 4,
                    "num_experts": 4,
                    "num_hidden_layers": 1,
                    "num_mtp_tokens": 1,
                },
                "deterministic": True,
            },
        ]


class _Context(NamedTuple):
    """The newest steps of an instance, on a regular grid of times."""

    end: pd.Index  # the last time, alone; instances that end together share the object
    step: Step
    values: FloatArray  # (variables, steps), NaN where missing


class _Panel(NamedTuple):
    """A frame cut by instance."""

    instances: pd.Index | None  # None for a single series
    keys: list[Hashable]
    axes: list[pd.Index]  # the distinct indices of times
    axis: list[int]  # number of each instance's axis
    values: list[FloatArray]  # of each instance, (variables, times)

    @classmethod
    def of(cls, y: pd.DataFrame) -> _Panel:
        """Cut a frame; an instance is named by the levels of its rows above the time."""
        values = y.to_numpy(dtype=np.float64, na_value=np.nan).T
        if np.isinf(values).any():
            variable, row = np.argwhere(np.isinf(values))[0]
            raise ValueError(
                f"y is infinite at {y.index[row]} in column {y.columns[variable]!r}; use NaN for "
                "missing values"
            )
        if not isinstance(y.index, pd.MultiIndex):
            return cls(None, [()], [y.index], [0], [values])
        *outer, inner = (np.asarray(codes, dtype=np.int64) for codes in y.index.codes)
        sizes = tuple(len(level) for level in y.index.levels[:-1])
        group, _ = pd.factorize(np.ravel_multi_index(tuple(outer), sizes))
        rows = np.split(np.argsort(group, kind="stable"), np.bincount(group).cumsum()[:-1])
        instances = y.index.take([block[0] for block in rows]).droplevel(-1)
        times = [inner[block] for block in rows]
        distinct = {codes.tobytes(): codes for codes in times}
        axes = [y.index.levels[-1].take(codes) for codes in distinct.values()]
        number = dict(zip(distinct, range(len(distinct)), strict=True))
        return cls(
            instances,
            instances.tolist(),
            axes,
            [number[codes.tobytes()] for codes in times],
            [values[:, block] for block in rows],
        )

    def label(self, i: int) -> str:
        """Name of an instance in errors."""
        return "y" if self.instances is None else f"y, instance {self.keys[i]!r}"

    def axis_label(self, axis: int) -> str:
        """Name of the first instance with these times, for errors."""
        return self.label(self.axis.index(axis))


def _new_contexts(
    panel: _Panel, new: Sequence[int], known: Iterable[_Context]
) -> dict[Hashable, _Context]:
    """Contexts of new instances; they end at the first time and hold nothing yet."""
    own = {axis: _own_step(panel.axes[axis]) for axis in {panel.axis[i] for i in new}}
    votes = Counter(step for step in own.values() if step is not None)
    votes.update(context.step for context in known)
    common = votes.most_common(1)[0][0] if votes else None
    axes = {
        axis: (panel.axes[axis].take([0]), _step(panel, axis, step, common))
        for axis, step in own.items()
    }
    contexts = {}
    for i in new:
        values = panel.values[i]
        if np.isnan(values).all(axis=1).any():
            raise ValueError(f"{panel.label(i)} has a variable without any observed value")
        contexts[panel.keys[i]] = _Context(*axes[panel.axis[i]], np.empty((len(values), 0)))
    return contexts


def _own_step(times: pd.Index) -> Step | None:
    """Step of an instance's times as far as they tell; sktime counts integer times by ones."""
    if not isinstance(times, pd.DatetimeIndex | pd.PeriodIndex):
        return 1
    return times.freq or regular_step(times)


def _step(panel: _Panel, axis: int, own: Step | None, common: Step | None) -> Step:
    """Return the step of a grid of which at least half is there, the rest being missing values."""
    times = panel.axes[axis]
    label = panel.axis_label(axis)
    if not times.is_unique:
        raise ValueError(f"{label}: time {times[times.duplicated()][0]} is there more than once")
    found = evident_grid(times, own, common)
    if found is not None:
        return found[0]
    raise ValueError(
        f"{label} has no evident frequency in its {len(times)} times, {times[0]} to {times[-1]}; "
        "set it, for example by y.asfreq('h'), resample, or use an integer index without gaps"
    )


def _extended(
    panel: _Panel, contexts: dict[Hashable, _Context], memory: int
) -> dict[Hashable, _Context]:
    """Contexts of the panel's instances with its values written over the old ones."""
    ends = [times.take([-1]) for times in panel.axes]
    places: dict[tuple[int, int, Step], NDArray[np.intp]] = {}
    result = {}
    for key, axis, values in zip(panel.keys, panel.axis, panel.values, strict=True):
        old = contexts[key]
        place = (axis, id(old.end), old.step)
        if place not in places:
            name = f"{panel.axis_label(axis)}: times"
            places[place] = _steps_after(old, panel.axes[axis], name)
        merged = _overwritten(old.values, places[place], values)[:, -memory:]
        result[key] = _Context(ends[axis], old.step, merged.copy())
    return result


def _steps_after(context: _Context, times: pd.Index, name: str) -> NDArray[np.intp]:
    """Count the steps from a context's end to sorted times; negative before it."""
    end, step, _ = context
    grid = regular_grid(end.union(times), step) if times.is_unique else None
    if grid is None:
        raise ValueError(
            f"{name} from {times[0]} to {times[-1]} are not all distinct and whole steps of "
            f"{getattr(step, 'freqstr', step)} from {end[0]}"
        )
    return grid.get_indexer(times) - grid.get_indexer(end)[0]


def _overwritten(old: FloatArray, after: NDArray[np.intp], new: FloatArray) -> FloatArray:
    """Write new values, (variables, times), over old ones, (variables, steps).

    The result reaches from the first step that is known to the last new one, whose places are
    given in steps after the last old one; what nobody gave is missing.
    """
    places = after + old.shape[1] - 1
    lead = max(0, -places[0])
    kept = old[:, : max(0, places[-1] + 1)]
    values = np.full((len(old), lead + places[-1] + 1), np.nan)
    values[:, lead : lead + kept.shape[1]] = kept
    values[:, lead + places] = new
    return values


def _shifted(y: pd.DataFrame, by: int) -> pd.DataFrame:
    """Move integer times; what came as an array counts from 0 and continues what is known."""
    if isinstance(y.index, pd.MultiIndex):
        return y.set_axis(y.index.set_levels(list(y.index.levels[-1] + by), level=-1))
    return y.set_axis(y.index + by)


class _Horizon(NamedTuple):
    """What to forecast, and how the answer is labelled."""

    labels: pd.Index
    steps: NDArray[np.intp]  # (instances, steps), counted from 1 at each instance's own end

    def rows(self, forecast: FloatArray) -> FloatArray:
        """Lay (instances * variables, steps) out as (instances * steps wanted, variables)."""
        instances, n_steps = self.steps.shape
        forecast = forecast.reshape(instances, -1, forecast.shape[-1])
        wanted = np.take_along_axis(forecast, self.steps[:, None] - 1, axis=2)
        return wanted.transpose(0, 2, 1).reshape(instances * n_steps, -1)


def _horizon(
    fh: Any, contexts: Sequence[_Context], instances: pd.Index | None, names: list[Hashable]
) -> _Horizon:
    """Translate sktime's forecasting horizon, for each instance from its own end."""
    known: dict[tuple[int, Step], tuple[NDArray[np.intp], pd.Index]] = {}
    ahead = []
    for context in contexts:
        key = (id(context.end), context.step)
        if key not in known:
            known[key] = _ahead(fh, context)
        ahead.append(known[key])
    steps = np.stack([own for own, _ in ahead])
    if instances is None:
        return _Horizon(ahead[0][1].rename(names[0]), steps)
    times = ahead[0][1].append([own for _, own in ahead[1:]])
    outer = instances.repeat(steps.shape[1])
    levels = [outer.get_level_values(i) for i in range(outer.nlevels)]
    return _Horizon(pd.MultiIndex.from_arrays([*levels, times], names=names), steps)


def _ahead(fh: Any, context: _Context) -> tuple[NDArray[np.intp], pd.Index]:
    """Return how many steps ahead of a context's end to forecast, and the times of these."""
    wanted = fh.to_pandas()
    if fh.is_relative and pd.api.types.is_integer_dtype(wanted):
        steps = wanted.to_numpy(dtype=np.intp)
        return steps, future_times(context.end, context.step, int(steps[-1])).take(steps - 1)
    times = type(context.end)([context.end[0] + by for by in wanted]) if fh.is_relative else wanted
    steps = _steps_after(context, times, "fh: times")
    if steps[0] < 1:
        raise ValueError(f"fh: {times[0]} is not after {context.end[0]}, where a series of y ends")
    return steps, times


def _with_step(cutoff: pd.Index, contexts: Iterable[_Context]) -> pd.Index:
    """Tell sktime the frequency where it saw none and all instances have the same."""
    steps = {context.step for context in contexts}
    if isinstance(cutoff, pd.DatetimeIndex) and cutoff.freq is None and len(steps) == 1:
        return pd.DatetimeIndex(cutoff, freq=cast(BaseOffset, steps.pop()))
    return cutoff
