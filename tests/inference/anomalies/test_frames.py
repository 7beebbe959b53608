"""Anomalies of frames."""

import numpy as np
import pandas as pd
import pytest
from covariate_frames import frames

from timer_forecaster.frames.calendar.periods import periods_of


@pytest.fixture
def frame(spiked):
    days = pd.date_range("2024-01-01", periods=130, freq="D")
    parts = [
        pd.DataFrame({"shop": name, "day": days, "sold": values, "other": values + 1})
        for name, values in (("a", spiked), ("b", spiked * 10))
    ]
    return pd.concat(parts, ignore_index=True)


OPTIONS = {"time_column": "day", "id_column": "shop"}


def test_each_target_of_each_id(mini, frame, spiked):
    report = mini.detect_anomalies_frame(frame, 0.99, **OPTIONS)
    alone = mini.detect_anomalies(spiked, freq="D")
    assert report.summary[["shop", "target"]].to_numpy().tolist() == [
        ["a", "sold"],
        ["a", "other"],
        ["b", "sold"],
        ["b", "other"],
    ]
    for scores in report.scores:
        np.testing.assert_allclose(scores, alone.scores[0], rtol=1e-3, atol=1e-4)
    rows = report.anomalies
    assert rows.columns.tolist()[:4] == ["shop", "target", "day", "y"]
    assert (rows["day"].head(4) == pd.Timestamp("2024-04-10")).all()


def test_rows_in_any_order_and_absent_ones(mini, frame):
    one = frame[frame["shop"] == "a"].drop(columns="shop")
    expected = mini.detect_anomalies_frame(one, time_column="day", target_columns="sold")
    shuffled = one.sample(frac=1, random_state=0)
    found = mini.detect_anomalies_frame(shuffled, time_column="day", target_columns="sold")
    pd.testing.assert_frame_equal(found.to_frame(), expected.to_frame())
    absent = mini.detect_anomalies_frame(
        one.drop(index=[40, 41]), time_column="day", target_columns="sold"
    )
    table = absent.to_frame()
    assert len(table) == 130
    assert table["reason"].iloc[[40, 41]].tolist() == ["missing", "missing"]
    emptied = one.assign(sold=one["sold"].where(~one.index.isin([40, 41])))
    same = mini.detect_anomalies_frame(emptied, time_column="day", target_columns="sold")
    pd.testing.assert_frame_equal(table, same.to_frame())


def test_covariates_of_the_frame(timer_s1):
    past, _ = frames(steps=60, ids=("a", "b"))
    asked = {"time_column": "day", "id_column": "id", "target_columns": "y"}
    columns = {"known_columns": ["x", "w"], "past_columns": "z"}
    found = timer_s1.detect_anomalies_frame(
        past, **asked, **columns, covariates="always", min_history=55, repair=False
    )
    for number, (_, rows) in enumerate(past.groupby("id", sort=False)):
        y = rows["y"].to_numpy()
        for step in range(55, 60):
            expected = timer_s1.predict(
                y[:step],
                1,
                known=rows[["x", "w"]].head(step + 1),
                past=rows[["z"]].head(step),
                cycles=periods_of("D"),
                covariates="always",
            )
            assert found.medians[number][step] == pytest.approx(expected.median[0, 0], rel=1e-4)


def test_ids_that_cannot_be_read(mini, frame):
    broken = frame.astype({"sold": object})
    broken.loc[200, "sold"] = "soon"
    with pytest.raises(ValueError, match="soon"):
        mini.detect_anomalies_frame(broken, **OPTIONS, target_columns="sold")
    with pytest.warns(UserWarning, match="1 of 2 series"):
        report = mini.detect_anomalies_frame(
            broken, **OPTIONS, target_columns="sold", on_error="nan"
        )
    assert report.summary["judged"].tolist() == [98, 0]
    assert "'soon'" in report.failures[1]


@pytest.mark.parametrize("zone", ["Europe/Berlin", None])
def test_times_are_those_of_the_frame(timer_s1, zone):
    times = pd.date_range("2024-03-30", periods=60, freq="h", tz=zone)
    frame = pd.DataFrame({"time": times, "load": np.arange(60.0) % 24})
    report = timer_s1.detect_anomalies_frame(frame, time_column="time")
    pd.testing.assert_series_equal(report.to_frame()["time"], frame["time"], check_freq=False)


@pytest.mark.parametrize("name", ["score", "anomaly", "target", "y"])
def test_names_of_the_report_are_taken(mini, name):
    days = pd.date_range("2024-01-01", periods=40)
    frame = pd.DataFrame({name: days, "load": np.arange(40.0)})
    message = f"time_column='{name}': the report of anomalies has a column of that name"
    with pytest.raises(ValueError, match=message):
        mini.detect_anomalies_frame(frame, time_column=name)
