from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.signal import periodogram
from scipy.stats import entropy
from statsmodels.tsa.stattools import adfuller

from timer_forecaster.corpus.complexity import (
    adf_statistic,
    describe,
    forecastability,
    plot_complexity,
)
from timer_forecaster.corpus.shards import build


def write(folder: Path, stem: str, targets: list[np.ndarray]) -> None:
    folder.mkdir(exist_ok=True)
    frame = pd.DataFrame(
        {
            "item_id": [f"s{i}" for i in range(len(targets))],
            "freq": stem[-1],
            "target": [values.astype(np.float32) for values in targets],
        }
    )
    frame.to_parquet(folder / f"{stem}.parquet")


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    waves = [np.sin(2 * np.pi * np.arange(n) / 12) + 0.1 * rng.normal(size=n) for n in (120, 480)]
    waves[1][100:148] = np.nan
    write(tmp_path / "source", "waves__M", waves)
    write(tmp_path / "source", "walks__D", [rng.normal(size=300).cumsum() for _ in range(30)])
    write(tmp_path / "source", "noise__H", [rng.normal(size=300) for _ in range(8)])
    build(tmp_path / "source", tmp_path / "corpus", shard_megabytes=0.01)
    return tmp_path / "corpus"


@pytest.mark.filterwarnings("ignore:adfuller:FutureWarning")
@pytest.mark.parametrize("seed", range(3))
def test_measures_are_those_of_statsmodels_and_scipy(seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=(2, 400)).cumsum(axis=seed % 2)[1]
    values = values.astype(np.float32).astype(np.float64)
    assert adf_statistic(values) == pytest.approx(adfuller(values)[0])
    power = periodogram(values)[1][1:]
    assert forecastability(values) == pytest.approx(1 - entropy(power) / np.log(200))


def test_order_of_what_is_more_forecastable() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=1000)
    measures = [forecastability(v) for v in (noise, noise.cumsum(), np.sin(np.arange(1000) / 5))]
    assert 0.0 < measures[0] < 0.12
    assert measures[0] < measures[1] < measures[2] <= 1
    assert adf_statistic(noise) < -20 < adf_statistic(noise.cumsum())


def test_level_scale_and_what_is_long_ago_do_not_matter() -> None:
    values = np.random.default_rng(0).normal(size=900).cumsum()
    for measure in (adf_statistic, forecastability):
        expected = measure(values[-300:], 300)
        assert measure(values, 300) == pytest.approx(expected)
        assert measure(4096 + 0.5 * values, 300) == pytest.approx(expected, rel=1e-3)


def test_what_is_not_defined_is_nan() -> None:
    steps = np.repeat([0.0, 1.0], 200)
    assert np.isnan(adf_statistic(np.ones(100)))
    assert np.isnan(forecastability(np.full(100, np.nan)))
    assert np.isnan(adf_statistic(np.arange(1000) % 12))
    assert np.isfinite(forecastability(steps))


def test_table_of_a_corpus(corpus: Path) -> None:
    table = describe(corpus).set_index("dataset")
    assert table["series"].to_dict() == {"noise__H": 8, "walks__D": 30, "waves__M": 2}
    assert table["points"].to_dict() == {"noise__H": 2400, "walks__D": 9000, "waves__M": 600}
    assert table["frequency"].tolist() == ["H", "D", "M"]
    assert table["missing"].tolist() == [0, 0, pytest.approx(48 / 600)]
    assert table.loc["noise__H", "adf"] < table.loc["walks__D", "adf"]
    assert table.loc["noise__H", "forecastability"] < table.loc["waves__M", "forecastability"]


def test_means_are_weighted_by_length(corpus: Path) -> None:
    from timer_forecaster.corpus.sources import series_of

    rows = [row.values for row in series_of(corpus) if row.dataset == "waves__M"]
    for name, measure in (("adf", adf_statistic), ("forecastability", forecastability)):
        expected = np.average([measure(v) for v in rows], weights=[len(v) for v in rows])
        found = describe(corpus).set_index("dataset").loc["waves__M", name]
        assert found == pytest.approx(expected)


def test_a_sample_of_the_series(corpus: Path) -> None:
    few, all_ = describe(corpus, sample=5), describe(corpus)
    assert few["series"].equals(all_["series"])
    assert few["adf"][1] != all_["adf"][1]
    assert few["adf"][2] == all_["adf"][2]
    with pytest.raises(ValueError, match="sample=0"):
        describe(corpus, sample=0)


def test_plane_has_a_point_for_each_data_set(corpus: Path) -> None:
    table = describe(corpus)
    table.loc[0, "adf"] = np.nan
    axes = plot_complexity(table).axes[0]
    np.testing.assert_allclose(axes.collections[0].get_offsets()[1:, 0], table["adf"][1:])
    assert {text.get_text() for text in axes.texts} == {"walks__D", "waves__M"}
