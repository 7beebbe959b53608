"""Read series from a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from timer_forecaster.frames.stamps import parse_times


class MissingColumnError(ValueError):
    """An argument names a column that the file does not have.

    Parameters
    ----------
    path : Path
        The file.
    argument : str
        Name of the argument.
    column : str
        Name of the column.
    columns : sequence of str
        Names of the columns that the file has.
    """

    def __init__(self, path: Path, argument: str, column: str, columns: Sequence[str]) -> None:
        super().__init__(
            f"{path}: {argument}: there is no column {column!r}; there are {', '.join(columns)}"
        )
        self.path, self.argument, self.column, self.columns = path, argument, column, columns

    def renamed(self, argument: str) -> MissingColumnError:
        """Return the same error under another name of the argument, such as an option."""
        return MissingColumnError(self.path, argument, self.column, self.columns)


def read_series_file(
    path: str | Path,
    *,
    time_column: str,
    id_column: str | None = None,
    target_columns: str | Sequence[str] | None = None,
) -> pd.DataFrame:
    r"""Read a CSV file with a header line and one row per time (and id).

    Times and ids are read as text, so that the id ``007`` stays ``007`` and the id ``NA`` is not
    a missing value.

    Parameters
    ----------
    path : str or Path
        The file.
    time_column : str
        Column of dates or integers.
    id_column : str, optional
        Column that identifies the series of a row.
    target_columns : str or sequence of str, optional
        Columns that must be in the file.

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
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    texts = [time_column] if id_column is None else [time_column, id_column]
    try:
        columns = [str(name) for name in pd.read_csv(path, nrows=0).columns]
        for argument, name in _named_columns(time_column, id_column, target_columns):
            if name not in columns:
                raise MissingColumnError(path, argument, name, columns)
        frame = pd.read_csv(path, converters=dict.fromkeys(texts, str))
        frame[texts] = frame[texts].mask(frame[texts] == "")
        frame[time_column] = parse_times(frame[time_column], time_column)
    except MissingColumnError:
        raise
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return frame


def _named_columns(
    time_column: str, id_column: str | None, target_columns: str | Sequence[str] | None
) -> Iterator[tuple[str, str]]:
    """Yield each argument and each column that it names."""
    yield "time_column", time_column
    if id_column is not None:
        yield "id_column", id_column
    targets = [target_columns] if isinstance(target_columns, str) else target_columns
    for name in targets or ():
        yield "target_columns", name
