"""A backtest as parts of a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from timer_forecaster.arrays import FloatArray
from timer_forecaster.backtesting.columns import MODEL
from timer_forecaster.backtesting.notes import counted
from timer_forecaster.backtesting.pictures import chosen_windows
from timer_forecaster.backtesting.scores import MASE, WQL, nominal_of
from timer_forecaster.frames.files.report import time_text
from timer_forecaster.report import Chart, Curve, Curves, Fan, Gallery, ScoreTable
from timer_forecaster.report.gallery import MOST_SERIES
from timer_forecaster.report.tables import cell_text

if TYPE_CHECKING:
    from timer_forecaster.backtesting.result import BacktestResult

_SHOWN = (WQL, MASE, "coverage_80", "bias", "relative WQL", "relative MASE", "series", "windows")
_INTERVALS = ("coverage_90", "coverage_80", "coverage_60", "coverage_40")
_LEADERBOARD = (
    "WQL is the weighted quantile loss, MASE the mean absolute scaled error of the median: lower "
    "is better. Of the values, 80 % should lie inside the 80 % interval (coverage_80). The bias is "
    "0.05 where forecasts are 5 % too high. The relative scores are ratios to Seasonal Naive in "
    "the same windows: below 1 is better than naive."
)
_COVERAGE = "The share of values inside each interval, by step. Dotted: as it should be."
_WINDOWS = "Each window was forecast from the steps before it alone. The dashed line came later."


def parts_of_report(result: BacktestResult) -> list[Any]:
    """Return the leaderboard, the coverage by step, the windows and the scores of each series.

    Parameters
    ----------
    result : BacktestResult
    """
    board = result.leaderboard
    shown = board[[name for name in _SHOWN if name in board]].reset_index()
    parts: list[Any] = [ScoreTable("Leaderboard", shown, text=_LEADERBOARD)]
    parts.append(_windows(result))
    parts.append(Curves("Coverage by step", _coverage(result), _COVERAGE))
    table = _scores(result)
    if len(table) > 1:
        parts.append(ScoreTable("Scores of each series", table, folded=len(table) > 10))
    return parts


def _coverage(result: BacktestResult) -> dict[str, list[Curve]]:
    """Return the curves of each model; none for a model of points."""
    found = {}
    for model in result.models:
        own = result.by_step[result.by_step[MODEL] == model]
        names = [name for name in _INTERVALS if name in result.points(model).inside]
        found[model] = [
            Curve(f"{100 * nominal_of(name):g} %", own[name].to_numpy(float), nominal_of(name))
            for name in names
        ]
    return found


def _windows(result: BacktestResult) -> Gallery:
    """Return the pictures of the windows, one series at a time."""
    with_windows = result.windows.by_series()
    losses = _losses(result)
    order = np.argsort(losses, kind="stable")
    every, text = list(with_windows.items()), _WINDOWS
    kept = np.arange(len(every))
    if len(every) > MOST_SERIES:
        half = MOST_SERIES // 2
        kept = np.sort(np.concatenate([order[:half], order[-half:]]))
        order = np.argsort(losses[kept], kind="stable")
        text += f" These are the {half} best and the {half} worst of {len(every):,} series."
    names, about = _names(result), _about(result)
    charts = [_chart(result, *every[k], names[every[k][0]], about[k]) for k in kept.tolist()]
    orders, ascending = {}, order.tolist()
    if len(charts) > 1:
        orders = {"worst first": ascending[::-1], "best first": ascending}
    numbers = [every[place][0] for place in kept.tolist()]
    return Gallery(
        "Windows",
        charts,
        text,
        orders,
        _jumps(result, numbers),
        models=result.models if len(result.models) > 1 else (),
        time_name=str(result.data.labels.time_column),
        apart=(result.settings.step or 0) >= result.settings.horizon,
    )


def _losses(result: BacktestResult) -> FloatArray:
    """Return the loss of each series by the pipeline; unknown ones lie in the middle."""
    own = result.scores[result.scores[MODEL] == result.model]
    losses = own[MASE].to_numpy(float)
    if not np.isfinite(losses).any():
        losses = own[WQL].to_numpy(float)
    finite = losses[np.isfinite(losses)]
    return np.where(np.isfinite(losses), losses, np.median(finite) if len(finite) else 0.0)


def _jumps(result: BacktestResult, numbers: list[int]) -> dict[str, tuple[int, str]]:
    """Return the best, the median and the worst window, where their series are drawn."""
    if len(result.windows) < 2:
        return {}
    found = {}
    for name, row in chosen_windows(result, result.model).items():
        number = int(result.windows.number[row])
        if number in numbers:
            found[f"{name.capitalize()} window"] = (numbers.index(number), _after(result, row))
    return found


def _after(result: BacktestResult, row: int) -> str:
    """Return the name of a window by the last time before it."""
    number, origin = int(result.windows.number[row]), int(result.windows.origin[row])
    time: Any = result.data.labels.times_of(number)[origin - 1]
    return f"after {time_text(time)}"


def _chart(result: BacktestResult, number: int, rows: slice, name: str, about: str) -> Chart:
    """Return the picture of a series."""
    data, levels = result.data, list(result.settings.levels)
    values = data.series[number]
    fans = []
    for model, answer in result.answers.items():
        at: NDArray[np.intp] | list[int] = list(range(len(levels)))
        if not result.has_quantiles[model]:
            at = [levels.index(0.5)]
        named = model if len(result.models) > 1 else ""
        for row in range(rows.start, rows.stop):
            quantiles = answer.quantiles[row][:, at]
            if np.isfinite(quantiles).any():
                origin = int(result.windows.origin[row])
                fans.append(
                    Fan(origin, [levels[k] for k in at], quantiles, named, _after(result, row))
                )
    return Chart(
        name,
        data.labels.times_of(number)[: len(values)],
        values,
        fans,
        _columns(result, number),
        about=about,
    )


def _columns(result: BacktestResult, number: int) -> dict[str, Any]:
    """Return the covariates of a series."""
    columns: dict[str, Any] = {}
    for role in ("known", "past"):
        tables = getattr(result.data.covariates, role, None)
        if tables is not None and tables[number] is not None:
            columns |= {str(name): values for name, values in tables[number].items()}
    return columns


def _names(result: BacktestResult) -> list[str]:
    """Return the names of the series: their ids, and their targets if there are several."""
    ids = result.data.labels.ids
    if len(ids.columns) > 1 and ids.iloc[:, -1].nunique() == 1:
        ids = ids.iloc[:, :-1]
    return [" · ".join(map(str, row)) for row in ids.itertuples(index=False, name=None)]


def _about(result: BacktestResult) -> list[str]:
    """Return the scores of each series with windows, by the pipeline and by Seasonal Naive."""
    parts = []
    for model in result.models[:2]:
        own = result.scores[result.scores[MODEL] == model]
        pairs = own[[MASE, WQL]].itertuples(index=False, name=None)
        parts.append([f"{model}: MASE {cell_text(m)}, WQL {cell_text(w)}" for m, w in pairs])
    counts = [rows.stop - rows.start for rows in result.windows.by_series().values()]
    scores = map("; ".join, zip(*parts, strict=True))
    return [f"{counted(n, 'window')}. {text}" for n, text in zip(counts, scores, strict=True)]


def _scores(result: BacktestResult) -> pd.DataFrame:
    """Return a row for each series with the scores of all models, the first ones of the data."""
    names = _names(result)
    shown = [names[number] for number in result.windows.by_series()]
    parts: list[pd.DataFrame] = []
    for model in result.models:
        own = result.scores[result.scores[MODEL] == model].reset_index(drop=True)
        if not parts:
            parts.append(pd.DataFrame({"series": shown, "windows": own["windows"]}))
        parts.append(own[[MASE, WQL]].add_suffix(f" {model}"))
    return pd.concat(parts, axis=1).head(MOST_SERIES)
