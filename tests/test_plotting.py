import io
import sys

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("matplotlib")

from matplotlib.figure import Figure

from timer_forecaster.plotting import (
    newest_steps,
    plot_aggregates,
    plot_effects,
    plot_forecast,
    plot_quantiles,
    plot_shares,
    plot_tuning,
)


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
    with pytest.raises(ImportError, match=r'pip install "timer-forecaster\[plot\]"'):
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


def test_aggregates_that_a_logarithmic_axis_lacks_are_left_out():
    means = means_of({"a": 0.7, "mine": 0.5, "seasonal_naive": 1.0})
    means.loc[(["a", "mine"], "all"), ["MASE", "CRPS"]] = np.inf  # a data set without an error
    means.loc[("seasonal_naive", "all"), ["MASE", "CRPS"]] = np.nan
    means.loc[("mine", "short"), "CRPS"] = 0.0
    with pytest.warns(UserWarning, match="not drawn: relative errors of a, mine, seasonal_naive"):
        figure = plot_aggregates(means)
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["short (3)"]
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == ["mine", "seasonal_naive", "a"]
    figure.savefig(io.BytesIO())


def test_aggregates_none_of_which_can_be_drawn_are_refused():
    means = means_of({"a": np.inf, "seasonal_naive": np.nan}).assign(MASE=np.nan)
    with pytest.raises(ValueError, match="nothing to draw: all errors relative to Seasonal Naive"):
        plot_aggregates(means)


def test_legends_show_the_colors_of_nested_bands(ax):
    plot_quantiles(ax, [], [], [0, 1], [0.1, 0.2, 0.5, 0.8, 0.9], [[1, 2, 3, 4, 5]] * 2)
    outer, inner = (band.get_facecolor()[0] for band in ax.collections)
    assert outer[3] == inner[3] == 1.0  # no transparency: what lies over another has its own color
    assert outer[:3].sum() > inner[:3].sum()


def test_panels_make_a_grid_with_the_legend_above():
    history, forecast = frames(pd.RangeIndex(9), ids=[f"s{i}" for i in range(5)])
    figure = plot_forecast(history, forecast, time_column="t", id_column="id")
    figure.draw_without_rendering()
    assert len(figure.axes) == 5
    assert figure.axes[0].get_subplotspec().get_gridspec().get_geometry() == (3, 2)
    (legend,) = figure.legends
    box = legend.get_window_extent()
    assert all(not box.overlaps(ax.get_window_extent()) for ax in figure.axes)
    width, height = figure.get_size_inches()
    assert width > height


@pytest.mark.parametrize("name", ["load", "a name that needs most of the width of the picture" * 2])
def test_the_legend_of_one_panel_hides_nothing(name):
    history, forecast = frames(pd.RangeIndex(9), ids=[name])
    figure = plot_forecast(history, forecast, time_column="t", id_column="id")
    figure.draw_without_rendering()
    (ax,) = figure.axes
    legend = ax.get_legend() or figure.legends[0]
    box = legend.get_window_extent()
    assert not box.overlaps(ax.get_window_extent())
    assert not box.overlaps(ax._left_title.get_window_extent())


@pytest.mark.parametrize(("series", "columns"), [(1, 1), (2, 1), (3, 2), (6, 2), (7, 3), (12, 3)])
def test_few_panels_are_wide(series, columns):
    history, forecast = frames(pd.RangeIndex(9), ids=[f"s{i}" for i in range(series)])
    figure = plot_forecast(history, forecast, time_column="t", id_column="id")
    assert figure.axes[0].get_subplotspec().get_gridspec().ncols == columns


def test_long_and_odd_names_are_titles(tmp_path):
    names = ["x" * 300, "$a_b$ and $", "short"]
    history, forecast = frames(pd.RangeIndex(9), ids=names)
    figure = plot_forecast(history, forecast, time_column="t", id_column="id")
    figure.savefig(tmp_path / "picture.png")
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert len(titles[0]) < 70 and " … " in titles[0]


@pytest.mark.parametrize("name", ["US$ per $", "cost $^$", r"\$ and $"])
def test_dollars_are_no_formulas(name, ax, tmp_path):
    from matplotlib.cbook import is_math_text

    from timer_forecaster import ForecastPipeline

    pipe = ForecastPipeline.from_pretrained("timer-s1-test", device="cpu")
    frame = pd.DataFrame({f"t {name}": range(60), name: np.sin(np.arange(60.0))})
    result = pipe.backtest_frame(frame, 4, time_column=f"t {name}", windows=1)
    report = pipe.detect_anomalies_frame(frame, time_column=f"t {name}")
    plot_effects(ax, [name], np.ones((1, 4)))
    means = plot_aggregates(means_of({name: 0.7, "seasonal_naive": 1.0}))
    figures = [result.plot(), report.plot().figure, report.plot_all(), ax.figure, means]
    for figure in figures:
        figure.savefig(tmp_path / "picture.png")  # an error where a formula cannot be read
        texts = [text.get_text() for text in figure.findobj(is_text) if "$" in text.get_text()]
        assert texts and not any(map(is_math_text, texts))


def is_text(artist):
    return hasattr(artist, "get_text")


def test_a_column_that_begins_with_a_line_is_in_the_legend(ax):
    plot_effects(ax, ["_price", "promo"], np.ones((2, 4)))
    labels = [text.get_text().strip() for text in ax.get_legend().get_texts()]
    assert labels == ["_price", "promo"]


def whole_ticks(axis):
    ticks = np.asarray(axis.get_ticklocs())
    return bool((ticks == np.rint(ticks)).all())


def test_use_of_experts_has_a_title_and_whole_numbers(ax):
    plot_shares(ax, np.full((3, 2), 0.5))
    assert ax.get_title(loc="left") == "Use of the experts, by block"
    assert whole_ticks(ax.xaxis) and whole_ticks(ax.yaxis)


def test_a_finetuning_has_titles_whole_steps_and_one_scale_of_colors():
    before, after = np.array([[0.5, 0.5]]), np.array([[0.1, 0.9]])
    figure = plot_tuning([(1, 0.6), (3, 0.5)], [(0, 0.5), (3, 0.4)], 3, before, after)
    figure.draw_without_rendering()
    panels = [ax for ax in figure.axes if ax.get_title(loc="left")]
    titles = [ax.get_title(loc="left") for ax in panels]
    assert titles == [
        "Losses of the finetuning",
        *(f"Use of the experts {t}" for t in ("before", "after")),
    ]
    assert all(whole_ticks(ax.xaxis) for ax in panels)
    assert [ax.images[0].get_clim() for ax in panels[1:]] == [(0, 0.9)] * 2
    legend = panels[0].get_legend()
    assert not legend.get_window_extent().overlaps(panels[0].get_window_extent())


def test_effects_have_a_title_and_the_legend_beside_them(ax):
    plot_effects(ax, ["price", "fair"], np.zeros((2, 5)))
    ax.figure.draw_without_rendering()
    assert ax.get_title(loc="left") == "Effect of each covariate"
    assert whole_ticks(ax.xaxis)
    assert not ax.get_legend().get_window_extent().overlaps(ax.get_window_extent())


def test_the_newest_part_is_three_horizons():
    assert [newest_steps(horizon) for horizon in (1, 16, 100)] == [48, 48, 300]
