"""The forecasting pipeline: arrays or frames in, quantiles out, the same through every door."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from timer_forecaster.adapters.adapted import adapted_network
from timer_forecaster.adapters.adapter import Adapter, as_adapter
from timer_forecaster.arrays import FloatArray
from timer_forecaster.checkpoints.key import Device, NetworkKey
from timer_forecaster.checkpoints.registry import TIMER_S1_SMALL
from timer_forecaster.checks import check_flag, check_integer
from timer_forecaster.failures import Failures, quietly, series_called, warn_of_failures
from timer_forecaster.inference.bounds import check_signs, nonnegative_of
from timer_forecaster.inference.channels import check_number, check_row, check_usable, width_of
from timer_forecaster.inference.covariates import CovariateOptions, CovariateReport
from timer_forecaster.inference.covariates.alignment import aligned
from timer_forecaster.inference.covariates.columns import (
    Covariates,
    as_covariates,
    categories_beside,
)
from timer_forecaster.inference.covariates.cycles import Cycles, as_cycles, cycles_beside
from timer_forecaster.inference.covariates.forecast import predict_with_covariates
from timer_forecaster.inference.covariates.warning import unwarned
from timer_forecaster.inference.engine.choice import engine_of
from timer_forecaster.inference.forecast import Forecast
from timer_forecaster.inference.frequency import Frequency, as_frequencies, tokens_of
from timer_forecaster.inference.frequency_warning import frequencies_beside, frequencies_for
from timer_forecaster.inference.known import check_reads_alone, known_rows
from timer_forecaster.inference.options import ForecastOptions
from timer_forecaster.inference.outcome import check_outcome
from timer_forecaster.inference.prediction import calibration_of, checked, predict_quantiles
from timer_forecaster.inference.quantiles import floor_of
from timer_forecaster.inference.routing import Routing
from timer_forecaster.inference.rows import scaled_rows
from timer_forecaster.inference.sampling.dependence import Dependence
from timer_forecaster.inference.sampling.windows import PastWindows
from timer_forecaster.inference.series import TimedSeries, as_series, keys_of, timed_series
from timer_forecaster.models.network import Network

if TYPE_CHECKING:
    import pandas as pd
    from pandas.tseries.offsets import BaseOffset

    from timer_forecaster.backtesting import BacktestResult
    from timer_forecaster.frames.panel import Panel
    from timer_forecaster.inference.anomalies import AnomalyReport

Given = tuple[Sequence[Covariates], Sequence[Cycles]] | None
"""Columns beside each series, and its cycles; None if there are no columns."""

Asked = tuple[ForecastOptions, bool, str, Failures, Sequence[Frequency] | None]
"""Options, progress, the name of the network, failures, and frequencies if the network reads them.
"""


@dataclasses.dataclass(frozen=True)
class ForecastPipeline:
    """Forecasts from a checkpoint of either family, as it is or with an adapter.

    A pipeline is a key to the process-wide cache of networks. All pipelines of one checkpoint share
    its weights, and a pickle holds a few bytes and the adapter. Make a pipeline with
    `from_pretrained`.

    Parameters
    ----------
    key : NetworkKey
        The network to load.
    adapter : Adapter, optional
        The changes to its weights.

    Examples
    --------
    >>> from timer_forecaster import ForecastPipeline
    >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
    >>> pipe.predict([1.0, 2.0, 3.0, 2.0, 1.0, 2.0, 3.0, 2.0], horizon=4).median.shape
    (1, 4)
    """

    key: NetworkKey
    adapter: Adapter | None = None

    @classmethod
    def from_pretrained(
        cls,
        name: str | Path | None = TIMER_S1_SMALL,
        *,
        revision: str | None = None,
        device: Device = "auto",
        dtype: str | torch.dtype | None = "auto",
        config: Any = None,
        quantization: str | None = None,
        quantization_config: Any = None,
        adapter: Adapter | str | Path | None = None,
    ) -> ForecastPipeline:
        """Make a pipeline and load its network into the process-wide cache.

        A network of hidden size 256 or more, or with ``"int8"``, is laid out for forecasts on a
        CPU. If its checkpoint has 1 GB or more, each expert is read when the first token comes to
        it, and some perhaps never. The folder must then stay as it is while the network is in use;
        a forecast that finds files changed or gone raises a RuntimeError.

        Parameters
        ----------
        name : str or Path, or None
            A name of `timer_forecaster.list_checkpoints`, a folder in the released layout, or a
            hub id; its weights may be quantized already. None: random weights, see ``config``.
        revision : str, optional
            Branch, tag or commit of a hub id.
        device : str, int, torch.device or mapping
            ``"auto"`` takes a GPU if there is one, and the CPU for ``quantization="int8"``; an
            integer is the number of a GPU. A mapping, which transformers calls a device map, must
            name a single device.
        dtype : str or torch.dtype
            Type to compute in. ``"auto"`` or None: the stored type from 10⁹ parameters on;
            bfloat16 for other wide networks (hidden size 256 and more) that are stored in it, if
            the device is fast at it; else float32. Scaling is always done in float64.
        config : architecture or configuration of either family, or mapping, optional
            With ``name=None``, which needs it: sizes of a network with random weights. A mapping
            names its family by ``"model_type"``, by default that of Timer-S1; a size that it does
            not name has the default of its architecture. The weights are the same each time and
            **not trained**: forecasts mean nothing and serve tests of software.
        quantization : {"int8"}, optional
            ``"int8"`` computes the experts, nearly all of a network, in 8-bit integers on a CPU:
            half the memory of bfloat16 and, in wide networks, less time. Narrow ones, such as
            ``"timer-s1-mini"``, gain nothing. A folder that
            `timer_forecaster.inference.convert_checkpoint` wrote is always loaded so.
        quantization_config : optional
            A quantization of the weights by a library of transformers, such as ``TorchAoConfig``,
            ``QuantoConfig`` or ``BitsAndBytesConfig``, or its dict. The library and accelerate
            must be installed.
        adapter : Adapter, str or Path, optional
            The result of `timer_forecaster.finetuning.finetune` for this checkpoint, or the folder
            or hub id of one. It changes the forecasts of this pipeline alone: the weights of the
            checkpoint stay shared.

        Returns
        -------
        ForecastPipeline

        Raises
        ------
        ValueError, TypeError
            If there is no such checkpoint, device or dtype, or an argument cannot be used. The
            error names it.
        ImportError
            If the library that quantizes is not installed, or this build of torch cannot compute
            in 8 bits.

        Examples
        --------
        >>> import numpy as np
        >>> from timer_forecaster import ForecastPipeline
        >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
        >>> pipe.predict([np.arange(50.0), np.arange(30.0)], horizon=6).median.shape
        (2, 6)
        """
        key = NetworkKey.resolve(
            name, revision, device, dtype, config, quantization_config, quantization
        )
        pipeline = cls(key, as_adapter(adapter))
        _ = pipeline.network  # loads it
        return pipeline

    @property
    def network(self) -> Network:
        """The shared network; it must not be changed.

        From hidden size 256 on its weights are laid out for forecasts on the device. Most of them
        are then in no state dict, and a CPU refuses gradients. To train, change or store a network,
        use `timer_forecaster.inference.load_plain_network`.
        """
        return adapted_network(self.key, self.adapter)

    def predict(
        self,
        series: Any,
        horizon: int,
        *,
        context_length: int | None = None,
        rollout: str = "auto",
        flip: bool = False,
        batch_size: int | None = None,
        progress: bool = False,
        on_error: str = "raise",
        known: Any = None,
        past: Any = None,
        categories: Collection[Hashable] = (),
        cycles: Any = None,
        covariates: str | CovariateOptions = "auto",
        padding: str = "mean",
        quality: str = "fast",
        nonnegative: bool | str = "auto",
        freq: Any = None,
        past_windows: int = 0,
    ) -> Forecast:
        """Forecast any number of series.

        The forecast of a series does not depend on other series, nor on its own scale. It moves
        with the level of the series unless the series is transformed (``quality``). A constant
        series, or a series of one point, is its own forecast.

        Parameters
        ----------
        series : array of shape (steps,), array of shape (n_series, steps), or list of 1-D arrays
            Oldest step first, of any lengths; NaN means missing. Arrays of other libraries, dicts
            of series and more are read too: `timer_forecaster.inference.series.as_series` has all.
            A step that is absent from the dates of a `pandas.Series` is missing, as in a frame.
            A checkpoint that mixes channels reads so many consecutive series as one row; they have
            equal lengths.
        horizon : int
            Steps to forecast, at least 1. Only the serial blocks that they need are run. Beyond
            one pass of the network the forecast is continued by ``rollout``.
        context_length : int, optional
            Newest steps to use. Default: as many as the context of the checkpoint holds; beyond
            one pass with ``"multiscale"``, and where a long season is taken out (``quality``), up
            to 65,536.
        rollout : {"auto", "quantile", "median", "multiscale"}
            How to continue beyond one pass. ``"quantile"`` carries nine equally probable paths, so
            that intervals keep widening. ``"median"`` carries the median alone, as the released
            implementation does; it costs about half, and its intervals are too narrow.
            ``"multiscale"`` averages the median roll-out and forecasts of the series at coarser
            strides, which take one pass and look further back
            (`timer_forecaster.inference.multiscale`). ``"auto"`` takes the preference of the
            checkpoint.
        flip : bool
            Average the forecast of each series with the mirror image of the forecast of its
            negative. At twice the cost, each sign gains from all that the network learned about
            the other.
        batch_size : int, optional
            Most series that enter the network at once. Default: by a budget of tokens.
        progress : bool
            Show a progress bar.
        on_error : {"raise", "nan"}
            Reaction to a series that cannot be forecast, such as one without any value. ``"nan"``
            forecasts the other series. The forecast then has NaN in place of the bad ones, its
            `Forecast.failures` have the reasons, and a warning names them.
        known : frame or array of shape (steps + horizon, columns), or list of them, optional
            Covariates that are known over the horizon, such as prices, holidays or a weather
            forecast: one table for each series, by its key if the series are a dict. Its last row
            belongs to the last step of the horizon. Rows belong to the steps of the same times
            where both are of pandas and have times. Older rows than the series has are cut;
            missing ones, and NaN, are missing values. Columns of texts or categories are
            categories. An adapter of ``target="channels"`` needs the numeric columns
            that it was finetuned with.
        past : frame or array of shape (steps, columns), or list of them, optional
            Covariates that are known up to the end of the series alone. They are read with a delay
            of the horizon.
        categories : collection of hashable
            Columns of numbers that are categories. The columns of an array are 0, 1 and so on.
        cycles : sequence of float, or list of them, optional
            Periods of the series in steps, such as (24, 168) of hourly steps. They keep the effects
            of covariates and of the time of day apart. Default: those of ``freq``, or of the dates
            of a series of pandas or xarray, such as day, week and year; ``()`` for none.
        covariates : {"auto", "always", "fast", "off"} or CovariateOptions
            ``"auto"`` uses covariates as far as a rolling check in the history of a series shows
            that they help, ``"always"`` in any case, ``"off"`` never; ``"fast"`` is ``"auto"`` at a
            third of the cost.
        padding : {"mean", "released"}
            Values before a history that is shorter than the only context of a network, which a
            TinyTimeMixer has. ``"mean"``: they are missing, in the place of the mean.
            ``"released"``: zeros in the units of the series, which count as observed. This
            reproduces the numbers of the released implementation, and makes a forecast depend on
            the level of its series. A constant series is its own forecast in any case.
        quality : {"fast", "best", "plain"}
            How much work goes into a forecast. ``"fast"``: one reading of each series. A checkpoint
            that prefers it, as those of the package do, reads some series without a long season,
            or their square roots (`timer_forecaster.inference.readings`). ``"best"``: the mean of
            both signs and, within one pass of Timer-S1, of a transformed series as it is, at two to
            four times the cost. ``"plain"``: the series as it is, so that the forecast moves with
            its level.
        nonnegative : {"auto", True, False}
            Whether forecasts are never negative: quantiles, tails, samples and paths, with a point
            mass at zero. ``"auto"``: forecasts of a history without negative values, if the
            checkpoint prefers transformed series and ``quality`` is not ``"plain"``. True: all, and
            a history with a negative value is refused. False: none is cut off; squares of forecast
            roots are not negative by their form.
        freq : str, pandas offset or int, or list of them, optional
            Frequency of all series or of each, such as "h", "15min", "D" or "W". Some TinyTimeMixer
            checkpoints read it, and forecast worse without. Other checkpoints do not read it, but
            the default of ``cycles`` follows from it beside covariates. Without ``freq``, it is
            taken from dates of a series of pandas or xarray. An integer is the step of integer
            times, which tells no frequency. Sample paths depend on the kind of frequency with every
            checkpoint.
        past_windows : int
            Newest windows of each series, each as long as the horizon but one pass at most, to
            learn from how the steps of this series depend on each other. They are forecast from
            what precedes each, in one batch, at the cost of so many more series. Quantiles of steps
            do not change, only `Forecast.sample_paths`, `Forecast.total` and `Forecast.aggregate`.
            4 make maxima and the shape of paths a little better; sums gain nothing.

        Returns
        -------
        Forecast
            With covariates, `Forecast.covariates` has the weights, the check and the effects.

        Raises
        ------
        ValueError, TypeError
            If an argument, a series or a column cannot be used. The error names it and the reason.

        Warns
        -----
        SeriesWarning
            If ``on_error="nan"`` left series without a forecast.
        CovariateWarning
            If a column is constant, equals the series, or leaves its observed range or categories
            in the horizon, or if a history is too short for the check.
        FrequencyWarning
            If the checkpoint reads frequencies, and does not know the one of a series.

        Examples
        --------
        >>> import numpy as np
        >>> from timer_forecaster import ForecastPipeline
        >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
        >>> forecast = pipe.predict([np.sin(np.arange(200) / 4), np.arange(30.0) % 7], horizon=12)
        >>> forecast.median.shape
        (2, 12)
        >>> lower, upper = forecast.interval(0.8)

        With a column that is known over the horizon:

        >>> random = np.random.default_rng(0)
        >>> price = random.uniform(1, 2, size=212)
        >>> sold = 50 - 20 * price[:200] + random.normal(size=200)
        >>> forecast = pipe.predict(sold, horizon=12, known=price[:, None])
        >>> bool(np.abs(forecast.median[0] - (50 - 20 * price[200:])).max() < 3)
        True
        """
        horizon, progress = check_integer("horizon", horizon), check_flag("progress", progress)
        past_windows = check_integer("past_windows", past_windows, 0)
        how = context_length, rollout, flip, batch_size, covariates, padding, quality, nonnegative
        options = ForecastOptions(*how)
        failures, network = Failures(on_error), self.network
        values, _ = timed = self._values(series, options, failures)
        freq = frequencies_beside(freq, timed.times, network.config)
        every = as_frequencies(freq, len(values))
        frequencies = frequencies_for(network.config, every, len(values))
        asked = (options, progress, self._label, failures, frequencies)
        given = self._given(series, timed, horizon, (known, past, categories, cycles), freq, asked)
        quantiles, report = self._quantiles(values, horizon, given, asked)
        warn_of_failures(failures.reasons, len(values), lambda number: f"series[{number}]")
        calibration = calibration_of(network, values, horizon, options.context_length)
        dependence = self._dependence(values, horizon, every, past_windows, given, asked)
        levels, reasons = network.config.quantiles, failures.by_number()
        bounded = nonnegative_of(network.config, values, options)
        return Forecast(quantiles, levels, reasons, report, calibration, dependence, bounded)

    def sample_paths(
        self,
        series: Any,
        horizon: int,
        n: int,
        *,
        random_state: int | np.random.Generator | None = None,
        past_windows: int = 0,
        freq: Any = None,
        **arguments: Any,
    ) -> FloatArray:
        """Draw joint paths of any number of series, whose steps follow each other.

        Sums and maxima over steps vary in them as they should; the samples of `Forecast.sample` are
        independent from step to step. `predict` and `Forecast.sample_paths`, which says how paths
        are drawn, give the same paths, and quantiles beside them from the same run of the network.

        Parameters
        ----------
        series : array of shape (steps,), array of shape (n_series, steps), or list of 1-D arrays
            As for `predict`.
        horizon : int
            Steps to forecast, at least 1.
        n : int
            Number of paths of each series.
        random_state : int, numpy Generator or None
            Seed or generator. With None, the paths differ each time.
        past_windows : int
            Newest windows of each series to learn from; see `predict`.
        freq : str, pandas offset or int, or list of them, optional
            Frequency of all series or of each. The steps of sub-daily series depend on each other
            in another way than those of slower ones. Default: of the dates of a series of pandas or
            xarray, if any.
        **arguments
            Options and covariates, as in `predict`.

        Returns
        -------
        ndarray, shape (n_series, n, horizon)
            NaN for series without a forecast, which ``on_error="nan"`` allows.

        Raises
        ------
        ValueError, TypeError
            As `predict`.

        Examples
        --------
        >>> import numpy as np
        >>> from timer_forecaster import ForecastPipeline
        >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
        >>> sales = np.random.default_rng(0).poisson(20, size=200)
        >>> paths = pipe.sample_paths(sales, 28, 500, random_state=0, freq="D")
        >>> paths.shape
        (1, 500, 28)
        >>> bool((paths.sum(axis=-1) > 600).mean() < 0.5)  # chance of more than 600 in four weeks
        True
        """
        n = check_integer("n", n)
        forecast = self.predict(series, horizon, freq=freq, past_windows=past_windows, **arguments)
        return forecast.sample_paths(n, random_state)

    def predict_frame(
        self,
        frame: pd.DataFrame,
        horizon: int,
        *,
        time_column: Hashable,
        id_column: Hashable | None = None,
        target_columns: Sequence[Hashable] | str | None = None,
        levels: Sequence[float] = (0.1, 0.5, 0.9),
        freq: str | int | BaseOffset | None = None,
        context_length: int | None = None,
        rollout: str = "auto",
        flip: bool = False,
        batch_size: int | None = None,
        progress: bool = False,
        on_error: str = "raise",
        future_frame: pd.DataFrame | None = None,
        known_columns: Sequence[Hashable] | str | None = None,
        past_columns: Sequence[Hashable] | str | None = None,
        categories: Sequence[Hashable] | str | None = None,
        covariates: str | CovariateOptions = "auto",
        padding: str = "mean",
        quality: str = "fast",
        nonnegative: bool | str = "auto",
    ) -> pd.DataFrame:
        """Forecast every id and every target column of a frame, all in one batch.

        Parameters
        ----------
        frame : pandas.DataFrame, or table of another library
            Long (one row per id and time) or wide (one column per series); rows in any order. NaN
            means missing. A row that is absent from the regular grid of times is missing too.
            Tables of polars, pyarrow, xarray and Darts are read, and all that have ``to_pandas``
            or speak Arrow.
        horizon : int
            Steps to forecast of each target of each id, after its last observed value. Later rows
            with an empty target are rows of the future: they are forecast, whether the target is
            empty in all of them, in one column of a wide frame or in one id of a long one.
        time_column : hashable
            Column, or name of the index, with dates (time zones are kept), periods, integers, or
            texts of them.
        id_column : hashable, optional
            Column that tells the series of a long frame apart. Default: the frame is one id.
        target_columns : hashable or sequence of hashable, optional
            Column or columns to forecast. A tuple is one name if there is a column of this name,
            and several names if there is none. Default: all numeric columns but the id, the time,
            row numbers, parts of the date and constants; a `LeftOutWarning` names those. A column
            of texts is read as numbers if it is named here and allows one reading.
        levels : sequence of float
            Quantile levels, each in (0, 1).
        freq : str, int or pandas offset, optional
            Step of the times, such as "h", "B" or "MS" (an integer for integer times). Default:
            the regular step of each id; without one, the step that most ids have; without that,
            the most common distance of its times. Days of the week and hours that never occur in
            several weeks, such as Sundays or nights, are no steps
            (`timer_forecaster.frames.calendar.opening` has the rule). A frequency that is given
            keeps them, as missing values. Checkpoints that read the frequency of a series take
            it from here.
        context_length, rollout, flip, batch_size, progress
            As in `predict`.
        on_error : {"raise", "nan"}
            Reaction to a series that cannot be forecast: one without any value, or with a value
            that is no number, or whose times are there twice, are missing or irregular. ``"nan"``
            forecasts the other series, has NaN in the rows of the bad ones, and warns of them. A
            time that cannot be read is an error all the same: it puts the whole column in doubt.
        future_frame : pandas.DataFrame, or table of another library, optional
            Rows of the horizon, with the time, the id and the columns that are known there, such as
            prices, holidays or a weather forecast. Each series takes the rows of its id and times,
            in whatever order they are; further rows do not matter. Times are read as the times of
            ``frame`` are.
        known_columns : hashable or sequence of hashable, optional
            Covariates: columns of ``frame`` that are known over the horizon. Default: all columns
            of ``future_frame`` but the time, the id, past columns and targets that are named; it
            must then have no values of targets and past columns.
            Without ``future_frame``, rows of ``frame`` with an empty target hold their future, as
            they do at times that ``future_frame`` does not have.
        past_columns : hashable or sequence of hashable, optional
            Covariates that are known up to the last target alone.
        categories : hashable or sequence of hashable, optional
            Covariates of numbers that are categories. Texts and categories of pandas are found
            without. An empty cell is a category of its own if the history has some.
        covariates : {"auto", "always", "fast", "off"} or CovariateOptions
            As in `predict`. Covariates are no targets, also with ``"off"``. A static column, which
            differs between ids and never changes in the history of any, is refused.
        padding : {"mean", "released"}
            As in `predict`.
        quality : {"fast", "best", "plain"}
            As in `predict`.
        nonnegative : {"auto", True, False}
            As in `predict`. True refuses negative values, by the name of their column and id.

        Returns
        -------
        pandas.DataFrame
            A row per id, target and future time, in the frame's order of ids and targets. Columns:
            the id column if there is one, ``target`` (name of the target column), the time column,
            and one per level, named ``q0.1``.

        Raises
        ------
        ValueError, TypeError
            If an argument, column, series or row cannot be used. The error names it, and a remedy.

        Warns
        -----
        SeriesWarning, CovariateWarning, FrequencyWarning
            As in `predict`.

        Examples
        --------
        >>> import numpy as np, pandas as pd
        >>> from timer_forecaster import ForecastPipeline
        >>> days = pd.date_range("2024-01-01", periods=60, freq="D")
        >>> sales = pd.DataFrame({"day": days, "units": np.arange(60) % 7})
        >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
        >>> forecast = pipe.predict_frame(sales, 2, time_column="day")
        >>> forecast.columns.tolist()
        ['target', 'day', 'q0.1', 'q0.5', 'q0.9']
        >>> forecast["day"].astype(str).tolist()
        ['2024-03-01', '2024-03-02']
        """
        from timer_forecaster.frames.long import level_columns, long_frame

        at = level_columns(levels, time_column=time_column, id_column=id_column)
        how = context_length, rollout, flip, batch_size, covariates, padding, quality, nonnegative
        options = ForecastOptions(*how)
        names = time_column, id_column, target_columns, freq
        tables = frame, future_frame, known_columns, past_columns
        asked = horizon, options, on_error, {"progress": progress}
        panel, forecast = _predict_tables(self, tables, names, categories, *asked)
        return long_frame(panel, {name: forecast.quantile(level) for name, level in at.items()})

    def sample_paths_frame(
        self,
        frame: pd.DataFrame,
        horizon: int,
        n: int,
        *,
        time_column: Hashable,
        id_column: Hashable | None = None,
        target_columns: Sequence[Hashable] | str | None = None,
        random_state: int | np.random.Generator | None = None,
        past_windows: int = 0,
        freq: str | int | BaseOffset | None = None,
        progress: bool = False,
        on_error: str = "raise",
        future_frame: pd.DataFrame | None = None,
        known_columns: Sequence[Hashable] | str | None = None,
        past_columns: Sequence[Hashable] | str | None = None,
        categories: Sequence[Hashable] | str | None = None,
        **options: Any,
    ) -> pd.DataFrame:
        """Draw joint paths of every id and every target column of a frame, all in one batch.

        Parameters
        ----------
        frame, horizon, time_column, id_column, target_columns, freq, progress, on_error
            As in `predict_frame`.
        n : int
            Number of paths of each series.
        random_state, past_windows
            As in `sample_paths`.
        future_frame, known_columns, past_columns, categories
            Covariates, as in `predict_frame`.
        **options
            ``context_length``, ``rollout``, ``flip``, ``batch_size``, ``covariates``,
            ``padding``, ``quality`` and ``nonnegative``, as in `predict`.

        Returns
        -------
        pandas.DataFrame
            A row per id, target, path and future time, in this order. Columns: the id column if
            there is one, ``target`` (name of the target column), ``path`` (from 0 on), the time
            column, and ``value``.

        Raises
        ------
        ValueError, TypeError
            As `predict_frame`.

        Examples
        --------
        >>> import numpy as np, pandas as pd
        >>> from timer_forecaster import ForecastPipeline
        >>> days = pd.date_range("2024-01-01", periods=60, freq="D")
        >>> sales = pd.DataFrame({"day": days, "units": np.arange(60) % 7})
        >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
        >>> paths = pipe.sample_paths_frame(sales, 7, 100, time_column="day", random_state=0)
        >>> paths.columns.tolist()
        ['target', 'path', 'day', 'value']
        >>> weeks = paths.groupby(["target", "path"])["value"].sum()
        >>> len(weeks)
        100
        """
        from timer_forecaster.frames.long import PATH_COLUMNS, check_free, path_frame

        check_free(PATH_COLUMNS, time_column=time_column, id_column=id_column)
        n, names = check_integer("n", n), (time_column, id_column, target_columns, freq)
        tables = frame, future_frame, known_columns, past_columns
        more = {"progress": progress, "past_windows": past_windows}
        asked = horizon, ForecastOptions.of(options), on_error, more
        panel, forecast = _predict_tables(self, tables, names, categories, *asked)
        return path_frame(panel, forecast.sample_paths(n, random_state))

    def backtest_frame(
        self,
        frame: pd.DataFrame,
        horizon: int,
        *,
        time_column: Hashable,
        id_column: Hashable | None = None,
        target_columns: Sequence[Hashable] | str | None = None,
        windows: int = 5,
        step: int | None = None,
        min_history: int | None = None,
        baselines: Any = (),
        seasonality: int | None = None,
        levels: Sequence[float] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
        freq: str | int | BaseOffset | None = None,
        context_length: int | None = None,
        rollout: str = "auto",
        flip: bool = False,
        batch_size: int | None = None,
        progress: bool = False,
        on_error: str = "raise",
        future_frame: pd.DataFrame | None = None,
        known_columns: Sequence[Hashable] | str | None = None,
        past_columns: Sequence[Hashable] | str | None = None,
        categories: Sequence[Hashable] | str | None = None,
        covariates: str | CovariateOptions = "auto",
        padding: str = "mean",
        quality: str = "fast",
        nonnegative: bool | str = "auto",
        parts: str | Path | None = None,
    ) -> BacktestResult:
        """Forecast the past of a frame from rolling origins, and score the forecasts.

        Each window of ``horizon`` steps is forecast from the steps before it alone. All windows of
        all series enter the network in few batches. Seasonal Naive forecasts the same windows.

        Parameters
        ----------
        frame : pandas.DataFrame, or table of another library
            As in `predict_frame`.
        horizon : int
            Steps of each window.
        time_column, id_column, target_columns, freq
            As in `predict_frame`.
        windows : int
            Most windows of each series. The newest one ends with the last observed value of the
            series. A shorter series has fewer, which the result says.
        step : int, optional
            Steps from one window to the next. Default: ``horizon``, so that windows do not overlap.
        min_history : int, optional
            Least steps before a window, from the first observed value on. Default: ``horizon``.
        baselines : str, sequence, or mapping of names to baselines
            Models to score beside Seasonal Naive: names of forecasters of sktime, such as
            ``"AutoETS"`` and ``"Theta"``, or ``"naive"``; instances of such forecasters; other
            pipelines; functions of ``(contexts, horizon)`` as in
            `timer_forecaster.evaluation.Forecaster`. Other pipelines get the same covariates; all
            other baselines see the targets alone. A baseline that fails in a window has no
            forecast there, and the result says why.
        seasonality : int, optional
            Steps of a season, for Seasonal Naive, for MASE, and for forecasters of sktime that are
            given by name. Default: by the frequency of each series, as in
            `timer_forecaster.evaluation`: a day of hours and minutes, a year of months and
            quarters, one step of days and weeks.
        levels : sequence of float
            Quantile levels of the forecasts, beside the nine that are scored.
        context_length, rollout, flip, batch_size, progress, covariates, padding, quality
            As in `predict`.
        nonnegative : {"auto", True, False}
            As in `predict`.
        on_error : {"raise", "nan"}
            Reaction to a series that cannot be forecast. ``"nan"`` leaves it out, and the result
            names it. Series that are too short for a window are left out in any case.
        future_frame, known_columns, past_columns, categories
            As in `predict_frame`. Known columns are read up to the last step of each window, and
            past columns up to the step before it, both from ``frame``; a ``future_frame`` only says
            which columns are known.
        parts : str or Path, optional
            A folder for the forecasts of finished parts. A call that was stopped continues from
            it. Only one call at a time may use it.

        Returns
        -------
        timer_forecaster.backtesting.BacktestResult
            Its ``leaderboard``, ``scores``, ``by_step`` and ``forecasts`` are frames, ``summary``
            is a sentence, and ``plot()`` draws windows.

        Raises
        ------
        ValueError, TypeError
            If an argument, column or series cannot be used, if no series is long enough for a
            window, or if ``parts`` belongs to another backtest. The error names it, and a remedy.
        ImportError
            If a baseline needs sktime, or one of its dependencies, and that is not installed.

        Warns
        -----
        BacktestWarning
            If series are left out or have fewer windows, or a baseline failed.
        CovariateWarning, FrequencyWarning
            As in `predict`.

        Examples
        --------
        >>> import numpy as np, pandas as pd
        >>> from timer_forecaster import ForecastPipeline
        >>> days = pd.date_range("2024-01-01", periods=90, freq="D")
        >>> sales = pd.DataFrame({"day": days, "units": np.arange(90) % 7})
        >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
        >>> result = pipe.backtest_frame(sales, 7, time_column="day", windows=3)
        >>> result.leaderboard.index.tolist()
        ['timer-s1-small', 'seasonal_naive']
        >>> len(result.forecasts)  # two models, three windows, seven steps
        42
        """
        from timer_forecaster.backtesting.frames import backtest_tables
        from timer_forecaster.backtesting.settings import BacktestSettings, Way

        settings = BacktestSettings(horizon, windows, step, min_history, seasonality, levels)
        how = context_length, rollout, flip, batch_size, covariates, padding, quality, nonnegative
        options = ForecastOptions(*how)
        way = Way(options, baselines, on_error, progress, parts)
        tables = frame, future_frame, known_columns, past_columns
        names = time_column, id_column, target_columns, freq
        return backtest_tables(self, tables, names, categories, settings, way)

    def detect_anomalies(
        self,
        series: Any,
        level: float = 0.99,
        *,
        horizon: int = 1,
        min_history: int = 32,
        calibrate: str = "auto",
        repair: bool = True,
        exact: bool = True,
        context_length: int | None = None,
        rollout: str = "auto",
        flip: bool = False,
        batch_size: int | None = None,
        progress: bool = False,
        on_error: str = "raise",
        known: Any = None,
        past: Any = None,
        categories: Collection[Hashable] = (),
        cycles: Any = None,
        covariates: str | CovariateOptions = "auto",
        padding: str = "mean",
        quality: str = "fast",
        nonnegative: bool | str = "auto",
        freq: Any = None,
    ) -> AnomalyReport:
        """Find the steps of series that the forecasts from earlier steps did not expect.

        Each observed step is compared with the quantile function that was forecast for it, and
        gets a two-sided tail probability. It is calibrated, so that of steps that nobody calls odd
        a share of ``1 - level`` is flagged. The result of a step depends on it and on earlier
        steps alone.

        Parameters
        ----------
        series : array of shape (steps,), array of shape (n_series, steps), or list of 1-D arrays
            As in `predict`. Steps that are absent from the dates of a series are counted.
        level : float
            Share of steps that are no anomalies, in (0, 1). Scores do not depend on it.
        horizon : int
            Steps from the end of the history to the step that is judged. With 1 a step is odd
            after the step before it. A larger one finds slow changes.
        min_history : int
            Observed values that a step needs before it to be judged.
        calibrate : {"auto", "table", "off"}
            ``"auto"`` learns from earlier steps how wide the errors of the series are and how heavy
            their tails, from a table of training data on. ``"table"`` does not learn: series whose
            errors are wild have more anomalies. ``"off"`` takes the tails of the forecast as they
            are.
        repair : bool
            Whether very odd values (a chance of 0.2 %) are missing in the histories of later
            steps, so that a spike does not spoil their forecasts. Four in a row are a change of the
            series, which later histories hold.
        exact : bool
            True: each step costs a row of the network, and its forecast is that of `predict`.
            False: for a Timer-S1, steps that lie whole patches apart share a row, which is
            several times as fast and changes forecasts a little (docs/anomalies.md).
        context_length, rollout, flip, batch_size, covariates, padding, quality, freq
            As in `predict`. A shorter context costs less.
        nonnegative : {"auto", True, False}
            As in `predict`, of the nine predicted quantiles. With True, negative values anywhere in
            a series are refused.
        progress : bool
            Show a progress bar.
        on_error : {"raise", "nan"}
            Reaction to a series that cannot be read, such as one without any value. ``"nan"``
            judges the other series, and warns.
        known, past : frame or array of shape (steps, columns), or list of them, optional
            Covariates: one table for each series, by its key if the series are a dict. The last row
            belongs to the last step of the series. Each forecast reads known columns up to the step
            that is judged, and past columns up to the end of its history.
        categories, cycles
            As in `predict`.

        Returns
        -------
        timer_forecaster.inference.anomalies.AnomalyReport
            Its ``anomalies`` and ``to_frame()`` are frames, ``flags``, ``scores`` and ``p_values``
            lists of arrays; ``summary`` counts the steps that were not judged, and ``plot()`` draws
            a series.

        Raises
        ------
        ValueError, TypeError
            If an argument, a series or a column cannot be used. The error names it and the reason.

        Warns
        -----
        SeriesWarning, CovariateWarning, FrequencyWarning
            As in `predict`.

        Examples
        --------
        >>> import numpy as np
        >>> from timer_forecaster import ForecastPipeline
        >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
        >>> y = np.random.default_rng(0).normal(size=150)
        >>> y[120] = 8.0
        >>> report = pipe.detect_anomalies(y, level=0.999)
        >>> np.flatnonzero(report.flags[0]).tolist()
        [120]
        """
        from timer_forecaster.inference.anomalies.series import anomalies_of_series
        from timer_forecaster.inference.anomalies.settings import AnomalySettings

        how = context_length, rollout, flip, batch_size, covariates, padding, quality, nonnegative
        options = ForecastOptions(*how)
        given = level, horizon, min_history, calibrate, repair, exact, options, on_error, progress
        beside = known, past, categories, cycles
        return anomalies_of_series(self, series, AnomalySettings(*given), freq, beside)

    def detect_anomalies_frame(
        self,
        frame: pd.DataFrame,
        level: float = 0.99,
        *,
        time_column: Hashable,
        id_column: Hashable | None = None,
        target_columns: Sequence[Hashable] | str | None = None,
        horizon: int = 1,
        min_history: int = 32,
        calibrate: str = "auto",
        repair: bool = True,
        exact: bool = True,
        freq: str | int | BaseOffset | None = None,
        context_length: int | None = None,
        rollout: str = "auto",
        flip: bool = False,
        batch_size: int | None = None,
        progress: bool = False,
        on_error: str = "raise",
        known_columns: Sequence[Hashable] | str | None = None,
        past_columns: Sequence[Hashable] | str | None = None,
        categories: Sequence[Hashable] | str | None = None,
        covariates: str | CovariateOptions = "auto",
        padding: str = "mean",
        quality: str = "fast",
        nonnegative: bool | str = "auto",
    ) -> AnomalyReport:
        """Find the odd steps of every id and every target column of a frame.

        Parameters
        ----------
        frame : pandas.DataFrame, or table of another library
            As in `predict_frame`. A series ends with its last observed value.
        level, horizon, min_history, calibrate, repair, exact
            As in `detect_anomalies`.
        time_column, id_column, target_columns, freq
            As in `predict_frame`.
        context_length, rollout, flip, batch_size, progress, covariates, padding, quality
            As in `predict`.
        nonnegative : {"auto", True, False}
            As in `detect_anomalies`.
        on_error : {"raise", "nan"}
            As in `predict_frame`: ``"nan"`` judges the series that can be read, and warns of the
            others.
        known_columns, past_columns, categories : hashable or sequence of hashable, optional
            Covariates: columns of ``frame``, as in `predict_frame`. Each forecast reads known
            columns up to the step that is judged, and past columns up to the end of its history.

        Returns
        -------
        timer_forecaster.inference.anomalies.AnomalyReport
            As of `detect_anomalies`; its frames have the columns of ids and times of ``frame``, and
            ``target``, the name of the target column.

        Raises
        ------
        ValueError, TypeError
            If an argument, column, series or row cannot be used. The error names it, and a remedy.

        Warns
        -----
        SeriesWarning, CovariateWarning, FrequencyWarning
            As in `predict`.

        Examples
        --------
        >>> import numpy as np, pandas as pd
        >>> from timer_forecaster import ForecastPipeline
        >>> days = pd.date_range("2024-01-01", periods=90, freq="D")
        >>> sales = pd.DataFrame({"day": days, "units": np.arange(90) % 7})
        >>> sales.loc[80, "units"] = 40
        >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
        >>> report = pipe.detect_anomalies_frame(sales, 0.999, time_column="day")
        >>> report.anomalies["day"].astype(str).tolist()
        ['2024-03-21']
        """
        from timer_forecaster.inference.anomalies.frames import anomalies_of_frame
        from timer_forecaster.inference.anomalies.settings import AnomalySettings

        how = context_length, rollout, flip, batch_size, covariates, padding, quality, nonnegative
        options = ForecastOptions(*how)
        given = level, horizon, min_history, calibrate, repair, exact, options, on_error, progress
        names = time_column, id_column, target_columns, freq
        beside = known_columns, past_columns, categories
        return anomalies_of_frame(self, frame, AnomalySettings(*given), names, beside)

    def embed(
        self, series: Any, *, context_length: int | None = None, freq: Any = None
    ) -> FloatArray:
        """Represent each series by the output of the main blocks at its newest patch.

        Parameters
        ----------
        series : array of shape (steps,), array of shape (n_series, steps), or list of 1-D arrays
            As for `predict`.
        context_length : int, optional
            Newest steps to use.
        freq : str, pandas offset or int, or list of them, optional
            As in `predict`.

        Returns
        -------
        ndarray, shape (n_series, hidden size)

        Examples
        --------
        >>> import numpy as np
        >>> from timer_forecaster import ForecastPipeline
        >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
        >>> pipe.embed([np.sin(np.arange(200) / 4), np.arange(30.0) % 7]).shape
        (2, 128)
        """
        network, (series, times) = self.network, timed_series(series)
        frequencies = frequencies_for(network.config, freq, len(series), times)
        compute = engine_of(network).embed_rows
        if frequencies is not None:
            compute = functools.partial(compute, tokens=tokens_of(network.config, frequencies))
        return self._outcome("embedding", compute, series, context_length)

    def routing(self, series: Any, *, context_length: int | None = None) -> Routing:
        """Show to which experts the network sends the patches of each series.

        Parameters
        ----------
        series : array of shape (steps,), array of shape (n_series, steps), or list of 1-D arrays
            As for `predict`.
        context_length : int, optional
            Newest steps to use.

        Returns
        -------
        Routing

        Examples
        --------
        >>> import numpy as np
        >>> from timer_forecaster import ForecastPipeline
        >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
        >>> shares = pipe.routing(np.sin(np.arange(200) / 4)).shares[0]
        >>> bool(np.allclose(shares.sum(axis=1), 1))  # of the experts of each block
        True
        """
        return Routing(
            self._outcome("routing", engine_of(self.network).route_rows, series, context_length)
        )

    def _outcome(
        self,
        noun: str,
        compute: Callable[[Network, list[FloatArray]], FloatArray],
        series: Any,
        context_length: int | None,
    ) -> FloatArray:
        """Return the output of a function of the network and of the rows that it reads."""
        if context_length is not None:
            context_length = check_integer("context_length", context_length)
        given = as_series(series)
        self.check_number(len(given))
        values = checked(self.network, given, context_length)
        rows = [row.values for row in scaled_rows(self.network, values)]
        outcome = compute(self.network, rows)
        check_outcome(outcome, values, self._label, noun)
        return outcome

    def _values(self, series: Any, options: ForecastOptions, failures: Failures) -> TimedSeries:
        """Return series as arrays, in a number and of signs that can be forecast."""
        timed = timed_series(series, failures, "predict_frame")
        self.check_number(len(timed.values))
        check_signs(self.network.config, timed.values, options, failures)
        return timed

    def _given(
        self,
        series: Any,
        timed: TimedSeries,
        horizon: int,
        tables: tuple[Any, Any, Any, Any],
        freq: Sequence[Any],
        asked: Asked,
    ) -> Given:
        """Return the columns beside series, and their cycles, if they take part."""
        (options, _, _, failures, _), (known, past, categories, cycles) = asked, tables
        given = known is not None or past is not None
        if not options.ignores_covariates:
            categories = categories_beside(known, past, categories, cycles)
        if self.network.config.known_columns or (given and not options.ignores_covariates):
            tables = known, past, categories, cycles_beside(cycles, freq)
            return _columns_beside(series, timed, horizon, tables, failures)
        return None

    def _quantiles(
        self,
        values: Sequence[FloatArray],
        horizon: int,
        given: Given,
        asked: Asked,
    ) -> tuple[FloatArray, CovariateReport | None]:
        """Forecast, with columns and cycles if there are any: the network reads them, or models."""
        network, (options, _, label, failures, _) = self.network, asked
        if given is None:
            return predict_quantiles(network, values, horizon, *asked), None
        columns, periods = given
        if network.config.known_columns:
            known = known_rows(network.config, columns, options, label, failures)
            return predict_quantiles(network, values, horizon, *asked, known=known), None
        check_reads_alone(network.config, label)
        return predict_with_covariates(network, values, horizon, columns, periods, *asked)

    def _dependence(
        self,
        values: Sequence[FloatArray],
        horizon: int,
        every: Sequence[Frequency],
        past_windows: int,
        given: Given,
        asked: Asked,
    ) -> Dependence:
        """Return the dependence of steps, after a number of past windows of each series."""
        config, (options, _, label, failures, frequencies) = self.network.config, asked
        dependence = Dependence.of(self.key.name, keys_of(values), every)
        count, steps = past_windows, min(horizon, config.pass_length)
        past = PastWindows.of(values, count, steps, width_of(config), failures.reasons)
        if not past.numbers:
            return dependence
        own = None if frequencies is None else past.take(frequencies)
        beside = given and (past.covariates(given[0]), past.take(given[1]))
        contexts = past.contexts(values)
        asked = options, False, label, Failures("nan"), own  # a window that fails says nothing
        with unwarned():
            found, _ = self._quantiles(contexts, steps, beside, asked)
        floor = floor_of(nonnegative_of(config, contexts, options))[:, None]
        scores = past.scores(values, found, config.quantiles, floor)
        return dataclasses.replace(dependence, weights=past.updated(dependence.weights, scores))

    def check_number(self, n_series: int) -> None:
        """Refuse a number of series that rows of the checkpoint cannot be made of.

        :meta private:

        Parameters
        ----------
        n_series : int

        Raises
        ------
        ValueError
            If the checkpoint cannot forecast series, or mixes a number of channels that does not
            divide this number. The error names both numbers.
        """
        config = self.network.config
        check_usable(config, self._label)
        check_number(config, n_series, self._label)

    def check_row(self, columns: Sequence[Hashable], holder: str, noun: str) -> None:
        """Refuse series that belong together if the checkpoint reads another number as one row.

        :meta private:

        Parameters
        ----------
        columns : sequence of hashable
            Names of the series, such as the targets of a frame.
        holder, noun : str
            Name of the argument that has them, and the word for them, for the error.

        Raises
        ------
        ValueError
            If the checkpoint mixes another number of channels. The error names both numbers.
        """
        held = f"{holder} has {len(columns)} {noun}, {list(columns)}"
        check_row(self.network.config, len(columns), self._label, held)

    @property
    def _label(self) -> str:
        """Name of the network in errors."""
        name = "the network of random weights" if self.key.name is None else None
        name = name or f"checkpoint {str(self.key.name)!r}"
        return name if self.adapter is None else f"{name} with its adapter"


def _columns_beside(
    series: Any,
    timed: TimedSeries,
    horizon: int,
    tables: tuple[Any, Any, Collection[Hashable], Any],
    failures: Failures,
) -> Given:
    """Return the columns beside each series, and its cycles, from arguments of `predict`."""
    known, past, categories, cycles = tables
    known = aligned(known, series, timed.times, "known", horizon, failures)
    past = aligned(past, series, timed.times, "past", 0, failures)
    lengths = [len(one) for one in timed.values]
    columns = as_covariates(known, past, categories, lengths, horizon, failures)
    return columns, as_cycles(cycles, len(lengths))


def _predict_tables(
    pipeline: ForecastPipeline,
    tables: tuple[Any, Any, Any, Any],
    names: tuple[Any, Any, Any, Any],
    categories: Any,
    horizon: int,
    options: ForecastOptions,
    on_error: str,
    more: Mapping[str, Any],
) -> tuple[Panel, Forecast]:
    """Forecast the series of a frame, beside columns of it and of a frame of the future."""
    from timer_forecaster.frames.covariates.tables import CovariateFrame
    from timer_forecaster.frames.panel import Panel

    failures, horizon = Failures(on_error), check_integer("horizon", horizon)
    beside = CovariateFrame.of(*tables, *names, categories)
    panel = Panel.of_columns(beside.targets, *names, failures)
    pipeline.check_row(panel.columns, "frame", "targets")
    given = options.arguments | ({"on_error": on_error} if failures.collects else {})
    given |= {} if options.ignores_covariates else beside.tables(panel, horizon, failures)
    return panel, _predict_panel(pipeline, panel, failures, horizon, given | dict(more))


def _predict_panel(
    pipeline: ForecastPipeline,
    panel: Panel,
    failures: Failures,
    horizon: int,
    arguments: Mapping[str, Any],
) -> Forecast:
    """Forecast the series of a panel, and warn of those that `failures` or the pipeline note."""
    series = [y[:0] if i in failures.reasons else y for i, y in enumerate(panel.series())]
    with quietly(), series_called([panel.series_name(i) for i in range(len(series))]):
        forecast = pipeline.predict(series, horizon, freq=panel.steps(), **arguments)
    reasons = {**forecast.failures, **failures.by_number()}
    warn_of_failures(dict(sorted(reasons.items())), forecast.n_series, panel.series_name)
    return forecast
