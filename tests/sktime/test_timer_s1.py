"""The parameters of `TimerS1Forecaster`."""

import copy
import doctest
import inspect
import pickle
import re

import numpy as np
import pandas as pd
import pytest

from timer_forecaster import ForecastPipeline

pytest.importorskip("sktime")

from sktime_cases import MODEL, forecaster, hourly

from timer_forecaster.sktime import TimerS1Forecaster


@pytest.mark.parametrize(
    "options",
    [
        {"context_length": 20},
        {"rollout": "median"},
        {"rollout": "multiscale"},
        {"flip": True},
        {"batch_size": 2},
        {"dtype": "bfloat16", "device_map": "cpu"},
    ],
)
def test_options_reach_the_pipeline(options):
    y = hourly(1600)
    keys = {"dtype": "dtype", "device_map": "device"}
    loading = {keys[key]: value for key, value in options.items() if key in keys}
    predicting = {key: value for key, value in options.items() if key not in keys}
    pipe = ForecastPipeline.from_pretrained(MODEL, **loading)
    expected = pipe.predict(y.to_numpy(), 70, **predicting).median[0]
    np.testing.assert_array_equal(forecaster(**options).fit(y).predict(range(1, 71)), expected)


def test_fit_loads_nothing_and_copies_share_the_weights(loads):
    fitted = forecaster().fit(hourly(200))
    assert loads == []
    expected = fitted.predict([1, 2])
    for other in (pickle.loads(pickle.dumps(fitted)), copy.deepcopy(fitted)):  # noqa: S301
        pd.testing.assert_series_equal(other.predict([1, 2]), expected)
    fitted.clone().fit(hourly(30)).predict([1])
    assert len(loads) == 1


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"point": "mode"}, "point='mode'.*median.*mean"),
        ({"rollout": "mean"}, "rollout='mean'.*quantile.*median"),
        ({"context_length": 0}, "context_length=0"),
        ({"batch_size": 2.5}, "batch_size=2.5"),
        ({"exogenous": "drop"}, "exogenous='drop'.*raise.*warn"),
        ({"covariates": "none"}, "covariates='none'.*auto.*off"),
        ({"flip": "no"}, "flip='no' must be True or False"),
    ],
)
def test_bad_parameters_are_refused_in_fit(parameters, message):
    unfitted = forecaster(**parameters)
    with pytest.raises((ValueError, TypeError), match=message):
        unfitted.fit(hourly())


def test_a_checkpoint_that_cannot_be_loaded_is_named():
    with pytest.raises(ValueError, match="'no-such-model' is neither a registry name"):
        TimerS1Forecaster("no-such-model").fit(hourly())
    fitted = TimerS1Forecaster("nobody/no-such-model").fit(hourly())
    with pytest.raises(ValueError, match="'nobody/no-such-model' could not be downloaded"):
        fitted.predict([1])


def test_every_parameter_is_described():
    text = inspect.getdoc(TimerS1Forecaster)
    section = text[text.index("Parameters\n---") : text.index("Attributes\n---")]
    described = re.findall(r"^(\w+) : ", section, flags=re.MULTILINE)
    assert described == list(inspect.signature(TimerS1Forecaster).parameters)


def test_docstring_examples():
    tests = doctest.DocTestFinder(recurse=False).find(TimerS1Forecaster, "TimerS1Forecaster")
    results = [doctest.DocTestRunner().run(test) for test in tests]
    assert sum(result.attempted for result in results) > 0
    assert sum(result.failed for result in results) == 0
