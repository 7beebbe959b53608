from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import ROOT

from timer_forecaster.corpus.overlap import EQUAL_RUN, SHAPE_RUN, find_shared_runs
from timer_forecaster.corpus.shards import build

SHARED = ROOT.parent / "shared" / "data"


def write(folder: Path, stem: str, **series: np.ndarray) -> Path:
    targets = [np.asarray(values, dtype=np.float32) for values in series.values()]
    folder.mkdir(exist_ok=True)
    frame = pd.DataFrame({"item_id": list(series), "target": targets})
    frame.to_parquet(folder / f"{stem}.parquet")
    return folder


def walks(*lengths: int, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [10 + rng.normal(size=length).cumsum() for length in lengths]


@settings(max_examples=10, deadline=None)
@given(st.integers(EQUAL_RUN, 80), st.integers(0, 200), st.integers(0, 200), st.integers(0, 99))
def test_a_planted_run_is_found_where_it_is(
    tmp_path_factory: pytest.TempPathFactory, length: int, here: int, there: int, seed: int
) -> None:
    tmp_path = tmp_path_factory.mktemp("planted")
    a, b, c = walks(300, 300, 50, seed=seed)
    b[there : there + length] = a[here : here + length]
    corpus = write(tmp_path / "corpus", "ours__H", short=c, a=a)
    other = write(tmp_path / "other", "theirs__D", b=b)
    equal = [run for run in find_shared_runs(corpus, other) if run.kind == "equal"]
    assert equal == [("ours__H", "a", here, "theirs__D", "b", there, length, "equal")]


@pytest.mark.parametrize("factor, constant", [(1, 0), (0.5, 7), (-3.7, 50), (1000, -20)])
def test_a_rescaled_run_is_found(tmp_path: Path, factor: float, constant: float) -> None:
    a, b = walks(400, 500)
    b[100:200] = factor * a[150:250] + constant
    corpus, other = write(tmp_path / "c", "x__H", a=a), write(tmp_path / "o", "y__H", b=b)
    runs = {run.kind: run for run in find_shared_runs(corpus, other)}
    assert runs["rescaled"].length == pytest.approx(100, abs=5)
    assert runs["rescaled"].start == pytest.approx(150, abs=5)
    assert runs["rescaled"].other_start - runs["rescaled"].start == -50
    assert ("equal" in runs) == (factor == 1)


def test_unrelated_series_share_nothing(tmp_path: Path) -> None:
    corpus = write(tmp_path / "c", "x__H", **{f"s{i}": w for i, w in enumerate(walks(*[500] * 20))})
    rng = np.random.default_rng(1)
    other = write(tmp_path / "o", "y__H", **{f"s{i}": rng.normal(size=500) for i in range(20)})
    assert find_shared_runs(corpus, other) == []


def test_trivial_runs_are_not_reported(tmp_path: Path) -> None:
    """Constant, linear, few-valued and small whole numbers agree by chance."""
    rng = np.random.default_rng(0)
    trivial = {
        "constant": np.full(60, 3.25),
        "line": np.linspace(0, 17, 60),
        "few": np.tile([0.5, 1.5, 2.5, 4.0], 15),
        "counts": rng.integers(0, 20, 60),
        "missing": np.where(np.arange(60) % 10 < 5, np.nan, rng.normal(size=60)),
    }
    corpus = write(tmp_path / "c", "x__H", **trivial)
    other = write(tmp_path / "o", "y__H", **trivial)
    runs = [run for run in find_shared_runs(corpus, other) if run.item_id != "line"]
    assert [run for run in runs if run.kind == "equal"] == []
    assert {run.item_id for run in find_shared_runs(corpus, other) if run.kind == "rescaled"} == (
        {"counts"}  # 60 whole numbers in one order are no chance
    )


def test_shorter_runs_are_no_runs(tmp_path: Path) -> None:
    a, b = walks(100, 100)
    b[20 : 20 + EQUAL_RUN - 1] = a[40 : 40 + EQUAL_RUN - 1]
    b[60 : 60 + SHAPE_RUN - 1] = 2 * a[60 : 60 + SHAPE_RUN - 1] + 1
    assert (
        find_shared_runs(write(tmp_path / "c", "x__H", a=a), write(tmp_path / "o", "y__H", b=b))
        == []
    )


@pytest.mark.slow
def test_the_training_corpus_shares_nothing_with_the_evaluation_data(tmp_path: Path) -> None:
    if not (SHARED / "train").is_dir() or not (SHARED / "eval").is_dir():
        pytest.skip("needs the data in ../shared")
    build(SHARED / "train", tmp_path / "corpus")
    assert find_shared_runs(tmp_path / "corpus", SHARED / "eval") == []
