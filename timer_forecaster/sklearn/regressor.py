"""Timer-S1 as a scikit-learn regressor.

Rows of X are series, columns of y are the steps after them. Forecasts come from
`timer_forecaster.inference`.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from functools import partial
from typing import Any

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.checkpoints.registry import TIMER_S1_SMALL
from timer_forecaster.extras import missing_extra
from timer_forecaster.failures import series_called

try:
    from sklearn.base import BaseEstimator, RegressorMixin
    from sklearn.utils import Tags
    from sklearn.utils.validation import check_is_fitted
except ImportError as error:
    need = "timer_forecaster.sklearn needs scikit-learn 1.6 or newer"
    raise ImportError(missing_extra(need, "sklearn")) from error

from timer_forecaster.checks import check_levels, is_level
from timer_forecaster.estimators import check_parameters, options_of, pipeline_of, tuned
from timer_forecaster.finetuning.config import FinetuneConfig
from timer_forecaster.inference import Forecast, memo
from timer_forecaster.inference.covariates import CovariateOptions
from timer_forecaster.inference.covariates.cycles import as_cycles
from timer_forecaster.inference.frequency import as_frequencies
from timer_forecaster.sklearn.columns import TARGET
from timer_forecaster.sklearn.rows import Rows, fitted_rows, rows_of

__all__ = ["TimerS1Regressor"]


class TimerS1Regressor(RegressorMixin, BaseEstimator):
    """Forecasts of a Timer-S1 checkpoint: rows of X are look-back windows, rows of y the targets.

    A row of X is the look-back window of a series, old to new. Each row is forecast by itself, at
    its own level and scale; the other rows have no influence. NaN means missing, so NaN at the
    start of a row make the window shorter. A row of y holds the steps after the window. If y is
    1-D, it holds the one step after the window. Forecasts are in the units of X.

    `fit` checks the parameters, X and y, and stores the number of steps in y. It trains nothing
    without ``tuning``. The first forecast or finetuning loads the weights, and looks up the weights
    of a hub id. They go into a cache of the process, which `timer_forecaster.release` empties.
    Clones and pickles hold finetuned weights and no others. All regressors share the cached
    weights and, for some time, the forecasts: a second question about the same X, such as
    quantiles after a prediction, does not run the network.

    Parameters
    ----------
    model_path : str or None, default="timer-s1-small"
        A name of `timer_forecaster.list_checkpoints`, a folder in the released layout, or a hub
        id such as ``"bytedance-research/Timer-S1"``. None: random weights, see ``config``.
    revision : str, optional
        Branch, tag or commit of a hub id.
    context_length : int, optional
        Number of newest columns of X to forecast from. Default: as many as the checkpoint reads;
        see `timer_forecaster.ForecastPipeline.predict`.
    point : {"median", "mean"} or float, default="median"
        Value that `predict` returns. ``"median"`` minimizes the absolute error. ``"mean"`` is the
        mean of the predicted distribution with its tails; it minimizes the squared error, and so
        raises R². A level in (0, 1) is its quantile, which minimizes the pinball loss of the level.
    rollout : {"auto", "quantile", "median", "multiscale"}, default="auto"
        How to continue beyond one pass; see `timer_forecaster.ForecastPipeline.predict`.
    flip : bool, default=False
        Whether to average with the mirror image of the forecast of the negative, at twice the cost.
    batch_size : int, optional
        Most rows that enter the network at once. Default: by a budget of tokens.
    device_map : str, int, torch.device or dict, default="auto"
        Device such as ``"cpu"``, ``"cuda:1"``, 1 or ``{"": "cuda:1"}``. ``"auto"`` is a GPU if
        there is one, and the CPU for ``quantization="int8"``. A network is not spread over several
        devices.
    dtype : str, torch.dtype or None, default="auto"
        Type to compute in. ``"auto"`` and None are the same. Networks of 10⁹ parameters or more
        compute in their stored type. Other wide networks (hidden size 256 or more) that are stored
        in bfloat16 compute in it where the device is fast at it. All others compute in float32.
        Rows are always scaled in float64.
    config : dict or configuration, optional
        Sizes of a network of random weights, with ``model_path=None``; see
        `timer_forecaster.ForecastPipeline.from_pretrained`.
    quantization_config : dict or configuration, optional
        Quantization of the weights of ``model_path`` by a library; see
        `timer_forecaster.ForecastPipeline.from_pretrained`.
    quantization : {"int8"}, optional
        ``"int8"`` computes the experts in 8-bit integers on a CPU. This takes half the memory of
        bfloat16 and, in wide networks, less time.
    adapter : timer_forecaster.finetuning.Adapter, str or Path, optional
        Finetuned weights of this checkpoint: the adapter, its folder or its hub id. Forecasts use
        it, and finetuning in `fit` starts from it.
    tuning : timer_forecaster.finetuning.FinetuneConfig, optional
        Settings of finetuning in `fit`, on its X and y. The default of their ``horizon`` is the
        number of steps in y, and of their ``context_length`` the one above.
    known : sequence of str, default=()
        Covariates that are known over the horizon. X is then a frame, as `make_windows` returns it,
        and its columns are found by their names: ``target[-1]`` is the newest step of the series,
        ``price[-1]`` the price of that step, ``price[+1]`` that of the first step of y. The order
        of the columns does not matter.
    past : sequence of str, default=()
        Covariates that are known up to the end of the window alone.
    categories : sequence of str, default=()
        Covariates of numbers that are categories. Texts and categories of pandas are found by
        themselves.
    cycles : sequence of float, optional
        Periods of the series in steps, such as (24, 168) of hourly steps. They keep the effects of
        covariates and of the time of day apart. Default: those of ``freq``, if it is given.
    covariates : {"auto", "always", "fast", "off"} or CovariateOptions, default="auto"
        ``"auto"`` uses covariates as far as a rolling check in the window of a row shows that they
        help, ``"always"`` in any case, ``"off"`` never; see
        `timer_forecaster.ForecastPipeline.predict`. Each row is one series with a fit and a check
        of its own: no coefficients are shared between rows, and `fit` learns none. So windows
        should be long, and hold the effect many times.
    padding : {"mean", "released"}, default="mean"
        Values before a history that is shorter than the only context of a TinyTimeMixer; see
        `timer_forecaster.ForecastPipeline.predict`.
    freq : str or pandas offset, optional
        Frequency of the series, such as "h" or "D", for checkpoints that read it and for
        ``cycles``; see `timer_forecaster.ForecastPipeline.predict`. Rows of X have no times to take
        it from.
    quality : {"fast", "best", "plain"}, default="fast"
        How much work goes into a forecast; see `timer_forecaster.ForecastPipeline.predict`.
    nonnegative : {"auto", True, False}, default="auto"
        Whether forecasts are never negative; see `timer_forecaster.ForecastPipeline.predict`.

    Attributes
    ----------
    adapter_ : timer_forecaster.finetuning.Adapter
        Weights that `fit` has finetuned, only with ``tuning``. Forecasts use it in place of
        ``adapter``.
    n_features_in_ : int
        Number of columns of X: the length of the windows, if there are no covariates.
    feature_names_in_ : ndarray of shape ``(n_features_in_,)``
        Names of the columns of X, if all of them are strings.
    n_outputs_ : int
        The horizon: number of steps to forecast.

    See Also
    --------
    make_windows : Windows of series and the steps after them.

    Notes
    -----
    The metric ``mean_pinball_loss`` of scikit-learn scores the values that `predict` returns:
    ``point=0.9`` goes with ``make_scorer(mean_pinball_loss, alpha=0.9, greater_is_better=False)``.
    To score several levels at once, write a scorer that calls `predict_quantiles`.

    Do not wrap the regressor in ``MultiOutputRegressor`` or ``RegressorChain``. They pass one
    column of y at a time, and the regressor takes each for the step after the window.

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

    With prices that are known in advance:

    >>> prices = np.random.default_rng(0).uniform(1, 2, 400)
    >>> sales = 50 - 20 * prices + np.sin(np.arange(400) / 4)
    >>> X, y = make_windows(sales, 96, 12, step=12, known={"price": prices})
    >>> model = TimerS1Regressor(known=["price"]).fit(X[:-1], y[:-1])
    >>> bool(abs(model.predict(X[-1:]) - y[-1]).max() < 2)
    True
    """

    def __init__(
        self,
        model_path: str | None = TIMER_S1_SMALL,
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
        known: Sequence[str] = (),
        past: Sequence[str] = (),
        categories: Sequence[str] = (),
        cycles: Sequence[float] | None = None,
        covariates: str | CovariateOptions = "auto",
        padding: str = "mean",
        freq: Any = None,
        quality: str = "fast",
        nonnegative: bool | str = "auto",
    ) -> None:
        self.model_path, self.revision = model_path, revision
        self.context_length, self.point = context_length, point
        self.rollout, self.flip = rollout, flip
        self.batch_size = batch_size
        self.device_map = device_map
        self.dtype = dtype
        self.config = config
        self.quantization_config, self.quantization = quantization_config, quantization
        self.adapter, self.tuning = adapter, tuning
        self.known, self.past = known, past
        self.categories, self.cycles = categories, cycles
        self.covariates = covariates
        self.padding, self.freq = padding, freq
        self.quality, self.nonnegative = quality, nonnegative

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore a pickle; those of version 0.1 have no parameters of covariates."""
        defaults = {"known": (), "past": (), "categories": (), "cycles": None, "covariates": "auto"}
        later = {"padding": "mean", "freq": None, "quality": "plain", "nonnegative": "auto"}
        super().__setstate__(defaults | later | state)

    def __sklearn_tags__(self) -> Tags:
        """Return the abilities of the regressor."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.multi_output = True
        # scikit-learn's checks use tables of unrelated columns, which have no next step.
        tags.regressor_tags.poor_score = True
        return tags

    def fit(self, X: Any, y: Any) -> TimerS1Regressor:
        """Check the input, store the length of windows and the horizon, and finetune if asked to.

        Parameters
        ----------
        X : array-like of shape (n_samples, window_length)
            Look-back windows, old to new; NaN means missing. A frame if there are covariates.
        y : array-like of shape (n_samples, horizon) or (n_samples,)
            Steps after each window. Only ``tuning`` uses the values. It validates by the last
            rows, so rows should be in the order of time, also rows of several series.

        Returns
        -------
        TimerS1Regressor
            The regressor itself.

        Raises
        ------
        ValueError, TypeError
            If a parameter, X or y cannot be used. The message names it.

        Warns
        -----
        timer_forecaster.finetuning.TuningWarning
            If finetuning did not help, so that nothing was changed.

        Examples
        --------
        >>> import numpy as np
        >>> from timer_forecaster.sklearn import TimerS1Regressor, make_windows
        >>> X, y = make_windows(np.sin(np.arange(300) / 4), window_length=96, horizon=12)
        >>> TimerS1Regressor().fit(X, y).n_outputs_
        12
        """
        self.__dict__.pop("adapter_", None)  # from an earlier fit
        self._check_parameters()
        rows, y = fitted_rows(self, X, y)
        self._output_shape: tuple[int, ...] = y.shape[1:]
        self.n_outputs_ = y.shape[1] if y.ndim == 2 else 1
        if self.tuning is not None:
            from timer_forecaster.finetuning import finetune_windows

            targets = y.reshape(len(y), self.n_outputs_)
            tune = partial(finetune_windows, freq=self.freq)
            self.adapter_ = tuned(self, tune, self._contexts(rows), targets)
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
            Medians, means or quantiles, by the parameter ``point``.

        Raises
        ------
        ValueError, TypeError
            If a row holds no observed value, or no value of a known column in the horizon, if X
            does not fit the X of `fit`, or a parameter that was set after `fit` cannot be used.

        Warns
        -----
        timer_forecaster.inference.covariates.CovariateWarning
            If a covariate can say less, or more, than it seems to; see
            `timer_forecaster.ForecastPipeline.predict`.

        Examples
        --------
        >>> import numpy as np
        >>> from timer_forecaster.sklearn import TimerS1Regressor, make_windows
        >>> X, y = make_windows(np.sin(np.arange(300) / 4), window_length=96, horizon=12)
        >>> TimerS1Regressor(point=0.9).fit(X, y).predict(X[-2:]).shape
        (2, 12)
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
            Levels inside (0, 1).

        Returns
        -------
        ndarray of shape (n_samples, horizon, n_levels), or (n_samples, n_levels) if y was 1-D
            Quantiles, which never cross.

        Raises
        ------
        ValueError, TypeError
            As in `predict`, and if a level is not inside (0, 1).

        Examples
        --------
        >>> import numpy as np
        >>> from timer_forecaster.sklearn import TimerS1Regressor, make_windows
        >>> X, y = make_windows(np.sin(np.arange(300) / 4), window_length=96, horizon=12)
        >>> TimerS1Regressor().fit(X, y).predict_quantiles(X[-2:], [0.05, 0.95]).shape
        (2, 12, 2)
        """
        levels = check_levels("levels", levels)
        forecast = self._forecast(X)
        values = np.stack([forecast.quantile(level) for level in levels], axis=-1)
        return values.reshape(len(values), *self._output_shape, -1)

    def _forecast(self, X: Any) -> Forecast:
        check_is_fitted(self)
        self._check_parameters()
        rows = rows_of(self, X)
        self._contexts(rows)
        target: Any = rows.target  # its rows are a sequence of series
        pipe, options = pipeline_of(self), options_of(self)
        pipe.check_row(["window"], "each row of X", "series")
        beside: dict[str, Any] = {"tables": rows.tables, "freq": [self.freq] * len(target)}
        with series_called([f"row {number} of X" for number in range(len(target))]):
            return memo.predict(pipe, target, self.n_outputs_, options, **beside)

    def _contexts(self, rows: Rows) -> FloatArray:
        """Return the newest steps of the windows, each row with an observed value."""
        windows = rows.target
        newest = windows[:, -(options_of(self).context_length or windows.shape[1]) :]
        _check_observed(newest)
        return newest

    def _check_parameters(self) -> None:
        named = isinstance(self.point, str) and self.point in ("median", "mean")
        if not named and not is_level(self.point):
            raise ValueError(
                f"point={self.point!r} is unknown; use 'median', 'mean' or a level inside (0, 1)"
            )
        check_parameters(self)
        _check_covariates(self)
        if isinstance(self.freq, (list, tuple, np.ndarray)):
            raise TypeError(f"freq={self.freq!r} must be one frequency, of all rows")
        as_frequencies(self.freq, 1)


def _check_covariates(estimator: TimerS1Regressor) -> None:
    """Check the parameters that name the covariates."""
    for argument in ("known", "past", "categories"):
        names = getattr(estimator, argument)
        if isinstance(names, str) or not isinstance(names, (Sequence, Set, np.ndarray)):
            raise TypeError(f"{argument}={names!r} must be a sequence of names, such as ('price',)")
        if not all(isinstance(name, str) for name in names):
            raise TypeError(f"{argument}={names!r} must hold texts, the names of covariates")
    names = [*estimator.known, *estimator.past]
    twice = [name for place, name in enumerate(names) if name in names[:place]]
    if twice:
        raise ValueError(f"{twice[0]!r} occurs twice in known and past; once is enough")
    if TARGET in names:
        raise ValueError(f"{TARGET!r} in known or past is the name of the series, no covariate")
    strangers = [name for name in estimator.categories if name not in names]
    if strangers:
        raise ValueError(f"categories: {strangers[0]!r} is neither in known nor in past")
    as_cycles(estimator.cycles, 1)
    if any(map(np.iterable, estimator.cycles or ())):
        raise TypeError(f"cycles={estimator.cycles!r} must be a sequence of numbers")


def _check_observed(X: FloatArray) -> None:
    empty = np.flatnonzero(np.isnan(X).all(axis=1))
    if len(empty):
        raise ValueError(
            f"row {empty[0]} of X holds no observed value in the {X.shape[1]} columns that are "
            "used; a forecast needs at least one"
        )
