import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from places import ROOT

import timer_forecaster
from timer_forecaster import cli
from timer_forecaster.checkpoints.registry import find_checkpoint
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

    def predict(self, series, horizon, **options):
        LastValue.options = options
        self.base = np.array([np.full(horizon, y[~np.isnan(y)][-1]) for y in series])
        return self

    def quantile(self, level):
        return self.base + level

    def predict_frame(self, frame, horizon, **options):
        return ForecastPipeline.predict_frame(self, frame, horizon, **options)


@pytest.fixture
def run(monkeypatch, tmp_path, capsys):
    """Run the command in an empty folder; returns exit code, stdout and stderr."""
    monkeypatch.setattr(timer_forecaster, "ForecastPipeline", LastValue, raising=False)
    monkeypatch.chdir(tmp_path)

    def run(*words):
        code = cli.main([str(word) for word in words])
        output = capsys.readouterr()
        return code, output.out, output.err

    return run


def write(text, name="data.csv"):
    Path(name).write_text(text)
    return name


DAYS = "time,load\n2024-01-01,1\n2024-01-02,2\n2024-01-03,3\n2024-01-04,4\n"


def test_forecast_of_the_example(run):
    code, out, err = run(
        *["forecast", EXAMPLE, "--time-column", "time", "--target", "load_mw", "--horizon", 168],
        *["--levels", "0.1,0.5,0.9", "--output", "forecast.csv", "--plot", "forecast.png"],
    )
    assert (code, err) == (0, "")
    assert out.startswith("Forecast 168 steps of 1 series in ")
    assert out.endswith(" s -> forecast.csv, forecast.png\n")
    forecast = pd.read_csv("forecast.csv", parse_dates=["time"])
    assert forecast.columns.tolist() == ["target", "time", "q0.1", "q0.5", "q0.9"]
    assert forecast["time"].tolist() == pd.date_range("2018-10-15", periods=168, freq="h").tolist()
    assert forecast["q0.5"].unique().tolist() == [44456.5]
    assert Path("forecast.png").read_bytes().startswith(b"\x89PNG")
    assert LastValue.loaded == "timer-s1-mini"


def test_every_id_and_numeric_column(run):
    rows = "".join(
        f"{shop},2024-01-0{day},{day},{day * 10},x\n" for shop in ("007", "NA") for day in (1, 2, 3)
    )
    data = write("shop,day,sold,price,note\n" + rows)
    code, out, _ = run(
        *["forecast", data, "--time-column", "day", "--id-column", "shop", "--horizon", 2],
        *["--output", "out.csv", "--context-length", 30, "--checkpoint", "a-folder"],
        *["--rollout", "median", "--flip"],
    )
    assert code == 0
    assert "2 steps of 4 series" in out
    forecast = pd.read_csv("out.csv", dtype=str, keep_default_na=False)
    assert forecast["shop"].tolist() == ["007"] * 4 + ["NA"] * 4
    assert forecast["target"].tolist() == ["sold", "sold", "price", "price"] * 2
    assert forecast["day"].tolist() == ["2024-01-04", "2024-01-05"] * 4
    assert forecast["q0.9"].tolist() == ["3.9", "3.9", "30.9", "30.9"] * 2
    assert LastValue.loaded == "a-folder"
    asked = {"context_length": 30, "rollout": "median", "flip": True}
    assert asked.items() <= LastValue.options.items()


def test_without_files_a_short_table_is_printed(run):
    code, out, err = run(
        "forecast", write(DAYS), "--time-column", "time", "--horizon", 20, "--levels", "0.5"
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
        ("", [], "data.csv: No columns to parse from file"),
        (DAYS, ["--target", "mw"], "--target: there is no column 'mw'; there are time, load"),
        (DAYS, ["--time-column", "t"], "--time-column: there is no column 't'; there are time"),
        (DAYS, ["--id-column", "i"], "--id-column: there is no column 'i'"),
        (DAYS + "soon,5\n", [], "time column 'time': data row 5, 'soon', cannot be read as a time"),
        (DAYS + ",5\n", [], "data row 5 has no time"),
        (DAYS + "2024-01-04,5\n", [], "2024-01-04 00:00:00 is there more than once"),
        (DAYS + "2024-03-04,5\n2024-08-09 07:30,1\n", [], "pass freq, for example freq='h'"),
        (DAYS, ["--freq", "often"], "freq='often' is not a pandas frequency: use for example 'h'"),
        (DAYS, ["--target", "time"], "'time' is the time or the id column"),
        (DAYS + "2024-01-05,n.n.\n", ["--target", "load"], "data row 5, 'n.n.', is not a finite"),
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
    assert "extra 'plot', from a clone: pip install '.[plot]'" in err


@pytest.mark.parametrize(
    ("words", "missing", "ours"),
    [
        (["pretrain", "run.yaml"], "accelerate", ["pretraining", "pretraining.trainer"]),
        (["pretrain", "run.yaml"], "yaml", ["pretraining", "pretraining.config"]),
        (["corpus", "build", "s", "out"], "pyarrow", ["corpus.shards", "corpus.sources"]),
        (["corpus", "describe", "corpus"], "statsmodels.tsa.stattools", []),
        (["corpus", "describe", "corpus", "--against", "s"], "scipy.ndimage", ["corpus.overlap"]),
    ],
)
def test_the_extra_for_training_is_named(run, monkeypatch, words, missing, ours):
    pytest.importorskip("pyarrow")
    Path("s").mkdir()
    frame = pd.DataFrame({"item_id": ["a", "b"], "start": None, "freq": "D"})
    frame["target"] = [np.arange(40.0)] * 2
    frame.to_parquet("s/days__D.parquet")
    assert run("corpus", "build", "s", "corpus")[0] == 0
    # Those that fail to be imported leave nothing behind for other tests.
    for name in ours:
        monkeypatch.delitem(sys.modules, f"timer_forecaster.{name}", raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    code, _, err = run(*words)
    assert code == 2
    assert f"needs {missing.partition('.')[0]}; install timer-forecaster" in err
    assert "extra 'pretrain', from a clone: pip install '.[pretrain]'" in err
    assert err.count("\n") == 1


def test_a_loss_that_is_not_finite_is_one_line(run, monkeypatch):
    def diverge(arguments):
        raise FloatingPointError("the loss is nan")

    monkeypatch.setattr(cli, "_pretrain", diverge)
    assert run("pretrain", "run.yaml") == (2, "", "timer-forecaster: error: the loss is nan\n")


def test_checkpoints_are_listed(run):
    code, out, _ = run("checkpoints")
    assert code == 0
    assert out.splitlines()[0].startswith("timer-s1-mini")


def test_help_is_quick():
    program = "import sys; from timer_forecaster import cli; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_command_end_to_end(tmp_path):
    words = ["--time-column", "time", "--target", "load_mw", "--horizon", "168"]
    files = ["--output", "forecast.csv", "--plot", "forecast.png"]
    program = "import sys; from timer_forecaster.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", program, "forecast", str(EXAMPLE), *words, *files],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith("Forecast 168 steps of 1 series")
    forecast = pd.read_csv(tmp_path / "forecast.csv")
    actual = pd.read_csv(EXAMPLE.with_name("french_load_next_week.csv"))["load_mw"]
    history = pd.read_csv(EXAMPLE)["load_mw"].to_numpy()
    naive = np.abs(history[-168:] - actual).mean()
    assert np.abs(forecast["q0.5"] - actual).mean() < 2 * naive
    assert (forecast["q0.1"] <= forecast["q0.9"]).all()
    assert (tmp_path / "forecast.png").stat().st_size > 10_000


def test_a_picture_has_its_median_even_if_the_table_was_asked_for_others(tmp_path):
    options = ["--time-column", "time", "--horizon", "3", "--levels", "0.1,0.9"]
    files = ["--output", str(tmp_path / "f.csv"), "--plot", str(tmp_path / "f.png")]
    words = ["forecast", str(EXAMPLE), *options, *files, "--checkpoint", "timer-s1-test"]
    assert cli.main(words) == 0
    columns = pd.read_csv(tmp_path / "f.csv").columns.tolist()
    assert columns == ["target", "time", "q0.1", "q0.9"]
    assert (tmp_path / "f.png").exists()


@pytest.fixture
def benchmark(tmp_path):
    """Two small data sets, and published rows of one of them."""
    pytest.importorskip("pyarrow")
    folder = tmp_path / "benchmark"
    folder.mkdir()
    random = np.random.default_rng(0)
    for name, freq, steps in (("ett1__W", "W", 60), ("shop__D", "D", 90)):
        series = list(10 + random.normal(size=(3, steps)))
        pd.DataFrame({"freq": freq, "target": series}).to_parquet(folder / f"{name}.parquet")
    rows = "config,model,MASE,CRPS\n"
    rows += "ett1/W/short,other,0.5,0.01\nett1/W/short,seasonal_naive,1.0,0.1\n"
    (tmp_path / "published.csv").write_text(rows)
    return folder


def evaluated(benchmark, *options):
    words = ["evaluate", "--data", str(benchmark), "--checkpoint", "timer-s1-test", *options]
    return cli.main([str(word) for word in words])


def test_evaluate_writes_prints_and_goes_on(benchmark, tmp_path, capsys):
    output, plot = tmp_path / "all_results.csv", tmp_path / "scores.png"
    published = tmp_path / "published.csv"
    options = ["--baseline", "naive", "--output", output, "--published", published, "--plot", plot]
    assert evaluated(benchmark, *options) == 0
    first = capsys.readouterr().out
    assert plot.read_bytes().startswith(b"\x89PNG")
    table = pd.read_csv(output)
    assert table.groupby("model").size().to_dict() == {
        "naive": 2,
        "seasonal_naive": 2,
        "timer-s1-test": 2,
    }
    assert len(table.columns) == 15
    assert "| other " in first and "| **timer-s1-test** " in first
    assert "geometric mean over 1 configurations" in first  # shop/D is not published
    assert "| shop/D/short " in first
    assert first.splitlines()[-1].endswith(f" s -> {output}, {plot}")
    written = output.stat().st_mtime_ns
    assert evaluated(benchmark, *options) == 0
    assert capsys.readouterr().out.splitlines()[:-1] == first.splitlines()[:-1]
    assert output.stat().st_mtime_ns == written


def test_evaluate_takes_up_no_results_of_other_options(benchmark, tmp_path, capsys):
    output = tmp_path / "all_results.csv"
    assert evaluated(benchmark, "--output", output) == 0
    for other in (["--context-length", 16], ["--rollout", "median"], ["--flip"]):
        assert evaluated(benchmark, "--output", output, *other) == 2
        assert "Give it another name, use another output" in capsys.readouterr().err


def test_evaluate_goes_on_with_results_of_the_api(benchmark, tmp_path, monkeypatch):
    from timer_forecaster.evaluation import PipelineForecaster, evaluate_gift_eval

    output = tmp_path / "all_results.csv"
    pipeline = timer_forecaster.ForecastPipeline.from_pretrained("timer-s1-test")
    evaluate_gift_eval(PipelineForecaster(pipeline), benchmark, output=output)
    written = output.stat().st_mtime_ns
    assert evaluated(benchmark, "--output", output, "--rollout", "auto") == 0
    assert output.stat().st_mtime_ns == written


def test_evaluate_names_a_checkpoint_by_its_folder(benchmark, tmp_path, capsys):
    shutil.copytree(find_checkpoint("timer-s1-test"), tmp_path / "mine")
    words = ["evaluate", "--data", str(benchmark), "--configurations", "shop"]
    words += ["--output", str(tmp_path / "results.csv"), "--checkpoint", str(tmp_path / "mine")]
    assert cli.main(words) == 0
    assert set(pd.read_csv(tmp_path / "results.csv")["model"]) == {"mine", "seasonal_naive"}
    assert cli.main([*words, str(tmp_path / "mine")]) == 2
    assert "its rows would be named 'mine', as those of another" in capsys.readouterr().err


def test_evaluate_scores_a_baseline_without_a_checkpoint(benchmark, capsys):
    words = [
        "evaluate",
        "--data",
        str(benchmark),
        "--baseline",
        "naive",
        "--configurations",
        "shop",
    ]
    assert cli.main(words) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[2].startswith("| shop/D/short  | naive | ")
    assert "timer-s1" not in out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--compare", "other"], "--compare names published models: say with --published"),
        (["--published", "published.csv", "--compare", "x"], "['x'] are not published on all 1"),
        (
            ["--published", "published.csv", "--configurations", "shop"],
            "none of the configurations to evaluate is among the published ones",
        ),
        (["--configurations", "nothing"], "there is no configuration 'nothing'"),
        (["--terms", "longer"], "terms ['longer'] are unknown"),
        (["--terms", "long"], "no configuration is of terms ['long']"),
        (["--output", "no/all_results.csv"], "there is no folder no"),
        (["--plot", "no/scores.png"], "there is no folder no"),
        (["--plot", "scores.txt"], "its suffix must be one of"),
    ],
)
def test_evaluate_refuses_before_the_work(benchmark, monkeypatch, capsys, options, message):
    def never(*_, **__):
        raise AssertionError

    monkeypatch.chdir(benchmark.parent)
    monkeypatch.setattr(timer_forecaster.ForecastPipeline, "predict", never)
    assert evaluated(benchmark, *options) == 2
    assert message in capsys.readouterr().err


def test_python_m_is_the_command():
    required = ["--time-column", "t", "--horizon", "2"]
    done = subprocess.run(
        [sys.executable, "-m", "timer_forecaster", "forecast", "nowhere.csv", *required],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("timer-forecaster: error: ")
    assert "nowhere.csv" in done.stderr


def test_device_and_type_are_passed_on(benchmark, monkeypatch, run):
    loaded = []

    def from_pretrained(name, **options):
        loaded.append(options)
        raise ValueError("enough is known")

    monkeypatch.setattr(LastValue, "from_pretrained", from_pretrained)
    expected = []
    for words in (
        ["forecast", write(DAYS), "--time-column", "time", "--horizon", 2],
        ["evaluate", "--data", benchmark],
    ):
        for options in ([], ["--device", "cuda:1", "--dtype", "bfloat16"]):
            assert run(*words, *options)[0] == 2
            device, dtype = ("cuda:1", "bfloat16") if options else ("auto", "auto")
            rest = {"quantization": None, "adapter": None}
            expected.append({"device": device, "dtype": dtype, **rest})
    assert loaded == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--device", "tpu9"], "device='tpu9' is not a device of this machine"),
        # any device but a CPU: this one is on every machine
        (["--device", "meta", "--quantization", "int8"], "is for CPUs, and the device is 'meta'"),
    ],
)
def test_devices_that_cannot_be_used(options, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["forecast", write(DAYS), "--time-column", "time", "--horizon", "2"]
    assert cli.main([*words, "--checkpoint", "timer-s1-test", *options]) == 2
    assert message in capsys.readouterr().err
