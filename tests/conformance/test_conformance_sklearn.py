"""scikit-learn's own test suite on our regressor, every check an item of ours."""

import pytest

pytest.importorskip("sklearn")

from sklearn.utils.estimator_checks import parametrize_with_checks

from timer_forecaster.sklearn import TimerS1Regressor

REGRESSORS = [
    TimerS1Regressor("timer-s1-test"),
    TimerS1Regressor(
        "timer-s1-test",
        context_length=2,
        point="mean",
        rollout="median",
        flip=True,
        batch_size=3,
        device_map="cpu",
        dtype="float64",
    ),
    TimerS1Regressor("timer-s1-test", point=0.05),
]


@parametrize_with_checks(REGRESSORS)
def test_sklearn_suite(estimator, check):
    check(estimator)
