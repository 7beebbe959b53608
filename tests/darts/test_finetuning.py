"""Finetuning of a Darts model: Darts' loop, and the weights, adapters and files that come of it.

The loss is in `test_module`.
"""

import copy
import pickle
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from darts import TimeSeries
from darts.utils.data import SequentialTorchTrainingDataset
from darts.utils.likelihood_models import QuantileRegression
from darts_cases import (
    HEAD,
    LEVELS,
    NAME,
    SILENT,
    TRAINING,
    assert_close,
    assert_same_weights,
    elsewhere,
    make,
    make_series,
    pipe,
    pipeline_quantiles,
    rows_of_calls,
    tuned,
    validated,
    weights_of,
    without_chatter,
)
from places import ROOT
from pytorch_lightning import Callback
from pytorch_lightning.callbacks import EarlyStopping

from timer_forecaster import ForecastPipeline, release
from timer_forecaster.checkpoints import cache
from timer_forecaster.darts import TimerS1Model
from timer_forecaster.inference import load_plain_network
from timer_forecaster.models.timer_s1.targets import TARGETS
from timer_forecaster.models.ttm import targets as of_ttm

__all__ = ["elsewhere", "pipe", "rows_of_calls", "without_chatter"]  # fixtures


pytestmark = TRAINING


def load_from_checkpoint(name, **kwargs):
    return TimerS1Model.load_from_checkpoint(name, work_dir=str(Path("darts_logs")), **kwargs)


def network_names():
    return [name for name, _ in load_plain_network(NAME).named_parameters()]


def adapted_quantiles(adapter, array, horizon, levels=LEVELS):
    pipeline = ForecastPipeline.from_pretrained(NAME, device="cpu", adapter=adapter)
    return pipeline_quantiles(pipeline, array, horizon, levels)


# --- what is tuned --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "enable_finetuning", [True, *TARGETS, {"unfreeze": [HEAD]}, {"freeze": ["model.*"]}]
)
def test_forecasts_are_the_pipelines_with_the_adapter(enable_finetuning):
    series = make_series(components=2)
    zero_shot = make(32, 8).fit(series).predict(8).values()
    model = tuned(
        enable_finetuning=enable_finetuning, likelihood=QuantileRegression(LEVELS), n_epochs=1
    )
    forecast = model.fit(series).predict(8, predict_likelihood_parameters=True)
    expected = adapted_quantiles(model.adapter, series.values()[-32:], 8)
    assert_close(forecast.values(), expected)
    assert not np.allclose(forecast.values()[:, 1::3], zero_shot, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("enable_finetuning", "same_as"),
    [
        (True, "full"),
        ({"freeze": []}, "full"),
        ({"unfreeze": [HEAD]}, "head"),
        ({"unfreeze": ["*.gate.weight", HEAD]}, "router+head"),
    ],
)
def test_patterns_choose_by_the_networks_names(enable_finetuning, same_as):
    series = make_series(60)
    models = [
        tuned(enable_finetuning=what, n_epochs=1).fit(series)
        for what in (enable_finetuning, same_as)
    ]
    assert models[0].adapter == models[1].adapter
    assert models[0].adapter.target == same_as
    assert set(weights_of(models[0])) <= set(network_names())


@pytest.mark.parametrize(
    ("enable_finetuning", "chosen"),
    [
        ({"unfreeze": ["*norm*"]}, lambda name: "norm" in name),
        ({"freeze": ["model.*", "*experts*"]}, lambda name: not re.match("model|.*experts", name)),
        ({"unfreeze": ["*q_proj.weight"]}, lambda name: name.endswith("q_proj.weight")),
        ({"unfreeze": ["*experts.1.*"]}, lambda name: "experts.1." in name),
    ],
)
def test_the_module_holds_what_is_tuned_and_nothing_else(enable_finetuning, chosen):
    model = tuned(32, 24, enable_finetuning=enable_finetuning).fit(make_series(60))
    parameters = dict(model.model.named_parameters())
    assert list(parameters) == [name for name in network_names() if chosen(name)]
    assert all(value.requires_grad for value in parameters.values())
    (optimizer,) = model.trainer.optimizers
    held = [id(value) for group in optimizer.param_groups for value in group["params"]]
    assert held == [id(value) for value in parameters.values()]
    base = cache.get_network(cache.NetworkKey.resolve(NAME, None, "cpu", "auto"))
    for name, value in parameters.items():  # tokens may be sent to few of the experts
        assert "experts" in name or not torch.equal(value, base.get_parameter(name))
    assert set(model.adapter.weights) == set(parameters)


def test_bias_that_is_not_tuned_is_kept():
    """Layers are replaced as a whole in the network."""
    series = make_series(60)
    model = tuned(enable_finetuning={"unfreeze": ["*q_proj.weight"]}, optimizer_kwargs={"lr": 0.0})
    assert_close(model.fit(series).predict(8).values(), make(32, 8).fit(series).predict(8).values())


@pytest.mark.parametrize("off", [None, False])
def test_without_finetuning_nothing_is_trained(off):
    series = make_series(60)
    model = tuned(enable_finetuning=off).fit(series)
    assert model.model_params["enable_finetuning"] is False
    assert model.adapter is None
    assert not weights_of(model)


def test_batches_of_steps_are_smaller_than_those_of_forecasts():
    assert (make().batch_size, tuned().batch_size) == (256, 32)
    assert tuned(batch_size=7).batch_size == 7


# --- Darts' loop ----------------------------------------------------------------------------


def test_training_lowers_the_validated_loss():
    time = np.arange(300)
    series = TimeSeries.from_values(np.sin(time / 3) + 0.3 * np.sin(time / 17))
    model = tuned(n_epochs=5)
    before = validated(series[-80:])["val_loss"]
    model.fit(series[:-80], val_series=series[-80:])
    assert model.epochs_trained == 5
    assert model.adapter.record["epochs"] == 5
    assert model.adapter.record["scores"]["val_loss"] < 0.8 * before


def test_early_stopping_on_the_validated_loss():
    series = make_series(100)
    stopper = EarlyStopping("val_loss", patience=1, mode="min", min_delta=10.0)
    model = tuned(n_epochs=20, pl_trainer_kwargs={**SILENT, "callbacks": [stopper]})
    model.fit(series[:60], val_series=series[60:])
    assert model.epochs_trained == 2
    assert stopper.stopped_epoch == 1


def test_the_best_checkpoint_is_loaded():
    series = TimeSeries.from_values(np.arange(60.0) + np.sin(np.arange(60)))
    opposite = series.with_values(-series.values())  # what is learned of one is wrong for the other
    options = {"n_epochs": 3, "save_checkpoints": True, "optimizer_kwargs": {"lr": 0.1}}
    model = tuned(model_name="kept", **options).fit(series, val_series=opposite)
    best, last = (load_from_checkpoint("kept", best=which) for which in (True, False))
    assert last.adapter == model.adapter
    assert best.adapter != model.adapter
    assert last.predict(8, series=series) == model.predict(8, series=series)
    assert best.predict(8, series=series) != model.predict(8, series=series)
    at_once = tuned(model_name="at once", **options)
    at_once.fit(series, val_series=opposite, load_best=True)
    assert_same_weights(at_once.adapter, best.adapter)
    at_once.save("best.pt")  # Darts' own would save the last
    assert TimerS1Model.load("best.pt").adapter == at_once.adapter


def test_training_is_resumed_from_a_checkpoint():
    series = make_series(60)
    whole = tuned(n_epochs=4).fit(series)
    tuned(n_epochs=2, save_checkpoints=True, model_name="half").fit(series)
    resumed = load_from_checkpoint("half", best=False)
    assert resumed.adapter != whole.adapter
    resumed.fit(series, epochs=4)
    assert resumed.epochs_trained == 4
    assert_same_weights(resumed.adapter, whole.adapter)


def test_fitting_again_goes_on():
    series = make_series(60)
    model = tuned(n_epochs=1).fit(series)
    first, forecast = model.adapter, model.predict(8)
    model.fit(series, epochs=3)
    assert model.epochs_trained == 3
    assert model.adapter != first
    assert model.predict(8) != forecast


def test_the_documented_validation_is_not_trained_on():
    """Windows of a length that varies start with the shortest context."""
    text = ROOT.joinpath("docs", "darts.md").read_text(encoding="utf-8")
    block = re.search(r"```python\n([^`]*enable_finetuning=[^`]*)```", text)[1]
    cut, steps = re.search(r"load\[:-(\d+)\], load\[-(\d+):\]", block).groups()
    shortest = re.search(r"input_chunk_length=\((\d+)", block)[1]
    assert int(steps) - int(shortest) <= int(cut)


def test_tuning_repeats_with_its_random_state():
    series = make_series(60)
    for what in ("head", "lora"):
        one, same, other = (
            tuned(enable_finetuning=what, random_state=seed).fit(series).adapter
            for seed in (1, 1, 2)
        )
        assert one == same
        assert one != other


def test_learning_rate_schedulers_and_optimizers_are_darts():
    series = make_series(60)
    model = tuned(
        optimizer_cls=torch.optim.SGD,
        optimizer_kwargs={"lr": 0.1},
        lr_scheduler_cls=torch.optim.lr_scheduler.StepLR,
        lr_scheduler_kwargs={"step_size": 1, "gamma": 0.1},
    ).fit(series)
    (optimizer,) = model.trainer.optimizers
    assert isinstance(optimizer, torch.optim.SGD)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(1e-3)


def test_a_learning_rate_is_found():
    series = make_series(60)
    model = tuned()
    found = model.lr_find(series, num_training=12, min_lr=1e-5, max_lr=1e-1, epochs=12)
    assert len(found.results["lr"]) == 12
    assert 1e-5 <= found.suggestion(skip_begin=1, skip_end=1) <= 1e-1
    assert model.model is None or model.adapter == tuned(n_epochs=0).fit(series).adapter


def test_the_types_of_the_network_can_be_tuned_in():
    series = make_series(60)
    exact, rough = (tuned(dtype=dtype).fit(series) for dtype in ("float64", "bfloat16"))
    assert {value.dtype for value in weights_of(exact).values()} == {torch.float64}
    assert {value.dtype for value in weights_of(rough).values()} == {torch.float32}
    for model, name in ((exact, "float64"), (rough, "bfloat16")):
        pipeline = ForecastPipeline.from_pretrained(
            NAME, device="cpu", dtype=name, adapter=model.adapter
        )
        expected = pipeline_quantiles(pipeline, series.values()[-32:], 8, [0.5])
        assert_close(model.predict(8).values(), expected)


def test_window_limits_are_those_of_a_model_that_trains():
    model = tuned((4, 32), 8, output_chunk_shift=3)
    assert model.min_train_series_length == 15
    assert model.extreme_lags[:2] == (-4, 10)
    assert len(model.fit(make_series(15)).predict(8)) == 8
    with pytest.raises(ValueError, match="too short"):
        tuned((4, 32), 8, output_chunk_shift=3).fit(make_series(14))


def test_fit_from_a_dataset():
    series = make_series(60)
    dataset = SequentialTorchTrainingDataset(series, input_chunk_length=32, output_chunk_length=8)
    model = tuned().fit_from_dataset(dataset)
    assert_same_weights(model.adapter, tuned().fit(series).adapter)


def test_weights_that_are_not_finite_say_what_to_do():
    model = tuned(optimizer_cls=torch.optim.SGD, optimizer_kwargs={"lr": 1e38}, n_epochs=3)
    model.fit(make_series(60))
    with pytest.raises(ValueError, match=r"not finite.*lower learning rate"):
        model.predict(8)


class Doubling(Callback):
    """Sets weights in a way that torch does not count."""

    def on_train_end(self, trainer, pl_module):
        assert pl_module.adapter is not None
        for parameter in pl_module.parameters():
            parameter.data.mul_(2)


def test_weights_that_a_callback_sets_are_forecast_with():
    series = make_series(60)
    trainer = {**SILENT, "callbacks": [Doubling()]}
    model = tuned(pl_trainer_kwargs=trainer).fit(series)
    for name, value in tuned().fit(series).adapter.weights.items():
        torch.testing.assert_close(model.adapter.weights[name], 2 * value)


# --- forecasts and backtests ----------------------------------------------------------------


def test_the_shared_weights_stay_as_they_are(pipe):
    series = make_series(60)
    before = {name: value.clone() for name, value in pipe.network.named_parameters()}
    expected = pipe.predict(series.values()[:, 0], 40).quantiles
    tuned(enable_finetuning=True).fit(series, val_series=series).predict(8)
    for name, value in pipe.network.named_parameters():
        assert torch.equal(value, before[name])
    release()
    np.testing.assert_array_equal(pipe.predict(series.values()[:, 0], 40).quantiles, expected)


def test_memory_does_not_answer_from_before_the_training(rows_of_calls):
    series = make_series(60)
    model = tuned(n_epochs=1)
    forecasts = []
    for _ in range(3):
        model.fit(series, epochs=1)
        forecasts += [model.predict(8).values(), model.predict(8).values()]
    assert rows_of_calls == [1, 1, 1]
    for i in (0, 2, 4):
        np.testing.assert_array_equal(forecasts[i], forecasts[i + 1])
    assert not np.array_equal(forecasts[0], forecasts[2])


def test_retraining_trains(fits):
    series = make_series(64)
    options = {"forecast_horizon": 8, "stride": 8, "start": 48, "last_points_only": False}
    model = tuned(n_epochs=1)
    retrained = model.historical_forecasts(series, retrain=True, **options)
    assert len(fits) == len(retrained) == 2
    for forecast in retrained:
        past = series[: series.get_index_at_point(forecast.start_time())]
        assert_close(forecast.values(), tuned(n_epochs=1).fit(past).predict(8).values())
    model.fit(series[:48])
    kept = model.historical_forecasts(series, retrain=False, **options)
    assert_close(kept[0].values(), retrained[0].values())
    assert not np.allclose(kept[1].values(), retrained[1].values(), rtol=1e-5)


@pytest.fixture
def fits(monkeypatch):
    """Calls of Lightning's training."""
    import pytorch_lightning as pl

    calls = []
    fit = pl.Trainer.fit
    monkeypatch.setattr(
        pl.Trainer, "fit", lambda *args, **kwargs: calls.append(1) or fit(*args, **kwargs)
    )
    return calls


def test_grid_search_over_what_is_tuned_and_adapters():
    series = make_series(64)
    adapter = tuned(n_epochs=1).fit(series).adapter
    grid = {
        "input_chunk_length": [32],
        "output_chunk_length": [8],
        "hub_model_name": [NAME],
        "pl_trainer_kwargs": [SILENT],
        "n_epochs": [1],
        "random_state": [0],
        "enable_finetuning": [None, "head"],
        "adapter": [None, adapter],
    }
    _, chosen, lowest = TimerS1Model.gridsearch(
        grid, series, forecast_horizon=8, start=48, stride=8
    )
    assert set(chosen) == set(grid)
    assert np.isfinite(lowest)


# --- adapters in ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def adapter():
    model = tuned(n_epochs=1, enable_finetuning="head", random_state=3)
    return model.fit(make_series(60, seed=3)).adapter


@pytest.mark.parametrize("as_path", [False, True])
def test_an_adapter_is_forecast_with(adapter, as_path, tmp_path):
    series = make_series(components=2)
    given = adapter.save(tmp_path / "adapter") if as_path else adapter
    model = make(32, 8, adapter=given, likelihood=QuantileRegression(LEVELS))
    assert model.adapter == adapter
    forecast = model.fit(series).predict(8, predict_likelihood_parameters=True)
    assert model.adapter == adapter
    assert_close(forecast.values(), adapted_quantiles(adapter, series.values()[-32:], 8))
    backtest = model.historical_forecasts(series, forecast_horizon=8, start=-20, num_samples=1)
    assert len(backtest) > 0


@pytest.mark.parametrize("clean", [False, True])
@pytest.mark.parametrize("as_path", [False, True])
def test_saved_models_keep_their_adapter(adapter, as_path, clean, tmp_path):
    series = make_series()
    folder = adapter.save(tmp_path / "adapter")
    model = make(32, 8, adapter=folder if as_path else adapter).fit(series)
    expected = model.predict(8)
    model.save("model.pt", clean=clean)
    for file in folder.iterdir():
        file.unlink()
    loaded = TimerS1Model.load("model.pt", pl_trainer_kwargs=SILENT)
    assert loaded.predict(8, series=series) == expected
    assert loaded.adapter == adapter
    copies = [copy.deepcopy(model), pickle.loads(pickle.dumps(model))]  # noqa: S301
    for one in [*copies, model.untrained_model().fit(series)]:
        assert one.predict(8, series=series) == expected


@pytest.mark.parametrize("enable_finetuning", ["head", "router", "lora", {"unfreeze": ["*norm*"]}])
def test_tuning_starts_from_an_adapter(adapter, enable_finetuning):
    series = make_series(60)
    options = {"enable_finetuning": enable_finetuning, "adapter": adapter}
    start = tuned(n_epochs=0, **options).fit(series)
    expected = adapted_quantiles(adapter, series.values()[-32:], 8, [0.5])
    assert_close(start.predict(8).values(), expected)
    trained = tuned(**options).fit(series)
    changed = set(weights_of(trained))
    for name, value in adapter.weights.items():
        assert torch.equal(trained.adapter.weights[name], value) == (name not in changed)
    again = make(32, 8, adapter=trained.adapter).fit(series)
    assert again.predict(8) == trained.predict(8)


def test_layers_beside_low_rank_matrices_are_tuned():
    series = make_series(60)
    low_rank = tuned(enable_finetuning="lora").fit(series).adapter
    for what in (True, {"unfreeze": ["*q_proj*"]}):
        model = tuned(enable_finetuning=what, adapter=low_rank).fit(series)
        assert set(model.adapter.weights) == set(low_rank.weights) | set(weights_of(model))
        expected = adapted_quantiles(model.adapter, series.values()[-32:], 8, [0.5])
        assert_close(model.predict(8).values(), expected)


def test_adapters_of_another_checkpoint_are_refused(adapter):
    for options in ({}, {"enable_finetuning": "head"}):
        model = make(32, 8, hub_model_name="timer-s1-mini", adapter=adapter, **options)
        with pytest.raises(ValueError, match="the adapter was tuned on 'timer-s1-test'"):
            model.fit(make_series())


# --- files and copies -----------------------------------------------------------------------

KINDS = ["router+head", "lora", True, {"unfreeze": ["*q_proj.weight"]}, {"freeze": ["model*"]}]


@pytest.mark.parametrize("enable_finetuning", KINDS)
def test_saved_and_copied_models_are_tuned(enable_finetuning):
    series = make_series(60, dtype="float32")
    model = tuned(enable_finetuning=enable_finetuning).fit(series)
    expected = model.predict(8)
    model.save("model.pt")
    loaded = TimerS1Model.load("model.pt", pl_trainer_kwargs=SILENT)
    twins = [loaded, copy.deepcopy(model), copy.copy(model), pickle.loads(pickle.dumps(model))]  # noqa: S301
    twins += [copy.deepcopy(loaded)]
    for twin in twins:
        assert twin.predict(8, series=series) == expected
        assert twin.adapter == model.adapter
        assert twin.adapter.record == model.adapter.record
    twins[1].fit(series, epochs=1)
    assert twins[1].adapter != model.adapter
    assert model.predict(8) == expected
    twins[-1].save("again.pt")
    assert TimerS1Model.load("again.pt").adapter == model.adapter
    untrained = model.untrained_model()
    assert untrained.fit(series).adapter == model.adapter


@pytest.mark.parametrize("enable_finetuning", ["router", "lora", {"unfreeze": ["*q_proj.weight"]}])
def test_files_hold_what_was_trained(enable_finetuning):
    model = tuned(enable_finetuning=enable_finetuning, save_checkpoints=True, model_name="model")
    model.fit(make_series(60))
    model.save("model.pt")
    (automatic,) = Path("darts_logs/model/checkpoints").glob("last-*")
    for file in ("model.pt.ckpt", automatic):
        state = torch.load(file, weights_only=False)["state_dict"]
        extra = state.pop("_extra_state")
        assert list(state) == list(weights_of(model))
        assert set(state) | set(extra["adapter"]["weights"]) == set(model.adapter.weights)
    assert Path("model.pt").stat().st_size < 50_000


def test_saved_models_load_in_a_fresh_process(tmp_path):
    series = make_series(60)
    start = tuned(n_epochs=1).fit(series).adapter
    models = {
        "plain": make(32, 8).fit(series),
        "tuned": tuned(enable_finetuning="router", adapter=start).fit(series),
    }
    for name, model in models.items():
        model.save(f"{name}.pt")
    program = (
        "import sys, numpy as np; from timer_forecaster.darts import TimerS1Model\n"
        "for name in sys.argv[1:]:\n"
        "    model = TimerS1Model.load(f'{name}.pt')\n"
        "    np.save(f'{name}.npy', model.predict(8).values())"
    )
    command = [sys.executable, "-c", program, *models]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    for name, model in models.items():
        np.testing.assert_array_equal(np.load(f"{name}.npy"), model.predict(8).values())


def test_load_weights_among_models_that_tune_other_things(adapter):
    """Whatever is tuned here and there, the forecasts are those of the saved model."""
    series = make_series(60)
    for number, what in enumerate([None, "head", {"unfreeze": ["*norm*"]}]):
        saved = tuned(enable_finetuning=what).fit(series)
        saved.save(f"{number}.pt")
        for other in (None, "head", "lora"):
            model = tuned(40, 12, enable_finetuning=other, adapter=adapter)
            model.load_weights(f"{number}.pt")
            expected = make(40, 12, adapter=saved.adapter).fit(series).predict(12)
            assert_close(model.predict(12, series=series).values(), expected.values())
            assert model.fit(series).adapter != saved.adapter or other is None


def test_weights_of_a_tuned_model_of_another_checkpoint_are_refused():
    tuned(16, hub_model_name="timer-s1-mini", n_epochs=0).fit(make_series()).save("mini.pt")
    with pytest.raises(ValueError, match=r"forecasts with .*timer-s1-mini.*this one with"):
        tuned(16).load_weights("mini.pt", load_encoders=False, skip_checks=True)


def test_no_global_random_state_is_changed():
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    model = tuned(random_state=None)
    torch_before = torch.get_rng_state()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(make_series(60)).predict(8)
    np.testing.assert_array_equal(np.random.get_state()[1], before)
    torch.testing.assert_close(torch.get_rng_state(), torch_before)


# --- TinyTimeMixer --------------------------------------------------------------------------


TUNABLE = [target for target in of_ttm.TARGETS if target != "channels"]


@pytest.mark.parametrize("enable_finetuning", [True, *TUNABLE, {"unfreeze": ["head.*"]}])
def test_the_other_family_is_tuned_by_its_name(enable_finetuning):
    series = make_series(90, components=2)
    model = tuned(
        64,
        enable_finetuning=enable_finetuning,
        hub_model_name="ttm-test",
        likelihood=QuantileRegression(LEVELS),
        n_epochs=1,
    )
    forecast = model.fit(series).predict(8, predict_likelihood_parameters=True)
    pipeline = ForecastPipeline.from_pretrained("ttm-test", device="cpu", adapter=model.adapter)
    assert_close(forecast.values(), pipeline_quantiles(pipeline, series.values()[-64:], 8, LEVELS))
    base = ForecastPipeline.from_pretrained("ttm-test", device="cpu")
    zero_shot = pipeline_quantiles(base, series.values()[-64:], 8, LEVELS)
    assert not np.allclose(forecast.values(), zero_shot, rtol=1e-4, atol=1e-4)
    model.save("model.pt")
    again = TimerS1Model.load("model.pt").predict(8, predict_likelihood_parameters=True)
    assert_close(again.values(), forecast.values())


def test_targets_of_the_other_family_are_refused():
    with pytest.raises(ValueError, match=r"'router': TinyTimeMixer has no such weights.*'norms'"):
        tuned(enable_finetuning="router", hub_model_name="ttm-test")
    with pytest.raises(ValueError, match="'quantile-head': Timer-S1 has no such weights"):
        tuned(enable_finetuning="quantile-head")
    with pytest.raises(ValueError, match=r"'channels' leaves nothing to tune.*finetune can add"):
        tuned(enable_finetuning="channels", hub_model_name="ttm-test")
