import numpy as np
import pandas as pd
import pytest
from pages import page_of

from timer_forecaster.inference.page import part_of_report


def dated(steps=40):
    return pd.Series(np.sin(np.arange(steps)), pd.date_range("2024-01-01", periods=steps))


def test_arrays_make_a_report(timer_s1, tmp_path):
    series = [np.sin(np.arange(50.0)), np.arange(30.0)]
    timer_s1.predict(series, 5).report(
        tmp_path / "r.html", series, names=["<a>", "b"], title="Both"
    )
    page = page_of(tmp_path / "r.html")
    assert page.texts("h1") == ["Both"]
    assert page.texts("option")[:2] == ["<a>", "b"]
    assert [one["n"] for one in page.data[0]["charts"]] == [55, 35]


@pytest.mark.parametrize("contexts", [dated(), [dated()], {"load": dated()}])
def test_dates_are_kept(timer_s1, contexts):
    part = part_of_report(timer_s1.predict(contexts, 3), contexts)
    (chart,) = part.charts
    assert chart.times[-1] == pd.Timestamp("2024-02-12")
    assert part.time_name == "time"
    assert chart.name == ("load" if isinstance(contexts, dict) else "series 0")


def test_without_a_history_the_forecast_is_alone(timer_s1):
    (chart,) = part_of_report(timer_s1.predict(np.arange(9.0), 4)).charts
    assert (len(chart.values), len(chart.times), chart.fans[0].start) == (0, 4, 0)


def test_other_numbers_of_series_are_refused(timer_s1):
    forecast = timer_s1.predict([np.arange(9.0)] * 2, 4)
    with pytest.raises(ValueError, match="contexts: there are 1, for 2 series"):
        part_of_report(forecast, np.arange(9.0))
    with pytest.raises(ValueError, match="names: there are 3, for 2 series"):
        part_of_report(forecast, names="abc")
