import io
import sys

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("matplotlib")

from matplotlib.figure import Figure

from timer_forecaster.plotting import plot_aggregates, plot_forecast, plot_quantiles


@pytest.fixture
def ax():
    return Figure().subplots()


def labels(ax):
    return ax.get_legend_handles_labels()[1]


def test_levels_are_paired_from_outside_in(ax):
    levels = [0.5, 0.9, 0.1, 0.8, 0.2, 0.99]
    plot_quantiles(ax, [0, 1], [5, 6], [2, 3, 4], levels, np.tile(levels, (3, 1)))
    assert labels(ax) == ["history", "0.1 to 0.99", "0.2 to 0.9", "0.8", "median"]
    outer = ax.collections[0].get_paths()[0].vertices
    assert (outer[:, 1].min(), outer[:, 1].max()) == (0.1, 6)


def test_symmetric_bands_are_named_by_coverage(ax):
    plot_quantiles(ax, [], [], [0, 1], [0.025, 0.975], [[1, 2], [1, 3]])
    assert labels(ax) == ["history", "95 % interval"]


@pytest.mark.parametrize(("last", "points"), [(7.0, 2), (np.nan, 1)])
def test_a_forecast_of_one_step_starts_at_the_last_observation(ax, last, points):
    plot_quantiles(ax, [0, 1], [6, last], [2], [0.5], [[8.0]])
    assert ax.lines[-1].get_xydata().tolist() == [[1, 7], [2, 8]][-points:]


def frames(times, ids=("a",)):
    history = pd.concat(
        [pd.DataFrame({"id": i, "t": times[:-2], "y": np.arange(len(times) - 2.0)}) for i in ids]
    )
    forecast = pd.concat(
        [
            pd.DataFrame({"id": i, "target": "y", "t": times[-2:], "q0.1": 1.0, "q0.5": 2.0})
            for i in ids
        ]
    )
    return history, forecast


@pytest.mark.parametrize(
    "times",
    [
        pd.date_range("2024-03-30 20:00", periods=90, freq="h", tz="Europe/Paris"),
        pd.date_range("2024-03-30", periods=90, freq="ME"),
        pd.period_range("2000Q1", periods=90, freq="Q"),
        pd.RangeIndex(90),
    ],
)
def test_every_kind_of_time_is_drawn(times, tmp_path):
    history, forecast = frames(times)
    figure = plot_forecast(history.sample(frac=1, random_state=0), forecast, time_column="t")
    figure.savefig(tmp_path / "picture.png")
    [past, _, median] = figure.axes[0].lines
    assert past.get_ydata().tolist() == list(range(40, 88))
    assert median.get_ydata().tolist() == [87, 2, 2]


def test_many_series_get_a_panel_each_up_to_a_limit():
    history, forecast = frames(pd.RangeIndex(9), ids=[f"s{i}" for i in range(14)])
    figure = plot_forecast(history, forecast, time_column="t", id_column="id")
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert titles == [f"s{i} · y" for i in range(12)]
    assert figure.get_suptitle() == "The first 12 of 14 series"
    few = plot_forecast(history, forecast, time_column="t", id_column="id", max_panels=14)
    assert (len(few.axes), few.get_suptitle()) == (14, "")


def test_missing_matplotlib_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    history, forecast = frames(pd.RangeIndex(9))
    with pytest.raises(ImportError, match=r"from a clone: pip install '\.\[plot\]'"):
        plot_forecast(history, forecast, time_column="t")


def means_of(scores, groups=("all", "short", "Energy")):
    index = pd.MultiIndex.from_product([scores, groups], names=["model", "group"])
    crps = [value for value in scores.values() for _ in groups]
    return pd.DataFrame({"n": 3, "MASE": 0.9, "CRPS": crps, "coverage": 0.8}, index=index)


def test_aggregates_rank_the_models_in_a_panel_for_all_and_each_term():
    figure = plot_aggregates(means_of({"a": 0.7, "mine": 0.5, "seasonal_naive": 1.0}), ["mine"])
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["all (3)", "short (3)"]
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == ["seasonal_naive", "a", "mine"]
    mase, crps = figure.axes[1].collections
    assert crps.get_offsets()[:, 0].tolist() == [1.0, 0.7, 0.5]
    assert mase.get_offsets()[:, 0].tolist() == [0.9, 0.9, 0.9]
    colors = crps.get_facecolor()
    assert (colors[0] == colors[1]).all() and not (colors[1] == colors[2]).all()
    figure.savefig(io.BytesIO())
