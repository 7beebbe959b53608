import shutil

import numpy as np
import pandas as pd
import pytest

import timer_forecaster
from timer_forecaster import cli
from timer_forecaster.checkpoints.registry import find_checkpoint


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


def test_evaluate_says_that_nothing_can_be_drawn(benchmark, tmp_path, capsys):
    table = pd.DataFrame({"freq": "D", "target": [np.full(90, 3.0)]})
    table.to_parquet(benchmark / "flat__D.parquet")
    plot = tmp_path / "scores.png"
    assert evaluated(benchmark, "--plot", plot) == 2
    written = capsys.readouterr()
    assert "| flat/D/short " in written.out
    assert "there is nothing to draw: all errors relative to Seasonal Naive are" in written.err
    assert not plot.exists()


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


def test_evaluate_scores_checkpoints_of_both_families(benchmark, tmp_path):
    output = tmp_path / "results.csv"
    assert evaluated(benchmark, "ttm-test", "--output", output) == 0
    table = pd.read_csv(output)
    assert set(table["model"]) == {"timer-s1-test", "ttm-test", "seasonal_naive"}
    scores = table.drop(columns=["dataset", "model", "domain", "num_variates"], errors="ignore")
    assert np.isfinite(scores.select_dtypes("number")).all(axis=None)


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["--flip"], "--flip"),
        (["--context-length", "32"], "--context-length"),
        (["--no-nonnegative"], "--no-nonnegative"),
        (["--dtype", "float64"], "--dtype"),
    ],
)
def test_a_baseline_has_no_options_of_checkpoints(benchmark, words, option, capsys):
    alone = ["evaluate", "--data", str(benchmark), "--baseline", "naive", *words]
    assert cli.main(alone) == 2
    error = capsys.readouterr().err
    assert f"{option} is an option of checkpoints" in error and "--checkpoint timer-s1" in error


def test_a_short_series_is_named(benchmark, capsys):
    series = [np.arange(90.0), np.arange(20.0)]
    pd.DataFrame({"freq": "D", "target": series}).to_parquet(benchmark / "few__D.parquet")
    assert evaluated(benchmark, "--configurations", "few") == 2
    error = capsys.readouterr().err
    assert "series has 20 steps, too few for 1 windows of 30 and a context" in error
    assert "leave the term out, or series[1]" in error


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


def test_evaluate_says_why_it_has_no_covariates(benchmark, capsys):
    with pytest.raises(SystemExit):
        cli.main(["evaluate", "--help"])
    assert "so there is no --covariates" in " ".join(capsys.readouterr().out.split())
