"""Read the benchmark from Parquet files or from the folders of its download.

A Parquet file holds one data set at one frequency. Its name is ``<dataset>__<frequency>.parquet``.
A folder of the download (``Salesforce/GiftEval`` on the hub) also holds one data set at one
frequency, in the format of ``save_to_disk`` of the package ``datasets``: Arrow streams, listed in
``state.json``. Both have one row per series. The column ``freq`` is a pandas offset, the same in
all rows. The column ``target`` is a list of numbers, or one list per variate; NaN and null mean
missing. Each variate becomes a separate series, as for every univariate model of the leaderboard.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.evaluation.gift_eval import (
    TERMS,
    Configuration,
    domain_of,
    frequency_label,
    horizon_of,
    seasonality_of,
    split_frequency,
    terms_of,
    variates_of,
    window_count,
)
from timer_forecaster.extras import missing_extra

if TYPE_CHECKING:
    import pyarrow as pa

# Names of data sets in the published tables, where the folder of the download is named otherwise.
_PUBLISHED_NAMES = {
    "saugeenday": "saugeen",
    "temperature_rain_with_missing": "temperature_rain",
    "kdd_cup_2018_with_missing": "kdd_cup_2018",
    "car_parts_with_missing": "car_parts",
}


@dataclass(frozen=True)
class StoredConfiguration:
    """A configuration on disk, before it is read.

    Attributes
    ----------
    name : str
        ``dataset/frequency/term``.
    path : Path
        The Parquet file, or the folder with Arrow files.
    """

    name: str
    path: Path

    @property
    def size(self) -> int:
        """Bytes of the data. They distinguish data sets of the same name."""
        return sum(file.stat().st_size for file in _files(self.path))

    def load(self) -> Configuration:
        """Read the configuration.

        Raises
        ------
        ValueError
            If the frequency is unknown, or a series too short for a window and a context.
        """
        dataset, _, term = self.name.split("/")
        frequency, series, variates = _read(self.path)
        horizon = horizon_of(dataset, frequency, term)
        return Configuration(
            name=self.name,
            frequency=frequency,
            horizon=horizon,
            windows=window_count(dataset, min(map(len, series), default=0), horizon),
            seasonality=seasonality_of(frequency),
            series=series,
            domain=domain_of(dataset),
            num_variates=max(variates, variates_of(dataset)),
        )


def load_configuration(path: str | Path, term: str = "short") -> Configuration:
    """Read one data set as a configuration of the benchmark.

    The frequency must be one that GIFT-Eval knows. :func:`find_configurations` lists the terms that
    the benchmark scores.

    Parameters
    ----------
    path : path
        A Parquet file ``<dataset>__<frequency>.parquet``, or a folder of the benchmark's download.
    term : {"short", "medium", "long"}

    Returns
    -------
    Configuration

    Raises
    ------
    ValueError
        If the term or frequency is unknown, or a series too short for a window and a context.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from timer_forecaster.evaluation import load_configuration
    >>> table = pd.DataFrame({"item_id": ["a"], "freq": "D", "target": [np.arange(200.0) % 7]})
    >>> table.to_parquet("sales__D.parquet")
    >>> sales = load_configuration("sales__D.parquet")
    >>> sales.name, sales.horizon, sales.windows
    ('sales/D/short', 30, 1)
    """
    path = Path(path)
    return StoredConfiguration(f"{_dataset_and_frequency(path)}/{term}", path).load()


def find_configurations(
    folder: str | Path,
    names: Iterable[str] | None = None,
    terms: Sequence[str] = tuple(TERMS),
) -> list[StoredConfiguration]:
    """List the configurations of a folder, sorted by data set, without reading them.

    Parameters
    ----------
    folder : path
        Holds Parquet files ``<dataset>__<frequency>.parquet``, or the benchmark's download.
    names : iterable of str, optional
        Wanted configurations, such as ``"ett1/H/short"``, ``"ett1/H"`` or ``"ett1"``; default all.
    terms : sequence of str
        Wanted terms. Terms that the benchmark does not score for a data set are left out.

    Returns
    -------
    list of StoredConfiguration
        Each has a ``name``, a ``path`` and a method ``load``.

    Raises
    ------
    ValueError
        If a term is unknown, a name fits nothing, or there is nothing to evaluate.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import pandas as pd
    >>> from timer_forecaster.evaluation import find_configurations
    >>> Path("benchmark").mkdir()
    >>> table = pd.DataFrame({"item_id": ["a"], "freq": "D", "target": [np.arange(200.0) % 7]})
    >>> table.to_parquet("benchmark/sales__D.parquet")
    >>> [found.name for found in find_configurations("benchmark")]
    ['sales/D/short']
    """
    unknown = set(terms) - set(TERMS)
    if unknown:
        raise ValueError(f"terms {sorted(unknown)} are unknown; use some of {', '.join(TERMS)}")
    folder = Path(folder)
    found: dict[str, StoredConfiguration] = {}
    for path in sorted([*folder.glob("*.parquet"), *_saved_folders(folder)]):
        dataset = _dataset_and_frequency(path)
        for term in terms_of(*dataset.split("/")):
            stored = StoredConfiguration(f"{dataset}/{term}", path)
            if found.setdefault(stored.name, stored) is not stored:
                raise ValueError(f"{path} and {found[stored.name].path} are both {dataset}")
    if not found:
        raise ValueError(
            f"{str(folder)!r} holds nothing to evaluate: neither <dataset>__<frequency>.parquet "
            "files nor folders of the GIFT-Eval download"
        )
    chosen = _choose(found, names)
    wanted = [stored for stored in chosen if stored.name.rpartition("/")[2] in terms]
    if not wanted:
        raise ValueError(
            f"no configuration is of terms {list(terms)}; "
            f"there are {', '.join(stored.name for stored in chosen)}"
        )
    return wanted


def _choose(
    found: dict[str, StoredConfiguration], names: Iterable[str] | None
) -> list[StoredConfiguration]:
    if names is None:
        return list(found.values())
    chosen: dict[str, StoredConfiguration] = {}
    for name in names:
        fitting = {key: one for key, one in found.items() if f"{key}/".startswith(f"{name}/")}
        if not fitting:
            known = ", ".join(dict.fromkeys(key.rpartition("/")[0] for key in found))
            raise ValueError(f"there is no configuration {name!r}; the data sets are {known}")
        chosen |= fitting
    return list(chosen.values())


def _saved_folders(folder: Path) -> list[Path]:
    return [state.parent for state in folder.rglob("state.json")]


def _files(path: Path) -> list[Path]:
    """Return the files of a data set: the Parquet file, or the Arrow files of a folder."""
    if not path.is_dir():
        return [path]
    file = path / "state.json"
    try:
        state = json.loads(file.read_text(encoding="utf-8"))
        return [path / entry["filename"] for entry in state["_data_files"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{file} does not name the Arrow files of a data set, as the one that save_to_disk of "
            "the package datasets writes; move it out of the data"
        ) from error


def _dataset_and_frequency(path: Path) -> str:
    """Return the name of a data set in the published tables: ``dataset/frequency``."""
    if not path.is_dir():
        dataset, _, label = path.stem.rpartition("__")
        if not dataset:
            raise ValueError(f"{path.name!r} is not named <dataset>__<frequency>.parquet")
        return f"{dataset}/{label}"
    path = path.absolute()
    try:
        split_frequency(path.name)  # such as ett1/15T
        folder, label = path.parent.name, path.name
    except ValueError:
        folder, label = path.name, frequency_label(_frequency(_tables(path)))
    dataset = folder.lower()
    return f"{_PUBLISHED_NAMES.get(dataset, dataset)}/{label}"


def _read(path: Path) -> tuple[str, list[FloatArray], int]:
    """Return the frequency, all series, and the variates of each row."""
    frequency, series, rows = "", [], 0
    found: set[str] = set()
    for table in _tables(path):
        frequency = frequency or _frequency([table])
        found |= set(map(str, table["freq"].unique().to_pylist()))
        _check_one_frequency(path, found)
        rows += len(table)
        targets = table["target"]
        if not _are_numbers(targets.type) or targets.null_count:
            raise ValueError(
                f"{path}: each row's target must be a list of numbers, not {targets.type}"
            )
        for chunk in filter(len, targets.chunks):
            series += _series(chunk, path)
    return frequency, series, len(series) // max(rows, 1)


def _are_numbers(type_: pa.DataType) -> bool:
    """Whether an Arrow type is of lists of numbers, or of lists of such lists."""
    import pyarrow as pa

    if not hasattr(type_, "value_type"):
        return False
    while hasattr(type_, "value_type"):
        type_ = type_.value_type
    number = pa.types.is_integer(type_) or pa.types.is_floating(type_)
    return number or pa.types.is_decimal(type_) or pa.types.is_null(type_)


def _frequency(tables: Iterable[pa.Table]) -> str:
    """Return the first row's frequency."""
    return next((str(table["freq"][0].as_py()) for table in tables if len(table)), "")


def _check_one_frequency(path: Path, found: set[str]) -> None:
    """Refuse rows of several frequencies, which one horizon and season do not fit."""
    if len(found) > 1 and len(set(map(frequency_label, found))) > 1:  # weeks may end on other days
        raise ValueError(
            f"{path}: the column freq has {sorted(found)}, and a data set has one frequency; write "
            "a file for each"
        )


def _tables(path: Path) -> Iterator[pa.Table]:
    """Yield two columns of each file. Arrow files are mapped into memory: a row costs little.

    Raises
    ------
    ValueError
        Naming a file that is missing or cannot be read.
    """
    _require_pyarrow()
    import pyarrow as pa
    from pyarrow import parquet

    for file in _files(path):
        try:
            if path.is_dir():
                table = pa.ipc.open_stream(pa.memory_map(str(file))).read_all()
                yield table.select(["freq", "target"])
            else:
                yield parquet.read_table(file, columns=["freq", "target"])
        except (OSError, KeyError, pa.ArrowException) as error:
            raise ValueError(f"{file} cannot be read as a data set: {error}") from error


def _series(targets: Any, path: Path) -> list[FloatArray]:
    """Split an Arrow array of lists, or of lists of lists, into arrays that share its memory."""
    import pyarrow as pa

    if pa.types.is_nested(targets.type.value_type):
        targets = targets.flatten()
        if targets.null_count:
            raise ValueError(f"{path}: a variate in target is null; leave it out")
    values = targets.flatten().to_numpy(zero_copy_only=False).astype(np.float64)
    ends = np.cumsum(targets.value_lengths().to_numpy())
    return np.split(values, ends[:-1])


def _require_pyarrow() -> None:
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise ImportError(
            missing_extra("reading the benchmark needs pyarrow", "evaluate")
        ) from error
