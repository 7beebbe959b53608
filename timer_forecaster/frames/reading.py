"""Read series from a file: text, Excel or Parquet, written as people write them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import pandas as pd
from pandas.tseries.offsets import BaseOffset

from timer_forecaster.failures import Failures
from timer_forecaster.frames.columns import chosen_targets, refuse_no_target
from timer_forecaster.frames.covariates.roles import (
    AbsentColumnError,
    Roles,
    refuse_other_values,
    roles_of,
)
from timer_forecaster.frames.files.dialect import Dialect, find_dialect
from timer_forecaster.frames.files.figures import Figures, read_figures
from timer_forecaster.frames.files.joined import joined_ids, joined_name, joined_times
from timer_forecaster.frames.files.later import later_ids, later_numbers
from timer_forecaster.frames.files.options import ReadingOptions
from timer_forecaster.frames.files.parquet import read_parquet
from timer_forecaster.frames.files.report import (
    FutureReport,
    ReadingReport,
    SeriesSummary,
    time_text,
)
from timer_forecaster.frames.files.sources import DAMAGED, Source
from timer_forecaster.frames.files.textfile import read_text
from timer_forecaster.frames.files.time_column import the_time_column
from timer_forecaster.frames.files.workbook import read_workbook
from timer_forecaster.frames.numerals import UnreadableNumberError
from timer_forecaster.frames.stamps import parse_times
from timer_forecaster.frames.stamps.alike import parse_alike
from timer_forecaster.frames.table import Table
from timer_forecaster.frames.targets import choose_targets

Names = str | Sequence[str] | None


class _NamedError(ValueError):
    """An error whose message names its file."""


class MissingColumnError(ValueError):
    """An argument names a column that the file does not have.

    Parameters
    ----------
    path : Path or str
        The file.
    argument : str
        Name of the argument.
    column : str
        Name of the column.
    columns : sequence of str
        Names of the columns that the file has.
    """

    def __init__(
        self, path: Path | str, argument: str, column: str, columns: Sequence[str]
    ) -> None:
        super().__init__(
            f"{path}: {argument}: there is no column {column!r}; there are {', '.join(columns)}"
        )
        self.path, self.argument, self.column, self.columns = path, argument, column, columns

    def renamed(self, argument: str) -> MissingColumnError:
        """Return the same error under another name of the argument, such as an option."""
        return MissingColumnError(self.path, argument, self.column, self.columns)


@dataclass(frozen=True, eq=False)
class SeriesFile:
    """The series of a file, and how they were read.

    Parameters
    ----------
    frame : pandas.DataFrame
        Times are time stamps or integers, ids are text, targets are numbers.
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

        Raises
        ------
        ValueError
            If no series can be forecast, as `ForecastPipeline.predict_frame` would say. The
            message names the file.
        """
        from timer_forecaster.frames.panel import Panel

        columns = (self.time_column, self.id_column, self.target_columns)
        try:
            panel = Panel.of_columns(self.frame, *columns, freq, Failures("nan"))
        except ValueError as error:
            raise ValueError(f"{self.report.file}: {error}") from error
        return dataclasses.replace(self.report, summary=SeriesSummary.of(panel))

    def with_ids(self, forecast: pd.DataFrame) -> pd.DataFrame:
        """Return a forecast with the columns of ids that the file has."""
        if self.parts is None:
            return forecast
        ids = self.parts.loc[forecast[self.id_column]].set_axis(forecast.index)
        taken = [name for name in ids if name in forecast and name != self.id_column]
        if taken:
            raise ValueError(f"id_column: the forecast has a column {taken[0]!r}; rename yours")
        return pd.concat([ids, forecast.drop(columns=self.id_column)], axis=1)


def read_series(
    file: str | Path | BinaryIO,
    *,
    time_column: Names = None,
    id_column: Names = None,
    target_columns: Names = None,
    known_columns: Names = None,
    past_columns: Names = None,
    future: str | Path | BinaryIO | None = None,
    freq: str | int | BaseOffset | None = None,
    options: ReadingOptions | None = None,
) -> SeriesFile:
    r"""Read the series of a file, and report how.

    Parameters
    ----------
    file : str, Path or binary file
        Text (CSV and its kin, plain or packed), Excel or Parquet; its bytes tell which.
    time_column : str or sequence of str, optional
        Column of dates or integers, or columns of a date and a clock time. Default: the only
        column whose texts are dates.
    id_column : str or sequence of str, optional
        Column or columns that identify the series of a row.
    target_columns : str or sequence of str, optional
        Columns to forecast. Default: all that hold measurements.
    known_columns, past_columns : str or sequence of str, optional
        Covariates, as in `ForecastPipeline.predict_frame`. A text names several with commas between
        them, unless there is a column of this name.
    future : str, Path or binary file, optional
        File with the known columns over the horizon. It is read as ``file`` is.
    freq : str, int or pandas offset, optional
        Step of the times, which may decide how dates are read.
    options : ReadingOptions, optional
        How the file is written, as far as it is not to be found out.

    Returns
    -------
    SeriesFile

    Raises
    ------
    MissingColumnError
        If the file lacks a column that an argument names.
    ValueError
        If there is no such file, or it allows no or several readings. The message names the file.
    ImportError
        If a package that reads the file is not installed.

    Examples
    --------
    >>> import io
    >>> text = "Tag;Umsatz\n13.01.2024;1.018,5\n14.01.2024;997,0\n"
    >>> read = read_series(io.BytesIO(text.encode()), time_column="Tag")
    >>> read.frame["Umsatz"].tolist(), read.frame["Tag"].dt.day.tolist()
    ([1018.5, 997.0], [13, 14])
    >>> print(read.report)
    standard input: 2 rows of data; text separated by semicolon, UTF-8
      times: 'Tag' ('13.01.2024' is 2024-01-13)
      targets: 'Umsatz' (decimal ',', thousands '.')
    """
    source = Source.of(file)
    beside = (known_columns, past_columns, None if future is None else Source.of(future))
    columns = (time_column, id_column, target_columns)
    try:
        return _Reading(source, options or ReadingOptions(), *columns, freq, *beside).read()
    except (MissingColumnError, _NamedError):
        raise
    except ValueError as error:
        raise ValueError(f"{source.name}: {error}") from error
    except DAMAGED as error:
        raise ValueError(f"{source.name}: it is damaged or cut off: {error}") from error


def read_series_file(
    path: str | Path | BinaryIO,
    *,
    time_column: Names = None,
    id_column: Names = None,
    target_columns: Names = None,
    **options: Any,
) -> pd.DataFrame:
    r"""Read a file with one row per time (and id) into a frame.

    Times and ids are read as text, so that the id ``007`` stays ``007`` and the id ``NA`` is not
    a missing value. `read_series` does the same and reports how the file was read.

    Parameters
    ----------
    path : str, Path or binary file
        The file.
    time_column : str or sequence of str, optional
        Column of dates or integers, or columns of a date and a clock time.
    id_column : str or sequence of str, optional
        Column or columns that identify the series of a row.
    target_columns : str or sequence of str, optional
        Columns that must be in the file, and that hold numbers.
    **options
        Fields of `ReadingOptions`, such as ``sep``, ``decimal`` and ``dayfirst``.

    Returns
    -------
    pandas.DataFrame
        All columns of the file. Times are time stamps or integers, ids are text.

    Raises
    ------
    MissingColumnError
        If the file lacks a column that an argument names.
    ValueError
        If there is no such file, or it cannot be read. The message names the file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "sales.csv"
    ...     _ = file.write_text("shop,day,sold\n007,2024-01-01,3\n007,2024-01-02,5\n")
    ...     frame = read_series_file(file, time_column="day", id_column="shop")
    >>> frame["shop"].tolist(), frame["day"].dt.day.tolist(), frame["sold"].tolist()
    (['007', '007'], [1, 2], [3, 5])
    """
    return read_series(
        path,
        time_column=time_column,
        id_column=id_column,
        target_columns=target_columns,
        options=ReadingOptions(**options),
    ).frame


def _names(given: Names) -> list[str]:
    return [given] if isinstance(given, str) else list(given or [])


def _is_string(column: pd.Series) -> bool:
    return bool(
        pd.api.types.is_string_dtype(column.dtype) or pd.api.types.is_object_dtype(column.dtype)
    )


def _blank_as_missing(column: pd.Series) -> pd.Series:
    return column.mask(column == "") if _is_string(column) else column


@contextmanager
def _naming(source: Source) -> Iterator[None]:
    """Name a file in errors."""
    try:
        yield
    except MissingColumnError:
        raise
    except ValueError as error:
        raise _NamedError(f"{source.name}: {error}") from error
    except DAMAGED as error:
        raise _NamedError(f"{source.name}: it is damaged or cut off: {error}") from error


def _split(given: Names, columns: Sequence[str]) -> list[str] | None:
    """Return names; a text that is no column names several with commas between them."""
    if given is None:
        return None
    parts = [[name] if name in columns else name.split(",") for name in _names(given)]
    found = [name if name in columns else name.strip() for part in parts for name in part]
    return [name for name in found if name]


def _how(name: str, figures: Figures) -> str:
    """Return how a covariate is written, if not as plain numbers."""
    if not pd.api.types.is_numeric_dtype(figures.frame[name].dtype):
        return "categories"
    return figures.notations.get(name, "")


def _told_apart(own: pd.Series | None, later: pd.Series | None) -> pd.Series | None:
    """Return the series of each row of two files; rows of one id in both are two series."""
    if own is None or later is None:
        return None
    codes, _ = pd.factorize(pd.concat([own, later], ignore_index=True).astype(object))
    codes[len(own) :] += 1 + codes.max(initial=0)
    return pd.Series(codes)


def _as_ids(column: pd.Series) -> pd.Series:
    """Return ids; those of a text file or of cells of several types are texts."""
    if not _is_string(column):
        return column
    texts = column.map(str, na_action="ignore")
    return texts.mask(texts == "")


def _advised(error: UnreadableNumberError) -> str:
    if error.ambiguous:
        return f"{error}: give decimal (--decimal) or thousands (--thousands)"
    return f"{error}; leave it empty if it is missing"


def _with_named(
    frame: pd.DataFrame, named: dict[str, pd.Series | None], table: Table
) -> pd.DataFrame:
    """Return a frame with its ids and times, in the order of the columns of the file."""
    taken = [name for name in named if name in frame]
    if taken:
        raise ValueError(f"there is a column {taken[0]!r} beside those that it would be joined of")
    joined = [name for name in named if name not in table.frame]
    order = [str(name) for name in table.frame if name in frame or name in named]
    return frame.assign(**named)[[*joined, *order]]


def _reason(error: UnreadableNumberError) -> str:
    """Return why a column that nobody named is left out."""
    return f"text: {_advised(error)}" if error.numeric else f"text, such as {error.text!r}"


def _time_of_sample(dialect: Dialect, ids: list[str]) -> list[str]:
    """Return the column of dates of a text file; none if its rows are refused later."""
    names = dialect.header.names
    rows = [row for row in dialect.sample if any(row) and not row[0].startswith("#")]
    if any(len(row) < len(names) or any(row[len(names) :]) for row in rows):
        return []
    sample = pd.DataFrame([row[: len(names)] for row in rows], columns=names)
    return [the_time_column(sample, ids)]


@dataclass(frozen=True)
class _Reading:
    """One reading of a file, in steps."""

    source: Source
    options: ReadingOptions
    time_column: Names
    id_column: Names
    target_columns: Names
    freq: str | int | BaseOffset | None
    known_columns: Names = None
    past_columns: Names = None
    future: Source | None = None

    def read(self) -> SeriesFile:
        """Read the file."""
        table, times = self._table()
        ids = _names(self.id_column)
        self._check_names(table, times, ids, _names(self.target_columns))
        if table.frame.empty:
            raise ValueError("there are no rows of data")
        later = None if self.future is None else self._later(times, ids)
        roles = self._roles(table, later, [*times, *ids])
        figures = self._figures(table, [*times, *ids], roles)
        time_column, id_column = joined_name(times), joined_name(ids) if ids else None
        keys, parts = self._ids(table, ids) if ids else (None, None)
        stamps, read_as = self._times(table, times, keys)
        named: dict[str, pd.Series | None] = {} if id_column is None else {id_column: keys}
        named[time_column] = stamps
        frame = _with_named(figures.frame, named, table)
        reasons = {name: _reason(error) for name, error in figures.refused.items()}
        chosen, left_out, doubts = self._targets(
            frame.drop(columns=roles.all), time_column, id_column, reasons
        )
        notes = figures.notations
        report = ReadingReport(
            file=self.source.name,
            format=table.format,
            rows=len(frame),
            skipped=table.skipped,
            time=read_as,
            ids=ids,
            targets={n: "; ".join(filter(None, (notes.get(n), doubts.get(n)))) for n in chosen},
            left_out=left_out,
            known={name: _how(name, figures) for name in map(str, roles.known)},
            past={name: _how(name, figures) for name in map(str, roles.past)},
            future=None if later is None else FutureReport.of(cast(Source, self.future), later),
        )
        beside = [str(name) for name in roles.known], [str(name) for name in roles.past]
        read = SeriesFile(frame, time_column, id_column, chosen, report, parts, *beside)
        return read if later is None else self._with_future(read, table, later, times, ids)

    def _later(self, times: list[str], ids: list[str]) -> Table:
        """Return the columns of the file of the future."""
        source = cast(Source, self.future)
        reading = dataclasses.replace(
            self, source=source, time_column=times, id_column=ids, target_columns=None
        )
        with _naming(source):
            table, _ = reading._table()
            reading._check_names(table, times, ids, [])
            if table.frame.empty:
                raise ValueError("there are no rows of data")
        return table

    def _roles(self, table: Table, later: Table | None, reserved: list[str]) -> Roles:
        """Return the covariates among the columns."""
        columns = [str(name) for name in table.frame]
        known, past = (_split(names, columns) for names in (self.known_columns, self.past_columns))
        name = self.future.name if self.future is not None else ""
        try:
            roles = roles_of(
                columns,
                None if later is None else [str(name) for name in later.frame],
                known=known,
                past=past,
                targets=_names(self.target_columns) or None,
                reserved=reserved,
                name=name,
            )
        except AbsentColumnError as error:
            name = str(error.column)
            raise MissingColumnError(self.source.name, error.argument, name, columns) from None
        if later is not None and known is None:
            refuse_other_values(later.frame, roles.known, [*reserved, *roles.past], name)
        for column in roles.all:
            if column in table.repeated or (later is not None and column in later.repeated):
                raise ValueError(f"column {column!r} is there more than once")
        return roles

    def _figures(self, table: Table, reserved: list[str], roles: Roles) -> Figures:
        """Return the numbers of targets and covariates, or of all columns if no target is named."""
        frame, targets = table.frame.drop(columns=reserved), _names(self.target_columns)
        candidates = [*targets, *map(str, roles.all)] if targets else [str(n) for n in frame]
        figures = read_figures(
            frame,
            [name for name in candidates if name in frame],
            decimal=self.options.decimal,
            thousands=self.options.thousands,
            shown=table.decimal,
            usual=table.usual,
        )
        for name in targets:
            if name in figures.refused:
                raise ValueError(f"target {name!r}: {_advised(figures.refused[name])}")
        for name in map(str, roles.all):
            error = figures.refused.get(name)
            if error is not None and error.numeric:  # other texts are categories
                raise ValueError(f"covariate {name!r}: {_advised(error)}")
        return figures

    def _with_future(
        self, read: SeriesFile, table: Table, later: Table, times: list[str], ids: list[str]
    ) -> SeriesFile:
        """Return the series with the known columns over the horizon."""
        with _naming(cast(Source, self.future)):
            columns = {name: self._known(read, table, later, name) for name in read.known_columns}
            keys = (
                None
                if not ids
                else later_ids(
                    later.frame[ids].apply(_as_ids), self._ids(table, ids)[0], read.parts
                )
            )
            own = None if read.id_column is None else read.frame[read.id_column]
            stamps = self._later_times(read, table, later, times, _told_apart(own, keys))
        named = {} if keys is None else {cast(str, read.id_column): keys}
        future = pd.DataFrame({**named, read.time_column: stamps, **columns})
        if read.parts is not None:
            future = future[cast(pd.Series, keys).notna().to_numpy()]  # ids without a history
        return dataclasses.replace(read, future=future)

    def _known(self, read: SeriesFile, table: Table, later: Table, name: str) -> pd.Series:
        """Return a known column over the horizon, with numbers as the history has them."""
        if not pd.api.types.is_numeric_dtype(read.frame[name].dtype):
            return later.frame[name]
        return later_numbers(
            table, later, name, self.options.decimal, self.options.thousands, read.frame[name]
        )

    def _later_times(
        self,
        read: SeriesFile,
        table: Table,
        later: Table,
        names: list[str],
        ids: pd.Series | None,
    ) -> pd.Series:
        """Return the times of the future, read as the times of the history are."""
        n_rows = len(table.frame)
        own = None if ids is None else ids.iloc[n_rows:].reset_index(drop=True)
        if len(names) > 1:
            return self._times(later, names, own)[0]

        def parse(values: pd.Series) -> pd.Series:
            return self._parse(values, names[0], own if len(values) == len(later.frame) else ids)

        before, after = (_blank_as_missing(one.frame[names[0]]) for one in (table, later))
        history = read.frame[read.time_column]
        return parse_alike(after, before, history, parse, f"column {names[0]!r}")

    def _table(self) -> tuple[Table, list[str]]:
        """Return the columns of the file, and the names of those that hold the times."""
        times, ids = _names(self.time_column), _names(self.id_column)
        wanted = [*times, *ids] or _names(self.target_columns)
        kind = self.source.kind()
        has_header = False if self.options.no_header else None
        if kind == "parquet":
            table = read_parquet(self.source)
        elif kind == "excel":
            sheet = self.options.sheet
            table = read_workbook(self.source, wanted, sheet=sheet, has_header=has_header)
        else:
            known = {"separator": self.options.sep, "encoding": self.options.encoding}
            dialect = find_dialect(self.source, wanted, **known, has_header=has_header)
            times = times or _time_of_sample(dialect, ids)
            decimal_known = self.options.decimal is not None or self.options.thousands is not None
            table = read_text(
                self.source,
                [*times, *ids],
                **known,
                has_header=has_header,
                decimal_known=decimal_known,
                dialect=dialect,
            )
        return table, times or [the_time_column(table.frame, ids)]

    def _check_names(
        self, table: Table, times: list[str], ids: list[str], targets: list[str]
    ) -> None:
        columns = [str(name) for name in table.frame]
        roles = {"time_column": times, "id_column": ids, "target_columns": targets}
        for argument, name in ((role, name) for role, names in roles.items() for name in names):
            if name not in columns:
                raise MissingColumnError(self.source.name, argument, name, columns)
            if name in table.repeated:
                raise ValueError(f"{argument}: column {name!r} is there more than once")
        for names in (times, ids):
            if len(set(names)) < len(names):
                raise ValueError(f"columns {', '.join(names)}: name each once")
        both = [name for name in ids if name in times]
        if both:
            raise ValueError(f"id_column and time_column are both {both[0]!r}")
        if targets:
            chosen_targets(table.frame, targets, times[0], ids[0] if ids else None)
            inner = [name for name in targets if name in (*times, *ids)]
            if inner:
                raise ValueError(f"target_columns: {inner[0]!r} is the time or the id column")

    def _times(
        self, table: Table, names: list[str], ids: pd.Series | None
    ) -> tuple[pd.Series, str]:
        """Return the times, and how the first of them was read."""

        def parse(values: pd.Series, column: str) -> pd.Series:
            return self._parse(values, column, ids)

        given = [_blank_as_missing(table.frame[name]) for name in names]
        one = len(names) == 1
        times = parse(given[0], names[0]) if one else joined_times(given, names, parse)
        label = ", ".join(map(repr, names))
        if not len(times) or not any(map(_is_string, given)):
            return times, label
        first, time = " ".join(str(column.iloc[0]) for column in given), time_text(times.iloc[0])
        return times, label if first == time else f"{label} ({first!r} is {time})"

    def _parse(self, values: pd.Series, column: str, ids: pd.Series | None) -> pd.Series:
        """Read a column of times by the options."""
        return parse_times(
            values,
            column,
            date_format=self.options.date_format,
            dayfirst=self.options.dayfirst,
            timezone=self.options.timezone,
            freq=self.freq,
            series=ids,
        )

    def _ids(self, table: Table, names: list[str]) -> tuple[pd.Series, pd.DataFrame | None]:
        """Return the ids, and their parts if they are several columns."""
        columns = table.frame[names]
        columns = columns.apply(_as_ids)
        if len(names) == 1:
            return columns[names[0]], None
        return joined_ids(columns)

    def _targets(
        self,
        frame: pd.DataFrame,
        time_column: str,
        id_column: str | None,
        reasons: dict[str, str],
    ) -> tuple[list[str], dict[str, str], dict[str, str]]:
        """Return the targets, the reasons of the other columns, and doubts about the targets."""
        targets = _names(self.target_columns)
        if targets:
            return targets, {}, {}
        choice = choose_targets(frame, time_column, id_column)
        left_out = {str(name): reasons.get(str(name), why) for name, why in choice.left_out.items()}
        choice = choice._replace(left_out=cast(dict[Any, str], left_out))
        refuse_no_target(choice, list(frame.columns))
        doubts = {
            str(n): f"although {why}: there is no other" for n, why in choice.doubtful.items()
        }
        return [str(name) for name in choice.targets], left_out, doubts
