"""The option --report of `forecast`, `backtest` and `anomalies`."""

import numpy as np
import pandas as pd
import pytest
from pages import page_of
from report_cases import frames

FILE = ["sales.csv", "--time-column", "t", "--id-column", "id", "--quiet"]
WORDS = ["--checkpoint", "timer-s1-test", "--horizon", 5]


@pytest.fixture
def sales(run):
    """A file of three shops, one with markup as its name, in the folder of the test."""
    frame, _ = frames(["<b>east</b>", "west", "north & south"])
    frame.to_csv("sales.csv", index=False, float_format="%.3f")
    return frame


def test_the_report_of_a_forecast(run, sales, tmp_path):
    code, out, _ = run("forecast", *FILE, *WORDS, "--report", "r.html")
    assert code == 0 and out.endswith("-> r.html\n") and out.count("\n") == 1
    page = page_of(tmp_path / "r.html")
    assert page.texts("title") == ["Forecast of sales.csv"]
    assert page.texts("option")[:3] == ["<b>east</b>", "west", "north & south"]
    assert page.texts("dt")[:2] == ["checkpoint", "horizon"]
    assert any(text.startswith("sales.csv: 180 rows of data") for text in page.texts("li"))
    assert "b" not in page.content


def test_the_median_is_drawn_and_not_written_if_not_asked_for(run, sales, tmp_path):
    given = ["--levels", "0.1,0.9", "--output", "f.csv", "--report", "r.html"]
    assert run("forecast", *FILE, *WORDS, *given)[0] == 0
    assert "q0.5" not in pd.read_csv("f.csv")
    page = page_of(tmp_path / "r.html")
    assert 0.5 in page.data[0]["charts"][0]["f"][0]["n"]


def test_covariates_are_in_the_report(run, sales, tmp_path):
    sales.assign(price=np.arange(180.0)).to_csv("sales.csv", index=False)
    ahead = pd.date_range("2024-03-01", periods=5)
    ids = sales["id"].unique()
    future = pd.DataFrame({"id": ids.repeat(5), "t": np.tile(ahead, 3), "price": 1.0})
    future.to_csv("future.csv", index=False)
    given = ["--target", "y", "--future", "future.csv", "--report", "r.html"]
    assert run("forecast", *FILE, *WORDS, *given)[0] == 0
    data = page_of(tmp_path / "r.html").data[0]
    assert [one["c"] for one in data["pool"]] == ["price"] * 3
    assert len(data["pool"][0]["v"]) == 65


def test_series_without_a_forecast_are_named(run, sales, tmp_path):
    sales.loc[sales["id"] == "west", "y"] = np.nan
    sales.to_csv("sales.csv", index=False)
    assert run("forecast", *FILE, *WORDS, "--target", "y", "--report", "r.html")[0] == 3
    page = page_of(tmp_path / "r.html")
    assert len(page.data[0]["charts"]) == 2
    assert any("west" in text and "has no forecast" in text for text in page.texts("li"))


def test_the_report_of_a_backtest(run, sales, tmp_path):
    given = ["--windows", 2, "--report", "r.html", "--output", "out.csv"]
    code, out, _ = run("backtest", *FILE, *WORDS, *given)
    assert code == 0 and out.endswith("-> out.csv, r.html\n")
    page = page_of(tmp_path / "r.html")
    assert page.texts("h2")[0] == "Leaderboard"
    assert page.texts("option")[:3] == ["<b>east</b>", "west", "north & south"]
    assert "How the file was read" in page.texts("h2")


def test_the_report_of_anomalies(run, sales, tmp_path):
    given = ["--checkpoint", "timer-s1-test", "--report", "r.html"]
    code, out, _ = run("anomalies", *FILE, *given)
    assert code == 0 and out.endswith("-> r.html\n")
    page = page_of(tmp_path / "r.html")
    assert page.texts("title") == ["Unusual steps of sales.csv"]
    assert page.texts("option")[:3] == ["<b>east</b>", "west", "north & south"]
    assert "level" in page.texts("dt")


@pytest.mark.parametrize("command", ["forecast", "backtest", "anomalies"])
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--report", "r.pdf"], "the name of a report must end in .html"),
        (["--report", "no/r.html"], "there is no folder no"),
        (["--report", "sales.csv"], "is the input sales.csv"),
        (["--report", "r.html", "--output", "./r.html"], "are the same file"),
    ],
)
def test_what_cannot_be_is_refused_before_the_work(run, sales, command, words, message):
    if words[-1] == "./r.html":
        message = "r.html"  # the format of a table may be refused first
    code, out, err = run(command, *FILE, *WORDS, *words)  # anomalies have a horizon too
    assert (code, out) == (2, "")
    assert message in err


def test_paths_have_no_report(run, sales):
    code, _, err = run("forecast", *FILE, *WORDS, "--paths", 3, "--report", "r.html")
    assert code == 2 and "--paths and --report" in err
