"""Features of columns, and the warnings that they give."""

import numpy as np
import pytest

from timer_forecaster import ForecastPipeline
from timer_forecaster.inference.covariates import CovariateWarning
from timer_forecaster.inference.covariates.columns import Column, Covariates
from timer_forecaster.inference.covariates.cycles import Cycles
from timer_forecaster.inference.covariates.features import features_of, filled
from timer_forecaster.inference.covariates.warning import Notes

STEPS, HORIZON = 80, 4


def features(column, cycles=(), nonlinear=True):
    covariates = Covariates(known=[column])
    series = np.random.default_rng(0).normal(size=STEPS)
    return features_of(covariates, series, HORIZON, Cycles(cycles), nonlinear, Notes(), 0)


def test_a_number_has_bends_and_over_the_day_an_effect_that_changes():
    column = Column("x", np.random.default_rng(1).normal(size=STEPS + HORIZON))
    assert features(column).matrix.shape == (STEPS + HORIZON, 4)
    assert features(column, nonlinear=False).matrix.shape[1] == 1
    assert features(column, cycles=(24, 168)).matrix.shape[1] == 7


def test_a_category_has_an_indicator_for_all_levels_but_the_commonest():
    codes = np.tile([0.0, 0, 1, 2], 21)
    found = features(Column("kind", codes, ("a", "b", "c")), cycles=(24, 168))
    np.testing.assert_array_equal(found.matrix, np.stack([codes == 1, codes == 2], axis=1))


def test_an_event_acts_a_step_before_and_after():
    event = np.zeros(STEPS + HORIZON)
    event[[10, 50]] = 1
    found = features(Column("event", event)).matrix
    assert found[10].tolist() == [1, 0, 0] and found[9].tolist() == [0, 1, 0]
    assert found[11].tolist() == [0, 0, 1]


def test_gaps_are_bridged_by_straight_lines():
    np.testing.assert_array_equal(filled(np.array([np.nan, 1, np.nan, 3, np.nan])), [1, 1, 2, 3, 3])


def series_and(change):
    random = np.random.default_rng(0)
    column = np.clip(random.normal(size=STEPS + HORIZON), -1, 1)
    series = 3 * column[:STEPS] + random.normal(size=STEPS)
    return series, change(series, column)


@pytest.mark.parametrize(
    ("words", "change"),
    [
        ("column 'x' is constant", lambda y, x: {"x": np.ones_like(x)}),
        ("column 'x' leaves its observed range", lambda y, x: {"x": np.r_[x[:-1], 9.0]}),
        ("column 'x' has missing values", lambda y, x: {"x": np.r_[x[:-2], np.nan, 1.0]}),
        ("column 'x' equals the target", lambda y, x: {"x": np.r_[y, x[-HORIZON:]]}),
        ("column 'x' has a category", lambda y, x: {"x": [*"ab" * (STEPS // 2), *"abca"]}),
    ],
)
def test_doubtful_columns_are_warned_of_once(words, change):
    pipe = ForecastPipeline.from_pretrained("timer-s1-test", device="cpu")
    series, table = series_and(change)
    with pytest.warns(CovariateWarning, match=words) as caught:
        forecast = pipe.predict([series] * 3, HORIZON, known=[table] * 3)
    assert sum(words.split("'x'")[0] in str(w.message) for w in caught) == 1
    assert np.isfinite(forecast.quantiles).all()
