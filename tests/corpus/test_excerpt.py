"""Small corpora: the newest steps of some series, as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("pyarrow")

from timer_forecaster.corpus.excerpt import Excerpt
from timer_forecaster.corpus.held_out import HELD_OUT
from timer_forecaster.corpus.manifest import Manifest
from timer_forecaster.corpus.sampler import ShardSampler
from timer_forecaster.corpus.shards import build
from timer_forecaster.corpus.sources import series_of


def write(folder: Path, stem: str, count: int, steps: int) -> None:
    random = np.random.default_rng(steps)
    targets = [random.normal(1e6, 1.0, steps).astype(np.float32) for _ in range(count)]
    targets[0][-5:] = np.nan
    frame = pd.DataFrame({"item_id": [f"{stem}/{i}" for i in range(count)], "target": targets})
    folder.mkdir(exist_ok=True)
    frame.to_parquet(folder / f"{stem}.parquet")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    write(folder, "many__H", 30, 40)
    write(folder, "few__D", 3, 200)
    write(folder, HELD_OUT[0], 3, 50)
    return folder


def test_the_newest_steps_of_some_series_are_kept_as_they_are(source: Path, tmp_path: Path) -> None:
    whole = {row.item_id: row.values for row in series_of(source)}
    manifest = build(source, tmp_path / "small", excerpt=Excerpt(newest=25, most_series=10))
    kept = {row.item_id: row.values for row in series_of(tmp_path / "small")}
    assert len(kept) == 13
    for name, values in kept.items():
        observed = whole[name][np.isfinite(whole[name])]
        np.testing.assert_array_equal(values, observed[-25:])
    assert manifest.points == 13 * 25
    windows = ShardSampler(tmp_path / "small").sample(8, 16, 0, downsample=0.0, flip=0.0)
    assert windows.shape == (8, 16)


def test_the_manifest_says_where_the_excerpt_is_from(source: Path, tmp_path: Path) -> None:
    build(source, tmp_path / "small", excerpt=Excerpt(most_series=10))
    build(source, tmp_path / "whole")
    small, whole = (Manifest.read(tmp_path / name) for name in ("small", "whole"))
    assert small.settings["excerpt"] == {"newest": None, "most_series": 10}
    assert "excerpt" not in whole.settings
    few, many = small.datasets
    assert (few.source, many.source) == tuple(entry.source for entry in whole.datasets)
    assert (many.series_found, many.series) == (30, 10)
    assert many.dropped_series == {"not chosen": 20}
    assert few.dropped_series == {}


def test_held_out_data_sets_stay_out(source: Path, tmp_path: Path) -> None:
    manifest = build(source, tmp_path / "small", excerpt=Excerpt(newest=25))
    assert [entry.name for entry in manifest.datasets] == ["few__D", "many__H"]


def test_the_choice_depends_on_the_seed_and_the_data_set_alone() -> None:
    excerpt = Excerpt(most_series=5)
    first = excerpt.chosen(50, "a__H", 0)
    assert first.sum() == 5
    np.testing.assert_array_equal(first, excerpt.chosen(50, "a__H", 0))
    assert (first != excerpt.chosen(50, "a__H", 1)).any()
    assert (first != excerpt.chosen(50, "b__H", 0)).any()
    assert excerpt.chosen(4, "a__H", 0).all()


def test_without_bounds_all_is_kept() -> None:
    values = np.array([1.0, np.nan], np.float32)
    assert Excerpt().cut(values) is values
    assert Excerpt().chosen(3, "a__H", 0).all()


@pytest.mark.parametrize("bounds", [{"newest": 11}, {"most_series": 0}])
def test_bounds_that_leave_nothing_are_refused(bounds: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(bounds))}="):
        Excerpt(**bounds)
