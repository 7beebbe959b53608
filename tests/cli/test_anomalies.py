"""The command `anomalies`."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def data(tmp_path):
    """A file of two shops, one with a spike."""
    days = pd.date_range("2024-01-01", periods=80)
    parts = []
    for number, shop in enumerate(("north", "south")):
        sold = np.sin(np.arange(80) / 3) + 0.2 * np.random.default_rng(number).normal(size=80)
        sold[60] += 9 * number
        parts.append(pd.DataFrame({"shop": shop, "day": days, "sold": sold.round(3)}))
    path = tmp_path / "sales.csv"
    pd.concat(parts).to_csv(path, index=False)
    return path


def words(data, *more):
    return ["anomalies", data, "--id-column", "shop", "--checkpoint", "timer-s1-test", *more]


def test_the_oddest_steps_are_printed(run, data):
    code, out, err = run(*words(data, "--quiet"))
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split() == [
        *["shop", "target", "day", "y", "median", "lower", "upper", "p_value", "score"]
    ]
    assert lines[1].split()[:3] == ["south", "sold", "2024-03-01"]
    assert "of 96 steps are anomalies at level 0.99" in lines[-1]
    assert "not judged: 64 short history" in lines[-1]


def test_all_steps_are_written_and_drawn(run, data):
    pytest.importorskip("matplotlib")
    code, out, _ = run(
        *words(data, "--output", "odd.csv", "--plot", "odd.png", "--level", 0.9, "--horizon", 2),
        *["--min-history", 40, "--calibrate", "table", "--no-repair", "--context-length", 60],
    )
    assert code == 0
    assert out.endswith(" s -> odd.csv, odd.png\n")
    table = pd.read_csv("odd.csv", keep_default_na=False)
    assert len(table) == 160
    assert table["reason"].value_counts()["short history"] == 2 * 41
    assert Path("odd.png").read_bytes().startswith(b"\x89PNG")


def test_the_table_on_the_standard_output(run, data):
    code, out, err = run(*words(data, "--output", "-", "--fast"))
    assert code == 0
    assert out.startswith("shop,target,day,y,median")
    assert "steps are anomalies" in err


def test_covariates(run, data):
    code, _, err = run(*words(data, "--known", "promo"))
    assert code == 2
    assert "--known: there is no column 'promo'" in err
    frame = pd.read_csv(data).assign(promo=lambda rows: rows.index % 3)
    frame.to_csv(data, index=False)
    code, out, err = run(*words(data, "--known", "promo", "--min-history", 70, "--quiet"))
    assert code == 0
    assert "of 20 steps" in out


def test_some_series_cannot_be_read(run, data):
    frame = pd.read_csv(data)
    frame.loc[frame["shop"] == "north", "sold"] = np.nan
    frame.to_csv(data, index=False)
    code, out, err = run(*words(data))
    assert code == 3
    assert "1 of 2 series left out" in err
    assert "of 48 steps" in out


@pytest.mark.parametrize(
    "options, message",
    [
        (["--level", 1.5], "level=1.5 must be one number inside (0, 1)"),
        (["--horizon", 0], "horizon=0 must be at least 1"),
        (["--output", "no/odd.csv"], "cannot write no/odd.csv: there is no folder no"),
        (["--plot", "odd.txt"], "cannot draw odd.txt"),
        (["--target", "units"], "--target: there is no column 'units'"),
    ],
)
def test_user_errors_are_one_line(run, data, options, message):
    code, out, err = run(*words(data, *options))
    assert (code, out) == (2, "")
    assert message in err
