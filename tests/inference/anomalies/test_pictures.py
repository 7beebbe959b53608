"""Pictures of a report."""

import numpy as np
import pytest

pytest.importorskip("matplotlib")


def test_a_series_with_its_anomalies(mini, spiked, tmp_path):
    report = mini.detect_anomalies({"a": spiked, "b": spiked[:70]}, 0.99)
    ax = report.plot()
    assert ax.get_title(loc="left").startswith("series['a']: ")
    labels = ax.get_legend_handles_labels()[1]
    assert labels == ["expected", "median", "observed", "anomaly"]
    marked = ax.get_lines()[-1].get_xdata()
    assert marked.tolist() == np.flatnonzero(report.flags[0]).tolist()
    figure = report.plot_all(max_panels=1)
    assert len(figure.axes) == 1
    assert figure.axes[0].get_title(loc="left").startswith("series['a']")
    figure.savefig(tmp_path / "anomalies.png")


def test_a_series_without_any_judged_step(mini):
    report = mini.detect_anomalies(np.arange(5.0))
    assert len(report.plot_all().axes) == 1
