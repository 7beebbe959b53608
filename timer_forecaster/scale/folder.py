"""The folder of a run: answers of partitions as whole Parquet files, and which are finished.

::

    manifest.json               the identity of the run
    forecast/part-000000.parquet
    rejected/part-000000.parquet
    finished/part-000000.json   written last: the partition is finished
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from timer_forecaster.broken import read_object, remedy
from timer_forecaster.files import make_folder, whole_file
from timer_forecaster.scale.batches import require_pyarrow
from timer_forecaster.scale.tasks import PartitionAnswer

if TYPE_CHECKING:
    import pyarrow as pa

MANIFEST = "manifest.json"
FORECAST, REJECTED, FINISHED = "forecast", "rejected", "finished"
_LONGEST_SHOWN = 60  # signs of a setting in an error


def name_of(number: int) -> str:
    """Return the name of a partition in the folder of a run.

    Examples
    --------
    >>> name_of(17)
    'part-000017'
    """
    return f"part-{number:06d}"


@dataclasses.dataclass(frozen=True)
class Content:
    """What a partition holds, by which it is known again.

    Parameters
    ----------
    series, rows : int
        Numbers of its ids and of its rows.
    digest : str
        Of all its values, in order.
    """

    series: int
    rows: int
    digest: str

    @classmethod
    def of(cls, frame: pd.DataFrame, id_column: str) -> Content:
        """Return the content of the frame of a partition.

        Examples
        --------
        >>> frame = pd.DataFrame({"shop": ["a", "a", "b"], "sold": [1.0, 2.0, 3.0]})
        >>> content = Content.of(frame, "shop")
        >>> content.series, content.rows
        (2, 3)
        >>> content == Content.of(frame.assign(sold=0.0), "shop")
        False
        """
        hashes = pd.util.hash_pandas_object(frame, index=False).to_numpy()
        digest = hashlib.blake2b(hashes.tobytes(), digest_size=16).hexdigest()
        return cls(frame[id_column].nunique(dropna=False), len(frame), digest)


@dataclasses.dataclass(frozen=True)
class Finished:
    """A finished partition: its content, and the numbers of its answers.

    Parameters
    ----------
    series, rows : int
    digest : str
        As in `Content`.
    forecast_rows : int
        Rows of the answer.
    rejected : int
        Series, one for each target of an id, without an answer.
    """

    series: int
    rows: int
    digest: str
    forecast_rows: int
    rejected: int

    @property
    def content(self) -> Content:
        """What the partition held."""
        return Content(self.series, self.rows, self.digest)


class Totals(NamedTuple):
    """The size of a finished run.

    Parameters
    ----------
    series, rows : int
        Ids and rows that were read.
    forecast_rows : int
        Rows of the answers.
    rejected : int
        Series, one for each target of an id, without an answer.

    Examples
    --------
    >>> from timer_forecaster.scale import Totals
    >>> Totals(series=50, rows=5000, forecast_rows=1200).rejected
    0
    """

    series: int = 0
    rows: int = 0
    forecast_rows: int = 0
    rejected: int = 0

    @classmethod
    def of(cls, finished: Iterable[Finished]) -> Totals:
        """Add up finished partitions.

        :meta private:

        Examples
        --------
        >>> Totals.of([Finished(2, 60, "7f", 14, 0), Finished(1, 30, "a0", 0, 1)])
        Totals(series=3, rows=90, forecast_rows=14, rejected=1)
        """
        sizes = [(one.series, one.rows, one.forecast_rows, one.rejected) for one in finished]
        return cls(*map(sum, zip(*sizes, strict=True)))


@dataclasses.dataclass(frozen=True)
class RunFolder:
    """The output of a run. Several processes may write different partitions to it.

    Parameters
    ----------
    path : Path
        A folder that `begin` has made.

    Examples
    --------
    >>> import tempfile
    >>> table = pd.DataFrame({"shop": ["a"], "q0.5": [3.0]})
    >>> none = pd.DataFrame(columns=["shop", "target", "reason"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = RunFolder.begin(folder, {"horizon": "1"})
    ...     _ = run.write("part-000000", PartitionAnswer(table, none), Content(1, 60, "7f"))
    ...     again = RunFolder.begin(folder, {"horizon": "1"})
    ...     again.finished("part-000000").forecast_rows, again.finished("part-000001")
    (1, None)
    """

    path: Path

    @classmethod
    def begin(cls, path: str | Path, identity: Mapping[str, str]) -> RunFolder:
        """Make the folder of a run, or return to the one that a stopped run has left.

        A run that has answered nothing, since its data were refused for instance, gives way.

        Parameters
        ----------
        path : str or Path
        identity : mapping of str to str
            As `run_identity` returns it.

        Raises
        ------
        ValueError
            If the folder holds answers of a run with another identity, or other files, or cannot
            be written. The error names what differs.
        ImportError
            If pyarrow is not installed.
        """
        require_pyarrow()
        run = cls(make_folder(path))
        manifest = run.path / MANIFEST
        if manifest.exists():
            known = read_object(manifest)
            if run._has_answers():
                _refuse_others(run.path, known, identity)
            if known == dict(identity):
                return run
        held = sorted(one.name for one in run.path.iterdir() if not one.name.startswith("."))
        if held and not manifest.exists():
            raise ValueError(
                f"the folder {run.path} holds {held[0]} and no {MANIFEST} of a run: name a new or "
                "an empty folder"
            )
        with whole_file(manifest) as unfinished:
            text = json.dumps(dict(identity), indent=1, ensure_ascii=False)
            unfinished.write_text(text + "\n", encoding="utf-8")
        return run

    def _has_answers(self) -> bool:
        """Whether a partition is finished, or a stopped run has left a part of one."""
        folders = (self.path / name for name in (FINISHED, FORECAST, REJECTED))
        return any(any(folder.glob("[!.]*")) for folder in folders)

    def finished(self, name: str, content: Content | None = None) -> Finished | None:
        """Return what is known of a finished partition; None if it is not finished.

        Parameters
        ----------
        name : str
        content : Content, optional
            What the partition holds now.

        Raises
        ------
        ValueError
            If the partition held something else when it was finished.
        """
        file = self.path / FINISHED / f"{name}.json"
        if not file.exists():
            return None
        try:
            found = Finished(**read_object(file))
        except TypeError as error:
            raise ValueError(f"{file} cannot be read: {error}; {remedy(file)}") from error
        if content is not None and content != found.content:
            raise ValueError(
                f"{self.path} holds an answer of {name} about other data: {found.rows:,} rows of "
                f"{found.series:,} series then, {content.rows:,} of {content.series:,} now, or "
                "other values; remove the folder, or use another output"
            )
        return found

    def all_finished(self) -> Iterator[Finished]:
        """Yield what is known of each finished partition, in the order of their names."""
        for file in sorted((self.path / FINISHED).glob("*.json")):
            found = self.finished(file.stem)
            if found is not None:
                yield found

    def write(self, name: str, answer: PartitionAnswer, content: Content) -> Finished:
        """Write the answer about a partition; it is finished when all of it is on disk.

        A partition that is written twice, by a process that was thought dead for instance, is
        there once.

        Returns
        -------
        Finished
            As `finished` returns it from now on.

        Raises
        ------
        ValueError
            If the answer has other columns than the answers before it, or cannot be written.
        """
        for folder, table in ((REJECTED, answer.rejected), (FORECAST, answer.table)):
            file = make_folder(self.path / folder) / f"{name}.parquet"
            if len(table):
                self._write_table(file, table)
            else:
                file.unlink(missing_ok=True)  # a process that was killed may have left it
        numbers = len(answer.table), len(answer.rejected)
        finished = Finished(content.series, content.rows, content.digest, *numbers)
        with whole_file(make_folder(self.path / FINISHED) / f"{name}.json") as unfinished:
            text = json.dumps(dataclasses.asdict(finished)) + "\n"
            unfinished.write_text(text, encoding="utf-8")
        return finished

    def first_rejected(self) -> pd.DataFrame | None:
        """Return the rejected series of the first partition that has some; None without any."""
        first = min(_tables(self.path / REJECTED), default=None)
        return None if first is None else pd.read_parquet(first)

    def _write_table(self, file: Path, table: pd.DataFrame) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        arrow = pa.Table.from_pandas(table, preserve_index=False)
        earlier = next((one for one in _tables(file.parent) if one != file), None)
        if earlier is not None:
            _refuse_other_types(file, arrow.schema, earlier, parquet.read_schema(earlier))
        with whole_file(file) as unfinished:
            parquet.write_table(arrow, unfinished)


def _tables(folder: Path) -> Iterator[Path]:
    """Return the whole tables of a folder; those that are being written begin with a dot."""
    return folder.glob("[!.]*.parquet")


def _refuse_others(folder: Path, known: Mapping[str, Any], identity: Mapping[str, str]) -> None:
    """Refuse the folder of a run with another identity."""
    names = [name for name in {**known, **identity} if known.get(name) != identity.get(name)]
    if names:
        differing = "; ".join(
            f"{name} was {_shown(known.get(name))}, is {_shown(identity.get(name))}"
            for name in names
        )
        raise ValueError(
            f"{folder} holds another run: {differing}; remove the folder, or use another output"
        )


def _shown(text: Any) -> str:
    shown = "not there" if text is None else str(text)
    return shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}…"


def _refuse_other_types(file: Path, own: pa.Schema, earlier: Path, known: pa.Schema) -> None:
    """Refuse a table whose columns have other types than those of an earlier one."""
    if own.equals(known):
        return
    differing = [
        f"column {name!r} is {_type_of(own, name)}, and {_type_of(known, name)} in {earlier.name}"
        for name in dict.fromkeys([*own.names, *known.names])
        if _type_of(own, name) != _type_of(known, name)
    ] or ["its columns have another order"]
    raise ValueError(
        f"cannot write {file}: {'; '.join(differing)}: partitions were read in different ways; "
        "write times as time stamps and ids as texts or integers throughout"
    )


def _type_of(schema: pa.Schema, name: str) -> str:
    return str(schema.field(name).type) if name in schema.names else "absent"
