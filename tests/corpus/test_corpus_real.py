from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import torch

from timer_forecaster.corpus.__main__ import main
from timer_forecaster.corpus.real import HELD_OUT, RealSeries, pack

Array = npt.NDArray[np.floating[Any]]


def write(folder: Path, stem: str, series: dict[str, Array]) -> None:
    frame = pd.DataFrame(
        {
            "item_id": list(series),
            "start": pd.NaT,
            "freq": "h",
            "target": [values.astype(np.float32) for values in series.values()],
        }
    )
    frame.to_parquet(folder / f"{stem}.parquet")


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def whole(corpus: RealSeries, length: int) -> torch.Tensor:
    """All rows of an archive whose series are no longer than `length`, unchanged."""
    return corpus.sample(64, length, generator(), downsample=0.0, flip=0.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    gappy = np.round(rng.normal(50, 10, 300), 1)
    gappy[[5, 100, 101]] = np.nan
    write(tmp_path, "gappy__H", {"g": gappy})
    write(tmp_path, "walks__D", {f"w{i}": rng.normal(size=500).cumsum() for i in range(6)})
    write(tmp_path, "secret__D", {"s": np.full(200, 1e6) + np.arange(200)})
    return tmp_path


def test_values_return_within_quantisation_and_gaps_stay(tmp_path: Path) -> None:
    values = np.random.default_rng(1).normal(1e3, 5, 400)
    values[[10, 11, 200]] = np.nan
    write(tmp_path, "one__H", {"a": values})
    pack(tmp_path, tmp_path / "real.npz", exclude=())
    row = whole(RealSeries(tmp_path / "real.npz"), 400)[0].numpy()
    np.testing.assert_array_equal(np.isnan(row), np.isnan(values))
    step = (np.nanmax(values) - np.nanmin(values)) / 65534
    np.testing.assert_allclose(row, values, atol=0.5 * step + 1e3 * 2**-22, rtol=0)


@pytest.mark.parametrize("scale", [1.0, 0.1, 0.01])
def test_decimal_values_return_exactly(tmp_path: Path, scale: float) -> None:
    values = np.random.default_rng(1).integers(-500, 9000, 300) * scale
    write(tmp_path, "one__H", {"a": values})
    pack(tmp_path, tmp_path / "real.npz", exclude=())
    row = whole(RealSeries(tmp_path / "real.npz"), 300)[0].numpy()
    np.testing.assert_allclose(row, values, rtol=1e-6, atol=1e-3 * scale)


def test_short_series_are_padded_on_the_left(folder: Path) -> None:
    pack(folder, folder / "real.npz", exclude=("secret__D", "walks__D"))
    rows = RealSeries(folder / "real.npz").sample(8, 512, generator(), downsample=0.0, flip=0.0)
    assert torch.isnan(rows[:, : 512 - 300]).all()
    assert torch.isfinite(rows[:, 512 - 300]).all()
    assert torch.isfinite(rows[:, -1]).all()


def test_excluded_datasets_stay_out(folder: Path) -> None:
    summaries = pack(folder, folder / "real.npz", exclude=("secret__D",))
    assert [summary.name for summary in summaries] == ["gappy__H", "walks__D"]
    corpus = RealSeries(folder / "real.npz")
    assert corpus.names == ("gappy__H", "walks__D")
    assert np.nanmax(corpus.sample(200, 100, generator()).abs().numpy()) < 1e5


def test_excluded_series_stay_out(folder: Path) -> None:
    summaries = pack(folder, folder / "real.npz", exclude=(), exclude_series=("w0", "w1"))
    assert {summary.name: summary.series_kept for summary in summaries} == {
        "gappy__H": 1,
        "secret__D": 1,
        "walks__D": 4,
    }


def test_names_that_are_not_there_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="electricity__H"):
        pack(folder, folder / "real.npz", exclude=("electricity__H",))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="no Parquet file"):
        pack(tmp_path / "empty", folder / "real.npz", exclude=())


def test_limits_on_points(folder: Path) -> None:
    summaries = pack(
        folder,
        folder / "real.npz",
        exclude=("secret__D",),
        max_points_per_dataset=1000,
        max_points_per_series=400,
    )
    kept = {summary.name: (summary.series_kept, summary.points_kept) for summary in summaries}
    assert kept == {"gappy__H": (1, 300), "walks__D": (2, 800)}


def test_constant_and_hardly_observed_series_are_dropped(tmp_path: Path) -> None:
    sparse = np.full(100, np.nan)
    sparse[::25] = np.arange(4)
    good = np.arange(50.0) ** 2
    write(tmp_path, "mixed__D", {"flat": np.ones(100), "sparse": sparse, "good": good})
    (summary,) = pack(tmp_path, tmp_path / "real.npz", exclude=())
    assert (summary.series_found, summary.series_kept) == (3, 1)


def test_averaged_windows_are_means_of_steps(tmp_path: Path) -> None:
    write(tmp_path, "line__H", {"a": np.arange(1000.0)})
    pack(tmp_path, tmp_path / "real.npz", exclude=())
    rows = RealSeries(tmp_path / "real.npz").sample(64, 50, generator(), downsample=1.0, flip=0.0)
    slopes = rows.diff(dim=1)
    torch.testing.assert_close(slopes, slopes[:, :1].round().expand_as(slopes))
    assert set(slopes[:, 0].tolist()) == {2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0}
    # The mean of the f steps that start at a whole number s is s + (f - 1) / 2.
    starts = rows[:, 0] - (slopes[:, 0] - 1) / 2
    torch.testing.assert_close(starts, starts.round())


def test_same_seed_same_windows(folder: Path) -> None:
    pack(folder, folder / "real.npz", exclude=())
    corpus = RealSeries(folder / "real.npz")
    first = corpus.sample(20, 64, generator(5))
    again = corpus.sample(20, 64, generator(5))
    assert first.shape == (20, 64)
    assert first.dtype == torch.float32
    torch.testing.assert_close(first, again, equal_nan=True, rtol=0, atol=0)
    assert len(corpus) == 8


def test_command(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for stem in HELD_OUT:
        write(folder, stem, {"x": np.arange(100.0)})
    main(["pack", str(folder), str(folder / "real.npz")])
    printed = capsys.readouterr().out
    assert "walks__D" in printed
    assert "total" in printed
    assert HELD_OUT[0] not in printed
    assert len(RealSeries(folder / "real.npz")) == 8
    main(["pack", str(folder), str(folder / "held_out.npz"), "--held-out"])
    assert "walks__D" not in capsys.readouterr().out
    assert RealSeries(folder / "held_out.npz").names == tuple(sorted(HELD_OUT))
