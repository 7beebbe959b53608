"""The manifest of a corpus survives the disk, and nothing else is taken for one."""

from __future__ import annotations

from pathlib import Path

import pytest

from timer_forecaster.corpus.manifest import DatasetEntry, Manifest, ShardEntry


def make_manifest() -> Manifest:
    shards = tuple(
        ShardEntry(
            name=f"{i}.parquet", bytes=10, sha256="0" * 64, rows=i, points=100 * i, datasets={}
        )
        for i in (1, 2)
    )
    source = {"file": "walks__H.parquet", "bytes": 1, "sha256": "1" * 64}
    walks = DatasetEntry("walks__H", "H", source, 4, 400, 3, 300, 7, {"constant": 1})
    return Manifest(shards, (walks,), {"seed": 0, "exclude": ["noise__D"]})


def test_it_counts_rows_and_points_of_all_shards() -> None:
    manifest = make_manifest()
    assert (manifest.series, manifest.points) == (3, 300)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    make_manifest().write(tmp_path)
    assert Manifest.read(tmp_path) == make_manifest()
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


def test_folders_that_are_no_corpus_are_refused(tmp_path: Path) -> None:
    source = tmp_path
    with pytest.raises(ValueError, match=r"holds no manifest\.json"):
        Manifest.read(source)
    (source / "manifest.json").write_text('{"format": 1, "shards": [{}]}')
    with pytest.raises(ValueError, match="cannot be read as a manifest"):
        Manifest.read(source)
    (source / "manifest.json").write_text('{"format": 99}')
    with pytest.raises(ValueError, match="format 99, this version reads 1"):
        Manifest.read(source)
