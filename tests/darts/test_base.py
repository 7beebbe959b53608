"""Construction, files and copies of a Darts model.

The comments "trap" refer to difficulties of Darts 0.48.
"""

import copy
import io
import pickle
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from darts.utils.likelihood_models import QuantileRegression
from darts.utils.serialization import get_safe_globals
from darts_cases import (
    FOLDER,
    ODD_LEVELS,
    QUIET,
    UNAVOIDABLE,
    assert_close,
    make,
    make_series,
    rows_of_calls,
    without_chatter,
)

from timer_forecaster import release
from timer_forecaster.checkpoints import cache
from timer_forecaster.darts import TimerS1Model

__all__ = ["rows_of_calls", "without_chatter"]  # fixtures

pytestmark = UNAVOIDABLE


def test_parameters_are_plain_and_normalized_before_darts_reads_them():
    """Darts copies, prints and pickles them (traps 1.2 and 1.12)."""
    model = make(hub_model_name=Path(FOLDER), local_dir=FOLDER, dtype=torch.float32)
    found = {name: model.model_params[name] for name in ("hub_model_name", "local_dir", "dtype")}
    assert found == {"hub_model_name": str(FOLDER), "local_dir": str(FOLDER), "dtype": "float32"}


@pytest.mark.parametrize("batch_size", [None, 3])
def test_many_windows_are_handed_over_at_once(batch_size, rows_of_calls):
    """Darts' default are 32 (trap 1.13)."""
    many = [make_series(20, seed=seed) for seed in range(40)]
    model = make((1, 20), 6, **({} if batch_size is None else {"batch_size": batch_size}))
    model.fit(many).predict(6, series=many)
    assert rows_of_calls == ([40] if batch_size is None else [3] * 13 + [1])


def test_construction_reads_no_weights(tmp_path):
    (tmp_path / "config.json").write_bytes((FOLDER / "config.json").read_bytes())
    with pytest.raises(ValueError, match="at most 512 steps"):
        make(600, local_dir=tmp_path)
    assert make(512, local_dir=tmp_path).fit(make_series(512)) is not None


def test_of_a_hub_id_construction_asks_for_the_configuration_alone(monkeypatch):
    asked = []

    def download(name, revision, allow_patterns):
        asked.append((name, revision, allow_patterns))
        return str(FOLDER)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    make(hub_model_name="owner/name", hub_model_revision="v1")
    assert asked == [("owner/name", "v1", ["config.json"])]


def test_onnx_export_is_refused():
    with pytest.raises(NotImplementedError, match="ONNX"):
        make().to_onnx("model.onnx")


def test_a_search_for_a_learning_rate_is_refused():
    with pytest.raises(NotImplementedError, match="no learning rate"):
        make().lr_find(make_series())


def test_fit_loads_nothing_and_models_share_one_network():
    release()
    series = make_series()
    models = [make(local_dir=None).fit(series), make(32, 8).fit(series * 2)]
    assert not cache._networks
    for model in models:
        model.predict(8)
    (network,) = cache._networks.values()
    models[0].predict(8)
    assert list(cache._networks.values()) == [network]
    assert not list(models[0].model.parameters())


def test_local_dir_is_another_door_to_the_same_numbers():
    series = make_series()
    expected = make().fit(series).predict(24)
    assert_close(make(local_dir=FOLDER).fit(series).predict(24).values(), expected.values())


@pytest.mark.parametrize("clean", [False, True])
@pytest.mark.parametrize("door", [{}, {"local_dir": FOLDER}, {"hub_model_name": FOLDER}])
def test_saved_models_are_small_and_forecast_the_same(tmp_path, clean, door):
    series = make_series(components=2)
    model = make((1, 64), **door, likelihood=QuantileRegression(ODD_LEVELS))
    model.fit(series)
    expected = model.predict(24, predict_likelihood_parameters=True)
    path = str(tmp_path / "model.pt")
    model.save(path, clean=clean)
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 100_000
    loaded = TimerS1Model.load(path, pl_trainer_kwargs={**QUIET, "logger": False})
    forecast = loaded.predict(24, series=series, predict_likelihood_parameters=True)
    assert forecast == expected


def test_load_weights_takes_another_window_but_no_other_checkpoint(tmp_path):
    series = make_series()
    path = str(tmp_path / "model.pt")
    make().fit(series).save(path)
    options = {"rollout": "median", "output_chunk_shift": 3}
    other = make(32, 40, dtype="float32", **options)
    other.load_weights(path)
    expected = make(32, 40, **options).fit(series).predict(40)
    assert_close(other.predict(40, series=series).values(), expected.values())
    likelihood = QuantileRegression([0.1, 0.5, 0.9])
    more = make(likelihood=likelihood, use_reversible_instance_norm=True)
    more.load_weights(path)
    assert more.predict(24, series=series, predict_likelihood_parameters=True).width == 3
    with pytest.raises(ValueError, match="found local_dir="):
        make(local_dir=FOLDER).load_weights(path)


def test_weights_of_another_checkpoint_are_refused_even_unchecked(tmp_path):
    """They would be dropped unnoticed, as nothing is loaded into the module (trap 1.12)."""
    path = str(tmp_path / "model.pt")
    make(16, hub_model_name="timer-s1-mini").fit(make_series()).save(path)
    with pytest.raises(
        ValueError, match=r"hub_model_name=timer-s1-test, should be .*timer-s1-mini"
    ):
        make(16).load_weights(path)
    with pytest.raises(ValueError, match=r"forecasts with .*timer-s1-mini.*this one with"):
        make(16).load_weights(path, load_encoders=False, skip_checks=True)


@pytest.mark.filterwarnings("ignore:Total length of `list`", "ignore:Found 3 module")
def test_weights_of_another_class_are_refused(tmp_path):
    from darts.models import DLinearModel

    other = DLinearModel(16, 8, n_epochs=1, pl_trainer_kwargs=QUIET).fit(make_series())
    path = str(tmp_path / "model.pt")
    other.save(path)
    with pytest.raises(RuntimeError, match=r"Unexpected key\(s\) in state_dict"):
        make(16, 8).load_weights(path, load_encoders=False, skip_checks=True)


def test_load_from_checkpoint(tmp_path):
    series = make_series()
    model = make(save_checkpoints=True, model_name="saved", work_dir=str(tmp_path)).fit(series)
    model.trainer.save_checkpoint(tmp_path / "saved" / "checkpoints" / "last-epoch=0.ckpt")
    loaded = TimerS1Model.load_from_checkpoint("saved", work_dir=str(tmp_path), best=False)
    np.testing.assert_array_equal(
        loaded.predict(24, series=series).values(), model.predict(24).values()
    )


def test_a_fit_leaves_no_checkpoint_to_load(tmp_path):
    make(save_checkpoints=True, model_name="mine", work_dir=str(tmp_path)).fit(make_series())
    with pytest.raises(FileNotFoundError, match=r"model_name='mine'.*use save\(\) and load\(\)"):
        TimerS1Model.load_from_checkpoint("mine", work_dir=str(tmp_path))


def joblib_round_trip(model):
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    return joblib.load(file)


def pickle_round_trip(model):
    return pickle.loads(pickle.dumps(model))  # noqa: S301


COPIES = {
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
    "pickle": pickle_round_trip,
    "joblib": joblib_round_trip,
}


@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_copies_of_a_fitted_model_are_fitted(copied, dtype):
    series = make_series(90, 2, dtype=dtype)
    model = make((5, 64), likelihood=QuantileRegression(ODD_LEVELS), local_dir=FOLDER).fit(series)
    other = copied(model)
    quantiles = {"predict_likelihood_parameters": True}
    assert other.predict(24, **quantiles) == model.predict(24, **quantiles)
    options = {"retrain": False, "stride": 7, **quantiles}
    backtests = [one.historical_forecasts(series, **options) for one in (other, model)]
    assert backtests[0] == backtests[1]
    assert copied(other).predict(24, **quantiles) == model.predict(24, **quantiles)
    assert len(pickle.dumps(model)) < 20_000


def test_a_module_that_version_0_1_had_elsewhere_is_found():
    """Darts writes the place of the class into the file of a model."""
    model = make().fit(make_series())
    place = model._module_path, model._module_name
    model._module_path, model._module_name = "timer_forecaster._darts_module", "_TimerS1Module"
    loaded = pickle_round_trip(model)
    assert (loaded._module_path, loaded._module_name) == place
    assert loaded.predict(24) == model.predict(24)


def test_the_names_of_version_0_1_are_kept():
    from timer_forecaster import _darts_module
    from timer_forecaster.darts.module import PipelineModule
    from timer_forecaster.finetuning import Adapter
    from timer_forecaster.inference import adapters

    assert _darts_module._TimerS1Module is PipelineModule
    assert adapters.Adapter is Adapter
    trusted = [entry[1] for entry in get_safe_globals() if isinstance(entry, tuple)]
    assert "timer_forecaster.darts.TimerS1Model" in trusted
    assert "timer_forecaster.inference.adapters.Adapter" in trusted


def test_copies_of_an_unfitted_model_are_unfitted():
    model = copy.deepcopy(make())
    assert not model.model_created
    with pytest.raises(ValueError, match="not having fit the model yet"):
        model.predict(3)


@pytest.mark.parametrize("clean", [False, True])
def test_copies_and_loaded_models_can_be_saved(tmp_path, clean):
    series = make_series()
    model = make().fit(series)
    expected = model.predict(24)
    for number in range(2):
        path = str(tmp_path / f"{number}.pt")
        copy.deepcopy(model).save(path, clean=clean)
        model = TimerS1Model.load(path, pl_trainer_kwargs={**QUIET, "logger": False})
        assert model.predict(24, series=series) == expected
        model = copy.deepcopy(model)


def test_no_global_random_state_is_read_or_changed():
    series = make_series()
    options = {"num_samples": 3, "forecast_horizon": 6, "stride": 9}

    def draw(**random):
        np.random.seed(0)
        random_state = np.random.get_state()[1].copy(), np.random.get_state()[2]
        model = make(likelihood=QuantileRegression([0.1, 0.5, 0.9]), **random).fit(series)
        drawn = copy.deepcopy(model).predict(6, num_samples=3)
        backtest = model.historical_forecasts(series, **options)
        np.testing.assert_array_equal(np.random.get_state()[1], random_state[0])
        assert np.random.get_state()[2] == random_state[1]
        return drawn, backtest

    for one, other in zip(draw(), draw(), strict=True):
        assert one != other
    for one, other in zip(draw(random_state=1), draw(random_state=1), strict=True):
        assert one == other
