"""The tables and texts of a report."""

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="module")
def report(mini, spiked):
    y = spiked.copy()
    y[7] = np.nan
    return mini.detect_anomalies({"a": y, "b": -10 * spiked[:60]}, 0.99)


def test_a_row_for_each_step(report):
    frame = report.to_frame()
    assert frame.columns.tolist() == [
        *["series", "step", "y", "median", "lower", "upper", "p_value", "score", "anomaly"],
        "reason",
    ]
    assert len(frame) == 190
    assert frame["step"].tolist() == [*range(130), *range(60)]
    assert frame.loc[7, "reason"] == "missing"
    assert (frame.loc[frame["reason"] != "", "score"].isna()).all()
    assert not frame.loc[frame["reason"] != "", "anomaly"].any()
    assert frame["anomaly"].equals(frame["p_value"] <= 1 - 0.99)
    np.testing.assert_allclose(10 ** -frame["score"].abs(), frame["p_value"])


def test_anomalies_are_sorted_by_their_scores(report):
    rows = report.anomalies
    assert rows["step"].iloc[0] == 100
    assert rows["score"].iloc[0] > 2
    assert rows["score"].abs().is_monotonic_decreasing
    assert len(rows) == report.to_frame()["anomaly"].sum()


def test_the_summary_counts(report):
    summary = report.summary
    assert summary["steps"].tolist() == [130, 60]
    assert summary["judged"].tolist() == [97, 28]
    assert summary["missing"].tolist() == [1, 0]
    assert summary["short history"].tolist() == [32, 32]
    counts = summary["anomalies"]
    np.testing.assert_allclose(summary["share"], counts / summary["judged"])


def test_texts(report):
    text = str(report)
    assert "of 125 steps are anomalies at level 0.99" in text
    assert "not judged: 1 missing, 64 short history" in text
    assert repr(report).startswith("<AnomalyReport of 2 series, ")


def test_nothing_odd(timer_s1):
    report = timer_s1.detect_anomalies(np.full(40, 5.0))
    assert report.anomalies.empty
    assert report.anomalies.columns.tolist()[:2] == ["series", "step"]
    assert str(report) == "0 of 8 steps are anomalies at level 0.99 (0.00%); not judged: 32 " + (
        "short history"
    )
    short = timer_s1.detect_anomalies(np.arange(5.0))
    assert pd.isna(short.summary["share"].iloc[0])


def test_a_report_keeps_the_values_and_tables_of_its_own(mini, spiked):
    y = spiked.copy()
    report = mini.detect_anomalies(y, 0.99)
    y[:] = 0
    np.testing.assert_array_equal(report.series[0], spiked)
    anomalies, summary = report.anomalies, report.summary
    given = anomalies.copy()
    anomalies["y"], summary["steps"] = 0.0, 0
    pd.testing.assert_frame_equal(report.anomalies, given)
    assert report.summary["steps"].tolist() == [130]
