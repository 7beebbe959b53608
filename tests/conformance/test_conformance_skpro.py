"""skpro's own test suite on our distribution, with a test for each check."""

import pytest

pytest.importorskip("skpro")

from skpro.distributions.tests import test_all_distrs
from skpro.tests import test_all_estimators
from skpro.utils.estimator_checks import check_estimator

from timer_forecaster.skpro import QuantileFunction

CHECKS = sorted(
    name
    for suite in (test_all_estimators.TestAllObjects, test_all_distrs.TestAllDistributions)
    for name in dir(suite)
    if name.startswith("test_")
)


@pytest.mark.parametrize("check", CHECKS)
def test_skpro_suite(check):
    results = check_estimator(
        QuantileFunction, tests_to_run=check, raise_exceptions=True, verbose=False
    )
    assert set(results.values()) == {"PASSED"}
