"""Plans: units and remainders."""

import numpy as np

from timer_forecaster import ForecastPipeline
from timer_forecaster.inference.covariate_options import CovariateOptions
from timer_forecaster.inference.covariates.columns import Column, Covariates
from timer_forecaster.inference.covariates.cycles import Cycles
from timer_forecaster.inference.covariates.plan import Planner
from timer_forecaster.inference.covariates.warning import Notes


def plan(series, longest=10_000):
    network = ForecastPipeline.from_pretrained("timer-s1-test", device="cpu").network
    column = np.random.default_rng(0).normal(size=len(series) + 4)
    planner = Planner(network, 4, CovariateOptions(), longest, Notes())
    return planner.plan(0, series, Covariates(known=[Column("x", column)]), Cycles(()))


def test_units_are_powers_of_two_that_change_no_digit():
    series = np.random.default_rng(1).normal(size=90) * 1e200
    found = plan(series)
    assert np.log2(found.unit) % 1 == 0 and np.abs(found.series).max() < 2
    np.testing.assert_array_equal(found.series * found.unit, series)
    assert plan(np.zeros(90)).unit == 1


def test_remainders_and_their_forecasts_belong_together():
    found = plan(np.random.default_rng(1).normal(size=90) + 9)
    for model in range(len(found.models) + 1):
        rest = found.remainder(model, 0, found.whole)
        back = found.restored(model, rest[:, None], 0, 0)[:, 0]
        np.testing.assert_allclose(back, found.series, rtol=1e-12)


def test_old_steps_are_cut():
    assert len(plan(np.random.default_rng(1).normal(size=90), longest=50).series) == 50
