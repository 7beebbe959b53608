"""The rows of a text file such as CSV, block by block, read as `read_series` reads a whole file."""

from __future__ import annotations

import codecs
import dataclasses
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import pandas as pd

from timer_forecaster.frames.files.dialect import Dialect, find_dialect
from timer_forecaster.frames.files.joined import joined_name
from timer_forecaster.frames.files.options import ReadingOptions
from timer_forecaster.frames.files.sources import Source
from timer_forecaster.frames.reading import SeriesFile, read_series
from timer_forecaster.frames.reading.errors import naming
from timer_forecaster.frames.reading.layout import Layout
from timer_forecaster.frames.reading.series import all_names
from timer_forecaster.scale.apart import FAULT, is_named, read_apart
from timer_forecaster.scale.batches import Batch, kind_of, require_pyarrow

if TYPE_CHECKING:
    import pyarrow as pa

_BLOCK = 1 << 23  # bytes that are read at once
_ELSEWHERE = "Etc/GMT+12"
"""A zone whose clock differs from that of every place where people live."""
_YEAR_FIRST = re.compile(r"\s*\d{4}[-/. ]")
"""The start of a date in which the year, the month and the day follow each other."""


class TextRows:
    """The rows of a text file.

    The separator and the encoding are found once. Times and ids are read in each block of lines.

    Parameters
    ----------
    path : Path
    columns : mapping of str to anything
        ``time_column``, ``id_column``, ``target_columns``, ``known_columns``, ``past_columns``,
        ``categories`` and ``freq`` as `read_series` takes them.
    options : ReadingOptions
    block : int
        Bytes that are read at once.

    Attributes
    ----------
    timezone : str or None
        Zone of the times, if blocks are read without it because only whole series show which of two
        hours of one name is meant.

    Raises
    ------
    ValueError
        If there is no such file, or it is no text, or not written in an encoding in which a line
        ends with a byte.
    """

    unit = "B"

    def __init__(
        self,
        path: Path,
        columns: dict[str, Any],
        options: ReadingOptions,
        block: int = _BLOCK,
    ) -> None:
        require_pyarrow()
        self.path, self._columns, self._block = path, columns, block
        self._source = Source.of(path)
        with naming(self._source):
            self._dialect = _dialect_of(self._source, columns, options)
        header = self._dialect.header.found
        self._options = dataclasses.replace(
            options,
            sep=self._dialect.separator,
            encoding=self._dialect.encoding,
            no_header=None if header else True,
        )
        self.total = None if self.is_packed else path.stat().st_size
        self.timezone: str | None = None

    def described(self) -> dict[str, Any]:
        """Return the name and the size of the file, and how it is read."""
        zone = self.timezone or self._options.timezone
        options = dataclasses.replace(self._options, timezone=zone)
        return {"data": [[self.path.name, self.path.stat().st_size]], "reading": options}

    @property
    def is_packed(self) -> bool:
        """Whether the lines are unpacked as they are read."""
        return self._source.packing() is not None

    def sorting(self, ids: Sequence[str]) -> str:
        """Return how the rows can be sorted by some columns, for an error."""
        if self.is_packed:
            return f"unpack {self.path}, and sort its lines by {', '.join(ids)}"
        names, lines, sign = self._dialect.header.names, self._dialect.lines, self._options.sep
        with self._source.open() as stream:
            is_quoted = b'"' in stream.read(self._block)
        if is_quoted:
            return f"sort its rows by {', '.join(ids)}{self._sorting_of_fields(ids)}"
        keys = " ".join(f"-k{names.index(name) + 1},{names.index(name) + 1}" for name in ids)
        file, shown = shlex.quote(str(self.path)), r"$'\t'" if sign == "\t" else f"'{sign}'"
        return (
            f"sort its lines, for example by `(head -n {lines} {file}; tail -n +{lines + 1} {file} "
            f"| LC_ALL=C sort -s -t {shown} {keys}) > sorted.csv`"
        )

    def _sorting_of_fields(self, ids: Sequence[str]) -> str:
        """Return how a file is sorted in which fields in quotation marks may hold separators."""
        if self._dialect.lines != 1 or not self._dialect.header.found:
            return " with a program that reads quotation marks"
        written = f"sep={self._options.sep!r}, encoding={self._options.encoding!r}"
        return (
            f", for example in Python by `pandas.read_csv({str(self.path)!r}, {written}, "
            f"dtype=str, keep_default_na=False).sort_values({list(ids)}, kind='stable')"
            f".to_csv('sorted.csv', {written}, index=False)`"
        )

    def head(self) -> pa.Table:
        """Return all columns of the first block."""
        return self._first()

    def _first(self, apart: bool = True) -> pa.Table:
        _, batch = next(self._tables(apart))
        return batch.table

    def settled(self, head: pa.Table, **columns: Any) -> TextRows:
        """Return the same rows, read with further columns named and as the first block is read.

        A later block may not show the decimal sign, or the order of day and month, by itself.

        Parameters
        ----------
        head : pyarrow.Table
            The first block.
        **columns
            As the argument ``columns`` of this class; the columns of times must be known then.
        """
        rows = TextRows(self.path, self._columns | columns, self._options, self._block)
        if FAULT not in head.column_names:
            for name, values in rows._open_options().items():
                choices = [rows._with(**{name: value}) for value in values]
                fitting = [one for one in choices if one._reads_as(head)]
                rows = fitting[0] if len(fitting) == 1 else rows
        return rows._by_the_clock(head)

    def _open_options(self) -> dict[str, tuple[Any, ...]]:
        """Return the options that were not given and that lines may show, with their values."""
        given, found = self._options, dict[str, tuple[Any, ...]]()
        if given.decimal is None and given.thousands is None:
            found["decimal"] = (".", ",")
        if given.dayfirst is None and given.date_format is None and not self._begins_with_a_year():
            found["dayfirst"] = (True, False)
        return found

    def _begins_with_a_year(self) -> bool:
        """Whether the first date has its year first; then all dates of the column have."""
        names = self._dialect.header.names
        places = [names.index(name) for name in self._columns["time_column"] if name in names]
        row = next((row for row in self._dialect.sample if any(row)), [])
        return any(_YEAR_FIRST.match(row[place]) for place in places if place < len(row))

    def _by_the_clock(self, head: pa.Table) -> TextRows:
        """Return rows whose times have no zone yet, if the lines show those of a clock.

        An hour that the clock has twice is told apart by the series as a whole, and a block may
        begin between the two. Times that are the same in another zone are no times of a clock: they
        have offsets from UTC, or count from 1970.
        """
        zone = self._options.timezone
        if zone is None:
            return self
        name = joined_name(self._columns["time_column"])
        elsewhere = self._with(timezone=_ELSEWHERE)._first()
        times, others = head[name].to_pandas(), elsewhere[name].to_pandas()
        read = times.notna() & others.notna()
        if (times[read] == others[read]).all():
            return self
        rows = self._with(timezone=None)
        rows.timezone = zone
        return rows

    def _with(self, **options: Any) -> TextRows:
        own = dataclasses.replace(self._options, **options)
        return TextRows(self.path, self._columns, own, self._block)

    def _reads_as(self, head: pa.Table) -> bool:
        """Whether the first block has these values."""
        try:
            own = self._first(apart=False)
        except ValueError:
            return False
        filled = [name for name in head.column_names if head[name].null_count < len(head)]
        return own.select(filled).equals(head.select(filled))

    def batches(self, columns: Sequence[str]) -> Iterator[Batch]:
        """Yield some columns of each block, and the number of bytes so far.

        Raises
        ------
        ValueError
            If a line cannot be read. The error names the line at which its block begins.
        """
        known: dict[str, pa.DataType] = {}
        for line, batch in self._tables():
            held = [name for name in (*columns, FAULT) if name in batch.table.column_names]
            with naming(self._source):
                yield batch._replace(table=_alike(batch.table.select(held), known, line))

    def _tables(self, apart: bool = True) -> Iterator[tuple[int, Batch]]:
        """Yield blocks, each with the number of its first line."""
        import pyarrow as pa

        line = self._dialect.lines + 1
        with naming(self._source), self._source.open() as stream:
            above = b"".join(stream.readline() for _ in range(self._dialect.lines))
            done = len(above)
            for lines in _blocks(stream, self._block):
                done += len(lines)
                frame = self._read(above + lines, line, apart and is_named(self._columns))
                table = pa.Table.from_pandas(frame, preserve_index=False)
                yield line, Batch(table, done)
                line += lines.count(b"\n")

    def _read(self, data: bytes, line: int, apart: bool) -> pd.DataFrame:
        """Read a block of lines as a file with the same header."""
        source, is_first = Source(str(self.path), None, data), line == self._dialect.lines + 1
        try:
            read = read_series(source, options=self._options, **self._columns)
            return read.with_ids(read.frame)
        except ValueError as error:
            found = self._read_apart(source, is_first) if apart else None
            if found is not None:
                return found
            if is_first:
                raise
            text = str(error).removeprefix(f"{self.path}: ")
            raise ValueError(
                f"in the lines from line {line:,} on, which are counted from there: {text}"
            ) from None

    def _read_apart(self, source: Source, is_first: bool) -> pd.DataFrame | None:
        """Read the series of a block that can be read; None if its lines are at fault.

        The other series have their ids, and the reason in a further column.
        """
        columns, options = self._columns, self._options
        ids, texts = columns["id_column"], all_names(columns.get("categories"))
        layout = Layout(options, columns["time_column"], ids, columns.get("freq"), texts)

        def read(rows: pd.DataFrame) -> SeriesFile:
            return read_series(Source(source.name, None, frame=rows), options=options, **columns)

        try:
            table, _ = layout.open(source, columns["target_columns"])
            if options.decimal is None and options.thousands is None:
                options = dataclasses.replace(options, decimal=table.decimal or table.usual)
            parts = layout.parts(table)
            found, reasons = read_apart(table.frame.assign(**parts), ids, read, is_first)
        except ValueError:
            return None
        whole = pd.DataFrame(index=parts.index)
        if found is not None:
            frame = found.with_ids(found.frame)
            integers = {name: "Int64" for name in frame if frame[name].dtype.kind == "i"}
            whole = frame.astype(integers).reindex(parts.index)
        return whole.assign(**parts, **{FAULT: reasons})


def _dialect_of(source: Source, columns: dict[str, Any], options: ReadingOptions) -> Dialect:
    """Return the dialect; refuse encodings whose lines do not end with the byte of a line feed."""
    wanted = [
        name
        for argument in ("time_column", "id_column", "target_columns")
        for name in columns.get(argument) or ()
    ]
    dialect = find_dialect(
        source,
        wanted,
        separator=options.sep,
        encoding=options.encoding,
        has_header=False if options.no_header else None,
    )
    if "a\n".encode(dialect.encoding).removeprefix(codecs.BOM_UTF8) != b"a\n":
        raise ValueError(f"it is written in {dialect.encoding}: write it in UTF-8 to stream it")
    return dialect


def _alike(table: pa.Table, known: dict[str, pa.DataType], line: int) -> pa.Table:
    """Return a block whose empty columns have the type null; remember the types of the others.

    Raises
    ------
    ValueError
        If a column holds something else than in the blocks before.
    """
    import pyarrow as pa

    for place, field in enumerate(table.schema):
        if table[place].null_count == len(table):
            table = table.set_column(place, field.name, pa.nulls(len(table)))
            continue
        first = known.setdefault(field.name, field.type)
        kinds = {kind_of(field.type), kind_of(first)}
        if "texts" in kinds and len(kinds) > 1:
            advice = "name it by categories (--categories) if it holds labels"
        elif len(kinds) > 1:
            advice = "write it in one way throughout"
        elif _zone_of(field.type) != _zone_of(first):
            advice = "name the zone of all times by timezone (--timezone)"
        else:
            continue
        raise ValueError(
            f"column {field.name!r} is read as {field.type} from line {line:,} on, and as "
            f"{first} before: {advice}"
        )
    return table


def _zone_of(of: pa.DataType) -> str | None:
    return getattr(of, "tz", None)  # types other than those of times have none


def _blocks(stream: BinaryIO, size: int) -> Iterator[bytes]:
    """Yield whole lines; a field in quotation marks may hold line breaks."""
    while block := stream.read(size) + stream.readline():
        while block.count(b'"') % 2 and (more := stream.readline()):
            block += more
        yield block
