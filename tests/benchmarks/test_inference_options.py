"""The comparison of inference options at its smallest: one data set of short series."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("pyarrow")

from benchmarks import inference_options


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A folder with the one data set that is held out."""
    random = np.random.default_rng(0)
    rows = [np.sin(np.arange(n)) + random.normal(size=n) / 5 for n in (400, 420, 410, 60, 430)]
    frame = pd.DataFrame({"item_id": list("abcde"), "freq": "D", "target": rows})
    frame.to_parquet(tmp_path / "nn5__D.parquet")
    monkeypatch.setattr(inference_options, "HELD_OUT", ("nn5__D",))
    return tmp_path


def test_three_long_series_are_taken_with_their_newest_steps(data, monkeypatch):
    monkeypatch.setattr(inference_options, "NEWEST_STEPS", 100)
    whole = pd.read_parquet(data / "nn5__D.parquet").set_index("item_id")["target"]
    found = inference_options.excerpt(data / "nn5__D.parquet").set_index("item_id")["target"]
    assert list(found.index) == ["a", "c", "e"]  # spread over the series that are long enough
    for name, values in found.items():
        np.testing.assert_array_equal(values, whole[name][-100:])


def test_every_option_has_scores_and_a_cost(data, capsys, monkeypatch):
    options = {name: inference_options.OPTIONS[name] for name in ("median", "quantile")}
    monkeypatch.setattr(inference_options, "OPTIONS", options)
    output = data / "results.csv"
    arguments = ["--data", str(data), "--checkpoint", "timer-s1-test", "--output", str(output)]
    inference_options.main(arguments)
    printed = capsys.readouterr().out
    assert set(pd.read_csv(output)["model"]) == {"median", "quantile", "seasonal_naive"}
    lines = [line.split() for line in printed.splitlines()]
    costs = [float(line[-1]) for line in lines if line and line[-2:-1] and "median" in line]
    assert costs and set(costs) == {1.0}


def test_qualities_are_compared(tmp_path, monkeypatch):
    step = np.arange(168 * 12)
    week = np.random.default_rng(0).normal(size=168)[step % 168]
    noise = np.random.default_rng(1).normal(size=len(step))
    frame = pd.DataFrame({"item_id": ["a"], "freq": "h", "target": [3 * week + noise]})
    frame.to_parquet(tmp_path / "hours__H.parquet")
    monkeypatch.setattr(inference_options, "HELD_OUT", ("hours__H",))
    output = tmp_path / "results.csv"
    arguments = ["--data", str(tmp_path), "--checkpoint", "ttm-mini", "--output", str(output)]
    inference_options.main([*arguments, "--qualities"])
    scores = pd.read_csv(output).set_index(["model", "dataset"])
    losses = scores["eval_metrics/mean_weighted_sum_quantile_loss"].unstack()
    assert (losses.loc["fast"] < 0.9 * losses.loc["plain"]).all()
    assert (losses.loc["best"] != losses.loc["fast"]).all()


def test_halves_are_parts_of_the_data_sets():
    halves = [set(inference_options.chosen_sets(half)) for half in ("A", "B")]
    assert not halves[0] & halves[1]
    assert halves[0] | halves[1] == set(inference_options.chosen_sets(None))


def test_changes_are_relative_to_float32_with_their_standard_error():
    columns = ("mean_weighted_sum_quantile_loss", "MASE[0.5]")
    errors = {"float32": (1.0, 2.0), "bfloat16": (1.01, 2.0), "int8": (1.0, 2.0)}
    rows = [
        {"dataset": f"{i}/short", "model": name, **{f"eval_metrics/{c}": error for c in columns}}
        for name, both in {**errors, "bfloat16, int8": (0.99, 2.0)}.items()
        for i, error in enumerate(both)
    ]
    found = inference_options.changes(pd.DataFrame(rows), "float32")
    change = 100 * np.log(1.01)
    assert found.loc["bfloat16", ("CRPS", "%")] == pytest.approx(change / 2)
    assert found.loc["bfloat16", ("MASE", "standard error")] == pytest.approx(change / 2)
    assert found.loc["bfloat16", ("CRPS", "worst")] == pytest.approx(change)
    assert found.loc["int8", ("CRPS", "%")] == 0


def test_two_checkpoints_are_compared_by_kind_of_series(data, capsys, monkeypatch):
    frame = pd.read_parquet(data / "nn5__D.parquet")
    hours = [np.tile(target, 2) for target in frame["target"]]
    frame.assign(freq="h", target=hours).to_parquet(data / "nn5__H.parquet")
    monkeypatch.setattr(inference_options, "HELD_OUT", ("nn5__D", "nn5__H"))
    names = ["--checkpoint", "timer-s1-test", "--against", "ttm-test"]
    output = data / "results.csv"
    inference_options.main(["--data", str(data), *names, "--output", str(output)])
    scores = pd.read_csv(output).set_index(["dataset", "model"])["eval_metrics/MASE[0.5]"].unstack()
    by_hand = 100 * np.log(scores["ttm-test"] / scores["timer-s1-test"])
    printed = capsys.readouterr().out.splitlines()
    for series, dataset in (("daily to quarterly", "nn5/D/short"), ("sub-daily", "nn5/H/short")):
        (line,) = [line for line in printed if series in line and line.startswith("short")]
        assert float(line.split()[-3]) == pytest.approx(by_hand[dataset], abs=0.006)
