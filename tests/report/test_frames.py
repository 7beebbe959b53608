import numpy as np
import pandas as pd
import pytest
from report_cases import frames

from timer_forecaster.report import forecast_part

NAMES = {"time_column": "t", "id_column": "id"}


def test_the_series_are_named_by_their_ids_and_targets():
    frame, forecast = frames(["b", "a"])
    assert [chart.name for chart in forecast_part(frame, forecast, **NAMES).charts] == ["b", "a"]
    frame, forecast = frames([1, 2], targets=("x", "y"))
    part = forecast_part(frame, forecast, **NAMES)
    assert [chart.name for chart in part.charts] == ["1 · x", "1 · y", "2 · x", "2 · y"]


def test_histories_and_forecasts_are_on_one_axis():
    frame, forecast = frames(["a"])
    absent = frame.drop(index=[20, 21])
    (chart,) = forecast_part(absent.sample(frac=1, random_state=0), forecast, **NAMES).charts
    assert len(chart.values) == 60 and np.isnan(chart.values[20:22]).all()
    np.testing.assert_allclose(chart.values[22:], frame["y"][22:])
    assert (chart.times == pd.date_range("2024-01-01", periods=65)).all()
    assert chart.fans[0].start == 60


@pytest.mark.parametrize(
    "times",
    [
        pd.date_range("2024-03-30", periods=65, freq="h", tz="Europe/Paris"),
        pd.date_range("2024-03-30", periods=65, freq="ME"),
        pd.period_range("2000Q1", periods=65, freq="Q"),
        pd.RangeIndex(2000, 2065),
        pd.date_range("2024-03-30", periods=65, freq="B"),
    ],
)
def test_every_kind_of_time(times):
    frame, forecast = frames(["a"])
    frame["t"], forecast["t"] = times[:60], times[60:]
    part = forecast_part(frame, forecast, **NAMES)
    assert part.charts[0].times.tolist() == times.tolist()
    assert part.packed(1.0)["charts"][0]["n"] == 65


def test_the_widest_band_is_the_least_certain():
    frame, forecast = frames(["a", "b", "c"])
    frame["y"] = np.tile(np.sin(np.arange(60)), 3)
    part = forecast_part(frame, forecast, **NAMES)
    assert part.orders["least certain first"] == [2, 1, 0]
    assert part.orders["most certain first"] == [0, 1, 2]


def test_covariates_stand_beside_the_series():
    frame, forecast = frames(["a", "b"])
    frame["price"], frame["visits"] = np.arange(120.0), 1.0 * (np.arange(120) % 7)
    future = forecast[["id", "t"]].assign(price=np.arange(10.0))
    part = forecast_part(
        frame,
        forecast,
        **NAMES,
        future_frame=future,
        known_columns="price",
        past_columns="visits",
    )
    columns = part.charts[1].columns
    assert columns["price"].tolist() == [*np.arange(60.0, 120), *np.arange(5.0, 10)]
    assert len(columns["visits"]) == 60


def test_only_some_of_many_series(monkeypatch):
    monkeypatch.setattr("timer_forecaster.report.frames.MOST_SERIES", 4)
    frame, forecast = frames(range(6), steps=12, horizon=2)
    part = forecast_part(frame, forecast, **NAMES)
    assert [chart.name for chart in part.charts] == ["0", "1", "2", "3"]
    assert part.text.endswith("These are the first 4 of 6 series.")


def test_series_without_a_forecast_are_left_out():
    frame, forecast = frames(["a", "b"])
    part = forecast_part(frame, forecast[forecast["id"] == "b"], **NAMES)
    assert [chart.name for chart in part.charts] == ["b"]
    forecast.loc[forecast["id"] == "a", ["q0.1", "q0.5", "q0.9"]] = np.nan
    part = forecast_part(frame, forecast, **NAMES)
    assert [chart.name for chart in part.charts] == ["b"]
    assert part.text.endswith("One more series has no forecast.")
    with pytest.raises(ValueError, match="forecast has no row"):
        forecast_part(frame, forecast[:0], **NAMES)


def test_rows_in_any_order_and_more_columns_are_the_same_picture():
    frame, forecast = frames(["a", "b"])
    expected = forecast_part(frame, forecast, **NAMES)
    other = forecast.assign(note="x", quarter=1, q=2.0).sort_values("q0.5", ascending=False)
    found = {chart.name: chart for chart in forecast_part(frame, other, **NAMES).charts}
    for chart in expected.charts:
        own = found[chart.name]
        assert own.times.equals(chart.times)
        assert own.fans[0].levels == chart.fans[0].levels
        np.testing.assert_array_equal(own.fans[0].quantiles, chart.fans[0].quantiles)


def test_other_frames_are_refused_by_what_they_lack():
    frame, forecast = frames(["a"])
    for name in ("target", "t", "id"):
        with pytest.raises(ValueError, match=f"forecast has no column '{name}'; there are"):
            forecast_part(frame, forecast.drop(columns=name), **NAMES)
    paths = forecast[["id", "target", "t"]].assign(path=0, value=1.0)
    with pytest.raises(ValueError, match=r"forecast has no column of a level, such as 'q0.5'"):
        forecast_part(frame, paths, **NAMES)
    with pytest.raises(ValueError, match="forecast has the series 'a · z', and frame does not"):
        forecast_part(frame, forecast.assign(target="z"), **NAMES)
