"""Faults that were measured in sktime's own TinyTimeMixer class.

Each check states an expectation of users. Our class meets it, and sktime's class does not, which
shows that the check can fail. Rows are numbered as in docs/ttm.md.
"""

import contextlib
import functools
import json
import pickle
import re

import numpy as np
import pandas as pd
import pytest
from places import ROOT
from safetensors.torch import load_file, save_file

from timer_forecaster import ForecastPipeline, list_checkpoints, release
from timer_forecaster.checkpoints.registry import TTM_MINI, find_checkpoint
from timer_forecaster.models.ttm import TTMNetwork

pytest.importorskip("sktime")

import sktime

from timer_forecaster.finetuning import FinetuneConfig
from timer_forecaster.finetuning.config import TARGETS
from timer_forecaster.sktime import TinyTimeMixerForecaster

# Some of the series are too short to gain from finetuning.
pytestmark = [
    pytest.mark.filterwarnings("ignore::timer_forecaster.finetuning.TuningWarning"),
    pytest.mark.filterwarnings("ignore::timer_forecaster.inference.covariates.CovariateWarning"),
]

CHECKS = []
ROWS = range(1, 15)


def fault(row, name, tunes=False):
    """Register a check of a class, which may finetune."""

    def collect(check):
        missing = tunes and "decoder+head" not in TARGETS
        marks = [pytest.mark.skip(reason="finetuning of this family is not there")] * missing
        CHECKS.append(pytest.param(check, id=f"{row}-{name}", marks=marks))
        return check

    return collect


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A checkpoint of random weights in float32: context 128, 32 steps in a pass, nine levels."""
    source, made = find_checkpoint("ttm-test"), tmp_path_factory.mktemp("ttm")
    weights = load_file(source / "model.safetensors")
    weights = {name: value.float() for name, value in weights.items()}
    save_file(weights, made / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((source / "config.json").read_text()) | {"torch_dtype": "float32"}
    (made / "config.json").write_text(json.dumps(config))
    return str(made)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """sktime's class writes a folder where it trains."""
    monkeypatch.chdir(tmp_path)


def theirs(folder):
    if sktime.__version__ != "1.2.0":
        pytest.skip("the faults were measured in sktime 1.2.0")
    pytest.importorskip("accelerate")
    module = pytest.importorskip("sktime.forecasting.ttm")
    return functools.partial(
        module.TinyTimeMixerForecaster,
        folder,
        revision="main",
        **{"fit_strategy": "zero-shot", "training_args": None},
    )


def test_every_row_of_the_page_has_a_check():
    page = (ROOT / "docs" / "ttm.md").read_text(encoding="utf-8")
    rows = {int(row) for row in re.findall(r"^\| (\d+) \|", page, flags=re.MULTILINE)}
    assert rows == {int(check.id.partition("-")[0]) for check in CHECKS} == set(ROWS)


@pytest.mark.parametrize("check", CHECKS)
def test_ours(check, folder):
    check(functools.partial(TinyTimeMixerForecaster, folder))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("check", CHECKS)
def test_sktimes_class_fails(check, folder):
    forecaster = theirs(folder)
    with pytest.raises((Exception, pytest.fail.Exception)):
        check(forecaster)


def wave(n=200, level=0.0, freq="h", seed=0):
    noise = np.random.default_rng(seed).normal(size=n) / 3
    values = 3 * np.sin(np.arange(n) * 2 * np.pi / 24) + noise + level
    return pd.Series(values, pd.date_range("2024-01-01", periods=n, freq=freq), name="load")


def training(steps=3):
    return {"max_steps": steps, "learning_rate": 1e-2, "output_dir": "logs", "report_to": "none"}


@contextlib.contextmanager
def network_passes():
    """Record the rows of every pass of our network, after emptying the caches."""
    release()
    passes = []
    forward = TTMNetwork.forward

    def recorded(self, past_values, *arguments, **options):
        passes.append(len(past_values))
        return forward(self, past_values, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TTMNetwork, "forward", recorded)
        yield passes


@fault(1, "two fits are independent", tunes=True)
def _(Forecaster):
    y = wave()
    tuned = functools.partial(Forecaster, fit_strategy="full", training_args=training())
    first = tuned().fit(y)
    before = first.predict([1, 9])
    tuned().fit(wave(seed=1, level=50.0)).predict([1])
    pd.testing.assert_series_equal(first.predict([1, 9]), before)
    again = first.clone().fit(y).predict([1, 9])
    pd.testing.assert_series_equal(again, before)


@fault(2, "no random new weights in a forecast")
def _(Forecaster):
    unfitted = Forecaster(config={"decoder_mode": "mix_channel", "num_input_channels": 2})
    with pytest.raises(ValueError, match="leave config out"):
        unfitted.fit(pd.concat([wave(), wave(seed=1)], axis=1, keys=["a", "b"]))


@fault(3, "X takes part")
def _(Forecaster):
    X = pd.DataFrame({"price": np.random.default_rng(3).normal(size=224)}, wave(224).index)
    y = wave() + 8 * X["price"][:200]
    fitted = Forecaster().fit(y.rename("load"), X[:200])
    one, other = (fitted.predict(range(1, 25), X=x[200:]) for x in (X, -X))
    assert np.abs(one - other).mean() > 1
    assert np.abs(one - (wave(224) + 8 * X["price"])[200:]).mean() < 4


@fault(4, "update extends the context")
def _(Forecaster):
    y = pd.concat([wave(150), wave(200)[150:] + 50])
    whole = Forecaster().fit(y)
    for update_params in (False, True):
        updated = Forecaster().fit(y[:150])
        updated.update(y[150:], update_params=update_params)
        assert updated.cutoff == whole.cutoff
        pd.testing.assert_series_equal(updated.predict([1, 9]), whole.predict([1, 9]))


@fault(5, "intervals of any coverage")
def _(Forecaster):
    fitted = Forecaster().fit(wave(), fh=[1, 40])
    narrow, wide = (fitted.predict_interval(coverage=c).to_numpy() for c in (0.9, 0.975))
    assert (wide[:, 0] < narrow[:, 0]).all()
    assert (wide[:, 1] > narrow[:, 1]).all()


@fault(6, "horizons beyond a pass")
def _(Forecaster):
    found = Forecaster().fit(wave()).predict(range(1, 301))
    assert len(found) == 300
    assert np.isfinite(found).all()


@fault(6, "in-sample steps")
def _(Forecaster):
    y = wave()
    inside = Forecaster().fit(y).predict([-1, 0])
    np.testing.assert_allclose(inside.iloc[-1:], Forecaster().fit(y[:-1]).predict([1]), rtol=1e-4)


@fault(6, "missing values")
def _(Forecaster):
    y = wave(level=1000.0)
    gaps = y.copy()
    gaps.iloc[np.random.default_rng(0).choice(199, 20, replace=False)] = np.nan
    found, expected = (Forecaster().fit(one).predict([1, 2, 3]) for one in (gaps, y))
    assert np.abs(found - expected).max() < y.std()


@fault(7, "a short series at any level")
def _(Forecaster):
    y = wave(60)
    low, high = (Forecaster().fit(y + level).predict([1, 2, 3]) for level in (0.0, 10_000.0))
    np.testing.assert_allclose(high - 10_000, low, atol=1e-3 * y.std())


@fault(8, "training windows of short series have no zeros", tunes=True)
def _(Forecaster):
    def tuned(level):
        tune = Forecaster(fit_strategy="full", training_args=training())
        return tune.fit(wave(60) + level).predict([1, 2, 3])

    np.testing.assert_allclose(tuned(10_000.0) - 10_000, tuned(0.0), atol=1e-2)


@fault(8, "a panel of unequal lengths has no zeros", tunes=True)
def _(Forecaster):
    def tuned(level):
        parts = {"long": wave(180) + level, "short": wave(90, seed=1) + level}
        y = pd.concat({key: part.to_frame("y") for key, part in parts.items()}, names=["id", "t"])
        return Forecaster(fit_strategy="full", training_args=training()).fit(y).predict([1, 2])

    np.testing.assert_allclose(tuned(10_000.0) - 10_000, tuned(0.0), atol=1e-2)


@fault(9, "a frequency under any of its names")
def _(Forecaster):
    for freq in ("D", "W-SUN", "60min", "15min", "MS", "ME", "QE", "B", "2h"):
        y = wave(100, freq=freq)
        found = Forecaster().fit(y).predict([1, 2])
        expected = pd.date_range(y.index[-1], periods=3, freq=freq)[1:]
        assert list(found.index) == list(expected), freq
        gap = y.drop(y.index[50])  # absent from the grid of its times
        assert list(Forecaster().fit(gap).predict([1, 2]).index) == list(expected), freq


@fault(10, "sizes of a checkpoint stay")
def _(Forecaster):
    with pytest.raises(ValueError, match="which has its own configuration"):
        Forecaster(config={"context_length": 256}).fit(wave()).predict([1])


@fault(11, "bfloat16")
def _(Forecaster):
    y = wave(level=1000.0)
    found, expected = Forecaster(dtype="bfloat16").fit(y), Forecaster().fit(y)
    difference = found.predict(range(1, 33)) - expected.predict(range(1, 33))
    assert np.abs(difference).mean() < 0.1 * y.std()


@fault(12, "a panel is one batch")
def _(Forecaster):
    many = {i: wave(seed=i).to_frame("y") for i in range(60)}
    with network_passes() as passes:
        Forecaster().fit(pd.concat(many, names=["id", "time"])).predict([1, 2])
    assert passes == [60]


@fault(13, "no weights in a fitted forecaster")
def _(Forecaster):
    fitted = Forecaster().fit(wave(128), fh=[1, 2])
    fitted.predict()
    assert len(pickle.dumps(fitted)) < 5000


@fault(14, "minimal trains a matching checkpoint", tunes=True)
def _(Forecaster):
    y = wave()
    tuned = Forecaster(fit_strategy="minimal", training_args=training(30)).fit(y)
    assert not np.allclose(tuned.predict([1, 2]), Forecaster().fit(y).predict([1, 2]))


def test_14_the_default_checkpoint_is_in_the_package():
    assert {known.name: known.embedded for known in list_checkpoints()}[TTM_MINI]
    y = wave()
    found = TinyTimeMixerForecaster().fit(y).predict([1, 2])
    expected = TinyTimeMixerForecaster(TTM_MINI, fit_strategy="zero-shot").fit(y).predict([1, 2])
    pd.testing.assert_series_equal(found, expected)


def test_a_full_context_has_the_forecasts_of_sktimes_class(folder):
    y = wave()
    expected = theirs(folder)().fit(y).predict(range(1, 33))
    found = TinyTimeMixerForecaster(folder).fit(y).predict(range(1, 33))
    np.testing.assert_allclose(found, expected, atol=1e-4 * y.std())


def test_a_short_context_has_them_with_the_same_padding(folder):
    y = wave(60)
    expected = theirs(folder)().fit(y).predict(range(1, 33))
    found = TinyTimeMixerForecaster(folder, padding="released").fit(y).predict(range(1, 33))
    np.testing.assert_allclose(found, expected, atol=1e-4 * y.std())
    other = TinyTimeMixerForecaster(folder).fit(y).predict(range(1, 33))
    assert np.abs(other - expected).max() > 0.01 * y.std()


def test_settings_of_tuning_may_be_given_whole(folder):
    unfitted = TinyTimeMixerForecaster(folder, tuning=FinetuneConfig(target="head", steps=2))
    assert unfitted._settings_of_tuning() == FinetuneConfig(target="head", steps=2)


def test_the_pipeline_has_the_same_numbers(folder):
    y = wave(60)
    expected = ForecastPipeline.from_pretrained(folder).predict(y.to_numpy(), 40)
    found = TinyTimeMixerForecaster(folder).fit(y).predict(range(1, 41))
    np.testing.assert_array_equal(found, expected.median[0])
