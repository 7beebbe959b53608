import doctest
import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("darts", reason="darts is not installed")
pytest.importorskip("pytorch_lightning", reason="darts is installed without torch")

import pytorch_lightning as pl
import torch
from darts import TimeSeries
from darts.metrics import mae
from darts.models import ConformalNaiveModel, NaiveEnsembleModel
from darts.utils.data import ModuleStage, PLModuleInput
from darts.utils.likelihood_models import GaussianLikelihood, QuantileRegression

from timer_forecaster import ForecastPipeline, release
from timer_forecaster.darts import TimerS1Model
from timer_forecaster.inference import cache
from timer_forecaster.models import checkpoints

NAME = "timer-s1-test"
FOLDER = Path(checkpoints.__file__).parent / NAME
ONE_PASS = 32
QUIET = {"accelerator": "cpu", "enable_progress_bar": False}
ODD_LEVELS = [0.01, 0.05, 0.37, 0.5, 0.63, 0.95, 0.99]


# what Lightning and torch's data loader say about every forecast of every Darts model
pytestmark = [
    pytest.mark.filterwarnings("ignore:'pin_memory' argument is set:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*LeafSpec"),
    pytest.mark.filterwarnings("error:The state dict in"),
    pytest.mark.filterwarnings("ignore:.*AMP with fp16 is not supported on CPU"),
]


@pytest.fixture(autouse=True, scope="module")
def without_chatter():
    """Darts and Lightning log several lines for each forecast."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def pipe():
    return ForecastPipeline.from_pretrained(NAME, device="cpu")


@pytest.fixture
def rows_of_calls(monkeypatch):
    """Rows of each call that reaches the pipeline."""
    calls = []
    predict = ForecastPipeline.predict

    def counted(self, series, *args, **kwargs):
        calls.append(len(series))
        return predict(self, series, *args, **kwargs)

    monkeypatch.setattr(ForecastPipeline, "predict", counted)
    return calls


def make(input_chunk_length=64, output_chunk_length=24, **kwargs):
    kwargs = {"hub_model_name": NAME, "pl_trainer_kwargs": dict(QUIET), **kwargs}
    return TimerS1Model(input_chunk_length, output_chunk_length, **kwargs)


def values(length=100, components=1, seed=0, level=50.0):
    steps = np.random.default_rng(seed).normal(size=(length, components))
    return np.cumsum(steps, axis=0) + level


def make_series(length=100, components=1, seed=0, dtype="float64", **kwargs):
    index = pd.date_range("2024-01-01", periods=length, freq="h")
    columns = [f"c{i}" for i in range(components)]
    array = values(length, components, seed).astype(dtype)
    return TimeSeries.from_times_and_values(index, array, columns=columns, **kwargs)


def pipeline_quantiles(pipe, array, horizon, levels, **kwargs):
    """Components side by side as Darts lays them out: (horizon, components * levels)."""
    forecast = pipe.predict(list(np.asarray(array, np.float64).T), horizon, **kwargs)
    stacked = np.stack([forecast.quantile(level) for level in levels], axis=-1)
    return stacked.transpose(1, 0, 2).reshape(horizon, -1)


def assert_close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)


# --- the numbers are the pipeline's ---------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("horizon", [5, ONE_PASS, 3 * ONE_PASS + 5])
def test_quantiles_equal_the_pipelines(pipe, dtype, horizon):
    series = make_series(components=2, dtype=dtype)
    model = make(64, horizon, likelihood=QuantileRegression(ODD_LEVELS)).fit(series)
    forecast = model.predict(horizon, predict_likelihood_parameters=True)
    expected = pipeline_quantiles(pipe, series.values()[-64:], horizon, ODD_LEVELS)
    assert forecast.dtype == dtype
    assert_close(forecast.values(), expected)
    assert (np.diff(forecast.values().reshape(horizon, 2, -1), axis=-1) >= 0).all()


@pytest.mark.parametrize(
    ("length", "options"),
    [
        (64, {"rollout": "quantile"}),
        (64, {"rollout": "median"}),
        (1600, {"rollout": "multiscale"}),
        (64, {"flip": True}),
    ],
)
def test_options_reach_the_pipeline(pipe, length, options):
    series = make_series(1600)
    levels = [0.1, 0.5, 0.9]
    model = make(length, 80, likelihood=QuantileRegression(levels), **options)
    forecast = model.fit(series).predict(80, predict_likelihood_parameters=True)
    expected = pipeline_quantiles(pipe, series.values()[-length:], 80, levels, **options)
    assert_close(forecast.values(), expected)


def test_deterministic_forecast_is_the_median(pipe):
    series = make_series(components=3)
    forecast = make().fit(series).predict(24)
    assert forecast.all_values().shape == (24, 3, 1)
    assert forecast.components.equals(series.components)
    assert forecast.start_time() == series.end_time() + series.freq
    assert_close(forecast.values(), pipeline_quantiles(pipe, series.values()[-64:], 24, [0.5]))


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_scale_of_a_float64_series_is_kept(scale):
    series = make_series()
    expected = make().fit(series).predict(24).values()
    forecast = make().fit(series * scale).predict(24).values()
    np.testing.assert_allclose(forecast / scale, expected, rtol=1e-6)


def test_level_of_a_float64_series_is_kept():
    series = make_series()
    expected = make().fit(series).predict(24).values()
    forecast = make().fit(series + 1e9).predict(24).values()  # float32 knows multiples of 64 here
    np.testing.assert_allclose(forecast - 1e9, expected, atol=1e-4)


@pytest.mark.parametrize("precision", ["32-true", "64-true", "bf16-mixed", "16-mixed"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_precision_neither_rounds_the_series_nor_casts_the_network(pipe, precision, dtype):
    release()
    series = make_series(dtype=dtype) + 1000.0
    model = make(output_chunk_length=50, pl_trainer_kwargs={**QUIET, "precision": precision})
    forecast = model.fit(series).predict(50).values()
    assert_close(forecast, pipeline_quantiles(pipe, series.values()[-64:], 50, [0.5]))
    (network,) = cache._networks.values()
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    assert not any(p.is_inference() for p in network.parameters())


def test_dtype_is_the_networks(pipe):
    series = make_series()
    exact = make().fit(series).predict(24).values()
    rough = make(dtype=torch.bfloat16).fit(series).predict(24).values()
    expected = ForecastPipeline.from_pretrained(NAME, device="cpu", dtype="bfloat16").predict(
        series.values()[-64:, 0], 24
    )
    assert_close(rough[:, 0], expected.median[0])
    assert not np.allclose(rough, exact, rtol=1e-5, atol=1e-5)


def test_half_precision_is_refused():
    for precision in ("bf16-true", "16-true"):
        with pytest.raises(ValueError, match=f"precision='{precision}'.*would round the series"):
            make(pl_trainer_kwargs={"precision": precision})
    with pytest.raises(ValueError, match=r"float16.*astype\('float32'\)"):
        make().fit(make_series(dtype="float16"))
    trainer = pl.Trainer(**QUIET, precision="bf16-true", logger=False)
    with pytest.raises(ValueError, match=r"arrives as torch\.bfloat16"):
        make().fit(make_series()).predict(24, trainer=trainer)


# --- likelihood and samples -----------------------------------------------------------------


def test_quantile_components_are_named_after_component_and_level():
    series = make_series(components=2)
    model = make(likelihood=QuantileRegression([0.1, 0.5, 0.9])).fit(series)
    forecast = model.predict(24, predict_likelihood_parameters=True)
    assert forecast.components.to_list() == [
        f"{component}_q{level}"
        for component in ("c0", "c1")
        for level in ("0.100", "0.500", "0.900")
    ]


def test_default_quantiles_of_darts_are_accepted():
    model = make(likelihood=QuantileRegression()).fit(make_series())
    assert model.predict(24, predict_likelihood_parameters=True).width == 17


def test_samples_are_reproducible_and_follow_the_quantiles():
    model = make(likelihood=QuantileRegression([0.1, 0.5, 0.9])).fit(make_series(components=2))
    first, again = (model.predict(24, num_samples=300, random_state=7) for _ in range(2))
    other = model.predict(24, num_samples=300, random_state=8)
    assert first.all_values().shape == (24, 2, 300)
    np.testing.assert_array_equal(first.all_values(), again.all_values())
    assert (first.all_values() != other.all_values()).any()
    exact = model.predict(24, predict_likelihood_parameters=True).values().reshape(24, 2, 3)
    below = (first.all_values() < exact[..., 1:2]).mean()
    assert abs(below - 0.5) < 0.02


def test_samples_can_be_rolled_out_by_darts():
    model = make(likelihood=QuantileRegression([0.1, 0.5, 0.9])).fit(make_series())
    forecast = model.predict(60, num_samples=5, random_state=0)
    assert forecast.all_values().shape == (60, 1, 5)
    assert np.isfinite(forecast.all_values()).all()


@pytest.mark.parametrize("likelihood", [GaussianLikelihood(), "quantile"])
def test_other_likelihoods_are_refused(likelihood):
    with pytest.raises(ValueError, match="Only QuantileRegression likelihood is supported"):
        make(likelihood=likelihood)


# --- series of all kinds --------------------------------------------------------------------


def test_components_are_forecast_independently():
    series = make_series(components=3)
    together = make().fit(series).predict(24).values()
    alone = [make().fit(series[name]).predict(24).values() for name in series.components]
    assert_close(together, np.hstack(alone))


def test_mixed_lengths_equal_fixed_lengths(pipe):
    lengths = [100, 7, 64, 33, 1]
    many = [make_series(length, 2, seed=length) for length in lengths]
    mixed = make((1, 100)).fit(many).predict(24, series=many)
    for series, forecast in zip(many, mixed, strict=True):
        fixed = make(len(series)).fit(series).predict(24)
        assert_close(forecast.values(), fixed.values())
        assert_close(forecast.values(), pipeline_quantiles(pipe, series.values(), 24, [0.5]))


def test_window_limits_follow_the_input_chunk_length():
    model = make((10, 50), 24, output_chunk_shift=3)
    assert (model.min_input_chunk_length, model.input_chunk_length) == (10, 50)
    assert model.extreme_lags[:2] == (-10, 26)
    assert len(make((10, 50)).fit(make_series(10)).predict(24)) == 24
    with pytest.raises(ValueError, match="too short"):
        make((10, 50)).fit(make_series(9))


def test_series_must_be_given_after_fitting_several():
    many = [make_series(seed=i) for i in range(2)]
    model = make().fit(many)
    with pytest.raises(ValueError, match="series"):
        model.predict(24)
    with pytest.raises(ValueError, match="number of components"):
        model.predict(24, series=make_series(components=2))


def test_shift_leaves_steps_out(pipe):
    series = make_series(components=2)
    model = make(64, 24, output_chunk_shift=20, likelihood=QuantileRegression([0.1, 0.5, 0.9]))
    forecast = model.fit(series).predict(24, predict_likelihood_parameters=True)
    expected = pipeline_quantiles(pipe, series.values()[-64:], 44, [0.1, 0.5, 0.9])[20:]
    assert forecast.start_time() == series.end_time() + 21 * series.freq
    assert_close(forecast.values(), expected)


def test_auto_regression_of_darts_goes_on():
    model = make(64, 24).fit(make_series(components=2))
    assert np.isfinite(model.predict(60).values()).all()
    assert_close(model.predict(10).values(), model.predict(24).values()[:10])


def test_missing_values_inside_and_leading(pipe):
    array = values(64, 2)
    array[20:24, 0] = np.nan
    array[:30, 1] = np.nan
    forecast = make().fit(TimeSeries.from_values(array)).predict(24).values()
    assert np.isfinite(forecast).all()
    assert_close(forecast, pipeline_quantiles(pipe, array, 24, [0.5]))
    assert_close(forecast[:, 1:], pipeline_quantiles(pipe, array[30:, 1:], 24, [0.5]))


def test_a_window_without_values_is_forecast_as_missing(pipe):
    array = values(64, 2)
    array[:, 0] = np.nan
    forecast = make().fit(TimeSeries.from_values(array)).predict(24).values()
    assert np.isnan(forecast[:, 0]).all()
    assert_close(forecast[:, 1:], pipeline_quantiles(pipe, array[:, 1:], 24, [0.5]))
    nothing = TimeSeries.from_values(np.full(64, np.nan))
    assert np.isnan(make().fit(nothing).predict(24).values()).all()


def test_infinite_values_are_refused():
    array = values(64)
    array[10] = np.inf
    with pytest.raises(ValueError, match="infinite"):
        make().fit(TimeSeries.from_values(array)).predict(24)


def test_constant_series_forecasts_itself():
    series = TimeSeries.from_values(np.full(64, 3.25))
    assert (make().fit(series).predict(24).values() == 3.25).all()


def test_input_is_not_changed_and_static_covariates_are_kept():
    static = pd.DataFrame({"site": [3.0]})
    series = make_series(static_covariates=static)
    before = series.copy()
    forecast = make().fit(series).predict(24)
    assert series == before
    pd.testing.assert_frame_equal(forecast.static_covariates, series.static_covariates)


@pytest.mark.parametrize("kind", ["past_covariates", "future_covariates"])
def test_covariates_are_refused(kind):
    series = make_series()
    with pytest.raises(ValueError, match=f"does not support `{kind}`"):
        make().fit(series, **{kind: series})
    with pytest.raises(ValueError, match="covariates"):
        make().fit(series).predict(24, **{kind: series})


# --- construction ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"input_chunk_length": 513}, "input_chunk_length=513 .* at most 512 steps"),
        ({"input_chunk_length": (1, 513)}, "at most 512 steps"),
        ({"input_chunk_length": (5, 3)}, "1 <= min_length <= max_length"),
        ({"output_chunk_length": 0}, "output_chunk_length=0"),
        ({"output_chunk_shift": -1}, "output_chunk_shift=-1"),
        ({"rollout": "mean"}, "rollout='mean' is unknown"),
        ({"dtype": "int8"}, "dtype='int8' is not supported"),
        ({"hub_model_name": "nonsense"}, "'nonsense' is neither a registry name"),
        ({"hub_model_revision": "main"}, "applies to hub ids"),
        ({"local_dir": "no-such-folder"}, "does not exist"),
        ({"local_dir": __file__}, "is not a directory"),
        ({"local_dir": Path(__file__).parent}, "holds no config.json"),
        ({"nonsense": 1}, "has no args/kwargs"),
    ],
)
def test_unusable_parameters_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        make(**arguments)


@pytest.mark.parametrize("enable_finetuning", [True, {"unfreeze": ["*"]}])
def test_finetuning_is_refused(enable_finetuning):
    with pytest.raises(NotImplementedError, match="later release; leave it out"):
        make(enable_finetuning=enable_finetuning)


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


def test_reversible_instance_norm_changes_nothing():
    array = values(64)
    array[5] = np.nan
    series = TimeSeries.from_values(array)
    expected = make().fit(series).predict(24)
    normed = make(use_reversible_instance_norm=True).fit(series).predict(24)
    np.testing.assert_array_equal(normed.values(), expected.values())


def test_onnx_export_is_refused():
    with pytest.raises(NotImplementedError, match="ONNX"):
        make().to_onnx("model.onnx")


# --- weights: one cache, small files --------------------------------------------------------


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


def test_saved_models_load_in_a_fresh_process(tmp_path):
    series = make_series(dtype="float32")
    model = make().fit(series)
    path = str(tmp_path / "model.pt")
    model.save(path)
    program = (
        "import sys, numpy as np; from timer_forecaster.darts import TimerS1Model;"
        "model = TimerS1Model.load(sys.argv[1]);"
        "np.save(sys.argv[2], model.predict(24).values())"
    )
    numbers = str(tmp_path / "forecast.npy")
    subprocess.run([sys.executable, "-c", program, path, numbers], check=True, capture_output=True)
    np.testing.assert_array_equal(np.load(numbers), model.predict(24).values())


def test_load_weights_takes_another_window_but_no_other_checkpoint(tmp_path):
    series = make_series()
    path = str(tmp_path / "model.pt")
    make().fit(series).save(path)
    other = make(32, 40, dtype="float32", rollout="median")
    other.load_weights(path)
    expected = make(32, 40, rollout="median").fit(series).predict(40)
    assert_close(other.predict(40, series=series).values(), expected.values())
    with pytest.raises(ValueError, match="found local_dir="):
        make(local_dir=FOLDER).load_weights(path)


def test_load_from_checkpoint(tmp_path):
    series = make_series()
    model = make(save_checkpoints=True, model_name="saved", work_dir=str(tmp_path)).fit(series)
    model.trainer.save_checkpoint(tmp_path / "saved" / "checkpoints" / "last-epoch=0.ckpt")
    loaded = TimerS1Model.load_from_checkpoint("saved", work_dir=str(tmp_path), best=False)
    np.testing.assert_array_equal(
        loaded.predict(24, series=series).values(), model.predict(24).values()
    )


# --- back-testing ---------------------------------------------------------------------------


@pytest.mark.parametrize("stride", [1, 7])
@pytest.mark.parametrize("overlap_end", [False, True])
def test_historical_forecasts_equal_a_loop(stride, overlap_end, rows_of_calls):
    series = make_series(130, 2)
    model = make(64, 12, likelihood=QuantileRegression([0.1, 0.5, 0.9])).fit(series)
    options = {"predict_likelihood_parameters": True, "forecast_horizon": 12}
    forecasts = model.historical_forecasts(
        series,
        stride=stride,
        overlap_end=overlap_end,
        retrain=False,
        last_points_only=False,
        **options,
    )
    ends = range(64, 131 if overlap_end else 119, stride)
    assert len(forecasts) == len(ends)
    assert len(rows_of_calls) == -(-len(ends) // 32)  # batches of Darts' default size
    for end, forecast in zip(ends, forecasts, strict=True):
        single = model.predict(12, series=series[:end], predict_likelihood_parameters=True)
        assert forecast.time_index.equals(single.time_index)
        assert_close(forecast.values(), single.values())


def test_historical_forecasts_of_variable_windows_equal_a_loop():
    many = [make_series(40, seed=1), make_series(90, seed=2)]
    model = make((20, 64), 12).fit(many)
    options = {"forecast_horizon": 12, "stride": 9, "retrain": False}
    for series, forecasts in zip(
        many, model.historical_forecasts(many, last_points_only=False, **options), strict=True
    ):
        for forecast in forecasts:
            past = series.drop_after(forecast.start_time())
            assert_close(forecast.values(), model.predict(12, series=past).values())


def test_backtest_is_the_metric_of_the_historical_forecasts():
    series = make_series(130)
    model = make(64, 12).fit(series)
    options = {"forecast_horizon": 12, "stride": 10, "retrain": False, "last_points_only": False}
    forecasts = model.historical_forecasts(series, **options)
    expected = np.mean([mae(series, forecast) for forecast in forecasts])
    assert model.backtest(series, metric=mae, **options) == pytest.approx(expected)
    errors = model.residuals(series, historical_forecasts=forecasts, last_points_only=False)
    assert np.mean([np.abs(error.values()).mean() for error in errors]) == pytest.approx(expected)


def test_retraining_a_frozen_model_changes_nothing():
    series = make_series(80)
    model = make(64, 6).fit(series)
    options = {"forecast_horizon": 6, "stride": 4}
    frozen = model.historical_forecasts(series, retrain=False, **options)
    retrained = model.historical_forecasts(series, retrain=True, **options)
    assert_close(retrained.values(), frozen.values())


def test_gridsearch_picks_the_best_window_and_loads_nothing_twice(monkeypatch):
    series = make_series(90)
    loads = []
    load = cache.load_network
    monkeypatch.setattr(cache, "load_network", lambda key: loads.append(key) or load(key))
    release()
    parameters = {
        "input_chunk_length": [16, 48],
        "output_chunk_length": [6, 40],
        "hub_model_name": [NAME],
        "pl_trainer_kwargs": [dict(QUIET)],
    }
    options = {"forecast_horizon": 6, "stride": 12, "metric": mae, "start": 60}
    best, chosen, score = TimerS1Model.gridsearch(
        parameters, series, start_format="position", **options
    )
    assert len(loads) == 1
    scores = [
        make(length, 6).backtest(series, start_format="position", **options) for length in (16, 48)
    ]
    assert score == pytest.approx(min(scores), rel=1e-5)
    assert chosen["input_chunk_length"] == (16, 48)[int(np.argmin(scores))]
    assert isinstance(best, TimerS1Model)


# --- among Darts' other classes -------------------------------------------------------------


def test_in_a_conformal_model():
    series = make_series(130)
    model = make(32, 6).fit(series)
    forecast = ConformalNaiveModel(model, quantiles=[0.1, 0.5, 0.9], cal_length=20).predict(
        6, series=series, predict_likelihood_parameters=True
    )
    assert (np.diff(forecast.values(), axis=1) >= 0).all()


def test_in_an_ensemble():
    series = make_series()
    members = [make(32).fit(series), make(64).fit(series)]
    ensemble = NaiveEnsembleModel(members, train_forecasting_models=False)
    expected = np.mean([member.predict(24).values() for member in members], axis=0)
    assert_close(ensemble.predict(24, series=series).values(), expected)


def test_random_state_of_torch_is_left_alone():
    module = make(16, 5).fit(make_series()).model
    before = torch.get_rng_state()
    window = torch.from_numpy(values(16, 2)[None])
    output = module(PLModuleInput(past_target=window, stage=ModuleStage.PREDICT))
    assert output.prediction.shape == (1, 5, 2, 1)
    torch.testing.assert_close(torch.get_rng_state(), before)


def test_example_of_the_docstring():
    tests = doctest.DocTestFinder(recurse=False).find(TimerS1Model, "TimerS1Model")
    results = [doctest.DocTestRunner().run(test) for test in tests]
    assert sum(result.attempted for result in results) > 0
    assert not any(result.failed for result in results)


def test_import_without_a_fitting_darts_says_what_to_install():
    program = (
        "import sys; sys.modules['darts.models.forecasting.foundation_model'] = None\n"
        "import timer_forecaster.darts"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=dict(os.environ)
    )
    assert done.returncode == 1
    assert "needs Darts 0.48 or newer" in done.stderr
