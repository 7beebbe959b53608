"""Errors of the reading of files. Each names the file that it concerns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from timer_forecaster.frames.files.sources import DAMAGED, Source


class NamedError(ValueError):
    """An error whose message names its file."""


class MissingColumnError(NamedError):
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

    Examples
    --------
    >>> import pandas as pd
    >>> from timer_forecaster.frames.reading import MissingColumnError, read_series
    >>> pd.DataFrame({"day": ["2024-01-01"], "sold": [3]}).to_csv("sales.csv", index=False)
    >>> try:
    ...     read_series("sales.csv", target_columns=["price"])
    ... except MissingColumnError as error:
    ...     print(error.argument, error.column, error.columns)
    target_columns price ['day', 'sold']
    """

    def __init__(
        self, path: Path | str, argument: str, column: str, columns: Sequence[str]
    ) -> None:
        super().__init__(
            f"{path}: {argument}: there is no column {column!r}; there are {', '.join(columns)}"
        )
        self.path, self.argument, self.column, self.columns = path, argument, column, columns

    def renamed(self, argument: str) -> MissingColumnError:
        """Return the same error under another name of the argument, such as an option.

        :meta private:
        """
        return MissingColumnError(self.path, argument, self.column, self.columns)


@contextmanager
def naming(source: Source) -> Iterator[None]:
    """Name a file in errors that name none.

    Examples
    --------
    >>> import io
    >>> with naming(Source.of(io.BytesIO(b"x"))):
    ...     raise ValueError("there are no rows")
    Traceback (most recent call last):
    timer_forecaster.frames.reading.errors.NamedError: standard input: there are no rows
    """
    try:
        yield
    except NamedError:
        raise
    except ValueError as error:
        raise NamedError(f"{source.name}: {error}") from error
    except DAMAGED as error:
        raise NamedError(f"{source.name}: it is damaged or cut off: {error}") from error
