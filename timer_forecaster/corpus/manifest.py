"""The manifest of a corpus: its shards, its sources, and the series left out."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["MANIFEST_NAME", "DatasetEntry", "Manifest", "ShardEntry"]

MANIFEST_NAME = "manifest.json"
_FORMAT = 1


@dataclass(frozen=True)
class ShardEntry:
    """One Parquet file of the corpus.

    Parameters
    ----------
    name, sha256 : str
        Name of the file, and its digest.
    bytes, rows, points : int
        Sizes of the file.
    datasets : dict of str to int
        Rows of each data set in this shard.

    Examples
    --------
    >>> from timer_forecaster.corpus.manifest import ShardEntry
    >>> entry = ShardEntry("00000.parquet", "9f86d0", 4096, 2, points=400, datasets={"waves": 2})
    >>> entry.points / entry.rows
    200.0
    """

    name: str
    sha256: str
    bytes: int
    rows: int
    points: int
    datasets: dict[str, int]


@dataclass(frozen=True)
class DatasetEntry:
    """One data set of the corpus: its source, and the series kept and left out.

    Parameters
    ----------
    name, frequency : str
    source : dict
        ``file``, ``bytes`` and ``sha256`` of its source file.
    series_found, points_found : int
        Numbers of series and of points in the source file.
    series : int
        Number of rows kept. A series of more than `shards.LONGEST_ROW` points takes several rows.
    points, missing : int
        Number of points kept, and of those that are missing.
    dropped_series : dict of str to int
        Number of series left out, by reason.
    changed_points : dict of str to int
        Number of points that curation changed in the series kept, by kind of change.

    Examples
    --------
    >>> from timer_forecaster.corpus.manifest import DatasetEntry
    >>> entry = DatasetEntry("waves", "D", {}, 3, 600, 2, 400, 8, {"constant": 1})
    >>> entry.missing / entry.points
    0.02
    """

    name: str
    frequency: str
    source: dict[str, Any]
    series_found: int
    points_found: int
    series: int
    points: int
    missing: int
    dropped_series: dict[str, int] = field(default_factory=dict)
    changed_points: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """The contents of ``manifest.json``, which `build` writes.

    Parameters
    ----------
    shards : tuple of ShardEntry
        The Parquet files.
    datasets : tuple of DatasetEntry
        The data sets.
    settings : dict
        Arguments of `build`, and the version of the package.

    Examples
    --------
    >>> Manifest((), (), {"seed": 0}).points
    0
    """

    shards: tuple[ShardEntry, ...]
    datasets: tuple[DatasetEntry, ...]
    settings: dict[str, Any]

    @property
    def series(self) -> int:
        """Number of rows in all shards."""
        return sum(shard.rows for shard in self.shards)

    @property
    def points(self) -> int:
        """Number of points in all shards, including missing ones."""
        return sum(shard.points for shard in self.shards)

    def write(self, folder: Path) -> None:
        """Write the manifest, whole or not at all.

        :meta private:
        """
        content = {"format": _FORMAT} | dataclasses.asdict(self)
        partial = folder / f"{MANIFEST_NAME}.partial"
        partial.write_text(json.dumps(content, indent=1) + "\n")
        partial.replace(folder / MANIFEST_NAME)

    @classmethod
    def read(cls, folder: str | Path) -> Manifest:
        """Read the manifest of a corpus.

        Parameters
        ----------
        folder : path
            Written by `build`.

        Returns
        -------
        Manifest

        Raises
        ------
        ValueError
            If the folder holds no manifest, or it cannot be read.

        Examples
        --------
        >>> from pathlib import Path
        >>> import numpy as np
        >>> import pandas as pd
        >>> from timer_forecaster.corpus.manifest import Manifest
        >>> from timer_forecaster.corpus.shards import build
        >>> Path("source").mkdir()
        >>> table = pd.DataFrame({"item_id": ["a"], "target": [np.sin(np.arange(200.0))]})
        >>> table.to_parquet("source/waves__D.parquet")
        >>> _ = build("source", "corpus")
        >>> [entry.name for entry in Manifest.read("corpus").datasets]
        ['waves__D']
        """
        file = Path(folder) / MANIFEST_NAME
        if not file.is_file():
            raise ValueError(
                f"folder={str(folder)!r} holds no {MANIFEST_NAME}: it is not a corpus, or its "
                "build was interrupted. Write one with: timer-forecaster corpus build"
            )
        try:
            content = json.loads(file.read_text())
            if content["format"] != _FORMAT:
                raise ValueError(f"format {content['format']}, this version reads {_FORMAT}")
            return cls(
                shards=tuple(ShardEntry(**entry) for entry in content["shards"]),
                datasets=tuple(DatasetEntry(**entry) for entry in content["datasets"]),
                settings=content["settings"],
            )
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{file} cannot be read as a manifest: {error!r}") from error
