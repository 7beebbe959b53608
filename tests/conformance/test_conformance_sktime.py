"""sktime's own test suite on our forecasters, with a test for each check.

The test parameters take the checkpoints for tests, whose nine levels are the released ones.
"""

import pytest

pytest.importorskip("sktime")

from sktime.utils.estimator_checks import check_estimator, parametrize_with_checks

from timer_forecaster.finetuning import FinetuneConfig
from timer_forecaster.sktime import (
    ForecastAnomalyDetector,
    TimerS1Forecaster,
    TinyTimeMixerForecaster,
)

# The suite's random walks teach nothing, and some of its series are too short to finetune to.
pytestmark = pytest.mark.filterwarnings("ignore::timer_forecaster.finetuning.TuningWarning")


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    """Without ``tuning``, `pretrain` makes a hundred steps."""
    monkeypatch.setitem(FinetuneConfig.__init__.__kwdefaults__, "steps", 2)


@parametrize_with_checks(
    [TimerS1Forecaster, TinyTimeMixerForecaster, ForecastAnomalyDetector],
    obj_varname="forecaster",
    check_varname="check",
)
def test_sktime_suite(forecaster, check):
    results = check_estimator(forecaster, tests_to_run=check, raise_exceptions=True, verbose=False)
    assert set(results.values()) == {"PASSED"}


# Hundreds of forecasts on all kinds of times, which the network does not see.
OF_TIMES = [
    "test_predict_time_index",
    "test_predict_time_index_with_X",
    "test_predict_time_index_in_sample_full",
    "test_update_predict_predicted_index",
]


def test_in_8_bits(int8_kernel):
    forecaster = TimerS1Forecaster("timer-s1-test", device_map="cpu", quantization="int8")
    results = check_estimator(
        forecaster, raise_exceptions=True, verbose=False, tests_to_exclude=OF_TIMES
    )
    assert set(results.values()) == {"PASSED"}
