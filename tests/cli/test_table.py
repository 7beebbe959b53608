"""The file of series at the command: options, the report, and the kinds of files."""

import io
import sys
from pathlib import Path

import pandas as pd
import pytest
from cli_words import write
from series_files import DAYS, VALUES, text_of, workbook_of

from timer_forecaster import ForecastPipeline

MODEL = "timer-s1-test"


@pytest.fixture
def asked(monkeypatch):
    """Series that the command forecasts from."""
    seen = []
    predict = ForecastPipeline.predict

    def spy(self, series, horizon, **options):
        seen.extend([values.tolist() for values in series])
        return predict(self, series, horizon, **options)

    monkeypatch.setattr(ForecastPipeline, "predict", spy)
    return seen


def forecast(run, *words, horizon=2):
    return run("forecast", *words, "--horizon", horizon, "--checkpoint", MODEL, "--output", "-")


CASES = {
    "plain": (text_of(), []),
    "tabs": (text_of("\t"), []),
    "other separator": (text_of("~"), ["--sep", "~", "--time-column", "time"]),
    "german": (text_of(";", ",", "%d.%m.%Y"), []),
    "decimal": (text_of(";", ","), ["--decimal", ","]),
    "titles": ("A title\n\n" + text_of(), []),
    "headless": (text_of().split("\n", 1)[1], ["--no-header"]),
    "utf-16": (text_of().encode("utf-16"), []),
    "cp1250": (text_of(names=("time", "łódź")).encode("cp1250"), ["--encoding", "cp1250"]),
    "trailing": (text_of().replace("\n", ",\n"), ["--time-column", "time"]),
    "tail": (text_of() + ",\n\n,\n", []),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("standard_input", [True, False])
def test_files_are_read(run, asked, monkeypatch, case, standard_input):
    data, words = CASES[case]
    data = data.encode() if isinstance(data, str) else data
    Path("data.csv").write_bytes(data)
    if standard_input:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    code, out, err = forecast(run, "-" if standard_input else "data.csv", *words)
    assert code == 0, err
    assert asked == [VALUES]
    table = pd.read_csv(io.StringIO(out))
    assert pd.to_datetime(table.iloc[:, 1]).dt.strftime("%Y-%m-%d").tolist() == [
        "2024-01-18",
        "2024-01-19",
    ]
    name = "standard input" if standard_input else "data.csv"
    assert err.startswith(f"{name}: 8 rows of data; text separated by ")
    assert "series: 1 series, step D, from 2024-01-10 to 2024-01-17, no gaps" in err


def test_a_workbook_with_sheets(run, asked):
    pytest.importorskip("openpyxl")
    rows = [["time", "load"], *([d.to_pydatetime(), v] for d, v in zip(DAYS, VALUES, strict=True))]
    wrong = [["time", "load"], *([d.to_pydatetime(), 1.0] for d in DAYS)]
    Path("data.xlsx").write_bytes(workbook_of(First=wrong, Second=rows))
    code, _, err = forecast(run, "data.xlsx")
    assert code == 2
    assert "name one by sheet (--sheet)" in err
    assert forecast(run, "data.xlsx", "--sheet", "Second")[0] == 0
    assert asked == [VALUES]


def test_a_parquet_file(run, asked):
    pytest.importorskip("pyarrow")
    pd.DataFrame({"time": DAYS, "load": VALUES}).to_parquet("data.parquet")
    assert forecast(run, "data.parquet")[0] == 0
    assert asked == [VALUES]


def test_several_ids_and_times(run, asked):
    hours = pd.date_range("2024-01-01", periods=8, freq="h")
    rows = [
        f"{store},{item},{hour:%d.%m.%Y},{hour.hour},{value}"
        for store, item in (("01", "a"), ("01", "b"), ("1", "a"))
        for hour, value in zip(hours, VALUES, strict=True)
    ]
    write("\n".join(["store,item,day,hour,sold", *rows]))
    words = ["--time-column", "day", "hour", "--id-column", "store", "item"]
    code, out, err = forecast(run, "data.csv", *words)
    assert code == 0, err
    table = pd.read_csv(io.StringIO(out), dtype={"store": str})
    assert table.columns.tolist()[:4] == ["store", "item", "target", "day hour"]
    assert table["store"].tolist() == ["01"] * 4 + ["1"] * 2
    assert table["item"].tolist() == ["a", "a", "b", "b", "a", "a"]
    assert table["day hour"].tolist() == ["2024-01-01 08:00:00", "2024-01-01 09:00:00"] * 3
    assert asked == [VALUES] * 3


def test_the_report_can_be_silenced(run):
    code, _, err = forecast(run, write(text_of()), "--quiet")
    assert code == 0
    assert err.startswith("Forecast 2 steps of 1 series") and err.count("\n") == 1


def test_what_is_left_out_is_told(run):
    lines = text_of().splitlines()
    rows = [f"{n},{line},2024,x" for n, line in enumerate(lines[1:])]
    write("\n".join(["," + lines[0] + ",year,note", *rows]))
    code, out, err = forecast(run, "data.csv")
    assert code == 0
    assert set(pd.read_csv(io.StringIO(out))["target"]) == {"load"}
    left_out = (
        "'Unnamed: 0' (row numbers), 'year' (the year of the time), 'note' (text, such as 'x')"
    )
    assert f"not forecast: {left_out}" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--sep", "no"], "sep='no' must be one sign"),
        (["--encoding", "utf-9"], "encoding='utf-9' is unknown"),
        (["--sheet", "Nope"], "data.csv: sheet (--sheet) is for an Excel file, and this is a text"),
        (["--thousands", "x"], "thousands='x' must be one of"),
        (["--target", "note"], "target 'note': data row 1, 'x', is not a finite number"),
        (["--time-column", "time", "when"], "--time-column: there is no column 'when'"),
        (["--id-column", "a", "note"], "--id-column: there is no column 'a'"),
    ],
)
def test_user_errors_are_one_line(run, words, message):
    lines = text_of().splitlines()
    write("\n".join([lines[0] + ",note", *[line + ",x" for line in lines[1:]]]))
    code, out, err = forecast(run, "data.csv", *words)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", ["forecast", "finetune"])
def test_usage_and_help_name_the_file_first(run, capsys, command):
    """An option of several names would take the file for one of them."""
    with pytest.raises(SystemExit):
        run(command, "--help")
    text = capsys.readouterr().out
    assert text.startswith(f"usage: timer-forecaster {command} DATA --")
    assert "DATA comes first" in " ".join(text.split())
    with pytest.raises(SystemExit):
        run(command, "--target", "load", "data.csv", "--horizon", 2, "--output", "mine")
    error = capsys.readouterr().err
    assert error.startswith(f"usage: timer-forecaster {command} DATA --")
    assert "required: DATA" in error


def test_finetune_reads_the_same_files(run, monkeypatch):
    seen = []

    def spy(pipe, series, config, *, progress, freq):
        seen.extend([values.tolist() for values in series])
        raise ValueError("enough is known")

    monkeypatch.setattr("timer_forecaster.finetuning.finetune", spy)
    write("A title\n\n" + text_of(";", ",", "%d.%m.%Y") + ";\n")
    code, _, err = run("finetune", "data.csv", "--checkpoint", MODEL, "--output", "mine")
    assert code == 2
    assert "1 title row" in err and "enough is known" in err
    assert seen == [VALUES]
