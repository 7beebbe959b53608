import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cli_words import DAYS, write
from places import ROOT

import timer_forecaster
from timer_forecaster import cli
from timer_forecaster.inference import ForecastPipeline

EXAMPLE = ROOT / "examples" / "french_load.csv"


class LastValue:
    """A pipeline whose quantile is the last observed value + level."""

    loaded = None
    options = None

    @classmethod
    def from_pretrained(cls, name, **unused):
        cls.loaded = name
        return cls()

    def check_row(self, columns, holder, noun):
        """Take any number of series."""

    def predict(self, series, horizon, **options):
        LastValue.options = options
        self.base = np.array([np.full(horizon, y[~np.isnan(y)][-1]) for y in series])
        self.n_series, self.failures = len(series), {}
        return self

    def quantile(self, level):
        return self.base + level

    def predict_frame(self, frame, horizon, **options):
        return ForecastPipeline.predict_frame(self, frame, horizon, **options)


@pytest.fixture
def run(run, monkeypatch):
    """Run the command with the stand-in for a pipeline."""
    monkeypatch.setattr(timer_forecaster, "ForecastPipeline", LastValue, raising=False)
    return run


def test_forecast_of_the_example(run):
    code, out, err = run(
        *["forecast", EXAMPLE, "--time-column", "time", "--target", "load_mw", "--horizon", 168],
        *["--levels", "0.1,0.5,0.9", "--output", "forecast.csv", "--plot", "forecast.png"],
        "--quiet",
    )
    assert (code, err) == (0, "")
    assert out.startswith("Forecast 168 steps of 1 series in ")
    assert out.endswith(" s -> forecast.csv, forecast.png\n")
    forecast = pd.read_csv("forecast.csv", parse_dates=["time"])
    assert forecast.columns.tolist() == ["target", "time", "q0.1", "q0.5", "q0.9"]
    assert forecast["time"].tolist() == pd.date_range("2018-10-15", periods=168, freq="h").tolist()
    assert forecast["q0.5"].unique().tolist() == [44456.5]
    assert Path("forecast.png").read_bytes().startswith(b"\x89PNG")
    assert LastValue.loaded == "timer-s1-small"


def test_every_id_and_numeric_column(run):
    rows = "".join(
        f"{shop},2024-01-0{day},{day},{day * 10},x\n" for shop in ("007", "NA") for day in (1, 2, 3)
    )
    data = write("shop,day,sold,price,note\n" + rows)
    code, out, _ = run(
        *["forecast", data, "--time-column", "day", "--id-column", "shop", "--horizon", 2],
        *["--output", "out.csv", "--context-length", 30, "--checkpoint", "a-folder"],
        *["--rollout", "median", "--flip", "--batch-size", 3],
    )
    assert code == 0
    assert "2 steps of 4 series" in out
    forecast = pd.read_csv("out.csv", dtype=str, keep_default_na=False)
    assert forecast["shop"].tolist() == ["007"] * 4 + ["NA"] * 4
    assert forecast["target"].tolist() == ["sold", "sold", "price", "price"] * 2
    assert forecast["day"].tolist() == ["2024-01-04", "2024-01-05"] * 4
    assert forecast["q0.9"].tolist() == ["3.9", "3.9", "30.9", "30.9"] * 2
    assert LastValue.loaded == "a-folder"
    asked = {"context_length": 30, "rollout": "median", "flip": True, "batch_size": 3}
    assert asked.items() <= LastValue.options.items()


def test_without_files_a_short_table_is_printed(run):
    code, out, err = run(
        *["forecast", write(DAYS), "--time-column", "time", "--horizon", 20, "--levels", "0.5"],
        "--quiet",
    )
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split() == ["target", "time", "q0.5"]
    assert lines[1].split() == ["load", "2024-01-05", "4.5"]
    assert lines[-2] == "... and 8 more rows: --output FILE.csv writes all"
    assert lines[-1].startswith("Forecast 20 steps of 1 series in ")


def test_large_values_keep_their_digits(run):
    data = write("time,load\n1,1000000\n2,1000000\n3,1000000\n")
    assert run(
        *["forecast", data, "--time-column", "time", "--horizon", 1, "--levels", "0.123"],
        *["--output", "out.csv"],
    )[0] == 0  # fmt: skip
    assert pd.read_csv("out.csv")["q0.123"].tolist() == [1000000.123]


@pytest.mark.parametrize(
    "text, options, message",
    [
        (None, [], "there is no file data.csv"),
        ("", [], "data.csv: the file is empty"),
        (DAYS, ["--target", "mw"], "--target: there is no column 'mw'; there are time, load"),
        (DAYS, ["--time-column", "t"], "--time-column: there is no column 't'; there are time"),
        (DAYS, ["--id-column", "i"], "--id-column: there is no column 'i'"),
        (DAYS + "soon,5\n", [], "time column 'time': data row 5, 'soon', cannot be read as a time"),
        (DAYS + ",5\n", [], "data row 5 has no time"),
        (DAYS + "2024-01-04,5\n", [], "2024-01-04 00:00:00 is there more than once"),
        (
            DAYS + "2024-03-04,5\n2024-08-09 07:30,1\n",
            [],
            "aggregate the rows (levels by .mean()): frame.resample(",
        ),
        (DAYS, ["--freq", "often"], "--freq often is not a pandas frequency: use for example 'h'"),
        (DAYS, ["--target", "time"], "'time' is the time or the id column"),
        (DAYS, ["--levels", "0.1,2"], "levels: 2.0 must lie inside (0, 1)"),
        (DAYS, ["--output", "no/out.csv"], "cannot write no/out.csv: there is no folder no"),
        (DAYS, ["--plot", "out.txt"], "cannot draw out.txt: its suffix must be one of"),
    ],
)
def test_user_errors_are_one_line(run, text, options, message):
    if text is not None:
        write(text)
    words = ["forecast", "data.csv", "--time-column", "time", "--horizon", 2, *options]
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert err.startswith("timer-forecaster: error: ")
    assert message in err
    assert err.count("\n") == 1


def test_levels_that_are_no_numbers(run, capsys):
    with pytest.raises(SystemExit) as exit_:
        run("forecast", "x.csv", "--time-column", "t", "--horizon", 2, "--levels", "0.1;0.9")
    assert exit_.value.code == 2
    assert "'0.1;0.9' is not a list of numbers such as 0.1,0.5,0.9" in capsys.readouterr().err


def test_a_missing_extra_is_named(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, _, err = run(
        "forecast", write(DAYS), "--time-column", "time", "--horizon", 2, "--plot", "out.png"
    )
    assert code == 2
    assert 'its extra: pip install "timer-forecaster[plot]"' in err


def test_the_command_end_to_end(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["--time-column", "time", "--target", "load_mw", "--horizon", "168"]
    files = ["--output", "forecast.csv", "--plot", "forecast.png"]
    assert cli.main(["forecast", str(EXAMPLE), *words, *files]) == 0
    assert capsys.readouterr().out.startswith("Forecast 168 steps of 1 series")
    forecast = pd.read_csv(tmp_path / "forecast.csv")
    actual = pd.read_csv(EXAMPLE.with_name("french_load_next_week.csv"))["load_mw"]
    history = pd.read_csv(EXAMPLE)["load_mw"].to_numpy()
    naive = np.abs(history[-168:] - actual).mean()
    assert np.abs(forecast["q0.5"] - actual).mean() < 2 * naive
    assert (forecast["q0.1"] <= forecast["q0.9"]).all()
    assert (tmp_path / "forecast.png").stat().st_size > 10_000


@pytest.mark.parametrize("checkpoint", ["timer-s1-test", "ttm-test"])
def test_a_picture_has_its_median_even_if_the_table_was_asked_for_others(checkpoint, tmp_path):
    options = ["--time-column", "time", "--horizon", "3", "--levels", "0.1,0.9"]
    files = ["--output", str(tmp_path / "f.csv"), "--plot", str(tmp_path / "f.png")]
    words = ["forecast", str(EXAMPLE), *options, *files, "--checkpoint", checkpoint]
    assert cli.main(words) == 0
    columns = pd.read_csv(tmp_path / "f.csv").columns.tolist()
    assert columns == ["target", "time", "q0.1", "q0.9"]
    assert (tmp_path / "f.png").exists()


def test_the_frequency_of_the_file_and_the_padding_reach_the_network(tmp_path, capsys):
    y = 20 + np.random.default_rng(0).normal(size=90).cumsum()
    times = pd.date_range("2024-01-01", periods=90, freq="h")
    pd.DataFrame({"t": times, "y": y}).to_csv(tmp_path / "y.csv", index=False)
    words = ["forecast", str(tmp_path / "y.csv"), "--time-column", "t", "--horizon", "3"]
    output = ["--output", str(tmp_path / "f.csv"), "--checkpoint"]
    folder = ROOT / "tests" / "data" / "ttm" / "r2_ft"
    for checkpoint, options, own in (
        (str(folder), [], {"freq": "h"}),
        ("ttm-test", ["--padding", "released"], {"padding": "released"}),
        ("ttm-test", [], {}),
    ):
        assert cli.main([*words, *output, checkpoint, *options]) == 0
        pipe = ForecastPipeline.from_pretrained(checkpoint)
        found = pd.read_csv(tmp_path / "f.csv")["q0.5"]
        np.testing.assert_allclose(found, pipe.predict(y, 3, **own).median[0], rtol=1e-4)
    months = pd.DataFrame({"t": pd.date_range("2010-01-01", periods=90, freq="MS"), "y": y})
    months.to_csv(tmp_path / "y.csv", index=False)
    capsys.readouterr()
    assert cli.main([*words, *output, str(folder)]) == 0
    assert "note: freq: the checkpoint has no token for 'MS'" in capsys.readouterr().err


def test_the_bound_at_zero_reaches_the_network(tmp_path, capsys):
    counts = np.random.default_rng(0).poisson(0.6, size=90)
    times = pd.date_range("2024-01-01", periods=90, freq="D")
    table = pd.DataFrame({"t": times, "sold": counts})
    table.to_csv(tmp_path / "y.csv", index=False)
    words = ["forecast", str(tmp_path / "y.csv"), "--time-column", "t", "--horizon", "8"]
    words += ["--levels", "0.001,0.5", "--output", str(tmp_path / "f.csv")]
    words += ["--checkpoint", "timer-s1-mini"]
    lowest = []
    for options in ([], ["--nonnegative"], ["--no-nonnegative"]):
        assert cli.main([*words, *options]) == 0
        lowest.append(pd.read_csv(tmp_path / "f.csv")["q0.001"].min())
    assert lowest[0] == lowest[1] == 0 > lowest[2]
    table.assign(sold=counts - 1).to_csv(tmp_path / "y.csv", index=False)
    capsys.readouterr()
    assert cli.main([*words, "--nonnegative"]) != 0
    said = capsys.readouterr().err
    assert re.search("sold.* has negative values, down to -1.* leave --nonnegative out", said)
    assert "nonnegative=" not in said
