"""Linear models: parts of a series that columns explain."""

import numpy as np
import pytest

from timer_forecaster.inference.covariate_options import MODELS
from timer_forecaster.inference.covariates.columns import Column, Covariates
from timer_forecaster.inference.covariates.cycles import Cycles
from timer_forecaster.inference.covariates.features import features_of
from timer_forecaster.inference.covariates.models import fitted_models
from timer_forecaster.inference.covariates.ridge import Span
from timer_forecaster.inference.covariates.warning import Notes

STEPS, HORIZON = 200, 10


@pytest.fixture(scope="module")
def column():
    return np.random.default_rng(0).normal(size=STEPS + HORIZON)


def fitted(series, column, without=()):
    covariates = Covariates(known=[Column("x", column)])
    cycles = Cycles((7.0,))
    features = features_of(covariates, series, HORIZON, cycles, False, Notes(), 0)
    return fitted_models(MODELS, series, features, cycles, HORIZON, without)


@pytest.mark.parametrize("name", [name for name in MODELS if "log" not in name])
def test_additive_models_find_a_line(column, name):
    series = 50 + 3 * column[:STEPS]
    (model,) = [model for model in fitted(series, column) if model.name == name]
    remainder = model.remainder(series, 0, Span(0, STEPS))
    assert remainder.std() < 0.1 * series.std()
    restored = model.restored(np.zeros((HORIZON, 1)), 0, STEPS)[:, 0]
    np.testing.assert_allclose(
        restored - restored.mean(), 3 * (column - column[STEPS:].mean())[STEPS:], atol=0.3
    )


@pytest.mark.parametrize("name", [name for name in MODELS if "log" in name])
def test_models_of_logarithms_find_a_factor(column, name):
    series = 50 * np.exp(0.4 * column[:STEPS])
    (model,) = [model for model in fitted(series, column) if model.name == name]
    remainder = model.remainder(series, 0, Span(0, STEPS))
    assert remainder.std() < 0.1 * series.std()


def test_values_that_are_not_positive_have_no_logarithm(column):
    names = {model.name for model in fitted(column[:STEPS], column)}
    assert names == {name for name in MODELS if "log" not in name}


def test_a_fit_without_a_span_does_not_see_it(column):
    series = 50 + 3 * column[:STEPS]
    changed = series.copy()
    changed[150:] += 40 * column[150:STEPS]
    parts = [fitted(own, column, [Span(150, STEPS)])[0].parts for own in (series, changed)]
    change = [np.abs(parts[1][fit] - parts[0][fit]).mean() for fit in (0, 1)]
    assert change[1] < 0.6 * change[0]
