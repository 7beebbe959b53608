import numpy as np
import pandas as pd
from pages import page_of

from timer_forecaster.inference.anomalies import page


def frame(shops=("<b>north</b>", "south"), steps=80):
    days, parts = pd.date_range("2024-01-01", periods=steps), []
    for number, shop in enumerate(shops):
        sold = np.sin(np.arange(steps) / 3) + 0.2 * np.random.default_rng(0).normal(size=steps)
        sold[60] += 9 * number
        parts.append(pd.DataFrame({"shop": shop, "day": days, "sold": sold}))
    return pd.concat(parts, ignore_index=True)


NAMES = {"time_column": "day", "id_column": "shop"}


def test_the_page_has_the_series_and_their_oddest_steps(timer_s1, tmp_path):
    report = timer_s1.detect_anomalies_frame(frame(), **NAMES)
    report.report(tmp_path / "odd.html", settings={"level": 0.99})
    found = page_of(tmp_path / "odd.html")
    assert found.texts("option")[:2] == ["<b>north</b>", "south"]
    assert found.texts("h2")[:2] == ["Unusual steps", "The oddest steps"]
    assert report.sentence in found.texts("p")
    marked = [[step for step, _ in chart["o"]] for chart in found.data[0]["charts"]]
    assert marked == [np.flatnonzero(flags).tolist() for flags in report.flags]
    assert 60 in marked[1]


def test_the_oddest_series_comes_first(timer_s1):
    gallery, _ = timer_s1.detect_anomalies_frame(frame(), **NAMES).report_parts()
    assert gallery.orders == {"oddest first": [1, 0]}
    np.testing.assert_allclose(gallery.charts[1].fans[0].levels, [0.005, 0.5, 0.995])
    assert gallery.charts[1].about.endswith("at level 0.99")


def test_only_the_oddest_of_many_series(timer_s1, monkeypatch):
    monkeypatch.setattr(page, "MOST_SERIES", 1)
    gallery, _ = timer_s1.detect_anomalies_frame(frame(), **NAMES).report_parts()
    assert [chart.name for chart in gallery.charts] == ["south"]
    assert gallery.text.endswith("These are the 1 oddest of 2 series.")


def test_without_anomalies_there_is_no_table(timer_s1):
    report = timer_s1.detect_anomalies(np.sin(np.arange(80) / 3), level=0.999999)
    assert [part.title for part in report.report_parts()] == ["Unusual steps"]
