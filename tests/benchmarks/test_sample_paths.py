"""Scores of joint paths on tiny data sets."""

import re

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("pyarrow")

from benchmarks import sample_paths


@pytest.fixture
def folder(tmp_path):
    random = np.random.default_rng(0)
    for name in ("walks__H", "walks__D"):
        walks = list(random.normal(size=(3, 700)).cumsum(axis=1))
        pd.DataFrame({"target": walks}).to_parquet(tmp_path / f"{name}.parquet")
    return tmp_path


@pytest.mark.parametrize(("long", "rows"), [([], 4), (["--long"], 2)])
def test_figures_and_bounds_are_printed(folder, capsys, monkeypatch, long, rows):
    monkeypatch.setattr(sample_paths, "PATHS", 40)
    monkeypatch.setattr(sample_paths, "LONG", 60)
    words = ["--data", str(folder), "--all", "--checkpoint", "timer-s1-test", "--cases", "4"]
    assert sample_paths.main([*words, *long]) in (0, 1)
    printed = capsys.readouterr().out
    assert len(re.findall(r"\| walks__. \| [46] \| [04] \|", printed)) == rows
    assert "0 past windows: coverage of the sum" in printed
    assert "4 past windows: variogram" in printed
    assert "white noise, 16 past windows" in printed


@pytest.mark.parametrize("door", ["darts", "sktime"])
def test_paths_come_through_a_door(folder, capsys, monkeypatch, door):
    pytest.importorskip(door)
    monkeypatch.setattr("benchmarks.path_doors.N_PATHS", 40)
    monkeypatch.setattr(sample_paths, "PATHS", 40)
    words = ["--data", str(folder), "--sets", "walks__D", "--checkpoint", "timer-s1-test"]
    assert sample_paths.main([*words, "--cases", "3", "--door", door]) in (0, 1)
    printed = capsys.readouterr().out
    assert len(re.findall(r"\| walks__D \| 3 \| 0 \|", printed)) == 1
    assert "4 past windows" not in printed


def test_scores_are_those_of_their_definitions():
    random = np.random.default_rng(1)
    x, y = random.normal(size=(60, 5)), random.normal(size=5)
    pairs = np.abs(x[:, None] - x)
    assert sample_paths.crps(x[:, 0], y[0]) == pytest.approx(
        np.abs(x[:, 0] - y[0]).mean() - pairs[..., 0].mean() / 2
    )
    norms = np.linalg.norm(x[:, None] - x, axis=-1)
    assert sample_paths.energy(x, y) == pytest.approx(
        np.linalg.norm(x - y, axis=1).mean() - norms.mean() / 2
    )
    expected = sum(
        (abs(y[i] - y[j]) ** 0.5 - (np.abs(x[:, i] - x[:, j]) ** 0.5).mean()) ** 2
        for i in range(5)
        for j in range(i)
    )
    assert sample_paths.variogram(x, y) == pytest.approx(expected, rel=1e-5)


def test_figures_out_of_bounds_are_named(capsys):
    def of(coverage, of_sum):
        ratios = np.array([of_sum, 0.8, 0.98, 0.9])
        return sample_paths.Figures(coverage, ratios, np.full(4, 0.03))

    good = [of(0.8, 0.9)] * 3
    assert sample_paths._summarized(good, 0, sample_paths.BOUNDS)
    assert "sum 0.900 ± 0.016 (0.900)" in capsys.readouterr().out
    assert not sample_paths._summarized([*good, of(0.8, 1.2)], 0, sample_paths.BOUNDS)
    assert re.search(r"sum .* \(1\.200\): NOT within \(0\.915, 1\.12\)", capsys.readouterr().out)
    assert not sample_paths._summarized([*good, of(0.4, 0.9)], 0, sample_paths.BOUNDS)


def test_standard_errors_are_those_of_other_cases():
    """Ratios of many draws of cases vary as the standard error of one draw says."""
    random = np.random.default_rng(0)
    other = random.gamma(4, size=(500, 30, 5))
    own = 0.9 * other + random.gamma(1, size=(500, 30, 5)) * 0.2
    found = [sample_paths.compared(*pair) for pair in zip(own, other, strict=True)]
    spread = np.std([np.log(one.ratios) for one in found], axis=0)
    np.testing.assert_allclose(np.mean([one.errors for one in found], axis=0), spread, rtol=0.15)
    np.testing.assert_allclose(np.mean([one.ratios for one in found], axis=0), 0.95, atol=0.01)


def test_a_single_case_has_no_standard_error():
    one = sample_paths.compared(np.ones((1, 5)), np.full((1, 5), 2.0))
    assert one.ratios.tolist() == [0.5] * 4
    assert np.isnan(one.errors).all()
