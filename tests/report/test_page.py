import re

import numpy as np
import pandas as pd
import pytest
from pages import page_of
from places import ROOT
from report_cases import frames

from timer_forecaster.report import Words, check_report, forecast_part, write_report

NAMES = {"time_column": "t", "id_column": "id"}
ODD = ["<b>bold</b>", "</script><script>alert(1)</script>", "a & b", '"quoted"', "Größe – 数"]
STYLE = (ROOT / "timer_forecaster" / "report" / "page.css").read_text(encoding="utf-8")


def written(tmp_path, ids, **more):
    frame, forecast = frames(ids)
    path = tmp_path / "report.html"
    write_report(path, [forecast_part(frame, forecast, **NAMES)], **more)
    return path


def test_every_id_is_there_and_stays_text(tmp_path):
    page = page_of(written(tmp_path, ODD, title="<Title>", summary="a < b"))
    assert page.texts("option")[: len(ODD)] == ODD
    assert page.texts("h1") == page.texts("title") == ["<Title>"]
    assert "b" not in page.content and len(page.texts("script")) == 2
    assert len(page.data[0]["charts"]) == len(ODD)


def test_nothing_is_loaded_from_anywhere(tmp_path):
    text = written(tmp_path, ["a"]).read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    sources = re.findall(r"""(?:src|href)=["']([^"']*)""", text)
    assert sources == ["data:,"]
    assert "@import" not in text and "url(" not in text
    assert set(re.findall(r"https?://[^\s\"']*", text)) <= {"http://www.w3.org/2000/svg"}


def test_the_parts_about_the_report(tmp_path):
    path = written(
        tmp_path,
        ["a"],
        reading="file.csv: 3 rows\n  times: 't'",
        settings={"checkpoint": "mini"},
        notes=["b has no forecast: it is empty"],
    )
    page = page_of(path)
    heads = ["Forecasts", "Notes", "How the file was read", "How the forecasts were made"]
    assert page.texts("h2") == [*heads, "Versions"]
    assert page.texts("li") == ["b has no forecast: it is empty", "file.csv: 3 rows", "times: 't'"]
    assert page.texts("dt")[:2] == ["checkpoint", "timer-forecaster"]
    assert [one["aria-labelledby"] for one in page.attributes("section")] == [
        f"part{number}" for number in range(5)
    ]


def test_five_hundred_series_stay_small(tmp_path):
    days = pd.date_range("2010-01-01", periods=1556)
    rng, n = np.random.default_rng(0), 500
    values = rng.normal(size=(n, 1500)).cumsum(axis=1) * 10.0 ** rng.integers(-5, 9, (n, 1))
    frame = pd.DataFrame(
        {"id": np.arange(n).repeat(1500), "t": np.tile(days[:1500], n), "y": values.ravel()}
    )
    forecast = pd.DataFrame({"id": np.arange(n).repeat(56), "target": "y"})
    forecast["t"] = np.tile(days[1500:], n)
    for place in range(9):
        noise = rng.normal(size=(n, 56)) + values[:, -1:]
        forecast[f"q0.{place + 1}"] = noise.ravel()
    path = tmp_path / "many.html"
    part = forecast_part(frame, forecast, **NAMES)
    write_report(path, [part])
    assert path.stat().st_size < 10_000_000
    text = path.read_text(encoding="utf-8")
    assert text.count("<option") == 500 + 3 + 3  # and the orders and histories
    two = tmp_path / "two.html"
    write_report(two, [part, part])
    assert two.stat().st_size < 10_000_000


def test_a_report_is_whole_or_not_there(tmp_path):
    class Broken(Words):
        def packed(self, share):
            raise RuntimeError

    path = tmp_path / "report.html"
    path.write_text("old")
    with pytest.raises(RuntimeError):
        write_report(path, [Broken("x")])
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]


@pytest.mark.parametrize("name", ["report", "report.pdf", "no/report.html"])
def test_other_names_are_refused(tmp_path, name):
    with pytest.raises(ValueError, match="cannot write"):
        check_report(tmp_path / name)


def colors(scheme):
    """Return the colors of a scheme by name."""
    light, dark = STYLE.split("@media (prefers-color-scheme: dark)")
    found = dict(re.findall(r"--(\w+): (#\w{6})", light))
    if scheme == "dark":
        found |= dict(re.findall(r"--(\w+): (#\w{6})", dark.split("* {")[0]))
    return found


def contrast(one, other):
    """Return the contrast of two colors, by WCAG 2."""

    def luminance(color):
        parts = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_meets_wcag_aa(scheme):
    found = colors(scheme)
    for ground in ("page", "panel"):
        for name in ("text", "muted"):
            assert contrast(found[name], found[ground]) >= 4.5, (name, ground)
    for name in ("field", "history", "forecast", "observed", "odd", "focus", *"abcd"):
        assert contrast(found[name], found["page"]) >= 3, name
