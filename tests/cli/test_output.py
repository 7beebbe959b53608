"""Files that the command writes: in the format of their name, whole, and never the input."""

import io
import json
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cli_words import DAYS, write

from timer_forecaster import ForecastPipeline

MODEL = "timer-s1-test"
WORDS = ["--time-column", "time", "--horizon", 2, "--checkpoint", MODEL, "--quiet"]


def days(n=12):
    dates = pd.date_range("2024-01-01", periods=n)
    return "time,load\n" + "".join(
        f"{date:%Y-%m-%d},{5 + (7 * i) % 5}\n" for i, date in enumerate(dates)
    )


@pytest.fixture
def never(monkeypatch):
    """Fail if a forecast is made."""

    def predict(*_, **__):
        raise AssertionError

    monkeypatch.setattr(ForecastPipeline, "predict", predict)


def linked(path, how):
    if how == "symbolic":
        path.symlink_to("data.csv")
    else:
        os.link("data.csv", path)
    return path


@pytest.mark.parametrize("option", ["--output", "--plot"])
@pytest.mark.parametrize("name", ["data.csv", "./data.csv", "folder/../data.csv"])
def test_the_input_is_never_overwritten(run, never, option, name):
    Path("folder").mkdir()
    text = days()
    write(text)
    code, out, err = run("forecast", "data.csv", *WORDS, option, name)
    assert (code, out) == (2, "")
    assert f"{option} {Path(name)} is the input data.csv: give it another name" in err
    assert Path("data.csv").read_text() == text


@pytest.mark.parametrize("how", ["symbolic", "hard"])
@pytest.mark.parametrize("option", ["--output", "--plot"])
def test_the_input_is_known_by_its_links(run, never, how, option):
    text = days()
    write(text)
    other = linked(Path("other.csv"), how)
    for data, output in (("data.csv", other), (other, "data.csv")):
        code, _, err = run("forecast", data, *WORDS, option, output)
        assert code == 2
        assert f"is the input {data}" in err
    assert Path("data.csv").read_text() == text


def test_the_standard_input_is_known_too(run, never, monkeypatch):
    write(days())
    with Path("data.csv").open("rb") as file:
        saved = os.dup(0)
        os.dup2(file.fileno(), 0)
        try:
            code, _, err = run("forecast", "-", *WORDS, "--output", "data.csv")
        finally:
            os.dup2(saved, 0)
            os.close(saved)
    assert code == 2
    assert "--output data.csv is the input -" in err


def test_two_outputs_are_two_files(run, never):
    code, _, err = run("forecast", write(days()), *WORDS, "--output", "a.csv", "--plot", "./a.csv")
    assert code == 2
    assert "--output and --plot are the same file a.csv" in err


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("out.txt", "cannot write out.txt: its name must end in .csv, .tsv, .json, .parquet or"),
        ("out", "--output out is a folder, which takes series by their ids: give --id-column"),
        ("out.xls", "cannot write out.xls"),
        ("no/out.csv", "cannot write no/out.csv: there is no folder no"),
        (".", "--output . is a folder, which"),
    ],
)
def test_what_cannot_be_written_is_refused_before_the_work(run, never, name, message):
    code, out, err = run("forecast", write(days()), *WORDS, "--output", name)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "package"), [("out.parquet", "pyarrow"), ("out.xlsx", "openpyxl")]
)
def test_a_missing_package_is_named_before_the_work(run, never, monkeypatch, name, package):
    monkeypatch.setitem(sys.modules, package, None)
    code, _, err = run("forecast", write(days()), *WORDS, "--output", name)
    assert code == 2
    assert f"files need {package}; install timer-forecaster with its extra" in err


def test_a_table_that_is_too_long_for_a_sheet(run, never):
    pytest.importorskip("openpyxl")
    words = ["--time-column", "time", "--horizon", 2_000_000, "--checkpoint", MODEL, "--quiet"]
    code, _, err = run("forecast", write(days()), *words, "--output", "out.xlsx")
    assert code == 2
    assert "a sheet has 1,048,575 rows, and the table 2,000,000" in err


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".tsv", ".json", ".parquet", ".xlsx"])
def test_the_name_says_the_format(run, suffix):
    for package, needed in (("pyarrow", ".parquet"), ("openpyxl", ".xlsx")):
        if suffix == needed:
            pytest.importorskip(package)
    code, out, err = run("forecast", write(days()), *WORDS, "--output", f"out{suffix}")
    assert (code, err) == (0, "")
    assert out.endswith(f" s -> out{suffix}\n")
    readers = {
        ".tsv": lambda path: pd.read_csv(path, sep="\t"),
        ".json": lambda path: pd.DataFrame(json.loads(Path(path).read_text())),
        ".parquet": pd.read_parquet,
        ".xlsx": pd.read_excel,
    }
    table = readers.get(suffix, pd.read_csv)(f"out{suffix}")
    assert table.columns.tolist() == ["target", "time", "q0.1", "q0.5", "q0.9"]
    assert pd.to_datetime(table["time"]).dt.day.tolist() == [13, 14]
    assert run("forecast", "data.csv", *WORDS, "--output", "plain.csv")[0] == 0
    np.testing.assert_allclose(table["q0.5"], pd.read_csv("plain.csv")["q0.5"], rtol=1e-9)
    left = {"data.csv", "plain.csv", f"out{suffix}"}
    assert {path.name for path in Path().iterdir()} == left


def test_the_standard_output_holds_the_table_alone(run):
    code, out, err = run("forecast", write(days()), *WORDS, "--output", "-")
    assert code == 0
    table = pd.read_csv(io.StringIO(out))
    assert table.columns.tolist() == ["target", "time", "q0.1", "q0.5", "q0.9"]
    assert len(table) == 2
    assert err.startswith("Forecast 2 steps of 1 series in ")


def test_an_earlier_file_stays_if_the_work_fails(run):
    Path("out.csv").write_text("precious")
    code, _, _ = run("forecast", write(DAYS), *WORDS, "--output", "out.csv", "--device", "tpu9")
    assert code == 2
    assert Path("out.csv").read_text() == "precious"


def test_evaluate_keeps_its_inputs(run, never, tmp_path):
    pytest.importorskip("pyarrow")
    Path("benchmark").mkdir()
    series = [10 + np.sin(np.arange(80.0))]
    frame = pd.DataFrame({"freq": "M", "target": series})
    frame.to_parquet("benchmark/shop__M.parquet")
    Path("published.csv").write_text("config,model,MASE,CRPS\nshop/M/short,other,0.5,0.01\n")
    words = ["evaluate", "--data", "benchmark", "--published", "published.csv"]
    words += ["--checkpoint", MODEL]
    cases = {
        "--output published.csv": "--output published.csv is the input published.csv",
        "--plot published.csv": "--plot published.csv is the input published.csv",
        "--output out.parquet": "--output out.parquet: results are kept as CSV",
        "--output a.csv --plot a.csv": "--output and --plot are the same file",
    }
    for options, message in cases.items():
        code, _, err = run(*words, *options.split())
        assert code == 2, options
        assert message in err


def test_finetune_refuses_an_output_before_the_work(run):
    write(days(60))
    words = ["finetune", "data.csv", "--time-column", "time", "--checkpoint", MODEL]
    code, _, err = run(*words, "--output", "data.csv")
    assert code == 2
    assert "cannot write data.csv: it exists" in err
