"""The examples of docs/reading.md run, and its messages are those of the code."""

import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from places import ROOT
from series_files import text_of

from timer_forecaster import cli

DOCS = (ROOT / "docs" / "reading.md").read_text(encoding="utf-8")
CODE = " ".join(
    path.read_text(encoding="utf-8") for path in (ROOT / "timer_forecaster").rglob("*.py")
)


def test_the_python_prints_what_it_says(capsys):
    (block,) = re.findall(r"```python\n(.*?)```", DOCS, flags=re.DOTALL)
    (printed,) = re.findall(r"```text\n(.*?)```", DOCS, flags=re.DOTALL)
    exec(block, {})  # noqa: S102
    assert capsys.readouterr().out == printed


@pytest.mark.parametrize("place", [0, 1])
def test_the_commands_run(place, tmp_path, monkeypatch, capsys):
    *_, block = re.findall(r"```bash\n(.*?)```", DOCS, flags=re.DOTALL)
    words = shlex.split(block.splitlines()[place])[1:]
    monkeypatch.chdir(tmp_path)
    Path("sales.csv").write_text(text_of(";", ",", names=("day", "sold")))
    if "<" in words:
        words = words[: words.index("<")]
        with Path("sales.csv").open() as file:
            monkeypatch.setattr("sys.stdin", file)
            assert cli.main([*words, "--checkpoint", "timer-s1-test"]) == 0
        assert capsys.readouterr().out.count("\n") == 4
    else:
        assert cli.main([*words, "--checkpoint", "timer-s1-test"]) == 0
        assert len(pd.read_csv("forecast.csv.gz")) == 3


@pytest.mark.parametrize("place", [0, 1])
def test_the_commands_with_covariates_run(place, tmp_path, monkeypatch, capsys):
    block, _ = re.findall(r"```bash\n(.*?)```", DOCS, flags=re.DOTALL)
    words = shlex.split(block.splitlines()[place])[1:]
    monkeypatch.chdir(tmp_path)
    days = pd.date_range("2024-01-01", periods=60)
    sales = pd.DataFrame({"store": "a", "day": days, "sold": np.arange(60.0) % 7})
    sales["price"], sales["holiday"] = np.arange(60) % 5, np.where(np.arange(60) % 9, "", "fair")
    sales["visits"] = np.arange(60.0) % 4
    known = ["store", "day", "price", "holiday"]
    if "--future" in words:
        sales.loc[46:, known].to_csv("plan.csv", index=False)
        sales = sales.head(46)
    else:
        sales.loc[46:, "sold"] = np.nan
    sales.to_csv("sales.csv", index=False)
    words = [*words, "--checkpoint", "timer-s1-test", "--output", "forecast.csv"]
    assert cli.main(words) == 0
    assert "known: 'price', 'holiday' (categories)" in capsys.readouterr().err
    assert pd.read_csv("forecast.csv")["day"].iloc[0] == "2024-02-16"


def test_every_option_is_listed():
    for name in re.findall(r"^    (\w+): (?:str|bool) \| None = setting", CODE_OF_OPTIONS, re.M):
        assert f"`{name}`" in DOCS
        assert f"`--{name.replace('_', '-')}" in DOCS


CODE_OF_OPTIONS = (ROOT / "timer_forecaster/frames/files/options.py").read_text(encoding="utf-8")


def test_the_messages_are_in_the_code():
    table = DOCS[DOCS.index("## Messages") :]
    messages = re.findall(r"^\| (.+?) \|", table, flags=re.M)[2:]
    assert len(messages) > 15
    plain = re.sub(r"[^a-z ]", "", re.sub(r'"\s*f?"', "", CODE.lower()))
    for message in messages:
        words = max(re.split(r"[^a-z ]+|\band holds\b|\butf\b|\bcsv\b", message), key=len).strip()
        assert re.sub(r"[^a-z ]", "", words) in plain, message
