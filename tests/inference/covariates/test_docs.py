"""The examples of docs/covariates.md run as they stand."""

import re

import numpy as np
import pandas as pd
import pytest
from places import ROOT

from timer_forecaster.cli import main

PAGE = (ROOT / "docs" / "covariates.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


def test_the_python_blocks_forecast_the_same_day(monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(ROOT)
    names = {}
    for block in blocks("python"):
        exec(block, names)  # noqa: S102
    effects = names["forecast"].covariates.effects_frame()
    assert sorted(effects["column"].unique()) == sorted(names["columns"])
    table, bikes = names["table"], names["bikes"]
    assert list(table["time"].astype(str).str[:16]) == list(bikes["time"][-24:])
    # the frequency gives the cycles of a day, a week and a year
    forecast = names["pipe"].predict(
        names["history"], 24, known=bikes[names["columns"]], cycles=(24, 168, 8766)
    )
    np.testing.assert_allclose(table["q0.5"], forecast.median[0], rtol=1e-6)
    assert forecast.covariates.to_frame()["t"].item() > 0


def test_the_command_runs_word_for_word(monkeypatch, tmp_path):
    bikes = pd.read_csv(ROOT / "examples" / "bike_sharing.csv")
    bikes[:-24].to_csv(tmp_path / "history.csv", index=False)
    bikes[-24:].drop(columns="rentals").to_csv(tmp_path / "tomorrow.csv", index=False)
    monkeypatch.chdir(tmp_path)
    (line,) = blocks("bash")
    program, *arguments = line.replace("\\\n", " ").split()
    assert program == "timer-forecaster"
    assert not main(arguments)
    assert pd.read_csv("forecast.csv")["time"].iloc[0].startswith(bikes["time"].iloc[-24])
