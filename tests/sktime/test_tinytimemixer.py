"""The parameters of `TinyTimeMixerForecaster`, and the switch from sktime's class of this name."""

import copy
import doctest
import inspect
import pickle
import re

import numpy as np
import pandas as pd
import pytest
from ttm import OWN, save, tiny_network

from timer_forecaster import ForecastPipeline
from timer_forecaster.checkpoints.registry import TTM_MINI
from timer_forecaster.models.ttm import TinyTimeMixerConfig, TTMArchitecture

pytest.importorskip("sktime")

from known_cases import HORIZON, season_and_price
from sktime.forecasting.compose import ForecastByLevel
from sktime.split import ExpandingWindowSplitter
from sktime_cases import hourly, unequal_panel
from ttm_channels import mixing_folder

from timer_forecaster.finetuning import FinetuneConfig, finetune
from timer_forecaster.sktime import TimerS1Forecaster, TinyTimeMixerForecaster

MODEL = "ttm-test"  # random weights, nine levels, context 128, 32 steps in a pass
SIZES = {
    "context_length": 32,
    "patch_length": 8,
    "patch_stride": 8,
    "prediction_length": 8,
    "multi_quantile_head": True,
}


def walk(n=90, seed=0):
    return 20 + np.random.default_rng(seed).normal(size=n).cumsum()


def forecaster(**parameters):
    return TinyTimeMixerForecaster(MODEL, **parameters)


def test_sktimes_parameters_come_first_in_their_order():
    theirs = pytest.importorskip("sktime.forecasting.ttm").TinyTimeMixerForecaster
    names = list(inspect.signature(theirs).parameters)
    assert list(inspect.signature(TinyTimeMixerForecaster).parameters)[: len(names)] == names


def test_our_parameters_are_those_of_the_other_family():
    ours = inspect.signature(TinyTimeMixerForecaster).parameters
    shared = inspect.signature(TimerS1Forecaster).parameters
    missing = {name for name in shared if name not in ours}
    assert missing == {"device_map", "exogenous", "deterministic"}  # "device" is sktime's name
    changed = {name for name in shared if name in ours and ours[name] != shared[name]}
    assert {name for name in changed if ours[name].default != shared[name].default} == {
        "model_path"
    }
    assert ours["model_path"].default == TTM_MINI


@pytest.mark.parametrize(
    "options",
    [
        {"context_length": 20},
        {"rollout": "median"},
        {"rollout": "multiscale"},
        {"flip": True},
        {"batch_size": 2},
        {"dtype": "bfloat16", "device": "cpu"},
    ],
)
def test_options_reach_the_pipeline(options):
    y = hourly(400)
    loading = {key: value for key, value in options.items() if key in ("dtype", "device")}
    predicting = {key: value for key, value in options.items() if key not in loading}
    pipe = ForecastPipeline.from_pretrained(MODEL, **loading)
    expected = pipe.predict(y.to_numpy(), 70, **predicting).median[0]
    np.testing.assert_array_equal(forecaster(**options).fit(y).predict(range(1, 71)), expected)


def test_both_classes_take_checkpoints_of_both_families():
    y = hourly()
    for name in (MODEL, "timer-s1-test"):
        one, other = (cls(name).fit(y) for cls in (TimerS1Forecaster, TinyTimeMixerForecaster))
        pd.testing.assert_frame_equal(
            one.predict_interval([1, 40]), other.predict_interval([1, 40])
        )


@pytest.mark.parametrize("form", [dict, TinyTimeMixerConfig, TTMArchitecture])
def test_a_configuration_is_of_this_family(form):
    y = hourly()
    pipe = ForecastPipeline.from_pretrained(None, config=TTMArchitecture(**SIZES))
    fitted = TinyTimeMixerForecaster(None, config=form(**SIZES)).fit(y)
    np.testing.assert_array_equal(fitted.predict([1, 2]), pipe.predict(y.to_numpy(), 2).median[0])
    copies = [fitted.clone().fit(y), copy.deepcopy(fitted), pickle.loads(pickle.dumps(fitted))]  # noqa: S301
    for other in copies:
        pd.testing.assert_series_equal(other.predict([1, 2]), fitted.predict([1, 2]))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"point": "mode"}, "point='mode'"),
        ({"rollout": "mean"}, "rollout='mean'"),
        ({"device": "tpu"}, "^device='tpu' is not a device"),
        ({"config": SIZES}, "in place of checkpoint 'ttm-test'"),
        ({"revision": "main"}, "revision='main' applies to hub ids"),
        ({"verbose": 2}, "verbose=2 must be True or False"),
        ({"tuning": {"steps": 3}}, "tuning=.*FinetuneConfig"),
        ({"fit_strategy": "partial"}, "fit_strategy='partial'"),
        ({"broadcasting": True}, "broadcasting=True"),
        ({"use_source_package": True}, "use_source_package=True"),
        ({"padding_mask": "observed"}, "padding_mask='observed'"),
        ({"freq": "h"}, "freq='h'"),
        ({"callbacks": [print]}, "callbacks="),
        ({"compute_metrics": [print]}, "compute_metrics="),
        ({"training_args": {"max_steps": 3}}, "training_args"),
    ],
)
def test_bad_parameters_are_refused_in_fit(parameters, message):
    unfitted = forecaster(**parameters)
    with pytest.raises((ValueError, TypeError), match=message):
        unfitted.fit(hourly())


@pytest.mark.parametrize(
    "given", [{"fit_strategy": "full"}, {"validation_split": 0.1}, {"training_args": {"seed": 1}}]
)
def test_two_ways_to_finetune_are_refused(given):
    unfitted = forecaster(tuning=FinetuneConfig(steps=1), **given)
    with pytest.raises(ValueError, match=r"tuning|training_args"):
        unfitted.fit(hourly())


def test_the_advice_about_broadcasting_works():
    panel = unequal_panel()
    found = ForecastByLevel(forecaster(), groupby="local").fit(panel, fh=[1, 2]).predict()
    expected = forecaster().fit(panel, fh=[1, 2]).predict()
    np.testing.assert_allclose(found.sort_index(), expected.sort_index(), rtol=1e-5)


def test_every_parameter_is_described():
    text = inspect.getdoc(TinyTimeMixerForecaster)
    section = text[text.index("Parameters\n---") : text.index("Attributes\n---")]
    lines = re.findall(r"^(\w[\w, ]*) : ", section, flags=re.MULTILINE)
    described = [name for line in lines for name in line.split(", ")]
    assert described == list(inspect.signature(TinyTimeMixerForecaster).parameters)


def test_docstring_examples():
    tests = doctest.DocTestFinder(recurse=False).find(TinyTimeMixerForecaster, "it")
    results = [doctest.DocTestRunner().run(test) for test in tests]
    assert sum(result.attempted for result in results) > 0
    assert sum(result.failed for result in results) == 0


# --- what a checkpoint reads beside the values ------------------------------------------------


@pytest.mark.parametrize("freq", ["h", "D", "15min", "W-SUN"])
def test_the_frequency_is_that_of_the_index(freq):
    y = pd.Series(walk(), index=pd.date_range("2024-01-07", periods=90, freq=freq))
    fitted = TinyTimeMixerForecaster(str(OWN / "r2_ft"), device="cpu").fit(y, fh=[1, 2, 30])
    pipe = ForecastPipeline.from_pretrained(OWN / "r2_ft", device="cpu")
    expected = pipe.predict(walk(), 30, freq=freq).median[0]
    np.testing.assert_allclose(fitted.predict(), expected[[0, 1, 29]], rtol=1e-5)
    past = fitted.predict([-4])  # the step before the newest four
    one_step = pipe.predict(walk()[:-5], 1, freq=freq).median[0]
    np.testing.assert_allclose(past, one_step, rtol=1e-5)
    backwards = y.sort_index(ascending=False).sort_index()  # without a freq of its own
    again = fitted.clone().fit(backwards, fh=[1, 30]).predict()
    np.testing.assert_allclose(again, expected[[0, 29]], rtol=1e-5)


def test_it_is_tuned_at_the_frequency_of_the_index():
    y = pd.Series(walk(300), index=pd.date_range("2024-01-07", periods=300, freq="h"))
    tuning = FinetuneConfig(target="head", steps=2, batch_size=2)
    fitted = TinyTimeMixerForecaster(str(OWN / "r2_ft"), tuning=tuning, device="cpu").fit(y)
    pipe = ForecastPipeline.from_pretrained(OWN / "r2_ft", device="cpu")
    expected = finetune(pipe, [y.to_numpy()], tuning, freq="h")
    assert fitted.adapter_.report.loss_before == expected.report.loss_before


def test_zeros_before_a_short_series_on_demand():
    y = pd.Series(walk(), index=pd.date_range("2024-01-01", periods=90, freq="h"))
    pipe = ForecastPipeline.from_pretrained(MODEL)
    for padding in ("mean", "released"):
        found = forecaster(padding=padding).fit(y, fh=[1, 2]).predict()
        expected = pipe.predict(walk(), 2, padding=padding).median[0]
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    with pytest.raises(ValueError, match="padding='released' is for networks of one context"):
        TimerS1Forecaster("timer-s1-test", padding="released").fit(y).predict([1])
    with pytest.raises(ValueError, match="padding='zeros'"):
        forecaster(padding="zeros").fit(y)


# ------------------------------------------------------------------- checkpoints that mix channels


@pytest.fixture(scope="module")
def mixing_checkpoint(tmp_path_factory):
    return mixing_folder(tmp_path_factory.mktemp("mixing") / "three")


def three_columns(n=70, seed=0):
    values = np.random.default_rng(seed).normal(size=(n, 3)).cumsum(axis=0)
    index = pd.date_range("2024-01-01", periods=n, freq="D")
    return pd.DataFrame(values, index, columns=["a", "b", "c"])


def test_columns_of_y_are_one_row(mixing_checkpoint):
    pipe = ForecastPipeline.from_pretrained(mixing_checkpoint, device="cpu")
    y = three_columns()
    fitted = TinyTimeMixerForecaster(mixing_checkpoint).fit(y, fh=range(1, 21))
    expected = pipe.predict(y.to_numpy().T, 20)
    np.testing.assert_allclose(fitted.predict(), expected.median.T, atol=1e-6)
    changed = y.assign(c=y["c"].to_numpy()[::-1])
    other = TinyTimeMixerForecaster(mixing_checkpoint).fit(changed, fh=range(1, 21)).predict()
    assert np.abs(other["a"] - fitted.predict()["a"]).max() > 1e-6
    interval = fitted.predict_interval(coverage=0.9)
    assert (interval["b", 0.9, "lower"] < interval["b", 0.9, "upper"]).all()
    past = fitted.predict([-3, 0])
    one_step = pipe.predict(y.to_numpy().T[:, :-1], 1).median[:, 0]
    np.testing.assert_allclose(past.iloc[1], one_step, atol=1e-6)


def test_columns_of_each_instance_are_one_row_also_in_backtests(mixing_checkpoint, calls):
    panel = pd.concat({"x": three_columns(), "y": three_columns(60, 1)}, names=["id", "day"])
    forecaster = TinyTimeMixerForecaster(mixing_checkpoint)
    found = forecaster.fit(panel, fh=[1, 2, 3]).predict()
    alone = forecaster.clone().fit(panel.loc["y"], fh=[1, 2, 3]).predict()
    np.testing.assert_allclose(found.loc["y"], alone, atol=1e-6)
    cv = ExpandingWindowSplitter(fh=[1, 2], initial_window=50, step_length=5)
    y, n_calls = three_columns(), len(calls)
    moving = forecaster.clone().fit(y[:40]).update_predict(y, cv, reset_forecaster=False)
    assert len(calls) == n_calls + 1
    expected = forecaster.clone().fit(y[:50], fh=[1, 2]).predict()
    np.testing.assert_allclose(np.asarray(moving)[0, :2].ravel()[0], expected.iloc[0, 0], atol=1e-5)


@pytest.mark.parametrize("n_instances", [1, 3])
def test_another_number_of_columns_is_refused_by_both_numbers(mixing_checkpoint, n_instances):
    y = three_columns()[["a", "b"]]
    panel = pd.concat(dict.fromkeys(range(n_instances), y), names=["id", "day"])
    fitted = TinyTimeMixerForecaster(mixing_checkpoint).fit(panel)
    with pytest.raises(ValueError, match=r"y has 2 columns, \['a', 'b'\], .* reads 3 series"):
        fitted.predict([1])
    with pytest.raises(ValueError, match="y has 2 columns"):
        fitted.predict([0])


def test_x_beside_a_row_is_refused_with_advice_that_works(mixing_checkpoint):
    y = three_columns()
    X = pd.DataFrame({"price": 1.0}, y.index)
    ahead = pd.DataFrame({"price": 1.0}, pd.date_range(y.index[-1], periods=3)[1:])
    fitted = TinyTimeMixerForecaster(mixing_checkpoint).fit(y, X=X)
    with pytest.raises(ValueError, match="reads 3 series as one row, and takes no covariates"):
        fitted.predict([1, 2], X=ahead)
    ignoring = TinyTimeMixerForecaster(mixing_checkpoint, covariates="off").fit(y, X=X)
    assert ignoring.predict([1, 2], X=ahead).notna().all(axis=None)


def test_x_is_read_by_the_network_after_tuning_with_target_channels():
    series, price = season_and_price(1)
    hours = pd.date_range("2024-01-01", periods=series.shape[1], freq="h")
    y, X = pd.Series(series[0], hours), pd.DataFrame({"price": price[0]}, hours)
    ahead = range(1, HORIZON + 1)
    fitted = forecaster(tuning=FinetuneConfig(target="channels", steps=60))
    fitted.fit(y[:-HORIZON], X=X[:-HORIZON], fh=ahead)
    assert fitted.adapter_.target == "channels" and not fitted.adapter_.is_identity
    found = fitted.predict(X=X[-HORIZON:])
    pipe = ForecastPipeline.from_pretrained(MODEL, device="cpu", adapter=fitted.adapter_)
    expected = pipe.predict(series[0, :-HORIZON], HORIZON, known=X)
    np.testing.assert_allclose(found, expected.median[0], atol=1e-5)
    base = forecaster().fit(y[:-HORIZON], fh=ahead).predict()
    error = np.abs(found - y[-HORIZON:]).mean()
    assert error < 0.5 * np.abs(base - y[-HORIZON:]).mean()
    moved = fitted.predict(X=X[-HORIZON:] + 1)
    assert (moved > found).mean() > 0.9
    with pytest.raises(ValueError, match="past steps are forecast from y alone"):
        fitted.predict([0, 1], X=X[-HORIZON:])
    with pytest.raises(ValueError, match="target='channels' needs columns"):
        forecaster(tuning=FinetuneConfig(target="channels")).fit(y, fh=ahead)


def test_intervals_of_point_forecasts_are_those_of_the_pipeline(tmp_path):
    save(tiny_network(), tmp_path)  # context 48, 12 steps in a pass
    y = hourly(300)
    pipe = ForecastPipeline.from_pretrained(tmp_path, device="cpu")
    expected = pipe.predict(y.to_numpy(), 12)
    assert expected.calibration == ("own",)
    fitted = TinyTimeMixerForecaster(str(tmp_path), device="cpu").fit(y, fh=range(1, 13))
    found = fitted.predict_quantiles(alpha=[0.1, 0.9]).to_numpy()
    np.testing.assert_allclose(found, expected.quantiles[0][:, [0, 8]], rtol=1e-5)
