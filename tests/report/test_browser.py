"""Reports in a real browser, headless. They are skipped where no browser is installed."""

import numpy as np
import pandas as pd
import pytest
from browser import Browser, installed
from report_cases import LEVELS, frames

from timer_forecaster.report import Chart, Curve, Curves, Fan, Gallery, forecast_part, write_report

pytestmark = pytest.mark.skipif(
    installed() is None, reason="no browser of the Chromium kind is installed"
)

NAMES = {"time_column": "t", "id_column": "id"}


@pytest.fixture(scope="module")
def browser():
    with Browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def shops(tmp_path_factory):
    """A report of twelve shops, with a covariate and a category."""
    ids = [f"<b>shop</b> {number}" for number in range(12)]
    frame, forecast = frames(ids, steps=200)
    frame["price"] = np.sin(np.arange(len(frame)))
    frame["fair"] = np.where(np.arange(len(frame)) % 9 < 3, "fair", "")
    part = forecast_part(frame, forecast, **NAMES, past_columns=["price", "fair"])
    path = tmp_path_factory.mktemp("shops") / "shops.html"
    write_report(path, [part], title="Shops")
    return path


@pytest.fixture(scope="module")
def windows(tmp_path_factory):
    """A report with windows of two models, curves, and marked steps."""
    rng = np.random.default_rng(0)
    values, times = (
        rng.normal(size=300).cumsum(),
        pd.date_range("2024-01-01", periods=300, freq="h"),
    )
    fans = [
        Fan(
            start,
            LEVELS,
            values[start - 1] + np.array([[-1.0, 0, 1]] * 10),
            model,
            f"after {start}",
        )
        for model in ("mini", "naive")
        for start in (270, 280, 290)
    ]
    charts = [Chart(name, times, values, fans) for name in "ab"]
    jumps = {"Worst window": (1, "after 280")}
    gallery = Gallery("Windows", charts, jumps=jumps, models=["mini", "naive"])
    shares = {"mini": [Curve("80 %", np.linspace(0.5, 1, 10), 0.8)], "naive": []}
    odd = np.zeros(300, bool)
    odd[[4, 290]] = True
    expected = Fan(0, (0.005, 0.5, 0.995), values[:, None] + np.array([-1.0, 0, 1]))
    marked = Gallery("Unusual", [Chart("a", times, values, [expected], odd=odd)])
    path = tmp_path_factory.mktemp("windows") / "windows.html"
    write_report(path, [gallery, Curves("Coverage", shares), marked])
    return path


def text(browser, selector):
    return browser.run(f"document.querySelector({selector!r}).textContent")


def count(browser, selector):
    return browser.run(f"document.querySelectorAll({selector!r}).length")


@pytest.mark.parametrize("width", [1200, 360])
@pytest.mark.parametrize("dark", [False, True])
def test_a_report_opens_without_complaints(browser, shops, windows, width, dark):
    browser.look(width, dark=dark)
    for path in (shops, windows):
        browser.open(path)
        assert browser.run("document.documentElement.dataset.drawn") == "yes"
        assert browser.complaints == []
        assert browser.requests == [path.resolve().as_uri()]
        assert browser.run("document.documentElement.scrollWidth") <= width
        drawn = browser.run("document.querySelector('main').innerHTML")
        assert "NaN" not in drawn and "undefined" not in drawn


def test_the_chooser_goes_through_the_series(browser, shops):
    browser.look()
    browser.open(shops)
    assert text(browser, ".name") == "<b>shop</b> 0"
    assert count(browser, ".picture .band") == 1 and count(browser, ".picture .median") == 1
    browser.run("document.querySelector('[data-move=\"1\"]').click()")
    assert text(browser, ".name") == "<b>shop</b> 1"
    browser.run("document.getElementById('series0').focus()")
    browser.press("ArrowDown")
    assert text(browser, ".name") == "<b>shop</b> 2"
    assert text(browser, ".found") == "Series 3 of 12: <b>shop</b> 2"
    assert browser.complaints == []


def test_series_are_found_and_ordered(browser, shops):
    browser.open(shops)
    find = "document.getElementById('find0')"
    browser.run(f"{find}.value = 'SHOP 1'; {find}.dispatchEvent(new Event('input'))")
    assert text(browser, ".found").startswith("Series 1 of 3 that match, of 12 in all")
    browser.run(f"{find}.value = 'none'; {find}.dispatchEvent(new Event('input'))")
    assert text(browser, ".found").startswith("No name matches")
    order = "document.getElementById('order0')"
    browser.run(f"{find}.value = ''; {order}.value = 1; {order}.dispatchEvent(new Event('change'))")
    assert count(browser, "#series0 option") == 12
    first = browser.run("document.getElementById('series0').value")
    browser.run(f"{order}.value = 2; {order}.dispatchEvent(new Event('change'))")
    assert browser.run("document.getElementById('series0').options[11].value") == first


def test_values_are_read_by_keys_and_in_a_table(browser, shops):
    browser.open(shops)
    browser.run("document.querySelector('.picture svg').focus()")
    browser.press("End")
    told = text(browser, ".readout")
    assert told.startswith("23 Jul 2024: median ") and "80 % interval" in told
    browser.press("Home")
    assert "observed" in text(browser, ".readout") and "price" in text(browser, ".readout")
    browser.run("document.querySelector('.behind').open = true")
    browser.run("new Promise((done) => setTimeout(done, 50))")
    heads = browser.run(
        "Array.from(document.querySelectorAll('.behind th[scope=col]'), (h) => h.textContent)"
    )
    assert heads == ["t", "observed", "quantile 0.1", "median", "quantile 0.9", "price", "fair"]
    assert count(browser, ".behind tbody tr") == 48 + 5


def test_every_picture_has_a_text(browser, windows):
    browser.open(windows)
    labels = browser.run(
        "Array.from(document.querySelectorAll('.picture svg'), (s) => s.getAttribute('aria-label'))"
    )
    assert len(labels) == 3
    assert labels[0].startswith("Line chart of a, ") and "median forecast goes from" in labels[0]
    assert count(browser, ".picture svg[role=img]") == 3
    assert count(browser, ".legend svg:not([aria-hidden])") == 0


def test_windows_models_and_buttons(browser, windows):
    browser.open(windows)
    medians = "section[data-part='0'] .median"
    assert count(browser, medians) == 3 + 1  # and the legend
    browser.run("document.querySelector('.jumps button').click()")
    assert text(browser, ".name") == "b"
    assert browser.run("document.getElementById('window0').value") == "after 280"
    assert count(browser, medians) == 1 + 1
    model = "document.getElementById('model0')"
    browser.run(f"{model}.value = 1; {model}.dispatchEvent(new Event('change'))")
    history = "document.getElementById('history0')"
    browser.run(f"{history}.value = 2; {history}.dispatchEvent(new Event('change'))")
    group = "document.getElementById('group1')"
    browser.run(f"{group}.value = 1; {group}.dispatchEvent(new Event('change'))")
    assert "points alone" in text(browser, "section.curves .readout")
    assert count(browser, "section[data-part='2'] .picture circle.odd") == 1
    assert browser.complaints == []
