"""Read the series of a file, and say how they were read."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, cast

import pandas as pd
from pandas.tseries.offsets import BaseOffset

from timer_forecaster.failures import Failures
from timer_forecaster.frames.columns import refuse_no_target
from timer_forecaster.frames.covariates.roles import (
    FUTURE,
    AbsentColumnError,
    FutureColumnsError,
    Roles,
    categories_of,
    refuse_other_values,
    roles_of,
)
from timer_forecaster.frames.files.figures import Figures, read_figures
from timer_forecaster.frames.files.options import ReadingOptions
from timer_forecaster.frames.files.report import ReadingReport
from timer_forecaster.frames.files.sources import Source
from timer_forecaster.frames.numerals import UnreadableNumberError
from timer_forecaster.frames.reading.errors import MissingColumnError, NamedError, naming
from timer_forecaster.frames.reading.future import FutureFile
from timer_forecaster.frames.reading.layout import Layout
from timer_forecaster.frames.reading.series_file import SeriesFile
from timer_forecaster.frames.table import Table
from timer_forecaster.frames.targets import choose_targets

Names = str | Sequence[str] | None


def read_series(
    file: str | Path | BinaryIO | Source,
    *,
    time_column: Names = None,
    id_column: Names = None,
    target_columns: Names = None,
    known_columns: Names = None,
    past_columns: Names = None,
    categories: Names = None,
    future: str | Path | BinaryIO | None = None,
    freq: str | int | BaseOffset | None = None,
    options: ReadingOptions | None = None,
    on_error: str = "raise",
) -> SeriesFile:
    r"""Read the series of a file, and report how.

    Parameters
    ----------
    file : str, Path, binary file or Source
        Text (CSV and its kin, plain or packed), Excel or Parquet; its bytes tell which. A `Source`
        may hold columns that were read already.
    time_column : str or sequence of str, optional
        Column of dates or integers, or columns of a date and a clock time. Default: the only
        column whose texts are dates.
    id_column : str or sequence of str, optional
        Column or columns that identify the series of a row.
    target_columns : str or sequence of str, optional
        Columns to forecast. Default: all that hold measurements.
    known_columns, past_columns, categories : str or sequence of str, optional
        Covariates, as in `ForecastPipeline.predict_frame`. A text names several with commas between
        them, unless there is a column of this name.
    future : str, Path or binary file, optional
        File with the known columns over the horizon. It is read as ``file`` is.
    freq : str, int or pandas offset, optional
        Step of the times, which may decide how dates are read.
    options : ReadingOptions, optional
        How the file is written, as far as it is not to be found out.
    on_error : {"raise", "nan"}
        With "nan", a few texts that are no numbers stay in targets that are named, so that
        `ForecastPipeline.predict_frame` can leave out their series alone.

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
    layout = Layout(options or ReadingOptions(), _names(time_column), _names(id_column), freq)
    named = _names(target_columns), known_columns, past_columns, categories
    later = None if future is None else Source.of(future)
    with naming(source):
        return _Reading(source, layout, *named, later, Failures(on_error).collects).read()


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


@dataclass(frozen=True)
class _Reading:
    """One reading of a file, in steps."""

    source: Source
    layout: Layout
    targets: list[str]
    known_columns: Names = None
    past_columns: Names = None
    categories: Names = None
    future: Source | None = None
    keeps_texts: bool = False

    def read(self) -> SeriesFile:
        """Read the file, and the file of the future if there is one."""
        self.layout.options.refuse_unused(self._kinds())
        asked = replace(self.layout, texts=all_names(self.categories))
        table, layout = asked.open(self.source, self.targets)
        later = None if self.future is None else FutureFile.of(self.future, layout)
        roles, codes = self._roles(table, later, layout.reserved)
        layout = replace(layout, texts=codes)
        figures = self._figures(table, layout, roles)
        keys, parts = layout.keys(table)
        stamps, read_as = layout.stamps(table.frame, keys)
        named: dict[str, pd.Series | None] = {layout.time_column: stamps}
        if layout.id_column is not None:
            named = {layout.id_column: keys, **named}
        frame = _with_named(figures.frame, named, table)
        targets, left_out = self._targets(frame.drop(columns=roles.all), layout, figures)
        report = ReadingReport(
            file=self.source.name,
            format=table.format,
            rows=len(frame),
            skipped=table.skipped,
            time=read_as,
            ids=layout.ids,
            targets=targets,
            left_out=left_out,
            known={name: _how(name, figures) for name in map(str, roles.known)},
            past={name: _how(name, figures) for name in map(str, roles.past)},
            future=None if later is None else later.report,
        )
        columns = layout.time_column, layout.id_column, list(targets)
        covariates = list(report.known), list(report.past)
        read = SeriesFile(frame, *columns, report, parts, *covariates)
        if later is None:
            return read
        return replace(read, future=later._replace(layout=layout).beside(read, table))

    def _kinds(self) -> list[str]:
        """Return the kinds of the files, which have the same options."""
        kinds = [self.source.kind()]
        if self.future is not None:
            with naming(self.future):
                kinds.append(self.future.kind())
        return kinds

    def _roles(
        self, table: Table, later: FutureFile | None, reserved: list[str]
    ) -> tuple[Roles, list[str]]:
        """Return the covariates among the columns, and the ones that are named as categories."""
        columns = [str(name) for name in table.frame]
        known, past, codes = (
            _split(names, columns)
            for names in (self.known_columns, self.past_columns, self.categories)
        )
        name = FUTURE if later is None else later.source.name
        try:
            roles = roles_of(
                columns,
                None if later is None else later.columns,
                known=known,
                past=past,
                targets=self.targets or None,
                reserved=reserved,
                name=name,
            )
            if later is not None and known is None:
                refuse_other_values(later.table.frame, roles, reserved, name)
        except AbsentColumnError as error:
            name = str(error.column)
            raise MissingColumnError(self.source.name, error.argument, name, columns) from None
        except FutureColumnsError as error:
            raise NamedError(str(error)) from None
        _refuse_repeated(roles, table)
        if later is not None:
            with naming(later.source):
                _refuse_repeated(roles, later.table)
        return roles, [str(column) for column in categories_of(codes, roles)]

    def _figures(self, table: Table, layout: Layout, roles: Roles) -> Figures:
        """Return the numbers of targets and covariates, or of all columns if no target is named."""
        frame = table.frame.drop(columns=layout.reserved)
        frame = frame.astype(dict.fromkeys(layout.texts, "category"))
        candidates = [*self.targets, *map(str, roles.all)] if self.targets else map(str, frame)
        figures = read_figures(
            frame,
            [name for name in candidates if name in frame and name not in layout.texts],
            decimal=layout.options.decimal,
            thousands=layout.options.thousands,
            shown=table.decimal,
            usual=table.usual,
            kept=self.targets if self.keeps_texts else None,
        )
        for name in self.targets:
            if name in figures.refused:
                raise ValueError(f"target {name!r}: {_advised(figures.refused[name])}")
        for name in map(str, roles.all):
            error = figures.refused.get(name)
            if error is not None and error.numeric:  # other texts are categories
                raise ValueError(f"covariate {name!r}: {_advised(error)}, or name it in categories")
        return figures

    def _targets(
        self, frame: pd.DataFrame, layout: Layout, figures: Figures
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Return the targets and how they are written, and the reasons of the other columns."""
        notes, doubts = figures.notations, dict[str, str]()
        chosen, left_out = self.targets, dict[str, str]()
        if not chosen:
            reasons = {name: _reason(error) for name, error in figures.refused.items()}
            choice = choose_targets(frame, layout.time_column, layout.id_column)
            left_out = {str(n): reasons.get(str(n), why) for n, why in choice.left_out.items()}
            choice = choice._replace(left_out=cast(dict[Hashable, str], left_out))
            refuse_no_target(choice, list(frame.columns))
            doubts = {
                str(n): f"although {why}: there is no other" for n, why in choice.doubtful.items()
            }
            chosen = [str(name) for name in choice.targets]
        written = {n: "; ".join(filter(None, (notes.get(n), doubts.get(n)))) for n in chosen}
        return written, left_out


def _names(given: Names) -> list[str]:
    return [given] if isinstance(given, str) else list(given or [])


def all_names(given: Names) -> list[str]:
    """Return names, and the names that they hold with commas between them."""
    return sorted({part.strip() for name in _names(given) for part in (name, *name.split(","))})


def _split(given: Names, columns: Sequence[str]) -> list[str] | None:
    """Return names; a text that is no column names several with commas between them."""
    if given is None:
        return None
    parts = [[name] if name in columns else name.split(",") for name in _names(given)]
    found = [name if name in columns else name.strip() for part in parts for name in part]
    return [name for name in found if name]


def _refuse_repeated(roles: Roles, table: Table) -> None:
    """Refuse covariates that a file has more than once."""
    for column in roles.all:
        if column in table.repeated:
            raise ValueError(f"column {column!r} is there more than once")


def _how(name: str, figures: Figures) -> str:
    """Return how a covariate is written, if not as plain numbers."""
    if not pd.api.types.is_numeric_dtype(figures.frame[name].dtype):
        return "categories"
    return figures.notations.get(name, "")


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
