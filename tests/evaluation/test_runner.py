"""Running forecasters: what they are given, what is refused, and going on after a stop."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from ttm import OWN

from timer_forecaster import ForecastPipeline
from timer_forecaster.adapters.adapter import Adapter
from timer_forecaster.adapters.base import Base
from timer_forecaster.checkpoints.key import NetworkKey
from timer_forecaster.evaluation import (
    LEVELS,
    Configuration,
    PipelineForecaster,
    evaluate,
    evaluate_gift_eval,
    leaderboard,
    naive_forecaster,
    results,
    runner,
    seasonal_naive_forecaster,
)
from timer_forecaster.evaluation.runner import forecast_windows
from timer_forecaster.inference import convert_checkpoint


def make_configuration(series, horizon=2, windows=3, seasonality=1):
    series = [np.asarray(values, dtype=float) for values in series]
    return Configuration("toy/D/short", "D", horizon, windows, seasonality, series)


class LastValue:
    """All levels at the last value; counts its calls, and stops at a call if told to."""

    def __init__(self, settings="v1", stop_at=None):
        self.settings = settings
        self.stop_at = stop_at
        self.calls = 0

    def __call__(self, contexts, horizon):
        if self.calls == self.stop_at:
            raise KeyboardInterrupt
        self.calls += 1
        last = np.array([context[~np.isnan(context)][-1] for context in contexts])
        return np.broadcast_to(last[:, None, None], (len(contexts), horizon, 9))


@pytest.fixture
def folder(write_parquet, tmp_path):
    random = np.random.default_rng(0)
    write_parquet("shop__D", list(random.normal(10, 1, (3, 90))), "D")
    write_parquet("ett1__W", list(random.normal(10, 1, (2, 60))), "W")
    write_parquet("web__15T", list(random.normal(10, 1, (2, 9000))), "15T")
    return tmp_path


def test_scores_of_a_forecaster():
    configuration = make_configuration([[0, 1, 0, 1, 0, 3, 0, 3]], windows=1, seasonality=2)
    # Context 0 1 0 1 0 3, target 0 3; the scale is (0 + 0 + 0 + 2) / 4.
    scores = evaluate(lambda contexts, horizon: np.ones((len(contexts), horizon, 9)), configuration)
    assert scores["MASE[0.5]"] == pytest.approx((1 + 2) / 2 / 0.5)
    # Mean over the levels of 2 · (1 - level) · 1 + 2 · level · 2, over Σ|y| = 3.
    assert scores["mean_weighted_sum_quantile_loss"] == pytest.approx(3 / 3)
    assert scores["coverage"] == 0.0
    assert scores["seconds"] >= 0.0
    perfect = evaluate(seasonal_naive_forecaster, configuration)
    assert perfect["MASE[0.5]"] == 0.0
    assert perfect["coverage"] == 1.0


def test_forecaster_is_called_in_bounded_chunks(monkeypatch):
    sizes = []

    def forecaster(contexts, horizon):
        sizes.append(sum(len(c) + 9 * horizon for c in contexts))
        return np.stack([np.full((horizon, 9), c[-1]) for c in contexts])

    configuration = make_configuration([np.arange(30.0), np.arange(25.0)])
    whole = forecast_windows(forecaster, configuration)
    assert len(sizes) == 1
    monkeypatch.setattr(runner, "MAX_CHUNK_VALUES", 100)
    sizes.clear()
    np.testing.assert_array_equal(forecast_windows(forecaster, configuration), whole)
    assert len(sizes) == 3
    assert max(sizes) <= 100


def test_scores_do_not_depend_on_chunks(monkeypatch):
    def forecaster(contexts, horizon):
        return np.stack([np.full((horizon, 9), c[-2]) for c in contexts])

    empty = np.append(np.full(19, np.nan), 5.0)
    configuration = make_configuration([np.arange(20.0) ** 2, empty, np.arange(25.0)])
    whole = evaluate(forecaster, configuration)
    monkeypatch.setattr(runner, "MAX_CHUNK_VALUES", 1)
    monkeypatch.setattr(runner, "_EMPTY_AT_ONCE", 1)
    found = evaluate(forecaster, configuration)
    assert found | {"seconds": 0} == pytest.approx(whole | {"seconds": 0}, rel=1e-12)


def test_contexts_without_observations_are_forecast_as_zero():
    empty = np.full(20, np.nan)
    empty[-1] = 5.0

    def forecaster(contexts, horizon):
        assert not any(np.isnan(c).all() for c in contexts)
        return np.ones((len(contexts), horizon, 9))

    quantiles = forecast_windows(forecaster, make_configuration([np.arange(20.0), empty]))
    np.testing.assert_array_equal(quantiles[:, 0, 0], [1, 0, 1, 0, 1, 0])


@pytest.mark.parametrize(
    ("forecast", "message"),
    [
        (np.ones((3, 9, 2)), r"must return .* = \(3, 2, 9\), but the shape is \(3, 9, 2\)"),
        (np.full((3, 2, 9), np.nan), "values that are not finite"),
    ],
)
def test_a_bad_forecast_is_refused(forecast, message):
    with pytest.raises(ValueError, match=message):
        evaluate(lambda contexts, horizon: forecast, make_configuration([np.arange(20.0)]))


def test_a_forecaster_may_ask_for_the_configuration():
    seen = []

    def forecaster(contexts, horizon, configuration):
        seen.append((configuration.seasonality, configuration.frequency))
        return np.zeros((len(contexts), horizon, 9))

    evaluate(forecaster, make_configuration([np.arange(20.0)], seasonality=7))
    assert seen == [(7, "D")]


def test_an_adapter_that_changes_nothing_is_scored_as_the_checkpoint():
    pipe = ForecastPipeline.from_pretrained("timer-s1-test")
    identity = Adapter(Base.of(pipe.key), "head", {})
    plain, same = PipelineForecaster(pipe), PipelineForecaster(ForecastPipeline(pipe.key, identity))
    assert (same.name, same.settings) == (plain.name, plain.settings)


def test_a_pipeline_is_scored_at_the_nine_levels_with_its_options():
    pipe = ForecastPipeline.from_pretrained("timer-s1-test", device="cpu")
    contexts = [np.sin(np.arange(80.0)), np.arange(50.0)]
    short = PipelineForecaster(pipe, {"context_length": 32})
    expected = pipe.predict(contexts, 5, context_length=32)
    for index, level in enumerate(LEVELS):
        np.testing.assert_array_equal(short(contexts, 5)[..., index], expected.quantile(level))
    assert short.name == "timer-s1-test"
    assert short.settings != PipelineForecaster(pipe).settings
    other = ForecastPipeline.from_pretrained("timer-s1-mini", device="cpu")
    assert PipelineForecaster(other).settings != PipelineForecaster(pipe).settings


def test_options_of_numpy_and_pandas_are_settings_too():
    pipe = ForecastPipeline.from_pretrained("timer-s1-test", device="cpu")
    same = [PipelineForecaster(pipe, {"context_length": kind(32)}) for kind in (int, np.int64)]
    assert same[0].settings == same[1].settings
    days = PipelineForecaster(pipe, {"freq": pd.offsets.Day()})
    assert days.settings != PipelineForecaster(pipe, {"freq": pd.offsets.Hour()}).settings


def test_results_say_how_they_were_computed():
    def settings(name, **options):
        pipe = ForecastPipeline.from_pretrained(name, device="cpu", **options)
        return json.loads(PipelineForecaster(pipe).settings)

    default = settings("timer-s1-test")
    assert default["dtype"] == "float32"
    assert "quantization" not in default
    assert default == settings("timer-s1-test", dtype="float32")
    assert settings("timer-s1-test", dtype="bfloat16")["dtype"] == "bfloat16"


def test_results_of_a_stored_quantization_name_it(tmp_path, int8_kernel):
    folder = convert_checkpoint("timer-s1-test", tmp_path / "net")
    # as a hub id does, the key leaves it to the checkpoint
    key = NetworkKey.resolve(folder, None, "cpu", "auto")._replace(quantization=None)
    settings = json.loads(PipelineForecaster(ForecastPipeline(key)).settings)
    assert settings["quantization"] == "int8"


def test_a_folder_gives_the_leaderboards_columns(folder):
    table = evaluate_gift_eval({"last": LastValue(), "naive": naive_forecaster}, folder)
    assert tuple(table.columns[:15]) == leaderboard.COLUMNS
    names = ["ett1/W/short", "shop/D/short", *(f"web/15T/{term}" for term in runner.TERMS)]
    assert table["dataset"].tolist() == [name for name in names for _ in range(3)]
    assert table["model"].tolist() == ["last", "naive", "seasonal_naive"] * 5
    first = table.set_index(["dataset", "model"]).loc[("ett1/W/short", "last")]
    assert first[["domain", "num_variates"]].tolist() == ["Energy", 7]
    assert first[["horizon", "windows", "series"]].tolist() == [8, 1, 2]
    # The median of both is the last value, and a week has no season.
    same = ["eval_metrics/MASE[0.5]", "eval_metrics/RMSE[mean]"]
    medians = table[table["dataset"] == "ett1/W/short"][same]
    assert (medians.nunique() == 1).all()


def test_terms_and_configurations_select(folder):
    table = evaluate_gift_eval(LastValue(), folder, terms=["long"], configurations=["web"])
    assert table["dataset"].unique().tolist() == ["web/15T/long"]
    assert table["model"].tolist() == ["LastValue", "seasonal_naive"]


def test_progress_counts_results_and_windows(folder, capsys):
    evaluate_gift_eval(LastValue(), folder, configurations=["shop"], progress=True)
    bars = capsys.readouterr().err
    assert "2/2" in bars
    assert "shop/D/short" in bars


def test_what_is_no_forecaster_is_refused(folder):
    pipe = ForecastPipeline.from_pretrained("timer-s1-test", device="cpu")
    with pytest.raises(TypeError, match=r"'mini' is a ForecastPipeline .* PipelineForecaster\("):
        evaluate_gift_eval({"mini": pipe}, folder)
    with pytest.raises(ValueError, match="'seasonal_naive' is for the benchmark's baseline"):
        evaluate_gift_eval({"seasonal_naive": LastValue()}, folder)


@pytest.mark.parametrize("stop_at", [0, 1, 3, 4])
def test_a_stopped_run_goes_on(folder, tmp_path, stop_at):
    output = tmp_path / "all_results.csv"
    whole = evaluate_gift_eval({"last": LastValue()}, folder)
    stopped = LastValue(stop_at=stop_at)
    with pytest.raises(KeyboardInterrupt):
        evaluate_gift_eval({"last": stopped}, folder, output=output)
    if stop_at:
        kept = pd.read_csv(output)
        assert tuple(kept.columns) == leaderboard.COLUMNS
        assert (kept["model"] == "last").sum() == stop_at
    again = LastValue()
    table = evaluate_gift_eval({"last": again}, folder, output=output)
    assert again.calls == 5 - stop_at
    pd.testing.assert_frame_equal(table.drop(columns="seconds"), whole.drop(columns="seconds"))
    # Nothing is left to do, and what comes from the disk is what was written to it, to the bit.
    pd.testing.assert_frame_equal(
        evaluate_gift_eval({"last": LastValue(stop_at=0)}, folder, output=output), table
    )
    assert sorted(path.name for path in tmp_path.glob("all_results*")) == [
        "all_results.csv",
        "all_results.details.csv",
    ]


def test_further_models_and_configurations_join_the_file(folder, tmp_path):
    output = tmp_path / "all_results.csv"
    evaluate_gift_eval({"last": LastValue()}, folder, output=output, configurations=["shop"])
    table = evaluate_gift_eval({"naive": naive_forecaster}, folder, output=output, terms=["short"])
    assert "last" not in set(table["model"])
    kept = pd.read_csv(output)
    assert kept["model"].value_counts().to_dict() == {"last": 1, "naive": 3, "seasonal_naive": 3}


def test_results_of_other_settings_are_not_taken_up(folder, tmp_path):
    output = tmp_path / "all_results.csv"
    evaluate_gift_eval({"last": LastValue("v1")}, folder, output=output)
    other = LastValue("v2")
    with pytest.raises(
        ValueError, match=r"'last' on .* forecaster was v1, is v2\. Give it another"
    ):
        evaluate_gift_eval({"last": other}, folder, output=output)
    assert other.calls == 0
    assert evaluate_gift_eval({"new": other}, folder, output=output)["model"].iloc[0] == "new"


def test_results_of_other_data_are_not_taken_up(folder, write_parquet, tmp_path):
    output = tmp_path / "all_results.csv"
    evaluate_gift_eval(LastValue(), folder, output=output)
    write_parquet("shop__D", [np.arange(100.0)], "D")
    with pytest.raises(ValueError, match=r"on shop/D/short .* bytes of data was \d+, is \d+"):
        evaluate_gift_eval(LastValue(), folder, output=output)


def test_a_forecaster_without_settings_is_not_known_again(folder, tmp_path):
    def anonymous(contexts, horizon):
        return np.zeros((len(contexts), horizon, 9))

    output = tmp_path / "all_results.csv"
    evaluate_gift_eval(anonymous, folder, output=output)
    with pytest.raises(ValueError, match=r"'anonymous' .* it has no attribute 'settings'"):
        evaluate_gift_eval(anonymous, folder, output=output)
    anonymous.settings = "zeros"
    with pytest.raises(ValueError, match="forecaster was None, is zeros"):
        evaluate_gift_eval(anonymous, folder, output=output)


def test_an_output_that_cannot_be_ours_is_left_alone(folder, tmp_path):
    output = tmp_path / "all_results.csv"
    output.write_text("somebody's")
    with pytest.raises(ValueError, match=r"exists, but not all_results\.details\.csv"):
        evaluate_gift_eval(LastValue(), folder, output=output)
    assert output.read_text() == "somebody's"
    with pytest.raises(ValueError, match="there is no folder"):
        evaluate_gift_eval(LastValue(), folder, output=tmp_path / "no" / "all_results.csv")


def test_a_kill_while_writing_loses_no_row(folder, tmp_path, monkeypatch):
    output = tmp_path / "all_results.csv"
    evaluate_gift_eval(LastValue(), folder, output=output, configurations=["shop"])

    def killed(source, target):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(results.os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            evaluate_gift_eval(LastValue(), folder, output=output)
    assert len(pd.read_csv(output)) == 2
    again = LastValue()
    evaluate_gift_eval(again, folder, output=output)
    assert again.calls == 4


def test_a_kill_between_the_two_files_leaves_no_row_out(folder, tmp_path):
    """The details are written first; a run that finds nothing to do writes the other file."""
    output = tmp_path / "all_results.csv"
    evaluate_gift_eval(LastValue(), folder, output=output)
    whole = output.read_text()
    lines = whole.splitlines(keepends=True)
    for left in (None, "".join(lines[:-1])):
        output.unlink()
        if left is not None:
            output.write_text(left)
        evaluate_gift_eval(LastValue(), folder, output=output)
        assert output.read_text() == whole


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n"])
def test_details_that_are_damaged_are_named(folder, tmp_path, content):
    (tmp_path / "all_results.details.csv").write_text(content)
    with pytest.raises(ValueError, match=r"all_results\.details\.csv cannot be read"):
        evaluate_gift_eval(LastValue(), folder, output=tmp_path / "all_results.csv")


def test_undefined_scores_survive_the_file(write_parquet, tmp_path):
    write_parquet("flat__D", [np.zeros(90)], "D")
    output = tmp_path / "all_results.csv"
    first = evaluate_gift_eval(LastValue(), tmp_path, output=output)
    assert math.isnan(first["eval_metrics/MASE[0.5]"].iloc[0])
    again = LastValue()
    pd.testing.assert_frame_equal(evaluate_gift_eval(again, tmp_path, output=output), first)
    assert again.calls == 0


def test_checkpoints_that_read_frequencies_are_told_that_of_the_data():
    pipe = ForecastPipeline.from_pretrained(OWN / "r2_ft", device="cpu")
    configuration = make_configuration([np.random.default_rng(0).normal(size=99)])
    found = forecast_windows(PipelineForecaster(pipe), configuration)
    expected = pipe.predict(configuration.contexts(), 2, freq="D")
    np.testing.assert_allclose(found[..., 4], expected.median, rtol=1e-5)
    mine = forecast_windows(PipelineForecaster(pipe, {"freq": "h"}), configuration)
    assert np.abs(mine - found).max() > 1e-3
