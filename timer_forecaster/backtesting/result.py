"""The result of a backtest: forecasts of windows, and their scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from timer_forecaster.arrays import FloatArray
from timer_forecaster.backtesting import notes, outputs
from timer_forecaster.backtesting.columns import CUTOFF, MODEL, OBSERVED, STEP
from timer_forecaster.backtesting.data import Data
from timer_forecaster.backtesting.models import SEASONAL_NAIVE, Answer
from timer_forecaster.backtesting.scores import MASE, WQL, Points, Table
from timer_forecaster.backtesting.sentences import sentence
from timer_forecaster.backtesting.settings import BacktestSettings
from timer_forecaster.backtesting.windows import Windows
from timer_forecaster.frames.kept import kept_frame
from timer_forecaster.frames.long import column_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure


_SHOWN = ("WQL", "MASE", "coverage_80", "bias", "relative WQL", "relative MASE", "windows")


@dataclass(frozen=True, eq=False, repr=False)
class BacktestResult:
    """Forecasts of the past from rolling origins, and their scores.

    `ForecastPipeline.backtest_frame` and `timer_forecaster.backtesting.backtest` return it.

    Parameters
    ----------
    data : Data
        The series, their names and times.
    windows : Windows
        The windows that were forecast.
    settings : BacktestSettings
    answers : mapping of str to Answer
        Quantiles (windows, horizon, levels) of each model, the pipeline first.
    has_quantiles : mapping of str to bool
        Whether each model forecasts distributions.

    Examples
    --------
    >>> import numpy as np
    >>> from timer_forecaster import ForecastPipeline
    >>> from timer_forecaster.backtesting import backtest
    >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
    >>> result = backtest(pipe, np.sin(np.arange(200) / 4), 12, windows=3)
    >>> result.forecasts.columns.tolist()[:5]
    ['series', 'cutoff', 'time', 'step', 'y']
    >>> bool(result.leaderboard.loc["timer-s1-small", "relative WQL"] < 1)
    True
    """

    data: Data
    windows: Windows
    settings: BacktestSettings
    answers: Mapping[str, Answer]
    has_quantiles: Mapping[str, bool]
    _points: dict[str, Points] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the leaderboard and the summary."""
        shown = [name for name in _SHOWN if name in self.leaderboard]
        table = self.leaderboard[shown].rename_axis(None)
        text = table.to_string(float_format="{:.3f}".format, na_rep="-")
        return f"{text}\n\n{self.summary}"

    def __repr__(self) -> str:
        """Return the models and the number of windows."""
        return f"<BacktestResult of {', '.join(self.models)} on {len(self.windows)} windows>"

    @property
    def models(self) -> list[str]:
        """Names of the models: the pipeline, Seasonal Naive, and the others."""
        return list(self.answers)

    @property
    def model(self) -> str:
        """Name of the pipeline that was tested."""
        return self.models[0]

    @cached_property
    def targets(self) -> FloatArray:
        """Values (windows, horizon) of the windows, NaN where missing."""
        return self.windows.targets(self.data.series)

    @cached_property
    def scales(self) -> FloatArray:
        """Seasonal error of the steps before each window, the scale of MASE."""
        return self.windows.scales(self.data.series, self.data.seasonality)

    @property
    @kept_frame
    def leaderboard(self) -> pd.DataFrame:
        """The scores of each model over all windows that it forecast, lowest loss first.

        ``WQL`` is the weighted quantile loss over nine levels, ``MASE`` the mean absolute scaled
        error of the median, ``coverage_80`` the share of values in the 80 % interval, and ``bias``
        the sum of median less value over the sum of absolute values. They are the scores of
        `timer_forecaster.evaluation`. ``relative WQL`` and ``relative MASE`` are ratios to
        Seasonal Naive in the same windows.
        """
        rows = []
        for model in self.models:
            found, ratios = self._compared(model, np.zeros((len(self.windows), 1), np.intp), 1)
            scored = self.points(model).scored
            rows.append(
                {name: values[0] for name, values in found.items()}
                | {f"relative {name}": values[0] for name, values in ratios.items()}
                | {
                    "quantiles": self.has_quantiles[model],
                    "series": len(np.unique(self.windows.number[scored])),
                    "windows": int(scored.sum()),
                }
            )
        table = pd.DataFrame(rows, index=pd.Index(self.models, name=MODEL))
        return table.sort_values(WQL, kind="stable")

    @property
    @kept_frame
    def scores(self) -> pd.DataFrame:
        """The scores of each model on each series that has windows."""
        numbers = np.array(list(self.windows.by_series()), dtype=np.intp)
        place = np.searchsorted(numbers, self.windows.number)[:, None]
        counts = {
            model: np.bincount(place[self.points(model).scored, 0], minlength=len(numbers))
            for model in self.models
        }
        table = self._table(self.data.labels.ids.iloc[numbers], place)
        return table.assign(windows=np.concatenate(list(counts.values())))

    @property
    @kept_frame
    def by_step(self) -> pd.DataFrame:
        """The scores of each model at each step of the horizon, with the coverage of intervals."""
        steps = np.arange(self.windows.horizon)
        return self._table(pd.DataFrame({STEP: steps + 1}), steps[None])

    @property
    @kept_frame
    def by_window(self) -> pd.DataFrame:
        """The scores of each model in each window.

        ``scaled loss`` is the mean quantile loss over the seasonal error: a loss that windows of
        different series can be compared by.
        """
        rows = np.arange(len(self.windows))
        ids = self.data.labels.ids.iloc[self.windows.number].reset_index(drop=True)
        ids[CUTOFF] = self._cutoffs
        losses = [self.points(model).scaled_losses(self.scales) for model in self.models]
        return self._table(ids, rows[:, None]).assign(**{"scaled loss": np.concatenate(losses)})

    @property
    @kept_frame
    def forecasts(self) -> pd.DataFrame:
        """All forecasts, a row for each model, window and step.

        Columns: the id column if there is one, ``target``, ``cutoff`` (the last time before the
        window), the time column, ``step``, ``y`` (the value, NaN where missing), one for each
        level, named ``q0.1``, and ``model``.
        """
        horizon, labels = self.windows.horizon, self.data.labels
        number = np.repeat(self.windows.number, horizon)
        base = labels.ids.iloc[number].reset_index(drop=True)
        base[CUTOFF] = self._cutoffs.repeat(horizon)
        base[labels.time_column] = labels.at(number, self.windows.steps.ravel())
        base[STEP] = np.tile(np.arange(1, horizon + 1), len(self.windows))
        base[OBSERVED] = self.targets.ravel()
        names = [column_name(level) for level in self.settings.levels]
        parts = []
        for model, answer in self.answers.items():
            quantiles = answer.quantiles.reshape(len(base), len(names))
            own = pd.concat([base, pd.DataFrame(quantiles, columns=names)], axis=1)
            parts.append(own.assign(**{MODEL: model}))
        return pd.concat(parts, ignore_index=True)

    @property
    @kept_frame
    def failures(self) -> pd.DataFrame:
        """The windows that a model could not forecast, with the reasons."""
        parts = []
        for model, answer in self.answers.items():
            rows = np.array(sorted(answer.reasons), dtype=np.intp)
            part = self.data.labels.ids.iloc[self.windows.number[rows]].reset_index(drop=True)
            part[CUTOFF] = self._cutoffs[rows]
            part[MODEL] = model
            part["reason"] = [answer.reasons[row] for row in rows.tolist()]
            parts.append(part)
        return pd.concat(parts, ignore_index=True)

    @cached_property
    def left_out(self) -> dict[str, str]:
        """The series without any window, and the reasons."""
        with_windows = self.windows.by_series()
        settings, found = self.settings, {}
        for number, name in enumerate(self.data.labels.names):
            if number in self.data.failures:
                found[name] = self.data.failures[number]
            elif number not in with_windows:
                found[name] = (
                    f"its {len(self.data.series[number]):,} steps do not hold a window of "
                    f"{settings.horizon} after {settings.min_history}, with values in both"
                )
        return found

    @cached_property
    def short(self) -> dict[str, int]:
        """The series with fewer windows than asked for, and the numbers of their windows."""
        found = {}
        for number, rows in self.windows.by_series().items():
            if rows.stop - rows.start < self.settings.windows:
                found[self.data.labels.names[number]] = rows.stop - rows.start
        return found

    @property
    def notes(self) -> list[str]:
        """Remarks: `gaps`, and models without quantiles."""
        return [
            *self.gaps,
            *(notes.note_of_points(m) for m, has in self.has_quantiles.items() if not has),
        ]

    @cached_property
    def gaps(self) -> list[str]:
        """Remarks on series with fewer windows or none, and windows that a model could not do."""
        found = []
        if self.short:
            found.append(notes.note_of_short(self.short, self.settings.windows))
        if self.left_out:
            found.append(notes.note_of_left_out(self.left_out))
        for model, answer in self.answers.items():
            reasons = {self.window_name(row): why for row, why in answer.reasons.items()}
            if reasons:
                found.append(notes.note_of_failures(model, reasons, len(self.windows)))
        return found

    @cached_property
    def summary(self) -> str:
        """A sentence that says whether the pipeline beats Seasonal Naive, and where not."""
        zeros = np.zeros((len(self.windows), 1), np.intp)
        _, whole = self._compared(self.model, zeros, 1)
        numbers = np.unique(self.windows.number[self.points(self.model).scored])
        place = np.searchsorted(numbers, self.windows.number)[:, None]
        place = np.minimum(place, max(0, len(numbers) - 1))
        _, by_series = self._compared(self.model, place, max(1, len(numbers)))
        horizon = self.windows.horizon
        _, by_step = self._compared(self.model, np.arange(horizon)[None], horizon)
        names = [self.data.labels.names[number] for number in numbers.tolist()]
        return sentence(
            self.model,
            (float(whole[WQL][0]), float(whole[MASE][0])),
            int(self.points(self.model).scored.sum()),
            (names, by_series[WQL][: len(names)]),
            by_step[WQL],
        )

    def points(self, model: str) -> Points:
        """Return the losses of each point of a model.

        :meta private:

        Raises
        ------
        ValueError
            If there is no such model. The error names those that there are.
        """
        if model not in self.answers:
            raise ValueError(f"model={model!r} took no part; there are {self.models}")
        if model not in self._points:
            quantiles = self.answers[model].quantiles
            given = self.targets, quantiles, self.scales, self.settings.levels
            self._points[model] = Points.of(*given, self.has_quantiles[model])
        return self._points[model]

    def window_name(self, row: int) -> str:
        """Return the name of a window, by its series and the last time before it.

        :meta private:
        """
        number, origin = int(self.windows.number[row]), int(self.windows.origin[row])
        return self.data.labels.window_name(number, origin)

    def plot(self, model: str | None = None) -> Figure:
        """Draw the best, the median and the worst window, and the coverage at each step.

        Parameters
        ----------
        model : str, optional
            Default: the pipeline.

        Returns
        -------
        matplotlib Figure
            Made without pyplot: it needs no display and need not be closed.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If there is no such model, or it forecast no window.

        Examples
        --------
        >>> import numpy as np
        >>> from timer_forecaster import ForecastPipeline
        >>> from timer_forecaster.backtesting import backtest
        >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
        >>> result = backtest(pipe, np.sin(np.arange(200) / 4), 12, windows=3)
        >>> result.plot().savefig("backtest.png")
        """
        from timer_forecaster.backtesting.pictures import plot_backtest

        return plot_backtest(self, self.model if model is None else model)

    def save(self, path: str | Path) -> None:
        """Write all forecasts to a file, whole or not at all; or forecasts and scores to a folder.

        Parameters
        ----------
        path : str or Path
            A file whose name ends in .parquet, .csv, .csv.gz or another format of tables, or a
            folder.

        Raises
        ------
        ValueError
            If the file cannot be written, or its name says no format.

        Examples
        --------
        >>> import numpy as np
        >>> import pandas as pd
        >>> from timer_forecaster import ForecastPipeline
        >>> from timer_forecaster.backtesting import backtest
        >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
        >>> result = backtest(pipe, np.sin(np.arange(200) / 4), 12, windows=3)
        >>> result.save("forecasts.csv")
        >>> len(pd.read_csv("forecasts.csv")) == len(result.forecasts)
        True
        """
        outputs.check_output(Path(path))
        outputs.write(self, Path(path))

    def report_parts(self) -> list[Any]:
        """Return the leaderboard, the windows, the coverage and the scores as parts of a report.

        `timer_forecaster.report.write_report` writes them, beside parts of other results.

        Returns
        -------
        list of parts

        Examples
        --------
        >>> import numpy as np
        >>> from timer_forecaster import ForecastPipeline
        >>> from timer_forecaster.backtesting import backtest
        >>> from timer_forecaster.report import Words, write_report
        >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
        >>> result = backtest(pipe, np.sin(np.arange(200) / 4), 12, windows=3)
        >>> why = Words("Why", ["The forecast of the next season decides what we buy."])
        >>> write_report("backtest.html", [why, *result.report_parts()])
        """
        from timer_forecaster.backtesting.page import parts_of_report

        return parts_of_report(self)

    def report(self, path: str | Path, *, title: str | None = None, **more: Any) -> None:
        """Write a report that a person can send: one HTML file with pictures and tables.

        Parameters
        ----------
        path : str or Path
            A name that ends in ``.html``.
        title : str, optional
            Default: the name of the pipeline.
        **more
            ``reading`` and ``settings``, as in `timer_forecaster.report.write_report`.

        Raises
        ------
        ValueError
            If the file cannot be written, or its name has another ending.

        Examples
        --------
        >>> import numpy as np
        >>> from timer_forecaster import ForecastPipeline
        >>> from timer_forecaster.backtesting import backtest
        >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
        >>> result = backtest(pipe, np.sin(np.arange(200) / 4), 12, windows=3)
        >>> result.report("backtest.html", title="Sales of the last three weeks")
        """
        from timer_forecaster.report import write_report

        write_report(
            path,
            self.report_parts(),
            title=f"Backtest of {self.model}" if title is None else title,
            summary=self.summary,
            notes=self.notes,
            **more,
        )

    @cached_property
    def _cutoffs(self) -> pd.Index:
        """The last time before each window."""
        return self.data.labels.at(self.windows.number, self.windows.origin - 1)

    def _compared(self, model: str, group: NDArray[np.intp], n_groups: int) -> tuple[Table, Table]:
        """Return the scores of a model, and their ratios to Seasonal Naive in the same windows."""
        points, naive = self.points(model), self.points(SEASONAL_NAIVE)
        scored = points.scored
        if not scored.all() and (scored != naive.scored).any():
            naive = naive.only_in(scored)
        own, other = points.scores(group, n_groups), naive.scores(group, n_groups)
        with np.errstate(divide="ignore", invalid="ignore"):
            return own, {name: own[name] / other[name] for name in (WQL, MASE)}

    def _table(self, ids: pd.DataFrame, group: NDArray[Any]) -> pd.DataFrame:
        """Return the scores of groups of points by all models, beside the ids of the groups."""
        parts = []
        for model in self.models:
            found = self.points(model).scores(group, len(ids))
            part = ids.reset_index(drop=True).assign(**{MODEL: model})
            parts.append(pd.concat([part, pd.DataFrame(found)], axis=1))
        return pd.concat(parts, ignore_index=True)
