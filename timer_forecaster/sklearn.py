"""Timer-S1 as a scikit-learn regressor, and windows of series for it and for any other.

This module translates: rows of X are series, columns of y are the steps after them. What is
forecast is up to `timer_forecaster.inference`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from timer_forecaster.arrays import FloatArray
from timer_forecaster.extras import missing_extra

try:
    from sklearn.base import BaseEstimator, RegressorMixin
    from sklearn.utils import Tags
    from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data
except ImportError as error:
    what = "timer_forecaster.sklearn needs scikit-learn 1.6 or newer"
    raise ImportError(missing_extra(what, "sklearn")) from error

from timer_forecaster.checks import check_integer, is_level
from timer_forecaster.estimators import check_pipeline, check_tuning, options_of, pipeline_of
from timer_forecaster.finetuning.config import FinetuneConfig
from timer_forecaster.inference import Forecast, memo
from timer_forecaster.inference.scaling import as_series, check_finite

__all__ = ["TimerS1Regressor", "make_windows"]


class TimerS1Regressor(RegressorMixin, BaseEstimator):
    """Forecasts from a Timer-S1 checkpoint: a row of X is a window, y what follows it.

    Each row of X is the look-back window of a series, old to new, and is forecast by itself: from
    its own level and scale, whatever the other rows are. NaN means missing, so that NaN at the
    start of a row make a shorter window. A row of y holds the steps that follow, or the one step
    if y is 1-D. Forecasts are in the units of X.

    `fit` checks the parameters, X and y, and remembers how many steps y has; it trains nothing
    unless ``tuning`` asks for it. Weights are loaded, and those of a hub id looked up, at the
    first forecast or tuning. They go into a cache of the process, which
    `timer_forecaster.release` empties. Clones and pickles hold what was tuned and no other
    weights. All share these, and for a while the forecasts: what is asked of the same X again,
    such as quantiles after a prediction, does not run the network.

    Parameters
    ----------
    model_path : str or None, default="timer-s1-mini"
        A name of `timer_forecaster.list_checkpoints`, a folder in the released layout, or a hub
        id such as ``"bytedance-research/Timer-S1"``. None: random weights, see ``config``.
    revision : str, optional
        Branch, tag or commit of a hub id.
    context_length : int, optional
        Newest columns of X to forecast from. Default: all that the checkpoint can read; see
        `timer_forecaster.ForecastPipeline.predict`.
    point : {"median", "mean"} or float, default="median"
        What `predict` returns: the median, which minimises the absolute error; the mean of the
        predicted distribution, tails included, which minimises the squared error and with it
        raises R²; or the quantile of a level in (0, 1), which minimises the pinball loss of that
        level.
    rollout : {"auto", "quantile", "median", "multiscale"}, default="auto"
        How to go on beyond one pass; see `timer_forecaster.ForecastPipeline.predict`.
    flip : bool, default=False
        Average with the mirror image of the negative's forecast, at twice the cost.
    batch_size : int, optional
        Most rows that enter the network at once. Default: by a budget of tokens.
    device_map : str, int, torch.device or dict, default="auto"
        Device such as ``"cpu"``, ``"cuda:1"``, 1 or ``{"": "cuda:1"}``. ``"auto"`` takes a GPU if
        there is one, and the CPU for ``quantization="int8"``. A network is not spread over several
        devices.
    dtype : str, torch.dtype or None, default="auto"
        Type to compute in. ``"auto"`` or None: the stored type from 10⁹ parameters on; bfloat16
        for other wide networks (hidden size 256 and more) that are stored in it, where the device
        is fast at it; else float32. Rows are scaled in float64 whatever it is.
    config, quantization_config : optional
        Sizes of a network of random weights, in place of a checkpoint, and a quantisation of the
        weights of ``model_path``; see `timer_forecaster.ForecastPipeline.from_pretrained`.
    quantization : {"int8"}, optional
        ``"int8"`` computes the experts in 8-bit integers on a CPU: half the memory of
        bfloat16 and, in wide networks, less time.
    adapter : timer_forecaster.finetuning.Adapter, str or Path, optional
        What a tuning of this checkpoint has made, or the folder or hub id of it. Forecasts are made
        with it, and a tuning in `fit` starts from it.
    tuning : timer_forecaster.finetuning.FinetuneConfig, optional
        How to tune in `fit`, on its X and y. Its ``horizon`` is by default that of y, its
        ``context_length`` the one above.

    Attributes
    ----------
    adapter_ : timer_forecaster.finetuning.Adapter
        What `fit` has tuned, with ``tuning`` alone. Forecasts are made with it, in place of
        ``adapter``.
    n_features_in_ : int
        Length of the windows.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, where all of them are strings.
    n_outputs_ : int
        The horizon: steps that are forecast.

    See Also
    --------
    make_windows : Windows of series, and what follows each.

    Notes
    -----
    The metric ``mean_pinball_loss`` of scikit-learn scores what `predict` returns. With
    ``point=0.9`` it fits ``make_scorer(mean_pinball_loss, alpha=0.9, greater_is_better=False)``;
    to score several levels at once, write a scorer that calls `predict_quantiles`.

    Do not wrap the regressor in ``MultiOutputRegressor`` or ``RegressorChain``: they hand over
    one column of y at a time, and each would be taken for the step after the window.

    References
    ----------
    .. [1] Timer-S1: A Billion-Scale Time Series Foundation Model with Serial Scaling,
       arXiv:2603.04791.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import TimeSeriesSplit, cross_val_score
    >>> from timer_forecaster.sklearn import TimerS1Regressor, make_windows
    >>> X, y = make_windows(np.sin(np.arange(300) / 4), window_length=96, horizon=12, step=5)
    >>> TimerS1Regressor().fit(X[:-1], y[:-1]).predict(X[-1:]).shape
    (1, 12)
    >>> scores = cross_val_score(TimerS1Regressor(), X, y, cv=TimeSeriesSplit(3))
    >>> bool((scores > 0.9).all())
    True
    """

    def __init__(
        self,
        model_path: str | None = "timer-s1-mini",
        revision: str | None = None,
        context_length: int | None = None,
        point: str | float = "median",
        rollout: str = "auto",
        flip: bool = False,
        batch_size: int | None = None,
        device_map: Any = "auto",
        dtype: Any = "auto",
        config: Any = None,
        quantization_config: Any = None,
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
        self.config = config
        self.quantization_config = quantization_config
        self.quantization = quantization
        self.adapter = adapter
        self.tuning = tuning

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn what the regressor can do."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.multi_output = True
        # It forecasts time series; tables of unrelated columns, which scikit-learn's checks use,
        # have no next step.
        tags.regressor_tags.poor_score = True
        return tags

    def fit(self, X: Any, y: Any) -> TimerS1Regressor:
        """Check the input, remember the length of windows and the horizon, and tune if asked to.

        Parameters
        ----------
        X : array-like of shape (n_samples, window_length)
            Look-back windows, old to new; NaN means missing.
        y : array-like of shape (n_samples, horizon) or (n_samples,)
            What follows each window. The values are used by ``tuning`` alone, which validates by
            the last rows: they should be in the order of time, those of several series too.

        Returns
        -------
        TimerS1Regressor
            The regressor itself.

        Raises
        ------
        ValueError, TypeError
            Naming the parameter, or saying what of X or y cannot be used.

        Warns
        -----
        timer_forecaster.finetuning.TuningWarning
            If tuning did not help, and nothing was changed.
        """
        self.__dict__.pop("adapter_", None)  # of an earlier fit
        self._check_parameters()
        X, y = validate_data(
            self,
            X,
            y,
            validate_separately=(
                {"dtype": np.float64, "ensure_all_finite": "allow-nan"},
                {"dtype": np.float64, "ensure_2d": False},
            ),
        )
        check_consistent_length(X, y)
        self._output_shape: tuple[int, ...] = y.shape[1:]
        self.n_outputs_ = y.shape[1] if y.ndim == 2 else 1
        if self.tuning is not None:
            from timer_forecaster.estimators import tuned
            from timer_forecaster.finetuning import finetune_windows

            targets = y.reshape(len(y), self.n_outputs_)
            self.adapter_ = tuned(self, finetune_windows, self._contexts(X), targets)
        return self

    def predict(self, X: Any) -> FloatArray:
        """Forecast the steps after each window, in one batch.

        Parameters
        ----------
        X : array-like of shape (n_samples, window_length)
            Look-back windows, old to new; NaN means missing.

        Returns
        -------
        ndarray of shape (n_samples, horizon), or (n_samples,) if y was 1-D in `fit`
            Medians, means or quantiles, as ``point`` says.

        Raises
        ------
        ValueError, TypeError
            If a row holds no observed value, X does not fit what `fit` saw, or a parameter that
            was set later cannot be used.
        """
        forecast = self._forecast(X)
        if isinstance(self.point, str):
            values = forecast.mean if self.point == "mean" else forecast.median
        else:
            values = forecast.quantile(self.point)
        return values.reshape(-1, *self._output_shape)

    def predict_quantiles(self, X: Any, levels: Sequence[float] = (0.1, 0.5, 0.9)) -> FloatArray:
        """Forecast quantiles of the steps after each window, in one batch.

        Parameters
        ----------
        X : array-like of shape (n_samples, window_length)
            Look-back windows, old to new; NaN means missing.
        levels : sequence of float, default=(0.1, 0.5, 0.9)
            Any levels inside (0, 1).

        Returns
        -------
        ndarray of shape (n_samples, horizon, n_levels), or (n_samples, n_levels) if y was 1-D
            They never cross.

        Raises
        ------
        ValueError, TypeError
            As for `predict`, and if a level lies outside (0, 1).

        Examples
        --------
        >>> import numpy as np
        >>> from timer_forecaster.sklearn import TimerS1Regressor, make_windows
        >>> X, y = make_windows(np.sin(np.arange(300) / 4), window_length=96, horizon=12)
        >>> TimerS1Regressor().fit(X, y).predict_quantiles(X[-2:], [0.05, 0.95]).shape
        (2, 12, 2)
        """
        if np.ndim(levels) != 1 or not len(levels) or not all(map(is_level, levels)):
            raise ValueError(
                f"levels={levels!r} must be a sequence of numbers inside (0, 1), such as "
                "[0.1, 0.5, 0.9]"
            )
        forecast = self._forecast(X)
        values = np.stack([forecast.quantile(level) for level in levels], axis=-1)
        return values.reshape(len(values), *self._output_shape, -1)

    def _forecast(self, X: Any) -> Forecast:
        check_is_fitted(self)
        self._check_parameters()
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        self._contexts(X)
        return memo.predict(pipeline_of(self), X, self.n_outputs_, options_of(self))

    def _contexts(self, X: FloatArray) -> FloatArray:
        """Cut windows to what is forecast from, of which a value must have been observed."""
        newest = X[:, -(self.context_length or X.shape[1]) :]
        _check_observed(newest)
        return newest

    def _check_parameters(self) -> None:
        named = isinstance(self.point, str) and self.point in ("median", "mean")
        if not named and not is_level(self.point):
            raise ValueError(
                f"point={self.point!r} is unknown; use 'median', 'mean' or a level inside (0, 1)"
            )
        options_of(self)
        check_tuning(self.tuning)
        check_pipeline(self)


def make_windows(
    series: Any,
    window_length: int,
    horizon: int,
    step: int = 1,
    *,
    min_history: int | None = None,
    return_groups: bool = False,
) -> tuple[NDArray[Any], ...]:
    """Cut series into look-back windows and what follows each, for any scikit-learn regressor.

    Rows are ordered by series and then by time. With ``step`` below ``horizon`` their y overlap:
    in ``TimeSeriesSplit``, ``gap=ceil(horizon / step) - 1`` keeps the test rows' y out of training.

    Parameters
    ----------
    series : array of shape (steps,), array of shape (n_series, steps), or list of 1-D arrays
        Old to new, of any lengths; NaN means missing and is kept. pandas Series are fine.
    window_length : int
        Steps of a window.
    horizon : int
        Steps after it.
    step : int, default=1
        Steps from one window to the next. The newest window always ends ``horizon`` steps before
        its series does.
    min_history : int, optional
        Steps of its series that a window holds at least: earlier windows are filled with NaN from
        the left. Default: ``window_length``, which needs no filling.
    return_groups : bool, default=False
        Whether to return the number of each row's series as well, for ``GroupKFold``.

    Returns
    -------
    X : ndarray of shape (n_windows, window_length)
        Windows, old to new.
    y : ndarray of shape (n_windows, horizon)
        What follows.
    groups : ndarray of shape (n_windows,)
        Number of the series; with ``return_groups=True`` alone.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that cannot be used, or the series that is too short or infinite.

    Examples
    --------
    >>> import numpy as np
    >>> from timer_forecaster.sklearn import make_windows
    >>> X, y = make_windows(np.arange(6), window_length=3, horizon=2)
    >>> X
    array([[0., 1., 2.],
           [1., 2., 3.]])
    >>> y
    array([[3., 4.],
           [4., 5.]])
    >>> make_windows(np.arange(4), window_length=3, horizon=2, min_history=1)[0]
    array([[nan, nan,  0.],
           [nan,  0.,  1.]])
    """
    for name, value in (("window_length", window_length), ("horizon", horizon), ("step", step)):
        check_integer(name, value)
    min_history = _checked_history(min_history, window_length)
    parts = as_series(series)
    blocks = []
    for i, values in enumerate(parts):
        name = f"series[{i}]" if len(parts) > 1 else "series"
        _check_length(name, len(values), min_history, horizon)
        check_finite(values, name)
        padded = np.pad(values, (window_length - min_history, 0), constant_values=np.nan)
        windows = sliding_window_view(padded, window_length + horizon)
        blocks.append(windows[(len(windows) - 1) % step :: step])
    X, y = np.hsplit(np.concatenate(blocks), [window_length])
    if not return_groups:
        return X, y
    return X, y, np.repeat(np.arange(len(blocks)), [len(block) for block in blocks])


def _checked_history(min_history: int | None, window_length: int) -> int:
    if min_history is None:
        return window_length
    check_integer("min_history", min_history)
    if min_history > window_length:
        raise ValueError(f"min_history={min_history} is more than window_length={window_length}")
    return min_history


def _check_length(name: str, steps: int, min_history: int, horizon: int) -> None:
    if steps < min_history + horizon:
        raise ValueError(
            f"{name} has {steps} steps; a window of {min_history} and a horizon of {horizon} need "
            f"{min_history + horizon}. A lower min_history fills windows with NaN from the left"
        )


def _check_observed(X: FloatArray) -> None:
    empty = np.flatnonzero(np.isnan(X).all(axis=1))
    if len(empty):
        raise ValueError(
            f"row {empty[0]} of X holds no observed value in the {X.shape[1]} columns that are "
            "used; a forecast needs at least one"
        )
