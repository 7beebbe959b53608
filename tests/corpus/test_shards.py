from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from timer_forecaster.corpus.curation import Curation
from timer_forecaster.corpus.held_out import HELD_OUT, HELD_OUT_SERIES
from timer_forecaster.corpus.manifest import Manifest
from timer_forecaster.corpus.shards import LONGEST_ROW, build
from timer_forecaster.corpus.sources import series_of

Array = npt.NDArray[np.floating[Any]]


def write(folder: Path, stem: str, series: dict[str, Array]) -> None:
    targets = [np.asarray(values, dtype=np.float32) for values in series.values()]
    frame = pd.DataFrame({"item_id": list(series), "freq": "h", "target": targets})
    folder.mkdir(exist_ok=True)
    frame.to_parquet(folder / f"{stem}.parquet")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    folder = tmp_path / "source"
    write(folder, "walks__H", {f"w{i}": rng.normal(size=500).cumsum() for i in range(40)})
    write(folder, "noise__D", {f"n{i}": rng.normal(size=100 + i) for i in range(60)})
    gappy = np.round(rng.normal(50, 10, 300), 1)
    gappy[[0, 5, 100, 299]] = [np.nan, np.inf, np.nan, np.nan]
    write(folder, "gappy__H", {"g": gappy, "flat": np.ones(50), "short": np.arange(9.0)})
    return folder


def contents(folder: Path) -> dict[tuple[str, str], bytes]:
    return {(row.dataset, row.item_id): row.values.tobytes() for row in series_of(folder)}


@pytest.mark.parametrize("name", ["12", ["12"], [12]])
def test_one_name_and_numbers_are_names_of_series(tmp_path: Path, name: Any) -> None:
    write(tmp_path / "source", "a__D", {n: np.arange(30.0) for n in ("1", "2", "12")})
    build(tmp_path / "source", tmp_path / "corpus", exclude_series=name)
    assert {item for _, item in contents(tmp_path / "corpus")} == {"1", "2"}


def test_every_series_returns_as_it_was(source: Path, tmp_path: Path) -> None:
    build(source, tmp_path / "corpus", shard_megabytes=0.02)
    built, expected = contents(tmp_path / "corpus"), contents(source)
    for name in ("flat", "short", "g"):
        del expected["gappy__H", name]
    gappy = np.frombuffer(built.pop(("gappy__H", "g")), np.float32)
    assert built == expected
    assert np.flatnonzero(np.isnan(gappy)).tolist() == [4, 99]
    assert len(gappy) == 298


def test_shards_are_of_the_size_asked_for_and_alike(source: Path, tmp_path: Path) -> None:
    manifest = build(source, tmp_path / "corpus", shard_megabytes=0.02)
    files = [tmp_path / "corpus" / shard.name for shard in manifest.shards]
    assert [file.stat().st_size for file in files] == [shard.bytes for shard in manifest.shards]
    assert len(files) == 5
    for shard in manifest.shards:
        assert shard.bytes == pytest.approx(20_000, rel=0.3)
        assert shard.points == pytest.approx(manifest.points / 5, abs=500)
        assert set(shard.datasets) >= {"walks__H", "noise__D"}
    assert sum(shard.rows for shard in manifest.shards) == manifest.series == 101


def test_shards_are_fair_samples(tmp_path: Path) -> None:
    """The share of a data set in a shard is that of the corpus, up to chance."""
    rows = {f"{i:04d}": np.random.default_rng(i).normal(size=64) for i in range(2000)}
    write(tmp_path / "source", "first__H", dict(list(rows.items())[:1000]))
    write(tmp_path / "source", "second__H", dict(list(rows.items())[1000:]))
    manifest = build(tmp_path / "source", tmp_path / "corpus", shard_megabytes=0.05)
    share = [shard.datasets["first__H"] / shard.rows for shard in manifest.shards]
    deviations = [2 * (s - 0.5) * shard.rows**0.5 for s, shard in zip(share, manifest.shards)]  # noqa: B905
    assert len(deviations) > 5
    assert max(np.abs(deviations)) < 4
    assert np.std(deviations) > 0.2
    order = [int(row.item_id) for row in series_of(tmp_path / "corpus")]
    assert abs(np.corrcoef(order, range(2000))[0, 1]) < 0.1


def test_little_memory_gives_the_same_series(source: Path, tmp_path: Path) -> None:
    """Many scratch files, flushed many times, lose and double nothing."""
    build(source, tmp_path / "corpus", shard_megabytes=0.02, memory_megabytes=0.03)
    build(source, tmp_path / "other", shard_megabytes=0.02)
    assert contents(tmp_path / "corpus") == contents(tmp_path / "other")
    assert not list((tmp_path / "corpus").glob("unfinished*"))


def test_a_negative_seed_is_refused_by_name(source: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="seed=-1 must be at least 0"):
        build(source, tmp_path / "corpus", seed=-1)


def test_same_seed_same_bytes(source: Path, tmp_path: Path) -> None:
    build(source, tmp_path / "one", shard_megabytes=0.02)
    build(source, tmp_path / "two", shard_megabytes=0.02)
    build(source, tmp_path / "three", shard_megabytes=0.02, seed=1)
    first, again, other = (
        (tmp_path / name / "manifest.json").read_text() for name in ("one", "two", "three")
    )
    assert first == again
    assert json.loads(first)["shards"][0]["sha256"] != json.loads(other)["shards"][0]["sha256"]


def test_manifest_says_what_was_kept_and_what_not(source: Path, tmp_path: Path) -> None:
    written = build(source, tmp_path / "corpus", exclude=("noise__D",), exclude_series=("w3",))
    manifest = Manifest.read(tmp_path / "corpus")
    assert manifest == written
    gappy, walks = manifest.datasets
    assert (gappy.name, gappy.frequency, gappy.source["file"]) == (
        "gappy__H",
        "h",
        "gappy__H.parquet",
    )
    assert (gappy.series_found, gappy.series, gappy.points, gappy.missing) == (3, 1, 298, 2)
    assert gappy.dropped_series == {"constant": 1, "hardly observed": 1}
    assert walks.dropped_series == {"held out": 1}
    assert manifest.settings["exclude"] == ["noise__D"]
    assert manifest.settings["curation"] is None


def test_curation_is_counted(source: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    spiky = np.sin(np.arange(300) / 9) + 0.1 * rng.normal(size=300)
    spiky[[70, 200]] = 30
    write(source, "spiky__H", {"s": spiky})
    manifest = build(source, tmp_path / "corpus", curation=Curation(impute=True))
    entries = {entry.name: entry for entry in manifest.datasets}
    assert entries["spiky__H"].changed_points == {"outliers": 2, "imputed": 2}
    assert entries["spiky__H"].missing == 0
    assert entries["walks__H"].series == 40
    assert entries["noise__D"].dropped_series["not significant"] > 50
    assert manifest.settings["curation"]["significance"] == 0.01


def test_held_out_data_stays_out_by_default(source: Path, tmp_path: Path) -> None:
    write(source, HELD_OUT[0], {"x": np.arange(100.0)})
    write(source, "kept__M", {HELD_OUT_SERIES[0]: np.arange(100.0), "y": np.arange(50.0)})
    build(source, tmp_path / "corpus")
    datasets = {dataset for dataset, _ in contents(tmp_path / "corpus")}
    items = {item for _, item in contents(tmp_path / "corpus")}
    assert HELD_OUT[0] not in datasets
    assert "y" in items
    assert HELD_OUT_SERIES[0] not in items


def test_long_series_are_cut_into_rows(tmp_path: Path) -> None:
    values = np.arange(2 * LONGEST_ROW + 10) % 1009
    write(tmp_path / "source", "long__T", {"a": values})
    manifest = build(tmp_path / "source", tmp_path / "corpus")
    assert (manifest.series, manifest.points) == (3, len(values))
    pieces = sorted((row.values for row in series_of(tmp_path / "corpus")), key=len)
    assert len(pieces[-1]) <= LONGEST_ROW


def test_other_layouts_of_the_lists_are_read(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    lists = pa.array([[1.0, None, *range(20)], None], pa.large_list(pa.float64()))
    (tmp_path / "source").mkdir()
    pq.write_table(pa.table({"item_id": [1, 2], "target": lists}), tmp_path / "source/a__D.parquet")
    manifest = build(tmp_path / "source", tmp_path / "corpus")
    (row,) = series_of(tmp_path / "corpus")
    assert row.item_id == "1"
    np.testing.assert_array_equal(row.values[:4], [1, np.nan, 0, 1])
    assert manifest.datasets[0].frequency == "D"
    assert manifest.datasets[0].dropped_series == {"hardly observed": 1}


def test_what_cannot_be_built_is_refused(source: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="holds no Parquet file"):
        build(tmp_path / "empty", tmp_path / "corpus")
    with pytest.raises(ValueError, match="exclude leaves none"):
        build(source, tmp_path / "corpus", exclude=("walks__H", "noise__D", "gappy__H"))
    with pytest.raises(ValueError, match="shard_megabytes=0"):
        build(source, tmp_path / "corpus", shard_megabytes=0)
    with pytest.raises(ValueError, match="not an empty folder"):
        build(source, source)
    write(tmp_path / "flat", "flat__D", {"f": np.ones(100)})
    with pytest.raises(ValueError, match="not one of its series"):
        build(tmp_path / "flat", tmp_path / "flat_corpus")
    assert not list((tmp_path / "flat_corpus").iterdir())
    (source / "broken__D.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(ValueError, match=r"broken__D\.parquet cannot be read as Parquet"):
        build(source, tmp_path / "corpus")
    pd.DataFrame({"value": [1.0]}).to_parquet(source / "broken__D.parquet")
    with pytest.raises(ValueError, match="no column item_id, target"):
        build(source, tmp_path / "corpus")
