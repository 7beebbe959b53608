"""The parameters of `TinyTimeMixerModel`."""

import doctest
import inspect

import numpy as np
import pandas as pd
import pytest
from darts import TimeSeries
from darts_cases import TRAINING, elsewhere, without_chatter
from ttm import OWN

from timer_forecaster import ForecastPipeline
from timer_forecaster.checkpoints.registry import TTM_MINI
from timer_forecaster.darts import TimerS1Model, TinyTimeMixerModel

__all__ = ["elsewhere", "without_chatter"]  # fixtures

pytestmark = TRAINING


def test_parameters_are_those_of_the_other_family_but_for_the_checkpoint():
    ours = inspect.signature(TinyTimeMixerModel.__init__).parameters
    other = inspect.signature(TimerS1Model.__init__).parameters
    assert list(ours) == list(other)
    differ = [name for name in ours if ours[name].default != other[name].default]
    assert differ == ["hub_model_name"]
    assert ours["hub_model_name"].default == TTM_MINI


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"output_chunk_length": 0}, "output_chunk_length=0"),
        ({"hub_model_name": "nonsense"}, "'nonsense' is neither a registry name"),
        ({"rollout": "mean"}, "rollout='mean' is unknown"),
        ({"nonsense": 1}, "has no args/kwargs"),
    ],
)
def test_unusable_parameters_are_refused(arguments, message):
    usable = {"input_chunk_length": 64, "output_chunk_length": 8, "hub_model_name": "ttm-test"}
    with pytest.raises(ValueError, match=message):
        TinyTimeMixerModel(**usable | arguments)


def test_docstring_examples():
    tests = doctest.DocTestFinder(recurse=False).find(TinyTimeMixerModel, "it")
    results = [doctest.DocTestRunner().run(test) for test in tests]
    assert sum(result.attempted for result in results) > 0
    assert sum(result.failed for result in results) == 0


# --- what a checkpoint reads beside the values ------------------------------------------------


def walk(n=90, seed=0):
    return 20 + np.random.default_rng(seed).normal(size=n).cumsum()


def series_of(freq, n=90, seed=0):
    times = pd.date_range("2024-01-07", periods=n, freq=freq)
    return TimeSeries.from_times_and_values(times, walk(n, seed))


def mixer(**parameters):
    quiet = {"accelerator": "cpu", "enable_progress_bar": False, "enable_model_summary": False}
    return TinyTimeMixerModel((8, 90), 12, pl_trainer_kwargs=quiet, **parameters)


def test_the_frequency_is_that_of_the_series():
    pipe = ForecastPipeline.from_pretrained(OWN / "r2_ft", device="cpu")
    many = [series_of("h"), series_of("D", seed=1), series_of("W-SUN", seed=2)]
    two = series_of("15min").stack(series_of("15min", seed=3).with_columns_renamed("0", "other"))
    model = mixer(hub_model_name=str(OWN / "r2_ft")).fit(many[0])
    found = [one.values()[:, 0] for one in model.predict(12, many)]
    for i, freq in enumerate(("h", "D", "W")):
        expected = pipe.predict(walk(seed=i), 12, freq=freq).median[0]
        np.testing.assert_allclose(found[i], expected, rtol=1e-5)
    both = mixer(hub_model_name=str(OWN / "r2_ft")).fit(two).predict(12).values().T
    expected = pipe.predict([walk(), walk(seed=3)], 12, freq="15min").median
    np.testing.assert_allclose(both, expected, rtol=1e-5)


def test_training_reads_the_frequency_too():
    losses = {}
    for freq in ("h", "60min", "D"):
        model = mixer(
            hub_model_name=str(OWN / "r2_ft"),
            enable_finetuning="head",
            n_epochs=1,
            random_state=1,
            optimizer_kwargs={"lr": 1e-9},
        )
        model.fit(series_of(freq, 130))
        losses[freq] = model.adapter.record["scores"]["train_loss"]
    assert losses["h"] == losses["60min"] != losses["D"]


def test_zeros_before_a_short_window_on_demand():
    pipe = ForecastPipeline.from_pretrained("ttm-test", device="cpu")
    for padding in ("mean", "released"):
        model = mixer(hub_model_name="ttm-test", padding=padding).fit(series_of("h"))
        expected = pipe.predict(walk(), 12, padding=padding).median[0]
        np.testing.assert_allclose(model.predict(12).values()[:, 0], expected, rtol=1e-5)
    with pytest.raises(ValueError, match="padding='zeros'"):
        mixer(hub_model_name="ttm-test", padding="zeros")
