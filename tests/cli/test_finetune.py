"""The command `finetune`, and the option `--adapter` of other commands."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from timer_forecaster import ForecastPipeline
from timer_forecaster.files import UnwritableError
from timer_forecaster.finetuning import Adapter, FinetuneConfig, finetune
from timer_forecaster.finetuning.config import TARGETS

MODEL = "timer-s1-test"
BRIEF = ["--steps", "4", "--batch-size", "4", "--context-length", "48", "--horizon", "16"]


@pytest.fixture
def table(tmp_path):
    """Two shops with a series each, of which one begins later."""
    days = pd.date_range("2024-01-01", periods=120)
    sold = np.arange(120) % 7 + np.random.default_rng(0).normal(size=120) / 10
    frame = pd.DataFrame({"shop": "a", "day": days, "sold": sold})
    both = pd.concat([frame, frame[30:].assign(shop="b", sold=-sold[30:])])
    both.assign(price=1.5).to_csv(tmp_path / "sales.csv", index=False)
    columns = ["--time-column", "day", "--id-column", "shop"]
    return ["sales.csv", "--quiet", *columns, "--checkpoint", MODEL]


def test_finetune_writes_the_adapter_of_the_series(run, table):
    code, out, err = run("finetune", *table, "--target", "sold", *BRIEF, "--output", "mine")
    assert (code, err) == (0, "")
    sold = pd.read_csv("sales.csv")["sold"].to_numpy()
    config = FinetuneConfig(steps=4, batch_size=4, context_length=48, horizon=16)
    expected = finetune(ForecastPipeline.from_pretrained(MODEL), [sold[:120], sold[120:]], config)
    adapter = Adapter.load("mine")
    assert adapter == expected
    lines = out.splitlines()
    assert f"{adapter.report.loss_before:.4g} -> {adapter.report.loss_after:.4g}" in out
    assert lines[-1].startswith(f"Adapter of {adapter.n_parameters:,} parameters: ")
    size = sum(file.stat().st_size for file in Path("mine").iterdir())
    assert lines[-1].endswith(f": {size / 1e3:.1f} kB -> mine")


def test_a_backtest_without_the_columns_that_an_adapter_reads_is_no_success(run, tmp_path):
    from known_cases import season_and_price, tuned

    tuned().adapter.save("known")
    (values, *_), (price, *_) = season_and_price()
    hours = pd.date_range("2024-01-01", periods=len(values), freq="h")
    frame = pd.DataFrame({"time": hours, "y": values, "price": price})
    frame.to_csv("priced.csv", index=False)
    words = ["backtest", "priced.csv", "--target", "y", "--checkpoint", "ttm-test"]
    words += ["--adapter", "known", "--horizon", 8, "--windows", 2, "--quiet"]
    assert run(*words, "--known", "price")[0] == 0
    status, out, err = run(*words)
    assert status == 3
    assert "beats Seasonal Naive: it failed in every window." in out
    assert "ttm-test-tuned failed in 2 of 2 windows" in err and "reads ['price']" in err


def test_forecast_takes_the_adapter(run, table):
    assert run("finetune", *table, "--target", "sold", *BRIEF, "--output", "mine")[0] == 0
    words = ["forecast", *table, "--target", "sold", "--horizon", 5, "--levels", "0.5"]
    assert run(*words, "--adapter", "mine", "--output", "tuned.csv")[0] == 0
    assert run(*words, "--output", "plain.csv")[0] == 0
    pipe = ForecastPipeline.from_pretrained(MODEL, adapter="mine")
    expected = pipe.predict_frame(
        pd.read_csv("sales.csv", parse_dates=["day"]),
        5,
        time_column="day",
        id_column="shop",
        target_columns="sold",
        levels=[0.5],
    )
    tuned, plain = pd.read_csv("tuned.csv")["q0.5"], pd.read_csv("plain.csv")["q0.5"]
    np.testing.assert_allclose(tuned, expected["q0.5"], rtol=1e-8)
    assert not np.allclose(tuned, plain, rtol=1e-4)


def test_every_option_reaches_the_settings(run, table):
    options = {
        "target": "lora",
        "steps": 2,
        "learning_rate": 0.002,
        "batch_size": 3,
        "context_length": 40,
        "horizon": 8,
        "quality": "plain",
        "validation": 0.3,
        "patience": 2,
        "balance_loss": 0.5,
        "router_kl": 0.25,
        "weight_decay": 0.125,
        "lora_rank": 4,
        "hot_experts": 0.5,
        "seed": 7,
    }
    words = []
    for name, value in options.items():
        words += ["--tune" if name == "target" else f"--{name.replace('_', '-')}", value]
    words += ["--device", "cpu", "--dtype", "float64", "--target", "sold", "--output", "mine"]
    assert run("finetune", *table, *words)[0] == 0
    stored = Adapter.load("mine").record["config"]
    assert stored == options


def test_left_out_settings_are_the_defaults(run, table, monkeypatch):
    seen = []

    def spy(pipe, series, config, **more):
        seen.append((pipe, config))
        return finetune(pipe, series, FinetuneConfig(steps=1))

    monkeypatch.setattr("timer_forecaster.finetuning.finetune", spy)
    assert run("finetune", *table, "--target", "sold", "--output", "mine")[0] == 0
    assert seen == [(ForecastPipeline.from_pretrained(MODEL), FinetuneConfig())]


def test_tuning_goes_on_from_an_adapter(run, table):
    words = ["finetune", *table, "--target", "sold", *BRIEF]
    assert run(*words, "--output", "first")[0] == 0
    assert run(*words, "--adapter", "first", "--output", "second")[0] == 0
    assert Adapter.load("first") != Adapter.load("second")


def test_a_tuning_that_does_not_help_says_so_and_writes_the_identity(run, table):
    words = ["finetune", *table, "--target", "sold", *BRIEF, "--learning-rate", 1e4]
    code, out, err = run(*words, "--output", "mine")
    assert code == 0
    assert err.startswith("timer-forecaster: warning: ") and err.count("\n") == 1
    assert Adapter.load("mine").is_identity
    assert "(+0.0 %)" in out
    reason = err.removeprefix("timer-forecaster: warning: ").strip()
    assert reason == Adapter.load("mine").report.message
    assert reason not in out
    assert "changes nothing" in out.splitlines()[-1]


def test_what_the_adapter_has_is_tuned_on(run, table):
    words = ["finetune", *table, "--target", "sold", *BRIEF]
    assert run(*words, "--tune", "lora", "--output", "first")[0] == 0
    assert not Adapter.load("first").is_identity
    assert run(*words, "--adapter", "first", "--output", "second")[0] == 0
    assert Adapter.load("second").target == "lora"
    code, _, err = run(*words, "--adapter", "first", "--tune", "head", "--output", "third")
    assert code == 2
    assert "--tune head: --adapter first is one of lora" in err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--target", "price"], "series: there is nothing to train on"),
        (["--target", "sold", "--steps", "0"], "steps=0 must be at least 1"),
        (["--target", "sold", "--lora-rank", "4"], "--lora-rank needs --tune lora"),
        (["--target", "sold", "--hot-experts", "0.1"], "--hot-experts needs --tune lora"),
        (["--target", "mw"], "--target: there is no column 'mw'"),
        (["--target", "sold", "--tune", "decoder+head"], "--tune decoder+head: Timer-S1 has no"),
        (["--output", "no/mine"], "cannot write no/mine: there is no folder no"),
        (["--output", "sales.csv"], "cannot write sales.csv: it exists"),
        (["--adapter", "nowhere"], "adapter='nowhere' is neither a folder nor a hub id"),
        (["--adapter", "."], "'.' holds no adapter: "),
        (["--device", "tpu9"], "device='tpu9' is not a device of this machine"),
    ],
)
def test_user_errors_are_one_line(run, table, options, message):
    words = ["finetune", *table, "--output", "mine", *options]
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert err.startswith("timer-forecaster: error: ")
    assert message in err
    assert err.count("\n") == 1
    assert not Path("mine").exists()


def test_an_adapter_of_another_checkpoint_is_one_line(run, table):
    assert run("finetune", *table, "--target", "sold", *BRIEF, "--output", "mine")[0] == 0
    words = ["forecast", *table[:-1], "timer-s1-mini", "--horizon", 2, "--adapter", "mine"]
    code, _, err = run(*words)
    assert code == 2
    assert "the adapter was tuned on 'timer-s1-test', and this is 'timer-s1-mini'" in err


def test_the_targets_are_those_of_the_settings(run, capsys):
    with pytest.raises(SystemExit):
        run("finetune", "x.csv", "--time-column", "t", "--output", "o", "--tune", "experts")
    error = capsys.readouterr().err
    assert "invalid choice: 'experts'" in error
    assert all(target in error for target in TARGETS)


@pytest.fixture
def benchmark(tmp_path):
    """The words that evaluate the checkpoint on a small data set."""
    pytest.importorskip("pyarrow")
    (tmp_path / "data").mkdir()
    series = list(10 + np.random.default_rng(0).normal(size=(3, 60)))
    pd.DataFrame({"freq": "W", "target": series}).to_parquet(tmp_path / "data" / "ett1__W.parquet")
    return ["evaluate", "--data", "data", "--checkpoint", MODEL, "--output", "results.csv"]


def test_evaluate_scores_what_was_tuned_under_a_name_of_its_own(run, table, benchmark):
    assert run("finetune", *table, "--target", "sold", *BRIEF, "--output", "mine")[0] == 0
    assert run(*benchmark)[0] == 0
    assert run(*benchmark, "--adapter", "mine")[0] == 0
    results = pd.read_csv("results.csv").set_index("model")
    names = ["seasonal_naive", MODEL, f"{MODEL}-tuned"]
    assert sorted(results.index) == sorted(names)
    column = next(name for name in results if "mean_weighted_sum_quantile_loss" in name)
    assert results.at[MODEL, column] != results.at[f"{MODEL}-tuned", column]


def test_evaluate_takes_up_no_results_of_another_adapter(run, table, benchmark):
    for name, seed in (("one", 0), ("two", 1)):
        words = ["finetune", *table, "--target", "sold", *BRIEF, "--seed", seed]
        assert run(*words, "--output", name)[0] == 0
    assert run(*benchmark, "--adapter", "one")[0] == 0
    code, _, err = run(*benchmark, "--adapter", "two")
    assert code == 2
    assert "Give it another name, use another output" in err


def test_weights_that_cannot_be_written_are_kept_elsewhere(run, table, tmp_path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    save = Adapter.save

    def full(adapter, folder):
        if Path(folder) == Path("mine"):
            raise UnwritableError(f"cannot write {folder}: the disk is full")
        return save(adapter, folder)

    monkeypatch.setattr(Adapter, "save", full)
    code, out, err = run("finetune", *table, "--target", "sold", *BRIEF, "--output", "mine")
    assert code == 2
    assert "cannot write mine: the disk is full. The adapter was saved as" in err
    (kept,) = (tmp_path / "temporary").glob("adapter-*/mine")
    assert str(kept) in err
    assert f"{Adapter.load(kept).n_parameters:,} parameters" in out


@pytest.mark.parametrize("output", ["sales.csv/mine", "none/mine", "sales.csv"])
def test_places_that_cannot_be_written_are_refused_before_the_work(run, table, monkeypatch, output):
    monkeypatch.setattr("timer_forecaster.finetuning.finetune", None)
    code, _, err = run("finetune", *table, "--target", "sold", *BRIEF, "--output", output)
    assert code == 2
    assert f"cannot write {output}" in err
