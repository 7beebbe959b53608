"""The series of a file, and how they were read."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import pandas as pd
from pandas.tseries.offsets import BaseOffset

from timer_forecaster.failures import Failures
from timer_forecaster.frames.files.report import ReadingReport, SeriesSummary
from timer_forecaster.frames.panel import Panel


@dataclass(frozen=True, eq=False)
class SeriesFile:
    """The series of a file, and how they were read.

    Parameters
    ----------
    frame : pandas.DataFrame
        Times are time stamps or integers, ids are text, targets are numbers; with
        ``on_error="nan"``, a few texts may be among them.
    time_column, id_column : str
        Columns of the frame; joined ones where several were named.
    target_columns : list of str
        Columns to forecast.
    report : ReadingReport
    parts : pandas.DataFrame, optional
        The columns of ids that were joined, by the joined id.
    known_columns, past_columns : list of str
        Covariates: columns that are known over the horizon, and up to the last target alone.
    future : pandas.DataFrame, optional
        The known columns over the horizon, with the times and the ids.

    Examples
    --------
    >>> import pandas as pd
    >>> from timer_forecaster.frames.reading import read_series
    >>> days = pd.date_range("2024-01-01", periods=30)
    >>> pd.DataFrame({"day": days, "sold": range(30)}).to_csv("sales.csv", index=False)
    >>> file = read_series("sales.csv")
    >>> file.time_column, file.target_columns
    ('day', ['sold'])
    """

    frame: pd.DataFrame
    time_column: str
    id_column: str | None
    target_columns: list[str]
    report: ReadingReport
    parts: pd.DataFrame | None = None
    known_columns: list[str] = dataclasses.field(default_factory=list)
    past_columns: list[str] = dataclasses.field(default_factory=list)
    future: pd.DataFrame | None = None

    def summarized(self, freq: str | int | BaseOffset | None = None) -> ReadingReport:
        """Return the report with steps, span and gaps of the series.

        Parameters
        ----------
        freq : str, int or pandas offset, optional
            Step of the times. Default: found out.

        Returns
        -------
        ReadingReport
            Its text has a line for each remark.

        Raises
        ------
        ValueError
            If no series can be forecast, as `ForecastPipeline.predict_frame` would say. The
            message names the file.

        Examples
        --------
        >>> import pandas as pd
        >>> from timer_forecaster.frames.reading import read_series
        >>> days = pd.date_range("2024-01-01", periods=30).delete(7)
        >>> pd.DataFrame({"day": days, "sold": range(29)}).to_csv("sales.csv", index=False)
        >>> "1 of 30 steps without a value" in str(read_series("sales.csv").summarized())
        True
        """
        columns = (self.time_column, self.id_column, self.target_columns)
        try:
            panel = Panel.of_columns(self.frame, *columns, freq, Failures("nan"))
        except ValueError as error:
            raise ValueError(f"{self.report.file}: {error}") from error
        return dataclasses.replace(self.report, summary=SeriesSummary.of(panel))

    def with_ids(self, forecast: pd.DataFrame) -> pd.DataFrame:
        """Return a forecast with the columns of ids that the file has.

        Parameters
        ----------
        forecast : pandas.DataFrame
            A forecast of the frame, as `ForecastPipeline.predict_frame` returns it.

        Returns
        -------
        pandas.DataFrame

        Examples
        --------
        >>> import pandas as pd
        >>> from timer_forecaster import ForecastPipeline
        >>> from timer_forecaster.frames.reading import read_series
        >>> days = pd.date_range("2024-01-01", periods=30)
        >>> sales = pd.DataFrame({"city": "Lyon", "shop": 3, "day": days, "sold": range(30)})
        >>> sales.to_csv("sales.csv", index=False)
        >>> file = read_series("sales.csv", id_column=["city", "shop"])
        >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
        >>> columns = {"time_column": file.time_column, "id_column": file.id_column}
        >>> file.with_ids(pipe.predict_frame(file.frame, 2, **columns)).columns.tolist()
        ['city', 'shop', 'target', 'day', 'q0.1', 'q0.5', 'q0.9']
        """
        if self.parts is None:
            return forecast
        ids = self.parts.loc[forecast[self.id_column]].set_axis(forecast.index)
        taken = [name for name in ids if name in forecast and name != self.id_column]
        if taken:
            raise ValueError(f"id_column: the forecast has a column {taken[0]!r}; rename yours")
        return pd.concat([ids, forecast.drop(columns=self.id_column)], axis=1)
